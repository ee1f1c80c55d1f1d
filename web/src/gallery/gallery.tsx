// SPDX-License-Identifier: Apache-2.0
//
// Every component in every state, to look at and to measure: nothing here asks the server for anything. The
// buttons at the top show one color scheme or the other, whatever the system has.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { render } from 'preact';
import { LocationProvider } from 'preact-iso/router';
import { Button } from '../ui/button.tsx';
import { boot, session } from '../ui/data.ts';
import { Frame, usePageTitle, type WayGroup } from '../ui/frame.tsx';
import { type Key, speak, t } from '../ui/i18n.ts';
import type { IconName } from '../ui/icons.tsx';
import { PageHead } from '../ui/show.tsx';
import '../ui/ui.css';
import '../ui/app.css';
import '../ui/data.css';
import './gallery.css';
import { Actions, Dialogs, Fields } from './doing.tsx';
import { Colors, Spaces, Type } from './ground.tsx';
import { Graphs } from './graphs.tsx';
import { Messages, Numbers, Nothing, Tables, Texts, Ways } from './showing.tsx';

interface Section {
  id: string;
  icon: IconName;
  title: Key;
  show: () => ComponentChildren;
}

const sections: readonly Section[] = [
  { id: 'colors', icon: 'layers', title: 'gallery.colors', show: Colors },
  { id: 'type', icon: 'book', title: 'gallery.type', show: Type },
  { id: 'space', icon: 'apps', title: 'gallery.space', show: Spaces },
  { id: 'buttons', icon: 'plus', title: 'gallery.buttons', show: Actions },
  { id: 'fields', icon: 'edit', title: 'gallery.fields', show: Fields },
  { id: 'messages', icon: 'info', title: 'gallery.messages', show: Messages },
  { id: 'numbers', icon: 'gauge', title: 'gallery.numbers', show: Numbers },
  { id: 'tables', icon: 'log', title: 'gallery.tables', show: Tables },
  { id: 'graphs', icon: 'chart', title: 'gallery.graphs', show: Graphs },
  { id: 'nothing', icon: 'inbox', title: 'gallery.nothing', show: Nothing },
  { id: 'texts', icon: 'terminal', title: 'gallery.texts', show: Texts },
  { id: 'dialogs', icon: 'external', title: 'gallery.dialogs', show: Dialogs },
  { id: 'ways', icon: 'network', title: 'gallery.ways', show: Ways },
];

const schemes = ['light dark', 'light', 'dark'] as const;
const scheme = signal<(typeof schemes)[number]>('light dark');

function choose(wanted: (typeof schemes)[number]): void {
  scheme.value = wanted;
  document.documentElement.style.colorScheme = wanted === 'light dark' ? '' : wanted;
}

function Gallery() {
  usePageTitle(t('gallery.title'));
  const groups: WayGroup[] = [{ ways: sections.map(({ id, icon, title }) => ({ label: t(title), href: `#${id}`, icon })) }];
  const names = { 'light dark': t('gallery.system'), light: t('gallery.light'), dark: t('gallery.dark') };
  return (
    <LocationProvider scope={/^\/components$/}>
      <Frame home="/" groups={groups} account="/account">
        <PageHead
          title={t('gallery.title')}
          lead={t('gallery.lead')}
          actions={schemes.map((one) => (
            <Button key={one} look={scheme.value === one ? 'primary' : 'plain'} pressed={scheme.value === one} onClick={() => choose(one)}>
              {names[one]}
            </Button>
          ))}
        />
        {sections.map(({ id, title, show: Show }) => (
          <section key={id} id={id} class="sample" aria-labelledby={`${id}-title`}>
            <h2 id={`${id}-title`}>{t(title)}</h2>
            {/* what is drawn on a canvas has the colors of the moment it was drawn */}
            <Show key={id === 'graphs' ? scheme.value : id} />
          </section>
        ))}
      </Frame>
    </LocationProvider>
  );
}

boot(document.getElementById('boot')?.textContent);
await speak(session.value.locale, session.value.person?.time_zone);
const root = document.getElementById('app');
if (root) {
  root.replaceChildren();
  render(<Gallery />, root);
}
