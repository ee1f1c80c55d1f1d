// SPDX-License-Identifier: Apache-2.0
//
// What became of one call: why, what it was, what each rule decided.
import { useData } from '../ui/data.ts';
import { bytes, milliseconds } from '../ui/format.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { type Key as Word, t } from '../ui/i18n.ts';
import { Alert, Badge, Card, Empty, Facts, PageHead, ProblemAlert, Skeleton, Time } from '../ui/show.tsx';
import { Table } from '../ui/table.tsx';
import { statusTone } from './parts.tsx';
import type { Call, Explanation } from './types.ts';

const Details = ({ call, told }: { call: Call; told: Explanation }) => (
  <Card title={t('console.request')}>
    <Facts
      facts={[
        { label: 'id', value: <code>{call.id}</code> },
        { label: t('console.time'), value: <Time at={call.time} /> },
        { label: t('console.asked_for'), value: <code>{`${call.method} ${call.path}`}</code> },
        { label: t('console.status'), value: <Badge tone={statusTone(call.status)}>{String(call.status)}</Badge> },
        { label: t('console.decided_by'), value: told.decided_by ?? '–' },
        ...(told.try_again_at ? [{ label: t('console.try_again'), value: <Time at={told.try_again_at} /> }] : []),
        { label: t('console.app'), value: call.app ? <a href={`/apps/${call.app}`}>{call.app}</a> : '–' },
        { label: t('console.key'), value: <code>{call.key ?? '–'}</code> },
        { label: t('console.from'), value: <code>{call.client_ip}</code> },
        { label: t('console.upstream'), value: call.upstream ? `${call.upstream} · ${call.target ?? ''}` : '–' },
        { label: t('console.size'), value: bytes(call.bytes_out) },
      ]}
    />
  </Card>
);

const Steps = ({ steps }: { steps: Explanation['steps'] }) => (
  <Card title={t('console.steps')}>
    <Table
      caption={t('console.steps')}
      rows={steps}
      rowKey={(step) => step.policy}
      columns={[
        { label: t('console.policy'), head: true, cell: (step) => <code>{step.policy}</code> },
        { label: t('console.verdict'), cell: (step) => <Badge tone={step.refused ? 'bad' : 'good'}>{step.verdict}</Badge> },
        { label: t('console.numbers'), wide: true, cell: (step) => step.detail || '–' },
      ]}
    />
  </Card>
);

// Each part as a bar of the whole.
const Timings = ({ timings }: { timings: Explanation['timings'] }) => {
  const whole = timings.find(({ name }) => name === 'total')?.ms ?? 0;
  return (
    <Card title={t('console.timings')}>
      <ul class="timings">
        {timings.map(({ name, ms }) => (
          <li key={name}>
            <span>{t(`console.timing.${name}` as Word)}</span>
            <span class="quota">
              <meter aria-label={t(`console.timing.${name}` as Word)} min={0} max={whole || 1} value={ms} />
            </span>
            <span class="num">{milliseconds(ms)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
};

export function OneRequest({ id }: { id: string }) {
  const { data, problem, refresh } = useData<Explanation>(`/api/v1/requests/${encodeURIComponent(id)}`);
  usePageTitle(t('console.request'));
  return (
    <>
      <PageHead title={t('console.request')} crumbs={[{ label: t('console.requests'), href: '/requests' }, { label: t('console.request') }]} />
      {data ? (
        data.request ? (
          <div class="stack">
            {data.reason ? (
              <Alert tone="warn" title={`${data.reason.title} (${data.reason.code})`}>
                <p lang="en">
                  {data.reason.means} {data.reason.next}
                </p>
              </Alert>
            ) : null}
            <Details call={data.request} told={data} />
            <Steps steps={data.steps} />
            <Timings timings={data.timings} />
          </div>
        ) : (
          <Empty icon="help" title={t('console.request.gone')} />
        )
      ) : problem ? (
        <ProblemAlert problem={problem} retry={refresh} />
      ) : (
        <Skeleton of="rows" lines={6} />
      )}
    </>
  );
}
