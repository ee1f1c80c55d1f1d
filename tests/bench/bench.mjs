// SPDX-License-Identifier: Apache-2.0
//
// The benchmark: see README.md. Everything is started here, on free ports in a temporary folder, and ended here.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { countCalls } from './calls.mjs';
import { load, measure, withIdle } from './load.mjs';
import { freePorts, loadAverage, memory } from './processes.mjs';
import { markdown, summarize } from './report.mjs';
import { GATEWAYS, startOrigin } from './systems.mjs';

const CONNECTIONS = [1, 64, 512];
const CLOSE_CONNECTIONS = 64;
const IDLE_CONNECTIONS = 4000;
const WORKERS = 1024;
const IDLE_WORKERS = 6000; // beyond three quarters idle connections are given one second only
const ATTEMPTS = 3;
const WARM_UP = { connections: 64, seconds: 1 };

const say = (text) => process.stderr.write(`${text}\n`);

function readOptions() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '4' }, rounds: { type: 'string', default: '3' },
      quick: { type: 'boolean' }, calls: { type: 'boolean' }, out: { type: 'string' },
    },
  });
  const options = values.quick ? { seconds: 2, rounds: 1 } : { seconds: Number(values.seconds), rounds: Number(values.rounds) };
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a number of 1 or more`);
  }
  return { ...options, calls: values.calls, out: values.out };
}

function version(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).split('\n')[0].trim();
}

function describeMachine() {
  const cpu = os.cpus();
  return [
    `- ${cpu[0].model.trim()}, ${cpu.length} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB, Linux ${os.release()}`,
    `- ${version(process.env.WEIR_BIN, ['version'])}; ${version('sh', ['-c', 'nginx -v 2>&1'])}; ${version('haproxy', ['-v']).replace(/ \d{4}.*/, '')}`,
  ];
}

// Starts the origin and all gateways; `started` grows as they do, so that what runs can be ended at any time.
async function startAll(dir, started, workers) {
  const [origin, ...ports] = await freePorts(1 + 3 * GATEWAYS.length);
  started.push(await startOrigin(join(dir, 'origin'), origin));
  const systems = [];
  for (const { name, start } of GATEWAYS) {
    const [port, portal, admin] = ports.splice(0, 3);
    const program = await start(join(dir, name), { port, portal, admin, origin, workers });
    started.push(program);
    systems.push({ name, port, program });
  }
  return { origin, systems };
}

const rotate = (list, by) => [...list.slice(by % list.length), ...list.slice(0, by % list.length)];

// A refusal is cheaper than an answer: a measurement with more than a few is made again, and told.
async function measureWell(name, port, program, options) {
  for (let attempt = 1; ; attempt++) {
    const figures = await measure(port, program, options);
    if (figures.bad <= (figures.rps * options.seconds) / 1000) return { ...figures, attempts: attempt };
    say(`${name}: ${figures.bad} requests were not answered with 200${attempt < ATTEMPTS ? '; once more' : ''}`);
    if (attempt === ATTEMPTS) return { ...figures, attempts: attempt };
  }
}

// One round: every cell for every system, which take turns in coming first.
async function runRound(number, { origin, systems }, seconds) {
  const cells = {};
  const all = [{ name: 'origin', port: origin }, ...systems];
  const measurements = [
    ...CONNECTIONS.map((connections) => ({ key: `${connections}`, connections })),
    { key: `${CLOSE_CONNECTIONS}, each request a new one`, connections: CLOSE_CONNECTIONS, close: true },
  ];
  for (const { key, ...options } of measurements) {
    const cell = {};
    for (const { name, port, program } of rotate(all, number)) {
      cell[name] = await measureWell(name, port, program, { ...options, seconds });
      say(`round ${number + 1}, ${key}: ${name} ${Math.round(cell[name].rps)}/s ${cell[name].cpu_us?.toFixed(1) ?? ''}`);
    }
    cells[key] = Object.fromEntries(all.map(({ name }) => [name, cell[name]]));
  }
  return cells;
}

async function idleMemory(dir, started) {
  const { systems } = await startAll(dir, started, IDLE_WORKERS);
  const found = [];
  for (const { name, port, program } of systems) {
    const { value, open } = await withIdle(port, IDLE_CONNECTIONS, () => memory(program.pid));
    found.push({ when: `${open} idle connections`, name, ...value });
  }
  return found;
}

async function stopAll(started) {
  for (const program of started.splice(0).reverse()) await program.stop();
}

async function benchmark(dir, started, options) {
  const machine = describeMachine();
  const loadBefore = loadAverage();
  const all = await startAll(join(dir, 'load'), started, WORKERS);
  const rounds = [], memories = [];
  const look = (when) => {
    for (const { name, program } of all.systems) memories.push({ when, name, ...memory(program.pid) });
  };
  look('just started');
  for (const { port } of all.systems) await load(port, WARM_UP);
  for (let i = 0; i < options.rounds; i++) rounds.push(await runRound(i, all, options.seconds));
  look(`after the rounds, ${CONNECTIONS.at(-1)} connections at once`);
  await stopAll(started);
  memories.push(...await idleMemory(join(dir, 'idle'), started));
  const result = {
    date: new Date().toISOString(), machine, load: [loadBefore, loadAverage()], options,
    rounds, cells: summarize(rounds), memory: memories,
  };
  process.stdout.write(markdown(result));
  return result;
}

const options = readOptions();
const dir = mkdtempSync(join(os.tmpdir(), 'weir-bench-'));
const started = [];
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    interrupted = true;
    await stopAll(started);
    rmSync(dir, { recursive: true, force: true });
    process.exit(1);
  });
}
try {
  const result = options.calls ? await countCalls(dir, started) : await benchmark(dir, started, options);
  if (options.out) writeFileSync(options.out, `${JSON.stringify(result, null, 2)}\n`);
} catch (error) {
  if (!interrupted) {
    say(`tests/bench/run: ${error.message}`);
    for (const { log } of started) say(`--- ${log}\n${readFileSync(log, 'utf8').slice(-500)}`);
    process.exitCode = 1;
  }
} finally {
  if (!interrupted) {
    await stopAll(started);
    rmSync(dir, { recursive: true, force: true });
  }
}
