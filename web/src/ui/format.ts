// SPDX-License-Identifier: Apache-2.0
//
// Numbers and times as people read them, in their language and time zone: three significant figures at most,
// the unit chosen by size.

let locale = 'en';
let zone: string | undefined; // undefined: the browser's own
let kept = new Map<string, unknown>();

export function setLocale(language: string, timeZone = ''): void {
  locale = language;
  zone = timeZone || undefined;
  kept = new Map();
}

export const timeZone = (): string => zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;

// A formatter is made once: making one costs a thousand times what its use does.
function keep<T>(name: string, make: () => T): T {
  let found = kept.get(name) as T | undefined;
  if (found === undefined) kept.set(name, (found = make()));
  return found;
}

function numbers(digits: number, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  const all = { minimumFractionDigits: digits, maximumFractionDigits: digits, ...options };
  return keep(`${digits} ${JSON.stringify(options)}`, () => new Intl.NumberFormat(locale, all));
}

const inUnit = (n: number, unit: string, digits = 0): string =>
  numbers(digits, { style: 'unit', unit, unitDisplay: 'short' }).format(n);

export const count = (n: number): string => numbers(0).format(n);

// 950, 1.2K, 34M: for axes and badges.
export const compact = (n: number): string =>
  keep('compact', () => new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 })).format(n);

// 0, 0.25, 4.5, 120, 1,234; never "-0" and never an exponent.
export function rate(n: number): string {
  if (n <= 0) return '0';
  if (n < 0.01) return `<${numbers(2).format(0.01)}`;
  if (n < 1) return numbers(2).format(n);
  if (n < 9.95) return numbers(1).format(n);
  return count(n);
}

export function milliseconds(ms: number): string {
  if (ms <= 0) return '–';
  if (ms < 0.095) return `<${inUnit(0.1, 'millisecond', 1)}`;
  if (ms < 9.95) return inUnit(ms, 'millisecond', 1);
  if (ms < 999.5) return inUnit(ms, 'millisecond');
  return ms < 9995 ? inUnit(ms / 1000, 'second', 2) : inUnit(ms / 1000, 'second', 1);
}

// 0%, <0.1%, 3.2%, 45%
export function share(part: number, whole: number): string {
  const fraction = whole > 0 ? part / whole : 0;
  const percent = (n: number, digits: number) => numbers(digits, { style: 'percent' }).format(n);
  if (fraction <= 0) return percent(0, 0);
  if (fraction < 0.001) return `<${percent(0.001, 1)}`;
  return fraction < 0.0995 ? percent(fraction, 1) : percent(fraction, 0);
}

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = n;
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${numbers(digits, { useGrouping: false }).format(value)} ${units[unit]}`;
}

// The two largest units: 45 sec, 12 min 5 sec, 3 hr 4 min, 9 days 2 hr.
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(s / 86400), 'day'],
    [Math.floor(s / 3600) % 24, 'hour'],
    [Math.floor(s / 60) % 60, 'minute'],
    [s % 60, 'second'],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return inUnit(0, 'second');
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => inUnit(n, unit))
    .join(' ');
}

const steps: [number, Intl.RelativeTimeFormatUnit][] = [
  [60, 'second'],
  [3600, 'minute'],
  [86400, 'hour'],
  [100 * 86400, 'day'], // what lasts 90 days is not said to last two months
  [365 * 86400, 'month'],
  [Infinity, 'year'],
];
const lengths = { second: 1, minute: 60, hour: 3600, day: 86400, month: 30 * 86400, year: 365 * 86400 };

// How far away a moment (RFC 3339) is: "2 hours ago", "in 3 days", "now"; empty where it is none.
export function ago(moment: string, now: number): string {
  const then = Date.parse(moment);
  if (Number.isNaN(then)) return '';
  const format = keep('ago', () => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }));
  const seconds = (then - now) / 1000;
  if (Math.abs(seconds) < 5) return format.format(0, 'second');
  const [, unit] = steps.find(([below]) => Math.abs(seconds) < below) as [number, keyof typeof lengths];
  const whole = unit === 'day' ? Math.round : Math.trunc;
  return format.format(whole(seconds / lengths[unit]), unit);
}

function dates(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  // a time zone that this browser does not know is not worth a broken page
  const all = { hourCycle: 'h23', ...options } as const; // logs and axes are read in 24 hours everywhere
  const make = (timeZone?: string) => new Intl.DateTimeFormat(locale, timeZone ? { ...all, timeZone } : all);
  return keep(name, () => {
    try {
      return make(zone);
    } catch {
      return make();
    }
  });
}

const shown = (moment: string | number, format: Intl.DateTimeFormat): string => {
  const then = typeof moment === 'number' ? moment : Date.parse(moment);
  return Number.isNaN(then) ? '' : format.format(then);
};

// 24 Nov 2026, 14:02
export const dateTime = (moment: string | number): string =>
  shown(moment, dates('dateTime', { dateStyle: 'medium', timeStyle: 'short' }));
// with seconds and the zone's name
export const exact = (moment: string | number): string =>
  shown(moment, dates('exact', { dateStyle: 'full', timeStyle: 'long' }));
export const date = (moment: string | number): string => shown(moment, dates('date', { dateStyle: 'medium' }));
export const dayMonth = (moment: string | number): string =>
  shown(moment, dates('dayMonth', { day: 'numeric', month: 'short' }));
export const clock = (moment: string | number): string =>
  shown(moment, dates('clock', { hour: '2-digit', minute: '2-digit' }));
export const clockSeconds = (moment: string | number): string =>
  shown(moment, dates('clockSeconds', { hour: '2-digit', minute: '2-digit', second: '2-digit' }));
