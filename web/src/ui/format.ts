// SPDX-License-Identifier: Apache-2.0
//
// Numbers as people read them: three significant figures at most, the unit chosen by size.

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export const count = (n: number): string => grouped.format(n);

// 0, 0.25, 4.5, 120, 1,234; never "-0" and never an exponent.
export function rate(n: number): string {
  if (n <= 0) return '0';
  if (n < 0.01) return '<0.01';
  if (n < 1) return n.toFixed(2);
  if (n < 9.95) return n.toFixed(1);
  return grouped.format(n);
}

export function milliseconds(ms: number): string {
  if (ms <= 0) return '–';
  if (ms < 0.095) return '<0.1 ms';
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  return ms < 9995 ? `${(ms / 1000).toFixed(2)} s` : `${(ms / 1000).toFixed(1)} s`;
}

// 0 %, <0.1 %, 3.2 %, 45 %
export function share(part: number, whole: number): string {
  const percent = whole > 0 ? (100 * part) / whole : 0;
  if (percent <= 0) return '0 %';
  if (percent < 0.1) return '<0.1 %';
  return percent < 9.95 ? `${percent.toFixed(1)} %` : `${percent.toFixed(0)} %`;
}

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = n;
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${units[unit]}`;
}

// The two largest units: 45 s, 12 min 5 s, 3 h 4 min, 9 d 2 h.
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(s / 86400), 'd'],
    [Math.floor(s / 3600) % 24, 'h'],
    [Math.floor(s / 60) % 60, 'min'],
    [s % 60, 's'],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ');
}

// How long ago a moment (RFC 3339) was; empty where it is none.
export function ago(moment: string, now: number): string {
  const then = Date.parse(moment);
  if (Number.isNaN(then)) return '';
  const seconds = (now - then) / 1000;
  return seconds < 5 ? 'just now' : `${duration(seconds)} ago`;
}
