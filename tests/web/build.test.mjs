// SPDX-License-Identifier: Apache-2.0
//
// What build.mjs makes: that the server finds what it asks for by name (portal/shell.c, portal/words.c).
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const script = fileURLToPath(new URL('../../web/build.mjs', import.meta.url));
let out;
let files;
before(async () => {
  out = await mkdtemp(join(tmpdir(), 'weir-web-'));
  await promisify(execFile)(process.execPath, [script, out]);
  files = new Set(await readdir(out));
});
after(() => rm(out, { recursive: true, force: true }));

const read = (name) => readFile(join(out, name), 'utf8');
const matching = (pattern) => [...files].filter((name) => pattern.test(name));

test('each entry has one script and one style sheet that begin with its name', () => {
  for (const entry of ['portal', 'console', 'gallery', 'status']) {
    assert.equal(matching(new RegExp(`^${entry}-\\w+\\.js$`)).length, 1, entry);
    assert.equal(matching(new RegExp(`^${entry}-\\w+\\.css$`)).length, 1, entry);
  }
  assert.equal(matching(/^pages-\w+\.css$/).length, 1);
});

test('scripts and style sheets are there in both compressed forms', () => {
  for (const name of matching(/\.(js|css|html)$/)) for (const form of ['gz', 'br']) assert.ok(files.has(`${name}.${form}`), name);
});

test('what goes with an entry is there, and has the words of one language only', async () => {
  for (const entry of ['portal', 'console', 'gallery']) {
    const [en, tr] = await Promise.all(['en', 'tr'].map(async (language) => (await read(`${entry}.${language}.preload`)).trim().split('\n')));
    for (const name of [...en, ...tr]) assert.ok(files.has(name), name);
    const apart = (a, b) => a.filter((name) => !b.includes(name));
    assert.equal(apart(en, tr).length, 1);
    assert.match(await read(apart(tr, en)[0]), /Vazgeç/);
    assert.match(await read(apart(en, tr)[0]), /Cancel/);
  }
});

test('the words that the server writes are whole in its own catalogs, and not sent to scripts', async () => {
  const own = JSON.parse(await read('messages.en.json'));
  assert.ok(own['page.sign_in.title']);
  for (const name of matching(/\.js$/)) assert.doesNotMatch(await read(name), /page\.sign_in\.title/);
});

test('no script sets markup or makes code out of text, which the policy of the pages forbids', async () => {
  for (const name of matching(/\.js$/))
    assert.doesNotMatch(await read(name), /\.outerHTML\s*=|insertAdjacentHTML|document\.write|\beval\(|new Function\(/, name);
});
