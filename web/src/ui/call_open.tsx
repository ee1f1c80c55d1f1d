// SPDX-License-Identifier: Apache-2.0
//
// Lists of calls open one of them beside themselves. What shows it comes when the first one is opened.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Call } from './call.tsx';
import type { CallPanel } from './call_panel.tsx';

// The link of a row: where a click does not open it, as with the middle button, it leads to a page.
export const CallLink = ({ call }: { call: Call }) => (
  <a class="row-link mono" href={`/requests/${call.id}`} aria-haspopup="dialog">
    {call.method} <bdi>{call.path}</bdi>
  </a>
);

interface Opener {
  open: (call: Call) => void;
  panel: ComponentChildren;
}

export function useCallPanel({ help }: { help?: boolean } = {}): Opener {
  const [id, setId] = useState('');
  const [loaded, setLoaded] = useState<{ Panel: typeof CallPanel }>();
  const open = (call: Call): void => {
    setId(call.id);
    if (loaded) return;
    import('./call_panel.tsx').then(
      (module) => setLoaded({ Panel: module.CallPanel }),
      () => location.assign(`/requests/${call.id}`), // a newer version does not have it under this name
    );
  };
  return { open, panel: loaded && id ? <loaded.Panel key={id} id={id} help={help} onClose={() => setId('')} /> : null };
}
