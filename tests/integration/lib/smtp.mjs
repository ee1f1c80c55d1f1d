// SPDX-License-Identifier: Apache-2.0
//
// A real mail server on loopback, and what it was given.
//
//     const server = await startMailServer(t);
//     const mail = await server.next(({ to }) => to[0] === 'deniz@example.com');
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './weir.mjs';

const program = fileURLToPath(new URL('smtp_server.py', import.meta.url));

export async function startMailServer(t, port = 0) {
  const child = spawn('/usr/bin/python3', [program, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  const find = (test) => until(() => lines.find(test), 'a word of the mail server');
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  t.after(stop);
  const { port: bound } = await find(({ port }) => port);
  return {
    port: bound,
    url: `smtp://127.0.0.1:${bound}`,
    stop,
    mails: () => lines.filter(({ text }) => text !== undefined),
    asked: () => lines.filter(({ asked }) => asked).length,
    // The first mail that fits; it is there, or comes.
    next: (test = () => true) => find((line) => line.text !== undefined && test(line)),
    async mode(mode) {
      const before = lines.length;
      child.stdin.write(`${mode}\n`);
      await find((line, i) => i >= before && line.mode === mode);
    },
  };
}

// The link of a mail, with its token.
export function linkOf({ text }) {
  const [link] = /http\S+[?&](?:token|invitation)=([\w-]{43})/.exec(text) ?? [];
  assert.ok(link, text);
  return { link, token: /=([\w-]{43})$/.exec(link)[1] };
}
