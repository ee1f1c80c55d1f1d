// SPDX-License-Identifier: Apache-2.0
//
// New keys: what they are to be, and the one time they are seen.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { type Answer, get, outdated, send, useAction, usePoll } from '../ui/data.ts';
import { CodeBlock, Copy } from '../ui/copy.tsx';
import { Dialog, DialogActions } from '../ui/dialog.tsx';
import { Check, Choices, faultOf, Input, TextArea } from '../ui/field.tsx';
import { t } from '../ui/i18n.ts';
import { Icon } from '../ui/icons.tsx';
import { Alert, ProblemAlert } from '../ui/show.tsx';
import { daysOf, Lifetime, usually } from './lifetime.tsx';
import { type App, appPath, type Issued, type Key } from './types.ts';

const LOOK_MS = 1500;
const OVERLAPS = ['0', '3600', '86400', '604800'];
const OWN = 'own';
const OVERLAP_MOST_H = 720;

export const networks = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

// --- the one time it is seen ---

function FirstCall({ app, kid }: { app: App; kid: string }) {
  const [seen, setSeen] = useState(false);
  const look = useMemo(
    () => async () => {
      const answer = await get<Key>(`${appPath(app.name)}/keys/${kid}`);
      if (answer.ok && answer.data.last_used) setSeen(true);
    },
    [app.name, kid],
  );
  usePoll(look, seen ? 0 : LOOK_MS);
  return (
    <p class={seen ? 'seen good' : 'seen'} role="status">
      {seen ? <Icon name="tick" /> : <span class="pulse" aria-hidden="true" />}
      {seen ? t('portal.sheet.seen') : t('portal.sheet.waiting')}
    </p>
  );
}

const envFile = (issued: Issued): string =>
  `data:text/plain;charset=utf-8,${encodeURIComponent(`WEIR_API_KEY=${issued.secret}\n`)}`;

function Sheet({ app, issued, onClose }: { app: App; issued: Issued; onClose: () => void }) {
  const [stored, setStored] = useState(false);
  // what is shown once is not lost by a reload or a closed tab without a question
  useEffect(() => {
    if (stored) return undefined;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [stored]);
  return (
    <Dialog title={t('portal.sheet.title')} onClose={onClose} sheet hold>
      <div class="stack">
        <Alert tone="warn">{t('portal.sheet.once')}</Alert>
        <div class="secret">
          <output aria-label={t('portal.sheet.secret')}>{issued.secret}</output>
          <span class="actions">
            <Copy text={issued.secret} label={t('portal.sheet.copy')} look="primary" />
            <a class="button" href={envFile(issued)} download=".env">
              <Icon name="download" />
              {t('portal.sheet.env')}
            </a>
          </span>
        </div>
        {issued.curl ? (
          <>
            <h3>{t('portal.sheet.call')}</h3>
            <CodeBlock text={issued.curl} label={t('portal.sheet.curl')} />
            <FirstCall app={app} kid={issued.key.kid} />
          </>
        ) : (
          <Alert tone="info">{issued.pending_plan ? t('portal.sheet.pending') : t('portal.sheet.no_plan')}</Alert>
        )}
        <Check name="stored" label={t('portal.sheet.stored')} checked={stored} onChange={setStored} />
        <DialogActions>
          <Button look="primary" disabled={!stored} onClick={onClose}>
            {t('portal.sheet.done')}
          </Button>
        </DialogActions>
      </div>
    </Dialog>
  );
}

// Asks, and shows what came of it. The wish has a name of its own from the moment the dialog is opened: pressed
// twice, from two tabs or over a bad line, it issues one key.
function useIssue(app: App, path: string) {
  const [issued, setIssued] = useState<Issued>();
  const wish = useMemo(() => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join(''), []);
  const action = useAction(async (fields: object): Promise<Answer<Issued>> => {
    const answer = await send<Issued>('POST', path, { ...fields, wish });
    if (answer.ok) {
      setIssued(answer.data);
      outdated(appPath(app.name));
    }
    return answer;
  });
  return { issued, ...action };
}

// --- a new one ---

export function IssueKey({ app, onClose }: { app: App; onClose: () => void }) {
  const { issued, run, busy, problem } = useIssue(app, `${appPath(app.name)}/keys`);
  const [days, setDays] = useState(usually('90'));
  const [env, setEnv] = useState('live');
  if (issued) return <Sheet app={app} issued={issued} onClose={onClose} />;
  return (
    <Dialog title={t('portal.key.issue')} onClose={onClose}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const fields = new FormData(event.currentTarget);
          const allow = networks(String(fields.get('allow') ?? ''));
          void run({ name: String(fields.get('name') ?? ''), env, expires_days: daysOf(days), ...(allow.length && { allow }) });
        }}
      >
        <Input name="name" label={t('portal.key.name')} hint={t('portal.key.name.hint')} maxLength={128} error={faultOf(problem, 'name')} focus />
        <Lifetime value={days} onChange={setDays} error={faultOf(problem, 'expires_days')} />
        <Choices
          inline
          label={t('portal.key.env')}
          name="env"
          value={env}
          onChange={setEnv}
          choices={[
            { value: 'live', label: t('portal.key.live') },
            { value: 'test', label: t('portal.key.test') },
          ]}
        />
        <TextArea name="allow" label={t('portal.key.allow')} hint={t('portal.key.allow.hint')} optional mono error={faultOf(problem, 'allow')} />
        <ProblemAlert problem={problem} />
        <DialogActions>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button type="submit" look="primary" busy={busy}>
            {t('portal.key.issue.do')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

// --- one in place of another ---

const overlapWords = (seconds: string): string =>
  seconds === '0'
    ? t('portal.overlap.now')
    : Number(seconds) < 86400
      ? t('portal.hours', { count: Number(seconds) / 3600 })
      : t('portal.days', { count: Number(seconds) / 86400 });

export function RotateKey({ app, row, onClose }: { app: App; row: Key; onClose: () => void }) {
  const { issued, run, busy, problem } = useIssue(app, `${appPath(app.name)}/keys/${row.kid}/rotate`);
  const [overlap, setOverlap] = useState('86400');
  const [hours, setHours] = useState('48');
  if (issued) return <Sheet app={app} issued={issued} onClose={onClose} />;
  return (
    <Dialog title={t('portal.key.rotate.title')} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void run({ overlap_s: overlap === OWN ? Number(hours) * 3600 || -1 : Number(overlap) });
        }}
      >
        <p>{t('portal.key.rotate.text', { name: row.name })}</p>
        <Choices
          label={t('portal.key.overlap')}
          name="overlap"
          value={overlap}
          onChange={setOverlap}
          error={faultOf(problem, 'overlap_s')}
          choices={[
            ...OVERLAPS.map((seconds) => ({ value: seconds, label: overlapWords(seconds) })),
            { value: OWN, label: t('portal.overlap.own') },
          ]}
        />
        {overlap === OWN ? (
          <Input name="hours" type="number" label={t('portal.own_hours')} min={1} max={OVERLAP_MOST_H} value={hours} onInput={setHours} />
        ) : null}
        <ProblemAlert problem={problem} />
        <DialogActions>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button type="submit" look="primary" busy={busy}>
            {t('portal.key.rotate.verb')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
