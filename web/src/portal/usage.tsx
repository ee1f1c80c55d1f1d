// SPDX-License-Identifier: Apache-2.0
//
// What an app has used: figures, graphs, refusals by their reasons.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ButtonLink } from '../ui/button.tsx';
import { type Page, useData } from '../ui/data.ts';
import { Choices } from '../ui/field.tsx';
import { bytes, count, milliseconds, share } from '../ui/format.ts';
import { t } from '../ui/i18n.ts';
import type { UsageData } from '../ui/types.ts';
import { Graph } from '../ui/usage_graph.tsx';
import { Card, Empty, ProblemAlert, Skeleton, Stat, Stats, Time } from '../ui/show.tsx';
import { AppFrame } from './parts.tsx';
import { type App, appPath, type Key } from './types.ts';

const RANGES = ['1h', '24h', '7d', '30d'];

interface BarsProps {
  title: string;
  rows: { name: string; requests: number; href?: string }[];
}

// Its length is set through the CSSOM: a style in the markup is against the page's policy.
function Bar({ part }: { part: number }) {
  const bar = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (bar.current) bar.current.style.width = `${Math.round(part * 100)}%`;
  }, [part]);
  return <span class="bar" ref={bar} aria-hidden="true" />;
}

// Which part of the whole each has, as a bar and in numbers.
function Bars({ title, rows }: BarsProps) {
  const most = Math.max(1, ...rows.map((row) => row.requests));
  const all = rows.reduce((sum, row) => sum + row.requests, 0);
  return (
    <Card title={title} class="inset">
      {rows.length ? (
        <ul class="bars">
          {rows.map((row) => (
            <li key={row.name}>
              <Bar part={row.requests / most} />
              <span class="name mono">{row.href ? <a href={row.href}>{row.name}</a> : row.name}</span>
              <span class="value">
                {count(row.requests)} <span class="note">{share(row.requests, all)}</span>
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <p class="note">{t('portal.usage.nothing')}</p>
      )}
    </Card>
  );
}

function Figures({ data }: { data: UsageData }) {
  const { totals } = data;
  return (
    <Stats label={t('portal.usage')}>
      <Stat label={t('portal.usage.requests')} value={count(totals.requests)} note={t('portal.usage.metered', { count: totals.metered })} />
      <Stat
        label={t('portal.usage.errors')}
        value={count(totals.errors)}
        note={share(totals.errors, totals.requests)}
        {...(totals.errors ? { tone: 'bad' as const } : {})}
      />
      <Stat label={t('portal.usage.refused')} value={count(totals.refused)} note={share(totals.refused, totals.requests)} />
      <Stat label={t('portal.usage.median')} value={milliseconds(totals.p50_ms)} note={`p99 ${milliseconds(totals.p99_ms)}`} />
      <Stat label={t('portal.usage.sent')} value={bytes(totals.bytes_out)} />
    </Stats>
  );
}

function Shown({ data, names }: { data: UsageData; names: ReadonlyMap<string, string> }) {
  if (data.totals.requests === 0)
    return (
      <Empty icon="chart" title={t('portal.usage.empty')}>
        <p>{t('portal.usage.empty.text')}</p>
      </Empty>
    );
  return (
    <div class="stack">
      <Figures data={data} />
      <Card
        title={t('portal.usage.requests')}
        class="inset"
        note={
          <>
            {t('portal.usage.since')} <Time at={data.since} />
          </>
        }
      >
        <Graph data={data} of="counts" />
      </Card>
      <Card title={t('portal.usage.latency')} class="inset">
        <Graph data={data} of="latency" />
      </Card>
      <div class="columns three">
        <Bars title={t('portal.usage.reasons')} rows={data.reasons.map((one) => ({ name: one.reason, requests: one.requests, href: `/problems/${one.reason}` }))} />
        <Bars title={t('portal.usage.apis')} rows={data.apis.map((one) => ({ name: one.api, requests: one.requests }))} />
        <Bars title={t('portal.usage.keys')} rows={data.keys.map((one) => ({ name: names.get(one.key) ?? one.key, requests: one.requests }))} />
      </div>
    </div>
  );
}

const AN_HOUR_MS = 3600_000;

// It opens on the time there is data for.
function useRange(path: string): [string, (range: string) => void] {
  const [chosen, choose] = useState('');
  const { data } = useData<UsageData>(chosen ? '' : `${path}?range=24h`);
  const young = data?.first && Date.now() - Date.parse(data.first) < AN_HOUR_MS;
  return [chosen || (young ? '1h' : '24h'), choose];
}

function Ranged({ app }: { app: App }) {
  const path = `${appPath(app.name)}/usage`;
  const [range, setRange] = useRange(path);
  const { data, problem, refresh } = useData<UsageData>(`${path}?range=${range}`);
  const { data: keys } = useData<Page<Key>>(`${appPath(app.name)}/keys`);
  const names = new Map(keys?.items.map(({ kid, name }) => [kid, name]));
  return (
    <div class="stack">
      <div class="filters">
        <Choices
          inline
          label={t('portal.usage.range')}
          name="range"
          value={range}
          onChange={setRange}
          choices={RANGES.map((value) => ({ value, label: t(`portal.range.${value}` as 'portal.range.1h') }))}
        />
        <ButtonLink href={`${path}.csv?range=${range}`} icon="download" download="usage.csv">
          CSV
        </ButtonLink>
      </div>
      {data ? <Shown data={data} names={names} /> : problem ? <ProblemAlert problem={problem} retry={refresh} /> : <Skeleton of="graph" />}
    </div>
  );
}

export function Usage({ app: name }: { app: string }) {
  return (
    <AppFrame name={name} title={t('portal.usage')}>
      {(app) => <Ranged app={app} />}
    </AppFrame>
  );
}
