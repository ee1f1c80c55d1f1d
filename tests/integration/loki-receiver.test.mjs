// SPDX-License-Identifier: Apache-2.0
//
// The receiver that other tests rely on: as strict as said, and disobedient as told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LokiReceiver } from './lib/loki-receiver.mjs';

const STREAM = { job: 'weir', status_class: '2xx' };

function push(loki, content, { headers = {}, gzip = true } = {}) {
  const text = typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content);
  return fetch(`${loki.url}/loki/api/v1/push`, {
    method: 'POST', body: gzip ? gzipSync(text) : text,
    headers: { 'Content-Type': 'application/json', ...(gzip && { 'Content-Encoding': 'gzip' }), ...headers },
  });
}

const lines = (...values) => ({ streams: [{ stream: STREAM, values }] });

test('lines are taken once, whatever the order of labels', async (t) => {
  const loki = await LokiReceiver.start(t);
  const turned = { status_class: '2xx', job: 'weir' };
  assert.equal((await push(loki, lines(['1', 'a'], ['1', 'b'], ['2', 'a']))).status, 204);
  assert.equal((await push(loki, { streams: [{ stream: turned, values: [['1', 'a'], ['3', 'a']] }] })).status, 204);
  assert.equal((await push(loki, lines(['1', 'a']), { gzip: false })).status, 204);
  assert.deepEqual(loki.lines.map(({ ts, line }) => ts + line), ['1a', '1b', '2a', '3a']);
  assert.deepEqual(loki.stats(), { lines: 4, repeats: 2, pushes: 3, refused: 0 });
  // another stream, or another tenant, is another line
  await push(loki, { streams: [{ stream: { ...STREAM, api: 'users' }, values: [['1', 'a']] }] });
  await push(loki, lines(['1', 'a']), { headers: { 'X-Scope-OrgID': 'team' } });
  assert.equal(loki.lines.length, 6);
  assert.equal(loki.lines[5].tenant, 'team');
  const told = await (await fetch(`${loki.url}/lines`)).text();
  assert.deepEqual(told.trim().split('\n').map((line) => JSON.parse(line)), loki.lines);
});

test('what Loki would not read is refused', async (t) => {
  const loki = await LokiReceiver.start(t);
  const stream = (labels) => ({ streams: [{ stream: labels, values: [['1', 'a']] }] });
  const cases = [
    ['no JSON', '{'], ['not UTF-8', Buffer.from(JSON.stringify(lines(['1', '\xff'])), 'latin1')],
    ['no streams', {}], ['empty streams', { streams: [] }], ['no labels', stream({})],
    ['a label without a name', stream({ '': 'x' })], ['a label with a dash', stream({ 'a-b': 'x' })],
    ['a label that begins with a digit', stream({ '1a': 'x' })], ['an empty value', stream({ a: '' })],
    ['a number as a value', stream({ a: 1 })],
    ['too many labels', stream(Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`l${i}`, 'x'])))],
    ['no values', { streams: [{ stream: STREAM, values: [] }] }], ['time as a number', lines([1, 'a'])],
    ['time with a fraction', lines(['1.5', 'a'])], ['time below zero', lines(['-1', 'a'])],
    ['a line that is no string', lines(['1', { a: 1 }])], ['three items', lines(['1', 'a', {}])],
    ['a line too long', lines(['1', 'x'.repeat(256 * 1024 + 1)])],
    ['lines out of order', lines(['2', 'a'], ['1', 'b'])],
  ];
  for (const [what, content] of cases) assert.equal((await push(loki, content)).status, 400, what);
  assert.equal((await push(loki, lines(['1', 'a']), { headers: { 'Content-Type': 'text/plain' } })).status, 415);
  const plain = await push(loki, 'plain', { gzip: false, headers: { 'Content-Encoding': 'gzip' } });
  assert.equal(plain.status, 400);
  assert.equal((await fetch(`${loki.url}/loki/api/v1/push`)).status, 404);
  assert.equal(loki.lines.length, 0);
  assert.equal(loki.faults.length, cases.length + 2);
});

test('it refuses as told, and only as often', async (t) => {
  const loki = await LokiReceiver.start(t);
  loki.behave({ answer: 429, retryAfter: 7, times: 2 });
  for (let i = 0; i < 2; i++) {
    const answer = await push(loki, lines(['1', 'a']));
    assert.equal(answer.status, 429);
    assert.equal(answer.headers.get('retry-after'), '7');
  }
  assert.equal((await push(loki, lines(['1', 'a']))).status, 204);
  await fetch(`${loki.url}/behave`, { method: 'POST', body: JSON.stringify({ answer: 500 }) });
  assert.equal((await push(loki, lines(['2', 'a']))).status, 500);
  loki.behave({});
  assert.equal((await push(loki, lines(['2', 'a']))).status, 204);
  assert.equal(loki.faults.length, 0);
});

test('a bad line is refused and its neighbours are taken', async (t) => {
  const loki = await LokiReceiver.start(t);
  loki.behave({ refuseLines: 'poison' });
  assert.equal((await push(loki, lines(['1', 'a'], ['2', 'poison'], ['3', 'c']))).status, 400);
  assert.deepEqual(loki.lines.map(({ line }) => line), ['a', 'c']);
  loki.behave({ maxLines: 1 });
  assert.equal((await push(loki, lines(['1', 'd'], ['2', 'e']))).status, 413);
  assert.equal((await push(loki, lines(['1', 'd']))).status, 204);
});

test('it stalls until it behaves', async (t) => {
  const loki = await LokiReceiver.start(t);
  loki.behave({ stall: true });
  const stalled = push(loki, lines(['1', 'a']));
  stalled.catch(() => {}); // looked at below
  await loki.when(() => loki.pushes === 1, 'the push');
  loki.behave({});
  await assert.rejects(stalled);
  assert.equal((await push(loki, lines(['1', 'a']))).status, 204);
});

test('it dies and comes back on its port with what it had', async (t) => {
  const loki = await LokiReceiver.start(t);
  const { url } = loki;
  await push(loki, lines(['1', 'a']));
  await loki.die();
  await assert.rejects(push(loki, lines(['2', 'b'])));
  const back = loki.when(() => loki.lines.length === 2, 'the second line');
  await loki.revive();
  assert.equal(loki.url, url);
  await push(loki, lines(['1', 'a'], ['2', 'b']));
  await back;
  assert.deepEqual(loki.stats(), { lines: 2, repeats: 1, pushes: 2, refused: 0 });
});
