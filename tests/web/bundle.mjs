// SPDX-License-Identifier: Apache-2.0
//
// load(FILE): a module of web/src as a test can import it, without a browser: TypeScript compiled by the
// esbuild that also builds the pages.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const web = new URL('../../web/', import.meta.url);
const { build } = createRequire(new URL('package.json', web))('esbuild');

export async function load(file) {
  const result = await build({
    absWorkingDir: fileURLToPath(web),
    entryPoints: [`src/${file}`],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  const source = Buffer.from(result.outputFiles[0].contents).toString('base64');
  return import(`data:text/javascript;base64,${source}`);
}
