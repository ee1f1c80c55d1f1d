// SPDX-License-Identifier: Apache-2.0
//
// What became of one call: why, what it was, what each rule decided, what took how long.
import { ago, bytes, exact, milliseconds } from './format.ts';
import { type Key as Word, t } from './i18n.ts';
import { Alert, Badge, type Fact, Facts } from './show.tsx';
import { statusTone } from './tone.ts';

export interface Call {
  id: string;
  time: string;
  app: string | null;
  api: string | null;
  method: string;
  path: string;
  status: number;
  reason: string | null;
  key: string | null;
  plan: string | null;
  client_ip: string;
  duration_ms: number;
  bytes_in: number;
  bytes_out: number;
  upstream?: string; // these two are told in the console
  target?: string;
}

interface WholeCall extends Call {
  query: string | null;
  user_agent: string | null;
  trace_id: string;
}

export interface Explanation {
  request_id: string;
  general: boolean; // nothing is told: it is not there, or another's
  request: WholeCall | null;
  reason: { code: string; title: string; means: string; next: string } | null;
  decided_by: string | null;
  try_again_at: string | null;
  steps: { policy: string; verdict: string; refused: boolean; detail: string }[];
  timings: { name: 'total' | 'queue' | 'gateway' | 'upstream'; ms: number }[];
}

export interface Told extends Explanation {
  request: WholeCall;
}

export const isTold = (explanation: Explanation): explanation is Told => explanation.request !== null;

const Exact = ({ at }: { at: string }) => (
  <time dateTime={at}>
    {exact(at)} <span class="note">{ago(at, Date.now())}</span>
  </time>
);

const code = (label: string, text: string | null): Fact[] => (text ? [{ label, value: <code>{text}</code> }] : []);

// Why the gateway answered itself, in the server's own words. `help`: where its codes have pages.
export const CallReason = ({ told, help }: { told: Told; help?: boolean | undefined }) =>
  told.reason ? (
    <Alert tone="warn" title={`${told.reason.title} (${told.reason.code})`}>
      <p lang="en">
        {told.reason.means} {told.reason.next}
      </p>
      {help ? (
        <p>
          <a href={`/problems/${told.reason.code}`}>{t('call.problem')}</a>
        </p>
      ) : null}
    </Alert>
  ) : null;

export const CallFacts = ({ told: { request: call, ...told } }: { told: Told }) => (
  <Facts
    facts={[
      { label: t('call.time'), value: <Exact at={call.time} /> },
      { label: t('call.asked'), value: <code>{`${call.method} ${call.path}${call.query ? `?${call.query}` : ''}`}</code> },
      { label: t('call.status'), value: <Badge tone={statusTone(call.status)}>{String(call.status)}</Badge> },
      { label: t('call.decided_by'), value: <code>{told.decided_by ?? '–'}</code> },
      ...(told.try_again_at ? [{ label: t('call.try_again'), value: <Exact at={told.try_again_at} /> }] : []),
      { label: t('call.app'), value: call.app ? <a href={`/apps/${call.app}`}>{call.app}</a> : '–' },
      ...code(t('call.key'), call.key),
      ...code(t('call.plan'), call.plan),
      ...code(t('call.api'), call.api),
      ...(call.upstream ? code(t('call.upstream'), `${call.upstream} · ${call.target ?? ''}`) : []),
      ...code(t('call.from'), call.client_ip),
      ...(call.user_agent ? [{ label: t('call.client'), value: call.user_agent }] : []),
      { label: t('call.bytes'), value: t('call.bytes.both', { in: bytes(call.bytes_in), out: bytes(call.bytes_out) }) },
      ...code(t('call.id'), call.id),
      ...code(t('call.trace'), call.trace_id),
    ]}
  />
);

export const CallSteps = ({ told }: { told: Told }) => (
  <ol class="rows steps">
    {told.steps.map((step, i) => (
      <li key={i}>
        <span class="grow">
          <code class="name">{step.policy}</code>
          {step.detail || '–'}
        </span>
        <Badge tone={step.refused ? 'bad' : 'good'}>{step.refused ? t('call.refused') : t('call.passed')}</Badge>
      </li>
    ))}
  </ol>
);

// Each part as a bar of the whole.
export function CallTimings({ told: { timings } }: { told: Told }) {
  const whole = timings.find(({ name }) => name === 'total')?.ms ?? 0;
  return (
    <ul class="timings">
      {timings.map(({ name, ms }) => {
        const label = t(`call.timing.${name}` as Word);
        return (
          <li key={name}>
            <span>{label}</span>
            <span class="quota">
              <meter aria-label={label} min={0} max={whole || 1} value={ms} />
            </span>
            <span class="num">{milliseconds(ms)}</span>
          </li>
        );
      })}
    </ul>
  );
}
