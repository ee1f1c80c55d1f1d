// SPDX-License-Identifier: Apache-2.0
//
// Runs the program under test: one folder an instance, ports of the kernel's choice, and what its files, its log and
// its admin listener tell. Nothing here sleeps for a result: until() waits for a condition.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const program = process.env.WEIR_BIN ?? join(root, 'build', 'weir');

// Long enough for a sanitized program on a busy machine; a test that passes never waits so long.
const PATIENCE_MS = 60_000;

// Calls `condition` until it gives something true, and gives that. What it throws counts as "not yet".
export async function until(condition, what = 'the condition', ms = PATIENCE_MS) {
  const deadline = Date.now() + ms;
  let last;
  for (;;) {
    try {
      last = await condition();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms for ${what}; last: ${last?.stack ?? last}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// A promise that must settle in time.
export function within(promise, what, ms = PATIENCE_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// A folder that is gone when the test is over.
export function folder(t) {
  const dir = mkdtempSync(join(tmpdir(), 'weir-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

// Runs a command of the program to its end.
export function weir(args, options = {}) {
  const { env, ...rest } = options;
  const ran = spawnSync(program, args, {
    encoding: 'utf8', timeout: PATIENCE_MS, env: { ...process.env, ...env }, ...rest,
  });
  return { code: ran.status, signal: ran.signal, stdout: ran.stdout, stderr: ran.stderr };
}

// Listeners on free ports for what the test does not care about.
export function withDefaults(config) {
  const section = (given) => ({ listen: ['127.0.0.1:0'], ...given });
  return {
    version: 1, data_dir: 'data', ...config,
    gateway: section(config.gateway), portal: section(config.portal), admin: section(config.admin),
  };
}

function address(text) {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)), text };
}

// {name, labels, value} of each sample of a /metrics text.
export function parseMetrics(text) {
  const samples = [];
  for (const line of text.split('\n')) {
    const m = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!m || line.startsWith('#')) continue;
    const labels = {};
    for (const [, name, value] of (m[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[name] = value;
    samples.push({ name: m[1], labels, value: Number(m[3]) });
  }
  return samples;
}

export class Weir {
  // Prepares an instance; `config` is an object (written as JSON, which is YAML) or a text.
  constructor(t, config, { dir = folder(t), env = {}, wrap = [] } = {}) {
    this.wrap = wrap; // words before the program's, as of a command that runs it
    this.dir = dir;
    this.file = join(dir, 'weir.yaml');
    this.data = join(dir, 'data');
    this.env = env;
    this.log = '';
    this.write(config);
    t.after(() => this.#end());
  }

  // Starts one and waits until it serves.
  static async start(t, config, options) {
    const w = new Weir(t, config, options);
    await w.start();
    return w;
  }

  // Replaces the file in one step, as editors do.
  write(config) {
    const text = typeof config === 'string' ? config : JSON.stringify(withDefaults(config), null, 2);
    writeFileSync(`${this.file}.new`, text);
    renameSync(`${this.file}.new`, this.file);
  }

  spawn() {
    const from = this.log.length;
    const [command, ...words] = [...this.wrap, program, 'serve', '-c', this.file];
    this.child = spawn(command, words,
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.env } });
    const add = (chunk) => { this.log += chunk; };
    this.child.stdout.on('data', add);
    this.child.stderr.on('data', add);
    this.exited = once(this.child, 'close').then(([code, signal]) => ({ code, signal }));
    this.running = true;
    this.exited.then(() => { this.running = false; });
    return from;
  }

  async start() {
    const from = this.spawn();
    const line = await until(() => {
      if (!this.running) throw new Error(`weir ended: ${this.log.slice(from)}`);
      return /^.*msg="weir is ready".*$/m.exec(this.log.slice(from));
    }, 'weir to be ready');
    for (const name of ['gateway', 'portal', 'admin']) {
      const m = new RegExp(` ${name}=(\\S+)`).exec(line[0]);
      this[name] = m ? address(m[1]) : undefined;
    }
    return this;
  }

  get pid() { return this.child.pid; }

  signal(name) { process.kill(this.child.pid, name); }

  // Ends it with SIGTERM; what it exited with.
  async stop(signal = 'SIGTERM') {
    this.signal(signal);
    return within(this.exited, `weir to end after ${signal}; its log:\n${this.log}`);
  }

  async kill9() {
    this.signal('SIGKILL');
    await this.exited;
  }

  async #end() {
    if (this.running) await this.kill9();
    const report = /(ERROR: \w+Sanitizer|runtime error:|CHECK failed)[^]*/.exec(this.log);
    if (report) throw new Error(report[0]);
  }

  // What the admin listener answers: {status, headers, body}.
  ask(path, headers = {}) {
    return new Promise((resolve, reject) => {
      http.get({ host: this.admin.host, port: this.admin.port, path, headers, agent: false }, (res) => {
        let body = '';
        res.setEncoding('utf8');
        res.on('data', (chunk) => { body += chunk; });
        res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body }));
        res.on('error', reject);
      }).on('error', reject);
    });
  }

  async metrics() { return parseMetrics((await this.ask('/metrics')).body); }

  // The sum of all samples of that name which have these labels.
  async metric(name, labels = {}) {
    const fits = (s) => s.name === name && Object.entries(labels).every(([k, v]) => s.labels[k] === String(v));
    return (await this.metrics()).filter(fits).reduce((sum, s) => sum + s.value, 0);
  }

  // Waits until a metric has a value, which /metrics tells at most a second late.
  metricIs(name, labels, value) {
    const what = `${name}${JSON.stringify(labels)} to be ${value}`;
    let seen;
    return until(async () => (seen = await this.metric(name, labels)) === value, what)
      .catch((error) => { throw new Error(`${error.message}; it is ${seen}`); });
  }

  // Rows of the day files, read with Debian's sqlite3 and not with our own code.
  requests(select = '*', rest = '') { return requests(this.data, select, rest); }

  totals(sql) { return sqlite(join(this.data, 'analytics', 'totals.db'), sql); }

  // Waits for rows to be stored: those that match `where`, `count` of them.
  async requestsAre(count, where = '1') {
    let rows;
    await until(() => {
      rows = this.requests('*', `WHERE ${where}`);
      return rows.length >= count;
    }, `${count} rows where ${where}`);
    if (rows.length !== count) throw new Error(`${rows.length} rows where ${where}, not ${count}`);
    return rows;
  }
}

// Asks a database file with the sqlite3 program, for reading only; rows as objects.
export function sqlite(file, sql, options = ['-readonly']) {
  const ran = spawnSync('sqlite3', [...options, '-json', '-cmd', '.timeout 10000', file, sql],
    { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (ran.error) throw ran.error;
  if (ran.status !== 0) throw new Error(`sqlite3 ${file}: ${ran.stderr}`);
  return ran.stdout.trim() === '' ? [] : JSON.parse(ran.stdout);
}

export function dayFiles(data) {
  const dir = join(data, 'analytics');
  if (!existsSync(dir)) return [];
  return readdirSync(dir).filter((name) => /^requests-[\d-]+\.db$/.test(name)).sort().map((name) => join(dir, name));
}

// Request ids come as UUIDs, in `id`.
export function requests(data, select = '*', rest = '') {
  const id = "lower(substr(hex(request_id),1,8)||'-'||substr(hex(request_id),9,4)||'-'||substr(hex(request_id),13,4)"
    + "||'-'||substr(hex(request_id),17,4)||'-'||substr(hex(request_id),21)) AS id";
  const columns = 'seq,client_request_id,api,route,method,path,query,status,reason,app,key,plan,client_ip,bytes_in,'
    + 'bytes_out,duration_us,upstream_us,upstream,target,attempts,protocol,user_agent,referer,metered,trail';
  return dayFiles(data).flatMap((file) =>
    sqlite(file, `SELECT ${select} FROM (SELECT ${columns}, ${id} FROM requests) ${rest}`));
}

// A small file system, or false where this machine does not let us have one.
export function smallDisk(t, options) {
  const dir = mkdtempSync(join(tmpdir(), 'weir-disk-'));
  t.after(() => {
    spawnSync('umount', ['-l', dir]);
    rmdirSync(dir);
  });
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir]).status === 0 && dir;
}
