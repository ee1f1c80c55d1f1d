// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './bundle.mjs';

const format = await load('ui/format.ts');
const { line } = await load('ui/spark.tsx');

const tables = {
  rate: [
    [[0], '0'],
    [[-0], '0'],
    [[0.001], '<0.01'],
    [[0.25], '0.25'],
    [[9.94], '9.9'],
    [[9.96], '10'],
    [[1234.5], '1,235'],
  ],
  milliseconds: [
    [[0], '–'],
    [[0.01], '<0.1 ms'],
    [[1.25], '1.3 ms'],
    [[412.4], '412 ms'],
    [[999.6], '1.00 sec'],
    [[1240], '1.24 sec'],
    [[12345], '12.3 sec'],
  ],
  share: [
    [[0, 0], '0%'],
    [[1, 0], '0%'],
    [[1, 100000], '<0.1%'],
    [[1, 30], '3.3%'],
    [[1, 1], '100%'],
  ],
  bytes: [
    [[0], '0 B'],
    [[1023], '1023 B'],
    [[1024], '1.0 KiB'],
    [[1024 * 1024 - 1], '1.0 MiB'],
    [[822083584], '784 MiB'],
  ],
  duration: [
    [[0], '0 sec'],
    [[-5], '0 sec'],
    [[59.9], '59 sec'],
    [[60], '1 min'],
    [[7384], '2 hr 3 min'],
    [[86400 * 9 + 7200], '9 days 2 hr'],
  ],
};

for (const [name, cases] of Object.entries(tables)) {
  test(`${name} is written as people read it`, () => {
    for (const [args, want] of cases) assert.equal(format[name](...args), want, `${name}(${args})`);
  });
}

test('a moment is told by how long ago it was, and nonsense by nothing', () => {
  const now = Date.parse('2026-11-23T18:00:00Z');
  assert.equal(format.ago('2026-11-23T17:59:58Z', now), 'now');
  assert.equal(format.ago('2026-11-23T18:00:09Z', now), 'in 9 seconds');
  assert.equal(format.ago('2026-11-23T15:58:00Z', now), '2 hours ago');
  assert.equal(format.ago('', now), '');
});

test('a sparkline begins at zero and ends at the right edge', () => {
  assert.deepEqual(line([], 10, 90, 32), { stroke: '', area: '' });
  assert.deepEqual(line([5], 10, 90, 32), { stroke: '', area: '' });
  assert.equal(line([0, 10, 5], 10, 90, 32).stroke, 'M70.0 30.0L80.0 2.0L90.0 16.0');
  assert.equal(line([0, 0], 10, 90, 32).stroke, 'M80.0 30.0L90.0 30.0');
});
