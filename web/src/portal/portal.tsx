// SPDX-License-Identifier: Apache-2.0
//
// The developer's pages. What is looked at less often is loaded when it is.
import { render } from 'preact';
import lazy from 'preact-iso/lazy';
import { LocationProvider, Route, Router } from 'preact-iso/router';
import { boot, session } from '../ui/data.ts';
import { focusPage, Frame, type WayGroup } from '../ui/frame.tsx';
import { speak, t } from '../ui/i18n.ts';
import '../ui/ui.css';
import '../ui/app.css';
import '../ui/data.css';
import './portal.css';
import { AppPage } from './app.tsx';
import { Apps } from './apps.tsx';
import { Keys } from './keys.tsx';
import { Missing } from './missing.tsx';
import { NewApp } from './new_app.tsx';

const Account = lazy(() => import('./account.tsx').then((module) => module.Account));
const Requests = lazy(() => import('./requests.tsx').then((module) => module.Requests));
const Settings = lazy(() => import('./settings.tsx').then((module) => module.Settings));
const Usage = lazy(() => import('./usage.tsx').then((module) => module.Usage));

const groups = (): WayGroup[] => [
  {
    ways: [
      { label: t('portal.apps'), href: '/apps', icon: 'apps' },
      { label: t('portal.account'), href: '/account', icon: 'person' },
    ],
  },
  {
    label: t('portal.nav.more'),
    ways: [
      { label: t('portal.nav.catalog'), href: '/', icon: 'layers' },
      { label: t('portal.nav.problems'), href: '/problems/', icon: 'info' },
    ],
  },
];

function Portal() {
  return (
    <LocationProvider scope={/^\/(apps|account)(\/|$)/}>
      <Frame home="/" groups={groups()} account="/account">
        <Router onRouteChange={focusPage}>
          <Route path="/apps" component={Apps} />
          <Route path="/apps/new" component={NewApp} />
          <Route path="/apps/:app" component={AppPage} />
          <Route path="/apps/:app/keys" component={Keys} />
          <Route path="/apps/:app/usage" component={Usage} />
          <Route path="/apps/:app/requests" component={Requests} />
          <Route path="/apps/:app/settings" component={Settings} />
          <Route path="/account" component={Account} />
          <Route default component={Missing} />
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
  render(<Portal />, root);
}
