// SPDX-License-Identifier: Apache-2.0
//
// Tables: rows where there is room, cards where there is not; read a page at a time.
import type { ComponentChildren } from 'preact';
import { Button } from './button.tsx';
import type { List } from './data.ts';
import { t } from './i18n.ts';
import { ProblemAlert, Skeleton } from './show.tsx';
import { useAction } from './data.ts';

export interface Column<T> {
  label: string;
  cell: (row: T) => ComponentChildren;
  align?: 'end';
  head?: true; // names the row
  hideLabel?: true; // in cards too: actions, what speaks for itself
  wide?: true; // takes what room is left
}

interface TableProps<T> {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  onOpen?: ((row: T) => void) | undefined; // of a row; by keyboard its link of class `row-link` does
}

// Whether a click in a row opens it: not one that selects text, wants another window, or means another link in it.
function opens(event: MouseEvent): boolean {
  const { target, currentTarget: row, button, ctrlKey, metaKey, shiftKey, altKey } = event;
  if (!(target instanceof Element) || !(row instanceof Element)) return false;
  if (button !== 0 || ctrlKey || metaKey || shiftKey || altKey) return false;
  const own = row.querySelector<HTMLElement>('.row-link');
  const other = target.closest('a, button, input, label');
  if (other ? other !== own : !getSelection()?.isCollapsed) return false;
  event.preventDefault();
  event.stopPropagation(); // of the page's own links
  own?.focus(); // where the focus comes back to
  return true;
}

// As many columns as half of a wide page has room for: they stay a table there.
const FEW = 4;

// The roles are said because cards are made by `display`, which takes them away.
export function Table<T>({ caption, columns, rows, rowKey, onOpen }: TableProps<T>) {
  const classes = (column: Column<T>): string | undefined =>
    [column.align ?? '', column.wide ? 'wide' : ''].filter(Boolean).join(' ') || undefined;
  return (
    <div class={columns.length <= FEW ? 'table few' : 'table'}>
      <table role="table">
        <caption class="unseen">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.label} scope="col" role="columnheader" class={classes(column)}>
                {column.hideLabel ? <span class="unseen">{column.label}</span> : column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              role="row"
              class={onOpen ? 'opens' : undefined}
              onClick={onOpen ? (event) => opens(event) && onOpen(row) : undefined}
            >
              {columns.map((column) =>
                column.head ? (
                  <th key={column.label} scope="row" role="rowheader" class={classes(column)}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td
                    key={column.label}
                    role="cell"
                    class={classes(column)}
                    data-label={column.hideLabel ? undefined : column.label}
                  >
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// The end of a list: the way to what comes after it.
export function More<T>({ list }: { list: List<T> }) {
  const { run, busy } = useAction(async () => {
    await list.more?.();
    return undefined;
  });
  if (!list.more) return null;
  return (
    <div class="more">
      <ProblemAlert problem={list.moreProblem} />
      <Button busy={busy} onClick={() => void run()}>
        {t('ui.more')}
      </Button>
    </div>
  );
}

interface ListTableProps<T> extends Omit<TableProps<T>, 'rows'> {
  list: List<T>;
  empty: ComponentChildren;
}

// A list with everything that can become of it: on its way, failed, empty, there, and more of it.
export function ListTable<T>({ list, empty, ...table }: ListTableProps<T>) {
  if (!list.data) {
    if (!list.problem) return <Skeleton of="rows" lines={4} />;
    return (
      <div class="inset">
        <ProblemAlert problem={list.problem} retry={list.refresh} />
      </div>
    );
  }
  // a page of a long log may hold nothing that was looked for, and yet not be the last one
  if (list.data.length === 0)
    return (
      <>
        {list.more ? <p class="inset">{t('ui.further')}</p> : empty}
        <More list={list} />
      </>
    );
  return (
    <>
      <Table {...table} rows={list.data} />
      <More list={list} />
    </>
  );
}
