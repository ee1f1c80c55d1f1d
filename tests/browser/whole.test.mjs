// SPDX-License-Identifier: Apache-2.0
//
// One key through the whole house: issued in a browser, it calls the gateway, and the portal, the shell, the console,
// Debian's Prometheus and Loki tell of the same calls. Revoked in the browser, the next call is refused, and that is
// counted for nobody.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LokiReceiver } from '../integration/lib/loki-receiver.mjs';
import { prometheus } from '../integration/lib/prometheus.mjs';
import { startOrigin, startSite } from '../integration/lib/site.mjs';
import { until } from '../integration/lib/weir.mjs';
import { closeSheet, issueKey, makeApp, openPage, revokeKey, signUp } from './journey.mjs';
import { startBrowser } from './portal.mjs';

const GOOD = 7; // the quota leaves no room for more
const REFUSED = 2;

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

async function start(t) {
  const origin = await startOrigin(t);
  const loki = await LokiReceiver.start(t);
  const site = await startSite(t, {
    portal: { registration: 'open' },
    analytics: { loki: { url: loki.url, batch_wait: '50ms' } },
    upstreams: { origin: { targets: [origin.url] } },
    apis: { hello: { upstream: 'origin', match: { paths: ['/hello'] } } },
    plans: { free: { apis: ['hello'], quota: { requests: GOOD, per: 'month' } } },
  }, origin);
  return { site, loki, origin, query: await prometheus(t, site.admin.text) };
}

// What Prometheus has for an expression that must come to be one number; 0 where it knows of nothing.
const value = async (query, expr) => Number((await query(expr))[0]?.value[1] ?? 0);

test('the key of the browser is counted alike by everyone, and is refused once it is revoked there', async (t) => {
  const { site, loki, origin, query } = await start(t);
  const page = await openPage(t, browser, site);
  await signUp(page);
  const app = await makeApp(page);
  const { secret } = await issueKey(page);
  await closeSheet(page);

  const answers = [];
  for (let i = 0; i < GOOD + REFUSED; i++) answers.push(await site.call('/hello', secret));
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual(statuses, [...Array(GOOD).fill(200), ...Array(REFUSED).fill(429)]);
  await revokeKey(page, app);
  const late = await site.call('/hello', secret);
  assert.deepEqual([late.status, late.headers['weir-reason']], [401, 'key_revoked']);
  assert.equal(origin.requests.length, GOOD, 'what was refused did not get there');

  const all = GOOD + REFUSED + 1;
  const metered = `weir_app_requests_total{app="${app}"}`;
  await loki.when(() => loki.lines.length >= all, 'all lines');
  await until(async () => (await value(query, 'sum(weir_requests_total{api="hello"})')) === all, 'Prometheus to count them');

  const told = {
    portal: await page.evaluate(async (path) => (await (await fetch(path)).json()).totals, `/api/v1/apps/${app}/usage?range=1h`),
    shell: (await site.json('usage', '--app', app)).map(({ requests }) => requests),
    prometheus: await value(query, metered),
    loki: loki.records().filter((record) => record.app === app && record.metered).length,
    rows: (await site.json('sql', `SELECT count(*) AS n FROM requests WHERE app = '${app}' AND metered`))[0].n,
  };
  const { requests, metered: counted, refused } = told.portal;
  assert.deepEqual(
    { ...told, portal: counted },
    { portal: GOOD, shell: [GOOD], prometheus: GOOD, loki: GOOD, rows: GOOD },
  );
  // the revoked key's owner is known, so that they see who still calls with it
  assert.deepEqual([requests, refused], [all, REFUSED + 1]);
  assert.equal(await value(query, 'weir_requests_total{reason="quota_exceeded"}'), REFUSED);
  assert.equal(await value(query, 'weir_requests_total{reason="key_revoked"}'), 1);
  assert.deepEqual(loki.records().map((record) => record.reason).sort(), [
    ...Array(GOOD).fill(''), 'key_revoked', ...Array(REFUSED).fill('quota_exceeded'),
  ].sort());

  // and people read the same
  await page.goto(`${page.base}/apps/${app}/usage`);
  await page.getByText(`${GOOD} metered`).waitFor();
  await page.goto(`${page.base}/apps/${app}/requests`);
  await page.locator('tbody tr').nth(all - 1).waitFor();
  assert.equal(await page.locator('tbody tr').count(), all);
  assert.equal(await page.locator('tbody').getByText('key_revoked').count(), 1);
  await page.goto(`${page.base}/requests/${late.headers['x-request-id']}`);
  await page.getByText('key_revoked').first().waitFor();
});
