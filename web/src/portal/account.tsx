// SPDX-License-Identifier: Apache-2.0
//
// One's own account: who one is, the password, where one is signed in.
import { useState } from 'preact/hooks';
import { agentParts } from '../ui/agent.ts';
import { Button } from '../ui/button.tsx';
import { outdated, type Page, type Person, send, session, useAction, useData, useList } from '../ui/data.ts';
import { faultOf, Input, Password, Select } from '../ui/field.tsx';
import { timeZone } from '../ui/format.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { type Key as Word, t } from '../ui/i18n.ts';
import { Badge, Card, Empty, PageHead, ProblemAlert, Skeleton, Time } from '../ui/show.tsx';
import { type Column, ListTable, Table } from '../ui/table.tsx';
import { toast } from '../ui/toast.tsx';
import type { AuditEntry } from '../ui/types.ts';

interface Browser {
  id: string;
  created: string;
  seen: string;
  expires: string;
  address: string;
  agent: string;
  current: boolean;
}

const names: Record<string, string> = { en: 'English', tr: 'Türkçe' };

// The name is the browser's to know: dates are written here.
function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function Profile({ person }: { person: Person }) {
  const [zone, setZone] = useState(person.time_zone);
  const strange = zone !== '' && !isZone(zone);
  const [language, setLanguage] = useState(person.locale);
  const { run, busy, problem } = useAction(async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const answer = await send<Person>('PATCH', '/api/v1/me', {
      name: String(fields.get('name') ?? ''),
      locale: language,
      time_zone: String(fields.get('time_zone') ?? ''),
    });
    // words, dates and numbers are those of the page's beginning
    if (answer.ok) location.reload();
    return answer;
  });
  return (
    <Card title={t('portal.profile')} class="inset narrow">
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!strange) void run(event.currentTarget);
        }}
      >
        <Input name="name" label={t('portal.profile.name')} value={person.name} autocomplete="name" maxLength={120} error={faultOf(problem, 'name')} />
        <Select
          name="locale"
          label={t('portal.profile.language')}
          value={language}
          onChange={setLanguage}
          options={[
            { value: '', label: t('portal.profile.browser') },
            ...session.value.site.languages.map((value) => ({ value, label: names[value] ?? value })),
          ]}
          error={faultOf(problem, 'locale')}
        />
        <Input
          name="time_zone"
          label={t('portal.profile.zone')}
          hint={t('portal.profile.zone.hint', { zone: timeZone() })}
          value={person.time_zone}
          optional
          maxLength={64}
          offers={Intl.supportedValuesOf('timeZone')}
          onInput={setZone}
          error={strange ? t('portal.profile.zone.strange') : faultOf(problem, 'time_zone')}
        />
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

function ChangePassword() {
  const { run, busy, problem } = useAction(async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const answer = await send('PUT', '/api/v1/me/password', {
      current: String(fields.get('current') ?? ''),
      password: String(fields.get('password') ?? ''),
    });
    if (answer.ok) {
      form.reset();
      outdated('/api/v1/sessions');
      toast(t('portal.password.done'));
    }
    return answer;
  });
  return (
    <Card title={t('portal.password')} class="inset narrow">
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void run(event.currentTarget);
        }}
      >
        <Password name="current" label={t('portal.password.current')} error={faultOf(problem, 'current')} />
        <Password name="password" label={t('portal.password.new')} hint={t('portal.password.hint')} fresh error={faultOf(problem, 'password')} />
        <ProblemAlert problem={problem} />
        <div class="actions">
          <Button type="submit" look="primary" busy={busy}>
            {t('portal.password.change')}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function SignOutOne({ browser }: { browser: Browser }) {
  const { run, busy } = useAction(async () => {
    const answer = await send('DELETE', `/api/v1/sessions/${browser.id}`);
    outdated('/api/v1/sessions');
    return answer;
  });
  if (browser.current) return <Badge tone="good">{t('portal.sessions.this')}</Badge>;
  return (
    <Button busy={busy} onClick={() => void run()}>
      {t('portal.sessions.end')}
    </Button>
  );
}

function Agent({ agent }: { agent: string }) {
  const { browser, system } = agentParts(agent);
  return <span title={agent}>{system ? t('portal.sessions.agent', { browser, system }) : browser}</span>;
}

const columns = (): Column<Browser>[] => [
  {
    label: t('portal.sessions.browser'),
    head: true,
    wide: true,
    cell: ({ agent }) => <Agent agent={agent} />,
  },
  { label: t('portal.sessions.address'), cell: (browser) => <code>{browser.address}</code> },
  { label: t('portal.sessions.seen'), cell: (browser) => <Time at={browser.seen} relative /> },
  { label: t('portal.actions'), hideLabel: true, align: 'end', cell: (browser) => <SignOutOne browser={browser} /> },
];

function Sessions() {
  const { data, problem, refresh } = useData<Page<Browser>>('/api/v1/sessions');
  const others = useAction(async () => {
    const answer = await send('DELETE', '/api/v1/sessions');
    outdated('/api/v1/sessions');
    return answer;
  });
  const more = (data?.items.length ?? 0) > 1;
  return (
    <Card
      title={t('portal.sessions')}
      actions={
        more ? (
          <Button busy={others.busy} onClick={() => void others.run()}>
            {t('portal.sessions.end_others')}
          </Button>
        ) : null
      }
    >
      {data ? (
        <Table caption={t('portal.sessions')} columns={columns()} rows={data.items} rowKey={(browser) => browser.id} />
      ) : problem ? (
        <ProblemAlert problem={problem} retry={refresh} />
      ) : (
        <Skeleton of="rows" lines={2} />
      )}
    </Card>
  );
}

const entryColumns = (email: string): Column<AuditEntry>[] => [
  { label: t('portal.audit.what'), head: true, wide: true, cell: (entry) => auditWords(entry) },
  { label: t('portal.audit.who'), cell: (entry) => (entry.actor === email ? t('portal.audit.you') : entry.actor) },
  { label: t('portal.sessions.address'), cell: (entry) => (entry.address ? <code>{entry.address}</code> : '–') },
  { label: t('portal.audit.when'), cell: (entry) => <Time at={entry.time} relative /> },
];

const ACTIONS = new Set([
  'account.confirmed', 'account.created', 'app.changed', 'app.created', 'app.deleted', 'app.resumed', 'app.suspended', 'key.changed',
  'key.disabled', 'key.enabled', 'key.issued', 'key.revoked', 'key.rotated', 'password.changed', 'password.reset', 'session.begun',
  'session.ended', 'session.ended_others', 'subscription.approved', 'subscription.asked', 'subscription.begun', 'subscription.rejected',
  'subscription.withdrawn',
]);

// An action that a newer version knows is told by its name.
const auditWords = ({ action, object }: AuditEntry) => {
  const [kind, what] = action.split('.');
  return (
    <>
      {ACTIONS.has(action) ? t(`portal.audit.${kind}.${what}` as Word) : <code>{action}</code>}
      {object.includes('@') ? null : <span class="note"> {object}</span>}
    </>
  );
};

function Happened({ email }: { email: string }) {
  const list = useList<AuditEntry>('/api/v1/audit?limit=20');
  return (
    <Card title={t('portal.audit')}>
      <ListTable
        list={list}
        caption={t('portal.audit')}
        columns={entryColumns(email)}
        rowKey={(entry) => entry.id}
        empty={<Empty icon="history" title={t('portal.audit.empty')} />}
      />
    </Card>
  );
}

export function Account() {
  const { data, problem, refresh } = useData<Person>('/api/v1/me');
  usePageTitle(t('portal.account'));
  return (
    <>
      <PageHead title={t('portal.account')} lead={data?.email ?? ' '} />
      <div class="stack">
        {data ? <Profile person={data} /> : problem ? <ProblemAlert problem={problem} retry={refresh} /> : <Skeleton lines={5} />}
        <ChangePassword />
        <Sessions />
        {data ? <Happened email={data.email} /> : null}
      </div>
    </>
  );
}
