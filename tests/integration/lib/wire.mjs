// SPDX-License-Identifier: Apache-2.0
//
// HTTP byte by byte: a client that sends exactly what it is told and says exactly what came, and an origin that
// answers the same way.
import net from 'node:net';

import { within } from './weir.mjs';

// A connection whose incoming bytes are kept, as latin1 text, until somebody takes them.
export class Wire {
  constructor(socket) {
    this.socket = socket;
    this.in = '';
    this.received = 0;
    this.ended = false; // a FIN came
    this.reset = false;
    this.waiters = new Set();
    socket.on('data', (chunk) => {
      this.in += chunk.toString('latin1');
      this.received += chunk.length;
      this.#wake();
    });
    socket.on('end', () => { this.ended = true; this.#wake(); });
    socket.on('error', () => { this.reset = true; this.ended = true; this.#wake(); });
    socket.on('close', () => { this.ended = true; this.#wake(); });
  }

  static connect({ host, port }, options = {}) {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host, port, allowHalfOpen: true, noDelay: true, ...options });
      socket.once('connect', () => { socket.removeListener('error', reject); resolve(new Wire(socket)); });
      socket.once('error', reject);
    });
  }

  #wake() {
    for (const wake of this.waiters) wake();
    this.waiters.clear();
  }

  send(text) { this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text); }
  finish() { this.socket.end(); } // a FIN; what comes is still read
  close() { this.socket.destroy(); }
  resetNow() { this.socket.resetAndDestroy(); }

  // Waits until `done(in)` is true or nothing more will come; which of the two.
  async #wait(done, what) {
    await within((async () => {
      while (!done(this.in) && !this.ended) await new Promise((wake) => this.waiters.add(wake));
    })(), `${what}; so far ${JSON.stringify(this.in.slice(0, 400))}`);
    return done(this.in);
  }

  take(n) {
    const text = this.in.slice(0, n);
    this.in = this.in.slice(n);
    return text;
  }

  // The bytes up to and with `end`.
  async upTo(end) {
    if (!(await this.#wait((s) => s.includes(end), JSON.stringify(end))))
      throw new Error(`the connection ended before ${JSON.stringify(end)}: ${JSON.stringify(this.in)}`);
    return this.take(this.in.indexOf(end) + end.length);
  }

  async bytes(n) {
    if (!(await this.#wait((s) => s.length >= n, `${n} bytes`)))
      throw new Error(`the connection ended after ${this.in.length} of ${n} bytes`);
    return this.take(n);
  }

  // All that comes until the other side closes.
  async rest() {
    await this.#wait(() => false, 'the end of the connection');
    return this.take(this.in.length);
  }

  // A head: {first, fields: [[name, value]], get(name), all(name)}.
  async head() {
    const lines = (await this.upTo('\r\n\r\n')).slice(0, -4).split('\r\n');
    const fields = lines.slice(1).map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const all = (name) => fields.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, v]) => v);
    return { first: lines[0], fields, all, get: (name) => all(name)[0] };
  }

  async chunked() {
    let body = '';
    for (;;) {
      const size = parseInt(await this.upTo('\r\n'), 16);
      if (size === 0) {
        while ((await this.upTo('\r\n')) !== '\r\n');
        return body;
      }
      body += await this.bytes(size);
      if ((await this.bytes(2)) !== '\r\n') throw new Error('a chunk does not end in CR LF');
    }
  }

  async bodyOf(head, bodiless = false) {
    if (bodiless) return '';
    if (head.get('Transfer-Encoding')) return this.chunked();
    const length = head.get('Content-Length');
    if (length !== undefined) return this.bytes(Number(length));
    return undefined;
  }

  // One answer with its body, interim ones left out: {status, first, fields, get, all, body, json()}.
  async answer({ method = 'GET' } = {}) {
    for (;;) {
      const head = await this.head();
      const status = Number(head.first.split(' ')[1]);
      if (status < 200 && status !== 101) continue;
      const bodiless = method === 'HEAD' || status === 204 || status === 304 || status === 101;
      const body = (await this.bodyOf(head, bodiless)) ?? (await this.rest());
      return { ...head, status, body, json: () => JSON.parse(body) };
    }
  }

  // One request with its body, as an origin reads it.
  async request() {
    const head = await this.head();
    const [method, target] = head.first.split(' ');
    return { ...head, method, target, body: (await this.bodyOf(head)) ?? '' };
  }
}

// Sends and reads to the end of the connection: the answers as text.
export async function talk(address, text) {
  const wire = await Wire.connect(address);
  wire.send(text);
  const all = await wire.rest();
  wire.close();
  return all;
}

// One request on a connection of its own.
export async function call(address, text, options) {
  const wire = await Wire.connect(address, options);
  try {
    wire.send(text);
    return await wire.answer({ method: text.split(' ')[0] });
  } finally {
    wire.close();
  }
}

/*
 * An origin: `serve(wire, number)` is called with each connection and its number, from 1. `connections` counts them,
 * `bytes()` what came over all of them. `port` 0 is a free one.
 */
export async function origin(t, serve, port = 0) {
  const wires = [];
  const faults = [];
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const wire = new Wire(socket);
    wires.push(wire);
    Promise.resolve(serve?.(wire, wires.length)).catch((error) => faults.push(error));
  });
  await new Promise((resolve, reject) => server.listen(port, '127.0.0.1', resolve).once('error', reject));
  const o = {
    port: server.address().port,
    url: `http://127.0.0.1:${server.address().port}`,
    wires,
    faults,
    get connections() { return wires.length; },
    bytes: () => wires.reduce((sum, wire) => sum + wire.received, 0),
    // The port is free at once; nobody waits for the connections, which are gone as well.
    close: () => {
      server.close();
      for (const wire of wires) wire.close();
    },
  };
  t.after(() => o.close());
  return o;
}

// An origin that answers every request, on kept connections: `reply(request, number)` gives the answer's text or a
// body. `requests` are what came.
export async function echo(t, reply = () => 'ok', port = 0) {
  const seen = [];
  const o = await origin(t, async (wire) => {
    for (;;) {
      let request;
      try {
        request = await wire.request();
      } catch {
        return wire.close(); // the gateway closed a connection that it no longer needs
      }
      seen.push(request);
      const text = await reply(request, seen.length);
      wire.send(text.startsWith('HTTP/') ? text : `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    }
  }, port);
  o.requests = seen;
  return o;
}
