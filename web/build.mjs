// SPDX-License-Identifier: Apache-2.0
//
// build.mjs OUT -- bundles the browser code into the folder OUT, ready to be embedded.
//
// Entries are what a page begins with: a script and a style sheet each, NAME-HASH.js and NAME-HASH.css, and what
// they share or load later as chunk-HASH.js. The hash is of the content: they may be cached for ever. The server
// finds an entry's files by their beginnings and ends (portal/shell.c). The status page has a shell of its own,
// whose {{NAME.js}} and {{NAME.css}} are replaced. Beside each file lie its gzip and Brotli forms, so that the
// server compresses nothing. cmake/Web.cmake calls this.
import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import { readFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const here = fileURLToPath(new URL('.', import.meta.url));

// Pages that a script draws, and the style sheet of those that the server writes itself.
const entries = ['portal', 'console', 'gallery', 'status'].filter((name) => existsSync(join(here, `src/${name}/${name}.tsx`)));
const sheets = ['pages'];

// What the server writes itself, pages and mails, has its words from the same catalogs; it asks for them by name.
const languages = ['en', 'tr'];

// What a first view may weigh on the wire (gzip): the entry, what it imports at once, one language; its style.
// What draws graphs, which comes later. And all that is embedded, both compressed forms together.
const budget = { js: 40 * 1024, css: 10 * 1024, graphs: 24 * 1024, all: 500 * 1024 };

const packed = { plain: 0, compressed: 0 };

async function emit(out, name, bytes) {
  const gz = gzipSync(bytes, { level: 9 });
  const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  await writeFile(join(out, name), bytes);
  await writeFile(join(out, `${name}.gz`), gz);
  await writeFile(join(out, `${name}.br`), br);
  packed.compressed += gz.length + br.length;
  return gz.length;
}

// The words of pages and mails that the server writes are not sent to scripts, but for what is wrong with a field.
const ofServer = (key) => /^(page|mail|c)\./.test(key) && !key.startsWith('page.fault.');

const catalogs = {
  name: 'catalogs',
  setup(bundler) {
    bundler.onLoad({ filter: /[\\/]messages[\\/]\w+\.json$/ }, async ({ path }) => {
      const all = JSON.parse(await readFile(path, 'utf8'));
      const kept = Object.fromEntries(Object.entries(all).filter(([key]) => !ofServer(key)));
      return { contents: `export default ${JSON.stringify(kept)};`, loader: 'js' };
    });
  },
};

async function bundle(points) {
  return build({
    absWorkingDir: here,
    entryPoints: points,
    entryNames: '[name]-[hash]',
    chunkNames: 'chunk-[hash]',
    outdir: '/out',
    write: false,
    bundle: true,
    splitting: true,
    metafile: true,
    minify: true,
    charset: 'utf8',
    format: 'esm',
    target: ['es2022'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    supported: { nesting: true }, // light-dark() needs a newer browser than nesting does
    plugins: [catalogs],
    logLevel: 'warning',
  });
}

// The outputs that a script imports before it runs, itself first.
function atOnce(outputs, name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const { path, kind } of outputs[name].imports) if (kind === 'import-statement') atOnce(outputs, path, seen);
  return seen;
}

// What a page's frame asks for together with its entry, one name a line: NAME.LANGUAGE.preload, for portal/shell.c.
async function emitPreloads(out, outputs) {
  for (const entry of entries.filter((one) => !existsSync(join(here, `${one}.html`)))) {
    const name = Object.keys(outputs).find((one) => outputs[one].entryPoint === `src/${entry}/${entry}.tsx`);
    for (const language of languages) {
      const words = Object.keys(outputs).filter((one) => outputs[one].entryPoint === `messages/${language}.json`);
      const names = [...atOnce(outputs, name), ...words].filter((one) => one !== name);
      await writeFile(join(out, `${entry}.${language}.preload`), names.map((one) => `${one}\n`).join(''));
    }
  }
}

function check(what, size, most) {
  if (size > most) throw new Error(`${what} is ${size} bytes gzipped; its budget is ${most}`);
  if (process.env.WEIR_WEB_SIZES) console.log(`${what}: ${size} of ${most}`);
}

function checkBudgets(outputs, sizes) {
  const language = Object.keys(outputs).filter((name) => Object.keys(outputs[name].inputs).some((input) => input.startsWith('messages/')));
  const largest = Math.max(0, ...language.map((name) => sizes[name]));
  for (const [name, { entryPoint, cssBundle }] of Object.entries(outputs)) {
    if (entryPoint === 'src/ui/plot.ts') check('what draws graphs', sizes[name], budget.graphs);
    // what is loaded later has an entry point too, but is no beginning
    if (!entries.some((entry) => entryPoint === `src/${entry}/${entry}.tsx`) || name.endsWith('.css')) continue;
    const parts = [...atOnce(outputs, name)];
    check(`${entryPoint} at first view`, parts.reduce((sum, part) => sum + sizes[part], 0) + largest, budget.js);
    if (cssBundle) check(`the style of ${entryPoint}`, sizes[cssBundle], budget.css);
  }
}

// Relative to the folder of outputs, whatever esbuild made of it.
const short = (path) => basename(path);

async function buildAll(out) {
  const points = [...entries.map((name) => `src/${name}/${name}.tsx`), ...sheets.map((name) => `src/${name}/${name}.css`)];
  const result = await bundle(points);
  const sizes = {};
  const names = {};
  for (const file of result.outputFiles) sizes[short(file.path)] = await emit(out, short(file.path), file.contents);
  const outputs = Object.fromEntries(
    Object.entries(result.metafile.outputs).map(([path, output]) => [
      short(path),
      {
        ...output,
        imports: output.imports.map((one) => ({ ...one, path: short(one.path) })),
        ...(output.cssBundle && { cssBundle: short(output.cssBundle) }),
      },
    ]),
  );
  checkBudgets(outputs, sizes);
  await emitPreloads(out, outputs);
  for (const name of Object.keys(outputs)) {
    const [, entry, kind] = /^(\w+)-\w+\.(js|css)$/.exec(name) ?? [];
    if (entry && entry !== 'chunk') names[`${entry}.${kind}`] = name;
  }
  return names;
}

async function emitShell(out, name, names) {
  const shell = await readFile(join(here, `${name}.html`), 'utf8');
  const html = shell.replace(/\{\{([\w.]+)\}\}/g, (_, key) => {
    if (!names[key]) throw new Error(`${name}.html wants {{${key}}}, which is not built`);
    return names[key];
  });
  await emit(out, `${name}.html`, Buffer.from(html));
}

const out = process.argv[2];
if (!out) {
  console.error('usage: node build.mjs OUT');
  process.exit(2);
}
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
try {
  for (const language of languages)
    await writeFile(join(out, `messages.${language}.json`), await readFile(join(here, 'messages', `${language}.json`)));
  const names = await buildAll(out);
  if (names['status.js']) await emitShell(out, 'status', names);
  check('all that is embedded', packed.compressed, budget.all);
} catch (error) {
  // esbuild has printed its own findings already
  if (!error.errors) console.error(`web: ${error.message}`);
  process.exit(1);
}
