// SPDX-License-Identifier: Apache-2.0
//
// weir demo: what it prints works as pasted, what it counted agrees, and it leaves nothing behind.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Person } from './lib/person.mjs';
import { run } from './lib/site.mjs';
import { folder, parseMetrics, program, until, Weir } from './lib/weir.mjs';

// The output of a demo that runs, and how it ends.
function demo(args, { env = {}, cwd } = {}) {
  const seen = { text: '' };
  seen.ended = run(['demo', ...args], {
    cwd,
    env: { ...process.env, SSH_CONNECTION: '', http_proxy: '', all_proxy: '', ALL_PROXY: '', ...env },
    onStart: (child) => {
      seen.child = child;
      child.stdout.on('data', (chunk) => (seen.text += chunk));
    },
  });
  seen.ended.catch(() => {}); // whoever awaits it is told
  seen.greeted = async () => {
    await until(() => seen.text.includes('Ctrl-C') || seen.child.exitCode !== null, 'the greeting');
    if (!seen.text.includes('Ctrl-C')) assert.fail(JSON.stringify(await seen.ended));
  };
  return seen;
}

// What a person copies: from a line that begins so to the last line that is continued.
function pasted(text, begin) {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.trim().startsWith(begin) || line.includes(`weir ${begin} `));
  assert.notEqual(from, -1, `${begin} is printed:\n${text}`);
  let to = from;
  while (lines[to].endsWith('\\')) to++;
  return lines.slice(from, to + 1).join('\n');
}

function shell(command, options) {
  return new Promise((resolve) => {
    execFile('sh', ['-c', command], { encoding: 'utf8', ...options }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr });
    });
  });
}

const url = (text, name) => new RegExp(`^ +${name} +(http://\\S+)`, 'm').exec(text)[1];
const keyOf = (text) => /weir_live_\w+/.exec(text)[0];

// { app: { sent, refused, metered } } of the table at the end.
function totals(text) {
  const table = text.slice(text.indexOf('What came of it'));
  const rows = [...table.matchAll(/^ {4}([\w-]+) +(?:free|standard|pro) +(\d+|-) +(\d+|-) +(\d+)$/gm)];
  return Object.fromEntries(rows.map(([, app, sent, refused, metered]) =>
    [app, { sent: Number(sent), refused: Number(refused), metered: Number(metered) }]));
}

const fits = (text) => text.split('\n').filter((line) => !line.includes(program) && !line.includes(tmpdir()))
  .forEach((line) => assert.ok(line.length <= 80, `within 80 columns: ${line}`));

test('what the demo prints works as pasted, and all its numbers agree', async (t) => {
  const dir = folder(t);
  const seen = demo(['--seconds', '8', '--dir', dir, '--listen', '127.0.0.1:0']);
  await seen.greeted();
  fits(seen.text);

  const curl = await shell(pasted(seen.text, 'curl'));
  assert.match(curl.stdout, /^HTTP\/1\.1 200 OK\r$/m);
  assert.match(curl.stdout, /Jules Verne/);
  const explained = await shell(pasted(seen.text, 'explain'));
  assert.equal(explained.code, 0, explained.stderr);
  assert.match(explained.stdout, /GET \/shop\/books\/7/);
  const used = await shell(pasted(seen.text, 'usage'));
  assert.equal(used.code, 0, used.stderr);
  assert.match(used.stdout, /mobile-app/);
  const metrics = await fetch(url(seen.text, 'metrics'));
  assert.equal(metrics.status, 200);
  assert.ok(parseMetrics(await metrics.text()).some(({ name }) => name === 'weir_requests_total'));
  assert.equal((await fetch(`${url(seen.text, 'admin')}/readyz`)).status, 200);
  assert.equal((await fetch(url(seen.text, 'portal'))).status, 200);

  // both people it names are let in, and the developer's apps are those that call
  const signIn = (name) => {
    const [, email, password] = new RegExp(`^ +${name} +(\\S+@\\S+) +(\\S+)$`, 'm').exec(seen.text);
    const { hostname: host, port } = new URL(url(seen.text, name));
    const person = new Person({ host, port });
    return person.signIn(email, password).then(({ status }) => { assert.equal(status, 200, name); return person; });
  };
  const developer = await signIn('portal');
  assert.equal((await developer.json('/api/v1/apps')).items.length, 4);
  assert.equal((await (await signIn('admin')).json('/api/v1/session')).person.operator, true);

  const { code, stdout, stderr } = await seen.ended;
  assert.equal(code, 0);
  assert.equal(stderr, '');
  const apps = totals(stdout);
  const [mobile, shop, importer, you] = Object.keys(apps);
  [[mobile, 'mobile-app'], [shop, 'web-shop'], [importer, 'batch-importer'], [you, 'you']]
    .forEach(([app, name]) => assert.match(app, new RegExp(`^${name}-[0-9a-z]{4}$`)));
  for (const app of [mobile, shop, importer]) {
    assert.ok(apps[app].metered > 0, app);
    assert.equal(apps[app].metered, apps[app].sent - apps[app].refused, app);
  }
  assert.equal(apps[you].metered, 2, 'the first call and the pasted one');
  assert.match(stdout, /they agree/);

  // the folder stays, and tells the same
  const file = join(dir, 'weir.yaml');
  const ask = async (...args) => (await run([...args, '-c', file])).stdout;
  const usage = JSON.parse(await ask('usage', '--format', 'json'));
  for (const [app, { metered }] of Object.entries(apps)) {
    const sum = usage.filter((row) => row.app === app).reduce((n, row) => n + row.requests, 0);
    assert.equal(sum, metered, app);
  }
  const rows = JSON.parse(await ask('sql', '--format', 'json',
    'SELECT app, status, reason, count(*) AS n FROM requests GROUP BY 1, 2, 3'));
  const count = (wanted) => rows.filter((row) => Object.entries(wanted).every(([k, v]) => row[k] === v))
    .reduce((n, row) => n + row.n, 0);
  assert.ok(count({ app: importer, status: 429, reason: 'rate_limited' }) > 0);
  assert.ok(count({ app: importer, status: 403, reason: 'not_subscribed' }) > 0);
  assert.ok(count({ status: 401 }) > 0, 'the stranger');
  assert.equal(count({ app: importer }), apps[importer].sent);

  // so do the counters of whoever serves that folder next
  const text = readFileSync(file, 'utf8').replace('level: warn', 'level: info').replace(/(listen: "127.0.0.1:)\d+/g, '$10');
  const weir = await Weir.start(t, text, { dir });
  assert.equal(await weir.metric('weir_requests_total'), count({}));
  for (const row of rows) {
    const labels = { code: row.status, reason: row.reason ?? '' };
    const stored = count({ status: row.status, reason: row.reason });
    assert.equal(await weir.metric('weir_requests_total', labels), stored, JSON.stringify(labels));
  }
  for (const [app, { metered }] of Object.entries(apps))
    assert.equal(await weir.metric('weir_app_requests_total', { app }), metered, app);
  assert.equal((await weir.stop()).code, 0);
});

test('everything the sample API describes is there through the gateway', async (t) => {
  const seen = demo(['--no-traffic', '--listen', '127.0.0.1:0'], { env: { TMPDIR: folder(t) } });
  await seen.greeted();
  assert.doesNotMatch(seen.text, /mobile-app/);
  const gateway = url(seen.text, 'gateway');
  const headers = { 'X-API-Key': keyOf(seen.text) };
  const description = await (await fetch(`${gateway}/shop/openapi.json`, { headers })).json();
  assert.match(description.openapi, /^3\.0\./);
  const called = [];
  for (const [path, item] of Object.entries(description.paths)) {
    const base = new URL((item.servers ?? description.servers)[0].url, gateway).href.replace(/\/$/, '');
    for (const [method, operation] of Object.entries(item).filter(([name]) => name !== 'servers')) {
      const example = operation.requestBody?.content['application/json'].example;
      const target = base + path.replace('{id}', operation.parameters?.[0].example);
      // the daily report is made to fail now and then
      await until(async () => {
        const response = await fetch(target, { method: method.toUpperCase(), headers, body: JSON.stringify(example) });
        const type = (response.headers.get('content-type') ?? '').split(';')[0];
        const described = operation.responses[response.status];
        assert.ok(described, `${method} ${path}: ${response.status}`);
        if (!response.ok) return false;
        assert.ok(described.content[type], `${method} ${path}: ${type}`);
        assert.ok((await response.text()).length > 0);
        return true;
      }, `${method} ${path}`);
      called.push(operation.operationId);
    }
  }
  assert.equal(called.length, 8);
  const keyless = await fetch(`${gateway}/health`);
  assert.equal(keyless.status, 200);
  assert.equal((await fetch(`${gateway}/shop/books`)).status, 401);
  seen.child.kill('SIGTERM');
  assert.equal((await seen.ended).code, 0);
});

test('Ctrl-C ends it at once and nothing is left', async (t) => {
  const tmp = folder(t);
  const seen = demo(['--listen', '127.0.0.1:0'], { env: { TMPDIR: tmp } });
  await seen.greeted();
  assert.equal(readdirSync(tmp).length, 1);
  // a stream that would go on for seconds does not hold it up
  const stream = await fetch(`${url(seen.text, 'gateway')}/reports/events`, { headers: { 'X-API-Key': keyOf(seen.text) } });
  const reader = stream.body.getReader();
  await reader.read();
  seen.child.kill('SIGINT');
  const { code, stderr } = await seen.ended;
  await reader.cancel().catch(() => {});
  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.deepEqual(readdirSync(tmp), []);
});

// Holds a port, unless somebody has it already.
async function hold(t, port) {
  const server = net.createServer();
  t.after(() => server.close());
  server.listen(port, '127.0.0.1');
  await Promise.race([once(server, 'listening'), once(server, 'error').catch(() => {})]).catch(() => {});
  return server;
}

test('a port in use is replaced and told; one that was asked for is not', async (t) => {
  await hold(t, 8082);
  const tmp = folder(t);
  const seen = demo(['--seconds', '20', '--no-traffic'], { env: { TMPDIR: tmp } });
  await seen.greeted();
  const [, port] = /Port 8082 is taken, so the admin listener has (\d+)\./.exec(seen.text);
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
  assert.equal(url(seen.text, 'admin'), `http://127.0.0.1:${port}`);
  seen.child.kill('SIGINT');
  assert.equal((await seen.ended).code, 0);

  const server = await hold(t, 0);
  const refused = await run(['demo', '--listen', `127.0.0.1:${server.address().port}`], { env: { ...process.env, TMPDIR: tmp } });
  assert.equal(refused.code, 1);
  assert.equal(refused.stdout, '');
  assert.match(refused.stderr, new RegExp(`^weir: .*127\\.0\\.0\\.1:${server.address().port}.*\\n$`));
  assert.deepEqual(readdirSync(tmp), []);
});

test('a folder is kept, used again, and not taken from anyone', async (t) => {
  const dir = join(folder(t), 'kept');
  const first = await demo(['--seconds', '1', '--no-traffic', '--dir', dir, '--listen', '127.0.0.1:0']).ended;
  assert.equal(first.code, 0);
  assert.match(first.stdout, new RegExp(`stay in ${dir}\\.`));
  const again = demo(['--no-traffic', '--dir', dir, '--listen', '127.0.0.1:0']);
  await again.greeted();
  const text = readFileSync(join(dir, 'weir.yaml'), 'utf8');
  const busy = await run(['demo', '--dir', dir, '--listen', '127.0.0.1:0']);
  assert.equal(busy.code, 1);
  assert.match(busy.stderr, /runs in .* already/);
  assert.equal(readFileSync(join(dir, 'weir.yaml'), 'utf8'), text);
  again.child.kill('SIGINT');
  assert.equal((await again.ended).code, 0);

  writeFileSync(join(dir, 'weir.yaml'), 'version: 1\n');
  const foreign = await run(['demo', '--dir', dir]);
  assert.equal(foreign.code, 1);
  assert.match(foreign.stderr, /was not written by a demo/);
  assert.equal(readFileSync(join(dir, 'weir.yaml'), 'utf8'), 'version: 1\n');
});

test('--help and misuse', async () => {
  const help = await run(['demo', '--help']);
  assert.equal(help.code, 0);
  for (const option of ['--seconds', '--listen', '--dir', '--no-traffic']) assert.match(help.stdout, new RegExp(`^ +${option}`, 'm'));
  fits(help.stdout);
  for (const args of [['--seconds', '0'], ['--seconds', 'x'], ['--seconds'], ['--listen', 'nowhere'], ['--bogus'], ['more']]) {
    const { code, stdout, stderr } = await run(['demo', ...args]);
    assert.equal(code, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /^weir demo: /);
  }
});

test('over SSH it tells how to reach it', async (t) => {
  const env = { TMPDIR: folder(t), SSH_CONNECTION: '198.51.100.7 52000 192.0.2.10 2222' };
  const { stdout } = await demo(['--seconds', '1', '--no-traffic', '--listen', '127.0.0.1:0'], { env }).ended;
  const line = pasted(stdout, 'ssh -N').replace(/\\\n */g, '').trim();
  for (const name of ['gateway', 'portal', 'admin']) {
    const port = new URL(url(stdout, name)).port;
    assert.ok(line.includes(` -L ${port}:127.0.0.1:${port}`), line);
  }
  assert.match(line, / -p 2222 \S+@192\.0\.2\.10$/);
  fits(stdout);
});

test('on a terminal it has colors and a line that lives', { skip: !existsSync('/usr/bin/script') }, async (t) => {
  const env = { ...process.env, TMPDIR: folder(t), TERM: 'xterm', SSH_CONNECTION: '' };
  delete env.NO_COLOR;
  const onTerminal = (more) => shell(`script -qec "${program} demo --seconds 5 --listen 127.0.0.1:0" /dev/null </dev/null`, { env: { ...env, ...more } });
  const colored = (await onTerminal({})).stdout;
  assert.match(colored, /\x1b\[1mWeir /);
  assert.match(colored, /\r\x1b\[K\x1b\[2m +00:0\d +\d+ calls +\d+\/s/);
  const plain = (await onTerminal({ NO_COLOR: '1' })).stdout;
  assert.match(plain, /\r\x1b\[K +00:0\d +\d+ calls/);
  assert.doesNotMatch(plain, /\x1b\[\d*m/);
});
