// SPDX-License-Identifier: Apache-2.0
//
// An app's last calls, at a glance: what became of each, and the way to why.
import { ButtonLink } from '../ui/button.tsx';
import { type Page, useData, usePoll } from '../ui/data.ts';
import { milliseconds } from '../ui/format.ts';
import { t } from '../ui/i18n.ts';
import { Badge, Card, Skeleton, Time } from '../ui/show.tsx';
import type { Call } from '../ui/call.tsx';
import { statusTone } from '../ui/tone.ts';
import { type App, appPath } from './types.ts';

const SHOWN = 5;
const LOOK_MS = 5000;

// Nothing where there were no calls: the steps to the first one are shown then.
export function Recent({ app }: { app: App }) {
  const { data, problem, refresh } = useData<Page<Call>>(`${appPath(app.name)}/requests?limit=${SHOWN}`);
  usePoll(refresh, LOOK_MS);
  if (problem || data?.items.length === 0) return null;
  const base = `/apps/${app.name}/requests`;
  return (
    <Card title={t('portal.recent')} actions={<ButtonLink href={base}>{t('portal.recent.all')}</ButtonLink>}>
      {data ? (
        <ul class="rows recent">
          {data.items.map((call) => (
            <li key={call.id}>
              <Badge tone={statusTone(call.status)}>{String(call.status)}</Badge>
              <span class="grow">
                <a class="row-link mono" href={`/requests/${call.id}`}>
                  {call.method} <bdi>{call.path}</bdi>
                </a>
                {call.reason ? <code class="note">{call.reason}</code> : null}
              </span>
              <span class="amount">
                {milliseconds(call.duration_ms)}
                <span class="note">
                  <Time at={call.time} relative />
                </span>
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <Skeleton of="rows" lines={SHOWN} />
      )}
    </Card>
  );
}
