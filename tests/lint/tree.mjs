// SPDX-License-Identifier: Apache-2.0
//
// The tree as the checks see it: its files, their lines, C without comments and strings, and rooms.table.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const rooms = ['base', 'analytics', 'gateway', 'portal', 'appliance'];

// "base/*.c" as an expression: * within a folder, ** across folders.
export function glob(pattern) {
  const parts = pattern.split(/(\*\*\/|\*\*|\*)/).map((part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part.replace(/[.+^${}()|[\]\\?]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}

export const matches = (file, patterns) => patterns.some((pattern) => glob(pattern).test(file));

function walk(root, folder = '') {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    return entry.isDirectory() ? walk(root, path) : [path];
  });
}

// Same length and lines; comments, and with `strings` the contents of literals, become blanks.
export function blank(source, strings) {
  const token = /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'/g;
  return source.replace(token, (found) => {
    if (found[0] === '/') return found.replace(/[^\n]/g, ' ');
    return strings ? found[0] + found.slice(1, -1).replace(/[^\n]/g, ' ') + found[0] : found;
  });
}

function readTable(root) {
  const path = join(root, 'tests/lint/rooms.table');
  const table = { room: new Map(), fence: [], sql: [], rows: [] };
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [kind, ...words] = line.trim().split(/\s+/);
    if (kind === '' || kind.startsWith('#')) continue;
    if (kind === 'room') table.room.set(words[0], words.slice(1));
    else if (kind === 'fence') table.fence.push({ header: words[0], files: words.slice(1) });
    else if (kind === 'sql') table.sql.push(words[0]);
    else if (kind === 'rows') table.rows.push({ def: words[0], folder: words[1] });
    else throw new Error(`rooms.table: unknown row "${kind}"`);
  }
  return table;
}

export function readTree(root) {
  // What git tracks or would track; a tree without git (the lint's own test) is taken whole.
  const listed = existsSync(join(root, '.git'))
    ? execFileSync('git', ['-C', root, 'ls-files', '-co', '--exclude-standard'], { encoding: 'utf8', maxBuffer: 1 << 26 })
        .split('\n')
        .filter(Boolean)
    : walk(root);
  const files = [...new Set(listed)].sort().filter((file) => existsSync(join(root, file)) && statSync(join(root, file)).isFile());
  const cache = new Map();
  const text = (file) => {
    if (!cache.has(file)) cache.set(file, readFileSync(join(root, file), 'utf8'));
    return cache.get(file);
  };
  const isBinary = (file) => text(file).includes('\0');
  return {
    root,
    files,
    text,
    isBinary,
    lines: (file) => text(file).split('\n'),
    exists: (file) => existsSync(join(root, file)),
    // C files of the rooms; with `tests` those of the tests too
    c: (tests = false) =>
      files.filter((file) => /\.[ch]$/.test(file) && [...rooms, ...(tests ? ['tests'] : [])].includes(file.split('/')[0])),
    table: readTable(root),
  };
}
