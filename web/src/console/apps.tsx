// SPDX-License-Identifier: Apache-2.0
import { useList } from '../ui/data.ts';
import { count } from '../ui/format.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { Badge, Empty, PageHead, Time } from '../ui/show.tsx';
import { type Column, ListTable } from '../ui/table.tsx';
import { Search, State, useSearch, withQuery } from './parts.tsx';
import type { AppItem } from './types.ts';

const columns = (): Column<AppItem>[] => [
  {
    label: t('console.app'),
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
  { label: t('console.state'), cell: (app) => <State state={app.state} /> },
  { label: t('console.team'), cell: (app) => (app.declared ? <Badge tone="info">weir.yaml</Badge> : <bdi>{app.team}</bdi>) },
  { label: t('console.plan'), cell: (app) => app.plan ?? (app.pending_plan ? t('console.waits', { plan: app.pending_plan }) : '–') },
  { label: t('console.keys'), align: 'end', cell: (app) => count(app.keys_active) },
  { label: t('console.created'), cell: (app) => <Time at={app.created} relative /> },
];

export function Apps() {
  const [query, type] = useSearch();
  const list = useList<AppItem>(withQuery('/api/v1/apps', query));
  usePageTitle(t('console.apps'));
  return (
    <>
      <PageHead title={t('console.apps')} />
      <section class="card">
        <Search label={t('console.search.apps')} onInput={type} />
        <ListTable list={list} caption={t('console.apps')} columns={columns()} rowKey={(app) => app.name} empty={<Empty icon="apps" title={t('console.nothing')} />} />
      </section>
    </>
  );
}
