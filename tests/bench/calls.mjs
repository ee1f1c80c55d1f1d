// SPDX-License-Identifier: Apache-2.0
//
// What a request costs in calls: of the kernel, as strace counts them on the one thread that serves, and of the
// allocator, as a preloaded library counts them on Weir's carrier. Times mean nothing under strace: only counts are told.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { load } from './load.mjs';
import { freePorts, sleep } from './processes.mjs';
import { GATEWAYS, LOAD_CORE, startOrigin } from './systems.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const CONNECTIONS = [1, 64];
const SECONDS = 3;

// The thread that serves requests: nginx's worker, HAProxy's only one, Weir's carrier.
function servingThread(name, pid) {
  if (name === 'nginx') return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
  if (name !== 'weir') return pid;
  return Number(readdirSync(`/proc/${pid}/task`)
    .find((tid) => readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').startsWith('carrier-')));
}

// Counts by name, of one run of load.
async function systemCalls(thread, port, connections, dir) {
  const out = join(dir, 'strace.out');
  const strace = spawn('taskset', ['-c', String(LOAD_CORE), 'strace', '-c', '-U', 'calls,name', '-o', out, '-p', String(thread)],
    { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(strace, 'close');
  await once(strace.stderr, 'data'); // "Process ... attached"
  const { requests } = await load(port, { connections, seconds: SECONDS });
  await sleep(300);
  strace.kill('SIGINT');
  await ended;
  const calls = [...readFileSync(out, 'utf8').matchAll(/^\s*(\d+)\s+(\w+)$/gm)]
    .filter(([, , name]) => name !== 'total')
    .map(([, count, name]) => [name, Number(count) / requests])
    .filter(([, count]) => count >= 0.005);
  return Object.fromEntries(calls);
}

async function allocations(port, counter) {
  const read = () => Number(readFileSync(counter).readBigUInt64LE(0));
  const before = read();
  const { requests } = await load(port, { connections: CONNECTIONS.at(-1), seconds: SECONDS });
  return { requests, allocations: read() - before, before };
}

function preload(dir) {
  const library = join(dir, 'count-allocations.so'), counter = join(dir, 'counter');
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, join(here, 'count-allocations.c')]);
  writeFileSync(counter, Buffer.alloc(4096));
  return { counter, env: { LD_PRELOAD: library, BENCH_COUNT: counter } };
}

export async function countCalls(dir, started) {
  mkdirSync(dir, { recursive: true });
  const { counter, env } = preload(dir);
  const [origin, ...ports] = await freePorts(1 + 3 * GATEWAYS.length);
  started.push(await startOrigin(join(dir, 'origin'), origin));
  const result = { calls: {} };
  process.stdout.write('System calls a request on the thread that serves:\n\n');
  for (const { name, start } of GATEWAYS) {
    const [port, portal, admin] = ports.splice(0, 3);
    const program = await start(join(dir, name), { port, portal, admin, origin, workers: 1024, env });
    started.push(program);
    await load(port, { connections: CONNECTIONS.at(-1), seconds: 1 });
    const thread = servingThread(name, program.pid);
    for (const connections of CONNECTIONS) {
      const calls = await systemCalls(thread, port, connections, dir);
      const all = Object.values(calls).reduce((sum, n) => sum + n, 0);
      result.calls[`${name} ${connections}`] = calls;
      process.stdout.write(`- ${name}, ${connections} connections: ${all.toFixed(2)} (${Object.entries(calls)
        .map(([call, n]) => `${call} ${n.toFixed(2)}`).join(', ')})\n`);
    }
    if (name === 'weir') result.allocator = await allocations(port, counter);
  }
  const { requests, allocations: count, before } = result.allocator;
  process.stdout.write(`\nAllocations on Weir's carrier during ${requests} warm requests: ${count} (${before} before, while it warmed up)\n`);
  return result;
}
