// SPDX-License-Identifier: Apache-2.0
//
// A new app: what it is called, and the plan it asks for.
import { useLocation } from 'preact-iso/router';
import { useState } from 'preact/hooks';
import { Button, ButtonLink } from '../ui/button.tsx';
import { outdated, send, useAction, useData } from '../ui/data.ts';
import { Choices, faultOf, Input, TextArea } from '../ui/field.tsx';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { limitWords } from '../ui/limits.ts';
import { Card, PageHead, ProblemAlert, Skeleton } from '../ui/show.tsx';
import type { Plan } from '../ui/types.ts';
import type { App, Catalog } from './types.ts';

function planChoice(plan: Plan, catalog: Catalog) {
  const titles = plan.apis.map((name) => catalog.apis.find((api) => api.name === name)?.title ?? name);
  return {
    value: plan.name,
    label: plan.title,
    hint: (
      <>
        {plan.limits.length ? plan.limits.map(limitWords).join(' · ') : t('portal.limit.none')}
        <br />
        {titles.join(', ')}
        <br />
        {plan.approval === 'automatic' ? t('portal.plan.automatic') : t('portal.plan.manual')}
      </>
    ),
  };
}

interface PlansProps {
  catalog: Catalog;
  value: string;
  error?: string | undefined;
  onChange: (plan: string) => void;
}

export const Plans = ({ catalog, value, error, onChange }: PlansProps) => (
  <Choices
    label={t('portal.plan')}
    name="plan"
    value={value}
    error={error}
    onChange={onChange}
    choices={catalog.plans.map((plan) => planChoice(plan, catalog))}
  />
);

function Form({ catalog }: { catalog: Catalog }) {
  const { route } = useLocation();
  const [plan, setPlan] = useState(catalog.plans[0]?.name ?? '');
  const { run, busy, problem } = useAction(async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const description = String(fields.get('description') ?? '');
    const answer = await send<App>('POST', '/api/v1/apps', {
      title: String(fields.get('title') ?? ''),
      ...(description && { description }),
      ...(plan && { plan }),
    });
    if (answer.ok) {
      outdated('/api/v1/apps');
      route(`/apps/${answer.data.name}/keys`);
    }
    return answer;
  });
  return (
    <form
      class="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void run(event.currentTarget);
      }}
    >
      <Input name="title" label={t('portal.app.title')} hint={t('portal.app.title.hint')} maxLength={80} error={faultOf(problem, 'title')} focus />
      <TextArea name="description" label={t('portal.app.description')} optional maxLength={500} error={faultOf(problem, 'description')} />
      {catalog.plans.length ? <Plans catalog={catalog} value={plan} error={faultOf(problem, 'plan')} onChange={setPlan} /> : null}
      <ProblemAlert problem={problem} />
      <div class="actions">
        <Button type="submit" look="primary" busy={busy}>
          {t('portal.app.create')}
        </Button>
        <ButtonLink href="/apps" look="quiet">
          {t('ui.cancel')}
        </ButtonLink>
      </div>
    </form>
  );
}

export function NewApp() {
  const { data, problem, refresh } = useData<Catalog>('/api/v1/catalog');
  usePageTitle(t('portal.new_app'));
  return (
    <>
      <PageHead title={t('portal.new_app')} crumbs={[{ label: t('portal.apps'), href: '/apps' }, { label: t('portal.new_app') }]} />
      <Card class="inset narrow">
        {data ? <Form catalog={data} /> : problem ? <ProblemAlert problem={problem} retry={refresh} /> : <Skeleton lines={6} />}
      </Card>
    </>
  );
}
