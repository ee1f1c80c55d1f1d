// SPDX-License-Identifier: Apache-2.0
//
// The tokens themselves: colors, type, space.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../ui/i18n.ts';

// A style of its own goes through the CSSOM: in the markup it is against the page's policy.
function Styled({ name, value, class: extra, children }: { name: string; value: string; class: string; children?: ComponentChildren }) {
  const element = useRef<HTMLSpanElement>(null);
  useEffect(() => element.current?.style.setProperty(name, value), [name, value]);
  return (
    <span ref={element} class={extra}>
      {children}
    </span>
  );
}

const colors = [
  ['ground', 'surface', 'raised', 'sunken', 'line', 'line-strong', 'text', 'text-soft'],
  ['accent', 'accent-solid', 'accent-soft', 'good', 'good-soft', 'warn', 'warn-soft', 'bad', 'bad-soft', 'bad-solid'],
  ['series-1', 'series-2', 'series-3', 'series-4', 'series-5', 'series-6'],
];

export const Colors = () => (
  <>
    {colors.map((row) => (
      <ul key={row[0]} class="colors">
        {row.map((name) => (
          <li key={name}>
            <Styled class="color" name="background" value={`var(--${name})`} />
            <code>{name}</code>
          </li>
        ))}
      </ul>
    ))}
  </>
);

const sizes = ['3xl', '2xl', 'xl', 'l', 'm', 's', 'xs'];

export const Type = () => (
  <div class="card pad stack">
    {sizes.map((size) => (
      <p key={size} class="type-row">
        <code class="note">size-{size}</code>
        <Styled class="type-sample" name="font-size" value={`var(--size-${size})`}>
          {t('gallery.sentence')}
        </Styled>
      </p>
    ))}
    <p class="type-row">
      <code class="note">mono</code>
      <code>weir_live_4fGh81Zq 0123456789</code>
    </p>
  </div>
);

const spaces = ['s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8'];
const corners = ['radius-s', 'radius', 'radius-l'];

export const Spaces = () => (
  <div class="card pad stack">
    <ul class="spaces">
      {spaces.map((name) => (
        <li key={name}>
          <Styled class="space" name="inline-size" value={`var(--${name})`} />
          <code class="note">{name}</code>
        </li>
      ))}
    </ul>
    <ul class="spaces">
      {corners.map((name) => (
        <li key={name}>
          <Styled class="corner" name="border-radius" value={`var(--${name})`} />
          <code class="note">{name}</code>
        </li>
      ))}
    </ul>
  </div>
);
