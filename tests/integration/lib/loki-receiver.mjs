// SPDX-License-Identifier: Apache-2.0
//
// A receiver of Loki's push protocol, as strict as Loki where it matters and disobedient on request. Repeats are
// dropped as Loki drops them: same stream, time-stamp and line is one line.
//
// In a test:
//   const loki = await LokiReceiver.start(t);
//   config.analytics = { loki: { url: loki.url } };
//   loki.behave({ answer: 429, retryAfter: 1 });  loki.behave({});  await loki.die();  await loki.revive();
//   loki.lines                                    // [{ stream, ts, line }], in the order of arrival
//
// By itself: node loki-receiver.mjs [PORT] prints its address; GET /lines tells the lines as NDJSON, GET /stats
// counts, POST /behave takes the same object as behave(), POST /die the number of milliseconds to be away.
//
// What it can be told:
//   answer: 429 | 500 | ...     to every push, with `retryAfter` seconds, where given
//   times: n                    only so often, then it behaves
//   refuseLines: 'text'         400 to a push with such a line; its other lines are taken, as Loki does
//   maxLines: n                 413 to a push with more lines
//   stall: true                 no answer at all, until it behaves again
import http from 'node:http';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const MAX_LABELS = 15;           // Loki: max_label_names_per_series
const MAX_LINE_BYTES = 256 * 1024; // Loki: max_line_size
const MAX_BODY_BYTES = 64 << 20;

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function must(condition, message, status = 400) {
  if (!condition) throw new Refusal(status, message);
}

function checkedStream({ stream, values }) {
  must(stream !== null && typeof stream === 'object' && !Array.isArray(stream), 'a stream has no labels');
  const labels = Object.entries(stream);
  must(labels.length > 0, 'at least one label is required');
  must(labels.length <= MAX_LABELS, `a stream has ${labels.length} labels; the limit is ${MAX_LABELS}`);
  for (const [name, value] of labels) {
    must(LABEL_NAME.test(name), `'${name}' is no label name`);
    must(typeof value === 'string' && value !== '', `label '${name}' has no value`);
  }
  must(Array.isArray(values) && values.length > 0, 'a stream has no values');
  const key = JSON.stringify(labels.sort(([a], [b]) => (a < b ? -1 : 1)));
  let last = 0n;
  return values.map((value) => {
    must(Array.isArray(value) && value.length === 2, 'a value is not [time, line]');
    const [ts, line] = value;
    must(typeof ts === 'string' && /^[0-9]{1,19}$/.test(ts), `'${ts}' is no time in nanoseconds, as a string`);
    must(typeof line === 'string', 'a line is no string');
    must(Buffer.byteLength(line) <= MAX_LINE_BYTES, 'a line is longer than 256 KiB');
    must(BigInt(ts) >= last, 'lines of a stream are not in the order of time');
    last = BigInt(ts);
    return { stream, key, ts, line };
  });
}

// The lines of a push, or a Refusal.
export function readPush(headers, body) {
  must((headers['content-type'] ?? '').split(';')[0] === 'application/json', 'not JSON', 415);
  if (headers['content-encoding'] !== undefined) {
    must(headers['content-encoding'] === 'gzip', 'the coding is not gzip', 415);
    try {
      body = gunzipSync(body, { maxOutputLength: MAX_BODY_BYTES });
    } catch (error) {
      throw new Refusal(400, `the body is no gzip: ${error.message}`);
    }
  }
  let push;
  try {
    push = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new Refusal(400, `the body is no JSON: ${error.message}`);
  }
  must(Array.isArray(push?.streams) && push.streams.length > 0, 'there are no streams');
  return push.streams.flatMap(checkedStream);
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export class LokiReceiver {
  lines = [];      // what was taken, without repeats: { stream, ts, line, tenant }
  repeats = 0;     // lines that were taken before
  pushes = 0;      // pushes that came, whatever they were answered
  refused = 0;     // pushes that were answered with an error
  faults = [];     // why, where it was the push's own fault
  #seen = new Set();
  #behavior = {};
  #stalled = new Set();
  #changed = [];
  #server;
  #port = 0;

  static async start(t, port = 0) {
    const receiver = new LokiReceiver();
    receiver.#port = port;
    await receiver.revive();
    t?.after(() => receiver.die());
    return receiver;
  }

  get url() { return `http://127.0.0.1:${this.#port}`; }

  // From now on; {} to be good.
  behave(behavior) {
    this.#behavior = { ...behavior };
    for (const response of this.#stalled) response.destroy();
    this.#stalled.clear();
  }

  // Closes the port and every connection.
  async die() {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  // Listens again, on the same port; what it has taken it still has.
  async revive() {
    if (this.#server !== undefined) return;
    const server = http.createServer((request, response) => {
      this.#handle(request, response).catch((error) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(String(error));
      });
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = server.address().port;
    this.#server = server;
  }

  // Waits until `condition(this)` holds; it is looked at after each push.
  when(condition, what = 'the condition', ms = 60_000) {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition(this)) return false;
        clearTimeout(timer);
        resolve(this);
        return true;
      };
      const timer = setTimeout(() => {
        this.#changed = this.#changed.filter((other) => other !== look);
        reject(new Error(`waited ${ms} ms for ${what}: ${JSON.stringify(this.stats())} ${this.faults[0] ?? ''}`));
      }, ms);
      if (!look()) this.#changed.push(look);
    });
  }

  stats() {
    return { lines: this.lines.length, repeats: this.repeats, pushes: this.pushes, refused: this.refused };
  }

  // The records, parsed.
  records() { return this.lines.map(({ line }) => JSON.parse(line)); }

  #take(lines, tenant) {
    for (const { stream, key, ts, line } of lines) {
      const id = `${tenant}\n${key}\n${ts}\n${line}`;
      if (this.#seen.has(id)) {
        this.repeats++;
        continue;
      }
      this.#seen.add(id);
      this.lines.push({ stream, ts, line, tenant });
    }
  }

  #tell() {
    this.#changed = this.#changed.filter((look) => !look());
  }

  #push(request, body) {
    if (this.#behavior.times !== undefined && this.#behavior.times-- <= 0) this.#behavior = {};
    const { answer, retryAfter, refuseLines, maxLines } = this.#behavior;
    const tenant = request.headers['x-scope-orgid'] ?? '';
    if (answer !== undefined) {
      throw Object.assign(new Refusal(answer, 'told to'), { retryAfter, told: true });
    }
    const lines = readPush(request.headers, body);
    if (maxLines !== undefined && lines.length > maxLines) {
      throw Object.assign(new Refusal(413, 'too many lines'), { told: true });
    }
    const bad = refuseLines === undefined ? [] : lines.filter(({ line }) => line.includes(refuseLines));
    this.#take(lines.filter((line) => !bad.includes(line)), tenant);
    if (bad.length > 0) throw Object.assign(new Refusal(400, `${bad.length} lines refused`), { told: true });
  }

  async #handle(request, response) {
    const body = await bodyOf(request);
    const { pathname } = new URL(request.url, this.url);
    if (request.method === 'POST' && pathname === '/loki/api/v1/push') {
      this.pushes++;
      if (this.#behavior.stall) {
        this.#stalled.add(response);
        this.#tell();
        return;
      }
      try {
        this.#push(request, body);
        response.writeHead(204).end();
      } catch (error) {
        this.refused++;
        if (!(error instanceof Refusal)) throw error;
        if (!error.told) this.faults.push(error.message);
        const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
        if (error.retryAfter !== undefined) headers['Retry-After'] = error.retryAfter;
        response.writeHead(error.status, headers).end(`${error.message}\n`);
      } finally {
        this.#tell();
      }
      return;
    }
    this.#control(request.method, pathname, body, response);
  }

  #control(method, pathname, body, response) {
    if (method === 'GET' && pathname === '/lines') {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      response.end(this.lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    } else if (method === 'GET' && pathname === '/stats') {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(this.stats()));
    } else if (method === 'POST' && pathname === '/behave') {
      this.behave(JSON.parse(body));
      response.writeHead(204).end();
    } else if (method === 'POST' && pathname === '/die') {
      const ms = Number(body);
      response.writeHead(204).end(() => {
        this.die().then(() => setTimeout(() => this.revive(), ms));
      });
    } else {
      response.writeHead(404).end();
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const receiver = await LokiReceiver.start(undefined, Number(process.argv[2] ?? 3100));
  console.log(receiver.url);
}
