// SPDX-License-Identifier: Apache-2.0
//
// The frame of portal and console: the ways through it, at the side where there is room, else in a bar above;
// who one is; the page.
import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso/router';
import { useEffect, useState } from 'preact/hooks';
import { Button } from './button.tsx';
import { send, session } from './data.ts';
import { t } from './i18n.ts';
import { Icon, type IconName, Mark } from './icons.tsx';
import { Toasts } from './toast.tsx';

export interface Way {
  label: string;
  href: string;
  icon: IconName;
  count?: number; // what waits there
}

export interface WayGroup {
  label?: string;
  ways: readonly Way[];
}

// The way whose path is the longest beginning of where one is.
function current(groups: readonly WayGroup[], path: string): string {
  const here = groups
    .flatMap((group) => group.ways)
    .filter(({ href }) => path === href || path.startsWith(href === '/' ? '\0' : `${href}/`));
  return here.sort((a, b) => b.href.length - a.href.length)[0]?.href ?? '';
}

async function signOut(): Promise<void> {
  await send('DELETE', '/api/v1/session');
  location.assign('/sign-in');
}

function Account({ href }: { href: string }) {
  const person = session.value.person;
  if (!person) return null;
  return (
    <div class="account">
      <a href={href}>
        <span class="unseen">{t('nav.account')}: </span>
        <span class="face" aria-hidden="true">
          {[...person.name.trim()][0]?.toLocaleUpperCase() ?? '·'}
        </span>
        <span class="grow">
          <span class="name" dir="auto">
            {person.name}
          </span>
          <span class="note">{person.email}</span>
        </span>
      </a>
      <Button look="quiet" icon="leave" label={t('nav.sign_out')} onClick={() => void signOut()} />
    </div>
  );
}

interface FrameProps {
  home: string;
  groups: readonly WayGroup[];
  account: string; // the page of one's own account
  kind?: string; // beside the name: "Console"
  children: ComponentChildren;
}

export function Frame({ home, groups, account, kind, children }: FrameProps) {
  const { path } = useLocation();
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  const here = current(groups, path);
  return (
    <div class="frame">
      <a class="skip button" href="#main">
        {t('nav.skip')}
      </a>
      <header class={open ? 'side open' : 'side'}>
        <div class="side-top">
          <a class="brand" href={home}>
            {session.value.site.logo ? <img class="mark" src="/logo.svg" alt="" /> : <Mark />}
            <span>
              {session.value.site.title}
              {kind ? <span class="kind">{kind}</span> : null}
            </span>
          </a>
          <Button
            class="menu"
            look="quiet"
            icon={open ? 'close' : 'menu'}
            label={open ? t('nav.close') : t('nav.open')}
            expanded={open}
            controls="ways"
            onClick={() => setOpen(!open)}
          />
        </div>
        <div class="side-body" id="ways">
          <nav aria-label={t('nav.main')}>
            {groups.map((group, i) => (
              <div key={i} class="ways">
                {group.label ? <p class="note">{group.label}</p> : null}
                <ul>
                  {group.ways.map((way) => (
                    <li key={way.href}>
                      <a href={way.href} aria-current={way.href === here ? 'page' : undefined}>
                        <Icon name={way.icon} />
                        {way.label}
                        {way.count ? <span class="count">{way.count}</span> : null}
                      </a>
                    </li>
                  ))}
                </ul>
              </div>
            ))}
          </nav>
          <Account href={account} />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <Toasts />
    </div>
  );
}

// After a change of page: its title, and the focus where its content begins, as a whole page would have it.
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${session.value.site.title}`;
  }, [title]);
}

export const focusPage = (): void => document.getElementById('main')?.focus({ preventScroll: true });
