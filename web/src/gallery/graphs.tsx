// SPDX-License-Identifier: Apache-2.0
//
// Graphs of invented numbers: a stack by the hour, lines with a gap, ten thousand points, and the first minutes.
import { useMemo } from 'preact/hooks';
import { milliseconds } from '../ui/format.ts';
import { Graph, type Series } from '../ui/graph.tsx';
import { t } from '../ui/i18n.ts';
import { Card } from '../ui/show.tsx';

// The same at every look, so that pictures can be compared.
const noise = (i: number, seed: number): number => {
  const x = Math.sin(i * 12.9898 + seed * 78.233) * 43758.5453;
  return x - Math.floor(x);
};

const NOW_S = 1_795_000_000;

function useTimes(points: number, step: number): number[] {
  return useMemo(() => {
    const last = Math.floor(NOW_S / step) * step;
    return Array.from({ length: points }, (_, i) => last - (points - 1 - i) * step);
  }, [points, step]);
}

const wave = (i: number, n: number, high: number, seed: number): number =>
  Math.round(high * (0.55 + 0.4 * Math.sin((i / n) * 9) + 0.25 * noise(i, seed)));

const counts = (n: number, high: number): Series[] => [
  { label: t('portal.usage.passed'), color: '--series-1', values: Array.from({ length: n }, (_, i) => wave(i, n, high, 1)) },
  { label: t('portal.usage.refused'), color: '--series-2', values: Array.from({ length: n }, (_, i) => wave(i, n, high / 9, 2)) },
  { label: t('portal.usage.errors'), color: '--series-3', values: Array.from({ length: n }, (_, i) => (i % 11 > 8 ? wave(i, n, high / 14, 3) : 0)) },
];

function latencies(n: number): Series[] {
  const line = (ms: number, seed: number) =>
    Array.from({ length: n }, (_, i) => (i > 20 && i < 25 ? null : ms * (1 + 0.4 * noise(i, seed))));
  return [
    { label: 'p50', color: '--series-1', values: line(8, 4) },
    { label: 'p95', color: '--series-4', values: line(30, 5) },
    { label: 'p99', color: '--series-3', values: line(62, 6) },
  ];
}

export function Graphs() {
  const day = useTimes(24, 3600);
  const hours = useTimes(60, 60);
  const many = useTimes(10_000, 60);
  const first = useTimes(3, 60);
  const summary = t('portal.usage.summary', { requests: 12_402, refused: 1204, errors: 17 });
  return (
    <div class="stack">
      <Card title={t('portal.usage.requests')} class="inset">
        <Graph times={day} step={3600} series={counts(24, 900)} stacked summary={summary} />
      </Card>
      <Card title={t('portal.usage.latency')} class="inset">
        <Graph
          times={hours}
          step={60}
          series={latencies(60)}
          stacked={false}
          write={milliseconds}
          tell={milliseconds}
          summary={t('portal.usage.summary.latency', { p50: milliseconds(9.4), p99: milliseconds(71) })}
        />
      </Card>
      <Card title={t('gallery.graph.many')} class="inset">
        <Graph times={many} step={60} series={counts(10_000, 400)} stacked summary={summary} />
      </Card>
      <Card title={t('gallery.graph.first')} class="inset">
        <Graph times={first} step={60} series={counts(3, 20)} stacked summary={summary} />
      </Card>
    </div>
  );
}
