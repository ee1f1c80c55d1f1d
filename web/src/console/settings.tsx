// SPDX-License-Identifier: Apache-2.0
//
// The configuration in force: what holds, and where that was written. It is changed in the file.
import { useData } from '../ui/data.ts';
import { usePageTitle } from '../ui/frame.tsx';
import { t } from '../ui/i18n.ts';
import { Alert, Badge, PageHead, ProblemAlert, Skeleton } from '../ui/show.tsx';
import { type Column, Table } from '../ui/table.tsx';
import type { Setting } from './types.ts';

const columns = (): Column<Setting>[] => [
  {
    label: t('console.setting'),
    head: true,
    wide: true,
    cell: (setting) => (
      <>
        <code>{setting.name}</code>
        <span class="note" lang="en">
          {setting.doc}
        </span>
      </>
    ),
  },
  {
    label: t('console.value'),
    cell: (setting) => (
      <>
        {setting.secret ? <span class="note">{t('console.secret')}</span> : <code>{setting.value || '–'}</code>}
        {setting.waits ? <Badge tone="warn">{t('console.restart')}</Badge> : null}
      </>
    ),
  },
  { label: t('console.where'), cell: (setting) => <span class="note mono">{setting.where}</span> },
];

interface Data {
  file: string;
  error: string;
  items: Setting[];
}

export function Settings() {
  const { data, problem, refresh } = useData<Data>('/api/v1/settings');
  usePageTitle(t('console.settings'));
  return (
    <>
      <PageHead title={t('console.settings')} lead={t('console.settings.lead', { file: data?.file ?? 'weir.yaml' })} />
      {data?.error ? (
        <Alert tone="bad" title={t('console.config.fault')}>
          {data.error}
        </Alert>
      ) : null}
      {data ? (
        <section class="card">
          <Table caption={t('console.settings')} columns={columns()} rows={data.items} rowKey={(setting) => setting.name} />
        </section>
      ) : problem ? (
        <ProblemAlert problem={problem} retry={refresh} />
      ) : (
        <Skeleton of="rows" lines={8} />
      )}
    </>
  );
}
