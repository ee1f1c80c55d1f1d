// SPDX-License-Identifier: Apache-2.0
//
// An app's keys: what there is, and what can be done with each.
import { useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { outdated, send, useAction, useList } from '../ui/data.ts';
import { Confirm } from '../ui/dialog.tsx';
import { t } from '../ui/i18n.ts';
import { Empty, Time } from '../ui/show.tsx';
import { type Column, ListTable } from '../ui/table.tsx';
import { toast } from '../ui/toast.tsx';
import { EditKey } from './key_edit.tsx';
import { IssueKey, RotateKey } from './key_issue.tsx';
import { AppFrame, KeyState } from './parts.tsx';
import { type App, appPath, type Key } from './types.ts';

const AN_HOUR_MS = 3600_000;

type Deed = 'edit' | 'rotate' | 'revoke' | 'finish';
type Doing = { what: 'issue' } | { what: Deed; key: Key };

const mayWrite = (app: App): boolean => app.role !== 'viewer' && app.state === 'active';
const works = (key: Key): boolean => key.state === 'active' || key.state === 'expiring';

function Actions({ app, keyRow, onDo }: { app: App; keyRow: Key; onDo: (doing: Doing) => void }) {
  if (!mayWrite(app) || keyRow.state === 'revoked') return null;
  const act = (what: Deed) => () => onDo({ what, key: keyRow });
  return (
    <span class="actions">
      {works(keyRow) && !keyRow.successor ? (
        <Button look="quiet" icon="rotate" label={t('portal.key.rotate', { name: keyRow.name })} onClick={act('rotate')} />
      ) : null}
      {works(keyRow) && keyRow.successor ? (
        <Button look="quiet" icon="tick" label={t('portal.key.finish', { name: keyRow.name })} onClick={act('finish')} />
      ) : null}
      <Button look="quiet" icon="edit" label={t('portal.key.edit', { name: keyRow.name })} onClick={act('edit')} />
      <Button look="quiet" icon="trash" label={t('portal.key.revoke', { name: keyRow.name })} onClick={act('revoke')} />
    </span>
  );
}

// What it is called, and what sets it apart from the others.
function Names({ row, rows }: { row: Key; rows: readonly Key[] }) {
  const before = rows.find((key) => key.kid === row.rotated_from);
  return (
    <>
      <bdi class="name">{row.name}</bdi>
      <span class="note mono">{row.hint}</span>
      {row.allow.length ? <span class="note">{t('portal.key.only_from', { networks: row.allow.join(', ') })}</span> : null}
      {row.rotated_from ? <span class="note">{t('portal.key.replaces', { name: before?.name ?? row.rotated_from })}</span> : null}
    </>
  );
}

function Used({ use }: { use: Key['last_used'] }) {
  if (!use) return <>{t('portal.never')}</>;
  return (
    <span>
      <Time at={use.time} relative />
      <span class="note below">{t('portal.key.from', { address: use.address })}</span>
    </span>
  );
}

function Created({ row }: { row: Key }) {
  return (
    <span>
      <Time at={row.created} relative />
      {row.created_by ? <span class="note below">{t('portal.key.by', { who: row.created_by })}</span> : null}
    </span>
  );
}

function columns(app: App, rows: readonly Key[], onDo: (doing: Doing) => void): Column<Key>[] {
  return [
    {
      label: t('portal.key.name'),
      head: true,
      wide: true,
      cell: (key) => <Names row={key} rows={rows} />,
    },
    {
      label: t('portal.state'),
      cell: (key) => (
        <span>
          <KeyState state={key.state} />
          {key.held && key.state === 'disabled' ? <span class="note below">{t('portal.key.held')}</span> : null}
          {works(key) && key.successor ? <span class="note below">{t('portal.key.replaced')}</span> : null}
        </span>
      ),
    },
    { label: t('portal.key.used'), cell: (key) => <Used use={key.last_used} /> },
    { label: t('portal.key.expires'), cell: (key) => (key.state === 'revoked' ? '–' : key.expires ? <Time at={key.expires} relative /> : t('portal.never')) },
    { label: t('portal.created'), cell: (key) => <Created row={key} /> },
    {
      label: t('portal.actions'),
      hideLabel: true,
      align: 'end',
      cell: (key) => <Actions app={app} keyRow={key} onDo={onDo} />,
    },
  ];
}

// Whoever may be using it right now: its name must be typed then.
const isBusy = (key: Key): boolean =>
  key.last_used !== null && Date.now() - Date.parse(key.last_used.time) < AN_HOUR_MS;

function Revoke({ app, row, onClose }: { app: App; row: Key; onClose: () => void }) {
  const { run, busy, problem } = useAction(async () => {
    const answer = await send('DELETE', `${appPath(app.name)}/keys/${row.kid}`);
    if (answer.ok) {
      outdated(appPath(app.name));
      toast(t('portal.key.revoked.done', { name: row.name }));
      onClose();
    }
    return answer;
  });
  return (
    <Confirm
      title={t('portal.key.revoke.title')}
      verb={t('portal.key.revoke.verb')}
      {...(isBusy(row) ? { typed: row.name } : {})}
      busy={busy}
      problem={problem}
      onConfirm={() => void run()}
      onClose={onClose}
    >
      <p>{t('portal.key.revoke.text', { name: row.name })}</p>
      {isBusy(row) ? <p class="warn">{t('portal.key.revoke.busy')}</p> : null}
    </Confirm>
  );
}

// The end of a rotation: the old key goes, its successor has taken over.
function Finish({ app, row, onClose }: { app: App; row: Key; onClose: () => void }) {
  const { run, busy, problem } = useAction(async () => {
    const answer = await send('PATCH', `${appPath(app.name)}/keys/${row.kid}`, { expires_s: 0 });
    if (answer.ok) {
      outdated(appPath(app.name));
      toast(t('portal.key.finished', { name: row.name }));
      onClose();
    }
    return answer;
  });
  return (
    <Confirm
      title={t('portal.key.finish.title')}
      verb={t('portal.key.finish.verb')}
      {...(isBusy(row) ? { typed: row.name } : {})}
      busy={busy}
      problem={problem}
      onConfirm={() => void run()}
      onClose={onClose}
    >
      <p>{t('portal.key.finish.text', { name: row.name })}</p>
      {isBusy(row) ? <p class="warn">{t('portal.key.revoke.busy')}</p> : <p>{t('portal.key.finish.quiet')}</p>}
    </Confirm>
  );
}

function Doings({ app, doing, onClose }: { app: App; doing: Doing; onClose: () => void }) {
  switch (doing.what) {
    case 'issue':
      return <IssueKey app={app} onClose={onClose} />;
    case 'rotate':
      return <RotateKey app={app} row={doing.key} onClose={onClose} />;
    case 'edit':
      return <EditKey app={app} row={doing.key} onClose={onClose} />;
    case 'finish':
      return <Finish app={app} row={doing.key} onClose={onClose} />;
    case 'revoke':
      return <Revoke app={app} row={doing.key} onClose={onClose} />;
  }
}

function KeyList({ app, onDo }: { app: App; onDo: (doing: Doing) => void }) {
  const list = useList<Key>(`${appPath(app.name)}/keys`);
  const issue = (
    <Button look="primary" icon="plus" onClick={() => onDo({ what: 'issue' })}>
      {t('portal.key.issue')}
    </Button>
  );
  return (
    <section class="card">
      <ListTable
        list={list}
        caption={t('portal.keys')}
        columns={columns(app, list.data ?? [], onDo)}
        rowKey={(key) => key.kid}
        empty={
          <Empty icon="key" title={t('portal.keys.empty')} actions={mayWrite(app) ? issue : null}>
            <p>{t('portal.keys.empty.text')}</p>
          </Empty>
        }
      />
    </section>
  );
}

export function Keys({ app: name }: { app: string }) {
  const [doing, setDoing] = useState<Doing>();
  return (
    <AppFrame
      name={name}
      title={t('portal.keys')}
      actions={(app) =>
        mayWrite(app) ? (
          <Button look="primary" icon="plus" onClick={() => setDoing({ what: 'issue' })}>
            {t('portal.key.issue')}
          </Button>
        ) : null
      }
    >
      {(app) => (
        <>
          <KeyList app={app} onDo={setDoing} />
          {doing ? <Doings app={app} doing={doing} onClose={() => setDoing(undefined)} /> : null}
        </>
      )}
    </AppFrame>
  );
}
