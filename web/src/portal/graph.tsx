// SPDX-License-Identifier: Apache-2.0
//
// A graph over time, drawn by uPlot, with the same in one sentence and as a table.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { clock, compact, count, dateTime, dayMonth, milliseconds } from '../ui/format.ts';
import { t } from '../ui/i18n.ts';
import type { Point, UsageData } from './usage.tsx';

const STEP_S = { minute: 60, hour: 3600, day: 86400 };
const HEIGHT = 260;
const TICKS_S = [60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

interface Line {
  label: string;
  color: string; // a token
  of: (point: Point) => number;
}

const kinds = {
  counts: (): Line[] => [
    { label: t('portal.usage.passed'), color: '--series-1', of: (p) => p.requests - p.refused - p.errors },
    { label: t('portal.usage.refused'), color: '--series-2', of: (p) => p.refused },
    { label: t('portal.usage.errors'), color: '--series-3', of: (p) => p.errors },
  ],
  latency: (): Line[] => [
    { label: 'p50', color: '--series-1', of: (p) => p.p50_ms },
    { label: 'p95', color: '--series-4', of: (p) => p.p95_ms },
    { label: 'p99', color: '--series-3', of: (p) => p.p99_ms },
  ],
};

type Kind = keyof typeof kinds;

// Fewer units than these are a line without a shape: room is left before what there is, and its points are seen.
const UNITS_LEAST = 15;
const POINTS_SEEN = 4;

// Units in which nothing was called are not sent: counts are zero there, and of times there are none.
function columns(data: UsageData, lines: Line[], kind: Kind): uPlot.AlignedData {
  const step = STEP_S[data.unit];
  const known = new Map(data.points.map((point) => [Math.floor(Date.parse(point.t) / 1000 / step), point]));
  const first = Math.floor(Date.parse(data.since) / 1000 / step);
  const last = Math.max(first, Math.floor(Date.parse(data.until) / 1000 / step));
  const begin = Math.min(first, last - UNITS_LEAST + 1);
  const times = Array.from({ length: last - begin + 1 }, (_, i) => (begin + i) * step);
  const values = lines.map((line) =>
    times.map((at) => {
      const point = known.get(at / step);
      return point ? line.of(point) : kind === 'counts' && at >= first * step ? 0 : null;
    }),
  );
  return [times, ...values];
}

const tokenOf = (element: Element, name: string): string => getComputedStyle(element).getPropertyValue(name).trim();

// light-dark() is a color of the page, not of a canvas: a probe tells which of the two it is.
function colorOf(element: HTMLElement, token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${token})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color || tokenOf(element, token);
}

const DAY_S = 86400;

// Moments as the person's language and time zone have them: the hour where all is of a day, else the day.
function writeTimes(_: uPlot, ticks: number[], __: number, ___: number, step: number): string[] {
  return ticks.map((at) => (step < DAY_S ? clock(at * 1000) : dayMonth(at * 1000)));
}

function options(box: HTMLElement, lines: Line[], kind: Kind, few: boolean): uPlot.Options {
  const soft = colorOf(box, '--text-soft');
  const grid = { stroke: colorOf(box, '--line'), width: 1 };
  const font = '12px system-ui, sans-serif';
  const write = kind === 'counts' ? compact : milliseconds;
  const axis = { stroke: soft, grid, ticks: { show: false }, font };
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { points: { size: 7 } },
    scales: { y: { range: (_, __, most) => [0, Math.max(most ?? 0, 1) * 1.08] } },
    axes: [
      { ...axis, space: 64, incrs: TICKS_S, values: writeTimes },
      { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => (tick === 0 ? '0' : write(tick))) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: colorOf(box, line.color),
        width: 2,
        points: { show: few, size: 7, fill: colorOf(box, line.color) },
      })),
    ],
  };
}

// What stands at a moment, beside the line that follows the pointer.
function showTip(tip: HTMLElement, plot: uPlot, lines: Line[], kind: Kind): void {
  const { idx, left } = plot.cursor;
  const at = idx === null || idx === undefined ? undefined : plot.data[0][idx];
  tip.hidden = at === undefined || (left ?? -1) < 0;
  if (tip.hidden || at === undefined) return;
  const row = (name: string, value: string): HTMLElement => {
    const line = document.createElement('div');
    const [a, b] = [document.createElement('span'), document.createElement('b')];
    a.textContent = name;
    b.textContent = value;
    line.append(a, b);
    return line;
  };
  const write = kind === 'counts' ? count : milliseconds;
  const values = lines.map((line, i) => {
    const value = plot.data[i + 1]?.[idx as number];
    return row(line.label, typeof value === 'number' ? write(value) : '–');
  });
  tip.replaceChildren(row(dateTime(new Date(at * 1000).toISOString()), ''), ...values);
  const room = plot.over.clientWidth;
  const x = plot.over.offsetLeft + (left ?? 0);
  tip.style.left = `${(left ?? 0) > room / 2 ? Math.max(0, x - tip.offsetWidth - 12) : x + 12}px`;
}

function Canvas({ data, kind }: { data: UsageData; kind: Kind }) {
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = box.current;
    if (!place) return undefined;
    const lines = kinds[kind]();
    const shown = columns(data, lines, kind);
    const few = data.points.length < POINTS_SEEN;
    const draw = (): uPlot =>
      new uPlot(
        {
          ...options(place, lines, kind, few),
          hooks: { setCursor: [(plot) => tip.current && showTip(tip.current, plot, lines, kind)] },
        },
        shown,
        place,
      );
    let plot = draw();
    const fit = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
    fit.observe(place);
    // its colors are those of the moment it was made
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const again = (): void => {
      plot.destroy();
      plot = draw();
    };
    dark.addEventListener('change', again);
    return () => {
      dark.removeEventListener('change', again);
      fit.disconnect();
      plot.destroy();
    };
  }, [data, kind]);
  return (
    <div class="graph-canvas" ref={box} aria-hidden="true">
      <div class="graph-tip" ref={tip} hidden />
    </div>
  );
}

function Summary({ data, kind }: { data: UsageData; kind: Kind }) {
  const { requests, refused, errors, p50_ms, p99_ms } = data.totals;
  return (
    <p class="note">
      {kind === 'counts'
        ? t('portal.usage.summary', { requests, refused, errors })
        : t('portal.usage.summary.latency', { p50: milliseconds(p50_ms), p99: milliseconds(p99_ms) })}
    </p>
  );
}

export function Graph({ data, of: kind }: { data: UsageData; of: Kind }) {
  const lines = kinds[kind]();
  const write = kind === 'counts' ? count : milliseconds;
  return (
    <div class="graph">
      <div class="graph-top">
        <span class="legend">
          {lines.map((line) => (
            <span key={line.label}>
              <span class={`swatch ${line.color.slice(2)}`} />
              {line.label}
            </span>
          ))}
        </span>
      </div>
      <Canvas data={data} kind={kind} />
      <Summary data={data} kind={kind} />
      <details>
        <summary>{t('portal.usage.table')}</summary>
        <div class="graph-table" tabIndex={0} role="group" aria-label={t('portal.usage.table')}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('portal.call.time')}</th>
                {lines.map((line) => (
                  <th key={line.label} scope="col">
                    {line.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.points.map((point) => (
                <tr key={point.t}>
                  <th scope="row">{dateTime(point.t)}</th>
                  {lines.map((line) => (
                    <td key={line.label}>{write(line.of(point))}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  );
}
