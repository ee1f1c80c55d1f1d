// SPDX-License-Identifier: Apache-2.0
//
// Who did what.
import { useList } from '../ui/data.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { Empty, PageHead, Time } from '../ui/show.tsx';
import { type Column, ListTable } from '../ui/table.tsx';
import type { AuditEntry } from '../ui/types.ts';

const columns = (): Column<AuditEntry>[] => [
  { label: t('console.time'), cell: (entry) => <Time at={entry.time} /> },
  { label: t('console.actor'), head: true, cell: (entry) => <span class="name">{entry.actor}</span> },
  { label: t('console.action'), cell: (entry) => <code>{entry.action}</code> },
  {
    label: t('console.object'),
    wide: true,
    cell: (entry) => (
      <>
        <bdi>{entry.object}</bdi>
        {entry.detail ? <span class="note"> {entry.detail}</span> : null}
      </>
    ),
  },
  { label: t('console.from'), cell: (entry) => (entry.address ? <code>{entry.address}</code> : '–') },
];

export function Audit() {
  const list = useList<AuditEntry>('/api/v1/audit');
  usePageTitle(t('console.audit'));
  return (
    <>
      <PageHead title={t('console.audit')} />
      <section class="card">
        <ListTable list={list} caption={t('console.audit')} columns={columns()} rowKey={(entry) => entry.id} empty={<Empty icon="history" title={t('console.nothing')} />} />
      </section>
    </>
  );
}
