// SPDX-License-Identifier: Apache-2.0
//
// Bodies on their way, and sides that leave in the middle: nothing waits for the whole, nothing is invented, and each
// call has one record that says how it ended.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { until, Weir, within } from './lib/weir.mjs';
import { call, echo, origin, Wire } from './lib/wire.mjs';

const H = 'Host: a.example\r\n';
const GET = `GET /open HTTP/1.1\r\n${H}\r\n`;

const config = (o, more = {}) => ({
  upstreams: { o: { targets: [o.url] } },
  apis: { open: { upstream: 'o', auth: 'none', match: { paths: ['/open'] }, ...more } },
});

// The row of the call whose target ended so.
const record = async (w, path) => (await w.requestsAre(1, `path = '${path}'`))[0];

test('an upload goes to the origin piece by piece, a download to the client', async (t) => {
  const o = await origin(t);
  const w = await Weir.start(t, config(o));
  const client = await Wire.connect(w.gateway);
  client.send(`POST /open HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`);
  await until(() => o.wires[0]?.in.includes('first'), 'the first piece at the origin');
  client.send('6\r\nsecond\r\n0\r\nX-Trailer: 1\r\n\r\n');
  const request = await o.wires[0].request();
  assert.equal(request.body, 'firstsecond');
  assert.equal(request.get('X-Trailer'), undefined);

  o.wires[0].send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
  const head = await client.head();
  assert.equal(head.get('Transfer-Encoding'), 'chunked');
  assert.equal(await client.bytes(8), '3\r\none\r\n');
  o.wires[0].send('3\r\ntwo\r\n0\r\n\r\n');
  assert.equal(await client.chunked(), 'two');
  client.close();
});

test('a large body passes unchanged both ways, by length and in chunks', async (t) => {
  const body = Array.from({ length: 300_000 }, (_, i) => i.toString(36)).join(' ');
  const chunks = (text, size) => text.match(new RegExp(`[^]{1,${size}}`, 'g'))
    .map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('') + '0\r\n\r\n';
  let form = 0;
  const o = await echo(t, (request) => (form++ % 2 === 0
    ? `HTTP/1.1 200 OK\r\nContent-Length: ${request.body.length}\r\n\r\n${request.body}`
    : `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(request.body, 70_000)}`));
  const w = await Weir.start(t, config(o));
  const client = await Wire.connect(w.gateway);
  for (let i = 0; i < 4; i++) {
    client.send(i < 2
      ? `PUT /open HTTP/1.1\r\n${H}Content-Length: ${body.length}\r\n\r\n${body}`
      : `PUT /open HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n${chunks(body, 999)}`);
    const answer = await client.answer();
    assert.equal(answer.status, 200);
    assert.ok(answer.body === body, `body ${i} differs`);
  }
  client.close();
  assert.equal(o.connections, 1, 'one kept connection serves all');
  const rows = await w.requestsAre(4);
  assert.ok(rows.every((r) => r.bytes_in > body.length && r.bytes_out > body.length));
});

test('an origin that answers before it has the body is heard, and its connection is not used again', async (t) => {
  const o = await origin(t, async (wire, number) => {
    await wire.head();
    if (number === 1) {
      wire.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge');
      await wire.rest(); // reads what still comes until the gateway closes
      wire.close();
    } else {
      wire.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext');
    }
  });
  const w = await Weir.start(t, config(o));
  const client = await Wire.connect(w.gateway);
  client.send(`POST /open HTTP/1.1\r\n${H}Content-Length: 5000000\r\n\r\nbegin`);
  const answer = await client.answer();
  assert.equal(answer.status, 413);
  assert.equal(answer.body, 'large');
  assert.equal(answer.get('Connection'), 'close');
  assert.equal(answer.get('Weir-Reason'), undefined, 'it is the origin\'s answer');
  client.close();
  assert.equal((await call(w.gateway, GET)).body, 'next');
  assert.equal(o.connections, 2);
});

test('a body refused with 413 is answered where curl sees it, asked before or not', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o, { max_body: '1MiB' }));
  const file = join(w.dir, 'body');
  writeFileSync(file, 'x'.repeat(10 << 20));
  for (const more of [[], ['-H', 'Expect:'], ['-H', 'Expect:', '-H', 'Transfer-Encoding: chunked']]) {
    const args = ['--silent', '--show-error', '--max-time', '30', '--data-binary', `@${file}`,
      '--write-out', '%{http_code} %header{weir-reason} %header{connection}', '--output', '/dev/null', ...more,
      `http://${w.gateway.text}/open`];
    const child = spawn('curl', args);
    let out = '';
    child.stdout.on('data', (chunk) => { out += chunk; });
    child.stderr.on('data', (chunk) => { out += chunk; });
    await once(child, 'close');
    assert.equal(out, '413 body_too_large close', `curl ${more.join(' ')}`);
  }
  assert.equal(o.requests.length, 0, 'no request was complete');
});

test('a client may go on sending a body that nobody wants: it gets its answer, and no reset', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o, { max_body: 1024 }));
  for (const path of ['/open', '/nowhere']) {
    const client = await Wire.connect(w.gateway);
    client.send(`POST ${path} HTTP/1.1\r\n${H}Content-Length: 200000\r\n\r\n`);
    const answer = await client.answer();
    assert.ok([404, 413].includes(answer.status));
    assert.equal(answer.get('Connection'), 'close');
    assert.equal(await client.rest(), '');
    const closed = once(client.socket, 'close');
    for (let i = 0; i < 10; i++) await new Promise((sent) => { client.socket.write('x'.repeat(10000), sent); });
    client.finish();
    await within(closed, 'the end of the connection');
    assert.equal(client.reset, false, 'the connection ends, it is not reset');
  }
});

test('a client that leaves is recorded as 499, wherever it leaves', async (t) => {
  const sizes = { '/open/waits': 0, '/open/uploads': 0, '/open/downloads': 0 };
  const o = await origin(t, async (wire) => {
    const head = await wire.head();
    if (!head.first.includes('/open/downloads')) return;
    wire.send(`HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n${'x'.repeat(1 << 20)}`);
  });
  const w = await Weir.start(t, config(o));
  for (const path of Object.keys(sizes)) {
    const client = await Wire.connect(w.gateway);
    const uploads = path.endsWith('uploads');
    client.send(`${uploads ? 'POST' : 'GET'} ${path} HTTP/1.1\r\n${H}${uploads ? 'Content-Length: 1000\r\n' : ''}\r\n`);
    if (uploads) client.send('half of it');
    await until(() => o.connections === Object.keys(sizes).indexOf(path) + 1, 'the request at the origin');
    if (path.endsWith('downloads')) await client.bytes(1000);
    else await until(() => o.wires.at(-1).received > 0, 'bytes at the origin');
    client.close();
    const row = await record(w, path);
    assert.deepEqual([row.status, row.reason, row.attempts], [499, 'client_closed', 1], path);
    await o.wires.at(-1).rest(); // the gateway closed the upstream connection
    if (path.endsWith('downloads')) assert.ok(row.bytes_out > 1000 && row.bytes_out < 1000000000);
    else assert.equal(row.bytes_out, 0);
  }
  await w.metricIs('weir_requests_in_flight', { api: 'open' }, 0);
});

test('a request that waits behind another on the same connection is no reason to give the first one up', async (t) => {
  const o = await origin(t);
  const w = await Weir.start(t, config(o));
  const client = await Wire.connect(w.gateway);
  client.send(GET);
  await until(() => o.wires[0]?.in.includes('\r\n\r\n'), 'the first request at the origin');
  client.send(`GET /open/second HTTP/1.1\r\n${H}\r\n`);
  await o.wires[0].request();
  o.wires[0].send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst');
  assert.equal((await client.answer()).body, 'first');
  assert.equal((await o.wires[0].request()).target, '/open/second');
  o.wires[0].send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond');
  assert.equal((await client.answer()).body, 'second');
  client.close();
});

// Every prefix of an answer, then a close or a reset.
const answers = {
  length: 'HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 10\r\n\r\n0123456789',
  chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5;x\r\nworld\r\n0\r\nX-T: 1\r\n\r\n',
};
for (const [framing, text] of Object.entries(answers)) {
  for (const how of ['closes', 'resets']) {
    test(`an origin that ${how} after each byte of an answer (${framing}) never makes a whole one of it`, async (t) => {
      const cut = new Map(); // target -> bytes that are sent of its answer
      const o = await origin(t, async (wire) => {
        const request = await wire.request();
        wire.send(text.slice(0, cut.get(request.target)));
        if (how === 'closes') wire.finish();
        else wire.socket.end(() => wire.resetNow());
      });
      const w = await Weir.start(t, config(o));
      const headEnd = text.indexOf('\r\n\r\n') + 4;
      for (let n = 0; n < text.length; n++) {
        const path = `/open/${n}`;
        cut.set(path, n);
        const client = await Wire.connect(w.gateway);
        client.send(`GET ${path} HTTP/1.1\r\n${H}\r\n`);
        const head = await client.head();
        const rest = await client.bodyOf(head).then((body) => `whole: ${body}`, () => 'broken off');
        client.close();
        if (head.first.includes('502')) {
          assert.ok(n < headEnd || how === 'resets', `502 after ${n} bytes`);
          assert.equal(head.get('Weir-Reason'), 'upstream_reset');
        } else {
          assert.ok(n >= headEnd, `${head.first} after ${n} bytes`);
          assert.equal(rest, 'broken off', `after ${n} bytes`);
        }
      }
      const rows = await w.requestsAre(text.length);
      assert.ok(rows.every((row) => row.reason === 'upstream_reset'), 'each is recorded as reset');
      assert.equal(new Set(rows.map((row) => row.path)).size, text.length);
    });
  }
}

const LF_ONLY = 'HTTP/1.1 200 OK\nContent-Length: 0\n\n';
const garbage = [
  ['no HTTP', 'hello\r\n\r\n'],
  ['an SSH banner', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['a version in lower case', 'http/1.1 200 OK\r\n\r\n'],
  ['no status', 'HTTP/1.1\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status above 599', 'HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a control character in the phrase', 'HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n'],
  ['a bare CR in the status line', 'HTTP/1.1 200 OK\rX: 1\r\nContent-Length: 0\r\n\r\n'],
  ['two Content-Lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
  ['a list of Content-Lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab'],
  ['Transfer-Encoding and Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a Content-Length with a plus', 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab'],
  ['a Content-Length beyond 64 bits', 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nab'],
  ['an unknown transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['chunked twice', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n'],
  ['a field without colon', 'HTTP/1.1 200 OK\r\nX\r\nContent-Length: 0\r\n\r\n'],
  ['a space before a colon', 'HTTP/1.1 200 OK\r\nX : 1\r\nContent-Length: 0\r\n\r\n'],
  ['a folded field', 'HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length: 0\r\n\r\n'],
  ['a bare LF behind a field', 'HTTP/1.1 200 OK\r\nX: 1\nY: 2\r\nContent-Length: 0\r\n\r\n'],
  ['a NUL in a value', 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n'],
  ['a field of 40 KiB', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(40960)}\r\nContent-Length: 0\r\n\r\n`],
  ['a head without end', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(8000)}`],
  ['101 fields', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(101)}\r\n`],
  ['another protocol unasked', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
];
test('an origin that answers with what is no HTTP gets 502 upstream_invalid, and nothing of it passes', async (t) => {
  let next = '';
  const o = await origin(t, async (wire) => {
    await wire.request();
    wire.send(next);
    await wire.rest();
    wire.close();
  });
  const w = await Weir.start(t, config(o));
  for (const [what, text] of garbage) {
    await t.test(what, async () => {
      next = text;
      const client = await Wire.connect(w.gateway);
      client.send(GET);
      const answer = await client.answer();
      assert.equal(answer.status, 502);
      assert.equal(answer.get('Weir-Reason'), 'upstream_invalid');
      assert.equal(answer.get('X'), undefined);
      // it is not the client's fault: its connection goes on
      assert.equal(answer.get('Connection'), undefined);
      client.send(`GET /none HTTP/1.1\r\n${H}\r\n`);
      assert.equal((await client.answer()).status, 404);
      client.close();
    });
  }
  assert.equal(o.connections, garbage.length, 'no such connection is used again');
  await w.metricIs('weir_requests_total', { api: 'open', code: 502, reason: 'upstream_invalid' }, garbage.length);
});

test('an answer with bare LFs never ends, and is given up when the origin closes', async (t) => {
  const o = await origin(t, async (wire) => {
    await wire.request();
    wire.send(LF_ONLY);
    wire.finish();
  });
  const w = await Weir.start(t, config(o));
  const answer = await call(w.gateway, GET);
  assert.deepEqual([answer.status, answer.get('Weir-Reason')], [502, 'upstream_reset']);
});

test('chunks that break in the middle of an answer break the answer', async (t) => {
  const o = await origin(t, async (wire) => {
    await wire.request();
    wire.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    await until(() => passed, 'the client to have seen the first chunk');
    wire.send('-5\r\nworld\r\n0\r\n\r\n');
    await wire.rest();
    wire.close();
  });
  let passed = false;
  const w = await Weir.start(t, config(o));
  const client = await Wire.connect(w.gateway);
  client.send(GET);
  await client.head();
  assert.equal(await client.bytes(10), '5\r\nhello\r\n');
  passed = true;
  assert.equal(await client.rest(), '');
  client.close();
  const row = await record(w, '/open');
  assert.deepEqual([row.status, row.reason], [200, 'upstream_invalid']);
});

test('what an origin sends behind its answer is thrown away with the connection', async (t) => {
  const o = await echo(t, (request, number) => (number === 1
    ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfake'
    : 'true'));
  const w = await Weir.start(t, config(o));
  const client = await Wire.connect(w.gateway);
  client.send(GET);
  assert.equal((await client.answer()).body, 'first');
  client.send(GET);
  assert.equal((await client.answer()).body, 'true');
  client.close();
  assert.equal(o.connections, 2);
});

test('a body that stops coming is answered 408', async (t) => {
  const o = await origin(t);
  const w = await Weir.start(t, { ...config(o), gateway: { body_timeout: '100ms' } });
  const client = await Wire.connect(w.gateway);
  client.send(`POST /open HTTP/1.1\r\n${H}Content-Length: 100\r\n\r\nhalf`);
  const answer = await client.answer();
  assert.deepEqual([answer.status, answer.get('Weir-Reason'), answer.get('Connection')], [408, 'request_timeout', 'close']);
  client.close();
});

test('an origin that stops in the middle of a body is given up after the time of the route', async (t) => {
  const o = await origin(t, async (wire) => {
    await wire.request();
    wire.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
  });
  const w = await Weir.start(t, config(o, { timeout: '100ms' }));
  const client = await Wire.connect(w.gateway);
  client.send(GET);
  assert.equal((await client.head()).get('Content-Length'), '100');
  assert.equal(await client.rest(), 'half');
  client.close();
  const row = await record(w, '/open');
  assert.deepEqual([row.status, row.reason], [200, 'upstream_timeout']);
});

test('a kept connection that dies with the next request: GET and PUT are sent again, POST never', async (t) => {
  const sent = [];
  const o = await origin(t, async (wire) => {
    for (let n = 1; ; n++) {
      const request = await wire.request();
      sent.push(`${request.method} ${request.target} ${request.body}`);
      if (n === 2) return wire.resetNow(); // every second request of a connection
      wire.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    }
  });
  const w = await Weir.start(t, config(o));
  const client = await Wire.connect(w.gateway);
  const ask = (method, path, body = '') => {
    client.send(`${method} ${path} HTTP/1.1\r\n${H}Content-Length: ${body.length}\r\n\r\n${body}`);
    return client.answer({ method });
  };
  assert.equal((await ask('GET', '/open/warm')).status, 200);
  assert.equal((await ask('GET', '/open/get')).status, 200);
  assert.equal((await ask('PUT', '/open/put', 'body')).status, 200);
  assert.equal((await ask('POST', '/open/post', 'body')).status, 502);
  client.close();
  assert.deepEqual(sent, [
    'GET /open/warm ', 'GET /open/get ', 'GET /open/get ', 'PUT /open/put body', 'PUT /open/put body', 'POST /open/post body',
  ]);
  const rows = await w.requestsAre(4);
  assert.deepEqual(rows.map((row) => row.status), [200, 200, 200, 502]);
});

test('with one target down the next takes the call, and the record tells how many were tried', async (t) => {
  const o = await echo(t);
  const down = await echo(t);
  await down.close();
  const w = await Weir.start(t, {
    upstreams: { o: { targets: [down.url, o.url] } },
    apis: { open: { upstream: 'o', auth: 'none', match: { paths: ['/open'] } } },
  });
  for (let i = 0; i < 8; i++) assert.equal((await call(w.gateway, GET)).status, 200);
  const rows = await w.requestsAre(8);
  assert.ok(rows.some((row) => row.attempts === 2), 'a first attempt met the target that is down');
  assert.ok(rows.filter((row) => row.attempts === 1).length >= 4, 'it is left alone afterwards');
  assert.ok(rows.every((row) => row.target === o.url.slice('http://'.length)), 'the record names the one that answered');
});
