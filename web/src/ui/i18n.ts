// SPDX-License-Identifier: Apache-2.0
//
// The words of the pages. They lie in web/messages, one file a language; a page loads only its own, as a chunk
// of the build, before it draws.
import type { ComponentChildren } from 'preact';
import type english from '../../messages/en.json';
import { count, setLocale } from './format.ts';

type Whole = keyof typeof english;
type Base<K extends string> = K extends `${infer B}.other` ? B : K extends `${string}.one` ? never : K;

// What t() takes: the keys of the catalog; of "x.one" and "x.other" only "x".
export type Key = Base<Whole>;
export type Params = Readonly<Record<string, string | number>>;

export type Language = 'en' | 'tr';

let words: Readonly<Record<string, string>> = {};
let plural = new Intl.PluralRules('en');

export let language: Language = 'en';

// Loads the words of a language, and writes numbers and dates as it does.
export async function speak(wanted: string, timeZone = ''): Promise<void> {
  language = wanted.toLowerCase().split('-')[0] === 'tr' ? 'tr' : 'en';
  const file = language === 'tr' ? await import('../../messages/tr.json') : await import('../../messages/en.json');
  setWords(language, file.default);
  setLocale(language, timeZone);
}

export function setWords(locale: Language, catalog: Readonly<Record<string, string>>): void {
  language = locale;
  words = catalog;
  plural = new Intl.PluralRules(locale);
}

// The text of a key; one that no catalog has stands for itself. Where there are two forms, {count} chooses.
function find(key: string, params?: Params): string {
  const many = params?.['count'];
  if (typeof many === 'number') {
    const form = words[`${key}.${plural.select(many)}`] ?? words[`${key}.other`];
    if (form !== undefined) return form;
  }
  return words[key] ?? key;
}

export const has = (key: string): key is Key => key in words;

// The words of a key with its {names} put in; numbers are written as the language writes them.
export const t = (key: Key, params?: Params): string =>
  find(key, params).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params?.[name];
    return value === undefined ? whole : typeof value === 'number' ? count(value) : value;
  });

// The same where what is put in are elements: <p>{rich('x', { code: <code>…</code> })}</p>
export function rich(key: Key, params: Readonly<Record<string, ComponentChildren>>): ComponentChildren[] {
  return find(key)
    .split(/\{(\w+)\}/)
    .map((piece, i) => (i % 2 ? params[piece] : piece));
}
