// SPDX-License-Identifier: Apache-2.0
//
// An app's calls: what was asked, what came of it, why. The newest first; live where one likes.
import { useMemo, useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { get, type Page, useList, usePoll } from '../ui/data.ts';
import { Select } from '../ui/field.tsx';
import { bytes, milliseconds } from '../ui/format.ts';
import { t } from '../ui/i18n.ts';
import { Badge, Empty, Time } from '../ui/show.tsx';
import { type Column, ListTable } from '../ui/table.tsx';
import type { Tone } from '../ui/tone.ts';
import { AppFrame } from './parts.tsx';
import { type App, appPath } from './types.ts';

const LIVE_MS = 2000;
const LIVE_ROWS = 200;

interface Call {
  id: string;
  time: string;
  method: string;
  path: string;
  api: string;
  status: number;
  reason: string | null;
  key: string | null;
  duration_ms: number;
  bytes_out: number;
}

const toneOf = (status: number): Tone => (status >= 500 ? 'bad' : status >= 400 ? 'warn' : 'good');

const columns = (): Column<Call>[] => [
  { label: t('portal.call.time'), cell: (call) => <Time at={call.time} /> },
  {
    label: t('portal.call.asked'),
    head: true,
    wide: true,
    cell: (call) => (
      <a class="row-link mono" href={`/requests/${call.id}`} data-native>
        {call.method} <bdi>{call.path}</bdi>
      </a>
    ),
  },
  { label: t('portal.call.status'), cell: (call) => <Badge tone={toneOf(call.status)}>{String(call.status)}</Badge> },
  { label: t('portal.call.reason'), cell: (call) => (call.reason ? <code>{call.reason}</code> : '–') },
  { label: t('portal.key'), cell: (call) => (call.key ? <code>{call.key}</code> : '–') },
  { label: t('portal.call.took'), align: 'end', cell: (call) => milliseconds(call.duration_ms) },
  { label: t('portal.call.size'), align: 'end', cell: (call) => bytes(call.bytes_out) },
];

interface Live {
  calls: Call[];
  newest: string | null;
}

function useLive(path: string, on: boolean) {
  const [live, setLive] = useState<Live>({ calls: [], newest: null });
  const look = useMemo(
    () => async () => {
      const sign = path.includes('?') ? '&' : '?';
      const from = live.newest ? `${sign}live=${encodeURIComponent(live.newest)}` : `${sign}limit=1`;
      const answer = await get<Page<Call> & { newest: string | null }>(path + from);
      if (!answer.ok) return;
      const fresh = live.newest ? answer.data.items : [];
      setLive({
        calls: [...fresh].sort((a, b) => b.time.localeCompare(a.time)).concat(live.calls).slice(0, LIVE_ROWS),
        newest: answer.data.newest ?? live.newest,
      });
    },
    [path, live],
  );
  usePoll(look, on ? LIVE_MS : 0);
  return live.calls;
}

function Log({ app }: { app: App }) {
  const [status, setStatus] = useState('');
  const [live, setLive] = useState(false);
  const path = `${appPath(app.name)}/requests${status ? `?status=${status}` : ''}`;
  const list = useList<Call>(path);
  const fresh = useLive(path, live);
  const known = new Set(list.data?.map((call) => call.id));
  const shown = { ...list, data: list.data ? [...fresh.filter((call) => !known.has(call.id)), ...list.data] : undefined };
  return (
    <section class="card">
      <div class="filters">
        <Select
          name="status"
          label={t('portal.call.status')}
          value={status}
          onChange={setStatus}
          options={[
            { value: '', label: t('portal.call.all') },
            ...['2xx', '3xx', '4xx', '5xx'].map((value) => ({ value, label: value })),
          ]}
        />
        <Button icon={live ? 'pause' : 'play'} pressed={live} onClick={() => setLive(!live)}>
          {t('portal.call.live')}
        </Button>
      </div>
      <ListTable
        list={shown}
        caption={t('portal.requests')}
        columns={columns()}
        rowKey={(call) => call.id}
        empty={
          <Empty icon="log" title={t('portal.requests.empty')}>
            <p>{t('portal.requests.empty.text')}</p>
          </Empty>
        }
      />
    </section>
  );
}

export function Requests({ app: name }: { app: string }) {
  return (
    <AppFrame name={name} title={t('portal.requests')}>
      {(app) => <Log app={app} />}
    </AppFrame>
  );
}
