// SPDX-License-Identifier: Apache-2.0
//
// What GET /api/v1/status answers, and what the page concludes from it. Nothing here touches the page.
import type { Tone } from '../ui/tone.ts';

export interface Listener {
  name: string; // gateway, portal, admin, metrics
  address: string; // 127.0.0.1:8080
  connections: number; // open at this moment
}

export interface Check {
  check: string; // journal, store, config, upstream users ...
  ok: boolean;
  detail: string; // one sentence for a person; may be empty where ok
}

export interface Config {
  file: string;
  loaded_at: string; // RFC 3339, of the configuration in force
  apis: number;
  routes: number;
  error: string; // why a newer file was not taken; empty where none waits
}

export interface Rate {
  api: string;
  requests_per_s: number; // all answers, refusals included
  errors_per_s: number; // answers of 500 and above
  refused_per_s: number; // answers of Weir itself, 4xx
  p50_ms: number;
  p99_ms: number;
}

export interface Journal {
  backlog: number; // records not yet in the store
  records_total: number;
}

export interface Sink {
  name: string;
  backlog: number; // records still to be sent
  sent: number;
  errors: number;
}

export interface Store {
  name: string; // control, totals, requests
  bytes: number;
}

export interface Status {
  version: string;
  uptime_s: number;
  listeners: Listener[];
  health: Check[];
  config: Config;
  rates: Rate[];
  journal: Journal;
  sinks: Sink[];
  stores: Store[];
}

type Raw = Record<string, unknown>;

const isObject = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (raw: Raw, key: string): string => (typeof raw[key] === 'string' ? raw[key] : '');
const number = (raw: Raw, key: string): number => {
  const value = raw[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
};
const object = (raw: Raw, key: string): Raw => (isObject(raw[key]) ? raw[key] : {});
const rows = <T>(raw: Raw, key: string, read: (row: Raw) => T): T[] => {
  const value = raw[key];
  return Array.isArray(value) ? value.filter(isObject).map(read) : [];
};

// Reads an answer. What is missing is empty or zero, so that an older or newer server still shows what it
// has; what is not an object at all is an error.
export function readStatus(value: unknown): Status {
  if (!isObject(value)) throw new Error('the answer is not a status object');
  const config = object(value, 'config');
  const journal = object(value, 'journal');
  return {
    version: text(value, 'version'),
    uptime_s: number(value, 'uptime_s'),
    listeners: rows(value, 'listeners', (r) => ({
      name: text(r, 'name'),
      address: text(r, 'address'),
      connections: number(r, 'connections'),
    })),
    health: rows(value, 'health', (r) => ({ check: text(r, 'check'), ok: r['ok'] === true, detail: text(r, 'detail') })),
    config: {
      file: text(config, 'file'),
      loaded_at: text(config, 'loaded_at'),
      apis: number(config, 'apis'),
      routes: number(config, 'routes'),
      error: text(config, 'error'),
    },
    rates: rows(value, 'rates', (r) => ({
      api: text(r, 'api'),
      requests_per_s: number(r, 'requests_per_s'),
      errors_per_s: number(r, 'errors_per_s'),
      refused_per_s: number(r, 'refused_per_s'),
      p50_ms: number(r, 'p50_ms'),
      p99_ms: number(r, 'p99_ms'),
    })),
    journal: { backlog: number(journal, 'backlog'), records_total: number(journal, 'records_total') },
    sinks: rows(value, 'sinks', (r) => ({
      name: text(r, 'name'),
      backlog: number(r, 'backlog'),
      sent: number(r, 'sent'),
      errors: number(r, 'errors'),
    })),
    stores: rows(value, 'stores', (r) => ({ name: text(r, 'name'), bytes: number(r, 'bytes') })),
  };
}

export interface Totals {
  requests_per_s: number;
  errors_per_s: number;
  refused_per_s: number;
  slowest: Rate | undefined; // the API with the highest p99 among those that have traffic
}

export function totals(rates: readonly Rate[]): Totals {
  const sum = (pick: (rate: Rate) => number): number => rates.reduce((all, rate) => all + pick(rate), 0);
  const busy = rates.filter((rate) => rate.requests_per_s > 0);
  return {
    requests_per_s: sum((r) => r.requests_per_s),
    errors_per_s: sum((r) => r.errors_per_s),
    refused_per_s: sum((r) => r.refused_per_s),
    slowest: busy.reduce<Rate | undefined>((worst, r) => (worst && worst.p99_ms >= r.p99_ms ? worst : r), undefined),
  };
}

export interface Verdict {
  tone: Tone;
  words: string;
}

// An API is failing where one call in twenty ends in a server error, and erring below that.
const FAILING_SHARE = 0.05;

export function judgeApi(rate: Rate): Verdict {
  if (rate.requests_per_s <= 0) return { tone: 'quiet', words: 'Idle' };
  if (rate.errors_per_s <= 0) return { tone: 'good', words: 'Healthy' };
  return rate.errors_per_s / rate.requests_per_s >= FAILING_SHARE
    ? { tone: 'bad', words: 'Failing' }
    : { tone: 'warn', words: 'Some errors' };
}

export function judge(status: Status): Verdict {
  const failed = status.health.filter((check) => !check.ok).length;
  if (failed > 0) return { tone: 'bad', words: failed === 1 ? '1 check fails' : `${failed} checks fail` };
  if (status.config.error !== '') return { tone: 'warn', words: 'A changed configuration was not taken' };
  return { tone: 'good', words: 'All checks pass' };
}

// The last values of each API, oldest first; an API that is gone is forgotten.
export type History = ReadonlyMap<string, readonly number[]>;
export const HISTORY_LENGTH = 90;

export function remember(history: History, rates: readonly Rate[]): History {
  return new Map(
    rates.map((rate) => [rate.api, [...(history.get(rate.api) ?? []), rate.requests_per_s].slice(-HISTORY_LENGTH)]),
  );
}
