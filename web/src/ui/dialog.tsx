// SPDX-License-Identifier: Apache-2.0
//
// Dialogs: the browser's own, which keeps the focus, makes the rest inert and closes with Escape.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Button } from './button.tsx';
import type { Problem } from './data.ts';
import { Input } from './field.tsx';
import { t } from './i18n.ts';
import { ProblemAlert } from './show.tsx';

interface DialogProps {
  title: string;
  children: ComponentChildren;
  onClose: () => void;
  sheet?: boolean; // comes from the side, tall
  hold?: boolean; // cannot be left by Escape: what it shows is shown once
}

// Is open as long as it is drawn.
export function Dialog({ title, children, onClose, sheet, hold }: DialogProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const over = useRef(false);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const element = dialog.current;
    element?.showModal();
    return () => {
      over.current = true; // that it closes now is no wish of anybody
      element?.close(); // while it is open, nothing outside of it takes the focus
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={sheet ? 'sheet' : undefined}
      aria-labelledby={id}
      onCancel={(event) => {
        if (event.target !== event.currentTarget) return; // of a file chooser within
        event.preventDefault();
        if (!hold) onClose();
      }}
      onClose={() => {
        if (!over.current) onClose();
      }}
      // some browsers end a dialog at the second Escape, whatever was said to the first
      onKeyDown={(event) => {
        if (hold && event.key === 'Escape') event.preventDefault();
      }}
    >
      <header>
        <h2 id={id}>{title}</h2>
        {hold ? null : <Button look="quiet" icon="close" label={t('ui.close')} onClick={onClose} />}
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

export const DialogActions = ({ children }: { children: ComponentChildren }) => (
  <div class="dialog-actions">{children}</div>
);

interface ConfirmProps {
  title: string;
  children: ComponentChildren; // what will happen
  verb: string; // what the button says: the deed, not "OK"
  typed?: string; // must be typed first, where the deed cannot be undone and hurts
  busy?: boolean;
  problem?: Problem | undefined;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ title, children, verb, typed, busy, problem, onConfirm, onClose }: ConfirmProps) {
  const [text, setText] = useState('');
  const ready = !typed || text.trim() === typed;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) onConfirm();
        }}
      >
        <div class="prose">{children}</div>
        {typed ? <Input name="typed" label={t('ui.confirm.type', { name: typed })} value={text} onInput={setText} focus /> : null}
        <ProblemAlert problem={problem} />
        <DialogActions>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button type="submit" look="danger" busy={busy ?? false} disabled={!ready}>
            {verb}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
