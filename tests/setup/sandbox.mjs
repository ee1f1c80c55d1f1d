// SPDX-License-Identifier: Apache-2.0
//
// A folder with stand-ins for the programs a script calls, each of which writes down that it was called: so what
// the script would do to a machine is seen and not done.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// What scripts may really use; everything else is a stand-in or missing.
const real = ['awk', 'basename', 'bash', 'cat', 'cut', 'dirname', 'env', 'grep', 'mkdir', 'mktemp', 'paste', 'rm', 'sed',
  'sh', 'tail', 'tr', 'wc'];

export function sandbox(t, programs = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'setup-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const bin = join(dir, 'bin');
  const calls = join(dir, 'calls');
  mkdirSync(bin);
  for (const name of real) {
    const path = ['/usr/bin', '/bin'].map((folder) => join(folder, name)).find(existsSync);
    symlinkSync(path, join(bin, name));
  }
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>'${calls}'\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return {
    dir,
    run(path, args = [], options = {}) {
      const ran = spawnSync(path, args, {
        encoding: 'utf8',
        env: { PATH: bin, TMPDIR: dir, TERM: 'dumb' },
        timeout: 60_000,
        ...options,
      });
      return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr };
    },
    calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []),
  };
}
