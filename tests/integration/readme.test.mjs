// SPDX-License-Identifier: Apache-2.0
//
// Every command of README.md is run. What it says of files and ports is taken as it stands, but for the ports: a test
// takes free ones. `./quickstart` and `tests/run` are run whole by tests/clean-machine; here they must exist.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { folder, program, until } from './lib/weir.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function commands() {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap((m) => m[1].split('\n')).filter((line) => line !== '');
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// Not the synchronous call: the origin lives in this process and must be able to answer.
function shell(command, options) {
  return new Promise((resolve) => {
    execFile('sh', ['-c', command], { encoding: 'utf8', ...options }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr });
    });
  });
}

test('every command of the README does what it says', async (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, 'build'));
  symlinkSync(program, join(dir, 'build', 'weir'));
  const origin = http.createServer((request, response) => response.end(`hello ${request.url}\n`)).listen(0, '127.0.0.1');
  await new Promise((resolve) => origin.once('listening', resolve));
  t.after(() => origin.close());
  const ports = { 8080: await freePort(), 8081: await freePort(), 8082: await freePort(), 9001: origin.address().port };
  const withPorts = (text) => text.replace(/127\.0\.0\.1:(\d+)/g, (all, port) => `127.0.0.1:${ports[port] ?? port}`);

  const ran = [];
  let id = '';
  let serving;
  const env = { ...process.env, KEY: '' };
  for (const line of commands()) {
    ran.push(line);
    if (line === './quickstart' || line === 'tests/run') {
      assert.ok(existsSync(join(root, line)), `${line} exists`);
      continue;
    }
    if (line.startsWith('build/weir serve')) {
      serving = spawn('sh', ['-c', `exec ${withPorts(line)}`], { cwd: dir, stdio: 'ignore' });
      t.after(() => serving.kill('SIGKILL'));
      await until(async () => (await fetch(`http://127.0.0.1:${ports[8082]}/readyz`)).ok, 'weir to be ready');
      continue;
    }
    const assignment = /^(\w+)=\$\((.*)\)$/.exec(line);
    const command = withPorts(assignment ? assignment[2] : line).replace('REQUEST_ID', id);
    const done = await shell(command, { cwd: dir, env });
    assert.equal(done.code, 0, `${line}\n${done.stderr}`);
    if (assignment) env[assignment[1]] = done.stdout.trim();
    if (line.startsWith('curl -i')) {
      assert.match(done.stdout, /^HTTP\/1.1 200 /);
      [, id] = /^X-Request-Id: (\S+)/im.exec(done.stdout);
    }
    if (line.includes('explain')) assert.match(done.stdout, /200/);
    if (line.includes('usage')) assert.match(done.stdout, /my-app/);
    if (line.includes(' sql ')) assert.match(done.stdout, /\/hello/);
    if (line.includes(' init ')) {
      const file = join(dir, 'weir.yaml');
      writeFileSync(file, withPorts(readFileSync(file, 'utf8')));
    }
  }
  assert.ok(ran.some((line) => line.startsWith('build/weir explain')), 'the README shows explain');
  serving.kill('SIGTERM');
  await new Promise((resolve) => serving.once('close', resolve));
  assert.equal(serving.exitCode, 0);
});
