// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sandbox } from './sandbox.mjs';

const installer = fileURLToPath(new URL('../../appliance/packaging/install-packages', import.meta.url));
const list = readFileSync(new URL('../../appliance/packaging/packages', import.meta.url), 'utf8');
const rows = list.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(/\s+/));
const named = (role) => rows.filter(([, roles]) => roles.split(',').includes(role)).map(([name]) => name);

// dpkg-query that knows all of these packages as installed
const installed = (names) => `for p in "$@"; do case " ${names.join(' ')} " in *" $p "*) echo "ii  $p" ;; esac; done`;
const root = { id: 'echo 0' };
const plain = { id: 'echo 1000' };
const node = { node: 'echo true', npm: '' };

test('each package is named once, with known roles and a reason', () => {
  const known = ['build', 'run', 'test', 'bench', 'clean'];
  for (const [name, roles, ...why] of rows) {
    assert.ok(roles.split(',').every((role) => known.includes(role)), `${name}: ${roles}`);
    assert.ok(why.length > 0, `${name} has no reason`);
  }
  assert.equal(new Set(rows.map(([name]) => name)).size, rows.length);
});

test('nothing is installed, and no right is asked for, where nothing lacks', (t) => {
  const box = sandbox(t, { ...plain, 'dpkg-query': installed([...named('build'), ...named('run')]) });
  assert.deepEqual(box.run(installer, ['build', 'run']), { status: 0, stdout: '', stderr: '' });
  assert.deepEqual(box.calls().map((call) => call.split(' ')[0]), ['dpkg-query']);
});

test('only what lacks is installed, without recommendations and after one update', (t) => {
  const there = named('build').filter((name) => !['cmake', 'patch'].includes(name));
  const box = sandbox(t, { ...root, 'dpkg-query': installed(there), 'apt-get': '', tee: '', chmod: '', dpkg: '' });
  const ran = box.run(installer, ['build']);
  assert.equal(ran.status, 0, ran.stderr);
  const apt = box.calls().filter((call) => call.startsWith('apt-get'));
  assert.equal(apt.length, 2);
  assert.match(apt[0], / update$/);
  assert.match(apt[1], / install -y --no-install-recommends patch cmake$/);
});

test('Node from elsewhere is as good as Debian\'s, and one too old is not', (t) => {
  const there = named('build').filter((name) => !['nodejs', 'npm'].includes(name));
  const box = sandbox(t, { ...root, ...node, 'dpkg-query': installed(there) });
  assert.equal(box.run(installer, ['--missing', 'build']).stdout, '');
  const old = sandbox(t, { ...root, ...node, node: 'echo false', 'dpkg-query': installed(there) });
  assert.equal(old.run(installer, ['--missing', 'build']).stdout, 'nodejs\n');
});

test('a person without rights is told what to install', (t) => {
  const box = sandbox(t, { ...plain, 'dpkg-query': installed(named('clean').slice(1)), 'apt-get': '' });
  const ran = box.run(installer, ['clean']);
  assert.equal(ran.status, 1);
  assert.equal(ran.stderr, 'install-packages: not root, and sudo is not there: as root, run apt-get install debootstrap\n');
});

test('through sudo everything that needs rights goes that way', (t) => {
  const box = sandbox(t, { ...plain, sudo: '', 'dpkg-query': '', 'apt-get': '', dpkg: '' });
  assert.equal(box.run(installer, ['clean']).status, 0);
  assert.equal(box.calls().filter((call) => call.startsWith('apt-get')).length, 0);
  assert.ok(box.calls().some((call) => /^sudo env DEBIAN_FRONTEND=noninteractive apt-get .* debootstrap$/.test(call)));
});

test('an installation that fails shows the last lines of APT and what to look at', (t) => {
  const box = sandbox(t, { ...root, 'dpkg-query': '', tee: '', chmod: '', 'apt-get': 'echo "E: Unable to fetch"; exit 100' });
  const ran = box.run(installer, ['clean']);
  assert.equal(ran.status, 1);
  assert.match(ran.stderr, /E: Unable to fetch/);
  assert.match(ran.stderr, /is the network there, and is this Debian 12\?\n$/);
});

test('a system without dpkg, and a role that is none, are told in one line', (t) => {
  const box = sandbox(t, root);
  assert.match(box.run(installer, ['build']).stderr, /^install-packages: this machine is not Debian .*\n$/);
  const debian = sandbox(t, { ...root, 'dpkg-query': '' });
  assert.match(debian.run(installer, ['nonsense']).stderr, /^install-packages: no package has the role 'nonsense'.*\n$/);
  assert.match(debian.run(installer, []).stderr, /^install-packages: usage: .*\n$/);
});
