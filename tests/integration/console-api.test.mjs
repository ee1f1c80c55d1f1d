// SPDX-License-Identifier: Apache-2.0
//
// What operators do by HTTP, as the console's pages use it: each change is in force at once and in the audit log, lists
// of thousands come in pages, and what is no good changes nothing.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { answerOf, breaches } from './lib/openapi.mjs';
import { operator, Person } from './lib/person.mjs';
import { startOrigin, startSite } from './lib/site.mjs';
import { sqlite, until } from './lib/weir.mjs';

const PASSWORD = 'a long password';
const NOWHERE = '00000000-0000-7000-8000-000000000000';
const FILE_SECRET = 'a secret of the file';
const TOKEN = 'a token for prometheus';

const config = {
  portal: { registration: 'open', title: 'Acme' },
  metrics: { listen: '127.0.0.1:0', token: TOKEN },
  apis: {
    hello: { upstream: 'origin', match: { paths: ['/hello'] }, routes: { slow: { match: { paths: ['/hello/slow'], methods: ['GET'] }, timeout: '90s' } } },
    open: { upstream: 'origin', match: { paths: ['/open'] }, auth: 'none' },
  },
  plans: {
    free: { apis: ['hello'], title: 'Free', quota: { requests: 100, per: 'month' } },
    gold: { apis: ['hello'], approval: 'manual' },
  },
  apps: { 'main-hall': { plan: 'free', title: 'Hall', keys: { one: { secret: FILE_SECRET } } }, zebra: { plan: 'gold', suspended: true } },
};

async function start(t, more) {
  const origin = await startOrigin(t);
  return startSite(t, { ...config, ...more }, origin);
}

async function good(answer, status = 200) {
  const { json, body, ...rest } = await answer;
  assert.equal(rest.status, status, body);
  return json;
}

async function developer(site, name = 'deniz') {
  const person = new Person(site.portal);
  await person.signUp(`${name}@example.com`, PASSWORD, name);
  return person;
}

const makeApp = (person, more) => good(person.send('POST', '/api/v1/apps', { title: 'Orders', ...more }), 201);
const issue = (person, app, name = 'ci') => good(person.send('POST', `/api/v1/apps/${app}/keys`, { name }), 201);

async function called(site, key, path = '/hello') {
  const { status, headers } = await site.call(path, key);
  return `${status} ${headers['weir-reason'] ?? ''}`.trim();
}

const write = (site, sql) => sqlite(join(site.data, 'weir.db'), sql, []);
const latest = async (who, action) => (await who.json(`/api/v1/audit?action=${action}&limit=1`)).items[0];

// Every row of a list, page by page; `between` runs after each page.
async function pages(who, path, limit, between = () => {}) {
  const items = [];
  for (let after = ''; after !== null; ) {
    const page = await who.json(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}&after=${encodeURIComponent(after)}`);
    assert.ok(page.items.length <= limit);
    assert.ok(page.next === null || page.items.length === limit, 'a page that is not the last is full');
    items.push(...page.items);
    after = page.next;
    await between();
  }
  return items;
}

test('a key revoked or switched off in the console is refused at once', async (t) => {
  const site = await start(t);
  const [me, boss] = [await developer(site), await operator(site)];
  const { name } = await makeApp(me, { plan: 'free' });
  const { key, secret } = await issue(me, name);
  const path = `/api/v1/keys/${key.kid}`;
  assert.equal(await called(site, secret), '200');

  assert.equal((await good(boss.send('PATCH', path, { enabled: false }))).state, 'disabled');
  assert.equal(await called(site, secret), '401 key_disabled');
  assert.equal((await good(boss.send('PATCH', path, { enabled: true }))).state, 'active');
  assert.equal(await called(site, secret), '200');

  const revoked = await good(boss.send('DELETE', path));
  assert.equal(revoked.state, 'revoked');
  assert.equal(await called(site, secret), '401 key_revoked');
  assert.equal((await good(boss.send('DELETE', path))).revoked, revoked.revoked, 'twice is once');
  assert.equal((await boss.send('PATCH', path, { enabled: true })).status, 422);
  assert.equal(await called(site, secret), '401 key_revoked');

  for (const action of ['key.disabled', 'key.enabled', 'key.revoked']) {
    const { actor, object, detail, address } = await latest(boss, action);
    assert.deepEqual([actor, object, detail, address], ['operator@example.com', key.kid, name, '127.0.0.1'], action);
  }
  assert.equal((await boss.json('/api/v1/audit?action=key.revoked')).items.length, 1);

  // one of an app of the file, issued by the shell
  const issued = await site.createKey('main-hall');
  assert.equal(await called(site, issued), '200');
  assert.equal((await good(boss.send('DELETE', `/api/v1/keys/${issued.split('_')[2]}`))).app, 'main-hall');
  assert.equal(await called(site, issued), '401 key_revoked');
});

test('what an operator has switched off, its owner cannot switch on', async (t) => {
  const site = await start(t);
  const [me, boss] = [await developer(site), await operator(site)];
  const { name } = await makeApp(me, { plan: 'free' });
  const { key, secret } = await issue(me, name);
  const [own, theirs] = [`/api/v1/apps/${name}/keys/${key.kid}`, `/api/v1/keys/${key.kid}`];

  // one's own switch is one's own
  assert.deepEqual([(await good(me.send('PATCH', own, { enabled: false }))).held, await called(site, secret)], [false, '401 key_disabled']);
  assert.deepEqual([(await good(me.send('PATCH', own, { enabled: true }))).state, await called(site, secret)], ['active', '200']);

  // held also where it was off already
  await good(me.send('PATCH', own, { enabled: false }));
  assert.equal((await good(boss.send('PATCH', theirs, { enabled: false }))).held, true);
  for (const enabled of [true, false]) {
    const refused = await me.send('PATCH', own, { enabled });
    assert.equal(refused.status, 403, refused.body);
    assert.match(refused.json.detail, /switched off by an operator/);
  }
  assert.equal((await good(me.send('PATCH', own, { name: 'Renamed' }))).state, 'disabled');
  assert.equal(await called(site, secret), '401 key_disabled');
  assert.equal((await good(boss.send('PATCH', theirs, { enabled: true }))).held, false);
  assert.equal(await called(site, secret), '200');

  // by the shell as by the console
  await site.ok('key', 'disable', key.kid);
  assert.equal((await me.send('PATCH', own, { enabled: true })).status, 403);
  assert.equal((await good(me.send('DELETE', own))).state, 'revoked', 'ending it is always theirs');
});

test('an app that is suspended is refused, and its people read why', async (t) => {
  const site = await start(t);
  const [me, boss] = [await developer(site), await operator(site)];
  const { name } = await makeApp(me, { plan: 'free' });
  const { secret } = await issue(me, name);
  const path = `/api/v1/apps/${name}`;
  const suspended = await good(boss.send('PATCH', path, { suspended: true, note: 'Too many wrong calls.\nWrite to us.' }));
  assert.deepEqual([suspended.state, suspended.state_note, suspended.role], ['suspended', 'Too many wrong calls.\nWrite to us.', null]);
  assert.equal(await called(site, secret), '403 app_suspended');
  const seen = await me.json(path);
  assert.deepEqual([seen.state, seen.state_note], ['suspended', 'Too many wrong calls.\nWrite to us.']);
  assert.equal((await good(boss.send('PATCH', path, { suspended: false, note: 'Fine again.' }))).state, 'active');
  assert.equal(await called(site, secret), '200');
  assert.deepEqual([(await me.json(path)).state_note], ['']);
  assert.deepEqual((await latest(boss, 'app.suspended')).detail, 'Too many wrong calls.\nWrite to us.');
  assert.equal((await latest(boss, 'app.resumed')).object, name);
  const { status, json } = await boss.send('PATCH', '/api/v1/apps/main-hall', { suspended: true });
  assert.deepEqual([status, json.detail.includes('configuration')], [409, true]);
  await site.stop();
  await site.start();
  assert.equal(await called(site, secret), '200');
});

test('a plan waits for an operator, who approves or rejects it with words', async (t) => {
  const site = await start(t);
  const [me, boss] = [await developer(site), await operator(site)];
  const { name } = await makeApp(me, { plan: 'gold' });
  const { secret } = await issue(me, name);
  assert.equal(await called(site, secret), '403 subscription_pending');
  const [wish] = (await boss.json('/api/v1/approvals')).items;
  assert.deepEqual([wish.app, wish.app_title, wish.plan, wish.asked_by, wish.state, wish.offered, wish.decided],
    [name, 'Orders', 'gold', 'deniz@example.com', 'pending', true, null]);
  assert.equal((await boss.json('/api/v1/overview')).counts.pending, 1);

  const rejected = await good(boss.send('POST', `/api/v1/approvals/${wish.id}`, { decision: 'reject', note: 'Tell us more.' }));
  assert.deepEqual([rejected.state, rejected.decided_by, rejected.note], ['rejected', 'operator@example.com', 'Tell us more.']);
  assert.deepEqual(await boss.json('/api/v1/approvals'), { items: [], next: null });
  assert.equal(await called(site, secret), '403 not_subscribed');
  assert.equal((await me.json(`/api/v1/apps/${name}`)).rejected.note, 'Tell us more.');
  assert.equal((await boss.send('POST', `/api/v1/approvals/${wish.id}`, { decision: 'approve' })).status, 409);

  await good(me.send('POST', `/api/v1/apps/${name}/subscription`, { plan: 'gold' }));
  const [again] = (await boss.json('/api/v1/approvals')).items;
  await good(boss.send('POST', `/api/v1/approvals/${again.id}`, { decision: 'approve', note: 'Welcome.' }));
  assert.equal(await called(site, secret), '200');
  assert.deepEqual((await me.json(`/api/v1/apps/${name}`)).subscription.note, 'Welcome.');
  assert.equal((await boss.json('/api/v1/plans')).items.find((plan) => plan.name === 'gold').subscribers, 1);
  assert.deepEqual([(await latest(boss, 'subscription.rejected')).object, (await latest(boss, 'subscription.approved')).detail], [name, 'gold']);
});

test('a plan that the configuration lost can only be rejected', async (t) => {
  const origin = await startOrigin(t);
  const site = await startSite(t, config, origin);
  const [me, boss] = [await developer(site), await operator(site)];
  const { name } = await makeApp(me, { plan: 'gold' });
  const [wish] = (await boss.json('/api/v1/approvals')).items;
  await site.stop();
  site.write({ upstreams: { origin: { targets: [origin.url] } }, ...config, plans: { free: config.plans.free }, apps: {} });
  await site.start();
  boss.listener = site.admin;
  me.listener = site.portal;
  assert.equal((await boss.json('/api/v1/approvals')).items[0].offered, false);
  assert.equal((await boss.send('POST', `/api/v1/approvals/${wish.id}`, { decision: 'approve' })).status, 422);
  assert.equal((await me.json(`/api/v1/apps/${name}`)).pending_plan, 'gold');
  const lost = (await boss.json('/api/v1/plans')).items.find((plan) => plan.name === 'gold');
  assert.deepEqual([lost.offered, lost.waiting], [false, 1]);
  await good(boss.send('POST', `/api/v1/approvals/${wish.id}`, { decision: 'reject' }));
  assert.equal((await me.json(`/api/v1/apps/${name}`)).pending_plan, null);
});

test('people are suspended and made operators, but one who can sign in to the console stays', async (t) => {
  const site = await start(t);
  const [me, boss] = [await developer(site), await operator(site)];
  const idOf = async (email) => (await boss.json(`/api/v1/people?q=${encodeURIComponent(email)}`)).items[0].id;
  const [mine, own] = [await idOf('deniz@example.com'), await idOf('operator@example.com')];
  const change = (id, value, who = boss) => who.send('PATCH', `/api/v1/people/${id}`, value);

  assert.equal((await new Person(site.admin).signIn('deniz@example.com', PASSWORD)).status, 403, 'no operator');
  assert.equal((await good(change(mine, { state: 'suspended' }))).state, 'suspended');
  assert.equal((await me.get('/api/v1/me')).status, 401);
  assert.equal((await new Person(site.portal).signIn('deniz@example.com', PASSWORD)).status, 403);
  assert.equal((await good(change(mine, { state: 'active' }))).state, 'active');
  assert.equal((await new Person(site.portal).signIn('deniz@example.com', PASSWORD)).status, 200);

  for (const value of [{ operator: false }, { state: 'suspended' }, { state: 'active', operator: false }])
    assert.equal((await change(own, value)).status, 422, JSON.stringify(value));
  assert.equal((await boss.get('/api/v1/me')).status, 200);

  assert.equal((await good(change(mine, { operator: true }))).operator, true);
  const second = new Person(site.admin);
  assert.equal((await second.signIn('deniz@example.com', PASSWORD)).status, 200);
  assert.equal((await good(second.get('/api/v1/people'))).items.length, 2);
  assert.equal((await good(change(own, { operator: false }, second))).operator, false);
  assert.equal((await boss.get('/api/v1/people')).status, 401, 'signed out with the flag');
  assert.equal((await change(mine, { operator: false }, second)).status, 422, 'the last one');
  assert.deepEqual((await second.json('/api/v1/audit')).items.filter(({ action }) => /^(person|operator)\./.test(action)).map(({ action, object }) => [action, object]), [
    ['operator.unmade', 'operator@example.com'], ['operator.made', 'deniz@example.com'],
    ['person.activated', 'deniz@example.com'], ['person.suspended', 'deniz@example.com'], ['operator.created', 'operator@example.com'],
  ]);
});

test('two operators who unmake each other at once leave one', async (t) => {
  const site = await start(t);
  for (let round = 0; round < 3; round++) {
    const pair = [await operator(site, site.admin, `a${round}@example.com`), await operator(site, site.admin, `b${round}@example.com`)];
    const { items } = await pair[0].json('/api/v1/people');
    const ids = ['a', 'b'].map((letter) => items.find(({ email }) => email === `${letter}${round}@example.com`).id);
    for (const { id, operator: is } of items) if (is && !ids.includes(id)) await good(pair[0].send('PATCH', `/api/v1/people/${id}`, { operator: false }));
    const answers = await Promise.all([
      pair[0].send('PATCH', `/api/v1/people/${ids[1]}`, { operator: false }),
      pair[1].send('PATCH', `/api/v1/people/${ids[0]}`, { state: 'suspended' }),
    ]);
    assert.equal(answers.filter(({ status }) => status === 200).length, 1, JSON.stringify(answers.map(({ status }) => status)));
    const left = write(site, "SELECT count(*) AS n FROM people WHERE operator = 1 AND state = 'active'");
    assert.equal(left[0].n, 1);
  }
});

test('an invitation is shown once, is good once, and can be taken back', async (t) => {
  const site = await start(t, { portal: { registration: 'invite' } });
  const boss = await operator(site);
  const invite = (value) => good(boss.send('POST', '/api/v1/invitations', value), 201);
  const signUp = (email, invitation) =>
    new Person(site.portal).send('POST', '/api/v1/people', { email, password: PASSWORD, name: 'Deniz', invitation });
  const token = ({ link }) => /\/sign-up\?invitation=([\w-]{43})$/.exec(link)[1];

  const [any, his, gone] = [await invite({}), await invite({ email: 'His@Example.com', name: 'He' }), await invite({})];
  const { items } = await boss.json('/api/v1/invitations');
  assert.deepEqual(items.map(({ id }) => id).sort(), [any, his, gone].map(({ invitation }) => invitation.id).sort());
  assert.ok(!JSON.stringify(items).includes(token(any)));
  assert.deepEqual([his.invitation.email, any.invitation.email, his.mailed], ['his@example.com', '', false]);

  assert.equal((await boss.send('DELETE', `/api/v1/invitations/${gone.invitation.id}`)).status, 204);
  assert.equal((await boss.send('DELETE', `/api/v1/invitations/${gone.invitation.id}`)).status, 404);
  assert.equal((await signUp('late@example.com', token(gone))).status, 403);
  assert.equal((await signUp('other@example.com', token(his))).status, 403, 'of another address');
  assert.equal((await signUp('his@example.com', token(his))).status, 201);
  assert.equal((await signUp('any@example.com', token(any))).status, 201);
  assert.equal((await signUp('again@example.com', token(any))).status, 403, 'used up');
  assert.deepEqual(await boss.json('/api/v1/invitations'), { items: [] });

  // a link of another kind is no invitation
  await site.ok('admin', 'reset-link', 'any@example.com');
  const [{ id }] = write(site, "SELECT lower(hex(id)) AS id FROM links WHERE kind = 'reset'");
  const uuid = id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  assert.equal((await boss.send('DELETE', `/api/v1/invitations/${uuid}`)).status, 404);
  assert.equal(write(site, 'SELECT id FROM links').length, 1);
  assert.equal((await latest(boss, 'invitation.taken_back')).actor, 'operator@example.com');
});

test('cookies of the portal are nobody in the console, and the other way round', async (t) => {
  const site = await start(t);
  const [me, boss] = [await developer(site), await operator(site)];
  const both = await operator(site, site.portal, 'both@example.com');
  const swapped = (person, from, to, listener) => {
    const other = new Person(listener);
    other.cookies = new Map([...person.cookies].map(([name, value]) => [name.replace(from, to), value]));
    other.csrf = person.csrf;
    return other;
  };
  for (const person of [me, both])
    for (const other of [swapped(person, 'portal', 'console', site.admin), swapped(person, 'none', 'none', site.admin)]) {
      assert.equal((await other.get('/api/v1/people')).status, 401);
      assert.equal((await other.get('/api/v1/me')).status, 401);
    }
  for (const other of [swapped(boss, 'console', 'portal', site.portal), swapped(boss, 'none', 'none', site.portal)])
    assert.equal((await other.get('/api/v1/me')).status, 401);
  // what is the console's is not at the portal at all
  for (const path of ['/api/v1/people', '/api/v1/keys', '/api/v1/approvals', '/api/v1/settings', '/api/v1/overview'])
    assert.ok([404, 405].includes((await both.get(path)).status), path);
});

test('settings show what is in force, where it stands, and no secret', async (t) => {
  const site = await start(t);
  const boss = await operator(site);
  const told = await boss.json('/api/v1/settings');
  const by = Object.fromEntries(told.items.map((item) => [item.name, item]));
  const lines = (await import('node:fs')).readFileSync(site.file, 'utf8').split('\n');
  assert.equal(told.file, site.file);
  const title = lines.findIndex((line) => line.includes('"title": "Acme"')) + 1;
  assert.deepEqual([by['portal.title'].value, by['portal.title'].where, by['portal.title'].default], ['Acme', `weir.yaml:${title}`, 'Weir']);
  assert.deepEqual([by['portal.registration'].value, by['log.level'].value, by['log.level'].where], ['open', 'info', 'default']);
  assert.deepEqual([by['metrics.token'].value, by['metrics.token'].secret], ['', true]);
  assert.notEqual(by['metrics.token'].where, 'default');
  assert.deepEqual([by.apis.value, by.plans.value, by['admin.allow'].value], ['2', '2', '127.0.0.0/8, ::1/128']);
  assert.ok(!JSON.stringify(told).includes(TOKEN) && !JSON.stringify(told).includes(FILE_SECRET));

  assert.ok(told.items.length > 20);

  // a new file: what a reload changes is there, what needs a restart waits
  site.write({ ...JSON.parse(lines.join('\n')), log: { level: 'debug' }, data_dir: 'elsewhere' });
  const next = await until(async () => {
    const { items } = await boss.json('/api/v1/settings');
    return items.find(({ name }) => name === 'log.level').value === 'debug' && items;
  }, 'the new file');
  assert.equal(next.find(({ name }) => name === 'data_dir').waits, true);
  assert.deepEqual(next.filter(({ waits }) => waits).map(({ name }) => name), ['data_dir']);
});

test('what the configuration has is shown: APIs, upstreams with their health, plans, declared apps', async (t) => {
  const origin = await startOrigin(t);
  const site = await startSite(t, {
    ...config,
    upstreams: { origin: { targets: [origin.url] }, dead: { targets: ['http://127.0.0.1:1'] } },
    apis: { ...config.apis, dead: { upstream: 'dead', match: { paths: ['/dead'] }, auth: 'none' } },
  });
  const boss = await operator(site);
  const apis = (await boss.json('/api/v1/apis')).items;
  assert.deepEqual(apis.map(({ name, upstream, auth, routes }) => [name, upstream, auth, routes.map((route) => route.name)]),
    [['hello', 'origin', 'key', ['default', 'slow']], ['open', 'origin', 'none', ['default']], ['dead', 'dead', 'none', ['default']]]);
  assert.deepEqual([apis[0].routes[1].methods, apis[0].routes[1].timeout_ms, apis[0].plans], [['GET'], 90_000, ['free', 'gold']]);

  assert.equal((await site.call('/dead')).status, 502);
  const [up, dead] = (await boss.json('/api/v1/upstreams')).items;
  assert.deepEqual([up.targets, up.apis], [[{ url: origin.url, weight: 1, healthy: true }], ['hello', 'open']]);
  assert.deepEqual([dead.targets[0].healthy, dead.apis], [false, ['dead']]);
  assert.deepEqual((await boss.json('/api/v1/plans')).items.map(({ name, approval, declared_apps }) => [name, approval, declared_apps]),
    [['free', 'automatic', 1], ['gold', 'manual', 1]]);

  const me = await developer(site);
  const { name } = await makeApp(me, { plan: 'free' });
  const apps = (await boss.json('/api/v1/apps')).items;
  assert.deepEqual(apps.map((app) => [app.name, app.declared, app.plan, app.keys_active, app.state]),
    [['main-hall', true, 'free', 1, 'active'], [name, false, 'free', 0, 'active'], ['zebra', true, 'gold', 0, 'suspended']]);
  assert.deepEqual((await pages(boss, '/api/v1/apps', 1)).map((app) => app.name), apps.map((app) => app.name));
  assert.deepEqual((await boss.json('/api/v1/apps?q=HALL')).items.map((app) => app.name), ['main-hall']);
  const hall = await boss.json('/api/v1/apps/main-hall');
  assert.deepEqual([hall.declared, hall.created, hall.subscription.plan, hall.subscription.since], [true, null, 'free', null]);
  const issued = await site.createKey('zebra');
  assert.deepEqual((await boss.json('/api/v1/apps/zebra/keys')).items.map(({ kid }) => kid), [issued.split('_')[2]]);
  assert.equal((await boss.json('/api/v1/apps/main-hall/quotas')).items[0].limit, 100);
});

test('the overview has the last day\'s calls, refusals and top consumers', async (t) => {
  const site = await start(t);
  const [me, boss] = [await developer(site), await operator(site)];
  const { name } = await makeApp(me, { plan: 'free', title: 'Büro' });
  const { secret } = await issue(me, name);
  const before = await boss.json('/api/v1/overview');
  assert.deepEqual([before.totals.requests, before.reasons, before.top, before.since], [0, [], [], null]);
  for (let i = 0; i < 5; i++) assert.equal(await called(site, secret), '200');
  assert.equal(await called(site, 'weir_live_nothing'), '401 key_malformed');
  const now = await until(async () => {
    const overview = await boss.json('/api/v1/overview');
    return overview.totals.requests === 6 && overview.top.length > 0 && overview;
  }, 'the calls');
  assert.deepEqual([now.totals.refused, now.totals.errors, now.reasons], [1, 0, [{ reason: 'key_malformed', requests: 1 }]]);
  assert.deepEqual(now.top[0], { app: name, title: 'Büro', requests: 5, errors: 0, refused: 0 });
  assert.deepEqual(now.counts, { people: 2, operators: 1, apps: 1, keys: 1, pending: 0 });
  assert.deepEqual(now.upstreams.map((upstream) => upstream.name), ['origin']);
  assert.ok(Date.parse(now.since) <= Date.now());
});

test('answers are what the OpenAPI document says', async (t) => {
  const site = await start(t);
  const [me, boss] = [await developer(site), await operator(site)];
  const document = await boss.json('/api/v1/openapi.json');
  const { name } = await makeApp(me, { plan: 'free' });
  const { key, secret } = await issue(me, name);
  await good(me.send('POST', `/api/v1/apps/${name}/subscription`, { plan: 'gold' }));
  await called(site, secret);
  await called(site, secret, '/nothing');
  await until(async () => (await boss.json('/api/v1/overview')).totals.requests === 2, 'the calls');
  await until(async () => (await boss.json(`/api/v1/keys/${key.kid}`)).last_used, 'its last use');
  const person = (await boss.json('/api/v1/people')).items[0].id;
  const approval = (await boss.json('/api/v1/approvals')).items[0].id;
  const put = { '{app}': name, '{kid}': key.kid };
  const check = async (method, row, id, value) => {
    const path = row.replace(/\{\w+\}/, (param) => (param === '{id}' ? id : put[param]));
    const { status, json, body } = await boss.send(method.toUpperCase(), path, value);
    assert.ok(status === 200 || status === 201, `${method} ${path}: ${body}`);
    assert.equal(document.paths[row][method].requestBody !== undefined, value !== undefined, row);
    assert.deepEqual([...breaches(document, answerOf(document, method, row), json, `${method} ${row}:`)], []);
    return json;
  };
  for (const row of Object.keys(document.paths))
    if (document.paths[row].get?.['x-role'] === 'OPERATOR' && answerOf(document, 'get', row) && !row.includes('request'))
      await check('get', row, person);
  for (const [method, row, id, value] of [
    ['patch', '/api/v1/people/{id}', person, { state: 'active' }], ['patch', '/api/v1/apps/{app}', '', { suspended: true, note: 'x' }],
    ['patch', '/api/v1/keys/{kid}', '', { enabled: true }], ['post', '/api/v1/approvals/{id}', approval, { decision: 'approve' }],
    ['post', '/api/v1/invitations', '', { email: 'x@example.com' }], ['delete', '/api/v1/keys/{kid}', ''],
  ]) await check(method, row, id, value);
  await check('get', '/api/v1/invitations');
  await check('get', '/api/v1/apps/{app}');
});

test('what is no good is told apart, and changes nothing', async (t) => {
  const site = await start(t);
  const [me, boss] = [await developer(site), await operator(site)];
  const { name } = await makeApp(me, { plan: 'gold' });
  const { key } = await issue(me, name);
  const own = (await boss.json('/api/v1/me')).id;
  const [wish] = (await boss.json('/api/v1/approvals')).items;
  const state = () => JSON.stringify(write(site, 'SELECT (SELECT count(*) FROM audit) AS audit, (SELECT group_concat(state) FROM people) AS people,'
    + ' (SELECT group_concat(state || state_note) FROM apps) AS apps, (SELECT group_concat(state) FROM keys) AS keys,'
    + ' (SELECT group_concat(state) FROM subscriptions) AS subscriptions, (SELECT count(*) FROM links) AS links'));
  const before = state();
  const long = 'x'.repeat(501);
  for (const [method, path, value, status] of [
    ['GET', 'people?limit=0', undefined, 422], ['GET', 'people?limit=201', undefined, 422], ['GET', 'people?limit=x', undefined, 422],
    ['GET', `people?q=${'x'.repeat(129)}`, undefined, 422], ['GET', 'people?q=%ff', undefined, 422], ['GET', 'keys?app=%c3', undefined, 422],
    ['GET', 'audit?after=x', undefined, 422], ['GET', 'approvals?after=1', undefined, 422], ['GET', `audit?action=${'x'.repeat(65)}`, undefined, 422],
    ['GET', 'people/x', undefined, 404], ['GET', `people/${NOWHERE}`, undefined, 404], ['GET', 'apps/nothing', undefined, 404],
    ['GET', 'apps/nothing/keys', undefined, 404], ['GET', 'apps/nothing/quotas', undefined, 404], ['GET', 'keys/nothing', undefined, 404],
    ['PATCH', `people/${NOWHERE}`, { state: 'active' }, 404], ['PATCH', 'people/x', { operator: true }, 404],
    ['PATCH', `people/${own}`, { state: 'unconfirmed' }, 422], ['PATCH', `people/${own}`, { state: 'x' }, 422], ['PATCH', `people/${own}`, { state: '' }, 422],
    ['PATCH', `people/${own}`, { operator: 'yes' }, 422], ['PATCH', `people/${own}`, { operator: 1 }, 422], ['PATCH', `people/${own}`, { email: 'x@y.z' }, 422],
    ['PATCH', `apps/${name}`, {}, 422], ['PATCH', `apps/${name}`, { suspended: 'x' }, 422], ['PATCH', `apps/${name}`, { suspended: null }, 422],
    ['PATCH', `apps/${name}`, { suspended: true, note: long }, 422], ['PATCH', `apps/${name}`, { suspended: true, note: '\u202e' }, 422],
    ['PATCH', 'apps/nothing', { suspended: true }, 404], ['PATCH', 'apps/zebra', { suspended: false }, 409],
    ['PATCH', `keys/${key.kid}`, {}, 422], ['PATCH', `keys/${key.kid}`, { enabled: 'no' }, 422], ['PATCH', `keys/${key.kid}`, { enabled: true, name: 'x' }, 422],
    ['PATCH', 'keys/nothing', { enabled: true }, 404], ['PATCH', 'keys/00000000', { enabled: false }, 404], ['DELETE', 'keys/nothing', undefined, 404],
    ['POST', `approvals/${wish.id}`, {}, 422], ['POST', `approvals/${wish.id}`, { decision: 'maybe' }, 422],
    ['POST', `approvals/${wish.id}`, { decision: 'approve', note: long }, 422], ['POST', `approvals/${NOWHERE}`, { decision: 'reject' }, 404],
    ['POST', 'approvals/x', { decision: 'reject' }, 404], ['POST', 'invitations', { email: 'x' }, 422], ['POST', 'invitations', { mail: 'x@y.z' }, 422],
    ['DELETE', `invitations/${NOWHERE}`, undefined, 404], ['DELETE', 'invitations/x', undefined, 404], ['DELETE', 'people/x', undefined, 405],
    ['POST', 'settings', {}, 405], ['DELETE', `audit/${NOWHERE}`, undefined, 404],
  ]) {
    const answer = await boss.send(method, `/api/v1/${path}`, value);
    assert.equal(answer.status, status, `${method} ${path} ${JSON.stringify(value)}: ${answer.body}`);
    assert.equal(answer.json.status, status, 'a problem document');
  }
  assert.equal(state(), before);
});

const SEQUENCE = (n) => `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${n}) `;

test('lists of thousands come in pages without gaps or repeats while rows are added', async (t) => {
  const site = await start(t);
  const boss = await operator(site);
  const me = await developer(site);
  await makeApp(me, { plan: 'free' });
  const team = 'SELECT id FROM teams LIMIT 1';
  write(site, `BEGIN;
    ${SEQUENCE(1100)} INSERT INTO people SELECT randomblob(16), printf('p%05d@example.com', i * 7 % 1100), 'Person ' || i, 'x', 'active', 0, '', '', i, NULL FROM n;
    ${SEQUENCE(1100)} INSERT INTO apps SELECT printf('bulk-%05d', i), (${team}), 'Bulk ' || i, '', 'active', '', i, NULL FROM n;
    ${SEQUENCE(1100)} INSERT INTO subscriptions SELECT randomblob(16), printf('bulk-%05d', i), 'gold', 'pending', i, NULL, NULL, NULL, '' FROM n;
    ${SEQUENCE(1100)} INSERT INTO keys (kid, hash, env, name, app, created_us, state, allow)
      SELECT printf('k%07d', i * 7 % 1100), randomblob(32), 'live', 'key ' || i, 'bulk-00001', i / 3, 'active', '' FROM n;
    ${SEQUENCE(1100)} INSERT INTO audit SELECT randomblob(16), i, NULL, 'bulk', 'bulk.done', i, NULL, '', '' FROM n;
    COMMIT`);
  let added = 0;
  const add = () => {
    const i = added++;
    const at = ['00000', '00500', '99999'][i % 3];
    write(site, `BEGIN;
      INSERT INTO people SELECT randomblob(16), 'p${at}.${i}@example.com', 'New', 'x', 'active', 0, '', '', 1, NULL;
      INSERT INTO apps SELECT 'bulk-${at}-${i}', (${team}), 'New', '', 'active', '', 1, NULL;
      INSERT INTO subscriptions SELECT randomblob(16), 'bulk-${at}-${i}', 'gold', 'pending', 1, NULL, NULL, NULL, '';
      INSERT INTO keys (kid, hash, env, name, app, created_us, state, allow) SELECT printf('%.1sz%06d', '${'0ky'[i % 3]}', ${i}), randomblob(32), 'live', 'new', 'bulk-00001', ${i % 3 ? 0 : 999999}, 'active', '';
      INSERT INTO audit SELECT randomblob(16), 1, NULL, 'bulk', 'bulk.done', '', NULL, '', '';
      COMMIT`);
  };
  for (const [path, table, key, where] of [
    ['/api/v1/people', 'people', 'email', '1'], ['/api/v1/people?q=PERSON', 'people', 'email', "name LIKE '%person%'"],
    ['/api/v1/apps', 'apps', 'name', '1'], ['/api/v1/apps?q=bulk', 'apps', 'name', "name LIKE 'bulk%'"],
    ['/api/v1/keys', 'keys', 'kid', '1'], ['/api/v1/keys?q=k000', 'keys', 'kid', "kid LIKE '%k000%'"],
    ['/api/v1/keys?app=bulk-00001', 'keys', 'kid', "app = 'bulk-00001'"], ['/api/v1/keys?app=bulk-00001&q=key', 'keys', 'kid', "app = 'bulk-00001' AND name LIKE '%key%'"],
    ['/api/v1/apps/bulk-00001/keys', 'keys', 'kid', "app = 'bulk-00001'"],
    ['/api/v1/approvals', 'subscriptions', 'id', "state = 'pending'"], ['/api/v1/audit', 'audit', 'id', '1'], ['/api/v1/audit?action=bulk.done', 'audit', 'id', "action = 'bulk.done'"],
  ]) {
    const column = key === 'id' ? "lower(hex(id))" : key;
    const before = write(site, `SELECT ${column} AS k FROM ${table} WHERE ${where}`).map(({ k }) => k);
    assert.ok(before.length > 500, path);
    const seen = (await pages(boss, path, 200, add)).map((item) => (key === 'id' ? item.id.replaceAll('-', '') : item[key]));
    assert.equal(new Set(seen).size, seen.length, `${path}: a row came twice`);
    const there = new Set(seen);
    assert.deepEqual(before.filter((k) => !there.has(k)), [], `${path}: rows are missing`);
  }
  // LIKE's own characters are letters here
  for (const q of ['%', '_', '\\', '%25%']) assert.deepEqual((await boss.json(`/api/v1/people?q=${encodeURIComponent(q)}`)).items, [], q);
});
