// SPDX-License-Identifier: Apache-2.0
//
// A sparkline: the shape of the last minutes beside the number that says how much. Drawn to a scale of its
// own, from zero; the newest value is at the right, so a short history grows from there.

export interface Line {
  stroke: string; // path data
  area: string;
}

// Path data for values (oldest first) in a box of width × height, `slots` values wide. Empty for fewer than two.
export function line(values: readonly number[], slots: number, width: number, height: number): Line {
  if (values.length < 2) return { stroke: '', area: '' };
  const pad = 2; // half the stroke, so that it is not cut at the top
  const top = Math.max(...values);
  const step = width / (slots - 1);
  const x = (i: number): number => width - (values.length - 1 - i) * step;
  const y = (v: number): number => height - pad - (top > 0 ? v / top : 0) * (height - 2 * pad);
  const points = values.map((v, i) => `${x(i).toFixed(1)} ${y(v).toFixed(1)}`);
  const stroke = `M${points.join('L')}`;
  return { stroke, area: `${stroke}L${width} ${height}L${x(0).toFixed(1)} ${height}Z` };
}

interface SparkProps {
  values: readonly number[];
  slots: number;
  label: string; // what it shows, as a sentence
}

export function Spark({ values, slots, label }: SparkProps) {
  const { stroke, area } = line(values, slots, 140, 32);
  return (
    <svg class="spark" viewBox="0 0 140 32" preserveAspectRatio="none" role="img" aria-label={label}>
      <path class="spark-ground" d="M0 31.5H140" />
      <path class="spark-area" d={area} />
      <path class="spark-line" d={stroke} />
    </svg>
  );
}
