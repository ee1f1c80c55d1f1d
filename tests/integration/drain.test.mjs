// SPDX-License-Identifier: Apache-2.0
//
// SIGTERM: what is in flight ends, nothing new begins, the exit is 0, and the last call is in the store.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until, Weir } from './lib/weir.mjs';
import { call, echo, origin, Wire } from './lib/wire.mjs';

const get = (path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const config = (o, gateway) => ({
  gateway,
  upstreams: { o: { targets: [o.url] } },
  apis: { open: { upstream: 'o', auth: 'none', match: { paths: ['/open'] } } },
});

const refusesConnections = (address) => Wire.connect(address).then((wire) => { wire.close(); return false; }, () => true);

async function withSlowCall(t, gateway) {
  const o = await origin(t);
  const w = await Weir.start(t, config(o, gateway));
  const slow = await Wire.connect(w.gateway);
  slow.send(get('/open/slow'));
  await until(() => o.wires[0]?.in.includes('\r\n\r\n'), 'the slow request at the origin');
  return { o, w, slow };
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} lets a slow request end, refuses new connections and exits with 0`, async (t) => {
    const { o, w, slow } = await withSlowCall(t);
    const idle = await Wire.connect(w.gateway);
    idle.send(get('/none'));
    assert.equal((await idle.answer()).get('Connection'), undefined);

    w.signal(signal);
    await until(() => refusesConnections(w.gateway), 'new connections to be refused');
    assert.equal(await idle.rest(), '', 'an idle connection is closed');
    idle.close();
    const ready = await w.ask('/readyz');
    assert.equal(ready.status, 503);
    assert.equal(JSON.parse(ready.body).ready, false);
    assert.equal((await w.ask('/healthz')).status, 200, 'it lives');
    assert.equal(w.running, true);

    o.wires[0].send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
    const answer = await slow.answer();
    assert.deepEqual([answer.status, answer.body, answer.get('Connection')], [200, 'done', 'close']);
    assert.equal(await slow.rest(), '');
    slow.close();
    assert.deepEqual(await w.exited, { code: 0, signal: null });
    const rows = w.requests('path, status');
    assert.deepEqual(rows.map((row) => `${row.path} ${row.status}`).sort(), ['/none 404', '/open/slow 200']);
  });
}

test('a body that is being sent while the drain begins is sent to its end', async (t) => {
  const o = await origin(t);
  const w = await Weir.start(t, config(o));
  const client = await Wire.connect(w.gateway);
  client.send('POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst');
  await until(() => o.wires[0]?.in.includes('first'), 'the first half at the origin');
  w.signal('SIGTERM');
  await until(() => refusesConnections(w.gateway), 'new connections to be refused');
  client.send('later');
  assert.equal((await o.wires[0].request()).body, 'firstlater');
  o.wires[0].send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
  assert.equal((await client.head()).get('Connection'), 'close');
  o.wires[0].send('3\r\ntwo\r\n0\r\n\r\n');
  assert.equal(await client.chunked(), 'onetwo');
  client.close();
  assert.equal((await w.exited).code, 0);
});

test('a request that does not end in the drain\'s time is broken off, recorded, and the exit is 0', async (t) => {
  const { w, slow } = await withSlowCall(t, { drain_timeout: '200ms' });
  w.signal('SIGTERM');
  const answer = await slow.answer().catch(() => null);
  if (answer !== null) assert.deepEqual([answer.status, answer.get('Weir-Reason')], [503, 'draining']);
  slow.close();
  assert.equal((await w.exited).code, 0);
  const [row] = w.requests('path, status, reason');
  assert.ok(['draining', 'client_closed'].includes(row.reason), JSON.stringify(row));
});

test('a stop under load answers every request that was taken up', async (t) => {
  const o = await echo(t, () => new Promise((resolve) => setImmediate(resolve, 'ok')));
  const w = await Weir.start(t, config(o));
  const answered = [];
  const clients = Array.from({ length: 8 }, async () => {
    for (;;) {
      const wire = await Wire.connect(w.gateway).catch(() => null);
      if (wire === null) return;
      for (;;) {
        wire.send(get('/open'));
        let answer;
        try {
          answer = await wire.answer();
        } catch {
          assert.equal(wire.received > 0 && wire.in !== '', false, `an answer was cut: ${wire.in}`);
          break; // it was closed between two requests, as a server may (RFC 9112 §9.3)
        }
        assert.equal(answer.status, 200);
        answered.push(answer.get('X-Request-Id'));
        if (answer.get('Connection') === 'close') break;
      }
      wire.close();
    }
  });
  await until(() => answered.length >= 500, 'some load');
  w.signal('SIGTERM');
  await Promise.all(clients);
  assert.equal((await w.exited).code, 0);
  const ids = new Set(w.requests('id').map((row) => row.id));
  assert.equal(ids.size, answered.length, 'each answer has its record, and there is no other');
  assert.ok(answered.every((id) => ids.has(id)));
});

test('an instance that was stopped can be started again at once on the same ports', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  for (let i = 0; i < 3; i++) {
    const kept = await Wire.connect(w.gateway);
    kept.send(get('/open'));
    assert.equal((await kept.answer()).status, 200);
    const { text } = w.gateway;
    assert.equal((await w.stop()).code, 0);
    kept.close();
    w.write(config(o, { listen: [text] }));
    await w.start();
    assert.equal(w.gateway.text, text);
  }
  assert.equal((await call(w.gateway, get('/open'))).status, 200);
});
