// SPDX-License-Identifier: Apache-2.0
//
// The few icons in use. Each stands beside words that say the same, so none is read aloud.
import type { ComponentChildren } from 'preact';
import type { Tone } from './tone.ts';

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

// The shape tells the state where its color does not.
export function ToneIcon({ tone }: { tone: Tone }) {
  switch (tone) {
    case 'good':
      return (
        <Icon>
          <circle cx="8" cy="8" r="6.25" />
          <path d="m5.4 8.2 1.8 1.8 3.4-3.8" />
        </Icon>
      );
    case 'warn':
      return (
        <Icon>
          <path d="M8 2.2 14.4 13.4H1.6Z" />
          <path d="M8 6.6v3M8 11.5v.1" />
        </Icon>
      );
    case 'bad':
      return (
        <Icon>
          <path d="M5.4 1.75h5.2l3.65 3.65v5.2l-3.65 3.65H5.4L1.75 10.6V5.4Z" />
          <path d="m6 6 4 4M10 6l-4 4" />
        </Icon>
      );
    case 'quiet':
      return (
        <Icon>
          <circle cx="8" cy="8" r="6.25" />
          <path d="M5.2 8h5.6" />
        </Icon>
      );
  }
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <rect width="24" height="24" rx="6" />
      <path d="M3 8h8c3 0 3 8 6 8h4M3 12h6c3 0 3 8 6 8h6" />
    </svg>
  );
}

export function PauseIcon() {
  return (
    <Icon>
      <path d="M5.5 3.5v9M10.5 3.5v9" />
    </Icon>
  );
}

export function PlayIcon() {
  return (
    <Icon>
      <path d="M5 3.2v9.6L12.6 8Z" />
    </Icon>
  );
}
