// SPDX-License-Identifier: Apache-2.0
//
// The limits of a plan, in words.
import { type Key as Word, t } from './i18n.ts';

export interface Limit {
  name: string;
  kind: 'rate' | 'quota';
  requests: number;
  per_s?: number;
  burst?: number;
  unit?: string;
}

// "100 requests in 10 seconds, 20 at once"
export function limitWords(limit: Limit): string {
  if (limit.kind === 'quota')
    return t('portal.limit.quota', { count: limit.requests, unit: t(`portal.unit.${limit.unit ?? 'day'}` as Word) });
  const words =
    limit.per_s === 1
      ? t('portal.limit.second', { count: limit.requests })
      : t('portal.limit.rate', { count: limit.requests, seconds: limit.per_s ?? 1 });
  return limit.burst && limit.burst !== limit.requests ? `${words}, ${t('portal.limit.burst', { count: limit.burst })}` : words;
}
