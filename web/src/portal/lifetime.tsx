// SPDX-License-Identifier: Apache-2.0
//
// How long something works: one of the usual times, or one's own.
import { Input, Select } from '../ui/field.tsx';
import { t } from '../ui/i18n.ts';

const USUAL = ['7', '30', '60', '90', '180', '365', '0'];
const OWN = 'own';
const MOST_DAYS = 3650;
const NO_DAYS = -1;

// What is chosen, as the fields have it: days, of one's own where `own` is said.
export interface Days {
  choice: string;
  own: string;
}

export const usually = (choice: string): Days => ({ choice, own: '45' });

// 0 for ever; undefined where nothing is to be changed. What is no number is sent as NO_DAYS, which is refused.
export function daysOf({ choice, own }: Days): number | undefined {
  if (choice === OWN) return Number(own) || NO_DAYS;
  return choice === '' ? undefined : Number(choice);
}

interface LifetimeProps {
  value: Days;
  error: string;
  stays?: boolean; // may be left as it is, which is the choice ''
  onChange: (value: Days) => void;
}

export function Lifetime({ value, error, stays, onChange }: LifetimeProps) {
  const usual = USUAL.map((days) => ({
    value: days,
    label: days === '0' ? t('portal.key.forever') : t('portal.days', { count: Number(days) }),
  }));
  const own = value.choice === OWN;
  return (
    <div class="two">
      <Select
        name="expires"
        label={t('portal.key.lasts')}
        options={[
          ...(stays ? [{ value: '', label: t('portal.key.stays') }] : []),
          ...usual,
          { value: OWN, label: t('portal.own_time') },
        ]}
        value={value.choice}
        onChange={(choice) => onChange({ ...value, choice })}
        error={own ? '' : error}
      />
      {own ? (
        <Input
          name="days"
          type="number"
          label={t('portal.own_days')}
          min={1}
          max={MOST_DAYS}
          value={value.own}
          onInput={(text) => onChange({ ...value, own: text })}
          error={error}
        />
      ) : null}
    </div>
  );
}
