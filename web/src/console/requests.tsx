// SPDX-License-Identifier: Apache-2.0
//
// All calls, the newest first, narrowed by what one looks for.
import { useLocation } from 'preact-iso/router';
import { useState } from 'preact/hooks';
import { ButtonLink } from '../ui/button.tsx';
import type { Call } from '../ui/call.tsx';
import { CallLink, useCallPanel } from '../ui/call_open.tsx';
import { useList } from '../ui/data.ts';
import { Input, Select } from '../ui/field.tsx';
import { milliseconds } from '../ui/format.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { Badge, Empty, Moment, PageHead } from '../ui/show.tsx';
import { type Column, ListTable } from '../ui/table.tsx';
import { statusTone } from '../ui/tone.ts';

const columns = (): Column<Call>[] => [
  { label: t('console.time'), cell: (call) => <Moment at={call.time} /> },
  {
    label: t('console.asked_for'),
    head: true,
    wide: true,
    cell: (call) => <CallLink call={call} />,
  },
  { label: t('console.status'), cell: (call) => <Badge tone={statusTone(call.status)}>{String(call.status)}</Badge> },
  { label: t('console.reason'), cell: (call) => (call.reason ? <code>{call.reason}</code> : '–') },
  { label: t('console.app'), cell: (call) => (call.app ? <a href={`/apps/${call.app}`}>{call.app}</a> : '–') },
  { label: t('console.from'), cell: (call) => <code>{call.client_ip}</code> },
  { label: t('console.took'), align: 'end', cell: (call) => milliseconds(call.duration_ms) },
];

const NAMES = ['app', 'api', 'reason', 'key'] as const;
type Filter = Partial<Record<(typeof NAMES)[number] | 'status', string>>;

const queryOf = (filter: Filter): string => {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value)).toString();
  return query ? `?${query}` : '';
};

export function Requests() {
  const { query } = useLocation();
  const { open, panel } = useCallPanel();
  const [filter, setFilter] = useState<Filter>(() => ({ ...query }));
  const list = useList<Call>(`/api/v1/requests${queryOf(filter)}`);
  usePageTitle(t('console.requests'));
  const set = (name: keyof Filter) => (value: string) => setFilter((before) => ({ ...before, [name]: value.trim() }));
  return (
    <>
      <PageHead
        title={t('console.requests')}
        actions={
          <ButtonLink href={`/api/v1/requests.csv${queryOf(filter)}`} icon="download" download="requests.csv" title={t('portal.requests.csv')}>
            CSV
          </ButtonLink>
        }
      />
      <section class="card">
        <div class="filters">
          {NAMES.map((name) => (
            <Input key={name} name={name} type="search" label={t(`console.filter.${name}`)} value={filter[name] ?? ''} optional onInput={set(name)} />
          ))}
          <Select
            name="status"
            label={t('console.status')}
            value={filter.status ?? ''}
            onChange={set('status')}
            options={[{ value: '', label: t('console.all') }, ...['2xx', '3xx', '4xx', '5xx'].map((value) => ({ value, label: value }))]}
          />
        </div>
        <ListTable list={list} caption={t('console.requests')} columns={columns()} rowKey={(call) => call.id} onOpen={open} empty={<Empty icon="log" title={t('console.nothing')} />} />
      </section>
      {panel}
    </>
  );
}
