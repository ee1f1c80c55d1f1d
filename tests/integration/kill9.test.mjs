// SPDX-License-Identifier: Apache-2.0
//
// Load, kill -9 at a random moment, start again, thirty times: of every call that was answered completely there is one
// record, of any other at most one, and rows, roll-ups, usage, quotas and /metrics tell the same numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { dayFiles, sqlite, until, Weir } from './lib/weir.mjs';
import { echo, Wire } from './lib/wire.mjs';

const KILLS = Number(process.env.KILLS ?? 30);
const CLIENTS = 16;
const KEY = '0123456789abcdef';

const LARGE = 'x'.repeat(100_000); // its last bytes go out when its record is in
const CHUNKED = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'6\r\nhello \r\n'.repeat(50)}0\r\n\r\n`;

const config = (o) => ({
  upstreams: { o: { targets: [o.url] } },
  apis: {
    users: { upstream: 'o', match: { paths: ['/users'] } },
    open: { upstream: 'o', auth: 'none', match: { paths: ['/open'] } },
  },
  plans: { free: { apis: ['users'], quota: [{ requests: 1_000_000_000, per: 'month' }, { requests: 1_000_000_000, per: 'week' }] } },
  apps: { acme: { plan: 'free', keys: { ci: KEY } } },
});

function reply(request) {
  if (request.target.endsWith('/large')) return LARGE;
  if (request.target.endsWith('/chunked')) return CHUNKED;
  if (request.target.endsWith('/fails')) return 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops';
  if (request.target.endsWith('/slow')) return new Promise((resolve) => setTimeout(resolve, 20, 'slow'));
  return 'ok';
}

const PATHS = ['/users/7', '/users/large', '/users/chunked', '/users/fails', '/users/slow', '/users/8', '/open/7',
  '/open/large', '/nowhere', '/users/bad-key'];

// Calls until the connection dies. What was answered completely goes into `answered`: id -> {path, status}.
async function client(w, number, answered, counts) {
  const wire = await Wire.connect(w.gateway).catch(() => null);
  for (let i = number; wire !== null; i++) {
    const path = PATHS[i % PATHS.length];
    const key = path === '/users/bad-key' ? 'no-such-key-here' : KEY;
    wire.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\n\r\n`);
    counts.sent++;
    let answer;
    try {
      answer = await wire.answer();
    } catch {
      return wire.close();
    }
    const id = answer.get('X-Request-Id');
    assert.ok(!answered.has(id), `the id ${id} was given twice`);
    answered.set(id, { path, status: answer.status });
  }
}

const sum = (rows) => rows.reduce((n, row) => n + row.n, 0);

// The rows of a roll-up by labels, as "api status reason" -> number.
const byLabels = (rows) => Object.fromEntries(rows.map(({ n, ...labels }) => [Object.values(labels).join(' '), n]).sort());

test(`${KILLS} kills under load lose and double no record of an answered call`, { timeout: 900_000 }, async (t) => {
  const o = await echo(t, reply);
  const w = await Weir.start(t, config(o));
  const answered = new Map();
  const counts = { sent: 0 };
  for (let kill = 0; kill < KILLS; kill++) {
    const before = answered.size;
    const clients = Array.from({ length: CLIENTS }, (_, n) => client(w, n, answered, counts));
    await until(() => answered.size > before, 'a first answer');
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 600)); // any moment will do
    await w.kill9();
    await Promise.all(clients);
    await w.start();
  }
  t.diagnostic(`${counts.sent} calls were sent, ${answered.size} answered completely`);

  // all is in the store when the journal was read, which is before it serves
  await w.metricIs('weir_journal_backlog_records', {}, 0);
  const rows = w.requests('id, path, status, api, reason, app, metered');
  const stored = new Map(rows.map((row) => [row.id, row]));
  assert.equal(stored.size, rows.length, 'no request id may be there twice');
  assert.ok(rows.length >= answered.size && rows.length <= counts.sent,
    `${answered.size} answered <= ${rows.length} stored <= ${counts.sent} sent`);
  for (const [id, { path, status }] of answered) {
    const row = stored.get(id);
    assert.ok(row, `${id} was answered ${status} and is not stored`);
    assert.deepEqual([row.path, row.status], [path, status]);
  }
  for (const row of rows) {
    const called = ['/users/7', '/users/8', '/users/large', '/users/chunked', '/users/fails', '/users/slow'].includes(row.path);
    assert.equal(row.metered === 1, called, `${row.path} ${row.status}`);
  }

  // and the numbers are the same wherever one looks
  const group = {};
  for (const row of rows) {
    const label = `${row.api} ${row.status} ${row.reason}`;
    group[label] = (group[label] ?? 0) + 1;
  }
  const expected = Object.fromEntries(Object.entries(group).sort());
  for (const unit of ['minute', 'hour', 'day']) {
    const traffic = w.totals(`SELECT api, status, reason, sum(requests) AS n FROM traffic_${unit} JOIN traffic_series
      ON id = series GROUP BY api, status, reason`);
    assert.deepEqual(byLabels(traffic), expected, `traffic_${unit}`);
  }
  const metrics = await w.metrics();
  const cells = {};
  for (const s of metrics.filter((m) => m.name === 'weir_requests_total')) {
    const label = `${s.labels.api} ${s.labels.code} ${s.labels.reason}`;
    cells[label] = (cells[label] ?? 0) + s.value;
  }
  assert.deepEqual(Object.fromEntries(Object.entries(cells).sort()), expected, 'weir_requests_total');
  const metered = rows.filter((row) => row.metered === 1).length;
  for (const unit of ['minute', 'hour', 'day'])
    assert.equal(sum(w.totals(`SELECT sum(requests) AS n FROM usage_${unit}`)), metered, `usage_${unit}`);
  assert.equal(await w.metric('weir_app_requests_total', { app: 'acme' }), metered);
  assert.equal(await w.metric('weir_request_duration_seconds_count'), rows.length);
  assert.equal(await w.metric('weir_journal_records_total'), rows.length);
  for (const limit of ['month', 'week'])
    assert.equal(sum(w.totals(`SELECT sum(used) AS n FROM quota_usage WHERE limit_name = '${limit}'`)), metered, limit);
  assert.ok(!/torn|corrupt|could not be read/i.test(w.log), w.log);
  assert.equal((await w.stop()).code, 0);
  for (const file of dayFiles(w.data)) assert.equal(sqlite(file, 'PRAGMA integrity_check')[0].integrity_check, 'ok');
});
