// SPDX-License-Identifier: Apache-2.0
//
// What draws graphs: uPlot, with our colors, our time zone and our way to write numbers. Loaded when the first
// graph is shown (graph.tsx). It makes its elements one by one and sets no markup, so that it works where the
// page's policy asks for trusted types.
import uPlot from 'uplot';
import { clock, clockSeconds, compact, dayMonth, timeZone } from './format.ts';

export interface PlotSeries {
  label: string;
  color: string; // a token: --series-1
  values: readonly (number | null)[]; // null where there is nothing to tell
}

export interface PlotSpec {
  times: readonly number[]; // seconds since 1970, each the beginning of a step
  step: number; // seconds
  series: readonly PlotSeries[]; // of a stack the lowest first
  stacked: boolean;
  write?: ((value: number) => string) | undefined; // the numbers of the axis
}

export interface Plot {
  resize: () => void;
  reset: () => void; // back from a part to the whole
  destroy: () => void;
}

interface Events {
  cursor: (index: number | null, x: number, width: number) => void;
  zoomed: (part: boolean) => void;
}

const FONT = '12px system-ui, sans-serif';
const DAY_S = 86400;
const BARS_MOST = 200; // more of them are drawn as a stepped outline
const STEPS_LEAST = 15; // fewer are no picture: room is left before them

// What the labels of the time axis may be apart, in seconds.
const APART = [1, 5, 15, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];

// light-dark() is a color of the page, not of a canvas: a probe tells which of the two it is now.
function colorOf(place: HTMLElement, token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${token})`;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

// A stack is drawn from the back: the sum of all, then of all but the highest, ..., so that each covers the last.
function columns({ times, series, stacked }: PlotSpec): uPlot.AlignedData {
  if (!stacked) return [times as number[], ...series.map((one) => one.values as (number | null)[])];
  let below: number[] = times.map(() => 0);
  const sums = series.map(({ values }) => (below = below.map((sum, i) => sum + (values[i] ?? 0))));
  return [times as number[], ...sums.reverse()];
}

// Where a line would have no length: a value whose neighbors are missing.
function alone(plot: uPlot, at: number): number[] {
  const values = plot.data[at] ?? [];
  const lone = (i: number): boolean => values[i] != null && values[i - 1] == null && values[i + 1] == null;
  return Array.from(values.keys()).filter(lone);
}

function seriesOf(place: HTMLElement, { series, stacked, times }: PlotSpec): uPlot.Series[] {
  const order = stacked ? [...series].reverse() : series;
  const bars = times.length <= BARS_MOST;
  const shape = bars ? uPlot.paths.bars?.({ size: [0.78, 64], align: 1, radius: 0.08 }) : uPlot.paths.stepped?.({ align: 1 });
  return order.map(({ label, color }): uPlot.Series => {
    const stroke = colorOf(place, color);
    return stacked
      ? { label, stroke, fill: stroke, width: 0, points: { show: false }, ...(shape && { paths: shape }) }
      : { label, stroke, width: 1.75, points: { show: true, size: 5, fill: stroke, filter: alone } };
  });
}

// 14:00, and the day where one begins.
function timeLabels(splits: number[], step: number): string[] {
  return splits.map((at, i) => {
    const day = dayMonth(at * 1000);
    const before = splits[i - 1];
    if (step >= DAY_S || (before !== undefined && dayMonth(before * 1000) !== day)) return day;
    return step < 60 ? clockSeconds(at * 1000) : clock(at * 1000);
  });
}

function axes(place: HTMLElement, spec: PlotSpec): uPlot.Axis[] {
  const write = spec.write ?? compact;
  const common = {
    stroke: colorOf(place, '--text-soft'),
    font: FONT,
    ticks: { show: false },
  };
  const grid = { stroke: colorOf(place, '--line'), width: 1 };
  return [
    {
      ...common,
      grid: { show: false },
      size: 30,
      gap: 8,
      space: 64,
      incrs: APART.filter((seconds) => seconds >= Math.min(spec.step, DAY_S)),
      values: (_, splits, __, ___, step) => timeLabels(splits, step),
    },
    { ...common, grid, size: 60, gap: 8, space: 44, values: (_, splits) => splits.map((value) => (value === 0 ? '0' : write(value))) },
  ];
}

export function draw(place: HTMLElement, spec: PlotSpec, events: Events): Plot {
  const { times, step } = spec;
  const first = times[0] ?? 0;
  const end = (times.at(-1) ?? first) + step;
  const whole: [number, number] = [Math.min(first, end - STEPS_LEAST * step), end];
  const size = () => ({ width: place.clientWidth, height: place.clientHeight });
  const isPart = (plot: uPlot): boolean => {
    const { min, max } = plot.scales['x'] ?? {};
    return min !== undefined && max !== undefined && (min > whole[0] || max < whole[1]);
  };
  const make = (): uPlot =>
    new uPlot(
      {
        ...size(),
        legend: { show: false },
        padding: [8, 20, 0, 0],
        tzDate: (at) => uPlot.tzDate(new Date(at * 1000), timeZone()),
        cursor: { y: false, points: { show: !spec.stacked, size: 7 }, drag: { x: true, y: false, dist: 8 } },
        scales: {
          // of a single step uPlot makes a day
          x: { range: (_, min, max) => (times.length < 2 || (min === first && max === times.at(-1)) ? whole : [min, max]) },
          y: { range: (_, __, most) => [0, Math.max(most ?? 0, 1) * 1.05] },
        },
        axes: axes(place, spec),
        series: [{}, ...seriesOf(place, spec)],
        hooks: {
          setCursor: [
            (plot) => {
              const { idx, left = -1 } = plot.cursor;
              const inside = idx !== null && idx !== undefined && left >= 0;
              // a bar stands from the beginning of its step on: the step that is pointed at, not the nearest beginning
              const late = inside && spec.stacked && (times[idx] ?? 0) > plot.posToVal(left, 'x') && idx > 0;
              events.cursor(inside ? (late ? idx - 1 : idx) : null, plot.over.offsetLeft + left, place.clientWidth);
            },
          ],
          setScale: [(plot, name) => name === 'x' && events.zoomed(isPart(plot))],
        },
      },
      columns(spec),
      place,
    );
  let plot = make();
  // its colors are those of the moment it was made
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const again = (): void => {
    plot.destroy();
    plot = make();
  };
  dark.addEventListener('change', again);
  return {
    resize: () => plot.setSize(size()),
    reset: () => plot.setScale('x', { min: whole[0], max: whole[1] }),
    destroy: () => {
      dark.removeEventListener('change', again);
      plot.destroy();
    },
  };
}
