// SPDX-License-Identifier: Apache-2.0
//
// Medians, ratios of the same round, and their tables in Markdown.

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const FIGURES = ['rps', 'cpu_us', 'p50_us', 'p99_us'];

// For each cell and figure the median of the rounds, and the median and range of its ratios to nginx, round by round.
export function summarize(rounds) {
  const cells = {};
  for (const [key, first] of Object.entries(rounds[0])) {
    cells[key] = {};
    for (const name of Object.keys(first)) {
      const cell = cells[key][name] = {};
      for (const figure of FIGURES) {
        if (first[name][figure] === undefined) continue;
        const values = rounds.map((round) => round[key][name][figure]);
        cell[figure] = { median: median(values) };
        if (first.nginx?.[figure] === undefined) continue;
        const ratios = rounds.map((round) => round[key][name][figure] / round[key].nginx[figure]);
        Object.assign(cell[figure], { ratio: median(ratios), from: Math.min(...ratios), to: Math.max(...ratios) });
      }
    }
  }
  return cells;
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

const round = (value, digits = 0) => value.toFixed(digits);
const ratio = (figure) => (figure?.ratio === undefined ? '' : ` (${round(figure.ratio, 2)})`);

function cellsTable(cells) {
  return table(['connections', 'system', 'requests/s', 'CPU µs/request', 'p50 µs', 'p99 µs'],
    Object.entries(cells).flatMap(([key, systems]) => Object.entries(systems).map(([name, c]) => [
      key, name,
      round(c.rps.median) + ratio(c.rps),
      c.cpu_us ? round(c.cpu_us.median, 1) + ratio(c.cpu_us) : '–',
      round(c.p50_us.median) + ratio(c.p50_us),
      round(c.p99_us.median) + ratio(c.p99_us),
    ])));
}

function spreadTable(cells) {
  return table(['connections', "Weir's CPU a request to nginx's", 'lowest', 'highest'],
    Object.entries(cells).map(([key, { weir: { cpu_us: c } }]) =>
      [key, round(c.ratio, 2), round(c.from, 2), round(c.to, 2)]));
}

function threadsTable(rounds) {
  const names = [...new Set(rounds.flatMap((r) => Object.values(r).flatMap((c) => Object.keys(c.weir.threads))))];
  return table(['connections', ...names], Object.keys(rounds[0]).map((key) =>
    [key, ...names.map((name) => round(median(rounds.map((r) => r[key].weir.threads[name] ?? 0)), 1))]));
}

const mib = (kib) => round(kib / 1024, 1);

function memoryTable(memory) {
  return table(['MiB resident', 'system', 'all', 'its own', 'of files'],
    memory.map(({ when, name, rss, anonymous, file }) => [when, name, mib(rss), mib(anonymous), mib(file)]));
}

// What had to be measured again, and what stayed bad.
function repeats(rounds) {
  return rounds.flatMap((cells, i) => Object.entries(cells).flatMap(([key, systems]) => Object.entries(systems)
    .filter(([, figures]) => figures.attempts > 1)
    .map(([name, { attempts, bad }]) => `\n${name}, ${key} connections, round ${i + 1}: measured ${attempts} times` +
      `${bad > 0 ? `, the last time with ${bad} requests that were not answered with 200` : ''}.\n`))).join('');
}

export function markdown({ machine, load, options, rounds, cells, memory }) {
  return `${machine.join('\n')}
- rounds: ${options.rounds}, of ${options.seconds} s a measurement; load average ${load.map((l) => l.toFixed(1)).join(' before, ')} after

Medians of the rounds; in brackets the median of the ratios to nginx within the same round.

${cellsTable(cells)}

${spreadTable(cells)}

CPU µs a request by Weir's threads:

${threadsTable(rounds)}

${memoryTable(memory)}
${repeats(rounds)}`;
}
