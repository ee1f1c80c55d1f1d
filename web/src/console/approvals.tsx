// SPDX-License-Identifier: Apache-2.0
//
// Plans that apps asked for, and a decision on each.
import { useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { outdated, send, useAction, useList } from '../ui/data.ts';
import { Dialog, DialogActions } from '../ui/dialog.tsx';
import { TextArea } from '../ui/field.tsx';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { Empty, PageHead, ProblemAlert, Time } from '../ui/show.tsx';
import { type Column, ListTable } from '../ui/table.tsx';
import { toast } from '../ui/toast.tsx';
import type { Approval } from './types.ts';

type Decision = 'approve' | 'reject';

function Decide({ row, decision, onClose }: { row: Approval; decision: Decision; onClose: () => void }) {
  const { run, busy, problem } = useAction(async (form: HTMLFormElement) => {
    const note = String(new FormData(form).get('note') ?? '');
    const answer = await send('POST', `/api/v1/approvals/${row.id}`, { decision, note });
    if (answer.ok) {
      outdated('/api/v1/approvals');
      outdated('/api/v1/overview');
      toast(decision === 'approve' ? t('console.approved') : t('console.rejected'));
      onClose();
    }
    return answer;
  });
  const names = { app: row.app_title, plan: row.plan_title };
  return (
    <Dialog title={decision === 'approve' ? t('console.approve.title', names) : t('console.reject.title', names)} onClose={onClose}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void run(event.currentTarget);
        }}
      >
        <TextArea name="note" label={t('console.note')} hint={t('console.note.hint')} optional maxLength={500} />
        <ProblemAlert problem={problem} />
        <DialogActions>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button type="submit" look={decision === 'approve' ? 'primary' : 'danger'} busy={busy}>
            {decision === 'approve' ? t('console.approve') : t('console.reject')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

const columns = (onDecide: (row: Approval, decision: Decision) => void): Column<Approval>[] => [
  {
    label: t('console.app'),
    head: true,
    wide: true,
    cell: (row) => (
      <>
        <a class="row-link" href={`/apps/${row.app}`}>
          <bdi>{row.app_title}</bdi>
        </a>
        <span class="note">
          <bdi>{row.team}</bdi> · {row.asked_by}
        </span>
      </>
    ),
  },
  { label: t('console.plan'), cell: (row) => row.plan_title },
  { label: t('console.asked'), cell: (row) => <Time at={row.asked} relative /> },
  {
    label: t('console.actions'),
    hideLabel: true,
    align: 'end',
    cell: (row) => (
      <span class="actions">
        <Button look="primary" disabled={!row.offered} onClick={() => onDecide(row, 'approve')}>
          {t('console.approve')}
        </Button>
        <Button onClick={() => onDecide(row, 'reject')}>{t('console.reject')}</Button>
      </span>
    ),
  },
];

export function Approvals() {
  const list = useList<Approval>('/api/v1/approvals');
  const [deciding, setDeciding] = useState<{ row: Approval; decision: Decision }>();
  usePageTitle(t('console.approvals'));
  return (
    <>
      <PageHead title={t('console.approvals')} />
      <section class="card">
        <ListTable
          list={list}
          caption={t('console.approvals')}
          columns={columns((row, decision) => setDeciding({ row, decision }))}
          rowKey={(row) => row.id}
          empty={
            <Empty icon="checks" title={t('console.approvals.empty')}>
              <p>{t('console.approvals.empty.text')}</p>
            </Empty>
          }
        />
      </section>
      {deciding ? <Decide {...deciding} onClose={() => setDeciding(undefined)} /> : null}
    </>
  );
}
