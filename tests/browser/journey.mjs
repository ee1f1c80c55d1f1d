// SPDX-License-Identifier: Apache-2.0
//
// What a developer does at the portal, in a browser: signs up, makes an app, issues a key. A page of openPage()
// counts its clicks and ends its test with what it complained about.
import assert from 'node:assert/strict';
import { until } from '../integration/lib/weir.mjs';

export const PASSWORD = 'a long password';

// A page of a browser of its own. `page.base` is the portal, `page.press` clicks and counts.
export async function openPage(t, browser, site, { scheme = 'light', width = 1280, script = true } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: scheme, javaScriptEnabled: script, locale: 'en-GB' });
  t.after(() => context.close());
  const page = await context.newPage();
  watch(page);
  page.clicks = 0;
  page.base = `http://${site.portal.text}`;
  page.press = async (target) => {
    page.clicks++;
    await (typeof target === 'string' ? page.getByRole('button', { name: target, exact: true }) : target).click();
  };
  t.after(() => assert.deepEqual(page.complaints, []));
  return page;
}

// `page.complaints`: exceptions of its script, and breaches of the Content-Security-Policy.
export function watch(page) {
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy|TrustedHTML|TrustedScript/i.test(message.text())) page.complaints.push(message.text());
  });
}

// Fills the form of the page that is open.
export async function fillSignUp(page, email = 'deniz@example.com', name = 'Deniz') {
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.press('Create account');
  await page.getByRole('heading', { name: 'Apps', exact: true }).waitFor();
}

export async function signUp(page, email, name) {
  await page.goto(`${page.base}/sign-up`);
  await fillSignUp(page, email, name);
}

// The app's name. `plan` is what people read of it; the first one where nothing is said.
export async function makeApp(page, title = 'Orders', plan = undefined) {
  await page.press(page.getByRole('link', { name: 'New app' }).first());
  await page.getByLabel('Name of the app').fill(title);
  if (plan) {
    page.clicks++;
    await page.getByRole('radio', { name: plan }).check();
  }
  await page.press('Create app');
  await page.waitForURL('**/keys');
  return /apps\/([^/]+)\/keys/.exec(page.url())[1];
}

// Issues a key; what the sheet shows of it.
export async function issueKey(page, name = 'CI') {
  await page.press(page.getByRole('button', { name: 'Issue a key' }).first());
  await page.getByRole('dialog').getByLabel('Name').fill(name);
  await page.press('Issue key');
  const secret = await page.locator('.secret output').textContent();
  const curl = await page.locator('dialog .code code').textContent();
  return { secret, curl };
}

export async function closeSheet(page) {
  await page.getByLabel('I have stored it').check();
  await page.press('Done');
}

// Revokes a key that was used just now, whose name must be typed.
export async function revokeKey(page, app, name = 'CI') {
  await until(async () => {
    await page.goto(`${page.base}/apps/${app}/keys`);
    return page.locator('td[data-label="Last used"] time').first().isVisible();
  }, 'its last use to be told');
  await page.getByRole('button', { name: `Revoke ${name}` }).click();
  const revoke = page.getByRole('dialog').getByRole('button', { name: 'Revoke key' });
  assert.equal(await revoke.isDisabled(), true, 'its name is asked for, as it was just used');
  await page.getByLabel(`Type ${name} to go on`).fill(name);
  await revoke.click();
  await page.getByRole('cell', { name: 'Revoked' }).waitFor();
}
