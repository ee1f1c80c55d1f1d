// SPDX-License-Identifier: Apache-2.0
//
// Mails that wait, and what became of the others; in development what they say.
import { Button } from '../ui/button.tsx';
import { outdated, send, useAction, useData, useList } from '../ui/data.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { type Key as Word, t } from '../ui/i18n.ts';
import { Alert, Badge, Empty, PageHead, ProblemAlert, Time } from '../ui/show.tsx';
import { type Column, ListTable } from '../ui/table.tsx';
import type { Mail, MailState } from './types.ts';

const tones = { waiting: 'warn', sent: 'good', failed: 'bad' } as const;

function Retry({ row }: { row: Mail }) {
  const { run, busy, problem } = useAction(async () => {
    const answer = await send('POST', `/api/v1/mails/${row.id}/retry`);
    if (answer.ok) outdated('/api/v1/mail');
    return answer;
  });
  return (
    <>
      <Button busy={busy} onClick={() => void run()}>
        {t('console.mail.retry')}
      </Button>
      <ProblemAlert problem={problem} />
    </>
  );
}

const columns = (): Column<Mail>[] => [
  { label: t('console.mail.to'), head: true, cell: (row) => row.to },
  {
    label: t('console.mail.about'),
    wide: true,
    cell: (row) => (
      <>
        {row.subject ?? t(`console.mail.is.${row.template}` as Word)}
        {row.text ? (
          <details>
            <summary>{t('console.mail.show')}</summary>
            <pre class="mail">{row.text}</pre>
          </details>
        ) : null}
        {row.fault ? <span class="note">{row.fault}</span> : null}
      </>
    ),
  },
  { label: t('console.mail.when'), cell: (row) => <Time at={row.created} relative /> },
  {
    label: t('console.mail.state'),
    cell: (row) => <Badge tone={tones[row.state]}>{t(`console.mail.state.${row.state}` as Word)}</Badge>,
  },
  {
    label: t('console.actions'),
    hideLabel: true,
    align: 'end',
    cell: (row) => (row.state === 'failed' ? <Retry row={row} /> : null),
  },
];

export function Mails() {
  const { data } = useData<MailState>('/api/v1/mail');
  const list = useList<Mail>('/api/v1/mails');
  const off = data?.mode === 'off';
  usePageTitle(t('console.mails'));
  return (
    <>
      <PageHead title={t('console.mails')} />
      {data?.mode === 'console' ? <Alert tone="info">{t('console.mails.console')}</Alert> : null}
      <section class="card">
        <ListTable
          list={list}
          caption={t('console.mails')}
          columns={columns()}
          rowKey={(row) => row.id}
          empty={
            <Empty icon="mail" title={off ? t('console.mails.off') : t('console.mails.empty')}>
              <p>{off ? t('console.mails.off.text') : t('console.mails.empty.text')}</p>
            </Empty>
          }
        />
      </section>
    </>
  );
}
