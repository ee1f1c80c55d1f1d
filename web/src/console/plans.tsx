// SPDX-License-Identifier: Apache-2.0
//
// On which terms apps call, as weir.yaml has it, and how many have each plan.
import { type Page, useData } from '../ui/data.ts';
import { count } from '../ui/format.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { limitWords } from '../ui/limits.ts';
import { Badge, Empty, PageHead, ProblemAlert, Skeleton } from '../ui/show.tsx';
import { type Column, Table } from '../ui/table.tsx';
import type { OwnPlan } from './types.ts';

const columns = (): Column<OwnPlan>[] => [
  {
    label: t('console.plan'),
    head: true,
    cell: (plan) => (
      <>
        <span class="name">{plan.title}</span>
        {plan.title === plan.name ? null : <span class="note">{plan.name}</span>}
      </>
    ),
  },
  {
    label: t('console.plan.terms'),
    wide: true,
    cell: (plan) => (
      <>
        {plan.offered ? (plan.limits.length ? plan.limits.map(limitWords).join(' · ') : t('portal.limit.none')) : <Badge tone="bad">{t('console.plan.gone')}</Badge>}
        <p class="note">{plan.apis.join(', ')}</p>
      </>
    ),
  },
  { label: t('console.plan.approval'), cell: (plan) => (plan.approval === 'manual' ? t('console.plan.manual') : t('console.plan.automatic')) },
  { label: t('console.plan.apps'), align: 'end', cell: (plan) => count(plan.subscribers + plan.declared_apps) },
  {
    label: t('console.plan.waiting'),
    align: 'end',
    cell: (plan) => (plan.waiting ? <a href="/approvals">{count(plan.waiting)}</a> : '0'),
  },
];

export function Plans() {
  const { data, problem, refresh } = useData<Page<OwnPlan>>('/api/v1/plans');
  usePageTitle(t('console.plans'));
  return (
    <>
      <PageHead title={t('console.plans')} lead={t('console.declared')} />
      {data?.items.length ? (
        <section class="card">
          <Table caption={t('console.plans')} columns={columns()} rows={data.items} rowKey={(plan) => plan.name} />
        </section>
      ) : data ? (
        <Empty icon="gauge" title={t('console.plans.empty')}>
          <p>{t('console.plans.empty.text')}</p>
        </Empty>
      ) : problem ? (
        <ProblemAlert problem={problem} retry={refresh} />
      ) : (
        <Skeleton of="rows" lines={4} />
      )}
    </>
  );
}
