// SPDX-License-Identifier: Apache-2.0
//
// /metrics tells what the rows tell, goes on over restarts, is bounded, and is never more than a moment behind.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

import { parseMetrics, until, Weir } from './lib/weir.mjs';
import { call, echo, origin, Wire } from './lib/wire.mjs';

const KEY = '0123456789abcdef';

const config = (o, more = {}) => ({
  upstreams: { o: { targets: [o.url] } },
  apis: {
    users: { upstream: 'o', match: { paths: ['/users'] }, routes: { search: { match: { paths: ['/users/search'] } } } },
    open: { upstream: 'o', auth: 'none', match: { paths: ['/open'] } },
  },
  plans: { free: { apis: ['users'], quota: { requests: 10, per: 'month' } } },
  apps: { acme: { plan: 'free', keys: { ci: KEY } } },
  ...more,
});

const get = (path, key, method = 'GET') => `${method} ${path} HTTP/1.1\r\nHost: a\r\n${key ? `X-API-Key: ${key}\r\n` : ''}\r\n`;

// A call of each kind.
async function traffic(w) {
  const wire = await Wire.connect(w.gateway);
  for (const [path, key, method] of [
    ['/users/1', KEY], ['/users/1', KEY], ['/users/search', KEY], ['/users/1', KEY, 'DELETE'], ['/users/large', KEY],
    ['/users/fails', KEY], ['/users/1'], ['/users/1', 'no-such-key-at-all'], ['/open/1'], ['/open/1', undefined, 'PURGE'],
    ['/open/1', undefined, 'HEAD'], ['/nowhere'], ['/users/%zz'],
  ]) {
    if (wire.ended) break;
    wire.send(get(path, key, method));
    await wire.answer({ method });
  }
  wire.close();
}

// What the rows say the counters must be: "name label=value ..." -> number.
function fromRows(rows) {
  const sums = {};
  const add = (name, labels, n = 1) => {
    const key = `${name} ${Object.values(labels).join('|')}`;
    sums[key] = (sums[key] ?? 0) + n;
  };
  for (const r of rows) {
    const labels = { api: r.api, route: r.route };
    add('weir_requests_total', { ...labels, method: r.method, code: r.status, reason: r.reason });
    add('weir_request_duration_seconds_count', labels);
    add('weir_gateway_duration_seconds_count', { api: r.api });
    add('weir_request_bytes_total', { api: r.api }, r.bytes_in);
    add('weir_response_bytes_total', { api: r.api }, r.bytes_out);
    if (r.upstream !== '') add('weir_upstream_duration_seconds_count', { api: r.api, upstream: r.upstream });
    if (r.metered === 1) add('weir_app_requests_total', { app: r.app, plan: r.plan, api: r.api });
  }
  return sums;
}

function fromMetrics(samples, names) {
  const sums = {};
  for (const { name, labels, value } of samples)
    if (names.has(name)) sums[`${name} ${Object.values(labels).join('|')}`] = value;
  return sums;
}

async function agree(w, count) {
  const rows = await w.requestsAre(count);
  await w.metricIs('weir_journal_records_total', {}, count);
  const expected = fromRows(rows);
  const names = new Set(Object.keys(expected).map((key) => key.split(' ')[0]));
  assert.deepEqual(fromMetrics(await w.metrics(), names), expected);
  return rows;
}

const reply = ({ target }) => (target.endsWith('/large') ? 'x'.repeat(50_000)
  : target.endsWith('/fails') ? 'HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n' : 'ok');

test('the counters are those of the rows, and go on over a stop and over kill -9', async (t) => {
  const o = await echo(t, (request) => (request.method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n' : reply(request)));
  const w = await Weir.start(t, config(o));
  await traffic(w);
  await agree(w, 13);
  assert.equal((await w.stop()).code, 0);
  await w.start();
  await agree(w, 13);
  await traffic(w);
  await agree(w, 26);
  await w.kill9();
  await w.start();
  await agree(w, 26);
  const samples = await w.metrics();
  for (const { name, labels, value } of samples) { // buckets grow, and the last one is the count
    if (!name.endsWith('_bucket') || labels.le !== '+Inf') continue;
    const series = samples.filter((s) => s.name === name && Object.entries(labels).every(([k, v]) => k === 'le' || s.labels[k] === v));
    const values = series.map((s) => s.value);
    assert.deepEqual(values, [...values].sort((a, b) => a - b), name);
    assert.equal(values.at(-1), value);
  }
});

test('what is going on now is told while it goes on', async (t) => {
  const o = await origin(t);
  const w = await Weir.start(t, config(o));
  const wires = [];
  for (let i = 0; i < 3; i++) {
    const wire = await Wire.connect(w.gateway);
    wire.send(get('/open'));
    wires.push(wire);
  }
  const idle = await Wire.connect(w.gateway);
  await w.metricIs('weir_requests_in_flight', { api: 'open' }, 3);
  await w.metricIs('weir_connections', { listener: 'gateway', state: 'active' }, 3);
  await w.metricIs('weir_connections', { listener: 'gateway', state: 'idle' }, 1);
  await w.metricIs('weir_connections_accepted_total', { listener: 'gateway' }, 4);
  await w.metricIs('weir_upstream_connects_total', { upstream: 'o' }, 3);
  await until(() => o.wires.length === 3 && o.wires.every((wire) => wire.in.includes('\r\n\r\n')), 'the requests at the origin');
  for (const wire of o.wires) wire.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  for (const wire of wires) assert.equal((await wire.answer()).status, 200);
  await w.metricIs('weir_requests_in_flight', { api: 'open' }, 0);
  await w.metricIs('weir_upstream_idle_connections', {}, 3);
  for (const wire of [...wires, idle]) wire.close();
  await w.metricIs('weir_connections', { listener: 'gateway' }, 0);
  for (const wire of o.wires) wire.close();
  await w.metricIs('weir_upstream_idle_connections', {}, 0);
});

test('a hostile client cannot make series without end', async (t) => {
  const o = await echo(t, ({ target }) => `HTTP/1.1 ${target.slice('/open/'.length)} X\r\nContent-Length: 0\r\n\r\n`);
  const w = await Weir.start(t, config(o, { analytics: { max_series: 100 } }));
  const wire = await Wire.connect(w.gateway);
  for (let i = 0; i < 50; i++) { // methods and hosts of their own
    wire.send(`M${i} /nowhere/${i} HTTP/1.1\r\nHost: h${i}.example\r\n\r\n`);
    assert.equal((await wire.answer()).status, 404);
  }
  await w.metricIs('weir_requests_total', { api: '', code: 404 }, 50);
  const unknown = (await w.metrics()).filter((s) => s.name === 'weir_requests_total');
  assert.equal(unknown.length, 1, 'unknown methods are one series');
  for (let status = 300; status < 500; status++) { // an origin with a status for every call
    if (status === 304) continue;
    wire.send(get(`/open/${status}`));
    assert.equal((await wire.answer()).status, status);
  }
  wire.close();
  await w.metricIs('weir_requests_total', {}, 249);
  const series = (await w.metrics()).filter((s) => s.name === 'weir_requests_total');
  assert.ok(series.length <= 102, `${series.length} series`);
  const other = series.filter((s) => Object.values(s.labels).includes('__other__'));
  assert.ok(other.reduce((n, s) => n + s.value, 0) >= 100, 'the rest is counted together');
});

test('both forms of the text are good, and tell the same', async (t) => {
  const o = await echo(t, reply);
  const w = await Weir.start(t, config(o));
  await traffic(w);
  await w.metricIs('weir_journal_records_total', {}, 13);
  const plain = await w.ask('/metrics');
  assert.match(plain.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: plain.body, encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
  const open = await w.ask('/metrics', { Accept: 'application/openmetrics-text; version=1.0.0' });
  assert.match(open.headers['content-type'], /^application\/openmetrics-text; version=1\.0\.0/);
  assert.ok(open.body.endsWith('# EOF\n'));
  const counters = (text) => parseMetrics(text).filter((s) => s.name === 'weir_requests_total')
    .map((s) => `${Object.values(s.labels).join(' ')} ${s.value}`);
  assert.deepEqual(counters(open.body), counters(plain.body));
  assert.equal((await w.metric('weir_build_info')), 1);
});

test('paths, keys and addresses are no labels', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  await call(w.gateway, get('/users/secret-path?token=secret-token', KEY));
  await call(w.gateway, get('/users/x', 'secret-wrong-key'));
  await w.metricIs('weir_requests_total', {}, 2);
  const { body } = await w.ask('/metrics');
  assert.doesNotMatch(body, /secret|127\.0\.0\.1"[^}]*client|0123456789abcdef/);
});
