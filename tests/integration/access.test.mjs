// SPDX-License-Identifier: Apache-2.0
//
// Which addresses may call: lists on API, route, plan, app and key, of which each must let the call through, for IPv4
// and IPv6, straight and behind trusted proxies.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until, Weir } from './lib/weir.mjs';
import { call, echo } from './lib/wire.mjs';

const KEY = '0123456789abcdef';

// One list at one level; everything else lets everybody in.
function config(o, level, access, gateway = { trusted_proxies: ['127.0.0.1'] }) {
  const at = (name) => (name === level ? { access } : {});
  return {
    gateway,
    upstreams: { o: { targets: [o.url] } },
    apis: { a: { upstream: 'o', match: { paths: ['/a'] }, ...at('api'),
      routes: { part: { match: { paths: ['/a/part'] }, ...at('route') } } } },
    plans: { p: { apis: ['a'], ...at('plan'), quota: { requests: 1000, per: 'month' } } },
    apps: { one: { plan: 'p', ...at('app'), keys: { k: { secret: KEY, ...at('key') } } } },
  };
}

const ask = async (w, from, path = '/a/part') => {
  const answer = await call(w.gateway,
    `GET ${path} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${KEY}\r\n${from ? `X-Forwarded-For: ${from}\r\n` : ''}\r\n`);
  if (answer.status === 403) assert.equal(answer.get('Weir-Reason'), 'ip_denied');
  return answer.status;
};

const lists = [
  ['an allowed network', { allow: ['192.0.2.0/24'] }, { '192.0.2.1': 200, '192.0.2.255': 200, '192.0.3.0': 403, '2001:db8::1': 403 }],
  ['one allowed address', { allow: ['192.0.2.7'] }, { '192.0.2.7': 200, '192.0.2.8': 403 }],
  ['a denied address', { deny: ['192.0.2.7'] }, { '192.0.2.7': 403, '192.0.2.8': 200, '2001:db8::1': 200 }],
  ['deny within allow', { allow: ['192.0.2.0/24'], deny: ['192.0.2.128/25'] }, { '192.0.2.127': 200, '192.0.2.128': 403, '192.0.3.1': 403 }],
  ['allow within deny', { allow: ['192.0.2.7'], deny: ['192.0.2.0/24'] }, { '192.0.2.7': 403, '192.0.3.7': 403 }],
  ['IPv6', { allow: ['2001:db8::/32', '::1'] }, { '2001:db8:ffff::1': 200, '2001:db9::1': 403, '::1': 200, '192.0.2.1': 403 }],
  ['IPv4 written as IPv6', { deny: ['192.0.2.0/24'] }, { '::ffff:192.0.2.1': 403, '::ffff:192.0.3.1': 200 }],
  ['everybody', { deny: ['0.0.0.0/0', '::/0'] }, { '192.0.2.1': 403, '2001:db8::1': 403 }],
];

for (const level of ['api', 'route', 'plan', 'app', 'key']) {
  test(`the lists of the ${level} decide who may call`, async (t) => {
    const o = await echo(t);
    const w = await Weir.start(t, config(o, level, {}));
    let passed = 0, refused = 0;
    for (const [what, access, expected] of lists) {
      const loaded = w.log.split('msg="configuration loaded"').length;
      w.write(config(o, level, access));
      w.signal('SIGHUP');
      await until(() => w.log.split('msg="configuration loaded"').length > loaded, 'the list to be in force');
      for (const [from, status] of Object.entries(expected)) {
        assert.equal(await ask(w, from), status, `${what}: ${from}`);
        if (status === 200) passed++;
        else refused++;
      }
    }
    if (level === 'route') assert.equal(await ask(w, '192.0.2.1', '/a/rest'), 200, 'the rest of the API is not the route\'s'), passed++;
    assert.equal(o.requests.length, passed);
    await w.metricIs('weir_requests_total', { api: 'a', code: 403, reason: 'ip_denied' }, refused);
    // who is refused uses nothing up, and the record tells which list it was
    await w.metricIs('weir_app_requests_total', { app: 'one' }, passed);
    const rows = await w.requestsAre(refused, "reason = 'ip_denied'");
    for (const row of rows) assert.match(row.trail, new RegExp(`refused level=${level} list=(allow|deny)`));
    // rows of one moment may come in any order: each core has its own journal
    assert.ok(rows.some((row) => row.client_ip === '192.0.3.0'));
  });
}

test('every level must let the call through', async (t) => {
  const o = await echo(t);
  const c = config(o, 'api', { allow: ['10.0.0.0/8'] });
  c.plans.p.access = { allow: ['10.1.0.0/16', '10.2.0.0/16'] };
  c.apps.one.access = { deny: ['10.1.9.0/24'] };
  c.apps.one.keys.k.access = { allow: ['10.1.0.0/16', '192.0.2.1'] };
  const w = await Weir.start(t, c);
  for (const [from, status] of [['10.1.1.1', 200], ['10.1.9.1', 403], ['10.2.1.1', 403], ['10.3.1.1', 403], ['192.0.2.1', 403]])
    assert.equal(await ask(w, from), status, from);
});

test('only trusted proxies are believed, from the last one backwards', async (t) => {
  const o = await echo(t);
  const c = config(o, 'api', { allow: ['192.0.2.7'] }, { trusted_proxies: ['127.0.0.1', '10.0.0.0/8', '2001:db8::/32'] });
  const w = await Weir.start(t, c);
  for (const [from, status] of [
    ['192.0.2.7', 200],
    ['192.0.2.7, 10.0.0.1', 200],
    ['192.0.2.7, 10.0.0.1, 2001:db8::9', 200],
    ['198.51.100.1, 192.0.2.7', 200], // what stands before the client is its own story
    ['192.0.2.7, 198.51.100.1', 403],
    ['192.0.2.7, unknown', 403],
    ['192.0.2.7, unknown, 10.0.0.1', 403],
    ['unknown', 403],
    // as some proxies write it
    ['192.0.2.7:1234', 200],
    ['[192.0.2.7]:1234', 200],
    ['192.0.2.7, [2001:db8::9]:443', 200],
    ['192.0.2.7, 198.51.100.1:1234', 403],
    [undefined, 403],
  ]) assert.equal(await ask(w, from), status, String(from));
  // over several fields as over one
  const two = await call(w.gateway, `GET /a HTTP/1.1\r\nHost: a\r\nX-API-Key: ${KEY}\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n`);
  assert.equal(two.status, 200);
  // the same words from one nobody trusts
  const liar = await call(w.gateway, `GET /a HTTP/1.1\r\nHost: a\r\nX-API-Key: ${KEY}\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n`,
    { localAddress: '127.0.0.2' });
  assert.equal(liar.status, 403);
  const [row] = await w.requestsAre(1, "client_ip = '127.0.0.2'");
  assert.equal(row.reason, 'ip_denied');
});

test('a trusted proxy may say it in Forwarded, where that is configured', async (t) => {
  const o = await echo(t);
  const c = config(o, 'api', { allow: ['192.0.2.7', '2001:db8:1::7'] },
    { trusted_proxies: ['127.0.0.1', '10.0.0.0/8', '2001:db8:2::/48'], client_ip_header: 'Forwarded' });
  const w = await Weir.start(t, c);
  const says = async (...fields) => (await call(w.gateway,
    `GET /a HTTP/1.1\r\nHost: a\r\nX-API-Key: ${KEY}\r\n${fields.map((f) => `${f}\r\n`).join('')}\r\n`)).status;
  for (const [value, status] of [
    ['for=192.0.2.7', 200],
    ['FOR="192.0.2.7:4711";proto=https;by=10.0.0.9', 200],
    ['proto=https;for="[2001:db8:1::7]"', 200],
    ['for="[2001:DB8:1::7]:443"', 200],
    ['for=192.0.2.7, for=10.0.0.1', 200],
    ['for=192.0.2.7, for="[2001:db8:2::1]:80", for=10.0.0.1', 200],
    ['for=198.51.100.1, for=192.0.2.7', 200],
    ['for=192.0.2.7, for=198.51.100.1', 403],
    ['for=192.0.2.7, for=unknown', 403],
    ['for=192.0.2.7, for=_hidden, for=10.0.0.1', 403],
    ['for=192.0.2.7, proto=https', 403],
    ['for=198.51.100.1;for=192.0.2.7', 403],
    ['for=2001:db8:1::7', 403],
    ['for="[192.0.2.7"', 403],
    ['for="[2001:db8:1::7]x"', 403],
    ['for="192.0.2.7', 403],
    ['', 403],
    // what a client wrote into its own part or its Host changes nothing of what the proxy says
    ['for="x, for=192.0.2.7', 200],
    ['for="x, for=198.51.100.1', 403],
    ['for=198.51.100.1;host="a, for=192.0.2.7;x="', 403],
    ['for=198.51.100.1;host="a;for=192.0.2.7;x="', 403],
    ['for=198.51.100.1;host="a\\", for=192.0.2.7;x=\\""', 403],
  ]) assert.equal(await says(`Forwarded: ${value}`), status, value);
  assert.equal(await says('Forwarded: for=192.0.2.7', 'Forwarded: for=10.0.0.1'), 200);
  // proxies that set the one pass the other on as it came
  assert.equal(await says('Forwarded: for=192.0.2.7', 'X-Forwarded-For: 198.51.100.1'), 200);
  assert.equal(await says('Forwarded: for=198.51.100.1', 'X-Forwarded-For: 192.0.2.7'), 403);
  assert.equal(await says('X-Forwarded-For: 192.0.2.7'), 403);
  const liar = await call(w.gateway, `GET /a HTTP/1.1\r\nHost: a\r\nX-API-Key: ${KEY}\r\nForwarded: for=192.0.2.7\r\n\r\n`,
    { localAddress: '127.0.0.2' });
  assert.equal(liar.status, 403);
});

test('clients come by IPv6 as well', async (t) => {
  const o = await echo(t);
  const w = new Weir(t, config(o, 'api', { allow: ['::1'] }, { listen: ['[::1]:0', '127.0.0.1:0'] }));
  try {
    await w.start();
  } catch (error) {
    if (/Cannot assign requested address|Address family not supported/.test(w.log)) return t.skip('this machine has no IPv6');
    throw error;
  }
  assert.match(w.gateway.text, /^\[::1\]:\d+$/);
  assert.equal(await ask(w), 200);
  assert.match(o.requests[0].get('Forwarded'), /^for="\[::1\]";host="a";proto=http$/);
  assert.equal(o.requests[0].get('X-Forwarded-For'), '::1');
  const [row] = await w.requestsAre(1);
  assert.equal(row.client_ip, '::1');
});
