// SPDX-License-Identifier: Apache-2.0
//
// weir key, with an instance running and without one.
import assert from 'node:assert/strict';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { hello, makeSite, startOrigin, startSite } from './lib/site.mjs';

const KEY = /^weir_(live|test)_([0-9A-Za-z]{8})_[0-9A-Za-z]{38}\n$/;

async function create(weir, ...args) {
  const { code, stdout, stderr } = await weir.run('key', 'create', ...args);
  assert.equal(code, 0, stderr);
  const [, env, kid] = stdout.match(KEY) ?? assert.fail(`not a key alone: ${JSON.stringify(stdout)}`);
  assert.ok(stderr.includes(kid), 'the hint names the key');
  assert.ok(!stderr.includes(stdout.trim()), 'the hint does not hold the secret');
  return { env, kid, secret: stdout.trim() };
}

const status = async (weir, secret) => {
  const { status, headers } = await weir.call('/hello', secret);
  return `${status} ${headers['weir-reason'] ?? ''}`.trim();
};

const changed = async (weir, ...args) => assert.equal((await weir.ok('key', ...args)), '');

// What holds in both cases; `instance` says whether one runs.
async function livesOf(t, weir, look) {
  const plain = await create(weir, '--app', 'acme', '--name', 'Büro', '--expires', '90d');
  assert.equal(plain.env, 'live');
  assert.equal((await create(weir, '--app', 'acme', '--test')).env, 'test');
  await look(plain.secret, '200');

  await changed(weir, 'disable', plain.kid);
  await look(plain.secret, '401 key_disabled');
  await changed(weir, 'enable', plain.kid);
  await look(plain.secret, '200');

  const rotated = await weir.run('key', 'rotate', plain.kid, '--overlap', '1h');
  assert.match(rotated.stdout, KEY);
  assert.match(rotated.stderr, new RegExp(`${plain.kid}, expires \\d{4}-`));
  await look(plain.secret, '200');
  await look(rotated.stdout.trim(), '200');
  const at_once = await weir.run('key', 'rotate', rotated.stdout.match(KEY)[2], '--overlap', '0');
  await look(rotated.stdout.trim(), '401 key_expired');
  await look(at_once.stdout.trim(), '200');

  const kid = at_once.stdout.match(KEY)[2];
  await changed(weir, 'revoke', kid);
  await look(at_once.stdout.trim(), '401 key_revoked');
  await changed(weir, 'revoke', kid);
  const enabled = await weir.run('key', 'enable', kid);
  assert.equal(enabled.code, 1);
  assert.match(enabled.stderr, /revoked, and that is for good/);

  for (const verb of ['rotate', 'revoke', 'enable', 'disable']) {
    const { code, stdout, stderr } = await weir.run('key', verb, 'noSuchK1');
    assert.deepEqual([code, stdout], [1, ''], verb);
    assert.match(stderr, /no key noSuchK1/);
  }
  const lost = await weir.run('key', 'create', '--app', 'acne');
  assert.deepEqual([lost.code, lost.stdout], [1, '']);
  assert.match(lost.stderr, /no app `acne`; did you mean `acme`\?/);

  const states = Object.fromEntries((await weir.json('key', 'list')).map((key) => [key.kid, key]));
  assert.equal(Object.keys(states).length, 4);
  assert.equal(states[kid].state, 'revoked');
  assert.equal(states[rotated.stdout.match(KEY)[2]].state, 'expired');
  assert.deepEqual([states[plain.kid].name, states[plain.kid].app, states[plain.kid].env], ['Büro', 'acme', 'live']);
  return [plain.secret, rotated.stdout.trim(), at_once.stdout.trim()];
}

async function noSecretIn(weir, secrets) {
  assert.equal((await stat(weir.data)).mode & 0o777, 0o700);
  const files = await readdir(weir.data, { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const bytes = await readFile(join(file.parentPath ?? file.path, file.name));
    for (const secret of secrets) assert.ok(!bytes.includes(secret.split('_')[3]), `${file.name} holds a secret`);
  }
  for (const secret of secrets) assert.ok(!weir.log.includes(secret.split('_')[3]), 'the log holds a secret');
}

test('keys are changed in a running instance, in force when the command returns', async (t) => {
  const origin = await startOrigin(t);
  const weir = await startSite(t, hello, origin);
  const secrets = await livesOf(t, weir, async (secret, expected) => assert.equal(await status(weir, secret), expected));
  await noSecretIn(weir, secrets);
});

test('keys are changed without an instance, and hold in the one that starts', async (t) => {
  const origin = await startOrigin(t);
  const weir = makeSite(t, hello, origin);
  const expected = new Map();
  const secrets = await livesOf(t, weir, async (secret, what) => expected.set(secret, what));
  await weir.start();
  for (const [secret, what] of expected) assert.equal(await status(weir, secret), what);
  await noSecretIn(weir, secrets);
});

test('a key with networks works from there alone', async (t) => {
  const origin = await startOrigin(t);
  const weir = await startSite(t, hello, origin);
  const here = await create(weir, '--app', 'acme', '--allow', '10.0.0.0/8', '--allow', '127.0.0.1');
  const there = await create(weir, '--app', 'acme', '--allow', '10.0.0.0/8');
  assert.equal(await status(weir, here.secret), '200');
  assert.equal(await status(weir, there.secret), '403 ip_denied');
});

test('key list shows last use, keys of the file, and one app', async (t) => {
  const origin = await startOrigin(t);
  const config = structuredClone(hello);
  config.apps.acme.keys = { ci: { secret: 'a secret of the file' } };
  const weir = await startSite(t, config, origin);
  const used = await create(weir, '--app', 'acme');
  const idle = await create(weir, '--app', 'small');
  const before = Date.now() - 1000;
  assert.equal(await status(weir, used.secret), '200');
  assert.equal(await status(weir, 'a secret of the file'), '200');
  const keys = await weir.json('key', 'list');
  const byKid = Object.fromEntries(keys.map((key) => [key.kid, key]));
  assert.deepEqual(Object.keys(byKid).sort(), [used.kid, idle.kid, 'acme/ci'].sort());
  for (const kid of [used.kid, 'acme/ci']) {
    assert.ok(Date.parse(byKid[kid].last_used) >= before - (before % 1000), kid);
    assert.equal(byKid[kid].last_ip, '127.0.0.1');
  }
  assert.deepEqual([byKid[idle.kid].last_used, byKid[idle.kid].expires], [null, null]);
  assert.deepEqual((await weir.json('key', 'list', '--app', 'small')).map((key) => key.kid), [idle.kid]);

  const csv = (await weir.ok('key', 'list', '--app', 'small', '--format', 'csv')).split('\n');
  assert.equal(csv[0], 'kid,app,name,env,state,created,expires,last_used,last_ip');
  assert.match(csv[1], new RegExp(`^${idle.kid},small,,live,active,\\d{4}-\\d\\d-\\d\\dT[\\d:]+Z,,,$`));
  const table = (await weir.ok('key', 'list', '--app', 'nobody')).split('\n');
  assert.deepEqual(table.length, 2, 'a header line and nothing else');
});

test('keys made at the same time, with and without an instance, are all there', async (t) => {
  const origin = await startOrigin(t);
  const weir = makeSite(t, hello, origin);
  const alone = await Promise.all(Array.from({ length: 4 }, () => create(weir, '--app', 'acme')));
  await weir.start();
  const running = await Promise.all(Array.from({ length: 4 }, () => create(weir, '--app', 'acme')));
  for (const { secret } of [...alone, ...running]) assert.equal(await status(weir, secret), '200');
  assert.equal((await weir.json('key', 'list')).length, 8);
});

test('what a command said is done is done after kill -9', async (t) => {
  const origin = await startOrigin(t);
  const weir = await startSite(t, hello, origin);
  const kept = await create(weir, '--app', 'acme');
  const gone = await create(weir, '--app', 'acme');
  await changed(weir, 'revoke', gone.kid);
  await weir.kill9();
  const late = await create(weir, '--app', 'acme'); // beside the socket of the one that was killed
  await weir.start();
  assert.equal(await status(weir, kept.secret), '200');
  assert.equal(await status(weir, gone.secret), '401 key_revoked');
  assert.equal(await status(weir, late.secret), '200');
});
