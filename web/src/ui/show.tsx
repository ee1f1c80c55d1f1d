// SPDX-License-Identifier: Apache-2.0
//
// What only shows: states, messages, figures, headings, what there is where nothing is.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Button } from './button.tsx';
import type { Problem } from './data.ts';
import { ago, clockSeconds, count, dateTime, dayMonth, exact, share } from './format.ts';
import { t } from './i18n.ts';
import { Icon, type IconName, ToneIcon } from './icons.tsx';
import type { Tone } from './tone.ts';

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      <ToneIcon tone={tone} />
      {children}
    </span>
  );
}

interface AlertProps {
  tone: Tone;
  title?: string;
  children?: ComponentChildren;
  live?: boolean; // it came up by itself and is read out
}

export function Alert({ tone, title, children, live }: AlertProps) {
  return (
    <div class={`alert ${tone}`} role={live ? (tone === 'bad' ? 'alert' : 'status') : undefined}>
      <ToneIcon tone={tone} />
      <div>
        {title ? <p class="alert-title">{title}</p> : null}
        {typeof children === 'string' ? <p>{children}</p> : children}
      </div>
    </div>
  );
}

// What went wrong, in the person's words where we have them; the server's own sentence stands below.
export function ProblemAlert({ problem, retry }: { problem: Problem | undefined; retry?: () => unknown }) {
  if (!problem) return null;
  const words = {
    0: t('problem.away'),
    401: t('problem.401'),
    403: t('problem.403'),
    404: t('problem.404'),
    409: t('problem.409'),
    422: t('problem.422'),
    429: t('problem.429'),
    503: t('problem.503'),
  }[problem.status];
  return (
    <Alert tone="bad" title={words ?? t('problem.unknown')} live>
      {problem.detail && problem.errors.length === 0 ? <p lang="en">{problem.detail}</p> : null}
      {retry ? (
        <p>
          <Button icon="rotate" onClick={() => void retry()}>
            {t('ui.again')}
          </Button>
        </p>
      ) : null}
    </Alert>
  );
}

interface CardProps {
  title?: string;
  note?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
}

export function Card({ title, note, actions, children, class: extra = '' }: CardProps) {
  const id = useId();
  return (
    <section class={`card ${extra}`} aria-labelledby={title ? id : undefined}>
      {title ? (
        <header>
          <h2 id={id}>{title}</h2>
          {note ? <p class="note">{note}</p> : null}
          {actions ? <div class="actions">{actions}</div> : null}
        </header>
      ) : null}
      {children}
    </section>
  );
}

interface StatProps {
  label: string;
  value: string;
  note?: ComponentChildren;
  tone?: Tone;
}

export function Stat({ label, value, note, tone }: StatProps) {
  return (
    <div class="stat">
      <dt>{label}</dt>
      <dd class={`value ${tone ?? ''}`}>{value}</dd>
      {note ? <dd class="note">{note}</dd> : null}
    </div>
  );
}

export function Stats({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <dl class="stats" aria-label={label}>
      {children}
    </dl>
  );
}

interface MeterProps {
  label: string;
  used: number;
  limit: number;
  note?: ComponentChildren;
}

// How much of a limit is used: a bar, the numbers, and from four fifths on a word of warning.
export function Meter({ label, used, limit, note }: MeterProps) {
  const id = useId();
  const part = limit > 0 ? used / limit : 0;
  const tone = part >= 1 ? 'bad' : part >= 0.8 ? 'warn' : 'good';
  return (
    <div class={`quota ${tone}`}>
      <p class="quota-head">
        <span class="name" id={id}>
          {label}
        </span>
        {tone === 'good' ? null : <Badge tone={tone}>{tone === 'bad' ? t('ui.meter.full') : t('ui.meter.near')}</Badge>}
        <span class="quota-numbers">
          <b>{count(used)}</b> <span class="note">{t('ui.meter.of', { limit })}</span>
        </span>
      </p>
      <meter aria-labelledby={id} min={0} max={limit || 1} low={limit * 0.8} high={limit * 0.999} optimum={0} value={used}>
        {share(used, limit)}
      </meter>
      {note ? <p class="note">{note}</p> : null}
    </div>
  );
}

interface EmptyProps {
  icon: IconName;
  title: string;
  children?: ComponentChildren; // what it is for and what comes next
  actions?: ComponentChildren;
}

export function Empty({ icon, title, children, actions }: EmptyProps) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      {children ? <div class="empty-text">{children}</div> : null}
      {actions ? <div class="actions">{actions}</div> : null}
    </div>
  );
}

// Room for what is on its way: as many lines as will come, so that nothing moves when they do.
export function Skeleton({ lines = 3, of = 'text' }: { lines?: number; of?: 'text' | 'rows' | 'stats' | 'graph' }) {
  return (
    <div class={`skeleton of-${of}`} role="status">
      <span class="unseen">{t('ui.loading')}</span>
      {Array.from({ length: of === 'graph' ? 1 : lines }, (_, i) => (
        <span key={i} class="bone" />
      ))}
    </div>
  );
}

export interface Crumb {
  label: string;
  href?: string;
}

export function Breadcrumb({ crumbs }: { crumbs: readonly Crumb[] }) {
  return (
    <nav class="crumbs" aria-label={t('ui.crumbs')}>
      <ol>
        {crumbs.map((crumb) => (
          <li key={crumb.label}>
            {crumb.href ? (
              <a href={crumb.href}>
                <bdi>{crumb.label}</bdi>
              </a>
            ) : (
              <span aria-current="page">
                <bdi>{crumb.label}</bdi>
              </span>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

interface PageHeadProps {
  title: string;
  level?: 1 | 3; // 3 where it is not a page's own: in the page of components
  crumbs?: readonly Crumb[];
  badge?: ComponentChildren;
  lead?: ComponentChildren;
  actions?: ComponentChildren;
}

export function PageHead({ title, level = 1, crumbs, badge, lead, actions }: PageHeadProps) {
  const Heading = level === 1 ? 'h1' : 'h3';
  return (
    <header class="page-head">
      {crumbs ? <Breadcrumb crumbs={crumbs} /> : null}
      <div class="page-title">
        <Heading dir="auto">{title}</Heading>
        {badge}
        {actions ? <div class="actions">{actions}</div> : null}
      </div>
      {lead ? <p class="lead">{lead}</p> : null}
    </header>
  );
}

export interface Tab {
  label: string;
  href: string;
  current: boolean;
}

// Where there is no room for all, the current one is brought into view.
export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  const box = useRef<HTMLElement>(null);
  const here = tabs.find((tab) => tab.current)?.href;
  useEffect(() => {
    const current = box.current?.querySelector<HTMLElement>('[aria-current]');
    if (box.current && current) box.current.scrollLeft = current.offsetLeft - box.current.offsetLeft - 40;
  }, [here]);
  return (
    <nav class="tabs" aria-label={label} ref={box}>
      {tabs.map((tab) => (
        <a key={tab.href} href={tab.href} aria-current={tab.current ? 'page' : undefined}>
          {tab.label}
        </a>
      ))}
    </nav>
  );
}

// A moment: when exactly it was shows when pointed at.
export function Time({ at, relative }: { at: string | null; relative?: boolean }) {
  if (!at) return <>–</>;
  return (
    <time dateTime={at} title={exact(at)}>
      {relative ? ago(at, Date.now()) : dateTime(at)}
    </time>
  );
}

export interface Fact {
  label: string;
  value: ComponentChildren;
}

export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts.map((fact) => (
        <div key={fact.label}>
          <dt>{fact.label}</dt>
          <dd>{fact.value}</dd>
        </div>
      ))}
    </dl>
  );
}

// When something happened among much that did: to the second, the day beside it.
export const Moment = ({ at }: { at: string }) => (
  <time dateTime={at} title={exact(at)}>
    {clockSeconds(at)} <span class="note">{dayMonth(at)}</span>
  </time>
);
