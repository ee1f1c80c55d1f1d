// SPDX-License-Identifier: Apache-2.0
//
// Accounts, and invitations to make one.
import { useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { CodeBlock } from '../ui/copy.tsx';
import { type Answer, outdated, type Page, send, session, useAction, useData, useList } from '../ui/data.ts';
import { Confirm, Dialog, DialogActions } from '../ui/dialog.tsx';
import { faultOf, Input } from '../ui/field.tsx';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { Alert, Badge, Card, Empty, PageHead, ProblemAlert, Time } from '../ui/show.tsx';
import { type Column, ListTable, Table } from '../ui/table.tsx';
import { toast } from '../ui/toast.tsx';
import { Search, State, useSearch, withQuery } from './parts.tsx';
import type { Account, Invitation } from './types.ts';

type Deed = 'operator' | 'no_operator' | 'suspend' | 'resume';

const deeds: Record<Deed, Partial<Pick<Account, 'operator' | 'state'>>> = {
  operator: { operator: true },
  no_operator: { operator: false },
  suspend: { state: 'suspended' },
  resume: { state: 'active' },
};

// What gives or takes power is asked about; it is in force at once.
function Doing({ person, deed, onClose }: { person: Account; deed: Deed; onClose: () => void }) {
  const { run, busy, problem } = useAction(async () => {
    const answer = await send('PATCH', `/api/v1/people/${person.id}`, deeds[deed]);
    outdated('/api/v1/people');
    if (answer.ok) onClose();
    return answer;
  });
  return (
    <Confirm
      title={t(`console.person.${deed}.title`, { name: person.name })}
      verb={t(`console.person.${deed}`)}
      busy={busy}
      problem={problem}
      onConfirm={() => void run()}
      onClose={onClose}
    >
      <p>{t(`console.person.${deed}.text`, { email: person.email })}</p>
    </Confirm>
  );
}

function Actions({ person }: { person: Account }) {
  const [deed, setDeed] = useState<Deed>();
  if (person.id === session.value.person?.id) return <Badge tone="info">{t('console.you')}</Badge>;
  const [role, state]: Deed[] = [person.operator ? 'no_operator' : 'operator', person.state === 'suspended' ? 'resume' : 'suspend'];
  return (
    <span class="actions">
      {[role, state].map((one) =>
        one ? (
          <Button key={one} look="quiet" onClick={() => setDeed(one)}>
            {t(`console.person.${one}`)}
          </Button>
        ) : null,
      )}
      {deed ? <Doing person={person} deed={deed} onClose={() => setDeed(undefined)} /> : null}
    </span>
  );
}

const columns = (): Column<Account>[] => [
  {
    label: t('console.person'),
    head: true,
    wide: true,
    cell: (person) => (
      <>
        <bdi class="name">{person.name}</bdi>
        <span class="note">{person.email}</span>
      </>
    ),
  },
  { label: t('console.state'), cell: (person) => <State state={person.state} /> },
  { label: t('console.role'), cell: (person) => (person.operator ? t('console.operator') : t('console.developer')) },
  { label: t('console.signed_in'), cell: (person) => (person.signed_in ? <Time at={person.signed_in} relative /> : '–') },
  { label: t('console.created'), cell: (person) => <Time at={person.created} relative /> },
  { label: t('console.actions'), hideLabel: true, align: 'end', cell: (person) => <Actions person={person} /> },
];

interface Made {
  link: string;
  mailed: boolean;
}

function Invite({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<Made>();
  const { run, busy, problem } = useAction(async (form: HTMLFormElement): Promise<Answer<Made>> => {
    const email = String(new FormData(form).get('email') ?? '').trim();
    const answer = await send<Made>('POST', '/api/v1/invitations', email ? { email } : {});
    if (answer.ok) {
      setMade(answer.data);
      outdated('/api/v1/invitations');
    }
    return answer;
  });
  if (made)
    return (
      <Dialog title={t('console.invited')} onClose={onClose}>
        <div class="stack">
          <Alert tone="info">{made.mailed ? t('console.invited.mailed') : t('console.invited.once')}</Alert>
          <CodeBlock text={made.link} label={t('console.invited.link')} />
          <DialogActions>
            <Button look="primary" onClick={onClose}>
              {t('ui.close')}
            </Button>
          </DialogActions>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={t('console.invite')} onClose={onClose}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void run(event.currentTarget);
        }}
      >
        <Input name="email" type="email" label={t('console.invite.email')} hint={t('console.invite.hint')} optional error={faultOf(problem, 'email')} focus />
        <ProblemAlert problem={problem} />
        <DialogActions>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button type="submit" look="primary" busy={busy}>
            {t('console.invite.do')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function TakeBack({ invitation }: { invitation: Invitation }) {
  const { run, busy, problem } = useAction(async () => {
    const answer = await send('DELETE', `/api/v1/invitations/${invitation.id}`);
    outdated('/api/v1/invitations');
    if (answer.ok) toast(t('console.invitation.taken'));
    return answer;
  });
  return (
    <span class="actions">
      <Button look="quiet" busy={busy} onClick={() => void run()}>
        {t('console.invitation.take')}
      </Button>
      <ProblemAlert problem={problem} />
    </span>
  );
}

const invitationColumns = (): Column<Invitation>[] => [
  {
    label: t('console.invite.email'),
    head: true,
    wide: true,
    cell: (invitation) => <span class="name">{invitation.email || t('console.invitation.any')}</span>,
  },
  { label: t('console.created'), cell: (invitation) => <Time at={invitation.created} relative /> },
  { label: t('console.invitation.expires'), cell: (invitation) => <Time at={invitation.expires} relative /> },
  { label: t('console.actions'), hideLabel: true, align: 'end', cell: (invitation) => <TakeBack invitation={invitation} /> },
];

// Those that were not used yet; nothing where there are none.
function Invitations() {
  const { data, problem, refresh } = useData<Page<Invitation>>('/api/v1/invitations');
  if (problem) return <ProblemAlert problem={problem} retry={refresh} />;
  if (!data?.items.length) return null;
  return (
    <Card title={t('console.invitations')}>
      <Table caption={t('console.invitations')} columns={invitationColumns()} rows={data.items} rowKey={({ id }) => id} />
    </Card>
  );
}

export function People() {
  const [query, type] = useSearch();
  const [inviting, setInviting] = useState(false);
  const list = useList<Account>(withQuery('/api/v1/people', query));
  usePageTitle(t('console.people'));
  return (
    <>
      <PageHead
        title={t('console.people')}
        actions={
          <Button look="primary" icon="plus" onClick={() => setInviting(true)}>
            {t('console.invite')}
          </Button>
        }
      />
      <section class="card">
        <Search label={t('console.search.people')} onInput={type} />
        <ListTable list={list} caption={t('console.people')} columns={columns()} rowKey={(person) => person.id} empty={<Empty icon="people" title={t('console.nothing')} />} />
      </section>
      <Invitations />
      {inviting ? <Invite onClose={() => setInviting(false)} /> : null}
    </>
  );
}
