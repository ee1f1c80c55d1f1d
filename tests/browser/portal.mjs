// SPDX-License-Identifier: Apache-2.0
//
// What tests of the portal's pages stand on: a demo of their own, with a developer and apps that are called, and
// browsers that remember what a page complained about.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { chromium } = require('playwright-core');
const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');

const program = process.env.WEIR_BIN ?? fileURLToPath(new URL('../../build/weir', import.meta.url));
const START_MS = 60_000;

// A demo with ports and a folder of its own: {portal, gateway, admin, developer, operator, stop}.
export async function startDemo() {
  const folder = await mkdtemp(join(tmpdir(), 'weir-portal-'));
  const demo = spawn(program, ['demo', '--dir', join(folder, 'demo')], { stdio: ['ignore', 'pipe', 'pipe'] });
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
    await rm(folder, { recursive: true, force: true });
  };

  const deadline = Date.now() + START_MS;
  while (!ended && Date.now() < deadline && !/Ctrl-C/.test(printed)) {
    await Promise.race([exit, new Promise((resolve) => setTimeout(resolve, 100))]);
  }
  const url = (name) => printed.match(new RegExp(`^\\s*${name}\\s+(http://\\S+)`, 'm'))?.[1];
  const account = (name) => {
    const [, email, password] = printed.match(new RegExp(`(${name}@demo\\.example)\\s+(\\S+)`)) ?? [];
    return { email, password };
  };
  if (!url('portal')) {
    await stop();
    throw new Error(`${program} demo showed no portal. It printed:\n${printed}`);
  }
  return {
    portal: url('portal'),
    gateway: url('gateway'),
    admin: url('admin'),
    developer: account('developer'),
    operator: account('operator'),
    stop,
  };
}

export const startBrowser = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // Chromium's own sandbox does not work for root, which is who runs tests in a container
    args: process.getuid() === 0 ? ['--no-sandbox'] : [],
  });

// Signs in without a page: what a browser keeps of it, for `open`.
export async function signIn(browser, weir, account = weir.developer) {
  const context = await browser.newContext();
  const answer = await context.request.post(`${weir.portal}/api/v1/session`, {
    data: { email: account.email, password: account.password },
    headers: { origin: weir.portal },
  });
  assert.equal(answer.status(), 200, await answer.text());
  const state = await context.storageState();
  await context.close();
  return state;
}

// A page that remembers what it complained about: exceptions, errors of the console, breaches of the policy, and
// how much of it moved without being asked to.
export async function open(browser, { state, scheme = 'light', width = 1280, ...more } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme: scheme,
    permissions: ['clipboard-read', 'clipboard-write'],
    ...(state && { storageState: state }),
    ...more,
  });
  const page = await context.newPage();
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') page.complaints.push(message.text());
  });
  if (more.javaScriptEnabled !== false) {
    await page.addInitScript(() => {
      globalThis.moved = 0;
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
      });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.moved += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
  }
  return page;
}

// What axe-core finds, of all that WCAG 2.2 AA asks for and of good practice.
export async function findings(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await globalThis.axe.run({ runOnly: rules });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  });
}

// The names of the developer's apps, by their titles.
export async function appsOf(page, weir) {
  const answer = await page.context().request.get(`${weir.portal}/api/v1/apps`);
  return Object.fromEntries((await answer.json()).items.map((app) => [app.title, app.name]));
}
