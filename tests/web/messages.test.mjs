// SPDX-License-Identifier: Apache-2.0
//
// The catalogs of words (web/messages): the languages have the same, and the scripts use what there is.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import test from 'node:test';

const web = new URL('../../web/', import.meta.url);
const read = async (language) => JSON.parse(await readFile(new URL(`messages/${language}.json`, web), 'utf8'));
const [en, tr] = [await read('en'), await read('tr')];

// What the server says itself, whose keys are used in C.
const ofServer = (key) => /^(page|mail|c)\./.test(key);

const names = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

async function sources(folder) {
  const all = await readdir(new URL(folder, web), { withFileTypes: true });
  const deep = await Promise.all(
    all.map((entry) => (entry.isDirectory() ? sources(`${folder}${entry.name}/`) : readFile(new URL(folder + entry.name, web), 'utf8'))),
  );
  return deep.flat();
}

const code = (await sources('src/')).join('\n').replace(/^ *\/\/.*$/gm, '');
// t('x.y'), rich('x.y', …); and `x.${y}`, which stands for every key with one more part
const called = [...code.matchAll(/\b(?:t|rich)\(\s*'([^']+)'/g)].map((match) => match[1]);
const quoted = new Set([...code.matchAll(/'([a-z_]+(?:\.\w+)+)'/g)].map((match) => match[1]));
const patterns = [...code.matchAll(/`((?:[\w.]|\$\{[^}`]*\})+)`/g)]
  .map((match) => match[1])
  .filter((text) => /^[a-z_]+\.[\w.]*\$\{/.test(text))
  .map((text) => new RegExp(`^${text.replaceAll('.', '\\.').replace(/\$\{[^}]*\}/g, '\\w+')}$`));

// "x.one" and "x.other" are the two forms of "x".
const base = (key) => key.replace(/\.(one|other)$/, '');
const known = new Set([...Object.keys(en), ...Object.keys(en).map(base)]);

test('every language has the same keys, in the same order', () => {
  assert.deepEqual(Object.keys(tr), Object.keys(en));
});

test('what is put in has the same names in every language', () => {
  for (const key of Object.keys(en)) assert.deepEqual(names(tr[key]), names(en[key]), key);
});

test('nothing is empty, and nothing begins or ends with a space', () => {
  for (const catalog of [en, tr])
    for (const [key, text] of Object.entries(catalog)) assert.ok(text !== '' && text === text.trim(), `${key}: "${text}"`);
});

test('a key with one of two forms has both, and its words count by {count}', () => {
  for (const key of Object.keys(en).filter((name) => name.endsWith('.other'))) {
    assert.ok(`${base(key)}.one` in en, `${base(key)}.one`);
    assert.ok(names(en[key]).includes('count'), key);
  }
});

test('every key that the scripts use is there', () => {
  assert.deepEqual([...new Set(called)].filter((key) => !known.has(key)), []);
  const some = (pattern) => [...known].some((key) => pattern.test(key));
  assert.deepEqual(patterns.filter((pattern) => !some(pattern)).map(String), []);
});

test('every key that is there is used', () => {
  const used = (key) => quoted.has(key) || quoted.has(base(key)) || patterns.some((pattern) => pattern.test(key));
  assert.deepEqual(Object.keys(en).filter((key) => !ofServer(key) && !used(key)), []);
});
