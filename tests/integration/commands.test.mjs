// SPDX-License-Identifier: Apache-2.0
//
// The commands that need no instance: init, check, version, route, misuse.
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { hello, makeSite, run, startSite } from './lib/site.mjs';
import { folder } from './lib/weir.mjs';
import { call } from './lib/wire.mjs';

const nowhere = { url: 'http://127.0.0.1:9' };
const UUID = '0193551e-0000-7000-8000-000000000000';

test('every command tells how it is used', async () => {
  const overview = await run(['--help']);
  const commands = [...overview.stdout.matchAll(/^ {2}(\w+) +\S/gm)].map((match) => match[1]);
  assert.ok(commands.includes('serve') && commands.includes('route') && commands.length >= 10);
  for (const command of commands) {
    const { code, stdout, stderr } = await run([command, '--help']);
    assert.deepEqual([code, stderr], [0, ''], command);
    assert.match(stdout, new RegExp(`^usage: weir ${command}\\b`));
  }
});

test('misuse is exit 2, with a hint, and nothing on stdout', async () => {
  const cases = [
    [[], /commands:/],
    [['chek'], /did you mean `check`/],
    [['check', '--confg', 'x'], /did you mean --config\?/],
    [['check', '-x'], /unknown option -x/],
    [['check', 'weir.yaml'], /unexpected argument weir\.yaml/],
    [['check', '-c'], /-c wants a value/],
    [['init', 'a', 'b'], /unexpected argument b/],
    [['version', 'now'], /unexpected argument now/],
    [['key'], /create, list, rotate/],
    [['key', 'remove'], /remove is none of/],
    [['key', 'create'], /--app is missing/],
    [['key', 'create', '--app', 'a', '--test=yes'], /--test takes no value/],
    [['key', 'create', '--app', 'a', '--expires', 'soon'], /soon is no expiry/],
    [['key', 'create', '--app', 'a', '--expires', '2001-01-01'], /over already/],
    [['key', 'create', '--app', 'a', '--allow', '10.0.0.1/8'], /no network/],
    [['key', 'revoke'], /id is missing/],
    [['key', 'revoke', 'abc', 'def'], /unexpected argument def/],
    [['key', 'revoke', 'abc', '--app', 'x'], /takes no --app/],
    [['usage', '--since', 'yesterday'], /yesterday is no time/],
    [['usage', '--since', '2999-01-01'], /has not come yet/],
    [['usage', '--format', 'xml'], /none of table, csv and json/],
    [['sql'], /statement, in quotes, is missing/],
    [['sql', 'SELECT', '1'], /unexpected argument 1/],
    [['sql', '--timeout', 'long', 'SELECT 1'], /no duration/],
    [['explain', 'abc'], /no request id/],
    [['explain', '--format', 'csv', UUID], /neither text nor json/],
    [['tail', '--status', 'bad'], /no status/],
    [['tail', '--lines', '0'], /number from 1/],
    [['route', 'GET'], /METHOD or URL is missing/],
    [['route', 'G ET', '/'], /no method/],
    [['route', 'GET', '/', '--from', 'here'], /no address/],
  ];
  for (const [args, hint] of cases) {
    const { code, stdout, stderr } = await run(args);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, hint, args.join(' '));
  }
});

test('what cannot be read is exit 1, on stderr', async (t) => {
  const cwd = folder(t);
  for (const args of [['check'], ['usage'], ['key', 'list'], ['route', 'GET', '/'], ['explain', UUID]]) {
    const { code, stdout, stderr } = await run(args, { cwd });
    assert.deepEqual([code, stdout], [1, ''], args.join(' '));
    assert.match(stderr, /weir\.yaml/);
  }
});

test('init writes a file that check finds good, and never overwrites', async (t) => {
  const cwd = folder(t);
  const made = await run(['init'], { cwd });
  assert.deepEqual([made.code, made.stdout], [0, '']);
  assert.match(made.stderr, /weir check -c weir\.yaml/);
  const file = join(cwd, 'weir.yaml');
  const text = await readFile(file, 'utf8');
  assert.equal((await stat(file)).mode & 0o777, 0o600);

  const checked = await run(['check'], { cwd });
  assert.deepEqual([checked.code, checked.stderr], [0, '']);
  for (const word of ['listeners', '127.0.0.1:8080', 'hello', 'free', 'my-app']) assert.ok(checked.stdout.includes(word));
  assert.ok(checked.stdout.split('\n').length < 40, 'a summary is one screen');

  const again = await run(['init'], { cwd });
  assert.equal(again.code, 1);
  assert.match(again.stderr, /weir\.yaml exists already/);
  assert.equal(await readFile(file, 'utf8'), text);

  const other = await run(['init', 'other.yaml'], { cwd });
  assert.equal(other.code, 0);
  assert.equal(await readFile(join(cwd, 'other.yaml'), 'utf8'), text);
  assert.equal((await run(['init', 'no/such/folder.yaml'], { cwd })).code, 1);
});

test('check tells one line a fault, with its place', async (t) => {
  const cwd = folder(t);
  await writeFile(join(cwd, 'weir.yaml'), 'version: 1\napis:\n  a:\n    upstrem: x\n    auth: maybe\n');
  const { code, stdout, stderr } = await run(['check'], { cwd });
  assert.deepEqual([code, stdout], [1, '']);
  const lines = stderr.trimEnd().split('\n');
  assert.ok(lines.length >= 2);
  for (const line of lines) assert.match(line, /^weir\.yaml:\d+:\d+: error: /);
  assert.match(stderr, /4:5: error: .*did you mean `upstream`/);
});

test('check finds what only putting it in force would: two equal routes', async (t) => {
  const equal = structuredClone(hello);
  equal.apis.copy = { upstream: 'origin', match: { paths: ['/hello/'] } };
  const weir = makeSite(t, equal, nowhere);
  const { code, stdout, stderr } = await weir.run('check');
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /weir\.yaml.*error:.*"default" of API "hello".*"default" of API "copy"/);
});

test('version names the program and its libraries', async () => {
  for (const args of [['version'], ['--version']]) {
    const { code, stdout } = await run(args);
    assert.equal(code, 0);
    assert.match(stdout, /^weir \d+\.\d+\.\d+\nbuilt with (gcc|clang) \d/);
    for (const library of ['civetweb', 'sqlite', 'libsodium', 'jansson', 'libyaml', 'libcurl', 'zlib', 'pcre2']) {
      assert.match(stdout, new RegExp(`^${library} +\\d+\\.\\d+`, 'm'));
    }
  }
});

const routed = {
  upstreams: { origin: { targets: ['http://127.0.0.1:9', { url: 'http://127.0.0.2:80/base', weight: 3 }] } },
  apis: {
    users: {
      upstream: 'origin',
      match: { hosts: ['api.example.com'], paths: ['/users'], methods: ['GET', 'POST'] },
      strip_path: true,
      access: { deny: ['10.6.6.6'] },
      routes: { one: { match: { paths: ['=/users/{id}'] } } },
    },
    open: { upstream: 'origin', match: { paths: ['/open'] }, auth: 'none' },
  },
  plans: {
    free: { apis: ['users'], rate: { requests: 10, per: '1s', burst: 20 }, quota: { requests: 1000, per: 'month' } },
    other: { apis: ['open'] },
  },
  apps: {
    acme: { plan: 'free', keys: { ci: { secret: 'a secret of the file', access: { allow: ['192.0.2.0/24'] } } } },
    poor: { plan: 'other', keys: { ci: { secret: 'another one of the file' } } },
    bad: { plan: 'free', suspended: true, keys: { ci: { secret: 'and yet another one' } } },
  },
};

test('route tells route, targets, policies and the answer', async (t) => {
  const weir = makeSite(t, routed);
  const cases = [
    [['GET', 'http://api.example.com/users/7?x=1', '--key', 'acme/ci', '--from', '192.0.2.9'],
      [/users \/ one, by host api\.example\.com and path =\/users\/\{id\}/, /parameters +id = 7/,
        /GET http:\/\/127\.0\.0\.1:9\/\?x=1 \(weight 1\)/, /GET http:\/\/127\.0\.0\.2\/base\/\?x=1 \(weight 3\)/,
        /1\. ip_access +pass/, /2\. key_auth +pass +key acme\/ci, app acme/, /subscription +pass +plan free/,
        /consumer_ip +pass/, /limits +pass +burst 20 of 20 left, month 1000 of 1000 left/, /no instance was asked/,
        /answer +the upstream's/]],
    [['GET', 'http://API.example.com:99/users/7/posts'], [/users \/ default/, /answer +401 key_missing/, /needs a key/]],
    [['GET', 'http://api.example.com/users', '--from', '10.6.6.6'],
      [/ip_access +refused +level api, list deny, network 10\.6\.6\.6/, /answer +403 ip_denied/, /key_auth +not asked/]],
    [['GET', 'http://api.example.com/users', '--key', 'acme/ci', '--from', '198.51.100.1'],
      [/consumer_ip +refused +level key, list allow/, /answer +403 ip_denied/]],
    [['GET', 'http://api.example.com/users', '--key', 'poor/ci'], [/subscription +refused +plan other/, /answer +403 not_subscribed/]],
    [['GET', 'http://api.example.com/users', '--key', 'bad/ci'], [/key_auth +refused/, /answer +403 app_suspended/]],
    [['DELETE', 'http://api.example.com/users'], [/route +none; this path takes GET, HEAD, POST/, /answer +405 method_not_allowed/]],
    [['GET', '/users'], [/route +none/, /answer +404 no_route/]],
    [['GET', '/open/a%2fb/../c%41'], [/path \/open\/cA/, /GET http:\/\/127\.0\.0\.1:9\/open\/a%2fb\/\.\.\/c%41/, /answer +the upstream's/]],
    [['GET', '/a%00b'], [/answer +400 bad_request/]],
    [['GET', 'ftp://x/'], [/answer +400 bad_request/]],
    [['GET', '/open', '--candidates'], [/open \/ default +host \(any\) +path \/open: it is this one/, /users \/ one.*: another host/]],
  ];
  for (const [args, patterns] of cases) {
    const stdout = await weir.ok('route', ...args);
    for (const pattern of patterns) assert.match(stdout, pattern, args.join(' '));
    assert.ok(!stdout.includes('of the file'), 'no secret is shown');
  }
  const unknown = await weir.run('route', 'GET', '/open', '--key', 'nobody');
  assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /no key nobody/);
});

test('route sends nothing, and says what the gateway then does', async (t) => {
  const weir = await startSite(t, { ...hello, apis: { ...hello.apis, shut: { upstream: 'origin', match: { paths: ['/shut'] }, auth: 'none', access: { allow: ['192.0.2.1'] } } } }, nowhere);
  for (const path of ['/hello/1', '/shut', '/nothing', '/a%00']) {
    const said = (await weir.ok('route', 'GET', path)).match(/^answer +(\d+) (\w+)/m);
    const { status, headers } = await weir.call(path);
    assert.deepEqual([said[1], said[2]], [String(status), headers['weir-reason']], path);
  }
  // what this client would not send
  for (const [method, target] of [['GET', '/open/a b'], ['GET', '/open#part'], ['GET', '/open\x1b[31m'], ['GET', '/open\r\nX: y'],
    ['GET', `/open/${'a'.repeat(9000)}`], ['TRACE', '/open'], ['CONNECT', '/open']]) {
    const said = await weir.ok('route', method, target);
    const { status, get } = await call(weir.gateway, `${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.match(said, new RegExp(`^answer +${status} ${get('Weir-Reason')}`, 'm'), target);
    assert.doesNotMatch(said, /[\r\x1b]|forwards/, target);
  }
  assert.match(await weir.ok('route', 'GET', '/open HTTP/1.1\r\nX: y'), /^answer +400 bad_request/m);
  const small = await weir.createKey('small');
  const kid = small.split('_')[2];
  for (let i = 0; i < 2; i++) await weir.call('/hello', small);
  assert.match(await weir.ok('route', 'GET', '/hello', '--key', kid), /burst 1 of 3 left, month 98 of 100 left\n.*running instance/);
  for (let i = 0; i < 2; i++) await weir.call('/hello', small);
  assert.match(await weir.ok('route', 'GET', '/hello', '--key', kid), /limits +refused +by burst[^]*answer +429 rate_limited/);
  const counted = await weir.ok('sql', 'SELECT count(*) FROM requests');
  assert.equal(counted, 'count(*)\n15\n');
});
