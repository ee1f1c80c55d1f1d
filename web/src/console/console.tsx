// SPDX-License-Identifier: Apache-2.0
//
// The operator's pages. What is looked at less often is loaded when it is.
import { render } from 'preact';
import lazy from 'preact-iso/lazy';
import { LocationProvider, Route, Router } from 'preact-iso/router';
import { boot, session, useData } from '../ui/data.ts';
import { focusPage, Frame, type WayGroup } from '../ui/frame.tsx';
import { speak, t } from '../ui/i18n.ts';
import '../ui/ui.css';
import '../ui/app.css';
import '../ui/data.css';
import './console.css';
import { Overview } from './overview.tsx';
import type { Overview as OverviewData } from './types.ts';

const Apps = lazy(() => import('./apps.tsx').then((module) => module.Apps));
const AppPage = lazy(() => import('./app.tsx').then((module) => module.AppPage));
const People = lazy(() => import('./people.tsx').then((module) => module.People));
const Approvals = lazy(() => import('./approvals.tsx').then((module) => module.Approvals));
const Keys = lazy(() => import('./keys.tsx').then((module) => module.Keys));
const Requests = lazy(() => import('./requests.tsx').then((module) => module.Requests));
const OneRequest = lazy(() => import('./request.tsx').then((module) => module.OneRequest));
const Apis = lazy(() => import('./apis.tsx').then((module) => module.Apis));
const Plans = lazy(() => import('./plans.tsx').then((module) => module.Plans));
const Mails = lazy(() => import('./mails.tsx').then((module) => module.Mails));
const Audit = lazy(() => import('./audit.tsx').then((module) => module.Audit));
const Settings = lazy(() => import('./settings.tsx').then((module) => module.Settings));

const groups = (waiting: number): WayGroup[] => [
  {
    ways: [
      { label: t('console.overview'), href: '/overview', icon: 'activity' },
      { label: t('console.requests'), href: '/requests', icon: 'log' },
    ],
  },
  {
    label: t('console.group.people'),
    ways: [
      { label: t('console.approvals'), href: '/approvals', icon: 'checks', count: waiting },
      { label: t('console.apps'), href: '/apps', icon: 'apps' },
      { label: t('console.keys'), href: '/keys', icon: 'key' },
      { label: t('console.people'), href: '/people', icon: 'people' },
    ],
  },
  {
    label: t('console.group.installation'),
    ways: [
      { label: t('console.api.title'), href: '/apis', icon: 'layers' },
      { label: t('console.plans'), href: '/plans', icon: 'gauge' },
      { label: t('console.mails'), href: '/mails', icon: 'mail' },
      { label: t('console.audit'), href: '/audit', icon: 'history' },
      { label: t('console.settings'), href: '/settings', icon: 'settings' },
    ],
  },
];

function Console() {
  const { data } = useData<OverviewData>('/api/v1/overview');
  return (
    <LocationProvider scope={/^\/(overview|requests|approvals|apps|keys|people|apis|plans|mails|audit|settings)(\/|$)/}>
      <Frame home="/overview" groups={groups(data?.counts.pending ?? 0)} account="/overview" kind={t('console.name')}>
        <Router onRouteChange={focusPage}>
          <Route path="/overview" component={Overview} />
          <Route path="/requests" component={Requests} />
          <Route path="/requests/:id" component={OneRequest} />
          <Route path="/approvals" component={Approvals} />
          <Route path="/apps" component={Apps} />
          <Route path="/apps/:app" component={AppPage} />
          <Route path="/keys" component={Keys} />
          <Route path="/people" component={People} />
          <Route path="/apis" component={Apis} />
          <Route path="/plans" component={Plans} />
          <Route path="/mails" component={Mails} />
          <Route path="/audit" component={Audit} />
          <Route path="/settings" component={Settings} />
        </Router>
      </Frame>
    </LocationProvider>
  );
}

boot(document.getElementById('boot')?.textContent);
await speak(session.value.locale, session.value.person?.time_zone);
const root = document.getElementById('app');
if (root) {
  root.replaceChildren();
  render(<Console />, root);
}
