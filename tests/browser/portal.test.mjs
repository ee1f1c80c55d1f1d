// SPDX-License-Identifier: Apache-2.0
//
// The developer's pages in Debian's Chromium, against a running Weir: from signing up to the first call, and every
// page light and dark, wide and narrow, without a breach of the Content-Security-Policy and without a finding of
// axe-core.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { startOrigin, startSite } from '../integration/lib/site.mjs';
import { until } from '../integration/lib/weir.mjs';
import { closeSheet, issueKey, makeApp, openPage, PASSWORD, revokeKey, signUp } from './journey.mjs';
import { startBrowser } from './portal.mjs';

const require = createRequire(import.meta.url);
const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');

const views = ['light', 'dark'].flatMap((scheme) => [320, 1280].map((width) => ({ scheme, width })));

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

async function start(t) {
  const origin = await startOrigin(t);
  return startSite(t, {
    portal: { registration: 'open', title: 'Acme APIs' },
    upstreams: { origin: { targets: [origin.url] } },
    apis: { hello: { upstream: 'origin', match: { paths: ['/hello'] } } },
    plans: {
      free: { apis: ['hello'], rate: { requests: 2, per: '10s' }, quota: { requests: 1000, per: 'month' } },
      gold: { apis: ['hello'], approval: 'manual' },
    },
  }, origin);
}

const open = (t, site, view) => openPage(t, browser, site, view);

async function findings(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const { violations } = await globalThis.axe.run({ runOnly: rules });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  });
}

test('from signing up to the first call in at most eight clicks; revoked, the next call is refused', async (t) => {
  const site = await start(t);
  const page = await open(t, site);
  await signUp(page);
  const app = await makeApp(page);
  const { secret, curl } = await issueKey(page);
  assert.match(curl, /^curl .*X-API-Key: weir_live_/);
  assert.equal((await site.call('/hello', secret)).status, 200);
  await page.getByText('First call seen').waitFor();
  assert.ok(page.clicks <= 8, `${page.clicks} clicks`);
  await closeSheet(page);

  // it is seen in the log and counted, here as in the shell
  await page.goto(`${page.base}/apps/${app}/requests`);
  await page.getByRole('link', { name: 'GET /hello' }).waitFor();
  await until(async () => (await site.json('usage', '--app', app))[0]?.requests === 1, 'the shell to count it');
  await page.goto(`${page.base}/apps/${app}/usage`);
  await page.getByText('1 metered').waitFor();

  await revokeKey(page, app);
  const refused = await site.call('/hello', secret);
  assert.deepEqual([refused.status, refused.headers['weir-reason']], [401, 'key_revoked']);
});

test('a refused call says by which rule, with its numbers', async (t) => {
  const site = await start(t);
  const page = await open(t, site);
  await signUp(page);
  await makeApp(page);
  const { secret } = await issueKey(page);
  await closeSheet(page);
  let last;
  for (let i = 0; i < 3; i++) last = await site.call('/hello', secret);
  assert.equal(last.status, 429);
  const id = last.headers['x-request-id'];
  await until(async () => {
    await page.goto(`${page.base}/requests/${id}`);
    return page.getByText('rate_limited').first().isVisible();
  }, 'the record to be stored');
  await page.getByText(/Left: burst 0\/2/).waitFor();
  const stranger = await open(t, site);
  await signUp(stranger, 'stranger@example.com');
  await stranger.goto(`${stranger.base}/requests/${id}`);
  assert.equal(await stranger.getByText('rate_limited').count(), 0);
});

// As a person whose time is told in that zone.
async function live(page, zone) {
  await page.goto(`${page.base}/account`);
  const csrf = await page.evaluate(() => JSON.parse(document.getElementById('boot').textContent).session.csrf);
  const answer = await page.context().request.patch(`${page.base}/api/v1/me`, {
    data: { time_zone: zone },
    headers: { origin: page.base, 'x-csrf-token': csrf },
  });
  assert.equal(answer.status(), 200);
}

test('a row of the log opens beside it, by mouse and by keyboard, and the focus comes back', async (t) => {
  const site = await start(t);
  const page = await open(t, site);
  await signUp(page);
  const app = await makeApp(page);
  const { secret } = await issueKey(page);
  await closeSheet(page);
  for (let i = 0; i < 3; i++) await site.call('/hello', secret);
  await live(page, 'Asia/Tokyo');
  await until(async () => {
    await page.goto(`${page.base}/apps/${app}/requests?reason=rate_limited`);
    return (await page.locator('tbody tr').count()) === 1;
  }, 'the call to be listed');
  const loaded = () => page.evaluate(() => performance.getEntriesByType('resource').length);
  const before = await loaded();

  const dialog = page.getByRole('dialog', { name: 'Request' });
  const link = page.getByRole('link', { name: 'GET /hello' });
  const hasFocus = () => link.evaluate((one) => one === document.activeElement);
  await page.locator('tbody tr').getByText('429').click();
  await dialog.getByText(/The limit burst was reached\. Left: burst 0\/2, month 998\/1000\./).waitFor();
  assert.ok((await loaded()) > before, 'what shows a call comes when one is opened');
  const facts = await dialog.locator('.facts').innerText();
  assert.match(facts, /Decided by\s+limits/);
  assert.match(facts, /Again from\s+[^\n]+ GMT\+9/);
  const parts = await dialog.locator('.timings').innerText();
  assert.ok(/In all/.test(parts) && /Gateway/.test(parts) && !/API/.test(parts), parts);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.ok(await hasFocus(), 'after Escape');

  await page.keyboard.press('Enter');
  await dialog.getByText('burst was reached').waitFor();
  assert.ok(await dialog.evaluate((one) => one.contains(document.activeElement)));
  await dialog.getByRole('button', { name: 'Close' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.ok(await hasFocus(), 'after the button');

  // with a key held it is a link like any other, and what it leads to is the same call's page
  const [tab] = await Promise.all([page.context().waitForEvent('page'), link.click({ modifiers: ['Control'] })]);
  await tab.getByText('burst was reached').waitFor();
  assert.equal(await dialog.count(), 0);

  for (const view of views) {
    await page.setViewportSize({ width: view.width, height: 800 });
    await page.emulateMedia({ colorScheme: view.scheme, reducedMotion: 'reduce' });
    await link.click();
    await dialog.getByText('burst was reached').waitFor();
    assert.deepEqual(await findings(page), [], JSON.stringify(view));
    const wider = await dialog.evaluate((one) => one.scrollWidth - one.clientWidth);
    assert.ok(wider <= 0, `${JSON.stringify(view)}: its content is ${wider} px wider`);
    await page.keyboard.press('Escape');
  }
});

test('a double click issues one key', async (t) => {
  const site = await start(t);
  const page = await open(t, site);
  await signUp(page);
  const app = await makeApp(page);
  await page.getByRole('button', { name: 'Issue a key' }).first().click();
  await page.getByRole('dialog').getByLabel('Name').fill('twice');
  await page.getByRole('button', { name: 'Issue key', exact: true }).dblclick();
  await page.locator('.secret output').waitFor();
  await closeSheet(page);
  assert.equal((await site.json('key', 'list', '--app', app)).length, 1);
});

test('a plan that needs approval waits, and says so', async (t) => {
  const site = await start(t);
  const page = await open(t, site);
  await signUp(page);
  const app = await makeApp(page);
  await page.goto(`${page.base}/apps/${app}`);
  await page.getByRole('button', { name: 'Change plan' }).click();
  await page.getByRole('radio', { name: /gold/ }).check();
  await page.getByRole('button', { name: 'Take this plan' }).click();
  await page.getByText('gold waits for approval').waitFor();
  await page.getByRole('button', { name: 'Withdraw' }).click();
  await page.getByText('gold waits for approval').waitFor({ state: 'detached' });
});

test('without a script one signs in, sees the keys, issues and revokes', async (t) => {
  const site = await start(t);
  const first = await open(t, site);
  await signUp(first);
  const app = await makeApp(first);
  const page = await open(t, site, { script: false });
  await page.goto(`${page.base}/apps/${app}/keys`);
  await page.getByLabel('E-mail').fill('deniz@example.com');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('Name').fill('plain');
  await page.getByRole('button', { name: 'Issue a key' }).click();
  const [secret] = /weir_live_\w+/.exec(await page.locator('main').textContent());
  assert.equal((await site.call('/hello', secret)).status, 200);
  await page.getByRole('link', { name: 'Keys' }).click();
  await page.getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('cell', { name: 'Revoked' }).waitFor();
  assert.equal((await site.call('/hello', secret)).headers['weir-reason'], 'key_revoked');
});

test('by keyboard alone: a key is issued, copied over and its sheet left', async (t) => {
  const site = await start(t);
  const page = await open(t, site);
  await signUp(page);
  await makeApp(page);
  const reach = async (name) => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      const text = await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');
      if (text.trim() === name) return;
    }
    assert.fail(`${name} cannot be reached`);
  };
  await reach('Issue a key');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.type('by hand');
  await page.keyboard.press('Enter');
  await page.locator('.secret output').waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.secret output').isVisible(), true, 'what is shown once is not lost by Escape');
  await page.getByLabel('I have stored it').focus();
  await page.keyboard.press('Space');
  await reach('Done');
  await page.keyboard.press('Enter');
  await page.locator('.secret output').waitFor({ state: 'detached' });
  await page.getByText('by hand').waitFor();
});

test('every page is without a finding, light and dark, wide and narrow', async (t) => {
  const site = await start(t);
  const page = await open(t, site);
  await signUp(page);
  const app = await makeApp(page);
  const { secret } = await issueKey(page);
  await closeSheet(page);
  await site.call('/hello', secret);
  const id = (await site.call('/hello', secret)).headers['x-request-id'];
  const cookies = await page.context().cookies();
  const own = ['/apps', '/apps/new', `/apps/${app}`, `/apps/${app}/keys`, `/apps/${app}/usage`, `/apps/${app}/requests`, `/apps/${app}/settings`, '/account', `/requests/${id}`];
  const open_ = ['/', '/sign-in', '/sign-up', '/forgot', '/reset?token=x', '/confirm?token=x', '/problems/', '/problems/rate_limited'];
  for (const view of views) {
    const visitor = await open(t, site, view);
    for (const path of open_) {
      await visitor.goto(visitor.base + path);
      assert.deepEqual(await findings(visitor), [], `${path} ${JSON.stringify(view)}`);
    }
    await visitor.context().addCookies(cookies);
    for (const path of own) {
      await visitor.goto(visitor.base + path, { waitUntil: 'networkidle' });
      await visitor.locator('h1').first().waitFor();
      assert.deepEqual(await findings(visitor), [], `${path} ${JSON.stringify(view)}`);
      const wider = await visitor.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${path} ${JSON.stringify(view)} is ${wider} px wider than its window`);
    }
  }
});
