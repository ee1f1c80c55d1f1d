// SPDX-License-Identifier: Apache-2.0
//
// A changed file takes force by SIGHUP and by itself, for the next request and not for the one under way; a faulty one
// changes nothing and says so.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { until, Weir, withDefaults } from './lib/weir.mjs';
import { call, echo, origin, Wire } from './lib/wire.mjs';

const KEY = '0123456789abcdef';
const NEXT_KEY = 'fedcba9876543210';

const get = (path, key) => `GET ${path} HTTP/1.1\r\nHost: a\r\n${key ? `X-API-Key: ${key}\r\n` : ''}\r\n`;
const status = async (w, path, key) => (await call(w.gateway, get(path, key))).status;

const config = (o, { apis = {}, keys = { ci: KEY }, ...more } = {}) => ({
  upstreams: { o: { targets: [o.url] } },
  apis: { open: { upstream: 'o', auth: 'none', match: { paths: ['/open'] } }, users: { upstream: 'o', match: { paths: ['/users'] } }, ...apis },
  plans: { free: { apis: ['users'], quota: { requests: 1000, per: 'month' } } },
  apps: { acme: { plan: 'free', keys } },
  ...more,
});
const withNew = (o, more) => config(o, { apis: { new: { upstream: 'o', auth: 'none', match: { paths: ['/new'] } } }, ...more });

const reloads = (w, result) => w.metric('weir_config_reloads_total', { result });

test('a changed file is taken up by itself, a kept connection goes on and meets it at its next request', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  const kept = await Wire.connect(w.gateway);
  kept.send(get('/new'));
  assert.equal((await kept.answer()).status, 404);
  w.write(withNew(o)); // renamed into place, as editors do
  await until(async () => (await status(w, '/new')) === 200, 'the new route');
  kept.send(get('/new'));
  assert.equal((await kept.answer()).status, 200);
  // written in place
  writeFileSync(w.file, JSON.stringify({ version: 1, data_dir: 'data', ...config(o),
    gateway: { listen: ['127.0.0.1:0'] }, portal: { listen: ['127.0.0.1:0'] }, admin: { listen: ['127.0.0.1:0'] } }));
  await until(async () => (await status(w, '/new')) === 404, 'the route to go');
  kept.send(get('/open'));
  assert.equal((await kept.answer()).status, 200);
  kept.close();
  assert.equal((await w.stop()).code, 0);
});

test('a file behind links is taken up when a folder on the way is exchanged, as Kubernetes does', async (t) => {
  const o = await echo(t);
  const w = new Weir(t, '');
  // weir.yaml -> ..data/weir.yaml and ..data -> NAME, of which only the latter changes
  const exchange = (name, next) => {
    mkdirSync(join(w.dir, name));
    writeFileSync(join(w.dir, name, 'weir.yaml'), JSON.stringify(withDefaults(next)));
    symlinkSync(name, join(w.dir, '..data_tmp'));
    renameSync(join(w.dir, '..data_tmp'), join(w.dir, '..data'));
  };
  exchange('..1', config(o));
  rmSync(w.file);
  symlinkSync('..data/weir.yaml', w.file);
  await w.start();
  exchange('..2', withNew(o));
  rmSync(join(w.dir, '..1'), { recursive: true });
  await until(async () => (await status(w, '/new')) === 200, 'the new route');
  // and once is enough
  exchange('..3', config(o));
  await until(async () => (await status(w, '/new')) === 404, 'the route to go');
  await w.metricIs('weir_config_reloads_total', { result: 'success' }, 2);
  assert.equal((await w.stop()).code, 0);
});

test('SIGHUP takes the file up at once', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  const before = await reloads(w, 'success');
  w.write(withNew(o));
  w.signal('SIGHUP');
  await until(async () => (await status(w, '/new')) === 200, 'the new route');
  await until(async () => (await reloads(w, 'success')) > before, 'the reload to be counted');
  await w.metricIs('weir_config_last_reload_successful', {}, 1);
});

test('a request under way ends under the configuration it began with', async (t) => {
  const o = await origin(t);
  const w = await Weir.start(t, config(o));
  const slow = await Wire.connect(w.gateway);
  slow.send(get('/users/slow', KEY));
  await until(() => o.wires[0]?.in.includes('\r\n\r\n'), 'the request at the origin');
  const other = await echo(t);
  // neither its API, its app, its key nor its upstream exists any more
  w.write({ upstreams: { p: { targets: [other.url] } }, apis: { new: { upstream: 'p', auth: 'none', match: { paths: ['/new'] } } } });
  w.signal('SIGHUP');
  await until(async () => (await status(w, '/new')) === 200, 'the new configuration');
  assert.equal(await status(w, '/users', KEY), 404);
  o.wires[0].send('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold');
  const answer = await slow.answer();
  assert.deepEqual([answer.status, answer.body], [200, 'old']);
  slow.send(get('/users/slow', KEY));
  assert.equal((await slow.answer()).status, 404);
  slow.close();
  const [row] = await w.requestsAre(1, "path = '/users/slow' AND status = 200");
  assert.deepEqual([row.api, row.app, row.plan, row.upstream, row.metered], ['users', 'acme', 'free', 'o', 1]);
  assert.equal((await w.stop()).code, 0);
});

test('a key that leaves the file is refused at the next request, on a kept connection too', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  const kept = await Wire.connect(w.gateway);
  kept.send(get('/users', KEY));
  const first = await kept.answer();
  assert.equal(first.status, 200);
  w.write(config(o, { keys: { next: NEXT_KEY } }));
  w.signal('SIGHUP');
  await until(async () => (await status(w, '/users', NEXT_KEY)) === 200, 'the new key');
  kept.send(get('/users', KEY));
  const answer = await kept.answer();
  assert.deepEqual([answer.status, answer.get('Weir-Reason')], [401, 'key_invalid']);
  kept.close();
});

test('counted calls survive a reload, also where the plan has another number', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  const left = async () => Number(/"month";r=(\d+)/.exec((await call(w.gateway, get('/users', KEY))).get('RateLimit'))[1]);
  assert.equal(await left(), 999);
  const next = config(o);
  next.plans.free.quota.requests = 100;
  w.write(next);
  w.signal('SIGHUP');
  await until(async () => (await left()) < 100, 'the new quota');
  const used = (await w.requestsAre(o.requests.length)).length;
  assert.equal(await left(), 100 - used - 1);
});

test('a quota goes on when its plan, or its app, comes back, over a restart between as well', async (t) => {
  const o = await echo(t);
  const planned = (plan) => config(o, {
    plans: { free: { apis: ['users'], quota: { requests: 10, per: 'month' } }, other: { apis: ['users'], quota: { requests: 50, per: 'day' } } },
    apps: plan ? { acme: { plan, keys: { ci: KEY } } } : { stranger: { plan: 'free', keys: { ci: NEXT_KEY } } },
  });
  const w = await Weir.start(t, planned('free'));
  const load = async (plan) => {
    const loaded = w.log.split('msg="configuration loaded"').length;
    w.write(planned(plan));
    w.signal('SIGHUP');
    await until(() => w.log.split('msg="configuration loaded"').length > loaded, 'the plan to be in force');
  };
  const calls = async (n) => {
    let passed = 0;
    while (n-- > 0) passed += (await status(w, '/users', KEY)) === 200;
    return passed;
  };
  assert.equal(await calls(4), 4);
  await load('other');
  assert.equal(await calls(3), 3);
  await load('free');
  assert.equal(await calls(2), 2);
  await load('other');
  assert.equal(await calls(1), 1);
  await w.kill9();
  await w.start();
  await load('free');
  assert.equal(await calls(3), 3);
  await load(undefined);
  assert.equal(await status(w, '/users', KEY), 401);
  await w.stop();
  await w.start();
  await load('free');
  assert.equal(await calls(3), 1);
});

for (const [what, text, fault] of [
  ['broken YAML', 'version: 1\napis: [', /weir\.yaml:\d+:\d+: error: /],
  ['an unknown key', 'version: 1\ngatway: {}\n', /weir\.yaml:2:1: error: .*gateway/],
  ['an upstream that is not there', 'version: 1\napis: { a: { upstream: nowhere } }\n', /weir\.yaml:2:\d+: error: .*nowhere/],
  ['two equal routes', JSON.stringify({ version: 1, upstreams: { o: { targets: ['http://127.0.0.1:1'] } }, apis: {
    a: { upstream: 'o', match: { paths: ['/x'] } }, b: { upstream: 'o', match: { paths: ['/x'] } } } }, null, 1), /error: .*\/x/],
  ['nothing', '', /weir\.yaml: error: the file is empty/],
]) {
  test(`a file with ${what} changes nothing and is told of`, async (t) => {
    const o = await echo(t);
    const w = await Weir.start(t, config(o));
    const good = await w.metric('weir_config_last_reload_timestamp_seconds');
    w.write(text);
    w.signal('SIGHUP');
    await w.metricIs('weir_config_last_reload_successful', {}, 0);
    assert.ok(await reloads(w, 'failure') >= 1);
    assert.equal(await w.metric('weir_config_last_reload_timestamp_seconds'), good);
    assert.equal(await status(w, '/open'), 200);
    assert.equal(await status(w, '/users', KEY), 200);
    const ready = await w.ask('/readyz');
    assert.equal(ready.status, 200, 'the old configuration serves');
    const check = JSON.parse(ready.body).checks.find((c) => c.check === 'config');
    assert.equal(check.ok, false);
    assert.match(check.detail, fault);
    assert.match(w.log, /level=error msg="configuration not loaded, the old one goes on"/);
    // and a good one ends that
    w.write(withNew(o));
    w.signal('SIGHUP');
    await w.metricIs('weir_config_last_reload_successful', {}, 1);
    assert.equal(await status(w, '/new'), 200);
    assert.equal(JSON.parse((await w.ask('/readyz')).body).checks.find((c) => c.check === 'config').ok, true);
  });
}

test('what only a restart can change is said as long as it waits, and not where it was taken back', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  let added = 0;
  // The settings that are said to wait when this file is loaded; its number of APIs tells it from the one before.
  const waiting = async (more) => {
    const next = config(o, more);
    added++;
    for (let i = 1; i <= added; i++) next.apis[`new-${i}`] = { upstream: 'o', auth: 'none', match: { paths: [`/new-${i}`] } };
    const loaded = `apis=${2 + added}\n`;
    w.write(next);
    w.signal('SIGHUP');
    await until(() => w.log.includes(loaded), 'the file to be loaded');
    assert.equal(await status(w, `/new-${added}`), 200, 'what needs no restart is in force');
    const said = w.log.slice(0, w.log.indexOf(loaded)).split('msg="configuration loaded"').at(-2);
    return / settings="?([^"\n]*)/.exec(said)?.[1];
  };
  assert.equal(await waiting({ gateway: { listen: ['127.0.0.1:1'] }, data_dir: 'elsewhere' }), 'data_dir, gateway.listen');
  assert.equal(await waiting({ data_dir: 'elsewhere' }), 'data_dir');
  assert.equal(await waiting({ data_dir: 'elsewhere' }), 'data_dir');
  assert.equal(await waiting({}), undefined);
  assert.equal((await w.stop()).code, 0);
});

test('a hundred reloads under load lose no call', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  let on = true;
  let calls = 0;
  const clients = Array.from({ length: 4 }, async () => {
    const wire = await Wire.connect(w.gateway);
    while (on) {
      wire.send(get('/open'));
      assert.equal((await wire.answer()).status, 200);
      calls++;
    }
    wire.close();
  });
  for (let i = 1; i <= 100; i++) {
    w.write(i % 2 ? withNew(o) : config(o));
    w.signal('SIGHUP');
    await until(() => w.log.split('msg="configuration loaded"').length > i, `reload ${i}`);
  }
  on = false;
  await Promise.all(clients);
  await w.metricIs('weir_requests_total', { api: 'open', code: 200 }, calls);
  assert.equal((await w.stop()).code, 0);
});
