// SPDX-License-Identifier: Apache-2.0
//
// What a hostile client or a strange origin tried once, and what must not come of it again.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { folder, program, until, weir, Weir } from './lib/weir.mjs';
import { call, echo, origin, Wire } from './lib/wire.mjs';

const H = 'Host: a.example\r\n';
const GET = `GET /open HTTP/1.1\r\n${H}\r\n`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const config = (o, more = {}) => ({
  upstreams: { o: { targets: [o.url] } },
  apis: { open: { upstream: 'o', auth: 'none', match: { paths: ['/open'] }, max_body: 0, ...more } },
});

// Sends the body back while it comes.
const parrot = (t) => origin(t, async (wire) => {
  await wire.head();
  wire.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (;;) {
    const size = parseInt(await wire.upTo('\r\n'), 16);
    const piece = await wire.bytes(size + 2);
    wire.send(`${size.toString(16)}\r\n${piece}`);
    if (size === 0) return;
  }
});

test('an answer that begins before the request ends: both go on to their ends', async (t) => {
  const o = await parrot(t);
  const w = await Weir.start(t, config(o));
  const client = await Wire.connect(w.gateway);
  client.send(`POST /open HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`);
  const head = await client.head();
  assert.equal(head.first, 'HTTP/1.1 200 OK');
  assert.equal(head.get('Connection'), 'close', 'said while it was not sure that the request would end');
  assert.equal(await client.bytes(10), '5\r\nfirst\r\n');
  client.send('6\r\nsecond\r\n');
  assert.equal(await client.bytes(11), '6\r\nsecond\r\n');
  client.send('0\r\n\r\n');
  assert.equal(await client.chunked(), '');
  client.close();
  const [row] = await w.requestsAre(1);
  assert.deepEqual([row.status, row.reason], [200, '']);
});

test('more than all buffers hold comes back while it is sent', async (t) => {
  const o = await parrot(t);
  const w = await Weir.start(t, config(o));
  const client = await Wire.connect(w.gateway);
  const piece = 'x'.repeat(1 << 20);
  client.send(`POST /open HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n`);
  for (let i = 0; i < 40; i++) client.send(`${piece.length.toString(16)}\r\n${piece}\r\n`);
  client.send('0\r\n\r\n');
  const answer = await client.answer();
  assert.equal(answer.status, 200);
  assert.equal(answer.body.length, 40 << 20);
  client.close();
});

test('chunks that turn out broken when the answer has begun end both, and are told in the record', async (t) => {
  const o = await parrot(t);
  const w = await Weir.start(t, config(o));
  const client = await Wire.connect(w.gateway);
  client.send(`POST /open HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`);
  await client.head();
  await client.bytes(10);
  client.send('-1\r\n');
  assert.equal(await client.rest(), '', 'no last chunk is invented');
  await o.wires[0].rest(); // the gateway closed it
  const [row] = await w.requestsAre(1);
  assert.deepEqual([row.status, row.reason], [200, 'bad_request']);
});

test('a body of which more was read than its first piece is not sent again', async (t) => {
  let reset;
  const o = await origin(t, async (wire, number) => {
    await wire.request();
    wire.send(OK);
    const head = await wire.head();
    await wire.upTo('hello\r\n');
    if (number === 1) reset = () => wire.resetNow();
    else throw new Error(`sent again: ${head.first} ${JSON.stringify(wire.in)}`);
  });
  const w = await Weir.start(t, config(o));
  const client = await Wire.connect(w.gateway);
  client.send(GET);
  assert.equal((await client.answer()).status, 200);
  client.send(`PUT /open HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
  await until(() => reset, 'the first piece at the origin');
  client.send('000000000000005\r\n'); // framing alone, over the place where "hello" was
  for (let i = 0; i < 20; i++) assert.equal((await call(w.gateway, `GET /nowhere HTTP/1.1\r\n${H}\r\n`)).status, 404);
  reset();
  const answer = await client.answer();
  assert.equal(answer.status, 502);
  assert.equal(answer.get('Weir-Reason'), 'upstream_reset');
  assert.deepEqual(o.faults, []);
  assert.equal(o.connections, 1);
  client.close();
});

test('an origin with nothing but interim answers is given up', async (t) => {
  const o = await origin(t, async (wire) => {
    await wire.request();
    wire.send('HTTP/1.1 102 Processing\r\n\r\n'.repeat(1000));
  });
  const w = await Weir.start(t, config(o));
  const answer = await call(w.gateway, GET);
  assert.equal(answer.status, 502);
  assert.equal(answer.get('Weir-Reason'), 'upstream_invalid');
});

test('what an origin may not say in our name, and what 204 may not have, stays behind', async (t) => {
  const o = await echo(t, () => 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nweir-reason: key_invalid\r\n\r\n');
  const w = await Weir.start(t, config(o));
  const answer = await call(w.gateway, GET);
  assert.equal(answer.status, 204);
  assert.equal(answer.get('Content-Length'), undefined);
  assert.equal(answer.get('Weir-Reason'), undefined);
});

test('a Host that is not routed by cannot write into Forwarded', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  const target = 'http://a.example/open';
  await call(w.gateway, `GET ${target} HTTP/1.1\r\nHost: x";for=6.6.6.6;by="y\r\n\r\n`);
  await call(w.gateway, 'GET /open HTTP/1.0\r\n\r\n');
  assert.equal(o.requests[0].get('Forwarded'), 'for=127.0.0.1;host="a.example";proto=http');
  assert.equal(o.requests[0].get('X-Forwarded-Host'), 'a.example');
  assert.equal(o.requests[1].get('Forwarded'), 'for=127.0.0.1;proto=http');
  assert.equal(o.requests[1].get('X-Forwarded-Host'), undefined);
});

test('a key in the query of a malformed request is not recorded', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  for (const text of [
    `GET /open?api_key=hidden-in-it HTTP/1.1\r\n${H}no field\r\n\r\n`,
    'GET /open?api_key=hidden-in-it HTTP/1.1\r\n\r\n',
    `TRACE /open?api_key=hidden-in-it HTTP/1.1\r\n${H}\r\n`,
    `GET http://user:hidden-in-it@a.example/open HTTP/1.1\r\n${H}\r\n`,
    `GET api_key=hidden-in-it HTTP/1.1\r\n${H}\r\n`,
  ]) {
    assert.ok((await call(w.gateway, text)).status >= 400, text);
  }
  const rows = await w.requestsAre(5);
  for (const row of rows) assert.ok(!JSON.stringify(row).includes('hidden-in-it'), JSON.stringify(row));
});

// Holds the write lock of a database until release() is called.
async function hold(t, file) {
  const holder = spawn('sqlite3', [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => holder.kill());
  let said = '';
  holder.stdout.on('data', (chunk) => { said += chunk; });
  holder.stdin.write('.timeout 10000\nBEGIN IMMEDIATE;\nSELECT \'it is held\';\n');
  await until(() => said.includes('it is held'), 'the lock');
  return () => holder.stdin.end('ROLLBACK;\n');
}

test('what was let through is counted, also when the journal fills before it is answered', async (t) => {
  const waiting = [];
  const o = await origin(t, async (wire) => {
    for (;;) {
      await wire.head();
      waiting.push(() => wire.send(OK));
    }
  });
  const w = await Weir.start(t, { ...config(o), analytics: { journal_size: '1MiB' } });
  const release = await hold(t, join(w.data, 'analytics', 'totals.db'));
  const long = 'x'.repeat(2000);
  const text = `GET /open/${long} HTTP/1.1\r\n${H}User-Agent: ${long}\r\nReferer: http://${long}\r\nConnection: close\r\n\r\n`;
  const calls = Array.from({ length: 800 }, () => call(w.gateway, text));
  let refused = 0;
  for (const c of calls) c.then((answer) => { refused += answer.status === 503; });
  await until(() => waiting.length + refused === calls.length, 'all calls to wait or to be refused');
  for (const answer of waiting) answer();
  const answers = await Promise.all(calls);
  const served = answers.filter((answer) => answer.status === 200);
  assert.equal(served.length, waiting.length);
  assert.ok(answers.every((answer) => answer.status === 200 || answer.get('Weir-Reason') === 'overloaded'));
  release();
  const rows = await w.requestsAre(served.length, 'status = 200');
  assert.deepEqual(new Set(rows.map((row) => row.id)), new Set(served.map((answer) => answer.get('X-Request-Id'))));
});

test('a path that another server could read as that of another API is refused, and `weir route` says so', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, {
    ...config(o),
    apis: {
      open: { upstream: 'o', auth: 'none', match: { paths: ['/open'] } },
      users: { upstream: 'o', match: { paths: ['/users'] } },
    },
  });
  for (const path of ['/open/..%2Fusers', '/open/..\\users', '/users/../open', '/users/a/%2e%2e/%2e%2e/open/b']) {
    const answer = await call(w.gateway, `GET ${path} HTTP/1.1\r\n${H}\r\n`);
    assert.deepEqual([answer.status, answer.get('Weir-Reason')], [400, 'bad_request'], path);
    assert.match(weir(['route', 'GET', path, '-c', w.file]).stdout, /400 bad_request/, path);
  }
  assert.equal((await call(w.gateway, `GET /open/a/../b%2Fc HTTP/1.1\r\n${H}\r\n`)).status, 200);
  assert.deepEqual(o.requests.map((request) => request.target), ['/open/a/../b%2Fc']);
});

test('a key is not recorded wherever in the request it stands', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, {
    ...config(o),
    apis: {
      open: { upstream: 'o', auth: 'none', match: { paths: ['/open'] } },
      users: { upstream: 'o', match: { paths: ['/users'] }, auth: { type: 'key', query_param: 'k' } },
    },
    plans: { free: { apis: ['users'] } },
    apps: { acme: { plan: 'free', keys: { file: 'imported-secret-of-acme' } } },
  });
  const made = weir(['key', 'create', '--app', 'acme', '-c', w.file]);
  const issued = made.stdout.trim();
  assert.match(issued, /^weir_live_/, made.stderr);
  for (const target of [
    '/users?k=imported-secret-of-acme', '/users?K=imported-secret-of-acme', '/open?k=imported-secret-of-acme',
    '/nowhere?k=imported-secret-of-acme', `/open/${issued}/x`, `/open?${issued}`, `/open?a=b&url=http://x/${issued}/weir_`,
  ]) {
    await call(w.gateway,
      `GET ${target} HTTP/1.1\r\n${H}Referer: http://x/${issued}\r\nUser-Agent: my ${issued}\r\nX-Request-Id: a-${issued}\r\n\r\n`);
  }
  const rows = await w.requestsAre(7);
  const text = JSON.stringify(rows);
  assert.ok(!text.includes('imported-secret'), text);
  assert.ok(!text.includes(issued.slice(0, 14)), text);
  assert.deepEqual(rows.map((row) => `${row.path}?${row.query}`).sort(), [
    '/nowhere?k=***', '/open/***/x?', '/open?***', '/open?a=b&url=http://x/***/weir_', '/open?k=***', '/users?K=***', '/users?k=***',
  ]);
  for (const row of rows)
    assert.deepEqual([row.referer, row.user_agent, row.client_request_id], ['http://x/***', 'my ***', 'a-***']);
});

test('a client of the control socket that says nothing keeps neither commands nor the end waiting', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  const silent = Array.from({ length: 2 }, () => net.connect(join(w.data, 'control.sock')).on('error', () => {}));
  t.after(() => silent.forEach((socket) => socket.destroy()));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  const listed = weir(['key', 'list', '-c', w.file]);
  assert.equal(listed.code, 0, listed.stderr);
  silent.push(net.connect(join(w.data, 'control.sock')).on('error', () => {}));
  await once(silent[2], 'connect');
  assert.deepEqual(await w.stop(), { code: 0, signal: null });
});

test('a fault that shows only when the routes are made is one line of `weir check`', async (t) => {
  const o = await echo(t);
  const w = new Weir(t, config(o, { match: { paths: ['~('] } }));
  const { code, stdout, stderr } = weir(['check', '-c', w.file]);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^[^\n]*"~\("[^\n]*\n$/);
});

test('a data directory that is removed under a running instance is noticed', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  assert.equal((await w.ask('/readyz')).status, 200);
  renameSync(w.data, `${w.data}.gone`);
  mkdirSync(w.data);
  const { status, body } = await w.ask('/readyz');
  assert.equal(status, 503);
  assert.match(body, /removed or replaced/);
  await until(() => w.log.includes('data directory was removed or replaced'), 'a line in the log');
  assert.equal((await call(w.gateway, GET)).status, 200, 'calls are served all the same');
  rmdirSync(w.data);
  renameSync(`${w.data}.gone`, w.data);
  assert.equal((await w.ask('/readyz')).status, 200);
});

test('what a stranger sent cannot write to the terminal of who reads it', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config(o));
  await call(w.gateway, `GET /open HTTP/1.1\r\n${H}User-Agent: \xc2\x9b2Jgone\xc2\x9b\r\n\r\n`);
  await w.requestsAre(1);
  const sql = (format) => `'${program}' sql -c '${w.file}' --format ${format} 'SELECT user_agent FROM requests'`;
  for (const format of ['csv', 'json', 'table']) {
    const shown = spawnSync('script', ['-qec', sql(format), '/dev/null'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    assert.match(shown.stdout, /\?2Jgone\?/, format);
  }
  const piped = spawnSync('sh', ['-c', sql('csv')], { encoding: 'utf8' });
  assert.equal(piped.stdout, 'user_agent\n\u009b2Jgone\u009b\n', 'a program gets what was recorded');
});

test('a name server that says nothing keeps nothing waiting', async (t) => {
  const dns = createSocket('udp4');
  let queries = 0;
  dns.on('message', () => { queries += 1; });
  dns.bind(53, '127.0.0.77');
  const bound = await Promise.race([once(dns, 'listening').then(() => true), once(dns, 'error').then(() => false)]);
  if (bound) t.after(() => dns.close());
  const resolv = join(folder(t), 'resolv.conf');
  writeFileSync(resolv, 'nameserver 127.0.0.77\n');
  const namespace = ['unshare', '-m', 'sh', '-c', `mount --bind ${resolv} /etc/resolv.conf && exec "$@"`, 'sh'];
  if (!bound || spawnSync(namespace[0], [...namespace.slice(1), 'true']).status !== 0)
    return t.skip('a name server of our own needs root and mount namespaces');

  // each name takes ten seconds of silence: far longer, one after the other, than anything here is waited for
  const upstreams = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`n${i}`, { targets: [`http://n${i}.example.com`] }]));
  const o = await echo(t);
  const base = config(o);
  const apis = { ...base.apis, dead: { upstream: 'n7', auth: 'none', match: { paths: ['/dead'] } } };
  const w = await Weir.start(t, { upstreams: { ...base.upstreams, ...upstreams }, apis }, { wrap: namespace });
  await until(() => queries > 0, 'a query');
  for (const path of ['/readyz', '/metrics', '/api/v1/status']) assert.ok((await w.ask(path)).status < 500, path);
  assert.equal((await call(w.gateway, GET)).status, 200);
  assert.equal((await call(w.gateway, `GET /dead HTTP/1.1\r\n${H}\r\n`)).get('Weir-Reason'), 'upstream_unavailable');
  w.write({ upstreams: { ...base.upstreams, ...upstreams }, apis: { ...apis, more: { upstream: 'o', auth: 'none', match: { paths: ['/more'] } } } });
  await until(async () => (await call(w.gateway, `GET /more HTTP/1.1\r\n${H}\r\n`)).status === 200, 'the reload');
});
