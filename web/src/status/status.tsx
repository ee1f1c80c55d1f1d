// SPDX-License-Identifier: Apache-2.0
//
// The status page of the admin listener: is it well, what passes through, what waits.
import { render } from 'preact';
import { ago } from '../ui/format.ts';
import { Icon, Mark } from '../ui/icons.tsx';
import '../ui/ui.css';
import { judge } from './model.ts';
import { Apis, Badge, Configuration, Figures, Health, Listeners, Records, upFor } from './parts.tsx';
import { answeredAt, askNow, history, now, paused, setPaused, start, status, trouble } from './poll.ts';
import './status.css';

function Masthead() {
  const known = status.value;
  return (
    <header class="masthead">
      <div class="brand">
        <Mark />
        <h1>
          Weir <span>Status</span>
        </h1>
      </div>
      <p class="about">{known ? `Version ${known.version}, ${upFor(known)}` : ''}</p>
      <button type="button" class="quiet" aria-pressed={paused.value} onClick={() => setPaused(!paused.value)}>
        <Icon name={paused.value ? 'play' : 'pause'} />
        {paused.value ? 'Resume' : 'Pause'}
      </button>
    </header>
  );
}

// One line says how it stands. It is the only live region: numbers that change by themselves are not read out.
function Verdict() {
  const known = status.value;
  const away = trouble.value !== '';
  if (!away && !known) {
    return (
      <p class="verdict" role="status">
        <Badge tone="quiet">Asking the server</Badge>
      </p>
    );
  }
  const verdict = away || !known ? { tone: 'bad' as const, words: 'The server does not answer' } : judge(known);
  return (
    <p class={`verdict ${verdict.tone}`} role="status">
      <Badge tone={verdict.tone}>{verdict.words}</Badge>
      {paused.value && !away ? <span class="note">Paused: these numbers stand still.</span> : null}
    </p>
  );
}

function Away() {
  const last = answeredAt.value;
  return (
    <div class="callout bad">
      <p>
        Reason: {trouble.value}.{' '}
        {last > 0
          ? `What it said last (${ago(new Date(last).toISOString(), now.value)}) stands below.`
          : 'Nothing has been heard from it since this page was opened.'}
      </p>
      <p>
        It is asked again by itself. If it stays away, look whether the process runs, and at the last lines of its log.
      </p>
      <button type="button" onClick={askNow}>
        Ask now
      </button>
    </div>
  );
}

function Page() {
  const known = status.value;
  const away = trouble.value !== '';
  return (
    <>
      <Masthead />
      <main>
        <Verdict />
        {away ? <Away /> : null}
        {known ? (
          <div class={away ? 'body old' : 'body'}>
            <Figures status={known} />
            <Apis rates={known.rates} history={history.value} />
            <div class="columns">
              <div>
                <Health checks={known.health} />
                <Configuration config={known.config} now={now.value} />
              </div>
              <div>
                <Listeners listeners={known.listeners} />
                <Records status={known} />
              </div>
            </div>
          </div>
        ) : null}
      </main>
      <footer>
        <nav aria-label="For machines">
          <a href="/metrics">Metrics</a>
          <a href="/healthz">Liveness</a>
          <a href="/readyz">Readiness</a>
        </nav>
      </footer>
    </>
  );
}

const root = document.getElementById('app');
if (root) {
  root.replaceChildren();
  render(<Page />, root);
  start();
}
