// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sandbox } from './sandbox.mjs';

const quickstart = fileURLToPath(new URL('../../quickstart', import.meta.url));

const script = (path, body) => {
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
};

// What CMake says of a build that is up to date.
const idle = 'echo "[0/2] Re-checking globbed directories..."; echo "ninja: no work to do."';

// A clone whose packages and CMake are stand-ins that answer `installer` and `cmake`.
function clone(t, { installer = '', cmake = idle, built = true } = {}) {
  const box = sandbox(t, { cmake });
  const tree = join(box.dir, 'clone');
  mkdirSync(join(tree, 'appliance/packaging'), { recursive: true });
  copyFileSync(quickstart, join(tree, 'quickstart'));
  chmodSync(join(tree, 'quickstart'), 0o755);
  script(join(tree, 'appliance/packaging/install-packages'), installer);
  if (built) {
    mkdirSync(join(tree, 'build'));
    writeFileSync(join(tree, 'build/build.ninja'), '');
    script(join(tree, 'build/weir'), 'echo "weir $*"');
  }
  return { ...box, tree, start: (...args) => box.run(join(tree, 'quickstart'), args, { cwd: '/' }) };
}

test('where all is there it goes straight to the demo, with its arguments, from any folder', (t) => {
  const box = clone(t);
  assert.deepEqual(box.start('--seconds', '20'), { status: 0, stdout: 'weir demo --seconds 20\n', stderr: '' });
  assert.deepEqual(box.calls(), ['cmake --build build']);
});

test('what has changed is built first, and said', (t) => {
  const box = clone(t, { cmake: `${idle}; echo "[1/2] Building C object x.o"` });
  assert.match(box.start().stdout, /^Weir quickstart .*\n {2}building build\/weir \.\.\.\n {2}build\/weir built \(\d+ s\)\nweir demo\n$/);
});

test('a fresh clone is set up, built and run, each step with a line and no control characters', (t) => {
  const cmake = `case $1 in
    --build) printf '#!/bin/sh\\necho "weir $*"\\n' >build/weir; /bin/chmod 755 build/weir; echo "[1/2] cc" ;;
    *) : >build/build.ninja ;;
  esac`;
  const box = clone(t, { installer: '[ "$1" != --missing ] || echo cmake', cmake, built: false });
  const ran = box.start();
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stdout, /installing 1 Debian packages/);
  assert.match(ran.stdout, /CivetWeb fetched, build set up \(\d+ s\)/);
  assert.match(ran.stdout, /build\/weir built \(\d+ s\)\nweir demo\n$/);
  assert.doesNotMatch(ran.stdout, /[\r\x1b]/);
});

test('packages that cannot be installed end it with the last lines and what to do', (t) => {
  const box = clone(t, { installer: 'if [ "$1" = --missing ]; then echo cmake; else echo "E: no network" >&2; exit 1; fi' });
  const ran = box.start();
  assert.equal(ran.status, 1);
  assert.match(ran.stderr, / {2}E: no network\n/);
  assert.match(ran.stderr, /quickstart: the packages could not be installed\.\nCheck the network/);
});

test('a build that fails ends it with the last lines and starts nothing', (t) => {
  const box = clone(t, { cmake: 'echo "x.c:1:1: error: broken"; exit 1' });
  const ran = box.start();
  assert.equal(ran.status, 1);
  assert.match(ran.stderr, /x\.c:1:1: error: broken/);
  assert.doesNotMatch(ran.stdout, /weir demo/);
});

test('--help tells what it does and does none of it', (t) => {
  const box = clone(t, { built: false });
  assert.match(box.start('--help').stdout, /^\.\/quickstart \[ARGS\]/);
  assert.deepEqual(box.calls(), []);
});
