// SPDX-License-Identifier: Apache-2.0
//
// Every page of the developer's portal in Debian's Chromium, light and dark, wide and narrow, in both languages:
// nothing for axe-core to find, nothing against the Content-Security-Policy, nothing that moves by itself.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { appsOf, findings, open, signIn, startBrowser, startDemo } from './portal.mjs';

const shell = promisify(execFile);

// Paths, and what is there only once a page is drawn. {app} is called all the time, and waits for a plan.
const pages = [
  ['/apps', 'table tbody tr'],
  ['/apps/new', 'form input[name=plan]'],
  ['/apps/{app}', 'meter'],
  ['/apps/{app}/keys', 'table tbody tr'],
  ['/apps/{app}/usage', '.uplot'],
  ['/apps/{app}/requests', 'table tbody tr'],
  ['/apps/{app}/settings', 'form input[name=title]'],
  ['/account', 'table tbody tr'],
];
const views = ['light', 'dark'].flatMap((scheme) => [320, 1280].map((width) => ({ scheme, width })));
const MOVED_MOST = 0.02; // a tenth is what browsers call good

let weir;
let browser;
let state;
let app;
before(async () => {
  weir = await startDemo();
  browser = await startBrowser();
  state = await signIn(browser, weir);
  const page = await open(browser, { state });
  app = (await appsOf(page, weir))['Web shop'];
  await page.context().close();
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});

for (const [path, drawn] of pages) {
  for (const view of views) {
    test(`${path} is sound (${view.scheme}, ${view.width} px)`, async () => {
      const page = await open(browser, { state, ...view });
      await page.goto(weir.portal + path.replace('{app}', app));
      await page.waitForSelector(drawn, { timeout: 10_000 });
      await page.evaluate(() => document.fonts.ready);
      assert.deepEqual(await findings(page), []);
      assert.equal(await page.locator('h1').count(), 1);
      assert.notEqual((await page.locator('h1').innerText()).trim(), '');
      const { wide, moved, raw, styled } = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth - innerWidth,
        moved: globalThis.moved,
        raw: document.body.innerText.match(/\b(?:ui|nav|page|portal|problem)\.[a-z_]+(?:\.[a-z_]+)*\b/)?.[0],
        styled: document.querySelectorAll('style').length,
      }));
      assert.ok(wide <= 0, `${wide} px wider than the window`);
      assert.ok(moved <= MOVED_MOST, `moved by ${moved}`);
      assert.equal(raw, undefined, 'a word without a translation');
      assert.equal(styled, 0);
      assert.deepEqual(page.complaints, []);
      await page.context().close();
    });
  }
}

test('the pages speak Turkish to who wants that', async () => {
  const page = await open(browser, { state });
  await page.goto(`${weir.portal}/account`);
  const csrf = await page.evaluate(() => JSON.parse(document.getElementById('boot').textContent).session.csrf);
  const choose = (locale) =>
    page.context().request.patch(`${weir.portal}/api/v1/me`, {
      data: { locale },
      headers: { origin: weir.portal, 'x-csrf-token': csrf },
    });
  assert.equal((await choose('tr')).status(), 200);
  try {
    for (const [path, drawn] of pages) {
      await page.goto(weir.portal + path.replace('{app}', app));
      await page.waitForSelector(drawn, { timeout: 10_000 });
      assert.equal(await page.getAttribute('html', 'lang'), 'tr', path);
      const text = await page.locator('#main').innerText();
      assert.doesNotMatch(text, /\b(?:ui|nav|page|portal|problem)\.[a-z_]+/, path);
      assert.doesNotMatch(text, /\b(?:Keys|Requests|Settings|Created|Save|Never)\b/, path);
    }
    assert.deepEqual(page.complaints, []);
  } finally {
    await choose('en');
    await page.context().close();
  }
});

test('the log is narrowed by what is chosen, and the address says by what', async () => {
  const page = await open(browser, { state });
  const name = (await appsOf(page, weir))['Batch importer'];
  const log = `/apps/${name}/requests`;
  const refused = async () => (await page.context().request.get(`${weir.portal}/api/v1${log}?reason=rate_limited`)).json();
  while ((await refused()).items.length === 0) await page.waitForTimeout(200); // bursts come every few seconds
  await page.goto(weir.portal + log);
  await page.getByLabel('Status', { exact: true }).selectOption('4xx');
  await page.getByLabel('Reason', { exact: true }).selectOption('rate_limited');
  await page.waitForURL('**/requests?status=4xx&reason=rate_limited');
  const others = page.locator('tbody tr').filter({ hasNotText: 'rate_limited' });
  await page.locator('tbody tr').filter({ hasText: 'rate_limited' }).first().waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll('tbody tr')].every((row) => row.innerText.includes('rate_limited')));
  assert.equal(await others.count(), 0);
  await page.getByLabel('Method', { exact: true }).selectOption('DELETE');
  await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.waitForURL('**/requests');
  await page.locator('tbody tr').first().waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('a key works for as many days as one likes, and its successor beside it for as many hours', async () => {
  const page = await open(browser, { state });
  const name = (await appsOf(page, weir)).You;
  const keys = async () => (await (await page.context().request.get(`${weir.portal}/api/v1/apps/${name}/keys`)).json()).items;
  const days = (key) => Math.round((Date.parse(key.expires) - Date.now()) / 86400_000);
  const leave = async () => {
    await page.getByLabel('I have stored it').check();
    await page.getByRole('button', { name: 'Done' }).click();
  };
  await page.goto(`${weir.portal}/apps/${name}/keys`);
  await page.getByRole('button', { name: 'Issue a key' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('short');
  await dialog.getByLabel('Works for').selectOption('own');
  await dialog.getByLabel('Days').fill('');
  await dialog.getByRole('button', { name: 'Issue key' }).click();
  await dialog.locator('.field-error').waitFor(); // no number of days is not "for ever"
  await dialog.getByLabel('Days').fill('5');
  await dialog.getByRole('button', { name: 'Issue key' }).click();
  // what is shown to be pasted answers well as it is
  const command = await dialog.locator('.code code').textContent();
  const { stdout } = await shell('sh', ['-c', `${command} -s -o /dev/null -w '%{http_code}'`]);
  assert.equal(stdout, '200', command);
  await dialog.getByText('First call seen').waitFor();
  await leave();
  assert.equal(days((await keys()).find((key) => key.name === 'short')), 5);

  await page.getByRole('button', { name: 'Replace short' }).click();
  await dialog.getByLabel('Another time').check();
  await dialog.getByLabel('Hours').fill('72');
  await dialog.getByRole('button', { name: 'Replace key' }).click();
  await leave();
  assert.equal(days((await keys()).find((key) => key.name === 'short' && key.successor)), 3);
  assert.ok(page.complaints.every((one) => /422/.test(one)), page.complaints.join());
  await page.context().close();
});
