// SPDX-License-Identifier: Apache-2.0
//
// Text that is meant to be taken along: copied, with a word that it was.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from './button.tsx';
import { t } from './i18n.ts';

// The clipboard is there only where the page came by TLS or from this machine; elsewhere the old way works.
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'unseen';
    // within a dialog, since what is outside of it cannot be selected
    const dialog = document.querySelector('dialog[open]');
    (dialog ?? document.body).append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

interface CopyProps {
  text: string;
  label?: string; // words of the button; without, only an icon is seen
  look?: 'plain' | 'primary' | 'quiet';
  onCopied?: () => void;
}

// Says that it has copied where it stands: in a dialog, nothing outside would be read out.
export function Copy({ text, label, look = 'quiet', onCopied }: CopyProps) {
  const [state, setState] = useState<'' | 'done' | 'failed'>('');
  const button = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!state) return undefined;
    const timer = setTimeout(() => setState(''), 2500);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async (): Promise<void> => {
    const done = await copyText(text);
    button.current?.querySelector('button')?.focus();
    setState(done ? 'done' : 'failed');
    if (done) onCopied?.();
  };
  const said = state === 'done' ? t('ui.copied') : state === 'failed' ? t('ui.copy.failed') : '';
  const icon = state === 'done' ? 'check' : 'copy';
  return (
    <span class="copy" ref={button}>
      {label ? (
        <Button look={look} icon={icon} onClick={() => void copy()}>
          {said || label}
        </Button>
      ) : (
        <Button look={look} icon={icon} label={said || t('ui.copy')} onClick={() => void copy()} />
      )}
      <span class="unseen" role="status">
        {said}
      </span>
    </span>
  );
}

interface CodeProps {
  text: string;
  label: string; // what it is, for who does not see it
  onCopied?: () => void;
}

export function CodeBlock({ text, label, onCopied }: CodeProps) {
  return (
    <div class="code">
      {/* can be scrolled, so it can be reached */}
      <pre tabIndex={0} role="group" aria-label={label} dir="ltr">
        <code>{text}</code>
      </pre>
      <Copy text={text} {...(onCopied ? { onCopied } : {})} />
    </div>
  );
}
