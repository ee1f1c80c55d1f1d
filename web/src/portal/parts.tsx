// SPDX-License-Identifier: Apache-2.0
//
// What several of the developer's pages show: an app's head with its tabs, states, limits in words.
import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso/router';
import { type Shown, useData } from '../ui/data.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { type Key as Word, t } from '../ui/i18n.ts';
import { Badge, PageHead, ProblemAlert, Skeleton, Tabs } from '../ui/show.tsx';
import type { Tone } from '../ui/tone.ts';
import { type App, type AppItem, appPath, type Key } from './types.ts';

const keyTones: Record<Key['state'], Tone> = {
  active: 'good',
  expiring: 'warn',
  expired: 'quiet',
  disabled: 'quiet',
  revoked: 'bad',
};

export const KeyState = ({ state }: { state: Key['state'] }) => (
  <Badge tone={keyTones[state]}>{t(`portal.key.${state}` as Word)}</Badge>
);

export function AppState({ app }: { app: AppItem }) {
  if (app.state === 'suspended') return <Badge tone="bad">{t('portal.app.suspended')}</Badge>;
  if (app.plan) return <Badge tone="good">{t('portal.app.active')}</Badge>;
  if (app.pending_plan) return <Badge tone="warn">{t('portal.app.waiting')}</Badge>;
  return <Badge tone="quiet">{t('portal.app.no_plan')}</Badge>;
}

interface AppFrameProps {
  name: string;
  title: string; // of this page
  actions?: (app: App) => ComponentChildren;
  children: (app: App, shown: Shown<App>) => ComponentChildren;
}

// A page of one app: who it is, the ways to its other pages, and the page when the app is known.
export function AppFrame({ name, title, actions, children }: AppFrameProps) {
  const shown = useData<App>(appPath(name));
  const { path } = useLocation();
  const app = shown.data;
  const base = `/apps/${name}`;
  usePageTitle(app ? `${title} · ${app.title}` : title);
  const tab = (label: string, way: string) => ({ label, href: base + way, current: path === base + way });
  return (
    <>
      <PageHead
        title={app?.title ?? ' '}
        crumbs={[{ label: t('portal.apps'), href: '/apps' }, { label: app?.title ?? name }]}
        badge={app ? <AppState app={app} /> : null}
        actions={app ? actions?.(app) : null}
      />
      <Tabs
        label={t('portal.app.tabs')}
        tabs={[
          tab(t('portal.overview'), ''),
          tab(t('portal.keys'), '/keys'),
          tab(t('portal.usage'), '/usage'),
          tab(t('portal.requests'), '/requests'),
          tab(t('portal.settings'), '/settings'),
        ]}
      />
      {app ? (
        children(app, shown)
      ) : shown.problem ? (
        <ProblemAlert problem={shown.problem} retry={shown.refresh} />
      ) : (
        <Skeleton of="rows" lines={4} />
      )}
    </>
  );
}
