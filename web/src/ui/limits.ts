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

const UNITS: Readonly<Record<number, string>> = { 60: 'minute', 3600: 'hour', 86400: 'day' };

const perUnit = (requests: number, unit: string): string =>
  t('portal.limit.quota', { count: requests, unit: t(`portal.unit.${unit}` as Word) });

function rateWords({ requests, per_s = 1 }: Limit): string {
  const unit = UNITS[per_s];
  if (unit) return perUnit(requests, unit);
  if (per_s === 1) return t('portal.limit.second', { count: requests });
  return t('portal.limit.rate', { count: requests, seconds: per_s });
}

// "100 requests in 10 seconds, 20 at once"
export function limitWords(limit: Limit): string {
  if (limit.kind === 'quota') return perUnit(limit.requests, limit.unit ?? 'day');
  const words = rateWords(limit);
  return limit.burst && limit.burst !== limit.requests ? `${words}, ${t('portal.limit.burst', { count: limit.burst })}` : words;
}
