// SPDX-License-Identifier: Apache-2.0
//
// Rates, quotas and connections: exactly as many as were promised, whatever comes at once, over restarts and kills.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until, Weir } from './lib/weir.mjs';
import { call, echo, origin, Wire } from './lib/wire.mjs';

const KEY = '0123456789abcdef';
const OTHER_KEY = 'fedcba9876543210';
const FOREIGN_KEY = 'another-app-s-key';

const config = (o, plan, gateway) => ({
  gateway,
  upstreams: { o: { targets: [o.url] } },
  apis: {
    users: { upstream: 'o', match: { paths: ['/users'] } },
    open: { upstream: 'o', auth: 'none', match: { paths: ['/open'] } },
  },
  plans: { free: { apis: ['users'], ...plan } },
  apps: {
    acme: { plan: 'free', keys: { ci: KEY, other: OTHER_KEY } },
    foreign: { plan: 'free', keys: { ci: FOREIGN_KEY } },
  },
});

const request = (path = '/users', key = KEY) => `GET ${path} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\n\r\n`;

// `clients` connections that call at once, each until it was refused `enough` times; how many were let through.
async function storm(w, clients, enough, key) {
  const passed = await Promise.all(Array.from({ length: clients }, async () => {
    const wire = await Wire.connect(w.gateway);
    let good = 0;
    for (let refused = 0; refused < enough;) {
      wire.send(request('/users', key));
      const answer = await wire.answer();
      if (answer.status === 200) good++;
      else assert.equal(answer.status, 429), refused++;
    }
    wire.close();
    return good;
  }));
  return passed.reduce((a, b) => a + b);
}

test('a quota lets exactly its number through, however many call at once, and a refusal uses nothing up', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o, { quota: { requests: 100, per: 'month' } }));
  assert.equal(await storm(w, 8, 5), 100);
  assert.equal(o.requests.length, 100);
  const answer = await call(w.gateway, request('/users', OTHER_KEY));
  assert.equal(answer.status, 429, 'keys of one app share its quota');
  assert.equal(answer.get('Weir-Reason'), 'quota_exceeded');
  assert.equal((await call(w.gateway, request('/users', FOREIGN_KEY))).status, 200, 'another app has its own');
  await w.metricIs('weir_app_requests_total', { app: 'acme', api: 'users' }, 100);
  await w.metricIs('weir_requests_total', { api: 'users', code: 429, reason: 'quota_exceeded' }, 41);
  await w.metricIs('weir_quota_used_ratio', { app: 'acme', limit: 'month' }, 1);
  const metered = (await w.requestsAre(142)).filter((row) => row.app === 'acme' && row.metered === 1);
  assert.equal(metered.length, 100);
  assert.ok(metered.every((row) => row.status === 200));
});

// "burst";r=4;t=720 -> {burst: {r: 4, t: 720}}
function limits(text) {
  const item = /^"([^"]+)"((?:;[a-z]=\d+)+)$/;
  return Object.fromEntries(text.split(', ').map((part) => {
    const m = item.exec(part);
    assert.ok(m, `not an item of a structured list: ${part}`);
    return [m[1], Object.fromEntries(m[2].slice(1).split(';').map((p) => p.split('=')).map(([k, v]) => [k, Number(v)]))];
  }));
}

test('rate and quota are decided together and told in their headers', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o, {
    rate: { requests: 1, per: '1h', burst: 3 }, quota: [{ requests: 100, per: 'month' }, { requests: 50, per: 'week' }],
  }));
  for (let i = 1; i <= 3; i++) {
    const answer = await call(w.gateway, request());
    assert.equal(answer.status, 200);
    const policy = limits(answer.get('RateLimit-Policy'));
    assert.deepEqual(policy.burst, { q: 3, w: 10800 });
    assert.deepEqual(policy.week, { q: 50, w: 604800 });
    assert.ok(policy.month.q === 100 && policy.month.w >= 28 * 86400 && policy.month.w <= 31 * 86400);
    const now = limits(answer.get('RateLimit'));
    assert.deepEqual([now.burst.r, now.month.r, now.week.r], [3 - i, 100 - i, 50 - i]);
    assert.ok(now.burst.t > 0 && now.burst.t <= 3600 && now.week.t <= 604800);
    assert.equal(answer.get('Retry-After'), undefined);
  }
  for (let i = 0; i < 5; i++) {
    const answer = await call(w.gateway, request());
    assert.equal(answer.status, 429);
    assert.equal(answer.get('Weir-Reason'), 'rate_limited');
    const now = limits(answer.get('RateLimit'));
    assert.deepEqual([now.burst.r, now.month.r, now.week.r], [0, 97, 47], 'a refused call uses nothing up');
    assert.ok(Number(answer.get('Retry-After')) >= now.burst.t);
    assert.ok(Number(answer.get('Retry-After')) <= 3600);
  }
  assert.equal((await call(w.gateway, request('/none'))).get('RateLimit'), undefined);
  assert.equal((await call(w.gateway, request('/open'))).get('RateLimit'), undefined, 'no plan counts an open API');
});

test('what is refused for another reason uses nothing up', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o, { quota: { requests: 2, per: 'month' } }));
  for (let i = 0; i < 5; i++) {
    const length = await call(w.gateway, request().replace('\r\n\r\n', '\r\nContent-Length: 99999999\r\n\r\n'));
    assert.equal(length.status, 413);
    const address = await call(w.gateway, request('/none'));
    assert.equal(address.status, 404);
  }
  assert.equal(limits((await call(w.gateway, request())).get('RateLimit')).month.r, 1);
});

test('a call that the origin fails is metered', async (t) => {
  const o = await origin(t, (wire) => wire.close());
  const w = await Weir.start(t, config(o, { quota: { requests: 2, per: 'month' } }));
  assert.equal((await call(w.gateway, request())).status, 502);
  assert.equal((await call(w.gateway, request())).status, 502);
  assert.equal((await call(w.gateway, request())).status, 429);
  await w.metricIs('weir_app_requests_total', { app: 'acme' }, 2);
});

test('a rate lets through its burst and what has come back since, and no more', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o, { rate: { requests: 100, per: '1s', burst: 20 } }));
  const began = process.hrtime.bigint();
  const passed = await storm(w, 4, 50);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  assert.ok(passed >= 20, `${passed} of a burst of 20`);
  assert.ok(passed <= 20 + 100 * seconds, `${passed} in ${seconds} s`);
  await until(async () => (await call(w.gateway, request())).status === 200, 'a call to come back');
});

test('a quota goes on where it was after a stop and after kill -9', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o, { rate: { requests: 1, per: '1h', burst: 1000 }, quota: { requests: 90, per: 'month' } }));
  const some = async (n) => {
    const wire = await Wire.connect(w.gateway);
    let last;
    for (let i = 0; i < n; i++) {
      wire.send(request());
      last = await wire.answer();
      assert.equal(last.status, 200);
    }
    wire.close();
    return limits(last.get('RateLimit'));
  };
  assert.equal((await some(30)).month.r, 60);
  assert.equal((await w.stop()).code, 0);
  await w.start();
  const after = await some(30);
  assert.equal(after.month.r, 30);
  await w.kill9();
  await w.start();
  assert.equal(await storm(w, 8, 2), 30);
  await w.kill9();
  await w.start();
  assert.equal((await call(w.gateway, request())).status, 429);
  await w.metricIs('weir_app_requests_total', { app: 'acme' }, 90);
});

test('kills under load never let more than the quota be answered', async (t) => {
  const o = await echo(t);
  const QUOTA = 600, CLIENTS = 8, KILLS = 3;
  const w = await Weir.start(t, config(o, { quota: { requests: QUOTA, per: 'month' } }));
  let answered = 0;
  for (let kill = 0; kill <= KILLS; kill++) {
    const before = answered;
    let dead = false;
    const clients = Array.from({ length: CLIENTS }, async () => {
      const wire = await Wire.connect(w.gateway);
      for (;;) {
        wire.send(request());
        let answer;
        try {
          answer = await wire.answer();
        } catch (error) {
          if (dead) return wire.close();
          throw error;
        }
        if (answer.status === 429) return wire.close();
        assert.equal(answer.status, 200);
        answered++;
      }
    });
    if (kill < KILLS) {
      await until(() => answered >= before + 100, 'a hundred calls');
      dead = true;
      await w.kill9();
    }
    await Promise.all(clients);
    if (kill < KILLS) await w.start();
  }
  assert.ok(answered <= QUOTA, `${answered} answered of ${QUOTA}`);
  assert.ok(answered >= QUOTA - KILLS * CLIENTS, `${answered} answered, though at most ${KILLS * CLIENTS} were in flight`);
});

test('with every worker busy the next connection gets a prompt 503, and is served when one is free', async (t) => {
  const o = await origin(t);
  const w = await Weir.start(t, config(o, {}, { workers: 4 }));
  const busy = [];
  for (let i = 0; i < 4; i++) {
    const wire = await Wire.connect(w.gateway);
    wire.send(request('/open'));
    busy.push(wire);
  }
  await until(() => o.wires.filter((wire) => wire.in.includes('\r\n\r\n')).length === 4, 'four requests at the origin');
  for (let i = 0; i < 3; i++) {
    // without a word from the client: it may be waiting to be told
    const wire = await Wire.connect(w.gateway);
    const answer = await wire.answer();
    assert.equal(answer.status, 503);
    assert.equal(answer.get('Weir-Reason'), 'overloaded');
    assert.equal(answer.get('Connection'), 'close');
    assert.ok(Number(answer.get('Retry-After')) >= 1);
    assert.equal(answer.json().code, 'overloaded');
    assert.equal(await wire.rest(), '');
    wire.close();
  }
  await w.metricIs('weir_connections_refused_total', { listener: 'gateway' }, 3);
  await w.metricIs('weir_requests_in_flight', { api: 'open' }, 4);
  assert.equal((await w.ask('/readyz')).status, 200, 'operators are not locked out');
  for (const wire of o.wires) wire.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  for (const wire of busy) {
    assert.equal((await wire.answer()).status, 200);
    wire.close();
  }
  const served = async () => (await call(w.gateway, request('/none'))).status === 404;
  await until(served, 'a free worker');
});

test('one address has no more connections than the file allows', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o, {}, { max_connections_per_client: 2 }));
  const kept = [];
  for (let i = 0; i < 2; i++) {
    const wire = await Wire.connect(w.gateway);
    wire.send(request('/open'));
    assert.equal((await wire.answer()).status, 200);
    kept.push(wire);
  }
  const refused = await Wire.connect(w.gateway);
  assert.equal((await refused.answer()).status, 503);
  refused.close();
  // another address has its own
  assert.equal((await call(w.gateway, request('/open'), { localAddress: '127.0.0.2' })).status, 200);
  kept[0].close();
  await until(async () => (await call(w.gateway, request('/open'))).status === 200, 'room for another');
  kept[1].close();
});

test('connections kept for one API are given up for another, within the files that the start asked for', async (t) => {
  const WORKERS = 40;
  const CALLS = 32;
  const origins = [];
  for (let i = 0; i < 8; i++) {
    // answers when all have asked, so that each call has a connection of its own
    const waiting = [];
    origins.push(await origin(t, async (wire) => {
      await wire.request();
      waiting.push(wire);
      if (waiting.length === CALLS)
        for (const one of waiting) one.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    }));
  }
  const w = await Weir.start(t, {
    gateway: { workers: WORKERS },
    upstreams: Object.fromEntries(origins.map((o, i) => [`o${i}`, { targets: [o.url] }])),
    apis: Object.fromEntries(origins.map((o, i) =>
      [`a${i}`, { upstream: `o${i}`, auth: 'none', match: { paths: [`/${i}`] } }])),
  }, { wrap: ['bash', '-c', `ulimit -n ${3 * WORKERS + 256} && exec "$@"`, 'weir'] });
  for (let i = 0; i < origins.length; i++) {
    const clients = await Promise.all(Array.from({ length: CALLS }, () => Wire.connect(w.gateway)));
    for (const client of clients) client.send(request(`/${i}`));
    for (const client of clients) {
      assert.equal((await client.answer()).status, 200, `a call of API ${i}`);
      client.close();
    }
    await w.metricIs('weir_connections', { listener: 'gateway' }, 0);
  }
  const kept = await w.metric('weir_upstream_idle_connections');
  assert.ok(kept > 0 && kept <= WORKERS, `${kept} kept`);
});
