// SPDX-License-Identifier: Apache-2.0
//
// The operator's theme and logo in Debian's Chromium: every page takes them, nothing moves for them, and nothing in
// them runs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startOrigin, startSite } from '../integration/lib/site.mjs';
import { issueKey, makeApp, openPage, signUp } from './journey.mjs';
import { findings, startBrowser } from './portal.mjs';

const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8" onload="parent.pwned=1"><script>parent.pwned=1</script><rect width="8" height="8" fill="#7a1fa2"/></svg>';
const THEME = ':root { --accent: light-dark(#7a1fa2, #d9a3ee); --accent-solid: light-dark(#7a1fa2, #8730ad); --accent-hover: light-dark(#5f1880, #7a1fa2); }';

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

for (const [scheme, color] of [['light', 'rgb(122, 31, 162)'], ['dark', 'rgb(135, 48, 173)']]) {
  test(`buttons have the operator's color, and the logo its place (${scheme})`, async (t) => {
    const site = await startSite(t, {
      portal: { registration: 'open', title: 'Acme', logo: LOGO, theme: THEME },
      apis: { hello: { upstream: 'origin', match: { paths: ['/hello'] } } },
      plans: { free: { apis: ['hello'] } },
    }, await startOrigin(t));
    const page = await openPage(t, browser, site, { scheme });
    const looks = async (name) => {
      await page.locator('img.mark').first().waitFor();
      const box = await page.locator('img.mark').first().evaluate((one) => [one.width, one.height, one.complete && one.naturalWidth > 0]);
      assert.deepEqual(box, [28, 28, true]);
      const button = page.locator('.button.primary, button.primary, main .button, form button').first();
      assert.equal(await button.evaluate((one) => getComputedStyle(one).backgroundColor), color, name);
      assert.deepEqual(await findings(page), [], name);
      assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
    };
    await page.goto(`${page.base}/`);
    await looks('the first page');
    await page.goto(`${page.base}/sign-up`);
    await looks('signing up');
    await signUp(page);
    await makeApp(page);
    await looks('the keys');
    await issueKey(page);
    await page.goto(`${page.base}/logo.svg`);
    assert.equal(await page.evaluate(() => globalThis.pwned), undefined, 'nor opened by itself');
    page.complaints.length = 0; // a document in a sandbox says that its script was stopped
  });
}
