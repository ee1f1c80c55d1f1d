// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './bundle.mjs';

const { HISTORY_LENGTH, judge, judgeApi, readStatus, remember, totals } = await load('status/model.ts');

const api = (name, requests, errors = 0, p99 = 1) => ({
  api: name,
  requests_per_s: requests,
  errors_per_s: errors,
  refused_per_s: 0,
  p50_ms: 1,
  p99_ms: p99,
});

test('an answer that lacks fields is read as empty, one that is no object is an error', () => {
  const empty = readStatus({});
  assert.equal(empty.version, '');
  assert.deepEqual(empty.rates, []);
  assert.equal(empty.config.error, '');
  for (const wrong of [null, 7, 'x', []]) assert.throws(() => readStatus(wrong), /not a status object/);
});

test('values of a wrong type do not reach the page', () => {
  const read = readStatus({
    uptime_s: 'long',
    listeners: [null, { name: 7, connections: NaN }],
    health: [{ check: 'Store', ok: 'yes' }],
    rates: { api: 'x' },
  });
  assert.equal(read.uptime_s, 0);
  assert.deepEqual(read.listeners, [{ name: '', address: '', connections: 0 }]);
  assert.equal(read.health[0].ok, false);
  assert.deepEqual(read.rates, []);
});

test('the verdict names failed checks first, then a configuration that was not taken', () => {
  const of = (checks, error = '') => judge(readStatus({ health: checks.map((ok) => ({ ok })), config: { error } }));
  assert.deepEqual(of([true, true]), { tone: 'good', words: 'All checks pass' });
  assert.equal(of([true, false], 'line 3').words, '1 check fails');
  assert.equal(of([false, false]).words, '2 checks fail');
  assert.equal(of([true], 'line 3').tone, 'warn');
});

test('an API is idle, healthy, erring or failing by its share of server errors', () => {
  assert.equal(judgeApi(api('a', 0)).words, 'Idle');
  assert.equal(judgeApi(api('a', 10)).words, 'Healthy');
  assert.equal(judgeApi(api('a', 100, 4.9)).words, 'Some errors');
  assert.equal(judgeApi(api('a', 100, 5)).words, 'Failing');
});

test('totals add up, and the slowest API is one that has traffic', () => {
  const sum = totals([api('a', 10, 1, 50), api('idle', 0, 0, 900), api('b', 5, 0, 70)]);
  assert.equal(sum.requests_per_s, 15);
  assert.equal(sum.errors_per_s, 1);
  assert.equal(sum.slowest.api, 'b');
  assert.equal(totals([]).slowest, undefined);
});

test('history keeps the newest values and forgets an API that is gone', () => {
  let history = new Map();
  for (let i = 0; i < HISTORY_LENGTH + 5; i++) history = remember(history, [api('a', i), api('b', 1)]);
  assert.equal(history.get('a').length, HISTORY_LENGTH);
  assert.equal(history.get('a').at(-1), HISTORY_LENGTH + 4);
  history = remember(history, [api('a', 1)]);
  assert.deepEqual([...history.keys()], ['a']);
});
