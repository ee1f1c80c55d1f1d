// SPDX-License-Identifier: Apache-2.0
//
// What is operated: buttons, fields, dialogs.
import { useState } from 'preact/hooks';
import { Button, ButtonLink } from '../ui/button.tsx';
import { CodeBlock, Copy } from '../ui/copy.tsx';
import type { Problem } from '../ui/data.ts';
import { Confirm, Dialog, DialogActions } from '../ui/dialog.tsx';
import { Check, Choices, Input, Password, Select, TextArea } from '../ui/field.tsx';
import { t } from '../ui/i18n.ts';
import { Icon } from '../ui/icons.tsx';
import { Alert } from '../ui/show.tsx';
import { toast } from '../ui/toast.tsx';

const SECRET = 'weir_live_4fGh81ZqSampleSampleSampleSample0';
const CURL = `curl -H 'X-API-Key: ${SECRET}' \\\n  https://api.example.com/orders`;

export function Actions() {
  return (
    <div class="card pad stack">
      <div class="row">
        <Button look="primary" icon="plus">
          {t('gallery.do.primary')}
        </Button>
        <Button>{t('gallery.do.plain')}</Button>
        <Button look="quiet">{t('gallery.do.quiet')}</Button>
        <Button look="danger" icon="trash">
          {t('gallery.do.danger')}
        </Button>
        <Button icon="settings" label={t('portal.settings')} look="quiet" />
        <ButtonLink href="#buttons" icon="download">
          {t('gallery.do.link')}
        </ButtonLink>
      </div>
      <div class="row">
        <Button look="primary" busy>
          {t('gallery.do.busy')}
        </Button>
        <Button busy>{t('gallery.do.busy')}</Button>
        <Button look="danger" busy>
          {t('gallery.do.busy')}
        </Button>
        <Button look="primary" disabled>
          {t('gallery.do.disabled')}
        </Button>
        <Button disabled>{t('gallery.do.disabled')}</Button>
        <Copy text="weir" label={t('ui.copy')} look="plain" />
        <Copy text="weir" />
      </div>
    </div>
  );
}

export function Fields() {
  const [choice, setChoice] = useState('live');
  const [days, setDays] = useState('90');
  return (
    <form class="card pad form" onSubmit={(event) => event.preventDefault()} noValidate>
      <div class="two">
        <Input name="plain" label={t('portal.key.name')} hint={t('portal.key.name.hint')} value="CI" />
        <Input name="wrong" label={t('portal.app.title')} error={t('page.fault.required')} />
        <Input name="rtl" label={t('portal.app.title')} value="متجر الويب" optional />
        <Input name="off" label={t('portal.profile.name')} value="Ada Lovelace" disabled />
        <Password name="password" label={t('portal.password.new')} hint={t('portal.password.hint')} fresh />
        <Select
          name="language"
          label={t('portal.profile.language')}
          value="en"
          options={[
            { value: 'en', label: 'English' },
            { value: 'tr', label: 'Türkçe' },
          ]}
        />
      </div>
      <TextArea name="allow" label={t('portal.key.allow')} hint={t('portal.key.allow.hint')} value={'203.0.113.7\n10.0.0.0/8'} mono optional />
      <Choices
        label={t('portal.key.env')}
        name="env"
        value={choice}
        onChange={setChoice}
        choices={[
          { value: 'live', label: t('portal.key.live'), hint: t('portal.keys.empty.text') },
          { value: 'test', label: t('portal.key.test'), hint: t('portal.key.enabled.hint') },
        ]}
      />
      <Choices
        inline
        label={t('portal.key.lasts')}
        name="days"
        value={days}
        onChange={setDays}
        choices={['7', '30', '90', '365'].map((value) => ({ value, label: t('portal.days', { count: Number(value) }) }))}
      />
      <Check name="enabled" label={t('portal.key.enabled')} hint={t('portal.key.enabled.hint')} checked />
    </form>
  );
}

// The one time a key is seen.
function Sheet({ onClose }: { onClose: () => void }) {
  const [stored, setStored] = useState(false);
  return (
    <Dialog title={t('portal.sheet.title')} onClose={onClose} sheet hold>
      <div class="stack">
        <Alert tone="warn">{t('portal.sheet.once')}</Alert>
        <div class="secret">
          <output aria-label={t('portal.sheet.secret')}>{SECRET}</output>
          <span class="actions">
            <Copy text={SECRET} label={t('portal.sheet.copy')} look="primary" />
            <ButtonLink href="data:text/plain,WEIR_API_KEY=" icon="download" download=".env">
              {t('portal.sheet.env')}
            </ButtonLink>
          </span>
        </div>
        <CodeBlock text={CURL} label={t('portal.sheet.curl')} />
        <Seen />
        <Check name="stored" label={t('portal.sheet.stored')} checked={stored} onChange={setStored} />
        <DialogActions>
          <Button look="primary" disabled={!stored} onClick={onClose}>
            {t('portal.sheet.done')}
          </Button>
        </DialogActions>
      </div>
    </Dialog>
  );
}

const Seen = () => (
  <>
    <p class="seen">
      <span class="pulse" aria-hidden="true" />
      {t('portal.sheet.waiting')}
    </p>
    <p class="seen good">
      <Icon name="tick" />
      {t('portal.sheet.seen')}
    </p>
  </>
);

const refused: Problem = { status: 409, title: '', detail: 'Its app was suspended meanwhile.', errors: [], body: {} };

export function Dialogs() {
  const [open, setOpen] = useState<'' | 'form' | 'confirm' | 'typed' | 'sheet'>('');
  const close = () => setOpen('');
  return (
    <div class="card pad stack">
      <div class="row">
        <Button onClick={() => setOpen('form')}>{t('gallery.dialog.form')}</Button>
        <Button onClick={() => setOpen('confirm')}>{t('gallery.dialog.confirm')}</Button>
        <Button onClick={() => setOpen('typed')}>{t('gallery.dialog.typed')}</Button>
        <Button onClick={() => setOpen('sheet')}>{t('gallery.dialog.sheet')}</Button>
        <Button onClick={() => toast(t('portal.saved'))}>{t('gallery.toast')}</Button>
      </div>
      <Seen />
      {open === 'form' ? (
        <Dialog title={t('portal.key.edit.title')} onClose={close}>
          <form class="form" onSubmit={(event) => event.preventDefault()}>
            <Input name="name" label={t('portal.key.name')} value="CI" focus />
            <DialogActions>
              <Button onClick={close}>{t('ui.cancel')}</Button>
              <Button look="primary" onClick={close}>
                {t('portal.save')}
              </Button>
            </DialogActions>
          </form>
        </Dialog>
      ) : null}
      {open === 'confirm' || open === 'typed' ? (
        <Confirm
          title={t('portal.key.revoke.title')}
          verb={t('portal.key.revoke.verb')}
          {...(open === 'typed' ? { typed: 'CI', problem: refused } : {})}
          onConfirm={close}
          onClose={close}
        >
          <p>{t('portal.key.revoke.text', { name: 'CI' })}</p>
        </Confirm>
      ) : null}
      {open === 'sheet' ? <Sheet onClose={close} /> : null}
    </div>
  );
}
