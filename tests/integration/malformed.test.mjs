// SPDX-License-Identifier: Apache-2.0
//
// Requests that no gateway may pass on (RFC 9112 §3, §5, §6, §11): each gets one answer, the connection is closed, the
// origin sees nothing of it, and of what was sent behind it nothing is served.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until, Weir } from './lib/weir.mjs';
import { origin, Wire } from './lib/wire.mjs';

const H = 'Host: a.example\r\n';
const GET = `GET /open HTTP/1.1\r\n${H}`;
const POST = `POST /open HTTP/1.1\r\n${H}`;
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
const many = Array.from({ length: 101 }, (_, i) => `X-${i}: 1\r\n`).join('');

// A request that would be served if what came before it were taken for one without a body, or for one with less.
const SMUGGLED = `GET /open/smuggled HTTP/1.1\r\n${H}\r\n`;

// [what is wrong, what is sent, status, what follows it]
const heads = [
  // the request line
  ['no method', ` /open HTTP/1.1\r\n${H}\r\n`, 400],
  ['a method that is no token', `GE(T /open HTTP/1.1\r\n${H}\r\n`, 400],
  ['a method with a colon', `GET: /open HTTP/1.1\r\n${H}\r\n`, 400],
  ['no target', `GET HTTP/1.1\r\n${H}\r\n`, 400],
  ['an empty target', `GET  HTTP/1.1\r\n${H}\r\n`, 400],
  ['two spaces before the target', `GET  /open HTTP/1.1\r\n${H}\r\n`, 400],
  ['two spaces before the version', `GET /open  HTTP/1.1\r\n${H}\r\n`, 400],
  ['a space behind the version', `GET /open HTTP/1.1 \r\n${H}\r\n`, 400],
  ['a space before the method', ` GET /open HTTP/1.1\r\n${H}\r\n`, 400],
  ['tabs in the request line', `GET\t/open\tHTTP/1.1\r\n${H}\r\n`, 400],
  ['a vertical tab in the request line', `GET\x0b/open HTTP/1.1\r\n${H}\r\n`, 400],
  ['a form feed in the request line', `GET /open\x0cHTTP/1.1\r\n${H}\r\n`, 400],
  ['a bare CR in the request line', `GET /open\rHTTP/1.1\r\n${H}\r\n`, 400],
  ['a space in the target', `GET /open/a b HTTP/1.1\r\n${H}\r\n`, 400],
  ['a NUL in the target', `GET /open/\0 HTTP/1.1\r\n${H}\r\n`, 400],
  ['a control character in the target', `GET /open/\x01 HTTP/1.1\r\n${H}\r\n`, 400],
  ['a DEL in the target', `GET /open/\x7f HTTP/1.1\r\n${H}\r\n`, 400],
  ['a fragment in the target', `GET /open#x HTTP/1.1\r\n${H}\r\n`, 400],
  ['no version', `GET /open\r\n${H}\r\n`, 400],
  ['a version in lower case', `GET /open http/1.1\r\n${H}\r\n`, 400],
  ['a version of one number', `GET /open HTTP/1\r\n${H}\r\n`, 400],
  ['a version of two digits', `GET /open HTTP/1.10\r\n${H}\r\n`, 400],
  ['another protocol', `GET /open ICAP/1.0\r\n${H}\r\n`, 400],
  ['HTTP/0.9', `GET /open HTTP/0.9\r\n${H}\r\n`, 505],
  ['HTTP/1.2', `GET /open HTTP/1.2\r\n${H}\r\n`, 505],
  ['HTTP/2.0', `GET /open HTTP/2.0\r\n${H}\r\n`, 505],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['CONNECT', `CONNECT a.example:443 HTTP/1.1\r\n${H}\r\n`, 501],
  ['TRACE', `TRACE /open HTTP/1.1\r\n${H}\r\n`, 501],
  ['three empty lines before the request', `\r\n\r\n\r\n${GET}\r\n`, 400],
  ['a line feed before the request', `\n${GET}\r\n`, 400],
  ['a target of 9000 bytes', `GET /open/${'a'.repeat(9000)} HTTP/1.1\r\n${H}\r\n`, 414],
  ['a query of 9000 bytes', `GET /open?${'a'.repeat(9000)} HTTP/1.1\r\n${H}\r\n`, 414],
  ['a request line without end', `GET /open/${'a'.repeat(9000)}`, 414, ''],
  // the target
  ['a target that is no path', `GET open HTTP/1.1\r\n${H}\r\n`, 400],
  ['a target of another scheme', `GET ftp://a.example/open HTTP/1.1\r\n${H}\r\n`, 400],
  ['an absolute target without host', `GET http:///open HTTP/1.1\r\n${H}\r\n`, 400],
  ['a user in the target', `GET http://u@a.example/open HTTP/1.1\r\n${H}\r\n`, 400],
  ['* with GET', `GET * HTTP/1.1\r\n${H}\r\n`, 400],
  ['a percent sign alone', `GET /open/% HTTP/1.1\r\n${H}\r\n`, 400],
  ['half a percent escape', `GET /open/%4 HTTP/1.1\r\n${H}\r\n`, 400],
  ['a percent escape that is not hexadecimal', `GET /open/%zz HTTP/1.1\r\n${H}\r\n`, 400],
  ['an encoded NUL', `GET /open/%00 HTTP/1.1\r\n${H}\r\n`, 400],
  ['an encoded line feed', `GET /open/%0a HTTP/1.1\r\n${H}\r\n`, 400],
  ['an encoded DEL', `GET /open/%7f HTTP/1.1\r\n${H}\r\n`, 400],
  // Host
  ['no Host', 'GET /open HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', `${GET}Host: b.example\r\n\r\n`, 400],
  ['two equal Hosts', `${GET}${H}\r\n`, 400],
  ['a list of Hosts', 'GET /open HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n', 400],
  ['a Host with a space', 'GET /open HTTP/1.1\r\nHost: a example\r\n\r\n', 400],
  ['a Host with a path', 'GET /open HTTP/1.1\r\nHost: a.example/x\r\n\r\n', 400],
  ['a Host with a user', 'GET /open HTTP/1.1\r\nHost: u@a.example\r\n\r\n', 400],
  ['a Host with a port that is no number', 'GET /open HTTP/1.1\r\nHost: a.example:x\r\n\r\n', 400],
  ['a Host with a port out of range', 'GET /open HTTP/1.1\r\nHost: a.example:65536\r\n\r\n', 400],
  ['a Host with half an IPv6 address', 'GET /open HTTP/1.1\r\nHost: [::1\r\n\r\n', 400],
  // fields
  ['a field without colon', `${GET}X\r\n\r\n`, 400],
  ['a field without name', `${GET}: x\r\n\r\n`, 400],
  ['a space before the colon', `${GET}X : 1\r\n\r\n`, 400],
  ['a tab before the colon', `${GET}X\t: 1\r\n\r\n`, 400],
  ['a space in a name', `${GET}X Y: 1\r\n\r\n`, 400],
  ['a control character in a name', `${GET}X\x01: 1\r\n\r\n`, 400],
  ['a NUL in a name', `${GET}X\0: 1\r\n\r\n`, 400],
  ['a byte above ASCII in a name', `${GET}X\xe9: 1\r\n\r\n`, 400],
  ['a NUL in a value', `${GET}X: a\0b\r\n\r\n`, 400],
  ['a control character in a value', `${GET}X: a\x08b\r\n\r\n`, 400],
  ['a DEL in a value', `${GET}X: a\x7fb\r\n\r\n`, 400],
  ['a bare CR in a value', `${GET}X: a\rb\r\n\r\n`, 400],
  ['a bare CR that hides a field', `${GET}X: a\rContent-Length: 5\r\n\r\n`, 400],
  ['a field folded with a space', `${GET}X: a\r\n b\r\n\r\n`, 400],
  ['a field folded with a tab', `${GET}X: a\r\n\tb\r\n\r\n`, 400],
  ['a space before the first field', `GET /open HTTP/1.1\r\n ${H}\r\n`, 400],
  ['a bare LF behind the request line', `GET /open HTTP/1.1\n${H}\r\n`, 400],
  ['a bare LF behind a field', `${GET}X: 1\nY: 2\r\n\r\n`, 400],
  ['a bare LF at the end of the head', `${GET}\n`, 400],
  ['bare LFs throughout', 'GET /open HTTP/1.1\nHost: a.example\n\n', 400],
  ['two CRs before the LF', `${GET}X: 1\r\r\n\r\n`, 400],
  ['101 fields', `GET /open HTTP/1.1\r\n${H}${many}\r\n`, 431],
  ['a field of 40 KiB', `${GET}X: ${'a'.repeat(40960)}\r\n\r\n`, 431],
  ['a head without end', `${GET}X: ${'a'.repeat(40960)}`, 431, ''],
  // framing
  ['Content-Length with a plus', `${POST}Content-Length: +5\r\n\r\n`, 400],
  ['Content-Length with a minus', `${POST}Content-Length: -5\r\n\r\n`, 400],
  ['Content-Length with letters behind', `${POST}Content-Length: 5abc\r\n\r\n`, 400],
  ['Content-Length in hexadecimal', `${POST}Content-Length: 0x5\r\n\r\n`, 400],
  ['Content-Length with a fraction', `${POST}Content-Length: 5.0\r\n\r\n`, 400],
  ['Content-Length in two parts', `${POST}Content-Length: 5 5\r\n\r\n`, 400],
  ['an empty Content-Length', `${POST}Content-Length:\r\n\r\n`, 400],
  ['a list of Content-Lengths', `${POST}Content-Length: 5, 5\r\n\r\n`, 400],
  ['two Content-Lengths', `${POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`, 400],
  ['two equal Content-Lengths', `${POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`, 400],
  ['a Content-Length beyond 63 bits', `${POST}Content-Length: 9223372036854775808\r\n\r\n`, 400],
  ['a Content-Length beyond 64 bits', `${POST}Content-Length: 18446744073709551621\r\n\r\n`, 400],
  ['Transfer-Encoding with Content-Length', `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n`, 400],
  ['Content-Length with Transfer-Encoding', `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
  ['Transfer-Encoding in HTTP/1.0', `POST /open HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n`, 400],
  ['Transfer-Encoding: identity', `${POST}Transfer-Encoding: identity\r\n\r\n`, 400],
  ['identity with Content-Length', `${POST}Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n`, 400],
  ['chunked twice in a list', `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n`, 400],
  ['chunked twice', `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
  ['chunked, then identity', `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n`, 400],
  ['an empty Transfer-Encoding', `${POST}Transfer-Encoding:\r\n\r\n`, 400],
  ['a Transfer-Encoding of commas', `${POST}Transfer-Encoding: ,\r\n\r\n`, 400],
  ['chunked with a parameter', `${POST}Transfer-Encoding: chunked;q=1\r\n\r\n`, 400],
  ['chunked in quotes', `${POST}Transfer-Encoding: "chunked"\r\n\r\n`, 400],
  ['chunked behind a vertical tab', `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n`, 400],
  ['a space before the colon of Transfer-Encoding', `${POST}Transfer-Encoding : chunked\r\n\r\n`, 400],
  ['Transfer-Encoding folded', `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n`, 400],
  ['gzip', `${POST}Transfer-Encoding: gzip\r\n\r\n`, 501],
  ['gzip, then chunked', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
  ['chunked, then gzip', `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n`, 501],
  ['a coding that resembles chunked', `${POST}Transfer-Encoding: xchunked\r\n\r\n`, 501],
  // fields that decide about others
  ['Connection that names Host', `${GET}Connection: host\r\n\r\n`, 400],
  ['Connection that names Content-Length', `${POST}Content-Length: 5\r\nConnection: content-length\r\n\r\n`, 400],
  ['Connection that names the key', `${GET}Connection: x-api-key\r\n\r\n`, 400],
  ['Connection that is no list of names', `${GET}Connection: a b\r\n\r\n`, 400],
  ['an unknown expectation', `${POST}Content-Length: 5\r\nExpect: 200-ok\r\n\r\n`, 400],
];

// Faults that have arrived with the head are found before anything goes upstream.
const bodies = [
  ['a chunk size with a minus', `${CHUNKED}-5\r\nhello\r\n0\r\n\r\n`, 400],
  ['a chunk size with a plus', `${CHUNKED}+5\r\nhello\r\n0\r\n\r\n`, 400],
  ['a chunk size with 0x', `${CHUNKED}0x5\r\nhello\r\n0\r\n\r\n`, 400],
  ['a chunk size behind a space', `${CHUNKED} 5\r\nhello\r\n0\r\n\r\n`, 400],
  ['a chunk size that is no number', `${CHUNKED}g\r\nhello\r\n0\r\n\r\n`, 400],
  ['an empty chunk size', `${CHUNKED}\r\nhello\r\n0\r\n\r\n`, 400],
  ['a chunk size of two numbers', `${CHUNKED}5 5\r\nhello\r\n0\r\n\r\n`, 400],
  ['a chunk size beyond 64 bits', `${CHUNKED}10000000000000005\r\nhello\r\n0\r\n\r\n`, 400],
  ['a chunk size of all bits', `${CHUNKED}ffffffffffffffff\r\nhello\r\n0\r\n\r\n`, 400],
  ['a bare LF behind a chunk size', `${CHUNKED}5\nhello\r\n0\r\n\r\n`, 400],
  ['a bare CR behind a chunk size', `${CHUNKED}5\rhello\r\n0\r\n\r\n`, 400],
  ['a bare LF behind a chunk', `${CHUNKED}5\r\nhello\n0\r\n\r\n`, 400],
  ['a chunk that is longer than its size', `${CHUNKED}5\r\nhello!\r\n0\r\n\r\n`, 400],
  ['a chunk that is shorter than its size', `${CHUNKED}6\r\nhello\r\n0\r\n\r\n`, 400],
  ['a control character in a chunk extension', `${CHUNKED}5;a=\x01\r\nhello\r\n0\r\n\r\n`, 400],
  ['a bare LF in a chunk extension', `${CHUNKED}5;a\nhello\r\n0\r\n\r\n`, 400],
  ['a bare CR in a chunk extension', `${CHUNKED}5;a\rb\r\nhello\r\n0\r\n\r\n`, 400],
  ['a chunk extension of 20 KiB', `${CHUNKED}5;${'a'.repeat(20480)}\r\nhello\r\n0\r\n\r\n`, 400],
  ['a bare LF behind the last chunk', `${CHUNKED}5\r\nhello\r\n0\n\r\n`, 400],
  ['a bare LF at the end of the trailers', `${CHUNKED}5\r\nhello\r\n0\r\n\n`, 400],
  ['a trailer without name', `${CHUNKED}5\r\nhello\r\n0\r\n: 1\r\n\r\n`, 400],
  ['a space in a trailer name', `${CHUNKED}5\r\nhello\r\n0\r\nX Y: 1\r\n\r\n`, 400],
  ['a folded trailer', `${CHUNKED}5\r\nhello\r\n0\r\nX: 1\r\n 2\r\n\r\n`, 400],
  ['a bare LF in a trailer', `${CHUNKED}5\r\nhello\r\n0\r\nX: 1\nY: 2\r\n\r\n`, 400],
];

const CODES = { 400: 'bad_request', 414: 'uri_too_long', 431: 'headers_too_large', 501: 'bad_request', 505: 'bad_request' };

// One answer, and the end of the connection.
async function refused(wire, status) {
  const answer = await wire.answer();
  assert.equal(answer.status, status);
  assert.equal(answer.get('Connection'), 'close');
  assert.equal(answer.get('Weir-Reason'), CODES[status]);
  assert.equal(answer.get('Content-Type'), 'application/problem+json');
  const problem = answer.json();
  assert.equal(problem.code, CODES[status]);
  assert.equal(problem.status, status);
  assert.equal(problem.request_id, answer.get('X-Request-Id'));
  assert.equal(await wire.rest(), '', 'nothing may follow the answer');
  return problem;
}

// At the speed of a connection that delivers one byte at a time, but for long runs of one letter.
async function dribble(wire, text) {
  for (const piece of text.match(/a{100,}|[^]/g)) {
    wire.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const config = (o) => ({
  upstreams: { o: { targets: [o.url] } },
  apis: { open: { upstream: 'o', auth: 'none', match: { paths: ['/open'] } } },
});

async function setUp(t) {
  const o = await origin(t, (wire) => wire.close());
  return { o, w: await Weir.start(t, config(o)) };
}

for (const [name, rows] of [['head', heads], ['body', bodies]]) {
  test(`a malformed ${name} is refused and nothing of it reaches the origin`, async (t) => {
    const { o, w } = await setUp(t);
    const told = new Map(); // request id -> status
    for (const [what, sent, status, behind = SMUGGLED] of rows) {
      await t.test(what, async () => {
        const wire = await Wire.connect(w.gateway);
        t.after(() => wire.close());
        wire.send(sent + behind);
        const problem = await refused(wire, status);
        wire.close();
        assert.equal(o.connections, 0, 'the origin must not hear of it');
        told.set(problem.request_id, status);
      });
    }
    for (const r of await w.requestsAre(rows.length)) {
      assert.deepEqual([r.api, r.app, r.status, r.reason, r.upstream, r.attempts],
        ['', '', told.get(r.id), CODES[r.status], '', 0]);
    }
    for (const status of new Set(rows.map((row) => row[2]))) {
      const expected = rows.filter((row) => row[2] === status).length;
      await w.metricIs('weir_requests_total', { api: '', code: status, reason: CODES[status] }, expected);
    }
    assert.equal((await w.stop()).code, 0);
  });
}

test('a malformed head is refused whatever the pieces it comes in', async (t) => {
  const { o, w } = await setUp(t);
  await Promise.all(heads.map(async ([what, sent, status]) => {
    const wire = await Wire.connect(w.gateway);
    t.after(() => wire.close());
    await dribble(wire, sent);
    await refused(wire, status).catch((error) => { throw new Error(`${what}: ${error.message}`); });
    wire.close();
  }));
  assert.equal(o.connections, 0);
  assert.equal((await w.stop()).code, 0);
});

test('a head that does not end is answered 408 in time', async (t) => {
  const o = await origin(t, (wire) => wire.close());
  const w = await Weir.start(t, { ...config(o), gateway: { head_timeout: '100ms' } });
  const wire = await Wire.connect(w.gateway);
  wire.send(GET);
  const answer = await wire.answer();
  assert.equal(answer.status, 408);
  assert.equal(answer.get('Weir-Reason'), 'request_timeout');
  assert.equal(answer.get('Connection'), 'close');
  assert.equal(await wire.rest(), '');
  wire.close();
  assert.equal(o.connections, 0);
  await w.metricIs('weir_requests_total', { api: '', code: 408, reason: 'request_timeout' }, 1);
});

test('a broken chunk that comes later ends the upstream connection and is answered 400', async (t) => {
  const o = await origin(t); // never answers
  const w = await Weir.start(t, config(o));
  const wire = await Wire.connect(w.gateway);
  wire.send(`${CHUNKED}5\r\nhello\r\n`);
  await until(() => o.wires[0]?.in.includes('hello'), 'the first chunk at the origin');
  wire.send(`+5\r\nworld\r\n0\r\n\r\n${SMUGGLED}`);
  await refused(wire, 400);
  wire.close();
  const rest = await o.wires[0].rest();
  assert.ok(!rest.includes('world') && !rest.endsWith('0\r\n\r\n'), `the body must stay incomplete: ${rest}`);
  assert.equal(o.connections, 1);
  await w.metricIs('weir_requests_total', { api: 'open', code: 400, reason: 'bad_request' }, 1);
});

test('long targets that resemble a redirect, and forms, are not for the server but for the origin', async (t) => {
  // CVE-2025-55763 is in a redirect that CivetWeb's file server makes, CVE-2025-9648 in its form parser
  const seen = [];
  const o = await origin(t, async (wire) => {
    for (;;) {
      seen.push(await wire.request());
      wire.send('HTTP/1.1 204 No Content\r\n\r\n');
    }
  });
  const w = await Weir.start(t, config(o));
  const wire = await Wire.connect(w.gateway);
  const target = `/open/${'%41/'.repeat(2000)}`;
  wire.send(`GET ${target} HTTP/1.1\r\n${H}\r\n`);
  assert.equal((await wire.answer()).status, 204);
  const form = '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\ndata'; // its end is missing
  wire.send(`${POST}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${form.length}\r\n\r\n${form}`);
  assert.equal((await wire.answer()).status, 204);
  wire.send(`${POST}Content-Type: multipart/form-data; boundary=\r\nContent-Length: 2\r\n\r\n--`);
  assert.equal((await wire.answer()).status, 204);
  wire.close();
  assert.equal(seen[0].target, target);
  assert.equal(seen[1].body, form);
  assert.equal(seen[2].body, '--');
  assert.equal((await w.stop()).code, 0);
});

test('a problem is whole also where the URL of the portal is as long as it may be', async (t) => {
  const url = 'http://dev.example/'.padEnd(200, '&');
  const w = await Weir.start(t, { ...config(await origin(t)), portal: { url } });
  const answerTo = async (accept) => {
    const wire = await Wire.connect(w.gateway);
    t.after(() => wire.close());
    wire.send(`GET /nowhere HTTP/1.1\r\n${H}Accept: ${accept}\r\n\r\n`);
    return wire.answer();
  };
  const json = await answerTo('application/json');
  const problem = json.json();
  assert.equal(problem.type, `${url}/problems/no_route`);
  assert.equal(problem.instance, `${url}/requests/${json.get('X-Request-Id')}`);
  const html = await answerTo('text/html');
  assert.ok(html.body.includes(`href="${url.replaceAll('&', '&amp;')}/problems/no_route"`), html.body);
  assert.ok(html.body.endsWith(`<code>${html.get('X-Request-Id')}</code>\n`), html.body);
});
