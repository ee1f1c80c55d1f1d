// SPDX-License-Identifier: Apache-2.0
//
// An app at a glance: what is still to do, what is left of its limits, its plan.
import { useState } from 'preact/hooks';
import { Button, ButtonLink } from '../ui/button.tsx';
import { get, outdated, send, useAction, useData, useList, usePoll } from '../ui/data.ts';
import { Dialog, DialogActions } from '../ui/dialog.tsx';
import { faultOf } from '../ui/field.tsx';
import { t } from '../ui/i18n.ts';
import { limitWords } from '../ui/limits.ts';
import { Icon } from '../ui/icons.tsx';
import { Alert, Card, Empty, Meter, ProblemAlert, Skeleton, Time } from '../ui/show.tsx';
import { AppFrame } from './parts.tsx';
import { Plans } from './new_app.tsx';
import { Recent } from './recent.tsx';
import { type App, appPath, type Catalog, type Key, type Quota } from './types.ts';

const LOOK_MS = 3000;

// --- what is still to do ---

interface StepProps {
  done: boolean;
  title: string;
  href: string;
}

const Step = ({ done, title, href }: StepProps) => (
  <li class={done ? 'done' : ''}>
    <Icon name={done ? 'tick' : 'minus'} />
    <span>
      {done ? title : <a href={href}>{title}</a>}
      <span class="unseen"> {done ? t('portal.done') : t('portal.to_do')}</span>
    </span>
  </li>
);

function Checklist({ app }: { app: App }) {
  const keys = useList<Key>(`${appPath(app.name)}/keys`);
  const called = keys.data?.some((key) => key.last_used) ?? false;
  usePoll(keys.refresh, called ? 0 : LOOK_MS);
  if (!keys.data || called) return null;
  const base = `/apps/${app.name}`;
  return (
    <Card title={t('portal.first.title')} class="inset">
      <ol class="checklist">
        <Step done={app.plan !== null} title={t('portal.first.plan')} href={base} />
        <Step done={keys.data.length > 0} title={t('portal.first.key')} href={`${base}/keys`} />
        <Step done={called} title={t('portal.first.call')} href={`${base}/keys`} />
      </ol>
    </Card>
  );
}

// --- limits ---

const quotaLabel = (quota: Quota): string =>
  limitWords({ ...quota, requests: quota.kind === 'quota' ? quota.limit : (quota.requests ?? quota.limit) });

function Quotas({ app }: { app: App }) {
  const { data, problem, refresh } = useData<{ items: Quota[] }>(`${appPath(app.name)}/quotas`);
  usePoll(refresh, LOOK_MS);
  return (
    <Card title={t('portal.limits')} class="inset">
      {data ? (
        data.items.length ? (
          <div class="quotas">
            {data.items.map((quota) => (
              <Meter
                key={quota.name}
                label={quotaLabel(quota)}
                used={quota.used}
                limit={quota.limit}
                note={
                  quota.kind === 'quota' && quota.resets_at ? (
                    <>
                      {t('portal.resets')} <Time at={quota.resets_at} /> (<Time at={quota.resets_at} relative />)
                    </>
                  ) : null
                }
              />
            ))}
          </div>
        ) : (
          <p class="note">{t('portal.limit.none')}</p>
        )
      ) : problem ? (
        <ProblemAlert problem={problem} retry={refresh} />
      ) : (
        <Skeleton lines={4} />
      )}
    </Card>
  );
}

// --- the plan ---

function ChangePlan({ app, onClose }: { app: App; onClose: () => void }) {
  const { data } = useData<Catalog>('/api/v1/catalog');
  const [plan, setPlan] = useState(app.plan ?? app.pending_plan ?? '');
  const { run, busy, problem } = useAction(async () => {
    const answer = await send('POST', `${appPath(app.name)}/subscription`, { plan });
    if (answer.ok) {
      outdated(appPath(app.name));
      onClose();
    }
    return answer;
  });
  return (
    <Dialog title={t('portal.plan.choose')} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        {data ? <Plans catalog={data} value={plan} error={faultOf(problem, 'plan')} onChange={setPlan} /> : <Skeleton lines={6} />}
        <ProblemAlert problem={problem} />
        <DialogActions>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button type="submit" look="primary" busy={busy} disabled={!plan}>
            {t('portal.plan.take')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function PlanCard({ app }: { app: App }) {
  const [choosing, setChoosing] = useState(false);
  const withdraw = useAction(async () => {
    const answer = await send('DELETE', `${appPath(app.name)}/subscription/pending`);
    outdated(appPath(app.name));
    return answer;
  });
  // an operator may decide while one looks at it
  usePoll(async () => {
    if (!app.pending) return;
    const answer = await get<App>(appPath(app.name));
    if (answer.ok && !answer.data.pending) outdated(appPath(app.name));
  }, app.pending ? LOOK_MS : 0);
  const change = app.declared ? null : <Button onClick={() => setChoosing(true)}>{t('portal.plan.change')}</Button>;
  return (
    <Card title={t('portal.plan')} class="inset" actions={change}>
      <div class="stack">
        {app.subscription ? (
          <p>
            <b>{app.subscription.title}</b>{' '}
            <span class="note">
              {t('portal.plan.since')} <Time at={app.subscription.since} />
            </span>
          </p>
        ) : (
          <Empty icon="layers" title={t('portal.plan.none')}>
            <p>{t('portal.plan.none.text')}</p>
          </Empty>
        )}
        {app.subscription && !app.subscription.offered ? <Alert tone="warn">{t('portal.plan.gone')}</Alert> : null}
        {app.pending ? (
          <Alert tone="info" title={t('portal.plan.waiting', { plan: app.pending.title })}>
            <p>
              {t('portal.plan.asked')} <Time at={app.pending.asked} relative />
            </p>
            <p>
              <Button busy={withdraw.busy} onClick={() => void withdraw.run()}>
                {t('portal.plan.withdraw')}
              </Button>
            </p>
          </Alert>
        ) : null}
        {app.rejected && !app.pending ? (
          <Alert tone="warn" title={t('portal.plan.rejected', { plan: app.rejected.title })}>
            {app.rejected.note ? (
              <p dir="auto">
                <q>{app.rejected.note}</q>
              </p>
            ) : null}
          </Alert>
        ) : null}
        <ProblemAlert problem={withdraw.problem} />
        {choosing ? <ChangePlan app={app} onClose={() => setChoosing(false)} /> : null}
      </div>
    </Card>
  );
}

export function AppPage({ app: name }: { app: string }) {
  return (
    <AppFrame
      name={name}
      title={t('portal.overview')}
      actions={() => (
        <ButtonLink href={`/apps/${name}/keys`} icon="key">
          {t('portal.keys')}
        </ButtonLink>
      )}
    >
      {(app) => (
        <div class="stack">
          {app.state === 'suspended' ? (
            <Alert tone="bad" title={t('portal.app.suspended.title')}>
              <p dir="auto">{app.state_note || t('portal.app.suspended.text')}</p>
            </Alert>
          ) : null}
          {app.description ? (
            <p class="lead" dir="auto">
              {app.description}
            </p>
          ) : null}
          <Checklist app={app} />
          <div class="columns">
            <PlanCard app={app} />
            <Quotas app={app} />
          </div>
          <Recent app={app} />
        </div>
      )}
    </AppFrame>
  );
}
