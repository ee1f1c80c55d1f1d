// SPDX-License-Identifier: Apache-2.0
//
// The status page in Debian's Chromium, against a running Weir: light and dark, wide and narrow, without any
// breach of the Content-Security-Policy and without a finding of axe-core.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { adminUrl } from './demo.mjs';

const require = createRequire(import.meta.url);
const { chromium } = require('playwright-core');
const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');

const views = ['light', 'dark'].flatMap((scheme) => [320, 1280].map((width) => ({ scheme, width })));

let weir;
let browser;
before(async () => {
  weir = await adminUrl();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // Chromium's own sandbox does not work for root, which is who runs tests in a container
    args: process.getuid() === 0 ? ['--no-sandbox'] : [],
  });
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});

// A page that remembers what it complained about: exceptions, and what the policy forbade.
async function open({ scheme = 'light', width = 1280 } = {}) {
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme: scheme });
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy|TrustedHTML|TrustedScript/i.test(message.text())) page.complaints.push(message.text());
  });
  await page.goto(`${weir.url}/status`);
  await page.waitForSelector('.figures');
  return page;
}

async function findings(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await globalThis.axe.run({ runOnly: rules });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  });
}

test('the page comes with a policy that allows nothing but its own files', async () => {
  const response = await fetch(`${weir.url}/status`);
  const policy = response.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  assert.match(policy, /require-trusted-types-for 'script'/);
  assert.doesNotMatch(policy, /unsafe/);
});

test('its script is cached for ever, compressed for those who take it, and the page itself asks again', async () => {
  const response = await fetch(`${weir.url}/status`);
  assert.match(response.headers.get('cache-control') ?? '', /no-cache|no-store/);
  const html = await response.text();
  const script = html.match(/src="(\/assets\/status-[A-Z0-9]+\.js)"/)?.[1];
  assert.ok(script, html);
  const brotli = await fetch(weir.url + script, { headers: { 'accept-encoding': 'br' } });
  assert.equal(brotli.headers.get('content-encoding'), 'br');
  assert.match(brotli.headers.get('cache-control'), /immutable/);
  const plain = await fetch(weir.url + script, { headers: { 'accept-encoding': 'identity' } });
  assert.equal(plain.headers.get('content-encoding'), null);
  assert.equal(await brotli.text(), await plain.text());
});

for (const view of views) {
  const name = `${view.scheme}, ${view.width} px`;

  test(`shows what the server says (${name})`, async () => {
    const page = await open(view);
    const told = await (await fetch(`${weir.url}/api/v1/status`)).json();
    for (const listener of told.listeners) await page.getByText(listener.address, { exact: true }).first().waitFor();
    for (const check of told.health) await page.getByText(check.check, { exact: true }).first().waitFor();
    assert.match(await page.locator('.about').innerText(), new RegExp(`^Version ${told.version}, up `));
    assert.deepEqual(await findings(page), []);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'scrolls sideways');
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  test(`says so when the server is away, keeps the last numbers, and recovers (${name})`, async () => {
    const page = await open(view);
    await page.route('**/api/v1/status', (route) => route.abort());
    await page.getByText('The server does not answer').waitFor();
    await page.getByText(/no connection to the server/).waitFor();
    assert.equal(await page.locator('.figures').count(), 1);
    assert.deepEqual(await findings(page), []);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'scrolls sideways');
    // while it is still away: once it is back the page may ask by itself, and the button is gone
    const asked = page.waitForRequest('**/api/v1/status');
    await page.getByRole('button', { name: 'Ask now' }).click();
    await asked;
    await page.unroute('**/api/v1/status');
    await page.getByText('The server does not answer').waitFor({ state: 'detached' });
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
}

test('Pause stops the questions and Resume asks at once', async () => {
  const page = await open();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('these numbers stand still').waitFor();
  const asked = page.waitForRequest('**/api/v1/status');
  await page.getByRole('button', { name: 'Resume' }).click();
  await asked;
  await page.close();
});
