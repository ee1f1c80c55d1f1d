// SPDX-License-Identifier: Apache-2.0
//
// What narrows an app's log. It stands in the page's address, so that a view can be linked to and come back to.
import { useLocation } from 'preact-iso/router';
import { useMemo } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import type { Call } from '../ui/call.tsx';
import { type Page, useData } from '../ui/data.ts';
import { type Option, Select } from '../ui/field.tsx';
import { t } from '../ui/i18n.ts';
import { appPath, type Key } from './types.ts';

const NAMES = ['status', 'reason', 'key', 'api', 'method', 'since'] as const;
type Name = (typeof NAMES)[number];

const STATUSES = ['2xx', '3xx', '4xx', '5xx'];
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const HOUR_MS = 3600_000;
const SINCE = { '1h': HOUR_MS, '24h': 24 * HOUR_MS, '7d': 168 * HOUR_MS };

export interface Filters {
  chosen: Readonly<Partial<Record<Name, string>>>;
  query: string; // for the API, with its '?', or empty
  choose: (name: Name, value: string) => void;
  clear: () => void;
}

export function useFilters(): Filters {
  const { path, query, route } = useLocation();
  const known = NAMES.flatMap((name) => (query[name] ? [[name, query[name]] as const] : []));
  const asked = new URLSearchParams(known.map(([name, value]) => [name, value])).toString();
  // "in the last hour" is said in the address; a moment is what the API takes, the same for all pages of the list
  const sent = useMemo(() => {
    const params = new URLSearchParams(asked);
    const back = SINCE[params.get('since') as keyof typeof SINCE];
    if (back) params.set('since', new Date(Date.now() - back).toISOString());
    else params.delete('since');
    return params.toString();
  }, [asked]);
  const go = (params: URLSearchParams): void => route(params.size ? `${path}?${params}` : path, true);
  return {
    chosen: Object.fromEntries(known),
    query: sent ? `?${sent}` : '',
    choose: (name, value) => {
      const params = new URLSearchParams(asked);
      if (value) params.set(name, value);
      else params.delete(name);
      go(params);
    },
    clear: () => go(new URLSearchParams()),
  };
}

interface Occurring {
  reasons: { reason: string }[];
  apis: { api: string }[];
}

const asOption = (value: string): Option => ({ value, label: value });

// What is chosen is always among what can be chosen, also where it did not occur lately.
function withAll(options: Option[], chosen: string | undefined): Option[] {
  const more = chosen && !options.some((option) => option.value === chosen) ? [asOption(chosen)] : [];
  return [{ value: '', label: t('portal.call.all') }, ...options, ...more];
}

const distinct = (values: readonly (string | null)[]): Option[] =>
  [...new Set(values)].flatMap((value) => (value ? [asOption(value)] : []));

interface FieldsProps {
  app: string;
  filters: Filters;
  shown: readonly Call[];
}

// Reasons and APIs are offered that occurred in the last week, or are in sight.
export function FilterFields({ app, filters, shown }: FieldsProps) {
  const { data: seen } = useData<Occurring>(`${appPath(app)}/usage?range=7d`);
  const { data: keys } = useData<Page<Key>>(`${appPath(app)}/keys`);
  const options: Record<Name, Option[]> = {
    status: STATUSES.map(asOption),
    reason: [
      { value: 'any', label: t('portal.filter.refused') },
      { value: 'none', label: t('portal.filter.served') },
      ...distinct([...(seen?.reasons ?? []).map(({ reason }) => reason), ...shown.map((call) => call.reason)]),
    ],
    key: (keys?.items ?? []).map((key) => ({ value: key.kid, label: `${key.name} (${key.kid})` })),
    api: distinct([...(seen?.apis ?? []).map(({ api }) => api), ...shown.map((call) => call.api)]),
    method: METHODS.map(asOption),
    since: Object.keys(SINCE).map((value) => ({ value, label: t(`portal.range.${value}` as 'portal.range.1h') })),
  };
  const labels: Record<Name, string> = {
    status: t('portal.call.status'),
    reason: t('portal.call.reason'),
    key: t('portal.key'),
    api: t('portal.filter.api'),
    method: t('portal.filter.method'),
    since: t('portal.filter.since'),
  };
  return (
    <>
      {NAMES.map((name) => (
        <Select
          key={name}
          name={name}
          label={labels[name]}
          value={filters.chosen[name] ?? ''}
          onChange={(value) => filters.choose(name, value)}
          options={withAll(options[name], filters.chosen[name])}
        />
      ))}
      {filters.query ? (
        <Button look="quiet" icon="close" onClick={filters.clear}>
          {t('portal.filter.clear')}
        </Button>
      ) : null}
    </>
  );
}
