// SPDX-License-Identifier: Apache-2.0
//
// What only shows: messages, numbers, tables, what there is where nothing is.
import { useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { CodeBlock } from '../ui/copy.tsx';
import type { List } from '../ui/data.ts';
import { Input, Select } from '../ui/field.tsx';
import { bytes, count, dateTime, duration, milliseconds, rate, share } from '../ui/format.ts';
import { t } from '../ui/i18n.ts';
import { Icon } from '../ui/icons.tsx';
import {
  Alert,
  Badge,
  Breadcrumb,
  Card,
  Empty,
  Facts,
  Meter,
  PageHead,
  ProblemAlert,
  Skeleton,
  Stat,
  Stats,
  Tabs,
  Time,
} from '../ui/show.tsx';
import { type Column, ListTable } from '../ui/table.tsx';
import type { Tone } from '../ui/tone.ts';

const HOUR_MS = 3600_000;
const before = (hours: number): string => new Date(Date.now() - hours * HOUR_MS).toISOString();

export function Messages() {
  return (
    <div class="stack">
      <div class="row">
        <Badge tone="good">{t('portal.key.active')}</Badge>
        <Badge tone="warn">{t('portal.key.expiring')}</Badge>
        <Badge tone="bad">{t('portal.key.revoked')}</Badge>
        <Badge tone="quiet">{t('portal.key.disabled')}</Badge>
        <Badge tone="info">{t('portal.call.live')}</Badge>
      </div>
      <div class="columns">
        <Alert tone="info">{t('portal.sheet.pending')}</Alert>
        <Alert tone="good" title={t('portal.saved')} />
        <Alert tone="warn" title={t('portal.sheet.once')}>
          {t('portal.keys.empty.text')}
        </Alert>
        <Alert tone="bad" title={t('portal.app.suspended.title')}>
          {t('portal.app.suspended.text')}
        </Alert>
      </div>
      <ProblemAlert problem={{ status: 0, title: '', detail: '', errors: [], body: {} }} retry={() => undefined} />
    </div>
  );
}

export function Numbers() {
  return (
    <div class="stack">
      <Stats label={t('gallery.numbers')}>
        <Stat label={t('portal.usage.requests')} value={count(1_284_031)} note={share(12, 100)} />
        <Stat label={t('portal.usage.errors')} value={count(1204)} note={share(1204, 1_284_031)} tone="bad" />
        <Stat label={t('portal.usage.median')} value={milliseconds(8.42)} note={`p99 ${milliseconds(412)}`} />
        <Stat label={t('portal.usage.sent')} value={bytes(822_083_584)} note={`${rate(4.5)} /s`} />
      </Stats>
      <div class="columns">
        <Card title={t('portal.limits')} class="inset">
          <div class="quotas">
            <Meter label={t('portal.limit.second', { count: 50 })} used={12} limit={50} />
            <Meter label={t('portal.limit.rate', { count: 1000, seconds: 60 })} used={870} limit={1000} />
            <Meter label={t('portal.limit.rate', { count: 10000, seconds: 3600 })} used={10000} limit={10000} note={<Time at={before(-3)} relative />} />
          </div>
        </Card>
        <Card title={t('gallery.facts')} note={t('gallery.note')}>
          <Facts
            facts={[
              { label: t('portal.created'), value: <Time at={before(50)} /> },
              { label: t('portal.key.used'), value: <Time at={before(2)} relative /> },
              { label: t('portal.key.expires'), value: t('portal.never') },
              { label: t('gallery.duration'), value: duration(86400 * 9 + 7200) },
              { label: t('portal.key.allow'), value: <code>203.0.113.0/24</code> },
            ]}
          />
        </Card>
      </div>
    </div>
  );
}

interface Row {
  name: string;
  hint: string;
  tone: Tone;
  state: string;
  used: string | null;
}

const rows = (): Row[] => [
  { name: 'CI', hint: 'weir_test_9tRw02Lm_…', tone: 'good', state: t('portal.key.active'), used: before(0.2) },
  { name: 'Üretim sunucusu', hint: 'weir_live_4fGh81Zq_…', tone: 'warn', state: t('portal.key.expiring'), used: before(30) },
  { name: 'خادم الإنتاج', hint: 'weir_live_7uPz55Qa_…', tone: 'quiet', state: t('portal.key.disabled'), used: null },
  { name: 'old laptop', hint: 'weir_live_1aXc93Vn_…', tone: 'bad', state: t('portal.key.revoked'), used: before(900) },
];

const columns = (): Column<Row>[] => [
  {
    label: t('portal.key.name'),
    head: true,
    wide: true,
    cell: (row) => (
      <>
        <bdi class="name">{row.name}</bdi>
        <code class="sub">{row.hint}</code>
      </>
    ),
  },
  { label: t('portal.state'), cell: (row) => <Badge tone={row.tone}>{row.state}</Badge> },
  { label: t('portal.key.used'), cell: (row) => (row.used ? <Time at={row.used} relative /> : t('portal.never')) },
  { label: t('portal.usage.requests'), align: 'end', cell: (row) => count(row.hint.length * 1713) },
  {
    label: t('portal.actions'),
    hideLabel: true,
    align: 'end',
    cell: (row) => (
      <span class="actions">
        <Button look="quiet" icon="rotate" label={t('portal.key.rotate', { name: row.name })} />
        <Button look="quiet" icon="trash" label={t('portal.key.revoke', { name: row.name })} />
      </span>
    ),
  },
];

const list = (data: Row[] | undefined): List<Row> => ({
  data,
  problem: undefined,
  asking: false,
  refresh: async () => undefined,
  more: async () => undefined,
  moreProblem: undefined,
});

export function Tables() {
  const shared = { caption: t('portal.keys'), columns: columns(), rowKey: (row: Row) => row.hint, empty: null };
  const problem = { status: 503, title: '', detail: 'The database is in use. Nothing was changed.', errors: [], body: {} };
  return (
    <div class="stack">
      <Card>
        <div class="filters">
          <Input name="q" type="search" label={t('gallery.search')} optional />
          <Select name="status" label={t('portal.call.status')} value="" options={[{ value: '', label: t('portal.call.all') }]} />
          <span class="actions">
            <Button icon="play">{t('portal.call.live')}</Button>
          </span>
        </div>
        <ListTable {...shared} list={list(rows())} />
      </Card>
      <div class="columns">
        <Card title={t('ui.loading')}>
          <ListTable {...shared} list={list(undefined)} />
        </Card>
        <Card title={t('problem.503')}>
          <ListTable {...shared} list={{ ...list(undefined), problem }} />
        </Card>
      </div>
    </div>
  );
}

export function Nothing() {
  return (
    <div class="stack">
      <div class="columns">
        <Card>
          <Empty
            icon="key"
            title={t('portal.keys.empty')}
            actions={
              <Button look="primary" icon="plus">
                {t('portal.key.issue')}
              </Button>
            }
          >
            <p>{t('portal.keys.empty.text')}</p>
          </Empty>
        </Card>
        <Card class="inset">
          <Skeleton lines={5} />
        </Card>
      </div>
      <Skeleton of="stats" lines={4} />
      <Card title={t('portal.first.title')}>
        <ol class="checklist">
          <li class="done">
            <Icon name="tick" />
            <span class="name">{t('portal.first.plan')}</span>
          </li>
          <li>
            <Icon name="minus" />
            <a class="name" href="#nothing">
              {t('portal.first.key')}
            </a>
          </li>
        </ol>
      </Card>
    </div>
  );
}

export const Texts = () => (
  <div class="card pad stack">
    <CodeBlock label={t('portal.sheet.curl')} text={'curl -H "X-API-Key: $KEY" \\\n  https://api.example.com/orders'} />
    <div class="prose">
      <p>{t('portal.keys.empty.text')}</p>
      <ul>
        <li>
          <a href="#texts">{t('portal.first.key')}</a>
        </li>
        <li>
          <code>{dateTime(Date.now())}</code>
        </li>
      </ul>
    </div>
  </div>
);

export function Ways() {
  const [tab, setTab] = useState('#ways');
  const tabs = [t('portal.overview'), t('portal.keys'), t('portal.usage'), t('portal.requests'), t('portal.settings')];
  return (
    <div class="pad stack">
      <Breadcrumb crumbs={[{ label: t('portal.apps'), href: '#ways' }, { label: 'Web shop' }]} />
      <PageHead
        level={3}
        title="Web shop"
        badge={<Badge tone="good">{t('portal.app.active')}</Badge>}
        lead={t('portal.apps.lead')}
        actions={<Button icon="key">{t('portal.keys')}</Button>}
      />
      <div onClick={(event) => setTab((event.target as HTMLAnchorElement).getAttribute('href') ?? tab)}>
        <Tabs
          label={t('portal.app.tabs')}
          tabs={tabs.map((label, i) => ({ label, href: i ? `#ways-${i}` : '#ways', current: tab === (i ? `#ways-${i}` : '#ways') }))}
        />
      </div>
    </div>
  );
}
