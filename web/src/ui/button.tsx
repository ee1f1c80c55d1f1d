// SPDX-License-Identifier: Apache-2.0
//
// Buttons, and links that look like them.
import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icons.tsx';

type Look = 'plain' | 'primary' | 'quiet' | 'danger';

interface ButtonProps {
  children?: ComponentChildren;
  look?: Look;
  icon?: IconName;
  label?: string; // instead of children: only the icon is seen, these are its words
  type?: 'button' | 'submit';
  busy?: boolean; // keeps its width and its focus, and does nothing
  disabled?: boolean;
  onClick?: (event: MouseEvent) => void;
  pressed?: boolean;
  expanded?: boolean;
  controls?: string;
  class?: string;
}

export function Button(props: ButtonProps) {
  const { children, look = 'plain', icon, label, type = 'button', busy = false, disabled = false, onClick } = props;
  const classes = [look === 'plain' ? '' : look, label ? 'only-icon' : '', busy ? 'busy' : '', props.class ?? ''];
  return (
    <button
      type={type}
      class={classes.filter(Boolean).join(' ')}
      disabled={disabled}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      aria-controls={props.controls}
      aria-label={label}
      title={label}
      onClick={(event) => {
        // a button that sends a form is stopped as well
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {icon ? <Icon name={icon} /> : null}
      {children}
    </button>
  );
}

interface LinkProps {
  children: ComponentChildren;
  href: string;
  look?: Look;
  icon?: IconName;
  download?: string;
  title?: string;
}

export function ButtonLink({ children, href, look = 'plain', icon, download, title }: LinkProps) {
  return (
    <a class={`button ${look === 'plain' ? '' : look}`} href={href} download={download} title={title}>
      {icon ? <Icon name={icon} /> : null}
      {children}
    </a>
  );
}
