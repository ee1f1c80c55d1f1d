// SPDX-License-Identifier: Apache-2.0
//
// Load on one gateway, and what it cost there.
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { cpuTime, sleep, until } from './processes.mjs';
import { KEY, LOAD_CORE, PATH } from './systems.mjs';

const run = promisify(execFile);
const script = join(dirname(fileURLToPath(import.meta.url)), 'wrk.lua');
const SETTLE_MS = 1_100; // what is written behind (nginx's buffer, Weir's store) counts too

// `seconds` of requests from wrk over `connections`; with `close` each on a connection of its own.
export async function load(port, { connections, seconds, close = false }) {
  const { stdout } = await run('taskset', ['-c', String(LOAD_CORE), 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`,
    '--timeout', '10s', '-s', script, '-H', `X-API-Key: ${KEY}`, '-H', 'Accept: application/json',
    '-H', 'User-Agent: bench/1.0', ...(close ? ['-H', 'Connection: close'] : []), `http://127.0.0.1:${port}${PATH}`]);
  return JSON.parse(stdout.trim().split('\n').pop());
}

// The same, with the CPU time of the gateway's process (undefined for the origin alone: it has none). `bad` is how many
// of the requests were refused or failed.
export async function measure(port, program, options) {
  const before = program && cpuTime(program.pid);
  const result = await load(port, options);
  const figures = {
    rps: result.requests / (result.duration_us / 1e6), p50_us: result.p50_us, p99_us: result.p99_us,
    bad: result.refused + result.failed,
  };
  if (program) {
    await sleep(SETTLE_MS);
    const after = cpuTime(program.pid);
    figures.cpu_us = (after.all - before.all) / result.requests;
    figures.threads = Object.fromEntries(Object.entries(after.threads)
      .map(([name, us]) => [name, (us - (before.threads[name] ?? 0)) / result.requests])
      .filter(([, us]) => us >= 0.05));
  }
  return figures;
}

// Opens `count` connections, one answered request on each, and leaves them idle while `look` runs.
export async function withIdle(port, count, look) {
  const request = `GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-API-Key: ${KEY}\r\n\r\n`;
  const sockets = [];
  let answered = 0, lost = 0;
  try {
    for (let i = 0; i < count; i++) {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
      socket.once('data', () => { answered++; });
      socket.once('close', () => { lost++; });
      socket.on('error', () => {});
      sockets.push(socket);
      if (i % 100 === 99) await until(() => answered + lost > i - 50, 'answers on new connections', 30_000);
    }
    await until(() => answered + lost >= count, 'answers on all connections', 30_000);
    await sleep(SETTLE_MS);
    return { value: look(), open: count - lost };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}
