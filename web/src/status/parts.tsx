// SPDX-License-Identifier: Apache-2.0
//
// The sections of the page: each takes what it shows and keeps nothing.
import type { ComponentChildren } from 'preact';
import { ago, bytes, count, duration, milliseconds, rate, share } from '../ui/format.ts';
import { ToneIcon } from '../ui/icons.tsx';
import { Spark } from '../ui/spark.tsx';
import type { Tone } from '../ui/tone.ts';
import { type Check, type Config, type History, HISTORY_LENGTH, type Listener, type Rate, type Status } from './model.ts';
import { judgeApi, totals } from './model.ts';
import { POLL_MS } from './poll.ts';

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      <ToneIcon tone={tone} />
      {children}
    </span>
  );
}

interface CardProps {
  id: string;
  title: string;
  note?: string;
  children: ComponentChildren;
}

function Card({ id, title, note, children }: CardProps) {
  return (
    <section class="card" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {note ? <p class="note">{note}</p> : null}
      </header>
      {children}
    </section>
  );
}

interface FigureProps {
  label: string;
  value: string;
  note: string;
}

function Figure({ label, value, note }: FigureProps) {
  return (
    <div class="figure">
      <dt>{label}</dt>
      <dd class="value">{value}</dd>
      <dd class="note">{note}</dd>
    </div>
  );
}

export function Figures({ status }: { status: Status }) {
  const sum = totals(status.rates);
  const open = status.listeners.reduce((all, listener) => all + listener.connections, 0);
  return (
    <dl class="figures" aria-label="Now">
      <Figure
        label="Requests per second"
        value={rate(sum.requests_per_s)}
        note={`${count(status.journal.records_total)} recorded in all`}
      />
      <Figure
        label="Server errors"
        value={share(sum.errors_per_s, sum.requests_per_s)}
        note={`${rate(sum.errors_per_s)} per second`}
      />
      <Figure
        label="Refused"
        value={share(sum.refused_per_s, sum.requests_per_s)}
        note={`${rate(sum.refused_per_s)} per second`}
      />
      <Figure
        label="Slowest p99"
        value={sum.slowest ? milliseconds(sum.slowest.p99_ms) : '–'}
        note={sum.slowest ? sum.slowest.api : 'no traffic now'}
      />
      <Figure label="Open connections" value={count(open)} note={`on ${count(status.listeners.length)} listeners`} />
    </dl>
  );
}

function ApiRow({ rate: api, values }: { rate: Rate; values: readonly number[] }) {
  const verdict = judgeApi(api);
  const minutes = Math.max(1, Math.round((values.length * POLL_MS) / 60000));
  const peak = rate(values.length > 0 ? Math.max(...values) : 0);
  return (
    <tr role="row">
      <th scope="row" role="rowheader">
        <span class="name">{api.api}</span>
        <Badge tone={verdict.tone}>{verdict.words}</Badge>
      </th>
      <td class="trend" role="cell">
        <Spark
          values={values}
          slots={HISTORY_LENGTH}
          label={`${api.api}: ${rate(api.requests_per_s)} requests per second now, at most ${peak} in the last ${minutes} min`}
        />
      </td>
      <td role="cell" data-label="Requests/s">{rate(api.requests_per_s)}</td>
      <td role="cell" data-label="Errors/s">{rate(api.errors_per_s)}</td>
      <td role="cell" data-label="Refused/s">{rate(api.refused_per_s)}</td>
      <td role="cell" data-label="p50">{milliseconds(api.p50_ms)}</td>
      <td role="cell" data-label="p99">{milliseconds(api.p99_ms)}</td>
    </tr>
  );
}

export function Apis({ rates, history }: { rates: readonly Rate[]; history: History }) {
  return (
    <Card id="apis" title="APIs" note="What passes through the gateway now; the line is the last three minutes.">
      {rates.length === 0 ? (
        <p class="empty">
          No API has had traffic yet. Send a call to the gateway and it appears here within two seconds.
        </p>
      ) : (
        <table class="apis" role="table">
          <caption class="unseen">Rates and latencies of each API</caption>
          <thead role="rowgroup">
            <tr role="row">
              <th scope="col" role="columnheader">API</th>
              <th scope="col" role="columnheader">Trend</th>
              <th scope="col" role="columnheader">Requests/s</th>
              <th scope="col" role="columnheader">Errors/s</th>
              <th scope="col" role="columnheader">Refused/s</th>
              <th scope="col" role="columnheader">p50</th>
              <th scope="col" role="columnheader">p99</th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rates.map((api) => (
              <ApiRow key={api.api} rate={api} values={history.get(api.api) ?? []} />
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

export function Health({ checks }: { checks: readonly Check[] }) {
  const sorted = [...checks].sort((a, b) => Number(a.ok) - Number(b.ok));
  return (
    <Card id="health" title="Health">
      <ul class="rows">
        {sorted.map((check) => (
          <li key={check.check}>
            <span class="grow">
              <span class="name">{check.check}</span>
              {check.detail ? <span class="note">{check.detail}</span> : null}
            </span>
            <Badge tone={check.ok ? 'good' : 'bad'}>{check.ok ? 'Passes' : 'Fails'}</Badge>
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function Listeners({ listeners }: { listeners: readonly Listener[] }) {
  return (
    <Card id="listeners" title="Listeners">
      <ul class="rows">
        {listeners.map((listener) => (
          <li key={`${listener.name} ${listener.address}`}>
            <span class="grow">
              <span class="name">{listener.name}</span>
              <span class="note mono">{listener.address}</span>
            </span>
            <span class="amount">
              {count(listener.connections)}
              <span class="note">{listener.connections === 1 ? 'connection' : 'connections'}</span>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Configuration({ config, now }: { config: Config; now: number }) {
  return (
    <Card id="config" title="Configuration">
      {config.error ? (
        <div class="callout warn">
          <Badge tone="warn">The changed file was not taken</Badge>
          <p class="mono">{config.error}</p>
          <p>The configuration below stays in force. Correct the file: it is read again by itself.</p>
        </div>
      ) : null}
      <dl class="facts">
        <Fact label="File">
          <span class="mono">{config.file}</span>
        </Fact>
        <Fact label="In force since">
          <time dateTime={config.loaded_at}>{ago(config.loaded_at, now) || '–'}</time>
        </Fact>
        <Fact label="APIs">{count(config.apis)}</Fact>
        <Fact label="Routes">{count(config.routes)}</Fact>
      </dl>
    </Card>
  );
}

export function Records({ status }: { status: Status }) {
  const whole = status.stores.reduce((all, store) => all + store.bytes, 0);
  return (
    <Card id="records" title="Records" note="Every call is written down once, then counted, kept and sent on.">
      <dl class="facts">
        <Fact label="Recorded">{count(status.journal.records_total)}</Fact>
        <Fact label="Not yet stored">{count(status.journal.backlog)}</Fact>
        {status.stores.map((store) => (
          <Fact key={store.name} label={`Store: ${store.name}`}>
            {bytes(store.bytes)}
          </Fact>
        ))}
        {status.stores.length > 1 ? <Fact label="Store in all">{bytes(whole)}</Fact> : null}
      </dl>
      {status.sinks.length > 0 ? (
        <ul class="rows">
          {status.sinks.map((sink) => (
            <li key={sink.name}>
              <span class="grow">
                <span class="name">{sink.name}</span>
                <span class="note">
                  {count(sink.sent)} sent{sink.errors > 0 ? `, ${count(sink.errors)} failed attempts` : ''}
                </span>
              </span>
              <span class="amount">
                {count(sink.backlog)}
                <span class="note">waiting</span>
              </span>
            </li>
          ))}
        </ul>
      ) : null}
    </Card>
  );
}

export const upFor = (status: Status): string => `up ${duration(status.uptime_s)}`;
