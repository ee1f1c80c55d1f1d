// SPDX-License-Identifier: Apache-2.0
//
// build.mjs OUT -- bundles the browser code into the folder OUT, ready to be embedded.
//
// Each page is an HTML shell of this folder, whose {{NAME.js}} and {{NAME.css}} become the names of the
// bundles, which carry a hash of their content: they may be cached for ever, the shell never. Beside each
// file lie its gzip and Brotli forms, so that the server compresses nothing. cmake/Web.cmake calls this.
import { build } from 'esbuild';
import { readFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const here = fileURLToPath(new URL('.', import.meta.url));
const pages = ['status'];

// The style sheets of pages that the server writes itself: no script, no shell.
const sheets = ['pages'];

// What a page may weigh on the wire (gzip), script and style each: a first view that opens at once.
const budget = { js: 40 * 1024, css: 10 * 1024 };

const compressed = (bytes) => ({
  gz: gzipSync(bytes, { level: 9 }),
  br: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
});

async function emit(out, name, bytes) {
  const forms = compressed(bytes);
  await writeFile(join(out, name), bytes);
  await writeFile(join(out, `${name}.gz`), forms.gz);
  await writeFile(join(out, `${name}.br`), forms.br);
  return forms.gz.length;
}

// Bundles one entry point; returns the names its files got, by kind: { 'status.js': 'status-XXXX.js' }.
async function bundle(out, entry, source) {
  const result = await build({
    absWorkingDir: here,
    entryPoints: [source],
    entryNames: '[name]-[hash]',
    outdir: out,
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    supported: { nesting: true }, // light-dark() needs a newer browser than nesting does
    logLevel: 'warning',
  });
  const names = {};
  for (const file of result.outputFiles) {
    const name = basename(file.path);
    const kind = name.slice(name.lastIndexOf('.') + 1);
    const size = await emit(out, name, file.contents);
    if (size > budget[kind]) throw new Error(`${name} is ${size} bytes gzipped; its budget is ${budget[kind]}`);
    names[`${entry}.${kind}`] = name;
  }
  return names;
}

async function buildPage(out, page) {
  const names = await bundle(out, page, `src/${page}/${page}.tsx`);
  const shell = await readFile(join(here, `${page}.html`), 'utf8');
  const html = shell.replace(/\{\{([\w.]+)\}\}/g, (_, key) => {
    if (!names[key]) throw new Error(`${page}.html wants {{${key}}}, which is not built`);
    return names[key];
  });
  await emit(out, `${page}.html`, Buffer.from(html));
}

const out = process.argv[2];
if (!out) {
  console.error('usage: node build.mjs OUT');
  process.exit(2);
}
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
// What the server writes itself, pages and mails, has its words from the same catalogs; it asks for them by these names.
const languages = ['en', 'tr'];

try {
  for (const language of languages)
    await writeFile(join(out, `messages.${language}.json`), await readFile(join(here, 'messages', `${language}.json`)));
  for (const page of pages) await buildPage(out, page);
  for (const sheet of sheets) await bundle(out, sheet, `src/${sheet}/${sheet}.css`);
} catch (error) {
  // esbuild has printed its own findings already
  if (!error.errors) console.error(`web: ${error.message}`);
  process.exit(1);
}
