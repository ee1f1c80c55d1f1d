// SPDX-License-Identifier: Apache-2.0
//
// Fields of forms: what is asked for, how, and what was wrong with it, said where it is.
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { Button } from './button.tsx';
import type { Problem } from './data.ts';
import { has, t } from './i18n.ts';
import { Icon } from './icons.tsx';

// What a problem says of a field, in the person's language where there are words for it.
export function faultOf(problem: Problem | undefined, field: string): string {
  const fault = problem?.errors.find((error) => error.field === field);
  if (!fault) return '';
  const key = `page.fault.${fault.code}`;
  return has(key) ? t(key) : fault.detail;
}

interface FrameProps {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  optional?: boolean;
  type?: string;
  children: (ids: { id: string; described: string | undefined; invalid: true | undefined }) => ComponentChildren;
}

// What is searched for is left out so often that it need not be said.
function Frame({ label, hint, error, optional, type, children }: FrameProps) {
  const id = useId();
  const described = [error ? `${id}-error` : '', hint ? `${id}-hint` : ''].filter(Boolean).join(' ') || undefined;
  return (
    <div class="field">
      <label for={id}>
        {label}
        {optional && type !== 'search' ? <span class="optional"> {t('ui.optional')}</span> : null}
      </label>
      {children({ id, described, invalid: error ? true : undefined })}
      {error ? (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      ) : null}
      {hint ? (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

interface Common {
  label: string;
  name: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  optional?: boolean;
  disabled?: boolean;
}

interface InputProps extends Common {
  type?: 'text' | 'email' | 'number' | 'search' | 'datetime-local';
  value?: string;
  autocomplete?: string;
  placeholder?: string;
  min?: number;
  max?: number;
  maxLength?: number;
  spellcheck?: boolean;
  focus?: boolean; // where a dialog begins
  offers?: readonly string[]; // what one may mean, beside anything else
  onInput?: (value: string) => void;
}

export function Input(props: InputProps) {
  const { type = 'text', name, value, autocomplete = 'off', onInput } = props;
  return (
    <Frame {...props}>
      {({ id, described, invalid }) => (
        <>
        <input
          id={id}
          name={name}
          list={props.offers ? `${id}-offers` : undefined}
          // the attributes are those of any of its types; Preact's types want to know which
          type={type as 'text'}
          value={value}
          autocomplete={autocomplete}
          placeholder={props.placeholder}
          min={props.min}
          max={props.max}
          maxLength={props.maxLength}
          spellcheck={props.spellcheck ?? false}
          autofocus={props.focus}
          disabled={props.disabled}
          required={!props.optional}
          // what people write may run either way
          dir={type === 'text' || type === 'search' ? 'auto' : undefined}
          aria-invalid={invalid}
          aria-describedby={described}
          onInput={(event) => onInput?.(event.currentTarget.value)}
        />
        {props.offers ? (
          <datalist id={`${id}-offers`}>
            {props.offers.map((offer) => (
              <option key={offer} value={offer} />
            ))}
          </datalist>
        ) : null}
        </>
      )}
    </Frame>
  );
}

interface TextAreaProps extends Common {
  value?: string;
  placeholder?: string;
  maxLength?: number;
  mono?: boolean;
}

export function TextArea(props: TextAreaProps) {
  return (
    <Frame {...props}>
      {({ id, described, invalid }) => (
        <textarea
          id={id}
          name={props.name}
          class={props.mono ? 'mono' : undefined}
          placeholder={props.placeholder}
          maxLength={props.maxLength}
          spellcheck={!props.mono}
          disabled={props.disabled}
          required={!props.optional}
          dir="auto"
          aria-invalid={invalid}
          aria-describedby={described}
          defaultValue={props.value ?? ''}
        />
      )}
    </Frame>
  );
}

export interface Option {
  value: string;
  label: string;
}

interface SelectProps extends Common {
  options: readonly Option[];
  value?: string;
  onChange?: (value: string) => void;
}

export function Select(props: SelectProps) {
  return (
    <Frame {...props}>
      {({ id, described, invalid }) => (
        <span class="select">
          <select
            id={id}
            name={props.name}
            disabled={props.disabled}
            aria-invalid={invalid}
            aria-describedby={described}
            value={props.value}
            onChange={(event) => props.onChange?.(event.currentTarget.value)}
          >
            {props.options.map((option) => (
              <option key={option.value} value={option.value} selected={option.value === props.value}>
                {option.label}
              </option>
            ))}
          </select>
          <Icon name="down" />
        </span>
      )}
    </Frame>
  );
}

interface PasswordProps extends Common {
  fresh?: boolean; // a new one is chosen
}

// Can be looked at while it is typed, pasted into, and filled in by a password manager.
export function Password(props: PasswordProps) {
  const [seen, setSeen] = useState(false);
  return (
    <Frame {...props}>
      {({ id, described, invalid }) => (
        <span class="with-button">
          <input
            id={id}
            name={props.name}
            type={(seen ? 'text' : 'password') as 'text'}
            autocomplete={props.fresh ? 'new-password' : 'current-password'}
            spellcheck={false}
            autocapitalize="off"
            required
            disabled={props.disabled}
            aria-invalid={invalid}
            aria-describedby={described}
          />
          <Button
            look="quiet"
            icon={seen ? 'eye-off' : 'eye'}
            label={seen ? t('ui.password.hide') : t('ui.password.show')}
            pressed={seen}
            onClick={() => setSeen(!seen)}
          />
        </span>
      )}
    </Frame>
  );
}

interface CheckProps {
  label: ComponentChildren;
  name: string;
  hint?: ComponentChildren;
  checked?: boolean;
  onChange?: (checked: boolean) => void;
}

export function Check({ label, name, hint, checked, onChange }: CheckProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        name={name}
        checked={checked}
        onChange={(event) => onChange?.(event.currentTarget.checked)}
      />
      <span>
        {label}
        {hint ? <span class="hint">{hint}</span> : null}
      </span>
    </label>
  );
}

export interface Choice {
  value: string;
  label: string;
  hint?: ComponentChildren;
}

interface ChoicesProps {
  label: string;
  name: string;
  choices: readonly Choice[];
  value: string;
  error?: string | undefined;
  onChange: (value: string) => void;
  inline?: boolean;
}

// One of a few, all of them seen at once.
export function Choices({ label, name, choices, value, error, onChange, inline }: ChoicesProps) {
  return (
    <fieldset class="field">
      <legend class="label">{label}</legend>
      <div class={inline ? 'choices inline' : 'choices'}>
        {choices.map((choice) => (
          <label key={choice.value} class="choice">
            <input
              type="radio"
              name={name}
              value={choice.value}
              checked={choice.value === value}
              onChange={() => onChange(choice.value)}
            />
            <span>
              <span class="name">{choice.label}</span>
              {choice.hint ? <span class="hint">{choice.hint}</span> : null}
            </span>
          </label>
        ))}
      </div>
      {error ? <p class="field-error">{error}</p> : null}
    </fieldset>
  );
}
