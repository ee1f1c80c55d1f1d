// SPDX-License-Identifier: Apache-2.0
//
// The checks: each takes the tree and yields its breaches as { file, line, what }. Adding a check is adding an
// entry to the table at the end, and a breach of it to lint.test.mjs.
import { spawnSync } from 'node:child_process';
import { dirname, extname, normalize } from 'node:path';
import { blank, glob, matches, rooms } from './tree.mjs';

const room = (file) => file.split('/')[0];
const lineOf = (text, index) => text.slice(0, index).split('\n').length;

function* found(tree, files, pattern, what, prepare = (text) => text) {
  for (const file of files) {
    const text = prepare(tree.text(file));
    for (const match of text.matchAll(pattern)) {
      yield { file, line: lineOf(text, match.index), what: typeof what === 'function' ? what(match) : what };
    }
  }
}

const shebang = (tree, file) => tree.lines(file)[0].match(/^#!\s*(?:\/usr\/bin\/env\s+)?(\S+)/)?.[1].split('/').at(-1);

function* spdx(tree) {
  const kinds = /\.(c|h|def|S|sql|cmake|mjs|ts|tsx|css|sh|table)$|(^|\/)CMakeLists\.txt$/;
  for (const file of tree.files) {
    if (!kinds.test(file) && !(extname(file) === '' && !tree.isBinary(file) && shebang(tree, file))) continue;
    const [first, second = ''] = tree.lines(file);
    const line = first.startsWith('#!') ? second : first;
    if (!line.includes('SPDX-License-Identifier: Apache-2.0')) {
      yield { file, line: 1, what: 'the first line is not the SPDX line' };
    }
  }
}

function* includes(tree) {
  for (const file of tree.c()) {
    const allowed = tree.table.room.get(room(file)) ?? [];
    const text = blank(tree.text(file));
    for (const match of text.matchAll(/^[ \t]*#[ \t]*include[ \t]+"([^"]+)"/gm)) {
      const target = match[1];
      if (target === 'civetweb.c') continue; // fenced below
      const line = lineOf(text, match.index);
      if (!rooms.includes(room(target)) || !target.includes('/')) {
        yield { file, line, what: `"${target}" is not named from the root, as "room/file.h"` };
      } else if (!matches(target, allowed)) {
        yield { file, line, what: `${room(file)}/ may not include "${target}" (tests/lint/rooms.table)` };
      }
    }
  }
}

function* fences(tree) {
  for (const file of tree.c()) {
    const text = blank(tree.text(file));
    for (const match of text.matchAll(/^[ \t]*#[ \t]*include[ \t]+["<]([^">]+)[">]/gm)) {
      const fence = tree.table.fence.find(({ header }) => glob(header).test(match[1]));
      if (fence && !matches(file, fence.files.map((pattern) => pattern.replace(/\/\*$/, '/**')))) {
        yield { file, line: lineOf(text, match.index), what: `<${match[1]}> is for ${fence.files.join(', ')} only` };
      }
    }
  }
}

function* headers(tree) {
  for (const file of tree.c().filter((name) => name.endsWith('.h'))) {
    const text = tree.text(file);
    const comments = [...text.matchAll(/\/\*[^]*?\*\//g)].map((match) => match[0]);
    const manual = comments.find((comment) => !comment.includes('SPDX-License-Identifier')) ?? '';
    const name = file.split('/').at(-1);
    if (!new RegExp(`^/\\*\\s+\\*\\s+${name.replace('.', '\\.')} -- `).test(manual)) {
      yield { file, line: 2, what: `the first comment does not begin with "${name} -- " and what it is` };
    }
    for (const word of ['Threads:', 'Memory:', 'Errors:']) {
      if (!manual.includes(` ${word}`)) yield { file, line: 2, what: `the first comment has no line "${word}"` };
    }
    if (!/#ifndef (\w+)\s*\n#define \1\s*\n/.test(text)) yield { file, line: 2, what: 'no include guard' };
  }
}

function* defs(tree) {
  for (const file of tree.files.filter((name) => name.endsWith('.def'))) {
    const name = file.split('/').at(-1);
    const manual = tree.text(file).match(/\/\*\s*\n \* [^]*?\*\//)?.[0] ?? '';
    if (!manual.includes(`${name} -- `)) yield { file, line: 2, what: `no comment "${name} -- ..." that says what its rows are` };
    else if (!/\b[A-Z]\w*\(/.test(manual)) yield { file, line: 2, what: 'the comment does not show the columns, as X(name, ...)' };
  }
}

export const size = { warn: 600, fail: 1000 };

function* sizes(tree) {
  for (const file of tree.files.filter((name) => /\.(c|h|S|mjs|ts|tsx|css)$/.test(name))) {
    const lines = tree.lines(file).length - 1;
    if (lines > size.fail) yield { file, line: 1, what: `${lines} lines; no file has more than ${size.fail}` };
    else if (lines > size.warn) yield { file, line: 1, what: `${lines} lines; split it before it has ${size.fail}`, warning: true };
  }
}

const limits = { complexity: 15, lines: 60 };

function* functions(tree) {
  const files = tree.c().filter((name) => name.endsWith('.c'));
  if (files.length === 0) return;
  const run = spawnSync('pmccabe', files, { cwd: tree.root, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (run.error) throw new Error('pmccabe is missing: appliance/packaging/install-packages test');
  for (const row of run.stdout.split('\n')) {
    const match = row.match(/^(\d+)\t\d+\t\d+\t(\d+)\t(\d+)\t(.+?)\((\d+)\): (.+)$/);
    if (!match) continue;
    const [, complexity, first, lines, file, , name] = match;
    const line = Number(first);
    if (complexity > limits.complexity) {
      yield { file, line, what: `${name}() has a complexity of ${complexity}; the limit is ${limits.complexity}` };
    }
    if (lines > limits.lines) yield { file, line, what: `${name}() has ${lines} lines; the limit is ${limits.lines}` };
  }
}

function* format(tree) {
  const files = tree.c(true);
  for (let i = 0; i < files.length; i += 40) {
    const run = spawnSync('clang-format', ['--dry-run', ...files.slice(i, i + 40)], {
      cwd: tree.root,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    if (run.error) throw new Error('clang-format is missing: appliance/packaging/install-packages test');
    const seen = new Set();
    for (const match of run.stderr.matchAll(/^(.+?):(\d+):\d+: warning: code should be clang-formatted/gm)) {
      if (seen.has(match[1])) continue; // the first place of a file is enough: clang-format -i mends it whole
      seen.add(match[1]);
      yield { file: match[1], line: Number(match[2]), what: `not formatted: clang-format -i ${match[1]}` };
    }
  }
}

const sqlStart =
  /"\s*(?:SELECT\s|INSERT\s+(?:INTO|OR)\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b|(?:CREATE|DROP|ALTER)\s+(?:TABLE|VIEW|INDEX|TRIGGER)\b|PRAGMA\s|WITH\s+(?:RECURSIVE\s+)?\w+\s+AS\b|ATTACH\s)/g;

function* sql(tree) {
  const files = tree.c().filter((file) => !matches(file, tree.table.sql));
  yield* found(tree, files, sqlStart, 'SQL belongs into a store_*.c or migrations/', (text) => blank(text));
}

function* rows(tree) {
  for (const { def, folder } of tree.table.rows) {
    if (!tree.exists(def)) continue;
    const text = blank(tree.text(def));
    const named = new Map();
    for (const match of text.matchAll(/^[ \t]*X\(\s*"?(\w+)/gm)) named.set(match[1].toLowerCase(), lineOf(text, match.index));
    const inside = glob(`${folder}/*.c`);
    for (const [name, line] of named) {
      if (!tree.exists(`${folder}/${name}.c`)) yield { file: def, line, what: `the row ${name} has no ${folder}/${name}.c` };
    }
    for (const file of tree.files.filter((candidate) => inside.test(candidate))) {
      const name = file.split('/').at(-1).slice(0, -2);
      // what is too much for one file has further ones that begin with its name
      if (![...named.keys()].some((row) => name === row || name.startsWith(`${row}_`))) yield { file, line: 1, what: `has no row in ${def}` };
    }
  }
}

function* places(tree) {
  const texts = tree.files.filter((file) => !tree.isBinary(file));
  const machine = /(?<![\w.~}*-])\/(?:home|work|root|Users)\/[\w.]/g;
  yield* found(tree, texts, machine, 'a path of one machine');
  const registry = /\b(?:registry\.npmjs|registry\.yarnpkg|deb\.debian|ftp\.debian|security\.debian)\.(?:org|com)\b/g;
  yield* found(tree, texts, registry, 'the address of a registry: take it from the machine');
}

function* scripts(tree) {
  for (const file of tree.files) {
    if (tree.isBinary(file)) continue;
    const shell = shebang(tree, file);
    const [program, ...args] = file.endsWith('.mjs')
      ? ['node', '--check']
      : shell === 'sh' || shell === 'bash'
        ? [shell, '-n']
        : [];
    if (!program) continue;
    const run = spawnSync(program, [...args, file], { cwd: tree.root, encoding: 'utf8' });
    if (run.status === 0) continue;
    const line = Number(run.stderr.match(/(?:line |: ?)(\d+)/)?.[1] ?? 1);
    yield { file, line, what: `${program} cannot read it: ${run.stderr.split('\n').find((l) => /rror/.test(l)) ?? run.stderr.trim()}` };
  }
}

const slug = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

function anchors(text) {
  return new Set([...text.matchAll(/^#+\s+(.+?)\s*$/gm)].map((match) => slug(match[1].replace(/`/g, ''))));
}

function* links(tree) {
  for (const file of tree.files.filter((name) => name.endsWith('.md'))) {
    const text = tree.text(file).replace(/```[^]*?```/g, (block) => block.replace(/[^\n]/g, ' '));
    for (const match of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [path, anchor] = match[1].split('#');
      const line = lineOf(text, match.index);
      if (/^[a-z]+:/.test(match[1])) continue;
      const target = path ? normalize(`${dirname(file)}/${path}`) : file;
      if (!tree.exists(target)) yield { file, line, what: `links to ${match[1]}, which is not there` };
      else if (anchor && target.endsWith('.md') && !anchors(tree.text(target)).has(anchor)) {
        yield { file, line, what: `links to ${match[1]}, but there is no such heading` };
      }
    }
  }
}

function* words(tree) {
  const own = tree.c();
  const code = (text) => blank(text, true);
  yield* found(tree, own, /^[ \t]*typedef\s+(?:struct|union|enum)\b/gm, 'structs, unions and enums have no typedef', code);
  yield* found(tree, own, /\b(?:TODO|FIXME|XXX)\b/g, 'an open end: finish it or file an issue');
  const foreign = /^(?!#)[a-z][\w \t*]*?\b((?:json|jwt|mg|sqlite3|curl|crypto|sodium|MMDB|EVP|SSL)_\w+)\([^;{]*\)\s*(?:\{|;)/gm;
  yield* found(tree, own.filter((file) => file.endsWith('.h')), foreign, (m) => `${m[1]} bears a library's prefix`, code);
  const tests = tree.files.filter((file) => /^tests\/unit\/.*\.c$/.test(file));
  yield* found(tree, tests, /(?<![\w])(?:sleep|usleep|nanosleep)\s*\(/g, 'a sleep: wait for a condition', code);
}

export const checks = { spdx, includes, fences, headers, defs, sizes, functions, format, sql, rows, places, scripts, links, words };
