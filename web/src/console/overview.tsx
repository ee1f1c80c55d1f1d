// SPDX-License-Identifier: Apache-2.0
//
// How it stands: what is wrong first, then what passes through, then what there is.
import { judgeApi } from '../status/model.ts';
import { useData, usePoll } from '../ui/data.ts';
import { bytes, count, duration, milliseconds, rate, share } from '../ui/format.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { Alert, Badge, Card, Facts, PageHead, ProblemAlert, Skeleton, Stat, Stats, Time } from '../ui/show.tsx';
import { type Column, Table } from '../ui/table.tsx';
import type { UsageData } from '../ui/types.ts';
import { Graph } from '../ui/usage_graph.tsx';
import type { Overview as Data } from './types.ts';

const LOOK_MS = 2000;
const GRAPH_MS = 15_000; // a minute is what it shows

function Wrong({ data }: { data: Data }) {
  const failing = data.health.filter((check) => !check.ok);
  const away = data.upstreams.flatMap((one) => one.targets.filter((target) => !target.healthy).map((target) => `${one.name}: ${target.url}`));
  const faults = [
    ...failing.map((check) => ({ title: check.check, text: check.detail })),
    ...(data.config.error ? [{ title: t('console.config.fault'), text: data.config.error }] : []),
    ...data.rates
      .filter((one) => judgeApi(one).tone === 'bad')
      .map((one) => ({ title: t('console.api.failing', { api: one.api }), text: t('console.api.failing.text', { share: share(one.errors_per_s, one.requests_per_s) }) })),
    ...away.map((text) => ({ title: t('console.target.away'), text })),
  ];
  if (faults.length === 0) return <Alert tone="good" title={t('console.well')} />;
  return (
    <>
      {faults.map((fault) => (
        <Alert key={fault.title + fault.text} tone="bad" title={fault.title}>
          {fault.text}
        </Alert>
      ))}
    </>
  );
}

function Live({ data }: { data: Data }) {
  const sum = (of: (one: Data['rates'][number]) => number): number => data.rates.reduce((all, one) => all + of(one), 0);
  const calls = sum((one) => one.requests_per_s);
  const { totals } = data;
  return (
    <Stats label={t('console.live')}>
      <Stat label={t('console.requests_s')} value={rate(calls)} />
      <Stat label={t('console.errors_s')} value={rate(sum((one) => one.errors_per_s))} note={share(sum((one) => one.errors_per_s), calls)} />
      <Stat label={t('console.refused_s')} value={rate(sum((one) => one.refused_per_s))} note={share(sum((one) => one.refused_per_s), calls)} />
      <Stat label={t('console.day')} value={count(totals.requests)} note={data.since ? <>{t('console.since')} <Time at={data.since} /></> : null} />
      <Stat label={t('console.journal')} value={count(data.journal.backlog)} />
    </Stats>
  );
}

interface RowsProps<T> {
  caption: string;
  rows: readonly T[];
  rowKey: (row: T) => string;
  columns: readonly Column<T>[];
}

// A table of no rows says so.
const Rows = <T,>(props: RowsProps<T>) =>
  props.rows.length ? <Table {...props} /> : <p class="note none">{t('console.nothing')}</p>;

function Apis({ data }: { data: Data }) {
  return (
    <Card title={t('console.apis')}>
      <Rows
        caption={t('console.apis')}
        rows={data.rates}
        rowKey={(row) => row.api}
        columns={[
          { label: t('console.api'), head: true, wide: true, cell: (row) => row.api },
          { label: t('console.requests_s'), align: 'end', cell: (row) => rate(row.requests_per_s) },
          { label: t('console.errors_s'), align: 'end', cell: (row) => rate(row.errors_per_s) },
          { label: t('console.refused_s'), align: 'end', cell: (row) => rate(row.refused_per_s) },
          { label: 'p50', align: 'end', cell: (row) => milliseconds(row.p50_ms) },
          { label: 'p99', align: 'end', cell: (row) => milliseconds(row.p99_ms) },
        ]}
      />
    </Card>
  );
}

function Consumers({ data }: { data: Data }) {
  return (
    <Card title={t('console.top')}>
      <Rows
        caption={t('console.top')}
        rows={data.top}
        rowKey={(row) => row.app}
        columns={[
          { label: t('console.app'), head: true, wide: true, cell: (row) => <a href={`/apps/${row.app}`}>{row.title ?? row.app}</a> },
          { label: t('console.requests'), align: 'end', cell: (row) => count(row.requests) },
          { label: t('console.refused'), align: 'end', cell: (row) => count(row.refused) },
          { label: t('console.errors'), align: 'end', cell: (row) => count(row.errors) },
        ]}
      />
    </Card>
  );
}

function Reasons({ data }: { data: Data }) {
  return (
    <Card title={t('console.reasons')}>
      <Rows
        caption={t('console.reasons')}
        rows={data.reasons}
        rowKey={(row) => row.reason}
        columns={[
          {
            label: t('console.reason'),
            head: true,
            wide: true,
            cell: (row) => (
              <a href={`/requests?reason=${row.reason}`}>
                <code>{row.reason}</code>
              </a>
            ),
          },
          { label: t('console.requests'), align: 'end', cell: (row) => count(row.requests) },
        ]}
      />
    </Card>
  );
}

function Machine({ data }: { data: Data }) {
  const targets = data.upstreams.map((one) => ({
    label: one.name,
    value: one.targets.every((target) => target.healthy) ? (
      <Badge tone="good">{t('console.targets.well', { count: one.targets.length })}</Badge>
    ) : (
      <Badge tone="bad">{t('console.targets.away')}</Badge>
    ),
  }));
  return (
    <div class="columns">
      <Card title={t('console.upstreams')}>
        <Facts facts={targets} />
      </Card>
      <Card title={t('console.installation')}>
        <Facts
          facts={[
            { label: t('console.version'), value: data.version },
            { label: t('console.uptime'), value: duration(data.uptime_s) },
            { label: t('console.config'), value: <span class="mono">{data.config.file}</span> },
            { label: t('console.loaded'), value: <Time at={data.config.loaded_at} relative /> },
            ...data.sinks.map((sink) => ({ label: sink.name, value: t('console.sink', { sent: sink.sent, waiting: sink.backlog }) })),
            ...data.stores.map((store) => ({ label: t(`console.store.${store.name}` as 'console.store.requests'), value: bytes(store.bytes) })),
          ]}
        />
      </Card>
    </div>
  );
}

// The last hour, from when there was a call.
function Hour() {
  const { data, problem, refresh } = useData<UsageData>('/api/v1/usage?range=1h');
  usePoll(refresh, GRAPH_MS);
  if (!data) return problem ? <ProblemAlert problem={problem} retry={refresh} /> : <Skeleton of="graph" />;
  if (data.totals.requests === 0) return null;
  return (
    <div class="columns">
      <Card title={t('portal.usage.requests')} class="inset">
        <Graph data={data} of="counts" />
      </Card>
      <Card title={t('portal.usage.latency')} class="inset">
        <Graph data={data} of="latency" />
      </Card>
    </div>
  );
}

export function Overview() {
  const { data, problem, refresh } = useData<Data>('/api/v1/overview');
  usePoll(refresh, LOOK_MS);
  usePageTitle(t('console.overview'));
  return (
    <>
      <PageHead title={t('console.overview')} />
      {data ? (
        <div class="stack">
          <ProblemAlert problem={problem} retry={refresh} />
          <Wrong data={data} />
          <Live data={data} />
          <Hour />
          <Apis data={data} />
          <div class="columns">
            <Consumers data={data} />
            <Reasons data={data} />
          </div>
          <Machine data={data} />
        </div>
      ) : problem ? (
        <ProblemAlert problem={problem} retry={refresh} />
      ) : (
        <Skeleton of="stats" lines={5} />
      )}
    </>
  );
}
