// SPDX-License-Identifier: Apache-2.0
//
// What an operator can get wrong, and a machine: one clear line that says what, where and what to do, an exit that is
// not 0, and nothing half-written: what was there works again when the cause is gone.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync, cpSync, existsSync, readdirSync, rmSync, truncateSync, writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { dayFiles, smallDisk, sqlite, weir, Weir } from './lib/weir.mjs';
import { call, echo, origin } from './lib/wire.mjs';

const config = (more = {}) => ({
  upstreams: { o: { targets: ['http://127.0.0.1:1'] } },
  apis: { open: { upstream: 'o', auth: 'none', match: { paths: ['/open'] } } },
  ...more,
});

// A start that must fail, and what it said.
function fails(w) {
  const { code, stdout, stderr } = weir(['serve', '-c', w.file], { env: w.env });
  assert.equal(stdout, '');
  assert.equal(code, 1, stderr);
  const lines = stderr.trimEnd().split('\n');
  return { lines, text: lines[0] };
}

function failsInOneLine(w, pattern) {
  const { lines, text } = fails(w);
  assert.match(text, pattern);
  assert.equal(lines.length, 1, lines.join('\n'));
}

const head = 'version: 1\ngateway: { listen: "127.0.0.1:0" }\nportal: { listen: "127.0.0.1:0" }\nadmin: { listen: "127.0.0.1:0" }\n';

for (const [what, text, pattern] of [
  ['broken YAML', `${head}apis: [`, /weir\.yaml:\d+:\d+: error: .+/],
  ['an unknown section', `${head}gatway: {}\n`, /weir\.yaml:5:1: error: unknown key `gatway`; did you mean `gateway`\?/],
  ['an unknown key', `${head}upstreams: { o: { targets: ["http://a"] } }\napis: { a: { upstream: o, auht: none } }\n`,
    /weir\.yaml:6:\d+: error: unknown key `auht` in api `a`; did you mean `auth`\?/],
  ['a key that is there twice', `${head}log: {}\nlog: {}\n`, /weir\.yaml:6:1: error: .*log/],
  ['a wrong type', `${head}log: [1]\n`, /weir\.yaml:5:\d+: error: .+/],
  ['a missing upstream', `${head}apis: { a: { upstream: user } }\n`, /weir\.yaml:5:\d+: error: .*no upstream `user`/],
  ['a mistyped upstream', `${head}upstreams: { users: { targets: ["http://a"] } }\napis: { a: { upstream: user } }\n`,
    /weir\.yaml:6:\d+: error: .*no upstream `user`; did you mean `users`\?/],
  ['a plan that is not there', `${head}apps: { a: { plan: free } }\n`, /weir\.yaml:5:\d+: error: .*no plan `free`/],
  ['an unset variable', `${head}apps: { a: { plan: p, keys: { k: "\${env:WEIR_NO_SUCH}" } } }\nplans: { p: { apis: [] } }\n`,
    /weir\.yaml:5:\d+: error: .*environment variable `WEIR_NO_SUCH` is not set/],
  ['nothing', '', /weir\.yaml: error: the file is empty; `weir init` writes one/],
  ['another version', 'version: 2\n', /weir\.yaml:1:\d+: error: .*1/],
  ['bytes that are no text', '\xff\xfe\x00', /weir\.yaml(:\d+:\d+)?: error: .+/],
  ['a portal the world can reach', 'version: 1\nportal: { listen: "0.0.0.0:8081" }\n', /weir\.yaml:2:\d+: error: .*insecure: true/],
]) {
  test(`a file with ${what} is refused with its place, and no data folder is made`, (t) => {
    const w = new Weir(t, '');
    writeFileSync(w.file, text, 'latin1');
    failsInOneLine(w, pattern);
    assert.deepEqual(readdirSync(w.dir), ['weir.yaml']);
  });
}

test('every fault of a file is told, a line each', (t) => {
  const w = new Weir(t, `${head}gatway: {}\napis: { a: { upstream: nowhere, title: [] } }\n`);
  const { lines } = fails(w);
  assert.equal(lines.length, 3);
  for (const line of lines) assert.match(line, /weir\.yaml:[56]:\d+: error: /);
});

test('a file that is not there is missed with advice', (t) => {
  const w = new Weir(t, '');
  rmSync(w.file);
  failsInOneLine(w, /weir\.yaml: error: cannot read the file: No such file or directory; `weir init` writes one/);
});

test('a command line that makes no sense exits with 2', () => {
  for (const args of [['serve', '--nope'], ['serve', 'what'], ['serve', '-c'], ['srve'], []]) {
    const { code, stdout, stderr } = weir(args);
    assert.equal(code, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /^(weir|usage)/);
  }
  assert.match(weir(['srve']).stderr, /did you mean `serve`\?/);
});

for (const listener of ['gateway', 'portal', 'admin']) {
  test(`a port of the ${listener} that another program uses is named, and once it is free the same folder serves`, async (t) => {
    const other = await origin(t);
    const listen = [`127.0.0.1:${other.port}`];
    const w = new Weir(t, config({ [listener]: { listen } }));
    failsInOneLine(w, new RegExp(`^weir: cannot listen on 127.0.0.1:${other.port}: another program uses it; stop it or choose another`));
    assert.ok(!readdirSync(w.data).some((name) => name.endsWith('.new') || name.includes('sock')), 'nothing half-made is left');
    other.close();
    await w.start();
    assert.equal(w[listener].port, other.port);
    assert.equal((await w.stop()).code, 0);
  });
}

for (const [what, path, pattern] of [
  ['below a file', (w) => `${w.file}/data`, /data_dir \S+ cannot be made: a part of that path is a file; choose another/],
  ['that is a file', (w) => w.file, /data_dir \S+ is a file; choose a folder/],
  ['in a folder that is not there', () => 'no/such', /data_dir \S+ cannot be made: its parent folder does not exist/],
  ['where nobody may write', () => '/sys/weir-test', /data_dir \S+ cannot be made; choose a folder this user may write to/],
]) {
  test(`a data folder ${what} is refused`, (t) => {
    const w = new Weir(t, '');
    w.write(config({ data_dir: path(w) }));
    failsInOneLine(w, new RegExp(`^weir: ${pattern.source}`));
    assert.deepEqual(readdirSync(w.dir), ['weir.yaml']);
  });
}

test('a read-only disk is refused', (t) => {
  const disk = smallDisk(t, 'size=1m');
  if (!disk) return t.skip('this machine does not let us mount');
  assert.equal(spawnSync('mount', ['-o', 'remount,ro', disk]).status, 0);
  const w = new Weir(t, config({ data_dir: `${disk}/data` }));
  failsInOneLine(w, /^weir: data_dir \S+ cannot be made; choose a folder this user may write to.*Read-only file system/);
});

for (const size of ['4k', '8k', '16k', '20k', '32k', '64k', '256k', '1m', '4m', '20m']) {
  test(`a disk of ${size} is full at start: said in a line, and with room the same folder serves`, async (t) => {
    const disk = smallDisk(t, `size=${size}`);
    if (!disk) return t.skip('this machine does not let us mount');
    const w = new Weir(t, config({ data_dir: `${disk}/data`, analytics: { journal_size: '1MiB' } }));
    failsInOneLine(w, /^weir: .*weir-disk.*(no space|No space|no room|the disk is full)/);
    const left = existsSync(`${disk}/data`) ? readdirSync(`${disk}/data`, { recursive: true }).map(String) : [];
    assert.ok(!left.some((name) => /\.(new|part)$/.test(name)), `nothing half-made is left: ${left}`);
    assert.equal(spawnSync('mount', ['-o', 'remount,size=200m', disk]).status, 0);
    await w.start();
    assert.equal((await call(w.gateway, 'GET /none HTTP/1.1\r\nHost: a\r\n\r\n')).status, 404);
    assert.equal((await w.stop()).code, 0);
  });
}

// A folder that an instance has used.
async function used(t) {
  const o = await echo(t);
  const w = await Weir.start(t, config({ upstreams: { o: { targets: [o.url] } } }));
  assert.equal((await call(w.gateway, 'GET /open HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
  assert.equal((await w.stop()).code, 0);
  assert.equal(w.requests('id').length, 1);
  return w;
}

test('a database of a newer version is left alone, whichever it is', async (t) => {
  const w = await used(t);
  const good = `${w.data}.good`;
  cpSync(w.data, good, { recursive: true });
  for (const file of ['weir.db', 'analytics/totals.db', dayFiles(w.data)[0].slice(w.data.length + 1)]) {
    const path = join(w.data, file);
    const numbers = sqlite(path, 'SELECT count(*) AS n FROM sqlite_schema WHERE name = \'migrations\'');
    assert.equal(numbers[0].n, 1, `${file} tells its version`);
    sqlite(path, "INSERT INTO migrations VALUES (9999, '9999_future.sql', x'00', 1)", []);
    failsInOneLine(w, new RegExp(`^weir: \\S+${file.replace('.', '\\.')} was written by a newer version of weir \\(its schema is 9999.*: run that version, or put a backup back`));
    assert.equal(sqlite(path, 'SELECT max(number) AS n FROM migrations')[0].n, 9999, 'it is as it was');
    rmSync(w.data, { recursive: true });
    cpSync(good, w.data, { recursive: true });
  }
  await w.start();
  await w.metricIs('weir_requests_total', { api: 'open' }, 1);
});

test('a damaged database, ring or pepper is named, and nothing is put in its place', async (t) => {
  const w = await used(t);
  const good = `${w.data}.good`;
  cpSync(w.data, good, { recursive: true });
  for (const [file, damage, pattern] of [
    ['weir.db', (p) => writeFileSync(p, 'no database'.repeat(1000)), /weir\.db is damaged or no database: put a backup back/],
    ['analytics/totals.db', (p) => writeFileSync(p, 'no database'.repeat(1000)), /totals\.db is damaged or no database: put a backup back/],
    ['journal/ring-00', (p) => writeFileSync(p, 'no ring'.repeat(5000)), /ring-00 is not a journal ring: move it away/],
    ['pepper', (p) => truncateSync(p, 3), /pepper is not a file of 32 bytes; put it back from your backup/],
    ['pepper', (p) => rmSync(p), /pepper is missing, and the keys in weir\.db cannot be checked without it; put it back from your backup/],
    ['pepper', (p) => chmodSync(p, 0o644), /pepper may be read by others than its owner; run: chmod 600/],
  ]) {
    const path = join(w.data, file);
    damage(path);
    failsInOneLine(w, new RegExp(`^weir: \\S+${pattern.source}`));
    rmSync(w.data, { recursive: true });
    cpSync(good, w.data, { recursive: true });
  }
  await w.start();
  await w.metricIs('weir_requests_total', { api: 'open' }, 1);
});

test('a second instance on one folder is refused, and the first goes on', async (t) => {
  const o = await echo(t);
  const w = await Weir.start(t, config({ upstreams: { o: { targets: [o.url] } } }));
  failsInOneLine(w, new RegExp(`^weir: data_dir \\S+ is in use by process ${w.pid}; stop it, or give this instance a data_dir of its own`));
  assert.equal((await call(w.gateway, 'GET /open HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
  // what a dead one left behind does not stand in the way
  await w.kill9();
  await w.start();
  assert.equal((await call(w.gateway, 'GET /open HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
  await w.metricIs('weir_requests_total', { api: 'open' }, 2);
});
