// SPDX-License-Identifier: Apache-2.0
import { Empty, PageHead } from '../ui/show.tsx';
import { ButtonLink } from '../ui/button.tsx';
import { t } from '../ui/i18n.ts';

export const Missing = () => (
  <>
    <PageHead title={t('portal.missing.title')} />
    <Empty icon="help" title={t('problem.404')} actions={<ButtonLink href="/apps">{t('portal.apps')}</ButtonLink>} />
  </>
);
