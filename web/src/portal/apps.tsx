// SPDX-License-Identifier: Apache-2.0
//
// All apps of one's teams.
import { ButtonLink } from '../ui/button.tsx';
import { useList } from '../ui/data.ts';
import { count } from '../ui/format.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { Empty, PageHead, Time } from '../ui/show.tsx';
import { type Column, ListTable } from '../ui/table.tsx';
import { AppState } from './parts.tsx';
import type { AppItem } from './types.ts';

const columns = (): Column<AppItem>[] => [
  {
    label: t('portal.app'),
    head: true,
    wide: true,
    cell: (app) => (
      <>
        <a class="row-link" href={`/apps/${app.name}`}>
          <bdi>{app.title}</bdi>
        </a>
        <span class="note mono">{app.name}</span>
      </>
    ),
  },
  { label: t('portal.state'), cell: (app) => <AppState app={app} /> },
  { label: t('portal.plan'), cell: (app) => app.plan ?? app.pending_plan ?? '–' },
  { label: t('portal.keys'), align: 'end', cell: (app) => count(app.keys_active) },
  { label: t('portal.created'), cell: (app) => <Time at={app.created} relative /> },
];

const New = () => (
  <ButtonLink href="/apps/new" look="primary" icon="plus">
    {t('portal.new_app')}
  </ButtonLink>
);

function Begin() {
  return (
    <Empty icon="apps" title={t('portal.apps.empty')} actions={<New />}>
      <ol class="plain-steps">
        <li>{t('portal.begin.app')}</li>
        <li>{t('portal.begin.key')}</li>
        <li>{t('portal.begin.call')}</li>
      </ol>
    </Empty>
  );
}

export function Apps() {
  const list = useList<AppItem>('/api/v1/apps');
  usePageTitle(t('portal.apps'));
  return (
    <>
      <PageHead title={t('portal.apps')} lead={t('portal.apps.lead')} actions={list.data?.length ? <New /> : null} />
      <section class="card">
        <ListTable list={list} caption={t('portal.apps')} columns={columns()} rowKey={(app) => app.name} empty={<Begin />} />
      </section>
    </>
  );
}
