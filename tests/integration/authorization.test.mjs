// SPDX-License-Identifier: Apache-2.0
//
// Who may do what: every row of endpoints.def and pages.def, asked by everybody there is, on their own things, another
// team's and none that exist. What the role demands is written here once more, so that a row which lets in more people
// than its role says fails, and so does a row with a role or a parameter that this test does not know.
//
// A change that is let through is sent with a field that no schema has: the guards are behind it when the answer is 422,
// and nothing was done.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { operations } from './lib/openapi.mjs';
import { operator, Person } from './lib/person.mjs';
import { hello, startOrigin, startSite } from './lib/site.mjs';
import { sqlite } from './lib/weir.mjs';

const PASSWORD = 'a long password';
const NOWHERE = '00000000-0000-7000-8000-000000000000';
const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..', '..');

const MAIL = '01930000-0000-7000-8000-000000000001';
const config = { ...hello, portal: { registration: 'open', logo: '<svg></svg>', theme: ':root { --radius: 2px; }' }, plans: { ...hello.plans, gold: { apis: ['hello'], approval: 'manual' } } };

// --- the rows ---

// {listener, method, path, role} of every row there is; one of both listeners comes twice.
function rowsOfSource() {
  const text = (name) => readFileSync(join(root, 'portal', name), 'utf8').split('\n');
  const rows = [
    ...text('endpoints.def').filter((line) => line.startsWith('X(')).map((line) => /^X\((\w+), (\w+), "([^"]+)", (\w+), /.exec(line).slice(1)),
    ...text('pages.def').filter((line) => line.startsWith('PAGE(')).map((line) => {
      const [, listener, path, role] = /^PAGE\((\w+), "([^"]+)", (\w+), /.exec(line);
      return [listener, 'GET', path, role];
    }),
  ];
  return rows.flatMap(([listener, method, path, role]) =>
    (listener === 'BOTH' ? ['ADMIN', 'PORTAL'] : [listener]).map((one) => ({ listener: one, method, path, role })));
}

// What is open to others than operators and members: a role that is too wide is seen here.
const OPEN = {
  PORTAL: { ANYONE: /^(session|people|confirmations|resets|catalog|openapi\.json|requests\/\{id\})$/, PERSON: /^(session|sessions(\/\{id\})?|me(\/password)?|apps|audit)$/ },
  ADMIN: { ANYONE: /^(session|resets|openapi\.json|status)$/, PERSON: /^(session|sessions(\/\{id\})?|me(\/password)?)$/ },
};

const isApi = ({ path }) => path.startsWith('/api/v1/');
const named = ({ listener, method, path }) => `${listener} ${method} ${path}`;
const changes = ({ method }) => method !== 'GET';

// --- who ---

// What a role lets through, by who asks: 0, or the status of the refusal. `thing` is whose app it is about.
const MAY = {
  MACHINE: () => 0,
  ANYONE: () => 0,
  PERSON: (who) => (who.signedIn ? 0 : 401),
  APP_READ: (who, thing) => member(who, thing, 1),
  APP_WRITE: (who, thing) => member(who, thing, 2),
  APP_OWN: (who, thing) => member(who, thing, 3),
  OPERATOR: (who) => (!who.signedIn ? 401 : who.operator ? 0 : 403),
};
const POWERS = { viewer: 1, developer: 2, admin: 3, owner: 4 };

function member(who, thing, needed) {
  if (!who.signedIn) return 401;
  const power = POWERS[who.roles?.[thing]] ?? 0;
  return power === 0 ? 404 : power < needed ? 403 : 0;
}

const write = (site, sql) => sqlite(join(site.data, 'weir.db'), sql, []);

async function good(answer, status) {
  const { json, body, ...rest } = await answer;
  assert.equal(rest.status, status, body);
  return json;
}

// One with the cookies and the token of another, at a listener that these are not of.
function carried(person, listener, rename = (name) => name) {
  const other = new Person(listener);
  other.cookies = new Map([...person.cookies].map(([name, value]) => [rename(name), value]));
  other.csrf = person.csrf;
  return other;
}

async function makeWorld(t) {
  const site = await startSite(t, config, await startOrigin(t));
  const signUp = async (name) => {
    const person = new Person(site.portal);
    await person.signUp(`${name}@example.com`, PASSWORD, name);
    return person;
  };
  const [owner, stranger, viewer, developer, admin] = [
    await signUp('owner'), await signUp('stranger'), await signUp('viewer'), await signUp('developer'), await signUp('admin')];
  const app = async (person) => {
    const { name } = await good(person.send('POST', '/api/v1/apps', { title: 'App', plan: 'free' }), 201);
    await good(person.send('POST', `/api/v1/apps/${name}/subscription`, { plan: 'gold' }), 200);
    const { key } = await good(person.send('POST', `/api/v1/apps/${name}/keys`, { name: 'ci' }), 201);
    return { app: name, kid: key.kid };
  };
  const things = { own: await app(owner), others: await app(stranger), none: { app: 'nothing-2222', kid: '00000000' } };
  for (const role of ['viewer', 'developer', 'admin'])
    write(site, `INSERT INTO members SELECT a.team, p.id, '${role}', 1 FROM apps a, people p
      WHERE a.name = '${things.own.app}' AND p.email = '${role}@example.com'`);
  const boss = await operator(site);
  const bossHere = new Person(site.portal);
  await bossHere.signIn('operator@example.com', 'an operator password');
  const former = await operator(site, site.admin, 'former@example.com');
  write(site, "UPDATE people SET operator = 0 WHERE email = 'former@example.com'");
  await good(boss.send('POST', '/api/v1/invitations', {}), 201);

  write(site, `INSERT INTO mails VALUES (x'${MAIL.replaceAll('-', '')}', 'confirm', 'a@example.com', x'00', 'failed', 1, 1, 1, ${Date.now() * 1000}, '550')`);

  const ids = {
    '/api/v1/mails/{id}/retry': MAIL,
    '/api/v1/sessions/{id}': NOWHERE,
    '/api/v1/people/{id}': (await boss.json('/api/v1/people')).items[0].id,
    '/api/v1/approvals/{id}': (await boss.json('/api/v1/approvals')).items[0].id,
    '/api/v1/invitations/{id}': (await boss.json('/api/v1/invitations')).items[0].id,
    '/api/v1/requests/{id}': NOWHERE,
    '/requests/{id}': NOWHERE,
  };
  const nobody = { PORTAL: new Person(site.portal), ADMIN: new Person(site.admin) };
  return {
    site, ids, things,
    who: {
      PORTAL: [
        { name: 'nobody', person: nobody.PORTAL },
        { name: 'owner', person: owner, signedIn: true, roles: { own: 'owner' } },
        { name: 'admin of the team', person: admin, signedIn: true, roles: { own: 'admin' } },
        { name: 'developer of the team', person: developer, signedIn: true, roles: { own: 'developer' } },
        { name: 'viewer of the team', person: viewer, signedIn: true, roles: { own: 'viewer' } },
        { name: "another team's developer", person: stranger, signedIn: true, roles: { others: 'owner' } },
        { name: 'operator', person: bossHere, signedIn: true, operator: true },
        { name: 'console cookie', person: carried(boss, site.portal) },
        { name: 'console cookie by the name of the portal', person: carried(boss, site.portal, () => 'weir_portal') },
      ],
      ADMIN: [
        { name: 'nobody', person: nobody.ADMIN },
        { name: 'operator', person: boss, signedIn: true, operator: true },
        { name: 'no operator any more', person: former, signedIn: true },
        { name: 'portal cookie', person: carried(owner, site.admin) },
        { name: 'portal cookie by the name of the console', person: carried(owner, site.admin, () => 'weir_console') },
        { name: 'portal cookie of an operator', person: carried(bossHere, site.admin, () => 'weir_console') },
      ],
    },
  };
}

// The row's path with things of one owner; a parameter nobody taught this test fails it.
function pathOf(row, thing, world) {
  const values = { ...world.things[thing], id: world.ids[row.path], file: 'nothing.js', code: 'rate_limited' };
  return row.path.replace(/\{(\w+)\}/g, (param, name) => {
    assert.ok(values[name], `${named(row)}: this test does not know what to put for ${param}`);
    return values[name];
  });
}

// Everything that requests could change. Sessions are seen anew every five minutes.
const stateOf = (site) => JSON.stringify([
  'people', 'teams', 'members', 'apps', 'subscriptions', 'keys', 'links', 'mails', 'audit',
].map((table) => write(site, `SELECT * FROM (SELECT * FROM ${table}) ORDER BY 1, 2`))
  .concat([write(site, 'SELECT hex(id), hex(hash), expires_us - seen_us FROM sessions ORDER BY 1')]));

const ask = ({ person }, row, path, headers = {}, value) =>
  (changes(row) ? person.send(row.method, path, value, { accept: 'application/json', ...headers })
    : person.get(path, { accept: 'application/json', ...headers }));

// --- the matrix ---

test('every row is known: its role, its parameters, and the same in the OpenAPI document', async (t) => {
  const world = await makeWorld(t);
  const rows = rowsOfSource();
  assert.ok(rows.length > 60, 'the rows were read');
  for (const row of rows) {
    assert.ok(MAY[row.role], `${named(row)} has the role ${row.role}, which this test does not know`);
    pathOf(row, 'own', world);
    if (row.listener === 'PORTAL') assert.ok(!['OPERATOR', 'MACHINE'].includes(row.role), `${named(row)}: operators work in the console`);
    else assert.ok(!row.role.startsWith('APP_'), `${named(row)}: members of teams are at the portal`);
    const open = OPEN[row.listener][row.role];
    if (isApi(row) && open) assert.match(row.path.slice('/api/v1/'.length), open, `${named(row)}: is it meant to be open to ${row.role}?`);
    if (row.path.includes('{app}')) assert.match(row.role, row.listener === 'PORTAL' ? /^APP_/ : /^OPERATOR$/, named(row));
    if (changes(row) && row.role === 'ANYONE')
      assert.match(row.path, /^\/(api\/v1\/)?(session|people|confirmations|resets|sign-in|sign-up|confirm|forgot|reset|language)$/,
        `${named(row)}: nobody but these changes something without being signed in`);
  }
  for (const listener of ['PORTAL', 'ADMIN']) {
    const document = await world.who[listener][0].person.json('/api/v1/openapi.json');
    const told = operations(document).map(({ method, path, role }) => `${method} ${path} ${role}`).sort();
    const there = rows.filter((row) => row.listener === listener && isApi(row)).map(({ method, path, role }) => `${method} ${path} ${role}`).sort();
    assert.deepEqual(told, there, listener);
  }
});

test('each row lets through whom its role names, and nobody else', async (t) => {
  const world = await makeWorld(t);
  const before = stateOf(world.site);
  let let_in = 0, refused = 0;
  for (const row of rowsOfSource()) {
    const things = row.path.includes('{app}') && row.listener === 'PORTAL' ? ['own', 'others', 'none'] : ['own'];
    for (const thing of things)
      for (const who of world.who[row.listener]) {
        const path = pathOf(row, thing, world);
        const at = `${named(row)} (${thing}) by ${who.name}`;
        const want = MAY[row.role](who, thing);
        const { status, body, json } = await ask(who, row, path, {}, { no_such_field: 1 });
        if (want !== 0) {
          refused++;
          assert.equal(status, want, `${at}: ${body}`);
          assert.ok(!body.includes('@example.com'), `${at}: a refusal tells nothing`);
          continue;
        }
        let_in++;
        if (changes(row)) assert.deepEqual([status, json?.errors?.some(({ code }) => code === 'unknown')], [422, true], `${at}: ${body}`);
        else if (!/\{(file|id)\}/.test(row.path)) assert.ok([200, 303, 308].includes(status), `${at}: ${status} ${body}`);
        else assert.ok(![401, 403, 405, 500].includes(status), `${at}: ${status} ${body}`);
      }
  }
  assert.ok(let_in > 100 && refused > 200, `${let_in} let in, ${refused} refused`);
  assert.equal(stateOf(world.site), before);
});

test("another's session, key and request are nobody's", async (t) => {
  const { site, who, things } = await makeWorld(t);
  const of = (name) => who.PORTAL.find((one) => one.name === name).person;
  const [owner, stranger] = [of('owner'), of("another team's developer")];
  const { items } = await stranger.json('/api/v1/sessions');
  assert.equal((await owner.send('DELETE', `/api/v1/sessions/${items[0].id}`)).status, 404);
  assert.equal((await stranger.get('/api/v1/me')).status, 200);
  // a key by the path of one's own app
  const path = `/api/v1/apps/${things.own.app}/keys/${things.others.kid}`;
  for (const [method, where, value] of [
    ['GET', path], ['PATCH', path, { enabled: false }], ['DELETE', path], ['POST', `${path}/rotate`, { overlap_s: 0 }],
  ]) assert.equal((await owner.send(method, where, value)).status, 404, `${method} ${where}`);
  assert.equal((await stranger.json(`/api/v1/apps/${things.others.app}/keys/${things.others.kid}`)).state, 'active');
  assert.deepEqual((await owner.json('/api/v1/apps')).items.map(({ name }) => name), [things.own.app]);
  assert.equal(write(site, "SELECT count(*) AS n FROM audit WHERE action LIKE 'key.%'")[0].n, 2);
});

// --- by whose hand ---

// Bodies that would be done if the guards let them through; what is not here is made from its schema.
const BODIES = {
  SignIn: { email: 'owner@example.com', password: PASSWORD },
  SignUp: { email: 'new@example.com', name: 'New', password: PASSWORD },
  ResetWish: { email: 'owner@example.com' },
  PasswordChange: { current: PASSWORD, password: 'another long password' },
  Profile: { name: 'Changed' },
  AppChange: { title: 'Changed' },
  PlanWish: { plan: 'free' },
  AppWish: { title: 'New', plan: 'free' },
  KeyChange: { name: 'changed', enabled: false },
  AccountChange: { state: 'suspended' },
  ApprovalDecision: { decision: 'reject' },
};

const SAMPLES = {
  string: ({ format, minLength = 1 }) => (format === 'email' ? 'x@example.com' : 'x'.repeat(minLength)),
  integer: ({ minimum = 1 }) => minimum, number: ({ minimum = 1 }) => minimum, boolean: () => true, array: () => [],
};

function bodyOf(document, schema) {
  if (!schema) return undefined;
  const title = schema.$ref.split('/').pop();
  const { properties, required } = document.components.schemas[title];
  return BODIES[title] ?? Object.fromEntries(required.map((name) => [name, SAMPLES[properties[name].type](properties[name])]));
}

test('no change is made by a foreign page, or without the token of the session', async (t) => {
  const world = await makeWorld(t);
  const before = stateOf(world.site);
  const tokenOf = (listener, who) => world.who[listener].find((one) => one !== who && one.signedIn).person.csrf;
  let asked = 0;
  for (const listener of ['PORTAL', 'ADMIN']) {
    const who = world.who[listener][1];
    const document = await who.person.json('/api/v1/openapi.json');
    const api = operations(document).filter(changes).map((row) => ({ listener, ...row }));
    const plain = rowsOfSource().filter((row) => row.listener === listener && changes(row) && !isApi(row));
    assert.ok(api.length > 5 && plain.length > 3);
    for (const row of [...api, ...plain]) {
      const path = pathOf(row, 'own', world);
      const value = bodyOf(document, row.input);
      const foreign = [
        { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example' }, { origin: 'null' },
        { 'sec-fetch-site': 'cross-site', origin: `http://${who.person.listener.text}` },
      ];
      const without = row.role === 'ANYONE' ? []
        : [{ 'x-csrf-token': '' }, { 'x-csrf-token': 'x'.repeat(43) }, { 'x-csrf-token': tokenOf(listener, who) }];
      for (const headers of [...foreign, ...without]) {
        const { status, body } = await ask(who, row, path, headers, value);
        assert.equal(status, 403, `${named(row)} with ${JSON.stringify(headers)}: ${body}`);
        asked++;
      }
      if (row.method !== 'POST') continue;
      // the same by a form, as a page elsewhere can send it without asking
      const form = await who.person.form(path, value ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, String(v)])) : {},
        { 'sec-fetch-site': 'cross-site' });
      assert.equal(form.status, 403, `${named(row)} by a form: ${form.body.slice(0, 200)}`);
    }
  }
  assert.ok(asked > 200, `${asked}`);
  assert.equal(stateOf(world.site), before);
});
