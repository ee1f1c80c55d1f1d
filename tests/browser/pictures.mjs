// SPDX-License-Identifier: Apache-2.0
//
// Takes the pictures of docs/: every screen of the portal and the console, light and dark, wide and narrow, from a
// demo that has run for a while.
//
//     WEIR_BIN=build/weir node tests/browser/pictures.mjs [SECONDS]
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { appsOf, signIn, startBrowser, startDemo } from './portal.mjs';

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const seconds = Number(process.argv[2] ?? 60);
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 800 };
const VIEWS = [['light', WIDE], ['dark', WIDE], ['light', NARROW], ['dark', NARROW]];

const press = (name) => async (page) => {
  await page.getByRole('button', { name }).first().click();
  await page.getByRole('dialog').waitFor();
  await page.waitForTimeout(400); // until it has come in
};

async function issue(page) {
  await press('Issue a key')(page);
  await page.getByRole('dialog').getByLabel('Name').fill('production server');
  await page.getByRole('button', { name: 'Issue key', exact: true }).click();
  await page.locator('.secret output').waitFor();
}

// One row of the log, opened beside it.
async function row(page) {
  await page.locator('tbody .row-link').first().click();
  await page.getByRole('dialog').waitFor();
  await page.waitForTimeout(600);
}

// [name, path, what is done there]; {app} stands for one of the developer's.
const PORTAL = [
  ['landing', '/'], ['sign-up', '/sign-up'], ['sign-in', '/sign-in'], ['forgot', '/forgot'], ['reset', '/reset?token=x'],
  ['confirm', '/confirm?token=x'], ['problems', '/problems/'], ['problem', '/problems/rate_limited'],
  ['apps', '/apps'], ['new-app', '/apps/new'], ['app', '/apps/{app}'], ['keys', '/apps/{app}/keys'],
  ['key-new', '/apps/{app}/keys', press('Issue a key')], ['key-issued', '/apps/{app}/keys', issue],
  ['key-change', '/apps/{app}/keys', press(/^Change /)], ['key-replace', '/apps/{app}/keys', press(/^Replace /)],
  ['key-revoke', '/apps/{app}/keys', press(/^Revoke /)], ['usage', '/apps/{app}/usage'], ['requests', '/apps/{app}/requests'],
  ['request', '/apps/{app}/requests?reason=any', row], ['settings', '/apps/{app}/settings'], ['account', '/account'],
];
const OPEN = new Set(['landing', 'sign-up', 'sign-in', 'forgot', 'reset', 'confirm', 'problems', 'problem']);
const CONSOLE = [
  ['sign-in', '/sign-in'], ['overview', '/overview'], ['requests', '/requests'], ['request', '/requests?reason=rate_limited', row],
  ['approvals', '/approvals'], ['apps', '/apps'], ['app', '/apps/{app}'], ['keys', '/keys'], ['people', '/people'],
  ['invite', '/people', press('Invite')], ['apis', '/apis'], ['plans', '/plans'], ['mails', '/mails'], ['audit', '/audit'],
  ['settings', '/settings'], ['status', '/status'],
];

async function signInOperator(browser, weir) {
  const context = await browser.newContext();
  const answer = await context.request.post(`${weir.admin}/api/v1/session`, { data: weir.operator, headers: { origin: weir.admin } });
  if (!answer.ok()) throw new Error(await answer.text());
  const state = await context.storageState();
  await context.close();
  return state;
}

async function take(browser, base, app, state, [name, path, act], [scheme, viewport]) {
  const context = await browser.newContext({ viewport, colorScheme: scheme, storageState: state, locale: 'en-GB', reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(base + path.replace('{app}', app), { waitUntil: 'networkidle' });
  await act?.(page);
  const picture = await page.screenshot();
  await context.close();
  return picture;
}

// The four views beside each other, as one picture.
async function compose(browser, pictures) {
  const page = await browser.newPage({ viewport: { width: 1560, height: 300 } });
  const sizes = [560, 560, 157, 157];
  await page.setContent(
    `<style>body{margin:0;background:#c9d2d6;display:inline-flex;gap:16px;padding:16px;align-items:start}img{border-radius:6px}</style>` +
      pictures.map((one, i) => `<img width="${sizes[i]}" src="data:image/png;base64,${one.toString('base64')}">`).join(''),
  );
  const whole = await page.locator('body').screenshot();
  await page.close();
  return whole;
}

async function takeAll(browser, face, base, app, states, screens) {
  await mkdir(`${folder}${face}`, { recursive: true });
  for (const screen of screens) {
    const pictures = [];
    for (const view of VIEWS) pictures.push(await take(browser, base, app, states(screen[0]), screen, view));
    await writeFile(`${folder}${face}/${screen[0]}.png`, await compose(browser, pictures));
    if (face === 'console' ? screen[0] === 'overview' : screen[0] === 'key-issued') {
      await writeFile(`${folder}${face}-light.png`, pictures[0]);
      await writeFile(`${folder}${face}-dark.png`, pictures[1]);
    }
  }
}

const weir = await startDemo();
const browser = await startBrowser();
try {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const developer = await signIn(browser, weir);
  const operator = await signInOperator(browser, weir);
  const context = await browser.newContext({ storageState: developer });
  const page = await context.newPage();
  const apps = await appsOf(page, weir);
  const app = apps['Batch importer'] ?? Object.values(apps)[0]; // the one that is refused now and then
  await context.close();
  await takeAll(browser, 'portal', weir.portal, app, (name) => (OPEN.has(name) ? undefined : developer), PORTAL);
  await takeAll(browser, 'console', weir.admin, app, (name) => (name === 'sign-in' ? undefined : operator), CONSOLE);
} finally {
  await browser.close();
  await weir.stop();
}
