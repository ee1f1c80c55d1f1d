// SPDX-License-Identifier: Apache-2.0
//
// Asks the server every two seconds and keeps what it said in signals. A server that does not answer is asked
// less and less often, at most every fifteen seconds; what it said last stays on the page, marked as old.
import { signal } from '@preact/signals';
import { type History, type Status, readStatus, remember } from './model.ts';

export const POLL_MS = 2000;
const TIMEOUT_MS = 5000;
const BACKOFF_MAX_MS = 15000;

export const status = signal<Status | null>(null);
export const history = signal<History>(new Map());
export const answeredAt = signal(0); // when the last good answer came, milliseconds since 1970
export const trouble = signal(''); // why the last question had none; empty where it had
export const paused = signal(false);
export const now = signal(Date.now());

let timer: ReturnType<typeof setTimeout> | undefined;
let failures = 0;

export const backoff = (misses: number): number => Math.min(POLL_MS * 2 ** Math.max(0, misses - 1), BACKOFF_MAX_MS);

async function ask(): Promise<void> {
  const response = await fetch('/api/v1/status', {
    headers: { accept: 'application/json' },
    cache: 'no-store',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const read = readStatus(await response.json());
  history.value = remember(history.value, read.rates);
  status.value = read;
  answeredAt.value = Date.now();
}

function explain(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  if (error instanceof SyntaxError) return 'the answer is not JSON';
  if (error instanceof TypeError) return 'no connection to the server';
  return error instanceof Error ? error.message : String(error);
}

async function turn(): Promise<void> {
  clearTimeout(timer);
  try {
    await ask();
    failures = 0;
    trouble.value = '';
  } catch (error) {
    failures++;
    trouble.value = explain(error);
  }
  now.value = Date.now();
  schedule();
}

function schedule(): void {
  clearTimeout(timer);
  if (!paused.value && !document.hidden) timer = setTimeout(turn, backoff(failures));
}

export const askNow = (): void => void turn();

export function setPaused(value: boolean): void {
  paused.value = value;
  if (value) clearTimeout(timer);
  else askNow();
}

// Begins to ask, and rests while nobody looks.
export function start(): void {
  document.addEventListener('visibilitychange', () => (document.hidden || paused.value ? schedule() : askNow()));
  askNow();
}
