// SPDX-License-Identifier: Apache-2.0
//
// One app, as its operator sees it: what it may, what it used, and a way to stop it.
import { useState } from 'preact/hooks';
import { Button, ButtonLink } from '../ui/button.tsx';
import { outdated, send, useAction, useData, useList } from '../ui/data.ts';
import { Dialog, DialogActions } from '../ui/dialog.tsx';
import { TextArea } from '../ui/field.tsx';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { Alert, Card, Empty, Facts, Meter, PageHead, ProblemAlert, Skeleton, Time } from '../ui/show.tsx';
import { ListTable } from '../ui/table.tsx';
import { keyColumns } from './keys.tsx';
import { State } from './parts.tsx';
import type { AppItem, Key } from './types.ts';

interface Quota {
  name: string;
  limit: number;
  used: number;
  resets_at: string | null;
}

function Suspend({ app, onClose }: { app: AppItem; onClose: () => void }) {
  const { run, busy, problem } = useAction(async (form: HTMLFormElement) => {
    const note = String(new FormData(form).get('note') ?? '');
    const answer = await send('PATCH', `/api/v1/apps/${app.name}`, { suspended: true, note });
    if (answer.ok) {
      outdated('/api/v1/apps');
      onClose();
    }
    return answer;
  });
  return (
    <Dialog title={t('console.suspend.title', { name: app.title })} onClose={onClose}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void run(event.currentTarget);
        }}
      >
        <p>{t('console.suspend.text')}</p>
        <TextArea name="note" label={t('console.note')} hint={t('console.note.hint')} optional maxLength={500} />
        <ProblemAlert problem={problem} />
        <DialogActions>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button type="submit" look="danger" busy={busy}>
            {t('console.suspend')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function Actions({ app }: { app: AppItem }) {
  const [asking, setAsking] = useState(false);
  const resume = useAction(async () => {
    const answer = await send('PATCH', `/api/v1/apps/${app.name}`, { suspended: false });
    outdated('/api/v1/apps');
    return answer;
  });
  return (
    <>
      <ButtonLink href={`/requests?app=${app.name}`} icon="log">
        {t('console.requests')}
      </ButtonLink>
      {app.declared ? null : app.state === 'suspended' ? (
        <Button busy={resume.busy} onClick={() => void resume.run()}>
          {t('console.resume')}
        </Button>
      ) : (
        <Button look="danger" onClick={() => setAsking(true)}>
          {t('console.suspend')}
        </Button>
      )}
      {asking ? <Suspend app={app} onClose={() => setAsking(false)} /> : null}
    </>
  );
}

function Limits({ app }: { app: AppItem }) {
  const { data } = useData<{ items: Quota[] }>(`/api/v1/apps/${app.name}/quotas`);
  return (
    <Card title={t('console.limits')} class="inset">
      {data ? (
        data.items.length ? (
          <div class="quotas">
            {data.items.map((quota) => (
              <Meter key={quota.name} label={quota.name} used={quota.used} limit={quota.limit} note={quota.resets_at ? <Time at={quota.resets_at} relative /> : null} />
            ))}
          </div>
        ) : (
          <p class="note">{t('console.nothing')}</p>
        )
      ) : (
        <Skeleton lines={3} />
      )}
    </Card>
  );
}

function Keys({ app }: { app: AppItem }) {
  const list = useList<Key>(`/api/v1/apps/${app.name}/keys`);
  return (
    <Card title={t('console.keys')}>
      <ListTable list={list} caption={t('console.keys')} columns={keyColumns(false)} rowKey={(key) => key.kid} empty={<Empty icon="key" title={t('console.nothing')} />} />
    </Card>
  );
}

export function AppPage({ app: name }: { app: string }) {
  const { data, problem, refresh } = useData<AppItem>(`/api/v1/apps/${encodeURIComponent(name)}`);
  usePageTitle(data?.title ?? name);
  return (
    <>
      <PageHead
        title={data?.title ?? name}
        crumbs={[{ label: t('console.apps'), href: '/apps' }, { label: data?.title ?? name }]}
        badge={data ? <State state={data.state} /> : null}
        actions={data ? <Actions app={data} /> : null}
      />
      {data ? (
        <div class="stack">
          {data.state_note ? (
            <Alert tone="warn" title={t('console.note')}>
              <p dir="auto">{data.state_note}</p>
            </Alert>
          ) : null}
          <div class="columns">
            <Card title={t('console.app')}>
              <Facts
                facts={[
                  { label: t('console.name_in_records'), value: <code>{data.name}</code> },
                  { label: t('console.team'), value: data.declared ? 'weir.yaml' : <bdi>{data.team}</bdi> },
                  { label: t('console.plan'), value: data.plan ?? '–' },
                  { label: t('console.waiting'), value: data.pending_plan ?? '–' },
                  { label: t('console.created'), value: <Time at={data.created} /> },
                ]}
              />
            </Card>
            <Limits app={data} />
          </div>
          <Keys app={data} />
        </div>
      ) : problem ? (
        <ProblemAlert problem={problem} retry={refresh} />
      ) : (
        <Skeleton of="rows" lines={5} />
      )}
    </>
  );
}
