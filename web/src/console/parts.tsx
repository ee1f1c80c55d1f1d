// SPDX-License-Identifier: Apache-2.0
//
// What several of the console's pages show.
import { useState } from 'preact/hooks';
import type { Key as Word } from '../ui/i18n.ts';
import { t } from '../ui/i18n.ts';
import { Input } from '../ui/field.tsx';
import { Badge } from '../ui/show.tsx';
import type { Tone } from '../ui/tone.ts';

const WAIT_MS = 250;

const tones: Record<string, Tone> = {
  active: 'good',
  expiring: 'warn',
  unconfirmed: 'warn',
  expired: 'quiet',
  disabled: 'quiet',
  suspended: 'bad',
  revoked: 'bad',
};

export const State = ({ state }: { state: string }) => (
  <Badge tone={tones[state] ?? 'quiet'}>{t(`console.state.${state}` as Word)}</Badge>
);

// What is searched for, told when one has stopped typing.
export function useSearch(): [string, (text: string) => void] {
  const [text, setText] = useState('');
  const [timer, setTimer] = useState<ReturnType<typeof setTimeout>>();
  const type = (next: string): void => {
    clearTimeout(timer);
    setTimer(setTimeout(() => setText(next.trim()), WAIT_MS));
  };
  return [text, type];
}

export const Search = ({ label, onInput }: { label: string; onInput: (text: string) => void }) => (
  <div class="filters">
    <Input name="q" type="search" label={label} optional onInput={onInput} />
  </div>
);

export const withQuery = (path: string, query: string): string => (query ? `${path}?q=${encodeURIComponent(query)}` : path);
