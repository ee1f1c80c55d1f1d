// SPDX-License-Identifier: Apache-2.0
//
// One call of a list, beside the list: where the focus was, it comes back to.
import { ButtonLink } from './button.tsx';
import { CallFacts, CallReason, CallSteps, CallTimings, type Explanation, isTold } from './call.tsx';
import { useData } from './data.ts';
import { Dialog, DialogActions } from './dialog.tsx';
import { t } from './i18n.ts';
import { Empty, ProblemAlert, Skeleton } from './show.tsx';

interface PanelProps {
  id: string;
  help?: boolean | undefined; // the codes of refusals have pages here
  onClose: () => void;
}

export function CallPanel({ id, help, onClose }: PanelProps) {
  const { data, problem, refresh } = useData<Explanation>(`/api/v1/requests/${id}`);
  return (
    <Dialog title={t('call.title')} onClose={onClose} sheet>
      <div class="call">
        {!data ? (
          problem ? (
            <ProblemAlert problem={problem} retry={refresh} />
          ) : (
            <Skeleton of="rows" lines={6} />
          )
        ) : isTold(data) ? (
          <>
            <CallReason told={data} help={help} />
            <CallFacts told={data} />
            <h3>{t('call.steps')}</h3>
            <CallSteps told={data} />
            <h3>{t('call.timings')}</h3>
            <CallTimings told={data} />
          </>
        ) : (
          <Empty icon="help" title={t('call.gone')} />
        )}
        <DialogActions>
          <ButtonLink href={`/requests/${id}`} icon="forward">
            {t('call.page')}
          </ButtonLink>
        </DialogActions>
      </div>
    </Dialog>
  );
}
