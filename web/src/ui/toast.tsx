// SPDX-License-Identifier: Apache-2.0
//
// Short words that something was done. They come up above everything, are read out, and go by themselves; what
// went wrong is no toast, but stands where it happened.
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ToneIcon } from './icons.tsx';
import type { Tone } from './tone.ts';

interface Toast {
  id: number;
  tone: Tone;
  words: string;
}

const STAYS_MS = 6000;
const toasts = signal<readonly Toast[]>([]);
let last = 0;

export function toast(words: string, tone: Tone = 'good'): void {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-2), { id, tone, words }];
  setTimeout(() => (toasts.value = toasts.value.filter((one) => one.id !== id)), STAYS_MS);
}

export function Toasts() {
  const box = useRef<HTMLDivElement>(null);
  const newest = toasts.value.at(-1)?.id;
  useEffect(() => {
    // into the top layer, above a dialog that was opened since
    if (!newest) return;
    box.current?.hidePopover();
    box.current?.showPopover();
  }, [newest]);
  return (
    <div class="toasts" ref={box} popover="manual" role="status">
      {toasts.value.map((one) => (
        <p key={one.id} class={one.tone}>
          <ToneIcon tone={one.tone} />
          {one.words}
        </p>
      ))}
    </div>
  );
}
