// SPDX-License-Identifier: Apache-2.0
//
// What can be called and where calls go, as weir.yaml has it; it is changed there.
import { type Page, useData } from '../ui/data.ts';
import { bytes, milliseconds } from '../ui/format.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { Badge, Card, Empty, Facts, PageHead, ProblemAlert, Skeleton } from '../ui/show.tsx';
import { type Column, Table } from '../ui/table.tsx';
import type { OwnApi, Route, Upstream } from './types.ts';

const list = (items: string[], none: string) => (items.length ? items.join(', ') : none);

const routeColumns = (): Column<Route>[] => [
  { label: t('console.api.route'), head: true, cell: (route) => <code>{route.name}</code> },
  {
    label: t('console.api.takes'),
    wide: true,
    cell: (route) => (
      <>
        {list(route.methods, t('console.api.any_method'))} · <code>{list(route.paths, '/')}</code>
        {route.hosts.length ? <span class="note"> {route.hosts.join(', ')}</span> : null}
      </>
    ),
  },
  { label: t('console.api.timeout'), align: 'end', cell: (route) => milliseconds(route.timeout_ms) },
  { label: t('console.api.body'), align: 'end', cell: (route) => (route.max_body ? bytes(route.max_body) : '–') },
];

const Targets = ({ upstream }: { upstream: Upstream | undefined }) => (
  <>
    {upstream?.targets.map((target) => (
      <p key={target.url}>
        <code>{target.url}</code> <Badge tone={target.healthy ? 'good' : 'bad'}>{target.healthy ? t('console.api.reached') : t('console.api.away')}</Badge>
      </p>
    )) ?? '–'}
  </>
);

const One = ({ api, upstream }: { api: OwnApi; upstream: Upstream | undefined }) => (
  <Card title={api.title} note={api.name === api.title ? undefined : api.name}>
    <Facts
      facts={[
        { label: t('console.api.auth'), value: api.auth === 'key' ? t('console.api.key') : t('console.api.open') },
        { label: t('console.plans'), value: list(api.plans, '–') },
        { label: t('console.upstream'), value: api.upstream },
        { label: t('console.api.targets'), value: <Targets upstream={upstream} /> },
      ]}
    />
    <Table caption={t('console.api.routes', { api: api.title })} rows={api.routes} rowKey={(route) => route.name} columns={routeColumns()} />
  </Card>
);

export function Apis() {
  const { data, problem, refresh } = useData<Page<OwnApi>>('/api/v1/apis');
  const upstreams = useData<Page<Upstream>>('/api/v1/upstreams').data?.items ?? [];
  usePageTitle(t('console.api.title'));
  return (
    <>
      <PageHead title={t('console.api.title')} lead={t('console.declared')} />
      <div class="stack">
        {data?.items.map((api) => <One key={api.name} api={api} upstream={upstreams.find(({ name }) => name === api.upstream)} />)}
        {data?.items.length === 0 ? (
          <Empty icon="layers" title={t('console.apis.empty')}>
            <p>{t('console.apis.empty.text')}</p>
          </Empty>
        ) : null}
        {problem && !data ? <ProblemAlert problem={problem} retry={refresh} /> : null}
        {data || problem ? null : <Skeleton of="rows" lines={6} />}
      </div>
    </>
  );
}
