// SPDX-License-Identifier: Apache-2.0
//
// weir usage, sql, explain and tail: what was answered before a command is in what it tells.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { hello, run, startOrigin, startSite } from './lib/site.mjs';
import { until } from './lib/weir.mjs';

const today = () => new Date().toISOString().slice(0, 10);

// Three calls of acme, four of small of which one is refused, one without a key, one to nowhere.
async function withCalls(t) {
  const origin = await startOrigin(t, (request, response) => {
    if (request.url.endsWith('/drop')) request.socket.destroy();
    else response.end('hello');
  });
  const weir = await startSite(t, hello, origin);
  const [acme, small] = [await weir.createKey('acme'), await weir.createKey('small')];
  const answers = {};
  for (let i = 0; i < 3; i++) answers.good = await weir.call('/hello/7?x=1&token=hush', acme);
  for (let i = 0; i < 4; i++) answers.refused = await weir.call('/hello', small);
  answers.keyless = await weir.call('/hello');
  answers.lost = await weir.call('/nothing');
  answers.dropped = await weir.call('/open/drop');
  const id = (name) => answers[name].headers['x-request-id'];
  return { weir, origin, acme, small, id };
}

test('usage tells what was metered, exactly', async (t) => {
  const { weir, acme, small } = await withCalls(t);
  const rows = await weir.json('usage');
  const found = rows.map(({ period, app, api, plan, key, requests, cost }) => ({ period, app, api, plan, key, requests, cost }));
  const expected = [
    { period: today(), app: 'acme', api: 'hello', plan: 'big', key: acme.split('_')[2], requests: 3, cost: 3 },
    { period: today(), app: 'small', api: 'hello', plan: 'free', key: small.split('_')[2], requests: 3, cost: 3 },
  ];
  assert.deepEqual(found, expected);
  for (const row of rows) {
    assert.deepEqual(Object.keys(row), ['period', 'app', 'api', 'plan', 'key', 'requests', 'bytes_in', 'bytes_out', 'cost']);
    assert.ok(row.bytes_in > 100 && row.bytes_out > 100);
  }
  assert.deepEqual((await weir.json('usage', '--app', 'acme')).map((row) => row.app), ['acme']);
  assert.deepEqual(await weir.json('usage', '--api', 'open'), []);
  for (const since of ['1h', '2d', '30d', today()]) {
    const sum = (await weir.json('usage', '--since', since)).reduce((n, row) => n + row.requests, 0);
    assert.equal(sum, 6, since);
  }
  const table = (await weir.ok('usage')).trimEnd().split('\n');
  assert.match(table[0], /^period +app +api +plan +key +requests +bytes_in +bytes_out +cost$/);
  assert.equal(table.length, 3);
  await weir.close();
  assert.deepEqual(await weir.json('usage'), rows, 'without an instance too');
});

test('sql reads, and only reads', async (t) => {
  const { weir } = await withCalls(t);
  assert.equal(
    await weir.ok('sql', 'SELECT status, reason, count(*) AS n FROM requests GROUP BY 1, 2 ORDER BY 1, 2'),
    'status,reason,n\n200,,6\n401,key_missing,1\n404,no_route,1\n429,rate_limited,1\n502,upstream_reset,1\n',
  );
  const rows = await weir.json('sql', "SELECT api, sum(requests) AS n, NULL AS none, 1.5 AS real, x'00ff' AS bytes FROM usage_day GROUP BY api");
  assert.deepEqual(rows, [{ api: 'hello', n: 6, none: null, real: 1.5, bytes: '00ff' }]);
  assert.equal(await weir.ok('sql', '--format', 'table', "SELECT 'a' AS x, 10 AS n UNION SELECT 'long', 9"), 'x      n\na     10\nlong   9\n');
  assert.equal(await weir.ok('sql', `SELECT 'a"b,c' AS x, 'd\ne' AS y`), 'x,y\n"a""b,c","d\ne"\n');
  assert.equal(await weir.ok('sql', 'SELECT 1 AS x WHERE 0'), 'x\n');
  assert.deepEqual(await weir.json('sql', 'SELECT 1 AS x WHERE 0'), []);
  const refused = [
    ['DELETE FROM requests', /cannot modify requests/],
    ['DELETE FROM key_last_used', /only reading/],
    ["ATTACH '/etc/passwd' AS x", /only reading/],
    ['PRAGMA journal_mode = DELETE', /only reading/],
    ['SELECT 1; SELECT 2', /./],
    ['SELECT nonsense FROM requests', /no such column: nonsense/],
    ['', /./],
  ];
  for (const [statement, words] of refused) {
    const { code, stdout, stderr } = await weir.run('sql', statement);
    assert.deepEqual([code, stdout], [1, ''], statement);
    assert.match(stderr, words);
  }
  const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n';
  const late = await weir.run('sql', '--timeout', '100ms', endless);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /longer than it may; --timeout/);
});

test('explain tells the life of each kind of request', async (t) => {
  const { weir, id, acme, small, origin } = await withCalls(t);
  const good = await weir.ok('explain', id('good'));
  for (const words of [
    /^request [0-9a-f-]{36}\n/,
    /asked +GET \/hello\/7\?x=1&token=\*\*\* {2}HTTP\/1\.1/,
    new RegExp(`by +127\\.0\\.0\\.1, app acme, key ${acme.split('_')[2]}, plan big`),
    /route +hello \/ default/,
    /answered +200, by the upstream/,
    /1\. key_auth +pass +key \w+, app acme/,
    /2\. subscription +pass +plan big/,
    /whole +\d+\.\d{3} ms/,
    /upstream +\d+\.\d{3} ms/,
    /gateway +\d+\.\d{3} ms/,
    new RegExp(`upstream +origin, target ${origin.url.replace('http://', '.*')}.*, 1 try`),
    /bytes +\d+ in, \d+ out/,
    /it counts for its app/,
  ]) assert.match(good, words);

  const refused = await weir.ok('explain', id('refused'));
  assert.match(refused, /answered +429 rate_limited: Too many requests/);
  assert.match(refused, /to do +Wait as long as Retry-After/);
  assert.match(refused, /decided by +limits: by burst, retry after \d+ s, burst 0 of 3 left, month 97 of 100 left/);
  assert.match(refused, /3\. limits +refused/);
  assert.match(refused, /it counts for nobody/);

  assert.match(await weir.ok('explain', id('keyless')), /401 key_missing[^]*decided by +key_auth: why key_missing/);
  assert.match(await weir.ok('explain', id('lost')), /route +none[^]*404 no_route[^]*decided by +the router/);
  assert.match(await weir.ok('explain', id('dropped')), /502 upstream_reset[^]*on the way to the upstream/);

  const json = await weir.json('explain', id('refused'));
  assert.deepEqual(
    [json.request_id, json.status, json.reason, json.title, json.decided_by, json.app],
    [id('refused'), 429, 'rate_limited', 'Too many requests', 'limits', 'small'],
  );
  assert.deepEqual(json.decisions.map((decision) => `${decision.policy} ${decision.verdict}`), ['key_auth pass', 'subscription pass', 'limits refused']);
  assert.equal(json.decisions[2].numbers.burst, '0/3');
  assert.equal(json.decisions[0].numbers.key, small.split('_')[2]);

  const unknown = await weir.run('explain', '0193551e-0000-7000-8000-000000000000');
  assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /not known/);
  await weir.close();
  assert.match(await weir.ok('explain', id('good')), /answered +200/);
});

// Starts `weir tail`; lines() is what it has printed.
function tail(weir, ...args) {
  let child;
  let printed = '';
  const ended = run(['tail', '-c', weir.file, ...args], {
    onStart: (started) => {
      child = started;
      child.stdout.on('data', (chunk) => (printed += chunk));
    },
  });
  return { child, ended, lines: () => printed.split('\n').slice(0, -1) };
}

test('tail follows what is answered, in order, and ends with the instance', async (t) => {
  const { weir, id, acme } = await withCalls(t);
  const all = tail(weir, '--lines', '10');
  await until(() => all.lines().length === 10, 'the last lines');
  assert.ok(all.lines()[9].includes(id('dropped')));
  assert.match(all.lines()[7], /^\d\d:\d\d:\d\d\.\d{3} 401 +\d+\.\d{3} ms GET +\/hello .* key_missing$/);
  assert.ok(!all.lines().some((line) => line.includes('\x1b')), 'no color but on a terminal');

  const errors = tail(weir, '--status', '4xx', '--format', 'json');
  const one = tail(weir, '--app', 'acme', '--count', '1', '--format', 'json');
  const waited = async (path, key) => {
    const { headers } = await weir.call(path, key);
    await until(() => all.lines().some((line) => line.includes(headers['x-request-id'])), 'the line');
  };
  // whatever the two began with, they show a call that is made when they run
  await until(async () => {
    await waited('/hello');
    await waited('/hello/again', acme);
    return errors.lines().length > 0 && (await Promise.race([one.ended, Promise.resolve(null)])) !== null;
  }, 'both to follow');
  const only = await one.ended;
  assert.deepEqual([only.code, only.stderr, only.stdout.split('\n').length], [0, '', 2]);
  assert.deepEqual([JSON.parse(only.stdout).app, JSON.parse(only.stdout).path], ['acme', '/hello/again']);
  for (const line of errors.lines()) assert.equal(JSON.parse(line).status, 401);
  const times = errors.lines().map((line) => JSON.parse(line).time);
  assert.deepEqual(times, [...times].sort());

  errors.child.kill('SIGINT');
  assert.deepEqual((await errors.ended).code, 0);
  await weir.close();
  const end = await all.ended;
  assert.equal(end.code, 0);
  assert.match(end.stderr, /the instance has stopped/);
});

test('tail ends when nobody reads it any more', async (t) => {
  const { weir } = await withCalls(t);
  const quiet = tail(weir);
  await once(quiet.child, 'spawn');
  quiet.child.stdout.destroy();
  const { code, signal } = await quiet.ended;
  assert.deepEqual([code, signal], [0, null]);
});

test('tail without an instance shows the last lines, or says why it cannot follow', async (t) => {
  const { weir, id } = await withCalls(t);
  await weir.close();
  const nothing = await weir.run('tail');
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /no instance runs/);
  const last = (await weir.ok('tail', '--lines', '2')).trimEnd().split('\n');
  assert.equal(last.length, 2);
  assert.ok(last[0].includes(id('lost')) && last[1].includes(id('dropped')));
  assert.deepEqual((await weir.ok('tail', '--lines', '5', '--status', '404')).trimEnd().split('\n').length, 1);
});
