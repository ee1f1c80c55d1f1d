// SPDX-License-Identifier: Apache-2.0
//
// A graph over time, and the same in one sentence and as a table: nobody needs to see it to know what it says.
// It begins where its data begin. What draws it (plot.ts) comes when the first graph is shown; the room is kept.
import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from './button.tsx';
import { count, dateTime } from './format.ts';
import { t } from './i18n.ts';
import { Icon } from './icons.tsx';
import type { Plot, PlotSeries, PlotSpec } from './plot.ts';

export type Series = PlotSeries;

interface GraphProps extends PlotSpec {
  summary: string; // what it says, in a sentence
  tell?: (value: number) => string; // a value in full; count() where nothing is said
}

interface Pointed {
  index: number;
  x: number;
  width: number;
}

interface TipProps {
  at: Signal<Pointed | null>;
  graph: GraphProps;
  tell: (value: number) => string;
}

const TIP_WIDTH = 190;
const TWIN_ROWS = 200;

// What stands at the moment that is pointed at, on the side where there is room.
function Tip({ at, graph, tell }: TipProps) {
  const box = useRef<HTMLDivElement>(null);
  const pointed = at.value;
  useEffect(() => {
    if (!box.current || !pointed) return;
    const { x, width } = pointed;
    const left = x + 14 + TIP_WIDTH > width ? Math.max(0, x - TIP_WIDTH - 14) : x + 14;
    box.current.style.translate = `${left}px 0`;
  }, [pointed]);
  const time = pointed ? graph.times[pointed.index] : undefined;
  if (!pointed || time === undefined) return null;
  // of a stack the highest first, as one sees it
  const rows = graph.stacked ? [...graph.series].reverse() : graph.series;
  return (
    <div class="graph-tip" ref={box}>
      <div class="note">{dateTime(time * 1000)}</div>
      {rows.map((one) => {
        const value = one.values[pointed.index];
        return (
          <div key={one.label}>
            <span>
              <span class={`swatch ${one.color.slice(2)}`} />
              {one.label}
            </span>
            <b>{value == null ? '–' : tell(value)}</b>
          </div>
        );
      })}
    </div>
  );
}

function Canvas({ graph, tell }: { graph: GraphProps; tell: (value: number) => string }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | undefined>(undefined);
  const at = useSignal<Pointed | null>(null);
  const [part, setPart] = useState(false);
  const shape = graph.series.map((one) => one.label).join();
  useEffect(() => {
    let over = false;
    const sized = new ResizeObserver(() => plot.current?.resize());
    const cursor = (index: number | null, x: number, width: number): void => {
      at.value = index === null ? null : { index, x, width };
    };
    void import('./plot.ts').then(({ draw }) => {
      if (over || !place.current) return;
      plot.current = draw(place.current, graph, { cursor, zoomed: setPart });
      sized.observe(place.current);
    });
    return () => {
      over = true;
      sized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
      at.value = null;
    };
  }, [graph.times, shape]);
  return (
    <div class="graph-frame">
      <div class="graph-canvas" ref={place} aria-hidden="true" />
      <Tip at={at} graph={graph} tell={tell} />
      {part ? (
        <Button class="graph-reset" icon="rotate" onClick={() => plot.current?.reset()}>
          {t('ui.graph.whole')}
        </Button>
      ) : null}
    </div>
  );
}

function Twin({ graph, tell }: { graph: GraphProps; tell: (value: number) => string }) {
  const [open, setOpen] = useState(false); // rows are made when they are asked for, so many at a time
  const [most, setMost] = useState(TWIN_ROWS);
  const told = graph.times.map((_, i) => i).filter((i) => graph.series.some((one) => one.values[i]));
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="right" />
        {t('ui.graph.table')}
      </summary>
      {open ? (
        <div class="graph-table" tabIndex={0} role="group" aria-label={t('ui.graph.table')}>
          <table>
            <caption class="unseen">{graph.summary}</caption>
            <thead>
              <tr>
                <th scope="col">{t('ui.graph.time')}</th>
                {graph.series.map((one) => (
                  <th key={one.label} scope="col">
                    {one.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {told.slice(0, most).map((i) => (
                <tr key={graph.times[i]}>
                  <th scope="row">{dateTime((graph.times[i] ?? 0) * 1000)}</th>
                  {graph.series.map((one) => (
                    <td key={one.label}>{one.values[i] == null ? '–' : tell(one.values[i] as number)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {told.length > most ? (
            <div class="more">
              <Button onClick={() => setMost(most + TWIN_ROWS)}>{t('ui.more')}</Button>
            </div>
          ) : null}
        </div>
      ) : null}
    </details>
  );
}

export function Graph(graph: GraphProps) {
  const tell = graph.tell ?? count;
  return (
    <figure class="graph">
      <figcaption class="graph-top">
        <span class="legend">
          {graph.series.map((one) => (
            <span key={one.label}>
              <span class={`swatch ${one.color.slice(2)}`} />
              {one.label}
            </span>
          ))}
        </span>
        <span class="note">{graph.summary}</span>
      </figcaption>
      <Canvas graph={graph} tell={tell} />
      <Twin graph={graph} tell={tell} />
    </figure>
  );
}

export interface Stepped<T> {
  times: number[];
  rows: (T | undefined)[];
}

// Steps in which nothing happened are not sent: all of a time, with what is known of each.
export function fillSteps<T>(rows: readonly T[], at: (row: T) => string, since: string, until: string, step: number): Stepped<T> {
  const number = (moment: string): number => Math.floor(Date.parse(moment) / 1000 / step);
  const known = new Map(rows.map((row) => [number(at(row)), row]));
  const first = number(since);
  const last = Math.max(first, Math.ceil(Date.parse(until) / 1000 / step) - 1);
  const steps = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return { times: steps.map((n) => n * step), rows: steps.map((n) => known.get(n)) };
}
