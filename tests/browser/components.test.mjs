// SPDX-License-Identifier: Apache-2.0
//
// The page of all components, in the listener of a running Weir: every state of each, light and dark, wide and
// narrow, in both languages, without any breach of the Content-Security-Policy and without a finding of axe-core.
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
    args: process.getuid() === 0 ? ['--no-sandbox'] : [],
  });
});
after(async () => {
  await browser?.close();
  await weir?.stop();
});

async function open({ scheme = 'light', width = 1280, locale = 'en' } = {}) {
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme: scheme, reducedMotion: 'reduce', locale });
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()));
  await page.goto(`${weir.url}/components`);
  await page.waitForFunction(() => document.querySelectorAll('.uplot').length === 4);
  return page;
}

async function findings(page, within = 'html') {
  await page.evaluate(axe);
  return page.evaluate(async (root) => {
    const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await globalThis.axe.run(root, { runOnly: rules });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  }, within);
}

for (const view of views) {
  const name = `${view.scheme}, ${view.width} px`;

  test(`every component can be used by everyone (${name})`, async () => {
    const page = await open(view);
    assert.deepEqual(await findings(page), []);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'scrolls sideways');
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  test(`dialogs hold the focus, close with Escape and give it back (${name})`, async () => {
    const page = await open(view);
    for (const label of ['A form', 'A question', 'A question that must be typed']) {
      const button = page.getByRole('button', { name: label, exact: true });
      await button.click();
      await page.getByRole('dialog').waitFor();
      assert.deepEqual(await findings(page, 'dialog'), [], label);
      assert.ok(await page.evaluate(() => document.activeElement.closest('dialog') !== null), label);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.ok(await button.evaluate((element) => element === document.activeElement), label);
    }
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
}

test('what is shown once is left only by saying that it is stored', async () => {
  const page = await open();
  await page.getByRole('button', { name: 'A new key' }).click();
  await page.getByRole('dialog').waitFor();
  for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
  assert.ok(await page.getByRole('dialog').isVisible());
  assert.ok(await page.getByRole('button', { name: 'Done' }).isDisabled());
  await page.getByRole('button', { name: 'Copy key' }).click();
  await page.locator('dialog [role=status]', { hasText: 'Copied' }).first().waitFor({ state: 'attached' });
  await page.getByLabel('I have stored it').check();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('a graph is looked into and back, says its numbers as a table, and follows the width without moving the page', async () => {
  const page = await open();
  const graph = page.locator('.graph').first();
  await graph.scrollIntoViewIfNeeded();
  const height = () => graph.evaluate((element) => element.getBoundingClientRect().height);
  const before = await height();
  const { x, y, width } = await graph.locator('.u-over').boundingBox();
  await page.mouse.move(x + width * 0.3, y + 50);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.7, y + 60, { steps: 5 });
  await page.mouse.up();
  await graph.getByRole('button', { name: 'Show all' }).click();
  await graph.getByRole('button', { name: 'Show all' }).waitFor({ state: 'detached' });
  await page.setViewportSize({ width: 1100, height: 800 });
  await page.waitForFunction(() => document.querySelector('.u-wrap').clientWidth < 800);
  assert.equal(await height(), before);
  await graph.getByText('The numbers as a table').click();
  await graph.locator('tbody tr').first().waitFor();
  assert.equal(await graph.locator('tbody tr').count(), 24);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('a graph of 10,000 points is drawn once, costs few elements, and is not drawn again for a cursor', async () => {
  const page = await open();
  await page.addInitScript(() => {
    globalThis.strokes = 0;
    for (const name of ['stroke', 'fill', 'fillRect']) {
      const draw = CanvasRenderingContext2D.prototype[name];
      CanvasRenderingContext2D.prototype[name] = function (...args) {
        globalThis.strokes++;
        return draw.apply(this, args);
      };
    }
  });
  await page.reload();
  const graph = page.locator('.graph').nth(2);
  await graph.scrollIntoViewIfNeeded();
  await graph.locator('.u-over').waitFor();
  const elements = () => graph.evaluate((element) => element.querySelectorAll('*').length);
  const strokes = () => page.evaluate(() => globalThis.strokes);
  const [few, drawn] = [await elements(), await strokes()];
  assert.ok(few < 100, `${few} elements`);
  assert.ok(drawn < 1000, `${drawn} strokes for all graphs of the page`);
  const { x, y, width } = await graph.locator('.u-over').boundingBox();
  for (let i = 1; i < 40; i++) await page.mouse.move(x + (width * i) / 40, y + 40);
  await graph.locator('.graph-tip').waitFor();
  assert.equal(await strokes(), drawn, 'a cursor moves above the picture');
  assert.ok((await elements()) < few + 20);

  await graph.getByText('The numbers as a table').click();
  await graph.locator('tbody tr').first().waitFor();
  assert.equal(await graph.locator('tbody tr').count(), 200);
  await graph.getByRole('button', { name: 'Show more' }).click();
  await graph.locator('tbody tr').nth(399).waitFor();
  assert.equal(await graph.locator('tbody tr').count(), 400);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('the language of the browser is that of the page, its numbers and its dates', async () => {
  const page = await open({ locale: 'tr' });
  assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'Bileşenler');
  assert.equal(await page.locator('html').getAttribute('lang'), 'tr');
  await page.getByText('1.284.031').waitFor();
  assert.doesNotMatch(await page.locator('#main').innerText(), /\b(gallery|portal|ui|problem)\.[a-z_]+\b/);
  await page.close();
});
