// SPDX-License-Identifier: Apache-2.0
//
// What an app is called, and its end.
import { useLocation } from 'preact-iso/router';
import { useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { outdated, send, useAction } from '../ui/data.ts';
import { Confirm } from '../ui/dialog.tsx';
import { faultOf, Input, TextArea } from '../ui/field.tsx';
import { t } from '../ui/i18n.ts';
import { Alert, Card, ProblemAlert } from '../ui/show.tsx';
import { toast } from '../ui/toast.tsx';
import { AppFrame } from './parts.tsx';
import { type App, appPath } from './types.ts';

function Describe({ app }: { app: App }) {
  const { run, busy, problem } = useAction(async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const answer = await send('PATCH', appPath(app.name), {
      title: String(fields.get('title') ?? ''),
      description: String(fields.get('description') ?? ''),
    });
    if (answer.ok) {
      outdated('/api/v1/apps');
      toast(t('portal.saved'));
    }
    return answer;
  });
  return (
    <Card title={t('portal.settings')} class="inset narrow">
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void run(event.currentTarget);
        }}
      >
        <Input name="title" label={t('portal.app.title')} value={app.title} maxLength={80} error={faultOf(problem, 'title')} />
        <TextArea name="description" label={t('portal.app.description')} value={app.description} optional maxLength={500} error={faultOf(problem, 'description')} />
        <ProblemAlert problem={problem} />
        <div class="actions">
          <Button type="submit" look="primary" busy={busy}>
            {t('portal.save')}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function End({ app }: { app: App }) {
  const { route } = useLocation();
  const [asking, setAsking] = useState(false);
  const { run, busy, problem } = useAction(async () => {
    const answer = await send('DELETE', appPath(app.name));
    if (answer.ok) {
      route('/apps');
      outdated('/api/v1/apps');
      toast(t('portal.app.deleted', { name: app.title }));
    }
    return answer;
  });
  return (
    <Card title={t('portal.app.delete')} class="inset narrow">
      <p class="note">{t('portal.app.delete.text')}</p>
      <div class="actions end-of-app">
        <Button look="danger" icon="trash" onClick={() => setAsking(true)}>
          {t('portal.app.delete')}
        </Button>
      </div>
      {asking ? (
        <Confirm
          title={t('portal.app.delete.title', { name: app.title })}
          verb={t('portal.app.delete.verb')}
          typed={app.name}
          busy={busy}
          problem={problem}
          onConfirm={() => void run()}
          onClose={() => setAsking(false)}
        >
          <p>{t('portal.app.delete.text')}</p>
        </Confirm>
      ) : null}
    </Card>
  );
}

export function Settings({ app: name }: { app: string }) {
  return (
    <AppFrame name={name} title={t('portal.settings')}>
      {(app) =>
        app.declared ? (
          <Alert tone="info">{t('portal.app.declared')}</Alert>
        ) : (
          <div class="stack">
            <Describe app={app} />
            {app.role === 'owner' || app.role === 'admin' ? <End app={app} /> : null}
          </div>
        )
      }
    </AppFrame>
  );
}
