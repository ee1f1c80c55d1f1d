// SPDX-License-Identifier: Apache-2.0
//
// lint.mjs [ROOT] [CHECK...] -- holds the tree to the rules that no compiler knows: rooms and fences
// (rooms.table), headers that are manuals, sizes, formats, SQL in its place.
//
// Each breach is one line `file:line: what [check]` on stderr; then one line a check, `ok NAME` or `not ok NAME`,
// on stdout. A breach that is meant stands under a comment, at most three lines above it (for a whole file: in its
// first thirty lines), that says why: `lint-ok CHECK: reason`. Exit 1 where a breach is left.
import { checks } from './checks.mjs';
import { readTree } from './tree.mjs';
import { fileURLToPath } from 'node:url';

function excused(tree, check, { file, line }) {
  if (!tree.exists(file) || tree.isBinary(file)) return false;
  const lines = tree.lines(file);
  const near = line <= 2 ? lines.slice(0, 30) : lines.slice(Math.max(0, line - 4), line);
  return near.some((text) => new RegExp(`lint-ok ${check}: \\S.{9,}`).test(text));
}

export function lint(root, names = Object.keys(checks)) {
  const tree = readTree(root);
  return names.map((name) => {
    const breaches = [...checks[name](tree)].filter((breach) => !excused(tree, name, breach));
    return { name, breaches };
  });
}

function main([root = fileURLToPath(new URL('../..', import.meta.url)), ...names]) {
  const unknown = names.find((name) => !checks[name]);
  if (unknown) {
    console.error(`lint: no check "${unknown}"; there are: ${Object.keys(checks).join(' ')}`);
    return 2;
  }
  let failed = false;
  for (const { name, breaches } of lint(root, names.length > 0 ? names : undefined)) {
    for (const { file, line, what, warning } of breaches) {
      console.error(`${file}:${line}: ${warning ? 'warning: ' : ''}${what} [${name}]`);
    }
    const errors = breaches.filter((breach) => !breach.warning).length;
    failed ||= errors > 0;
    console.log(errors === 0 ? `ok ${name}` : `not ok ${name} (${errors})`);
  }
  return failed ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2));
