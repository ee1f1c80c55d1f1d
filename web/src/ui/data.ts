// SPDX-License-Identifier: Apache-2.0
//
// The server's data: what came with the page (`boot`), what is asked for later, what is sent. Paths are those of
// the JSON API from /api/v1 on, and the name of what is kept: two parts of a page that ask for the same path
// share one answer.
import { type Signal, signal } from '@preact/signals';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Person {
  id: string;
  email: string;
  name: string;
  locale: string;
  time_zone: string;
  operator: boolean;
}

export interface Site {
  title: string;
  tagline: string;
  logo: boolean;
  registration: 'open' | 'invite' | 'closed';
  mail: boolean;
  gateway_url: string;
  portal_url: string;
  languages: string[];
}

export interface Session {
  signed_in: boolean;
  person: Person | null;
  csrf: string;
  locale: string;
  site: Site;
}

// A failure as the server tells it (RFC 9457), or one that never reached it (status 0).
export interface Problem {
  status: number;
  title: string;
  detail: string;
  errors: readonly { field: string; code: string; detail: string }[];
  body: Record<string, unknown>;
}

export type Answer<T> = { ok: true; data: T } | { ok: false; problem: Problem };

interface Kept<T> {
  data: T | undefined;
  problem: Problem | undefined;
  asking: boolean;
}

interface Entry {
  state: Signal<Kept<unknown>>;
  fresh: boolean; // came with the page and was not shown yet
  asked: Promise<void> | undefined;
  users: number;
}

const nowhere: Site = {
  title: 'Weir',
  tagline: '',
  logo: false,
  registration: 'closed',
  mail: false,
  gateway_url: '',
  portal_url: '',
  languages: ['en', 'tr'],
};

export const session = signal<Session>({ signed_in: false, person: null, csrf: '', locale: '', site: nowhere });

const entries = new Map<string, Entry>();

function entryOf(path: string): Entry {
  let entry = entries.get(path);
  if (!entry) {
    entry = { state: signal({ data: undefined, problem: undefined, asking: false }), fresh: false, asked: undefined, users: 0 };
    entries.set(path, entry);
  }
  return entry;
}

// Takes in what the page was sent with.
export function boot(text: string | null | undefined): void {
  const read = JSON.parse(text || '{}') as { session?: Session; data?: Record<string, unknown> };
  if (read.session) session.value = read.session;
  for (const [path, data] of Object.entries(read.data ?? {})) {
    const entry = entryOf(path);
    entry.state.value = { data, problem: undefined, asking: false };
    entry.fresh = true;
  }
}

// --- asking ---

const TIMEOUT_MS = 20_000;

async function readProblem(response: Response): Promise<Problem> {
  let body: Record<string, unknown> = {};
  try {
    body = (await response.json()) as Record<string, unknown>;
  } catch {
    // a failure of something between us and the server need not be JSON
  }
  const text = (key: string): string => (typeof body[key] === 'string' ? body[key] : '');
  const errors = Array.isArray(body['errors']) ? (body['errors'] as Problem['errors']) : [];
  return { status: response.status, title: text('title'), detail: text('detail'), errors, body };
}

export function signIn(): void {
  const back = location.pathname + location.search;
  location.assign(`/sign-in?return=${encodeURIComponent(back)}`);
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET') headers['x-csrf-token'] = session.value.csrf;
  if (body !== undefined) headers['content-type'] = 'application/json';
  try {
    const response = await fetch(path, {
      method,
      headers,
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.status === 401 && session.value.signed_in) signIn();
    if (!response.ok) return { ok: false, problem: await readProblem(response) };
    const empty = response.status === 204 || response.headers.get('content-length') === '0';
    return { ok: true, data: (empty ? undefined : await response.json()) as T };
  } catch {
    return { ok: false, problem: { status: 0, title: '', detail: '', errors: [], body: {} } };
  }
}

// Sends a change. Nothing is shown as done before the server said so.
export const send = <T = unknown>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown) =>
  ask<T>(method, path, body);

export const get = <T>(path: string): Promise<Answer<T>> => ask<T>('GET', path);

function load(path: string): Promise<void> {
  const entry = entryOf(path);
  entry.asked ??= (async () => {
    entry.state.value = { ...entry.state.value, asking: true };
    const answer = await get(path);
    entry.asked = undefined;
    // what was there stays there: old data and the reason that there are no newer ones
    entry.state.value = answer.ok
      ? { data: answer.data, problem: undefined, asking: false }
      : { data: entry.state.value.data, problem: answer.problem, asking: false };
  })();
  return entry.asked;
}

// What has changed on the server: paths that begin like this are asked for again, at once where they are shown.
export function outdated(prefix: string): void {
  for (const [path, entry] of entries) {
    if (!path.startsWith(prefix)) continue;
    entry.fresh = false;
    if (entry.users > 0) void load(path);
    else entries.delete(path);
  }
}

// What the server is known to say of a path from now on: the answer of a change.
export function put(path: string, data: unknown): void {
  entryOf(path).state.value = { data, problem: undefined, asking: false };
}

export interface Shown<T> {
  data: T | undefined;
  problem: Problem | undefined;
  asking: boolean;
  refresh: () => Promise<void>;
}

// The answer of GET `path`, from the page where it came along; what is known already is shown while it is asked
// for again. An empty path asks nothing.
export function useData<T>(path: string): Shown<T> {
  const entry = entryOf(path);
  const refresh = useCallback(() => load(path), [path]);
  useEffect(() => {
    if (!path) return undefined;
    entry.users++;
    if (!entry.fresh) void load(path);
    entry.fresh = false;
    return () => void entry.users--;
  }, [path]);
  const { data, problem, asking } = entry.state.value as Kept<T>;
  return { data, problem, asking, refresh };
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface List<T> extends Shown<T[]> {
  more: (() => Promise<void>) | undefined; // undefined where nothing is left
  moreProblem: Problem | undefined;
}

// A list that is read a page at a time.
export function useList<T>(path: string): List<T> {
  const first = useData<Page<T>>(path);
  const [rest, setRest] = useState<{ of: unknown; items: T[]; next: string | null; problem?: Problem }>();
  const mine = rest && rest.of === first.data ? rest : undefined; // a new first page begins anew
  const next = mine ? mine.next : (first.data?.next ?? null);
  const more = async (): Promise<void> => {
    const sign = path.includes('?') ? '&' : '?';
    const answer = await get<Page<T>>(`${path}${sign}after=${encodeURIComponent(next ?? '')}`);
    const before = mine?.items ?? [];
    if (answer.ok) setRest({ of: first.data, items: [...before, ...answer.data.items], next: answer.data.next });
    else setRest({ of: first.data, items: before, next, problem: answer.problem });
  };
  return {
    ...first,
    data: first.data ? [...first.data.items, ...(mine?.items ?? [])] : undefined,
    more: next ? more : undefined,
    moreProblem: mine?.problem,
  };
}

// Calls `turn` every `ms` milliseconds while the page is looked at; `ms` 0 rests.
export function usePoll(turn: () => unknown, ms: number): void {
  useEffect(() => {
    if (ms <= 0) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const again = async (): Promise<void> => {
      clearTimeout(timer);
      if (over || document.hidden) return;
      await turn();
      if (!over && !document.hidden) timer = setTimeout(again, ms);
    };
    timer = setTimeout(again, ms);
    document.addEventListener('visibilitychange', again);
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', again);
    };
  }, [turn, ms]);
}

export interface Action<A extends unknown[]> {
  run: (...args: A) => Promise<void>;
  busy: boolean;
  problem: Problem | undefined;
  clear: () => void;
}

// Something that is done at the push of a button: not twice at a time, and what went wrong is kept to be shown.
// `act` returns the answer, or nothing where it is content.
export function useAction<A extends unknown[]>(act: (...args: A) => Promise<Answer<unknown> | undefined>): Action<A> {
  const [state, setState] = useState<{ busy: boolean; problem: Problem | undefined }>({ busy: false, problem: undefined });
  const running = useRef(false); // known at once, also to a second click before the next drawing
  const run = async (...args: A): Promise<void> => {
    if (running.current) return;
    running.current = true;
    setState({ busy: true, problem: undefined });
    const answer = await act(...args).finally(() => (running.current = false));
    setState({ busy: false, problem: answer && !answer.ok ? answer.problem : undefined });
  };
  return { run, ...state, clear: () => setState({ busy: false, problem: undefined }) };
}
