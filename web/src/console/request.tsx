// SPDX-License-Identifier: Apache-2.0
//
// What became of one call, as a page of its own: it can be linked to.
import { CallFacts, CallReason, CallSteps, CallTimings, type Explanation, isTold } from '../ui/call.tsx';
import { useData } from '../ui/data.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { Card, Empty, PageHead, ProblemAlert, Skeleton } from '../ui/show.tsx';

export function OneRequest({ id }: { id: string }) {
  const { data, problem, refresh } = useData<Explanation>(`/api/v1/requests/${encodeURIComponent(id)}`);
  usePageTitle(t('call.title'));
  return (
    <>
      <PageHead title={t('call.title')} crumbs={[{ label: t('console.requests'), href: '/requests' }, { label: t('call.title') }]} />
      {!data ? (
        problem ? (
          <ProblemAlert problem={problem} retry={refresh} />
        ) : (
          <Skeleton of="rows" lines={6} />
        )
      ) : isTold(data) ? (
        <div class="stack">
          <CallReason told={data} />
          <Card title={t('call.title')}>
            <CallFacts told={data} />
          </Card>
          <Card title={t('call.steps')}>
            <CallSteps told={data} />
          </Card>
          <Card title={t('call.timings')}>
            <CallTimings told={data} />
          </Card>
        </div>
      ) : (
        <Empty icon="help" title={t('call.gone')} />
      )}
    </>
  );
}
