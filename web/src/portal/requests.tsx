// SPDX-License-Identifier: Apache-2.0
//
// An app's calls: what was asked, what came of it, why. The newest first; live where one likes.
import { useMemo, useState } from 'preact/hooks';
import { Button, ButtonLink } from '../ui/button.tsx';
import type { Call } from '../ui/call.tsx';
import { CallLink, useCallPanel } from '../ui/call_open.tsx';
import { get, type Page, useList, usePoll } from '../ui/data.ts';
import { bytes, milliseconds } from '../ui/format.ts';
import { t } from '../ui/i18n.ts';
import { Badge, Empty, Moment } from '../ui/show.tsx';
import { type Column, ListTable } from '../ui/table.tsx';
import { statusTone } from '../ui/tone.ts';
import { AppFrame } from './parts.tsx';
import { FilterFields, useFilters } from './request_filters.tsx';
import { type App, appPath } from './types.ts';

const LIVE_MS = 2000;
const LIVE_ROWS = 200;

const columns = (): Column<Call>[] => [
  { label: t('portal.call.time'), cell: (call) => <Moment at={call.time} /> },
  {
    label: t('portal.call.asked'),
    head: true,
    wide: true,
    cell: (call) => <CallLink call={call} />,
  },
  { label: t('portal.call.status'), cell: (call) => <Badge tone={statusTone(call.status)}>{String(call.status)}</Badge> },
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
  const filters = useFilters();
  const { open, panel } = useCallPanel({ help: true });
  const [live, setLive] = useState(false);
  const path = `${appPath(app.name)}/requests${filters.query}`;
  const list = useList<Call>(path);
  const fresh = useLive(path, live);
  const known = new Set(list.data?.map((call) => call.id));
  const shown = { ...list, data: list.data ? [...fresh.filter((call) => !known.has(call.id)), ...list.data] : undefined };
  return (
    <section class="card log">
      <div class="filters" role="search">
        <FilterFields app={app.name} filters={filters} shown={shown.data ?? []} />
        <span class="actions">
          <ButtonLink href={`${appPath(app.name)}/requests.csv${filters.query}`} icon="download" download="requests.csv" title={t('portal.requests.csv')}>
            CSV
          </ButtonLink>
          <Button icon={live ? 'pause' : 'play'} pressed={live} onClick={() => setLive(!live)}>
            {t('portal.call.live')}
          </Button>
        </span>
      </div>
      <ListTable
        list={shown}
        caption={t('portal.requests')}
        columns={columns()}
        rowKey={(call) => call.id}
        onOpen={open}
        empty={
          <Empty icon="log" title={filters.query ? t('portal.requests.none') : t('portal.requests.empty')}>
            <p>{filters.query ? t('portal.requests.none.text') : t('portal.requests.empty.text')}</p>
          </Empty>
        }
      />
      {panel}
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
