// SPDX-License-Identifier: Apache-2.0
//
// The log of requests by HTTP, as the pages use it: what became of one call, told to the people of its app and to
// operators, to each what is theirs.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { answerOf, breaches } from './lib/openapi.mjs';
import { operator, Person } from './lib/person.mjs';
import { startOrigin, startSite } from './lib/site.mjs';
import { until } from './lib/weir.mjs';

const NOWHERE = '0193551e-0000-7000-8000-000000000000';

const config = {
  portal: { registration: 'open' },
  apis: {
    hello: { upstream: 'origin', match: { paths: ['/hello'] } },
    posts: { upstream: 'origin', match: { paths: ['/posts'] }, access: { deny: ['127.0.0.0/8'] } },
  },
  plans: { free: { apis: ['hello', 'posts'], rate: { requests: 1, per: '1m', burst: 2 }, quota: { requests: 100, per: 'month' } } },
};

async function good(answer, status = 200) {
  const { json, body, ...rest } = await answer;
  assert.equal(rest.status, status, body);
  return json;
}

async function start(t, more = {}) {
  const site = await startSite(t, { ...config, ...more }, await startOrigin(t));
  const me = new Person(site.portal);
  await me.signUp('deniz@example.com', 'a long password', 'Deniz');
  const { name } = await good(me.send('POST', '/api/v1/apps', { title: 'Orders', plan: 'free' }), 201);
  const { key, secret } = await good(me.send('POST', `/api/v1/apps/${name}/keys`, { name: 'ci' }), 201);
  return { site, me, app: name, kid: key.kid, secret };
}

// The id of a call that was answered with this status.
async function call(site, path, secret, status) {
  const answer = await site.call(path, secret);
  assert.equal(answer.status, status, answer.body);
  return answer.headers['x-request-id'];
}

// What one is told of a call that is theirs, as soon as it is stored.
const told = (person, id) => until(async () => {
  const explanation = await person.json(`/api/v1/requests/${id}`);
  return !explanation.general && explanation;
}, 'the explanation');

const verdicts = ({ steps }) => steps.map(({ policy, verdict }) => `${policy} ${verdict}`);

test('a call is explained with who decided, when to try again, and what took how long', async (t) => {
  const { site, me, app, kid, secret } = await start(t);
  const served = await call(site, '/hello', secret, 200);
  await call(site, '/hello', secret, 200);
  const refused = await call(site, '/hello', secret, 429);

  const well = await told(me, served);
  assert.deepEqual([well.request_id, well.request.app, well.request.key, well.decided_by, well.reason, well.try_again_at],
    [served, app, kid, 'upstream', null, null]);
  assert.deepEqual(verdicts(well), ['key_auth pass', 'subscription pass', 'limits pass']);
  const ms = Object.fromEntries(well.timings.map(({ name, ms }) => [name, ms]));
  assert.equal(ms.total, well.request.duration_ms);
  assert.ok(Math.abs(ms.total - ms.gateway - ms.upstream) < 0.002, JSON.stringify(ms));

  const ill = await told(me, refused);
  assert.deepEqual([ill.decided_by, ill.reason.code, ill.request.status], ['limits', 'rate_limited', 429]);
  const [last] = ill.steps.slice(-1);
  assert.deepEqual([last.policy, last.refused, last.numbers.by, last.numbers.burst, last.numbers.month],
    ['limits', true, 'burst', '0/2', '98/100']);
  assert.match(last.detail, /^The limit burst was reached\. Left: burst 0\/2, month 98\/100\. Again in \d+ s\.$/);
  assert.equal(Date.parse(ill.try_again_at) - Date.parse(ill.request.time), last.numbers.retry_after_s * 1000);
  assert.ok(ill.timings.every(({ name }) => name !== 'upstream'), 'it was not forwarded');
});

test('every decision is a sentence in the language of who asks', async (t) => {
  const { site, me, secret } = await start(t);
  const ids = [];
  for (const status of [200, 200, 429]) ids.push(await call(site, '/hello', secret, status));
  for (const [language, words] of [['en', /^The key \w{8} is good/], ['tr', /^\w{8} anahtarı geçerli/]]) {
    await good(me.send('PATCH', '/api/v1/me', { locale: language }));
    for (const id of ids) {
      const { steps } = await told(me, id);
      for (const { policy, detail } of steps) assert.match(detail, /^[^{}=]+\.$/, `${policy}: ${detail}`);
      assert.match(steps.find(({ policy }) => policy === 'key_auth').detail, words);
      const page = await me.get(`/requests/${id}`, { accept: 'text/html' });
      for (const { detail } of steps) assert.ok(page.body.includes(detail.replaceAll("'", '&#39;')), detail);
    }
  }
});

test('what only operators may know is told in the console alone', async (t) => {
  const { site, me, secret } = await start(t);
  const boss = await operator(site);
  const bossHere = new Person(site.portal);
  await bossHere.signIn('operator@example.com', 'an operator password');
  const stranger = new Person(site.portal);
  await stranger.signUp('stranger@example.com', 'a long password', 'Stranger');
  const [served, denied] = [await call(site, '/hello', secret, 200), await call(site, '/posts', secret, 403)];

  for (const id of [served, denied]) {
    const all = await told(boss, id);
    const { upstream, target, attempts } = all.request;
    if (id === served) assert.deepEqual([upstream, typeof target, attempts], ['origin', 'string', 1]);
    else assert.deepEqual([upstream, target, attempts, all.steps[0].numbers.network], [undefined, undefined, 0, '127.0.0.0/8']);
    for (const person of [bossHere, ...(id === served ? [me] : [])]) {
      const some = await told(person, id);
      assert.ok(!/"(upstream|target|attempts|network)":/.test(JSON.stringify(some)), JSON.stringify(some));
      assert.deepEqual([some.decided_by, verdicts(some)], [all.decided_by, verdicts(all)]);
      const page = await person.get(`/requests/${id}`, { accept: 'text/html' });
      assert.ok(!page.body.includes('127.0.0.0/8'));
    }
  }
  const general = { general: true, request: null, reason: null, decided_by: null, try_again_at: null, steps: [], timings: [] };
  for (const [person, id] of [[stranger, served], [new Person(site.portal), served], [me, NOWHERE], [boss, NOWHERE]])
    assert.deepEqual(await person.json(`/api/v1/requests/${id}`), { request_id: id, ...general });
});

test('explanations and lists are what the OpenAPI documents say', async (t) => {
  const { site, me, app, secret } = await start(t);
  const boss = await operator(site);
  const ids = [await call(site, '/hello', secret, 200), await call(site, '/posts', secret, 403), await call(site, '/nothing', secret, 404)];
  await told(boss, ids[2]);
  for (const [person, row] of [[me, '/api/v1/apps/{app}/requests'], [boss, '/api/v1/requests']]) {
    const document = await person.json('/api/v1/openapi.json');
    const check = async (path, of) => assert.deepEqual([...breaches(document, answerOf(document, 'get', of), await person.json(path), `${of}:`)], []);
    await check(row.replace('{app}', app), row);
    for (const id of [...ids, NOWHERE]) await check(`/api/v1/requests/${id}`, '/api/v1/requests/{id}');
  }
});

// Rows of CSV, the first of them the names of the columns; quotes as RFC 4180 has them.
function rowsOf(text) {
  const lines = text.trimEnd().split('\r\n').map((line) =>
    [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain));
  const [names, ...rows] = lines;
  return rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])));
}

test('the log as CSV has every row once, over as many pages as it takes, and no formula', async (t) => {
  const { site, me, app, secret } = await start(t);
  const odd = ['/hello', '/hello?x=1,2', '/hello/%22a%22,b', '/hello/=1+1'];
  const ids = [];
  for (const path of odd) ids.push((await site.call(path, secret)).headers['x-request-id']);
  await until(async () => (await me.json(`/api/v1/apps/${app}/requests`)).items.length === odd.length, 'all to be listed');

  const answer = await me.get(`/api/v1/apps/${app}/requests.csv`);
  assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8');
  assert.equal(answer.headers['content-disposition'], 'attachment; filename="requests.csv"');
  assert.equal(answer.headers.link, undefined, 'there is no more');
  const rows = rowsOf(answer.body);
  assert.deepEqual(rows.map(({ id }) => id), [...ids].reverse());
  const { items } = await me.json(`/api/v1/apps/${app}/requests`);
  for (const [i, row] of rows.entries()) {
    const item = items[i];
    assert.deepEqual([row.time.slice(0, 23), row.path, row.status, row.app, row.client_ip], [item.time.slice(0, 23), item.path, String(item.status), app, '127.0.0.1']);
    assert.equal(Number(row.duration_ms), item.duration_ms);
  }
  // narrowed like the list, refused like the list
  const refused = rowsOf((await me.get(`/api/v1/apps/${app}/requests.csv?reason=rate_limited`)).body);
  assert.deepEqual(refused.map(({ id }) => id), ids.slice(2).reverse());
  assert.equal((await me.get(`/api/v1/apps/${app}/requests.csv?status=9xx`)).status, 422);
  const other = new Person(site.portal);
  await other.signUp('other@example.com', 'a long password', 'Other');
  assert.equal((await other.get(`/api/v1/apps/${app}/requests.csv`)).status, 404);

  const boss = await operator(site);
  const all = rowsOf((await boss.get('/api/v1/requests.csv')).body);
  assert.deepEqual(all.map(({ id }) => id), [...ids].reverse());
});

// So many calls on one connection, all written at once; done when all are answered.
async function callOften({ gateway: { host, port } }, secret, count) {
  const socket = net.connect(port, host);
  socket.write(`GET /hello HTTP/1.1\r\nHost: gateway\r\nX-API-Key: ${secret}\r\n\r\n`.repeat(count));
  let answers = 0;
  let tail = '';
  for await (const chunk of socket) {
    const text = tail + chunk.toString('latin1');
    answers += text.split('HTTP/1.1 ').length - 1;
    tail = text.slice(-8).replaceAll('HTTP/1.1 ', '');
    if (answers === count) break;
  }
  socket.destroy();
  assert.equal(answers, count);
}

test('a log longer than one file of CSV goes on where the link leads, each row once', async (t) => {
  const { site, me, app, secret } = await start(t);
  const calls = 10_700;
  await callOften(site, secret, calls);
  await until(() => site.json('sql', 'SELECT count(*) AS n FROM requests').then(([{ n }]) => n === calls), 'all rows');
  const ids = new Set();
  const sizes = [];
  let path = `/api/v1/apps/${app}/requests.csv?key=${secret.split('_')[2]}`;
  while (path) {
    const answer = await me.get(path);
    const rows = rowsOf(answer.body);
    for (const { id } of rows) ids.add(id);
    sizes.push(rows.length);
    const [, next] = /^<(.*)>; rel="next"$/.exec(answer.headers.link ?? '') ?? [];
    assert.ok(!next || next.includes('&key='), 'still narrowed');
    path = next && new URL(next, `http://portal${path}`).pathname + new URL(next, `http://portal${path}`).search;
  }
  assert.deepEqual(sizes, [10_000, 700]);
  assert.equal(ids.size, calls);
});
