// SPDX-License-Identifier: Apache-2.0
//
// What people write is shown to others: script, markup, words that run the other way, words without end. All of it is
// text on every page of portal and console. And two tabs that do not know of each other, a server that is away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { operator, Person } from '../integration/lib/person.mjs';
import { startOrigin, startSite } from '../integration/lib/site.mjs';
import { until } from '../integration/lib/weir.mjs';
import { closeSheet, issueKey, makeApp, openPage, PASSWORD, signUp } from './journey.mjs';
import { findings, startBrowser } from './portal.mjs';

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

const start = async (t) => startSite(t, {
  portal: { registration: 'open', title: '<b>Acme</b> & "Söhne"', tagline: "</title><script>globalThis.pwned = 1</script> 'APIs'" },
  apis: { hello: { upstream: 'origin', match: { paths: ['/hello'] } } },
  plans: { free: { apis: ['hello'] }, gold: { apis: ['hello'], approval: 'manual' } },
}, await startOrigin(t));

const HOSTILE = [
  ['script', '<img src=x onerror="pwned=1"></script><script>pwned=1</script>'],
  ['a template', '{{constructor.constructor("globalThis.pwned=1")()}}${globalThis.pwned=1}'],
  ['right to left', 'مشروع الطلبات שלום'],
  ['no space', 'W'.repeat(80)],
  ['many scripts', 'Ünïcödé 日本語 한국어 ไทย 👩‍👩‍👧‍👦 é'],
];

// Every field that a person may fill, and where it is read.
async function write(site, text) {
  const me = new Person(site.portal);
  await me.signUp('deniz@example.com', PASSWORD, text);
  const app = (await me.send('POST', '/api/v1/apps', { title: text, description: text, plan: 'free' })).json;
  const issued = (await me.send('POST', `/api/v1/apps/${app.name}/keys`, { name: text })).json;
  assert.equal((await me.send('POST', `/api/v1/apps/${app.name}/subscription`, { plan: 'gold' })).status, 200);
  const answer = await site.call(`/hello/${encodeURIComponent(text)}?q=${encodeURIComponent(text)}`, issued.secret);
  const id = answer.headers['x-request-id'];
  await until(async () => (await me.json(`/api/v1/apps/${app.name}/requests`)).items.length === 1, 'the call to be listed');
  return { me, app: app.name, id };
}

async function asIf(t, site, person, listener, view) {
  const page = await openPage(t, browser, site, view);
  page.base = `http://${site[listener].text}`;
  await page.context().addCookies([...person.cookies].map(([name, value]) => ({ name, value, url: page.base })));
  return page;
}

async function isSound(page, path, text) {
  await page.goto(page.base + path, { waitUntil: 'networkidle' });
  const state = await page.evaluate(() => ({
    pwned: globalThis.pwned,
    wider: document.documentElement.scrollWidth - innerWidth,
    shown: document.body.innerText,
    images: document.querySelectorAll('img[src=x]').length,
  }));
  assert.deepEqual([state.pwned, state.images, state.wider <= 0], [undefined, 0, true], `${path}: ${state.wider} px too wide`);
  if (text) assert.ok(state.shown.replace(/\s+/g, ' ').includes(text.replace(/\s+/g, ' ')), `${path} shows the text as it was written`);
  assert.deepEqual(await findings(page), [], path);
}

for (const [what, text] of HOSTILE) {
  test(`${what} in every field is text on every page`, async (t) => {
    const site = await start(t);
    const { me, app, id } = await write(site, text);
    const boss = await operator(site);
    const suspended = await boss.send('PATCH', `/api/v1/apps/${app}`, { suspended: true, note: text });
    assert.equal(suspended.status, 200, suspended.body);
    const own = [['/apps', text], [`/apps/${app}`, text], [`/apps/${app}/keys`, text], [`/apps/${app}/settings`],
      [`/apps/${app}/requests`], [`/requests/${id}`], ['/account'], ['/']];
    const theirs = [['/overview'], ['/apps', text], [`/apps/${app}`, text], ['/keys', text], ['/people', text],
      ['/approvals', text], ['/audit'], ['/requests'], [`/requests/${id}`], ['/settings']];
    for (const width of [320, 1280]) {
      const page = await asIf(t, site, me, 'portal', { width });
      for (const [path, words] of own) await isSound(page, path, words);
      const console_ = await asIf(t, site, boss, 'admin', { width });
      for (const [path, words] of theirs) await isSound(console_, path, words);
    }
  });
}

test('two tabs: what one has done, the other learns when it tries', async (t) => {
  const site = await start(t);
  const one = await openPage(t, browser, site);
  await signUp(one);
  const app = await makeApp(one);
  await issueKey(one);
  await closeSheet(one);
  const two = await one.context().newPage();
  await two.goto(`${one.base}/apps/${app}/keys`);
  await two.getByRole('button', { name: 'Revoke CI' }).waitFor();

  // both revoke the same key
  for (const tab of [one, two]) {
    await tab.getByRole('button', { name: 'Revoke CI' }).click();
    await tab.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click();
    await tab.getByRole('cell', { name: 'Revoked' }).waitFor();
  }
  const revoked = (await site.json('sql', 'SELECT 1')).length && (await site.json('key', 'list', '--app', app));
  assert.deepEqual(revoked.map(({ state }) => state), ['revoked']);

  // one deletes the app, or signs out: the other is told, and comes back to where it was
  await two.getByRole('button', { name: 'Issue a key' }).first().click();
  await two.getByRole('dialog').getByLabel('Name').fill('late');
  await one.getByRole('button', { name: 'Sign out' }).click();
  await one.waitForURL('**/sign-in');
  await two.getByRole('button', { name: 'Issue key', exact: true }).click();
  await two.waitForURL(`**/sign-in?return=*`);
  await two.getByLabel('E-mail').fill('deniz@example.com');
  await two.getByLabel('Password').fill(PASSWORD);
  await two.getByRole('button', { name: 'Sign in' }).click();
  await two.waitForURL(`**/apps/${app}/keys`);
  assert.equal((await site.json('key', 'list', '--app', app)).length, 1, 'nothing was issued meanwhile');
});

test('a key that is asked for while the line is broken is issued once', async (t) => {
  const site = await start(t);
  const page = await openPage(t, browser, site);
  await signUp(page);
  const app = await makeApp(page);
  await page.getByRole('button', { name: 'Issue a key' }).first().click();
  await page.getByRole('dialog').getByLabel('Name').fill('CI');
  // the server gets the wish and answers, but the answer is lost
  await page.route('**/keys', async (route) => {
    await route.fetch();
    await route.abort();
  }, { times: 1 });
  await page.getByRole('button', { name: 'Issue key', exact: true }).click();
  await page.getByRole('dialog').getByRole('alert').waitFor();
  await page.getByRole('button', { name: 'Issue key', exact: true }).click();
  await page.getByRole('dialog').getByText(/was issued/).waitFor();
  assert.equal((await site.json('key', 'list', '--app', app)).length, 1);
});
