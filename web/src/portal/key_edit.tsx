// SPDX-License-Identifier: Apache-2.0
//
// What may be changed about a key, in force at once.
import { useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { outdated, send, useAction } from '../ui/data.ts';
import { Dialog, DialogActions } from '../ui/dialog.tsx';
import { Check, faultOf, Input, TextArea } from '../ui/field.tsx';
import { t } from '../ui/i18n.ts';
import { Alert, ProblemAlert } from '../ui/show.tsx';
import { toast } from '../ui/toast.tsx';
import { networks } from './key_issue.tsx';
import { daysOf, Lifetime, usually } from './lifetime.tsx';
import { type App, appPath, type Key } from './types.ts';

export function EditKey({ app, row, onClose }: { app: App; row: Key; onClose: () => void }) {
  const [days, setDays] = useState(usually(''));
  const [enabled, setEnabled] = useState(row.state !== 'disabled');
  const { run, busy, problem } = useAction(async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const answer = await send('PATCH', `${appPath(app.name)}/keys/${row.kid}`, {
      name: String(fields.get('name') ?? ''),
      allow: networks(String(fields.get('allow') ?? '')),
      ...(enabled === (row.state !== 'disabled') ? {} : { enabled }), // only what changes is sent
      expires_days: daysOf(days), // undefined is not sent
    });
    if (answer.ok) {
      outdated(appPath(app.name));
      toast(t('portal.saved'));
      onClose();
    }
    return answer;
  });
  return (
    <Dialog title={t('portal.key.edit.title')} onClose={onClose}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void run(event.currentTarget);
        }}
      >
        <Input name="name" label={t('portal.key.name')} value={row.name} maxLength={128} error={faultOf(problem, 'name')} focus />
        <Lifetime stays value={days} onChange={setDays} error={faultOf(problem, 'expires_days')} />
        <TextArea name="allow" label={t('portal.key.allow')} hint={t('portal.key.allow.hint')} value={row.allow.join('\n')} optional mono error={faultOf(problem, 'allow')} />
        {row.held ? (
          <Alert tone="info">{t('portal.key.held.text')}</Alert>
        ) : (
          <Check name="enabled" label={t('portal.key.enabled')} hint={t('portal.key.enabled.hint')} checked={enabled} onChange={setEnabled} />
        )}
        <ProblemAlert problem={problem} />
        <DialogActions>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button type="submit" look="primary" busy={busy}>
            {t('portal.save')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
