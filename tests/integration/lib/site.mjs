// SPDX-License-Identifier: Apache-2.0
//
// An installation as its operator has it: a Weir before an origin, and the commands run on it.
//
//     const origin = await startOrigin(t, (request, response) => response.end('hello'));
//     const site = await startSite(t, hello, origin);
//     const { status, headers, body } = await site.call('/hello', key);
//     const { code, stdout, stderr } = await site.run('usage', '--format', 'json');
//
// The report of a sanitizer fails the test, in the instance as in a command.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import http from 'node:http';
import { program, Weir, within } from './weir.mjs';

const REPORT = /(ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer)[^]*/;

// An origin that answers as `handler` says; `requests` are those it got, with their bodies.
export async function startOrigin(t, handler = (request, response) => response.end('hello from the origin')) {
  const requests = [];
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      handler(request, response);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    });
  t.after(stop);
  return { url: `http://127.0.0.1:${server.address().port}`, requests, stop };
}

// Runs a command to its end without holding up this process. `onStart` gets the child.
export function run(args, { onStart, input, ...options } = {}) {
  const ended = new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'], ...options });
    child.stdin?.on('error', () => {}); // it need not read what it is given
    child.stdin?.end(input);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const report = stderr.match(REPORT);
      if (report) reject(new Error(`weir ${args.join(' ')}: ${report[0]}`));
      else resolve({ code, signal, stdout, stderr });
    });
    onStart?.(child);
  });
  return within(ended, `weir ${args.join(' ')} to end`);
}

class Site extends Weir {
  // A command on this installation: site.run('key', 'create', '--app', 'acme').
  run(command, ...args) {
    return run([command, ...args, '-c', this.file], { cwd: this.dir });
  }

  // The same with something on its stdin.
  type(input, command, ...args) {
    return run([command, ...args, '-c', this.file], { cwd: this.dir, input });
  }

  // What a command that must succeed prints.
  async ok(command, ...args) {
    const result = await this.run(command, ...args);
    assert.equal(result.code, 0, `weir ${command} ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  }

  async json(command, ...args) {
    return JSON.parse(await this.ok(command, ...args, '--format', 'json'));
  }

  async createKey(app, ...args) {
    return (await this.ok('key', 'create', '--app', app, ...args)).trim();
  }

  // One GET through the gateway, on a connection of its own.
  call(path, key) {
    const { host, port } = this.gateway;
    const headers = key ? { 'x-api-key': key } : {};
    return new Promise((resolve, reject) => {
      const request = http.get({ host, port, path, headers, agent: false }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() });
        });
      });
      request.on('error', reject);
    });
  }

  check() {
    const report = this.log.match(REPORT);
    assert.equal(report, null, report?.[0]);
  }

  // Ends the instance, if one runs, and sees that it ends well.
  async close() {
    if (this.running) assert.deepEqual(await this.stop(), { code: 0, signal: null }, this.log);
    this.check();
  }
}

// The installation, its file written and nothing started. `config` needs no listeners and no upstream `origin`.
export function makeSite(t, config, origin) {
  const upstreams = origin ? { origin: { targets: [origin.url] } } : undefined;
  let site;
  t.after(() => site.close());
  site = new Site(t, { ...(upstreams && { upstreams }), ...config });
  return site;
}

export async function startSite(t, config, origin) {
  return makeSite(t, config, origin).start();
}

// An API with keys and one without, a plan with limits and one without: what most tests need.
export const hello = {
  apis: {
    hello: { upstream: 'origin', match: { paths: ['/hello'] }, strip_path: true },
    open: { upstream: 'origin', match: { paths: ['/open'] }, auth: 'none' },
  },
  plans: {
    free: { apis: ['hello'], rate: { requests: 1, per: '1m', burst: 3 }, quota: { requests: 100, per: 'month' } },
    big: { apis: ['hello'] },
  },
  apps: { acme: { plan: 'big' }, small: { plan: 'free' } },
};
