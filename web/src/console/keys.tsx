// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { outdated, send, useAction, useList } from '../ui/data.ts';
import { Confirm } from '../ui/dialog.tsx';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { Empty, PageHead, Time } from '../ui/show.tsx';
import { type Column, ListTable } from '../ui/table.tsx';
import { Search, State, useSearch, withQuery } from './parts.tsx';
import type { Key } from './types.ts';

function Actions({ row }: { row: Key }) {
  const [asking, setAsking] = useState(false);
  const path = `/api/v1/keys/${row.kid}`;
  const refresh = (): void => {
    outdated('/api/v1/keys');
    outdated('/api/v1/apps');
  };
  const revoke = useAction(async () => {
    const answer = await send('DELETE', path);
    if (answer.ok) {
      setAsking(false);
      refresh();
    }
    return answer;
  });
  const flip = useAction(async () => {
    const answer = await send('PATCH', path, { enabled: row.state === 'disabled' });
    refresh();
    return answer;
  });
  if (row.state === 'revoked') return null;
  return (
    <span class="actions">
      <Button look="quiet" busy={flip.busy} onClick={() => void flip.run()}>
        {row.state === 'disabled' ? t('console.key.enable') : t('console.key.disable')}
      </Button>
      <Button look="quiet" icon="trash" label={t('console.key.revoke', { name: row.name })} onClick={() => setAsking(true)} />
      {asking ? (
        <Confirm
          title={t('console.key.revoke', { name: row.name })}
          verb={t('console.key.revoke.verb')}
          busy={revoke.busy}
          problem={revoke.problem}
          onConfirm={() => void revoke.run()}
          onClose={() => setAsking(false)}
        >
          <p>{t('console.key.revoke.text')}</p>
        </Confirm>
      ) : null}
    </span>
  );
}

export const keyColumns = (withApp: boolean): Column<Key>[] => [
  {
    label: t('console.key'),
    head: true,
    wide: true,
    cell: (key) => (
      <>
        <bdi class="name">{key.name}</bdi>
        <span class="note mono">{key.hint}</span>
      </>
    ),
  },
  ...(withApp ? [{ label: t('console.app'), cell: (key: Key) => <a href={`/apps/${key.app}`}>{key.app}</a> }] : []),
  { label: t('console.state'), cell: (key) => <State state={key.state} /> },
  { label: t('console.used'), cell: (key) => (key.last_used ? <Time at={key.last_used.time} relative /> : '–') },
  { label: t('console.expires'), cell: (key) => (key.expires ? <Time at={key.expires} relative /> : '–') },
  { label: t('console.actions'), hideLabel: true, align: 'end', cell: (key) => <Actions row={key} /> },
];

export function Keys() {
  const [query, type] = useSearch();
  const list = useList<Key>(withQuery('/api/v1/keys', query));
  usePageTitle(t('console.keys'));
  return (
    <>
      <PageHead title={t('console.keys')} />
      <section class="card">
        <Search label={t('console.search.keys')} onInput={type} />
        <ListTable list={list} caption={t('console.keys')} columns={keyColumns(true)} rowKey={(key) => key.kid} empty={<Empty icon="key" title={t('console.nothing')} />} />
      </section>
    </>
  );
}
