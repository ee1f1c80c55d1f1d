// SPDX-License-Identifier: Apache-2.0
//
// Programs on one core each, and what the kernel knows of them. Only what was started here is ever ended, by its id.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';

const TICK_US = 10_000; // of /proc/*/stat: USER_HZ is 100 on every Linux

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Tries until it holds or the time is over.
export async function until(holds, what, ms = 10_000) {
  const deadline = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms for ${what}`);
    await sleep(10);
  }
}

export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => net.createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

export function answersOn(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => resolve(false));
  });
}

// A program on core `core`, its output in a file.
export class Program {
  constructor(core, command, args, { log, env } = {}) {
    const out = openSync(log, 'a');
    this.name = command;
    this.log = log;
    this.child = spawn('taskset', ['-c', String(core), command, ...args],
      { stdio: ['ignore', out, out], env: { ...process.env, ...env } });
    closeSync(out);
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    this.child.once('error', (error) => { this.failure = error; });
  }

  get pid() { return this.child.pid; }

  async listens(port) {
    await until(async () => {
      if (this.failure || this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`${this.name} did not start:\n${this.failure ?? readFileSync(this.log, 'utf8').slice(-2000)}`);
      }
      return answersOn(port);
    }, `${this.name} to listen on ${port}`);
  }

  // nginx ends its own workers; so does everything here on SIGTERM.
  async stop() {
    if (this.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
    await this.ended;
    clearTimeout(late);
  }
}

// The process and what it started.
function family(pid) {
  const pids = [pid];
  for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)) {
    pids.push(...family(Number(child)));
  }
  return pids;
}

function cpuOf(stat) {
  const fields = readFileSync(stat, 'utf8').replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US; // utime, stime
}

// CPU time in microseconds: of all, and of threads by their names.
export function cpuTime(pid) {
  const times = { all: 0, threads: {} };
  for (const one of family(pid)) {
    times.all += cpuOf(`/proc/${one}/stat`);
    for (const tid of readdirSync(`/proc/${one}/task`)) {
      const name = readFileSync(`/proc/${one}/task/${tid}/comm`, 'utf8').trim();
      times.threads[name] = (times.threads[name] ?? 0) + cpuOf(`/proc/${one}/task/${tid}/stat`);
    }
  }
  return times;
}

// Resident memory in KiB, added up over the processes: `anonymous` is their own, `file` is programs, libraries and
// (Weir's) the journal's pages, which belong to the kernel's file cache.
export function memory(pid) {
  const sum = { rss: 0, anonymous: 0, file: 0 };
  for (const one of family(pid)) {
    const status = readFileSync(`/proc/${one}/status`, 'utf8');
    const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    sum.rss += field('VmRSS');
    sum.anonymous += field('RssAnon');
    sum.file += field('RssFile') + field('RssShmem');
  }
  return sum;
}

// The first two cores that this process may use: for the gateway, and for load and origin.
export function twoCores() {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  const cores = list.split(',').flatMap((range) => {
    const [from, to = from] = range.split('-').map(Number);
    return Array.from({ length: Math.min(to - from + 1, 2) }, (_, i) => from + i);
  });
  if (cores.length < 2) throw new Error('two cores are needed: one for the gateway, one for load and origin');
  return cores.slice(0, 2);
}

export const loadAverage = () => Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
