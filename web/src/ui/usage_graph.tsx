// SPDX-License-Identifier: Apache-2.0
//
// What calls came to over time, and how long they took: of one app, or of all.
import { useMemo } from 'preact/hooks';
import { milliseconds } from './format.ts';
import { fillSteps, Graph as Drawn, type Series } from './graph.tsx';
import { t } from './i18n.ts';
import type { Point, UsageData } from './types.ts';

const STEP_S = { minute: 60, hour: 3600, day: 86400 };

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

// Units in which nothing was called are not sent: counts are zero there, and of times there are none.
function lines(data: UsageData, kind: Kind): { times: number[]; series: Series[] } {
  const { times, rows } = fillSteps(data.points, (point) => point.t, data.since, data.until, STEP_S[data.unit]);
  const none = kind === 'counts' ? 0 : null;
  const series = kinds[kind]().map(({ label, color, of }) => ({ label, color, values: rows.map((point) => (point ? of(point) : none)) }));
  return { times, series };
}

export function Graph({ data, of: kind }: { data: UsageData; of: Kind }) {
  const { times, series } = useMemo(() => lines(data, kind), [data, kind]);
  const { requests, refused, errors, p50_ms, p99_ms } = data.totals;
  const shared = { times, series, step: STEP_S[data.unit] };
  return kind === 'counts' ? (
    <Drawn {...shared} stacked summary={t('portal.usage.summary', { requests, refused, errors })} />
  ) : (
    <Drawn
      {...shared}
      stacked={false}
      write={milliseconds}
      tell={milliseconds}
      summary={t('portal.usage.summary.latency', { p50: milliseconds(p50_ms), p99: milliseconds(p99_ms) })}
    />
  );
}
