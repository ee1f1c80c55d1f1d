// SPDX-License-Identifier: Apache-2.0
//
// The operator's pages in Debian's Chromium, against a running Weir: what is decided there is in force at the
// gateway, and every page is without a finding of axe-core, light and dark, wide and narrow.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { Person } from '../integration/lib/person.mjs';
import { startOrigin, startSite } from '../integration/lib/site.mjs';
import { until } from '../integration/lib/weir.mjs';
import { watch } from './journey.mjs';
import { startBrowser } from './portal.mjs';

const require = createRequire(import.meta.url);
const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');

const PASSWORD = 'an operator password';
const views = ['light', 'dark'].flatMap((scheme) => [320, 1280].map((width) => ({ scheme, width })));

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

// An installation with a developer whose app has a key, and waits for another plan.
async function start(t) {
  const origin = await startOrigin(t);
  const site = await startSite(t, {
    portal: { url: 'http://portal.example', registration: 'open', verify_email: false, title: 'Acme APIs' },
    mail: { mode: 'console' },
    upstreams: { origin: { targets: [origin.url] } },
    apis: { hello: { upstream: 'origin', match: { paths: ['/hello'] } } },
    plans: { free: { apis: ['hello'], quota: { requests: 1000, per: 'month' } }, gold: { apis: ['hello'], approval: 'manual' } },
  }, origin);
  const { code, stderr } = await site.type(`${PASSWORD}\n`, 'admin', 'create', 'op@example.com', '--name', 'Olga');
  assert.equal(code, 0, stderr);
  const developer = new Person(site.portal);
  await developer.signUp('deniz@example.com', 'a long password', 'Deniz');
  const { json: app } = await developer.send('POST', '/api/v1/apps', { title: 'Orders', plan: 'free' });
  await developer.send('POST', `/api/v1/apps/${app.name}/subscription`, { plan: 'gold' });
  await developer.send('POST', '/api/v1/resets', { email: 'deniz@example.com' }); // a mail to look at
  const { json: issued } = await developer.send('POST', `/api/v1/apps/${app.name}/keys`, { name: 'CI' });
  return { site, developer, app: app.name, secret: issued.secret };
}

async function open(t, site, { scheme = 'light', width = 1280 } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: scheme, locale: 'en-GB' });
  t.after(() => context.close());
  const page = await context.newPage();
  watch(page);
  page.base = `http://${site.admin.text}`;
  t.after(() => assert.deepEqual(page.complaints, []));
  return page;
}

async function signIn(page) {
  await page.goto(`${page.base}/approvals`);
  await page.getByLabel('E-mail').fill('op@example.com');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/approvals');
}

const answered = async (site, secret) => {
  const { status, headers } = await site.call('/hello', secret);
  return `${status} ${headers['weir-reason'] ?? ''}`.trim();
};

test('what an operator decides is in force for the next call', async (t) => {
  const { site, developer, app, secret } = await start(t);
  const page = await open(t, site);
  await signIn(page);

  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByText('Nobody is waiting').waitFor();
  assert.equal((await developer.json(`/api/v1/apps/${app}`)).plan, 'gold');

  await page.goto(`${page.base}/apps/${app}`);
  assert.equal(await answered(site, secret), '200');
  await page.getByRole('button', { name: 'Suspend', exact: true }).click();
  await page.getByRole('dialog').getByLabel('Words for its people').fill('Unpaid since May');
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend', exact: true }).click();
  await page.getByText('Unpaid since May').waitFor();
  assert.equal(await answered(site, secret), '403 app_suspended');
  assert.equal((await developer.json(`/api/v1/apps/${app}`)).state_note, 'Unpaid since May');
  await page.getByRole('button', { name: 'Let go on' }).click();
  await page.getByRole('button', { name: 'Suspend', exact: true }).waitFor();
  assert.equal(await answered(site, secret), '200');

  await page.goto(`${page.base}/keys`);
  await page.getByRole('button', { name: 'Revoke CI' }).click();
  await page.getByRole('button', { name: 'Revoke key' }).click();
  await page.getByRole('cell', { name: 'Revoked' }).waitFor();
  assert.equal(await answered(site, secret), '401 key_revoked');

  // a refused call is found by its reason, and explained
  await until(async () => {
    await page.goto(`${page.base}/requests?reason=key_revoked`);
    return (await page.getByRole('link', { name: 'GET /hello' }).count()) > 0;
  }, 'the call to be listed');
  const link = page.getByRole('link', { name: 'GET /hello' });
  await link.click();
  const dialog = page.getByRole('dialog', { name: 'Request' });
  await dialog.getByText('The key was not accepted: key_revoked.').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.ok(await link.evaluate((one) => one === document.activeElement), 'the focus is where it was');
  await page.keyboard.press('Enter');
  await dialog.getByRole('link', { name: 'Open as a page' }).click();
  await page.waitForURL('**/requests/*-*');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: 'What each rule decided' }).waitFor();
  await page.goto(`${page.base}/audit`);
  for (const action of ['app.suspended', 'key.revoked']) await page.getByText(action).first().waitFor();
});

test('an invitation is shown once, and makes an account', async (t) => {
  const { site } = await start(t);
  const page = await open(t, site);
  await signIn(page);
  await page.goto(`${page.base}/people`);
  await page.getByRole('button', { name: 'Invite' }).click();
  await page.getByLabel('Their address').fill('guest@example.com');
  await page.getByRole('button', { name: 'Make invitation' }).click();
  const link = await page.locator('dialog .code code').textContent();
  assert.match(link, /invitation=[\w-]{43}/);
});

test('who gets or loses power is asked about, and it is in force at once', async (t) => {
  const { site, developer } = await start(t);
  const page = await open(t, site);
  await signIn(page);
  await page.goto(`${page.base}/people`);
  const row = page.getByRole('row', { name: /deniz@example\.com/ });
  await row.getByRole('button', { name: 'Make operator' }).click();
  await page.getByRole('dialog', { name: 'Make Deniz an operator?' }).getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await developer.json('/api/v1/me')).operator, false, 'not without a yes');
  await row.getByRole('button', { name: 'Suspend' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
  await row.getByText('Suspended').waitFor();
  assert.equal((await developer.get('/api/v1/me')).status, 401);
  await row.getByRole('button', { name: 'Let go on' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Let go on' }).click();
  await row.getByText('Active').waitFor();
});

test('every page is without a finding, light and dark, wide and narrow', async (t) => {
  const { site, app, secret } = await start(t);
  const id = (await site.call('/hello', secret)).headers['x-request-id'];
  const page = await open(t, site);
  await signIn(page);
  const cookies = await page.context().cookies();
  const paths = ['/overview', '/requests', `/requests/${id}`, '/approvals', '/apps', `/apps/${app}`, '/keys', '/people', '/apis', '/plans', '/mails', '/audit', '/settings'];
  for (const view of views) {
    const visitor = await open(t, site, view);
    await visitor.context().addCookies(cookies);
    for (const path of paths) {
      await visitor.goto(visitor.base + path);
      await visitor.locator('main h1').waitFor();
      await visitor.locator('.skeleton').first().waitFor({ state: 'detached' });
      await visitor.evaluate(axe);
      const found = await visitor.evaluate(async () => {
        const { violations } = await globalThis.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
        return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
      });
      assert.deepEqual(found, [], `${path} ${JSON.stringify(view)}`);
      const wider = await visitor.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${path} ${JSON.stringify(view)} is ${wider} px wider than its window`);
    }
  }
});
