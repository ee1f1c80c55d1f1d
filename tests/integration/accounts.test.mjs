// SPDX-License-Identifier: Apache-2.0
//
// Accounts without mail: signing up, in and out, sessions, passwords, and what is refused.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import net from 'node:net';
import test from 'node:test';
import { operator, Person } from './lib/person.mjs';
import { makeSite, startSite } from './lib/site.mjs';
import { until } from './lib/weir.mjs';

const config = (portal = {}) => ({ portal: { registration: 'open', title: 'Acme', ...portal } });
const PASSWORD = 'a long password';

async function signedUp(site, email = 'deniz@example.com') {
  const person = new Person(site.portal);
  await person.signUp(email, PASSWORD, 'Deniz');
  return person;
}

const fieldsAtFault = ({ json }) => json.errors.map(({ field, code }) => `${field} ${code}`);

test('who signs up is signed in, and is known again after a restart', async (t) => {
  const site = await startSite(t, config());
  const person = await signedUp(site, 'Deniz@Example.COM');
  const session = await person.json('/api/v1/session');
  assert.equal(session.signed_in, true);
  assert.equal(session.person.email, 'deniz@example.com');
  assert.equal(session.person.operator, false);
  assert.equal(session.site.title, 'Acme');
  await site.stop();
  await site.start();
  person.listener = site.portal;
  assert.equal((await person.json('/api/v1/me')).name, 'Deniz');
  const again = new Person(site.portal);
  assert.equal((await again.signIn('DENIZ@example.com', PASSWORD)).status, 200);
  assert.equal((await again.json('/api/v1/sessions')).items.length, 2);
});

test('unknown accounts and wrong passwords get the same answer, and too many of them none', async (t) => {
  const site = await startSite(t, config());
  await signedUp(site);
  const known = await new Person(site.portal).signIn('deniz@example.com', 'not the password');
  const unknown = await new Person(site.portal).signIn('nobody@example.com', 'not the password');
  assert.deepEqual([known.status, known.body], [401, unknown.body]);
  assert.equal(unknown.status, 401);
  const statuses = new Set();
  for (let i = 0; i < 12; i++) statuses.add((await new Person(site.portal).signIn('nobody@example.com', 'no')).status);
  assert.deepEqual([...statuses], [401, 429]);
  const late = await new Person(site.portal).signIn('nobody@example.com', 'no');
  assert.ok(Number(late.headers['retry-after']) > 0);
  // of one account: the others of the same address go on
  assert.equal((await new Person(site.portal).signIn('deniz@example.com', PASSWORD)).status, 200);
});

test('behind a trusted proxy people are told apart by their own addresses, and nobody else is believed', async (t) => {
  for (const [trusted, seen] of [[['127.0.0.0/8'], '203.0.113.7'], [[], '127.0.0.1']]) {
    const site = await startSite(t, { ...config(), gateway: { trusted_proxies: trusted } });
    const person = await signedUp(site);
    const headers = { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' };
    const other = new Person(site.portal);
    const answer = await other.send('POST', '/api/v1/session', { email: 'deniz@example.com', password: PASSWORD }, headers);
    assert.equal(answer.status, 200, answer.body);
    const { items } = await person.json('/api/v1/sessions');
    assert.deepEqual(items.map(({ address }) => address).sort(), ['127.0.0.1', seen].sort());
    await site.close();
  }
});

test('who signs in with the old password while it is changed has no session afterwards', async (t) => {
  const site = await startSite(t, config());
  for (let round = 0; round < 3; round++) {
    const email = `deniz${round}@example.com`;
    const me = await signedUp(site, email);
    const others = Array.from({ length: 6 }, () => new Person(site.portal)); // fewer than are throttled
    const [changed] = await Promise.all([
      me.send('PUT', '/api/v1/me/password', { current: PASSWORD, password: 'another long password' }),
      ...others.map((other) => other.signIn(email, PASSWORD)),
    ]);
    assert.equal(changed.status, 204, changed.body);
    for (const other of others) assert.equal((await other.get('/api/v1/me')).status, 401);
    assert.equal((await me.json('/api/v1/sessions')).items.length, 1);
  }
});

test('one client cannot take all places of the portal, nor guess from the addresses of its network', async (t) => {
  const plain = await startSite(t, config());
  const held = [];
  t.after(() => held.forEach((socket) => socket.destroy()));
  for (let i = 0; i < 80; i++) {
    const socket = net.connect({ port: plain.portal.port, host: plain.portal.host, localAddress: '127.0.0.3' });
    socket.on('error', () => {});
    socket.write('POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
    held.push(socket);
  }
  await until(() => held.filter((socket) => socket.destroyed || socket.readableEnded || socket.bytesRead > 0).length >= 32, 'what is too much to be refused');
  assert.equal((await new Person(plain.portal).get('/api/v1/session')).status, 200);

  const six = await startSite(t, { ...config(), gateway: { trusted_proxies: ['127.0.0.0/8'] } });
  const guess = (address) => new Person(six.portal).send('POST', '/api/v1/session', { email: `${address.slice(-4)}@example.com`, password: 'no' }, { 'x-forwarded-for': address });
  const statuses = [];
  for (let i = 0; i < 52; i++) statuses.push((await guess(`2001:db8::${(0x1000 + i).toString(16)}`)).status);
  assert.deepEqual([statuses[0], statuses[49], statuses[51]], [401, 401, 429]);
  assert.equal((await guess('2001:db8:0:1::1000')).status, 401, 'another network');
});

test('a person has so many sessions, and the oldest gives way', async (t) => {
  const site = await startSite(t, config());
  const first = await signedUp(site);
  let last;
  for (let i = 0; i < 100; i++) {
    last = new Person(site.portal);
    assert.equal((await last.signIn('deniz@example.com', PASSWORD)).status, 200);
  }
  assert.equal((await last.json('/api/v1/sessions')).items.length, 100);
  assert.equal((await first.get('/api/v1/me')).status, 401);
});

test('a way back that is no path is not taken', async (t) => {
  const site = await startSite(t, config());
  const me = await signedUp(site);
  for (const path of [`/${'a'.repeat(4000)}`, '/ş', '/a\r\nx: y', '//evil.example', 'evil']) {
    const { status, headers } = await me.get(`/sign-in?return=${encodeURIComponent(path)}`, { accept: 'text/html' });
    assert.deepEqual([status, headers.location], [303, '/apps'], path.slice(0, 20));
  }
});

test('a name that cannot be seen is none', async (t) => {
  const site = await startSite(t, config());
  for (const name of ['\u200b', '\u00a0', '\u061c', '\u3164\u2800', ' \u2003 ']) {
    const answer = await new Person(site.portal).send('POST', '/api/v1/people', { email: 'a@example.com', password: PASSWORD, name });
    assert.deepEqual([answer.status, fieldsAtFault(answer)], [422, ['name required']], JSON.stringify(name));
  }
  const seen = await new Person(site.portal).send('POST', '/api/v1/people', { email: 'a@example.com', password: PASSWORD, name: '李\u200d' });
  assert.equal(seen.status, 201, seen.body);
});

test('a password changed ends the other sessions, and the old one is nobody\'s any more', async (t) => {
  const site = await startSite(t, config());
  const person = await signedUp(site);
  const other = new Person(site.portal);
  await other.signIn('deniz@example.com', PASSWORD);
  const wrong = await person.send('PUT', '/api/v1/me/password', { current: 'wrong', password: 'another password' });
  assert.deepEqual([wrong.status, fieldsAtFault(wrong)], [422, ['current wrong']]);
  const done = await person.send('PUT', '/api/v1/me/password', { current: PASSWORD, password: 'another password' });
  assert.equal(done.status, 204, done.body);
  assert.equal((await person.get('/api/v1/me')).status, 200);
  assert.equal((await other.get('/api/v1/me')).status, 401);
  assert.equal((await new Person(site.portal).signIn('deniz@example.com', PASSWORD)).status, 401);
  assert.equal((await new Person(site.portal).signIn('deniz@example.com', 'another password')).status, 200);
});

test('sessions are seen and ended, one\'s own alone', async (t) => {
  const site = await startSite(t, config());
  const person = await signedUp(site);
  const stranger = await signedUp(site, 'stranger@example.com');
  const second = new Person(site.portal);
  await second.signIn('deniz@example.com', PASSWORD);
  const { items } = await person.json('/api/v1/sessions');
  assert.deepEqual(items.map(({ current }) => current), [false, true]);
  assert.equal((await stranger.send('DELETE', `/api/v1/sessions/${items[0].id}`)).status, 404);
  assert.equal((await second.get('/api/v1/me')).status, 200);
  assert.equal((await person.send('DELETE', `/api/v1/sessions/${items[0].id}`)).status, 204);
  assert.equal((await second.get('/api/v1/me')).status, 401);
  for (const id of ['x', '00000000-0000-0000-0000-000000000000', items[0].id])
    assert.equal((await person.send('DELETE', `/api/v1/sessions/${id}`)).status, 404);
  assert.equal((await person.send('DELETE', '/api/v1/session')).status, 204);
  assert.equal(person.cookies.size, 0);
});

test('a cookie alone changes nothing: a foreign page, no token, another session\'s token', async (t) => {
  const site = await startSite(t, config());
  const person = await signedUp(site);
  const stranger = await signedUp(site, 'stranger@example.com');
  const rename = (headers) => person.send('PATCH', '/api/v1/me', { name: 'Mallory' }, headers);
  const refused = {
    'cross-site': { 'sec-fetch-site': 'cross-site' },
    'same-site': { 'sec-fetch-site': 'same-site' },
    'foreign origin': { origin: 'https://evil.example' },
    'opaque origin': { origin: 'null' },
    'no token': { 'x-csrf-token': '' },
    'token of another': { 'x-csrf-token': stranger.csrf },
    'token and something': { 'x-csrf-token': `${person.csrf}x` },
  };
  for (const [what, headers] of Object.entries(refused)) assert.equal((await rename(headers)).status, 403, what);
  assert.equal((await person.json('/api/v1/me')).name, 'Deniz');
  const own = { 'sec-fetch-site': 'same-origin', origin: `http://${site.portal.text}` };
  assert.equal((await rename(own)).status, 200);
  // a form to sign in from elsewhere would sign somebody in as another
  const foreign = await new Person(site.portal).form('/sign-in', { email: 'deniz@example.com', password: PASSWORD },
    { 'sec-fetch-site': 'cross-site' });
  assert.equal(foreign.status, 403);
  assert.equal(foreign.headers['set-cookie'], undefined);
});

test('forged and foreign cookies are nobody', async (t) => {
  const site = await startSite(t, config());
  const person = await signedUp(site);
  const cookie = person.cookies.get('weir_portal');
  const forged = ['', 'x', cookie.slice(1), `${cookie}x`, cookie.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')), 'A'.repeat(43), 'A'.repeat(4000)];
  for (const value of forged)
    assert.equal((await new Person(site.portal).get('/api/v1/me', { cookie: `weir_portal=${value}` })).status, 401, value);
  assert.equal((await new Person(site.portal).get('/api/v1/me', { cookie: `a=b; weir_portal=${cookie}; c` })).status, 200);
  // each listener has its own
  const there = new Person(site.admin);
  assert.equal((await there.get('/api/v1/me', { cookie: `weir_console=${cookie}` })).status, 401);
  assert.equal((await there.get('/api/v1/me', { cookie: `weir_portal=${cookie}` })).status, 401);
});

test('bodies that are none get an answer that says what is wrong', async (t) => {
  const site = await startSite(t, config());
  const person = await signedUp(site);
  const json = { 'content-type': 'application/json', 'x-csrf-token': person.csrf };
  const bodies = [
    ['{', 400], ['[]', 400], ['"x"', 400], ['{"name":"a","name":"b"}', 400], ['', 422], ['{}', 422],
    ['{"current":1,"password":"long enough 1"}', 422], ['{"current":"x","password":"\\u0000"}', 400],
    [`{"current":"${'x'.repeat(30_000)}"}`, 413], ['\u{feff}{}', 400], [Buffer.from('{"\xff":1}', 'latin1'), 400],
  ];
  for (const [body, status] of bodies)
    assert.equal((await person.ask('PUT', '/api/v1/me/password', { body, headers: json })).status, status, body.toString().slice(0, 60));
  const other = { 'content-type': 'text/plain', 'x-csrf-token': person.csrf };
  assert.equal((await person.ask('PATCH', '/api/v1/me', { body: '{}', headers: other })).status, 415);
  const faults = await person.send('PATCH', '/api/v1/me', { name: '', zip: 1, locale: 'xx', time_zone: 'a b' });
  assert.deepEqual([faults.status, fieldsAtFault(faults)], [422, ['name required', 'zip unknown']]);
});

test('names in any script are kept, names that make a page lie are not', async (t) => {
  const site = await startSite(t, config());
  const person = await signedUp(site);
  for (const name of ['Ömer Şükrü', '王小明', 'محمد علي', 'שלום', '<script>alert(1)</script>', "O'Brien & \"Söhne\"", '👩🏽‍💻']) {
    const { status, json } = await person.send('PATCH', '/api/v1/me', { name });
    assert.deepEqual([status, json.name], [200, name]);
  }
  for (const name of ['a\u202eb', 'a\u2066b', 'a\u0007b', 'a\nb', '\u{feff}a', 'a\u0085b', 'x'.repeat(121)])
    assert.equal((await person.send('PATCH', '/api/v1/me', { name })).status, 422, JSON.stringify(name));
  await person.send('PATCH', '/api/v1/me', { name: '</script><img src=x>' });
  const page = await person.get('/apps', { accept: 'text/html' });
  assert.equal(page.status, 200);
  assert.ok(!page.body.includes('<img'), 'a name does not become markup');
  assert.equal(page.headers['cache-control'], 'no-store');
});

test('who may make an account is the operator\'s choice', async (t) => {
  const closed = await startSite(t, config({ registration: 'closed' }));
  const wish = { email: 'a@example.com', name: 'A', password: PASSWORD };
  assert.equal((await new Person(closed.portal).send('POST', '/api/v1/people', wish)).status, 403);
  const invite = await startSite(t, { portal: {} });
  assert.equal((await new Person(invite.portal).send('POST', '/api/v1/people', wish)).status, 403);
  assert.equal((await new Person(invite.portal).send('POST', '/api/v1/people', { ...wish, invitation: 'x'.repeat(43) })).status, 403);
  const open = await startSite(t, config());
  const both = await Promise.all([1, 2, 3].map(() => new Person(open.portal).send('POST', '/api/v1/people', wish)));
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 409, 409]);
});

test('operators sign in at the console, others do not', async (t) => {
  const site = await startSite(t, config());
  const person = await operator(site);
  assert.equal((await person.json('/api/v1/session')).person.operator, true);
  await signedUp(site);
  const refused = await new Person(site.admin).signIn('deniz@example.com', PASSWORD);
  assert.equal(refused.status, 403);
  assert.equal(refused.headers['set-cookie'], undefined);
});

test('weir admin makes operators, new passwords and links, with an instance and without', async (t) => {
  const site = makeSite(t, config());
  const made = await site.type('an operator password\n', 'admin', 'create', 'Op@example.com', '--name', 'Olga');
  assert.equal(made.code, 0, made.stderr);
  assert.equal(made.stdout, '');
  assert.equal((await site.type('another password\n', 'admin', 'create', 'op@example.com')).code, 1);
  assert.equal((await site.type('short\n', 'admin', 'passwd', 'op@example.com')).code, 1);
  assert.equal((await site.type('', 'admin', 'passwd', 'op@example.com')).code, 1);
  assert.equal((await site.type('long enough 1\n', 'admin', 'passwd', 'nobody@example.com')).code, 1);
  assert.equal((await site.type('', 'admin')).code, 2);
  assert.equal((await site.type('', 'admin', 'create', 'nobody')).code, 2);
  await site.start();
  const person = new Person(site.admin);
  assert.equal((await person.signIn('op@example.com', 'an operator password')).status, 200);
  assert.equal((await site.type('a new password\n', 'admin', 'passwd', 'op@example.com')).code, 0);
  assert.equal((await person.get('/api/v1/me')).status, 401, 'a new password ends all sessions');
  const link = new URL((await site.ok('admin', 'reset-link', 'op@example.com')).trim(), 'http://console');
  const token = link.searchParams.get('token');
  const set = { token, password: 'by the link 1' };
  assert.equal((await person.get(`${link.pathname}${link.search}`, { accept: 'text/html' })).status, 200);
  assert.equal((await person.send('PUT', '/api/v1/resets', { ...set, token: `${token.slice(1)}x` })).status, 404);
  assert.equal((await person.send('PUT', '/api/v1/resets', set)).status, 204);
  assert.equal((await person.send('PUT', '/api/v1/resets', set)).status, 404, 'a link works once');
  assert.equal((await person.signIn('op@example.com', 'by the link 1')).status, 200);
});

test('neither the log nor the database has a password, a cookie or a link', async (t) => {
  const site = await startSite(t, config());
  const person = await signedUp(site);
  await person.signIn('deniz@example.com', 'a wrong password');
  const token = new URL((await site.ok('admin', 'reset-link', 'deniz@example.com')).trim(), 'http://portal').searchParams.get('token');
  await site.stop();
  const cookie = person.cookies.get('weir_portal');
  const files = await Promise.all(['weir.db', 'weir.db-wal'].map((name) => readFile(join(site.data, name), 'latin1').catch(() => '')));
  for (const secret of [PASSWORD, 'a wrong password', cookie, token, person.csrf])
    for (const text of [site.log, ...files]) assert.ok(!text.includes(secret));
});

test('plain forms do all of it without a script', async (t) => {
  const site = await startSite(t, config());
  const person = new Person(site.portal);
  const asked = await person.get('/apps', { accept: 'text/html' });
  assert.deepEqual([asked.status, asked.headers.location], [303, '/sign-in?return=%2Fapps']);
  const faulty = await person.form('/sign-up', { email: 'x', name: '', password: 'short' });
  assert.equal(faulty.status, 422);
  assert.equal(faulty.body.match(/class="field-error"/g).length, 3);
  const done = await person.form('/sign-up', { email: 'deniz@example.com', name: 'Deniz', password: PASSWORD });
  assert.deepEqual([done.status, done.headers.location], [303, '/apps']);
  assert.equal((await person.get('/apps', { accept: 'text/html' })).status, 200);
  const { csrf } = await person.json('/api/v1/session');
  assert.equal((await person.form('/sign-out', {})).status, 403, 'not without the token');
  assert.equal((await person.form('/sign-out', { csrf })).status, 303);
  assert.equal((await person.get('/api/v1/me')).status, 401);
  const wrong = await person.form('/sign-in', { email: 'deniz@example.com', password: 'no' }, { 'accept-language': 'tr' });
  assert.equal(wrong.status, 401);
  assert.match(wrong.body, /<html lang="tr">[^]*E-posta veya parola yanlış/);
  assert.ok(!wrong.body.includes('value="no"'));
  for (const path of ['//evil.example', '/\\evil.example', 'https://evil.example']) {
    const back = await new Person(site.portal).form(`/sign-in?return=${encodeURIComponent(path)}`, { email: 'deniz@example.com', password: PASSWORD });
    assert.deepEqual([back.status, back.headers.location], [303, '/apps'], path);
  }
});

test('a locked database is said, and nothing is changed', async (t) => {
  const site = await startSite(t, config());
  const person = await signedUp(site);
  const { spawn } = await import('node:child_process');
  const shell = spawn('sqlite3', [join(site.data, 'weir.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => shell.kill('SIGKILL'));
  let said = '';
  shell.stdout.on('data', (chunk) => (said += chunk));
  shell.stdin.write("BEGIN IMMEDIATE;\nSELECT 'locked';\n");
  await until(() => said.includes('locked'));
  const refused = await person.send('PATCH', '/api/v1/me', { name: 'Later' });
  assert.equal(refused.status, 503, refused.body);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  assert.equal((await person.json('/api/v1/me')).name, 'Deniz', 'reading goes on');
  shell.stdin.end('ROLLBACK;\n');
  assert.equal((await person.send('PATCH', '/api/v1/me', { name: 'Later' })).status, 200);
});
