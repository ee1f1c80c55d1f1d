// SPDX-License-Identifier: Apache-2.0
//
// adminUrl(t): where a running Weir's admin listener is: WEIR_ADMIN_URL, or a demo of its own that ends with
// the test. Which of the addresses the demo prints is the admin's, the status it answers tells.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = process.env.WEIR_BIN ?? fileURLToPath(new URL('../../build/weir', import.meta.url));
const START_MS = 60_000;

async function answers(url) {
  try {
    const response = await fetch(`${url}/api/v1/status`, { signal: AbortSignal.timeout(2000) });
    return response.ok && (response.headers.get('content-type') ?? '').startsWith('application/json');
  } catch {
    return false;
  }
}

export async function adminUrl() {
  if (process.env.WEIR_ADMIN_URL) return { url: process.env.WEIR_ADMIN_URL.replace(/\/$/, ''), stop: async () => {} };

  const demo = spawn(program, ['demo'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  let ended = false;
  const exit = new Promise((resolve) => {
    demo.once('exit', resolve);
    demo.once('error', (error) => resolve((printed += error.message)));
  }).then(() => (ended = true));
  for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (chunk) => (printed += chunk));
  const stop = async () => {
    demo.kill('SIGTERM');
    await exit;
  };

  const deadline = Date.now() + START_MS;
  while (!ended && Date.now() < deadline) {
    const urls = new Set(printed.match(/http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+/g));
    for (const url of urls) if (await answers(url)) return { url, stop };
    await Promise.race([exit, new Promise((resolve) => setTimeout(resolve, 100))]);
  }
  await stop();
  throw new Error(`${program} demo showed no admin listener that answers /api/v1/status. It printed:\n${printed}`);
}
