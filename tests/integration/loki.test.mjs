// SPDX-License-Identifier: Apache-2.0
//
// Every completed call is one line in Loki, whatever Loki does meanwhile, and whatever becomes of the program.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

import { LokiReceiver } from './lib/loki-receiver.mjs';
import { Weir } from './lib/weir.mjs';
import { echo } from './lib/wire.mjs';

function answer({ target }) {
  const status = Number(/status=(\d+)/.exec(target)?.[1] ?? 200);
  return `HTTP/1.1 ${status} Told\r\nContent-Length: 2\r\n\r\nok`;
}

function config(up, loki, more = {}) {
  return {
    upstreams: { up: { targets: [up.url] } },
    apis: { users: { upstream: 'up', match: { paths: ['/users'] }, auth: 'none' } },
    analytics: { loki: { url: loki.url, batch_wait: '50ms', timeout: '1s', labels: { env: 'test' }, ...more } },
  };
}

async function setUp(t, more) {
  const loki = await LokiReceiver.start(t);
  const up = await echo(t, answer);
  return { loki, weir: await Weir.start(t, config(up, loki, more)) };
}

// Calls one after another; the request ids of the answers, which were all read to their end.
async function calls(weir, count, path = '/users') {
  const ids = [];
  for (let i = 0; i < count; i++) {
    const response = await fetch(`http://${weir.gateway.text}${path}`);
    await response.text();
    ids.push(response.headers.get('x-request-id'));
  }
  return ids;
}

// Each id is one line, and there are no others.
function linesAre(loki, ids) {
  assert.deepEqual(loki.faults, []);
  assert.deepEqual(loki.records().map((record) => record.request_id).sort(), [...ids].sort());
}

const has = (count) => (loki) => loki.lines.length >= count;

test('lines, rows and answers tell of the same calls', async (t) => {
  const { loki, weir } = await setUp(t, { tenant: 'team-a' });
  const ids = [
    ...await calls(weir, 5, '/users/7?a=1'), ...await calls(weir, 3, '/users?status=503'),
    ...await calls(weir, 2, '/nowhere'),
  ];
  await loki.when(has(10), 'ten lines');
  linesAre(loki, ids);
  const rows = await weir.requestsAre(10);
  assert.deepEqual(rows.map(({ id }) => id).sort(), [...ids].sort());
  for (const { stream, ts, line, tenant } of loki.lines) {
    const record = JSON.parse(line);
    const { api, ...others } = stream;
    assert.deepEqual(others, { job: 'weir', env: 'test', status_class: `${record.status}`.replace(/..$/, 'xx') });
    assert.equal(api ?? '', record.api);
    assert.equal(tenant, 'team-a');
    const [, seconds, fraction] = /^(.*)\.(\d{6})Z$/.exec(record.time);
    assert.equal(ts, `${Date.parse(`${seconds}Z`) / 1000}${fraction}000`);
  }
  const first = loki.records().find(({ request_id: id }) => id === ids[0]);
  const row = rows.find(({ id }) => id === ids[0]);
  for (const field of ['api', 'route', 'method', 'path', 'query', 'status', 'duration_us', 'upstream', 'target']) {
    assert.equal(first[field], row[field], field);
  }
  await weir.metricIs('weir_sink_sent_records_total', { sink: 'loki' }, 10);
  await weir.metricIs('weir_sink_backlog_records', { sink: 'loki' }, 0);
});

test('a Loki that refuses, stalls, dies and comes back has every line once', async (t) => {
  const { loki, weir } = await setUp(t);
  const ids = await calls(weir, 5);
  await loki.when(has(5), 'the first lines');
  for (const behavior of [{ answer: 429, retryAfter: 1 }, { answer: 500 }, { stall: true }]) {
    loki.behave(behavior);
    const before = loki.pushes;
    ids.push(...await calls(weir, 5)); // which are answered all the same
    await loki.when(() => loki.pushes > before, `a push for ${JSON.stringify(behavior)}`);
    loki.behave({});
    await loki.when(has(ids.length), `the lines after ${JSON.stringify(behavior)}`);
  }
  await loki.die();
  ids.push(...await calls(weir, 20));
  await weir.metricIs('weir_sink_backlog_records', { sink: 'loki' }, 20);
  await loki.revive();
  await loki.when(has(ids.length), 'the lines after it was back');
  linesAre(loki, ids);
  assert.ok(await weir.metric('weir_sink_errors_total', { sink: 'loki' }) >= 3);
  assert.equal(await weir.metric('weir_sink_dropped_records_total', { sink: 'loki' }), 0);
});

test('kill -9 loses no line and makes none twice', async (t) => {
  const { loki, weir } = await setUp(t);
  const ids = [];
  for (let round = 0; round < 4; round++) {
    // killed with lines on their way, then with lines that nobody takes
    loki.behave(round % 2 === 0 ? {} : { stall: true });
    ids.push(...await calls(weir, 10));
    await weir.kill9();
    await weir.start();
  }
  loki.behave({});
  await loki.when(has(ids.length), 'all lines');
  ids.push(...await calls(weir, 1)); // a line behind all that could still come twice
  await loki.when(has(ids.length), 'the last line');
  linesAre(loki, ids);
});

test('a line that Loki will not have costs no other', async (t) => {
  const { loki, weir } = await setUp(t);
  loki.behave({ refuseLines: 'poison' });
  const good = await calls(weir, 10);
  await calls(weir, 1, '/users/poison');
  good.push(...await calls(weir, 10));
  await weir.metricIs('weir_sink_dropped_records_total', { sink: 'loki', reason: 'rejected' }, 1);
  await weir.metricIs('weir_sink_sent_records_total', { sink: 'loki' }, 20);
  linesAre(loki, good);
});

test('a push that is too large is split', async (t) => {
  const { loki, weir } = await setUp(t);
  await loki.die();
  const ids = await calls(weir, 50);
  loki.behave({ maxLines: 7 });
  await loki.revive();
  await loki.when(has(50), 'all lines');
  linesAre(loki, ids);
});

test('what was answered before SIGTERM is sent before the end', async (t) => {
  const { loki, weir } = await setUp(t, { batch_wait: '5m' });
  const ids = await calls(weir, 20);
  assert.deepEqual(await weir.stop(), { code: 0, signal: null });
  linesAre(loki, ids);
});

test('a Loki that stalls does not hold up the end', async (t) => {
  const { loki, weir } = await setUp(t, { timeout: '5m' });
  loki.behave({ stall: true });
  await calls(weir, 5);
  await loki.when(() => loki.pushes > 0, 'a push');
  assert.deepEqual(await weir.stop(), { code: 0, signal: null });
});

test('/metrics is what promtool and Prometheus read', async (t) => {
  const { loki, weir } = await setUp(t);
  await calls(weir, 3);
  await loki.when(has(3), 'three lines');
  const { headers, body } = await weir.ask('/metrics');
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const ran = spawnSync('promtool', ['check', 'metrics'], { encoding: 'utf8', input: body });
  assert.equal(ran.status, 0, `${ran.error ?? ''}${ran.stdout}${ran.stderr}`);
  const open = await weir.ask('/metrics', { Accept: 'application/openmetrics-text; version=1.0.0' });
  assert.equal(open.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  assert.ok(open.body.endsWith('\n# EOF\n'));
});
