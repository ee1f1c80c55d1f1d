// SPDX-License-Identifier: Apache-2.0
//
// The lint finds what it is there to find: each check gets a small tree that keeps the rules and one breach after
// the other, and must name file and line of it. A check that finds nothing any more fails here.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { checks } from './checks.mjs';
import { lint } from './lint.mjs';
import { glob } from './tree.mjs';

const SPDX = '/* SPDX-License-Identifier: Apache-2.0 */\n';
const table = readFileSync(new URL('rooms.table', import.meta.url), 'utf8');
const style = readFileSync(new URL('../../.clang-format', import.meta.url), 'utf8');

const manual = (name) => `${SPDX}/*
 * ${name} -- a thing.
 *
 * Threads: stateless.
 * Memory:  none.
 * Errors:  none.
 */
#ifndef A_H
#define A_H

`;

const c = (...lines) => SPDX + lines.join('\n') + '\n';
const slash = '/'; // so that this file names no place itself

// What keeps the rules; each case below is put on top of it.
const clean = {
  '.clang-format': style,
  'tests/lint/rooms.table': table,
  'base/a.h': `${manual('a.h')}int a(int x);\n\n#endif\n`,
  'base/a.c': c('#include "base/a.h"', '', 'int a(int x)', '{', '    return x;', '}'),
  'base/db.c': c('#include <sqlite3.h>'),
  'analytics/store_a.c': c('#include <sqlite3.h>', 'static const char q[] = "SELECT 1";'),
  'base/a.def': `${SPDX}/*\n * a.def -- rows. X(name)\n */\nX(one)\n`,
  'gateway/policies.def': `${SPDX}/*\n * policies.def -- rows. X(NAME)\n */\nX(ONE)\n`,
  'gateway/policy/one.c': c('#include "base/a.h"'),
  'gateway/policy/one_part.c': SPDX,
  'docs/a.md': '# A heading, really\n\n[b](b.md#two-words) [out](https://example.com) [here](#a-heading-really)\n',
  'docs/b.md': '# Two words\n',
  'run': '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\ntrue\n',
};

// [check, what, file, its content, line of the breach]
const breaches = [
  ['spdx', 'a C file without the line', 'base/b.c', 'int b;\n', 1],
  ['spdx', 'a script without it', 'run', '#!/bin/sh\ntrue\n', 1],
  ['includes', 'an upward include', 'base/b.c', c('#include "gateway/req.h"'), 2],
  ['includes', 'analytics beyond the record API', 'gateway/b.c', c('', '#include "analytics/query.h"'), 3],
  ['includes', 'an include beside the root', 'base/b.c', c('#include "a.h"'), 2],
  ['fences', 'sqlite3.h outside a store', 'analytics/b.c', c('#include <sqlite3.h>'), 2],
  ['fences', 'CivetWeb in the gateway', 'gateway/b.c', c('#include "civetweb.h"'), 2],
  ['fences', 'libcurl in the portal', 'portal/b.c', c('#include <curl/curl.h>'), 2],
  ['headers', 'no manual', 'base/b.h', `${SPDX}#ifndef B\n#define B\n#endif\n`, 2],
  ['headers', 'a manual of another file', 'base/b.h', `${manual('a.h')}#endif\n`, 2],
  ['headers', 'nothing about errors', 'base/a.h', `${manual('a.h').replace(' Errors:', ' Else:')}#endif\n`, 2],
  ['headers', 'no guard', 'base/a.h', `${manual('a.h').replace('#define', '#undef')}#endif\n`, 2],
  ['defs', 'rows without a word', 'base/a.def', `${SPDX}X(one)\n`, 2],
  ['defs', 'columns not shown', 'base/a.def', `${SPDX}/*\n * a.def -- rows.\n */\nX(one)\n`, 2],
  ['sizes', 'a file too long', 'base/b.c', SPDX + '\n'.repeat(1001), 1],
  ['functions', 'a function too long', 'base/b.c', c('', 'int b(int x)', '{', ...Array(60).fill('    x++;'), '    return x;', '}'), 3],
  ['functions', 'a function too complex', 'base/b.c',
    c('int b(int x)', '{', ...Array(15).fill('    if (x == 1) x = 2;'), '    return x;', '}'), 2],
  ['format', 'tabs', 'base/b.c', c('int b(void)', '{', '\treturn 1;', '}'), 3],
  ['sql', 'a query in the gateway', 'gateway/b.c', c('const char *q =', '    "SELECT a FROM b";'), 3],
  ['sql', 'a table made in passing', 'portal/b.c', c('const char *q = "CREATE TABLE x (y)";'), 2],
  ['rows', 'a row without its file', 'gateway/policies.def', `${SPDX}/*\n * policies.def -- X(NAME)\n */\nX(ONE)\nX(TWO)\n`, 6],
  ['rows', 'a file without its row', 'gateway/policy/two.c', SPDX, 1],
  ['places', 'a path of one machine', 'docs/c.md', `# C\n\nsee ${slash}home/me/x\n`, 3],
  ['places', 'an address of a registry', 'docs/c.md', `# C\nregistry${'.'}npmjs.org\n`, 2],
  ['scripts', 'a shell script that does not parse', 'run', '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\nif true\n', 4],
  ['scripts', 'a module that does not parse', 'a.mjs', '// SPDX-License-Identifier: Apache-2.0\nconst = 1;\n', 2],
  ['links', 'a link to nowhere', 'docs/c.md', '# C\n\n[x](gone.md)\n', 3],
  ['links', 'a link to no heading', 'docs/c.md', '# C\n[x](b.md#gone)\n', 2],
  ['words', 'a typedef of a struct', 'base/b.h', `${manual('b.h')}typedef struct b b;\n#endif\n`, 12],
  ['words', 'an open end', 'base/b.c', c(`/* TO${'DO'} later */`), 2],
  ['words', "a library's prefix", 'base/b.h', `${manual('b.h')}int json_b(int x);\n#endif\n`, 12],
  ['words', 'a sleep in a unit test', 'tests/unit/base/b_test.c', c('int main(void)', '{', '    sleep(1);', '}'), 4],
];

function inTree(files, use) {
  const root = mkdtempSync(join(tmpdir(), 'lint-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    return use(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const told = (result) => [...new Set(result.breaches.map(({ file, line }) => `${file}:${line}`))];

test('a tree that keeps the rules is let through', () => {
  for (const result of inTree(clean, (root) => lint(root))) assert.deepEqual(result.breaches, [], result.name);
});

for (const [check, what, file, content, line] of breaches) {
  test(`${check} finds ${what}`, () => {
    const [result] = inTree({ ...clean, [file]: content }, (root) => lint(root, [check]));
    assert.deepEqual(told(result), [`${file}:${line}`]);
  });
}

test('every check has a breach here', () => {
  const tried = new Set(breaches.map(([check]) => check));
  assert.deepEqual(Object.keys(checks).filter((name) => !tried.has(name)), []);
});

test('a comment that says why lets a breach through, one that only says so does not', () => {
  const meant = (comment) => ({ ...clean, 'analytics/b.c': c(comment, '#include <sqlite3.h>') });
  const [good] = inTree(meant('/* lint-ok fences: the fault VFS is SQLite itself */'), (root) => lint(root, ['fences']));
  assert.deepEqual(good.breaches, []);
  for (const comment of ['/* lint-ok fences */', '/* lint-ok fences: ok */', '/* lint-ok sql: another check entirely */']) {
    const [bad] = inTree(meant(comment), (root) => lint(root, ['fences']));
    assert.equal(bad.breaches.length, 1, comment);
  }
});

test('words in comments and strings are not taken for code', () => {
  const [sql, words] = inTree(
    { ...clean, 'gateway/b.c': c('/* "SELECT a FROM b" */', 'const char *s = "typedef struct x";') },
    (root) => lint(root, ['sql', 'words']),
  );
  assert.deepEqual([...told(sql), ...told(words)], []);
});

test('a glob keeps to one folder unless it says **', () => {
  assert.ok(glob('base/*').test('base/a.c'));
  assert.ok(!glob('base/*').test('base/fiber/a.c'));
  assert.ok(glob('base/**').test('base/fiber/a.c'));
  assert.ok(glob('**/store_*.c').test('analytics/store_a.c'));
  assert.ok(!glob('base/db*.c').test('base/dbxc'));
});
