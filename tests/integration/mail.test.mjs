// SPDX-License-Identifier: Apache-2.0
//
// Mails, with a real mail server: what people get, and what happens where the server refuses, hangs or is gone.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { operator, Person } from './lib/person.mjs';
import { hello, startOrigin, startSite } from './lib/site.mjs';
import { linkOf, startMailServer } from './lib/smtp.mjs';
import { sqlite, until } from './lib/weir.mjs';

const PASSWORD = 'a long password';
const EMAIL = 'deniz@example.com';
const config = (server, mail = {}, portal = {}) => ({
  portal: { url: 'http://portal.example', registration: 'open', title: 'Acme', ...portal },
  mail: { url: server.url, from: 'weir@example.com', timeout: '1s', ...mail },
});
const about = (word) => ({ head }) => head.Subject.includes(word);

async function signUp(site, email = EMAIL, headers = {}) {
  const answer = await new Person(site.portal).send('POST', '/api/v1/people', { email, password: PASSWORD, name: 'Deniz Ş' }, headers);
  assert.deepEqual([answer.status, answer.json], [202, { state: 'confirm' }], answer.body);
}

const ask = (site, email = EMAIL) => new Person(site.portal).send('POST', '/api/v1/resets', { email });

async function signedUp(site, server, email = EMAIL) {
  await signUp(site, email);
  const { token } = linkOf(await server.next(({ to, head }) => to[0] === email && head.Subject.startsWith('Confirm')));
  const person = new Person(site.portal);
  const { status, body } = await person.send('POST', '/api/v1/confirmations', { token });
  assert.ok(status === 200 || status === 204, body);
  assert.equal((await person.signIn(email, PASSWORD)).status, 200);
  return person;
}

const mails = async (boss) => (await boss.json('/api/v1/mails')).items;

test('an address is confirmed by a mail, whose link works once', async (t) => {
  const server = await startMailServer(t);
  const site = await startSite(t, config(server));
  await signUp(site);
  const early = await new Person(site.portal).signIn(EMAIL, PASSWORD);
  assert.equal(early.status, 403, early.body);
  const mail = await server.next();
  assert.equal(mail.from, 'weir@example.com');
  assert.deepEqual(mail.to, [EMAIL]);
  assert.equal(mail.head.From, 'Acme <weir@example.com>');
  assert.equal(mail.head.Subject, 'Confirm your address for Acme');
  assert.match(mail.head['Message-ID'], /^<[0-9a-f-]{36}@example\.com>$/);
  assert.ok(!mail.text.includes('Deniz'), 'nobody knows yet whose words that name is');
  const { token } = linkOf(mail);
  const person = new Person(site.portal);
  assert.ok((await person.send('POST', '/api/v1/confirmations', { token })).status < 300);
  const again = await new Person(site.portal).send('POST', '/api/v1/confirmations', { token });
  assert.equal(again.status, 404, again.body);
  assert.equal((await person.signIn(EMAIL, PASSWORD)).status, 200);
});

test('signing up with a known address tells only its owner', async (t) => {
  const server = await startMailServer(t);
  const site = await startSite(t, config(server));
  await signedUp(site, server);
  await signUp(site);
  const mail = await server.next(about('already'));
  assert.match(mail.text, /Hello Deniz Ş,/);
});

test('who signed up an address of others has no part in its account', async (t) => {
  const server = await startMailServer(t);
  const site = await startSite(t, config(server));
  const post = (path, value, method = 'POST') => new Person(site.portal).send(method, path, value);
  const attacker = await post('/api/v1/people', { email: EMAIL, password: 'the password of another', name: 'Another' });
  assert.equal(attacker.status, 202);
  const first = linkOf(await server.next(about('Confirm')));
  await signUp(site);
  const second = linkOf(await server.next(about('password')));

  // the first link is gone, and the second one lets its reader choose a password
  assert.equal((await post('/api/v1/confirmations', { token: first.token })).status, 404);
  assert.equal((await post('/api/v1/resets', { token: second.token, password: 'chosen by its reader' }, 'PUT')).status, 204);
  for (const wrong of ['the password of another', PASSWORD]) {
    assert.equal((await new Person(site.portal).signIn(EMAIL, wrong)).status, 401, wrong);
  }
  assert.equal((await new Person(site.portal).signIn(EMAIL, 'chosen by its reader')).status, 200);
});

test('a new password ends the link to another one, and nobody is written to without end', async (t) => {
  const server = await startMailServer(t);
  const site = await startSite(t, config(server));
  const person = await signedUp(site, server);
  await ask(site);
  const { token } = linkOf(await server.next(about('password')));
  const changed = await person.send('PUT', '/api/v1/me/password', { current: PASSWORD, password: 'another long password' });
  assert.equal(changed.status, 204, changed.body);
  const late = await new Person(site.portal).send('PUT', '/api/v1/resets', { token, password: 'a third long password' });
  assert.equal(late.status, 404, late.body);

  for (let i = 0; i < 10; i++) assert.equal((await ask(site)).status, 202);
  const boss = await operator(site);
  const written = () => mails(boss).then((items) => items.filter(({ template }) => template === 'reset').length);
  await until(async () => (await written()) === 5, 'five mails');
  assert.equal((await ask(site)).status, 202);
  assert.equal(await written(), 5);
});

test('links that are none are tried so often and no more, by any form', async (t) => {
  const server = await startMailServer(t);
  for (const [method, path, value] of [
    ['POST', '/api/v1/confirmations', { token: 'x'.repeat(43) }],
    ['PUT', '/api/v1/resets', { token: 'x'.repeat(43), password: PASSWORD }],
  ]) {
    const site = await startSite(t, config(server));
    const statuses = [];
    for (let i = 0; i < 55; i++) statuses.push((await new Person(site.portal).send(method, path, value)).status);
    assert.deepEqual([statuses[0], statuses[49], statuses[54]], [404, 404, 429], path);
    const late = await new Person(site.portal).send(method, path, value);
    assert.ok(Number(late.headers['retry-after']) > 0);
    const form = await new Person(site.portal).form(path.includes('reset') ? '/reset' : '/confirm', value);
    assert.equal(form.status, 429, form.body);
    await site.close();
  }
});

test('a password is set anew by a mail, in the language of its reader', async (t) => {
  const server = await startMailServer(t);
  const site = await startSite(t, config(server));
  const person = await signedUp(site, server);
  assert.equal((await person.send('PATCH', '/api/v1/me', { locale: 'tr' })).status, 200);
  const [known, unknown] = [await ask(site), await ask(site, 'nobody@example.com')];
  assert.deepEqual([known.status, known.body], [unknown.status, unknown.body]);
  const { token } = linkOf(await server.next(about('yeni bir parola')));
  const done = await new Person(site.portal).send('PUT', '/api/v1/resets', { token, password: 'another password' });
  assert.equal(done.status, 204, done.body);
  assert.equal((await person.get('/api/v1/me')).status, 401, 'sessions are ended');
  await server.next(about('parolanız değiştirildi'));
  assert.equal(server.mails().filter(({ to }) => to[0] === 'nobody@example.com').length, 0);
  // nothing that opens an account lies in the open
  const { log } = site;
  const database = await readFile(join(site.data, 'weir.db'), 'latin1');
  const wal = await readFile(join(site.data, 'weir.db-wal'), 'latin1').catch(() => '');
  for (const text of [log, database, wal]) assert.ok(!text.includes(token));
});

test('operators\' decisions are told to the people of the app', async (t) => {
  const server = await startMailServer(t);
  const site = await startSite(t, { ...hello, ...config(server), plans: { slow: { apis: ['hello'], approval: 'manual' } }, apps: {} }, await startOrigin(t));
  const [person, boss] = [await signedUp(site, server), await operator(site)];
  const { json: app } = await person.send('POST', '/api/v1/apps', { title: 'Orders', plan: 'slow' });
  const { items: [wish] } = await boss.json('/api/v1/approvals');
  assert.equal((await boss.send('POST', `/api/v1/approvals/${wish.id}`, { decision: 'approve', note: 'Welcome.' })).status, 200);
  assert.match((await server.next(about('has the plan'))).text, /Welcome\./);
  assert.equal((await boss.send('PATCH', `/api/v1/apps/${app.name}`, { suspended: true, note: 'Too much.' })).status, 200);
  assert.match((await server.next(about('suspended'))).text, /Too much\./);
  const invited = await boss.send('POST', '/api/v1/invitations', { email: 'new@example.com' });
  assert.equal(invited.json.mailed, true);
  assert.equal(linkOf(await server.next(({ to }) => to[0] === 'new@example.com')).link, invited.json.link);
});

test('what a server refuses for good is given up, and tried again when an operator says so', async (t) => {
  const server = await startMailServer(t);
  const site = await startSite(t, config(server));
  const boss = await operator(site);
  await server.mode('550');
  await signUp(site);
  const list = await until(async () => {
    const found = (await mails(boss)).filter(({ state }) => state === 'failed');
    return found.length > 0 && found;
  }, 'the refusal');
  assert.match(list[0].fault, /550/);
  assert.deepEqual([list[0].subject, list[0].text, list[0].attempts], [null, null, 1], 'its link is not for operators');
  assert.equal(server.asked(), 1);
  await server.mode('accept');
  assert.equal((await boss.send('POST', `/api/v1/mails/${list[0].id}/retry`)).status, 204);
  await server.next();
  await until(async () => (await mails(boss))[0].state === 'sent', 'it was sent');
  assert.equal((await boss.send('POST', `/api/v1/mails/${list[0].id}/retry`)).status, 404, 'once is enough');
});

test('what a server puts off, leaves hanging, or is not there for, comes later', async (t) => {
  const server = await startMailServer(t);
  const site = await startSite(t, config(server));
  const boss = await operator(site);
  await server.mode('451');
  await signUp(site);
  const waiting = (fault) => until(async () => fault.test((await mails(boss))[0]?.fault ?? ''), `${fault}`);
  await waiting(/451/);
  await server.mode('hang');
  // a reload tries all that waits at once
  site.signal('SIGHUP');
  await waiting(/time|abort/i);
  await server.stop();
  site.signal('SIGHUP');
  await waiting(/connect/i);
  assert.deepEqual(await boss.json('/api/v1/mail'), { mode: 'smtp', waiting: 1, failed: 0 });
  await site.kill9();
  const again = await startMailServer(t, server.port);
  await site.start();
  const mail = await again.next();
  assert.deepEqual(mail.to, [EMAIL]);
  await until(() => sqlite(join(site.data, 'weir.db'), 'SELECT state, content IS NULL AS gone FROM mails')[0]?.state === 'sent', 'sent');
  assert.deepEqual(sqlite(join(site.data, 'weir.db'), 'SELECT state, content IS NULL AS gone FROM mails'), [{ state: 'sent', gone: 1 }]);
});

test('keys are warned of before they expire, once each time', async (t) => {
  const server = await startMailServer(t);
  const site = await startSite(t, config(server));
  const person = await signedUp(site, server);
  const { json: app } = await person.send('POST', '/api/v1/apps', { title: 'Orders' });
  const { json: { key } } = await person.send('POST', `/api/v1/apps/${app.name}/keys`, { name: 'prod', expires_days: 90 });
  const { json: { key: short } } = await person.send('POST', `/api/v1/apps/${app.name}/keys`, { name: 'short', expires_days: 7 });
  await site.stop();
  const DAY = 86_400_000_000;
  const move = (days) =>
    sqlite(join(site.data, 'weir.db'), `UPDATE keys SET created_us = ${Date.now() * 1000 - 80 * DAY}, expires_us = ${Date.now() * 1000 + days * DAY} WHERE kid = '${key.kid}'`, []);
  move(6.5);
  await site.start();
  const { text, head } = await server.next(about('expires'));
  assert.match(head.Subject, /The key prod of Orders expires on/);
  assert.match(text, new RegExp(`/apps/${app.name}/keys`));
  await site.stop();
  await site.start();
  await site.stop();
  move(0.5);
  await site.start();
  await until(() => server.mails().filter(about('expires')).length === 2, 'the last warning');
  assert.ok(server.mails().every((mail) => !mail.text.includes(short.kid)), 'a key of a week is not warned of for its week');
});

test('in console mode operators read the mails, and nothing is sent', async (t) => {
  const site = await startSite(t, { ...config({}), mail: { mode: 'console' } });
  const boss = await operator(site);
  await signUp(site);
  const mail = await until(async () => (await mails(boss)).find(({ state }) => state === 'sent'), 'the mail');
  assert.equal(mail.subject, 'Confirm your address for Acme');
  const { token } = linkOf(mail);
  assert.ok((await new Person(site.portal).send('POST', '/api/v1/confirmations', { token })).status < 300);
  assert.equal((await boss.json('/api/v1/mail')).mode, 'console');
});
