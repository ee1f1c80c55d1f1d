// SPDX-License-Identifier: Apache-2.0
//
// Apps, plans and keys by HTTP, as the portal's pages use them: from nothing to a call through the gateway, what is
// another's, what is asked twice, what is no good, what a reload, a restart and kill -9 leave.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { answerOf, breaches } from './lib/openapi.mjs';
import { operator, Person } from './lib/person.mjs';
import { startOrigin, startSite } from './lib/site.mjs';
import { sqlite, until } from './lib/weir.mjs';

const PASSWORD = 'a long password';
const SECRET = /^weir_(live|test)_([0-9A-Za-z]{8})_[0-9A-Za-z]{38}$/;
const KEYS_MAX = 50;
const APPS_MAX = 100;

const config = (more = {}) => ({
  portal: { registration: 'open' },
  apis: {
    open: { upstream: 'origin', match: { paths: ['/open'] }, auth: 'none' },
    hello: { upstream: 'origin', match: { paths: ['=/hello/{id}', '/hello'] }, title: 'Hello API' },
    hosted: { upstream: 'origin', match: { hosts: ["api.example.com"], paths: ['/there'] } },
    posts: { upstream: 'origin', match: { paths: ['~^/p/', '/posts'], methods: ['POST'] } },
  },
  plans: {
    free: { title: 'Free', apis: ['open', 'hello'], rate: { requests: 600, per: '1m', burst: 20 }, quota: { requests: 100, per: 'month' } },
    big: { apis: ['hosted'] },
    gold: { apis: ['posts'], approval: 'manual' },
    silver: { apis: ['posts'], approval: 'manual' },
  },
  apps: { acme: { plan: 'big' } },
  ...more,
});

async function start(t, more) {
  const origin = await startOrigin(t);
  return startSite(t, config(more), origin);
}

async function somebody(site, name = 'deniz') {
  const person = new Person(site.portal);
  await person.signUp(`${name}@example.com`, PASSWORD, name);
  return person;
}

async function good(answer, status = 200) {
  const { json, body, ...rest } = await answer;
  assert.equal(rest.status, status, body);
  return json;
}

const makeApp = (person, more) => good(person.send('POST', '/api/v1/apps', { title: 'Orders', ...more }), 201);
const issue = (person, app, more) => good(person.send('POST', `/api/v1/apps/${app}/keys`, { name: 'ci', ...more }), 201);

async function called(site, path, key) {
  const { status, headers } = await site.call(path, key);
  return `${status} ${headers['weir-reason'] ?? ''}`.trim();
}

// Runs the command as a person pastes it; the status it got.
async function pasted(command) {
  const { stdout } = await promisify(execFile)('sh', ['-c', `${command} -s -o /dev/null -w '%{http_code}'`]);
  return stdout;
}

test('from an app to a plan to a key to a call, and to its end', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  assert.deepEqual(await me.json('/api/v1/apps'), { items: [], next: null });

  const app = await makeApp(me, { description: 'Orders of the shop' });
  assert.match(app.name, /^orders-[2-9a-z]{4}$/);
  assert.deepEqual([app.title, app.plan, app.subscription, app.pending, app.rejected, app.role, app.declared, app.state, app.keys_active],
    ['Orders', null, null, null, null, 'owner', false, 'active', 0]);
  const path = `/api/v1/apps/${app.name}`;

  const early = await issue(me, app.name);
  assert.deepEqual([early.plan, early.curl, early.first_call_path], [null, null, null]);
  assert.equal(await called(site, '/hello', early.secret), '403 not_subscribed');

  const subscribed = await good(me.send('POST', `${path}/subscription`, { plan: 'free' }));
  assert.equal(subscribed.plan, 'free');
  assert.deepEqual({ ...subscribed.subscription, since: '' },
    { plan: 'free', title: 'Free', state: 'active', since: '', note: '', offered: true });
  assert.equal(await called(site, '/hello', early.secret), '200');

  const { key, secret, plan, curl, first_call_path } = await issue(me, app.name, { name: 'Büro 🗝', allow: ['127.0.0.0/8', '2001:db8::/32', '127.0.0.1'] });
  const [, env, kid] = secret.match(SECRET);
  assert.deepEqual({ ...key, created: '', expires: '' }, {
    kid, hint: `weir_live_${kid}_…`, name: 'Büro 🗝', app: app.name, env, state: 'active', held: false, created: '', created_by: 'deniz@example.com',
    expires: '', revoked: null, rotated_from: null, successor: null, allow: ['127.0.0.0/8', '2001:db8::/32'], last_used: null,
  });
  assert.equal(Date.parse(key.expires) - Date.parse(key.created), 90 * 86400_000);
  assert.deepEqual([plan, first_call_path], ['free', '/hello/1']);
  assert.equal(curl, `curl -H 'X-API-Key: ${secret}' http://${site.gateway.text}/hello/1`);
  assert.equal(await pasted(curl), '200');

  const used = await until(async () => {
    const { items } = await me.json(`${path}/keys`);
    return items.every((item) => item.last_used) && items;
  }, 'the last use of both keys');
  assert.deepEqual(used.map((item) => [item.kid, item.last_used.address]), [[kid, '127.0.0.1'], [early.key.kid, '127.0.0.1']]);
  assert.ok(!JSON.stringify(used).includes(secret.split('_')[3]));

  const { items: quotas, plan: of } = await me.json(`${path}/quotas`);
  assert.equal(of, 'free');
  const [rate, quota] = quotas;
  assert.deepEqual([rate.kind, rate.limit, rate.requests, rate.per_s], ['rate', 20, 600, 60]);
  assert.deepEqual([quota.name, quota.kind, quota.limit, quota.used, quota.remaining, quota.unit], ['month', 'quota', 100, 2, 98, 'month']);
  const next = new Date();
  assert.equal(quota.resets_at, new Date(Date.UTC(next.getUTCFullYear(), next.getUTCMonth() + 1)).toISOString());

  const revoked = await good(me.send('DELETE', `${path}/keys/${kid}`));
  assert.equal(revoked.state, 'revoked');
  assert.equal(await called(site, '/hello', secret), '401 key_revoked');
  assert.deepEqual(await good(me.send('DELETE', `${path}/keys/${kid}`)), { ...revoked, last_used: (await me.json(`${path}/keys/${kid}`)).last_used });
  assert.equal((await me.json(path)).keys_active, 1);

  const { status } = await me.send('DELETE', path);
  assert.equal(status, 204);
  assert.equal(await called(site, '/hello', early.secret), '401 key_revoked');
  assert.equal((await me.get(path)).status, 404);
  assert.deepEqual((await me.json('/api/v1/apps')).items, []);

  const log = sqlite(join(site.data, 'weir.db'), 'SELECT action, object, actor_name, team IS NOT NULL AS seen FROM audit ORDER BY id')
    .filter(({ action }) => /^(app|key|subscription)\./.test(action));
  assert.deepEqual(log.map(({ action }) => action),
    ['app.created', 'key.issued', 'subscription.begun', 'key.issued', 'key.revoked', 'app.deleted']);
  for (const entry of log) assert.deepEqual([entry.seen, entry.actor_name], [1, 'deniz@example.com']);
  assert.equal(log[4].object, kid);

  for (const file of (await readdir(site.data, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()))
    assert.ok(!(await readFile(join(file.parentPath ?? file.path, file.name))).includes(secret.split('_')[3]), file.name);
  assert.ok(!site.log.includes(secret.split('_')[3]), 'the log holds a secret');
});

test('the catalog tells what the configuration says', async (t) => {
  const site = await start(t);
  const { apis, plans } = await new Person(site.portal).json('/api/v1/catalog');
  const at = `http://${site.gateway.text}`;
  assert.deepEqual(apis.map(({ name, title, auth, paths, plans: of }) => [name, title, auth, paths, of]), [
    ['open', 'open', 'none', [`${at}/open`], ['free']],
    ['hello', 'Hello API', 'key', [`${at}/hello/{id}`, `${at}/hello`], ['free']],
    ['hosted', 'hosted', 'key', [`http://api.example.com:${site.gateway.port}/there`], ['big']],
    ['posts', 'posts', 'key', ['~^/p/', `${at}/posts`], ['gold', 'silver']],
  ]);
  assert.deepEqual(plans[0], {
    name: 'free', title: 'Free', approval: 'automatic', apis: ['open', 'hello'], limits: [
      { name: 'burst', kind: 'rate', requests: 600, per_s: 60, burst: 20 },
      { name: 'month', kind: 'quota', requests: 100, unit: 'month' },
    ],
  });
  assert.deepEqual(plans.map(({ name, approval }) => [name, approval]),
    [['free', 'automatic'], ['big', 'automatic'], ['gold', 'manual'], ['silver', 'manual']]);
});

test('answers are what the OpenAPI document says', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  const document = await me.json('/api/v1/openapi.json');
  const { name } = await makeApp(me, { plan: 'free' });
  const { key, secret } = await issue(me, name);
  await called(site, '/hello', secret);
  await good(me.send('POST', `/api/v1/apps/${name}/subscription`, { plan: 'gold' }));
  await until(async () => (await me.json(`/api/v1/apps/${name}/keys/${key.kid}`)).last_used, 'its last use');
  const app = '/api/v1/apps/{app}', one = `${app}/keys/{kid}`;
  for (const [method, row, value] of [
    ['get', '/api/v1/catalog'], ['get', '/api/v1/apps'], ['get', app], ['get', `${app}/quotas`], ['get', `${app}/keys`], ['get', one],
    ['post', '/api/v1/apps', { title: 'x' }], ['patch', app, { title: 'x' }], ['post', `${app}/subscription`, { plan: 'silver' }],
    ['delete', `${app}/subscription/pending`], ['post', `${app}/keys`, { name: 'x' }], ['patch', one, { name: 'x' }],
    ['post', `${one}/rotate`, { overlap_s: 60 }], ['delete', one],
  ]) {
    const path = row.replace('{app}', name).replace('{kid}', key.kid);
    const { status, json, body } = await me.send(method.toUpperCase(), path, value);
    assert.ok(status === 200 || status === 201, `${method} ${path}: ${body}`);
    const told = document.paths[row][method];
    assert.equal(told.requestBody !== undefined, value !== undefined, `${method} ${row}`);
    assert.deepEqual([...breaches(document, answerOf(document, method, row), json, `${method} ${row}:`)], []);
  }
});

test('the first call names host and method where the gateway asks for them', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  const app = await makeApp(me, { plan: 'big' });
  assert.equal(app.plan, 'big');
  const { curl } = await issue(me, app.name);
  assert.match(curl, /-H 'Host: api\.example\.com' http:\/\/127\.0\.0\.1:\d+\/there$/);
  assert.equal(await pasted(curl), '200');
});

test('a plan that needs approval waits, and one wish waits at a time', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  const { name } = await makeApp(me, { plan: 'gold' });
  const path = `/api/v1/apps/${name}`;
  const waiting = await me.json(path);
  assert.deepEqual([waiting.plan, waiting.pending_plan, waiting.pending.plan], [null, 'gold', 'gold']);
  const { secret, pending_plan } = await issue(me, name);
  assert.equal(pending_plan, 'gold');
  assert.equal(await called(site, '/hello', secret), '403 subscription_pending');

  assert.deepEqual(await good(me.send('POST', `${path}/subscription`, { plan: 'gold' })), { ...waiting, keys_active: 1 });
  assert.equal((await good(me.send('POST', `${path}/subscription`, { plan: 'silver' }))).pending.plan, 'silver');
  assert.equal((await good(me.send('DELETE', `${path}/subscription/pending`))).pending, null);
  assert.equal((await good(me.send('DELETE', `${path}/subscription/pending`))).pending, null);
  assert.equal(await called(site, '/hello', secret), '403 not_subscribed');

  // one in force stays so while another waits, and asking for it takes back what waits
  await good(me.send('POST', `${path}/subscription`, { plan: 'free' }));
  const both = await good(me.send('POST', `${path}/subscription`, { plan: 'gold' }));
  assert.deepEqual([both.plan, both.pending_plan], ['free', 'gold']);
  assert.equal(await called(site, '/hello', secret), '200');
  const back = await good(me.send('POST', `${path}/subscription`, { plan: 'free' }));
  assert.deepEqual([back.plan, back.pending, back.subscription.since], ['free', null, both.subscription.since]);
  assert.equal((await good(me.send('POST', `${path}/subscription`, { plan: 'big' }))).plan, 'big');
  assert.equal(await called(site, '/hello', secret), '403 not_subscribed');

  const rows = sqlite(join(site.data, 'weir.db'), 'SELECT plan, state FROM subscriptions ORDER BY id');
  assert.deepEqual(rows.map(({ plan, state }) => `${plan} ${state}`),
    ['gold withdrawn', 'silver withdrawn', 'free ended', 'gold withdrawn', 'big active']);
});

test('keys are renamed, bound to networks, switched, prolonged and ended, in force at once', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  const { name } = await makeApp(me, { plan: 'free' });
  const { key, secret } = await issue(me, name, { env: 'test', expires_days: 0 });
  assert.deepEqual([key.env, key.expires], ['test', null]);
  const path = `/api/v1/apps/${name}/keys/${key.kid}`;
  const patch = (value) => good(me.send('PATCH', path, value));

  assert.equal((await patch({ name: 'renamed' })).name, 'renamed');
  assert.deepEqual((await patch({ allow: ['10.0.0.0/8'] })).allow, ['10.0.0.0/8']);
  assert.equal(await called(site, '/hello', secret), '403 ip_denied');
  const open = await patch({ allow: [] });
  assert.deepEqual([open.allow, open.name, open.state], [[], 'renamed', 'active']);
  assert.equal(await called(site, '/hello', secret), '200');
  assert.equal((await patch({ enabled: false })).state, 'disabled');
  assert.equal(await called(site, '/hello', secret), '401 key_disabled');
  assert.equal((await patch({ enabled: true, expires_days: 13 })).state, 'expiring');
  assert.equal((await patch({ expires_days: 15 })).state, 'active');
  assert.equal((await patch({ expires_s: 0 })).state, 'expired');
  assert.equal(await called(site, '/hello', secret), '401 key_expired');
  assert.equal((await patch({ expires_days: 0 })).expires, null);
  assert.equal(await called(site, '/hello', secret), '200');
  assert.equal((await patch({})).state, 'active');

  await good(me.send('DELETE', path));
  for (const value of [{ name: 'x' }, { enabled: true }, { expires_days: 1 }, { allow: [] }])
    assert.equal((await me.send('PATCH', path, value)).status, 422, JSON.stringify(value));
  assert.equal(await called(site, '/hello', secret), '401 key_revoked');
});

test('a rotation lets both keys work for a while, which can be ended or prolonged', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  const { name } = await makeApp(me, { plan: 'free' });
  const first = await issue(me, name, { expires_days: 0, allow: ['127.0.0.1'] });
  const path = (kid) => `/api/v1/apps/${name}/keys/${kid}`;
  const second = await good(me.send('POST', `${path(first.key.kid)}/rotate`, { overlap_s: 86400 }), 201);
  assert.deepEqual([second.key.rotated_from, second.key.name, second.key.allow, second.key.expires],
    [first.key.kid, 'ci', ['127.0.0.1/32'], null]);
  assert.deepEqual([second.former.kid, second.former.successor, second.former.state], [first.key.kid, second.key.kid, 'expiring']);
  assert.equal(await pasted(second.curl), '200');
  assert.equal(await called(site, '/hello', first.secret), '200');

  const again = await me.send('POST', `${path(first.key.kid)}/rotate`, { overlap_s: 0 });
  assert.deepEqual([again.status, again.json.kid], [409, second.key.kid]);
  const longer = await good(me.send('PATCH', path(first.key.kid), { expires_s: 2592000 }));
  assert.ok(Date.parse(longer.expires) > Date.parse(second.former.expires));
  assert.equal((await good(me.send('PATCH', path(first.key.kid), { expires_s: 0 }))).state, 'expired');
  assert.equal(await called(site, '/hello', first.secret), '401 key_expired');
  assert.equal((await me.send('POST', `${path(first.key.kid)}/rotate`, { overlap_s: 0 })).status, 409);

  const third = await good(me.send('POST', `${path(second.key.kid)}/rotate`, { overlap_s: 0, wish: 'w1' }), 201);
  assert.equal(await called(site, '/hello', second.secret), '401 key_expired');
  assert.equal(await called(site, '/hello', third.secret), '200');
  const twice = await me.send('POST', `${path(second.key.kid)}/rotate`, { overlap_s: 0, wish: 'w1' });
  assert.deepEqual([twice.status, twice.json.kid], [409, third.key.kid]);
});

test('a wish told twice issues one key, and its secret is told once', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  const { name } = await makeApp(me);
  const ask = (wish, app = name) => me.send('POST', `/api/v1/apps/${app}/keys`, { name: 'ci', wish });
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask('one')));
  const issued = answers.filter(({ status }) => status === 201);
  assert.equal(issued.length, 1);
  const { secret, key } = issued[0].json;
  for (const { status, json, body, headers } of answers.filter((answer) => answer !== issued[0])) {
    assert.deepEqual([status, json.kid, headers['content-type']], [409, key.kid, 'application/problem+json']);
    assert.ok(!body.includes(secret.slice(-38)));
  }
  assert.equal((await ask('two')).status, 201);
  assert.equal((await ask('one', (await makeApp(me)).name)).status, 201, "another app's wishes are its own");
  assert.equal((await me.json(`/api/v1/apps/${name}/keys`)).items.length, 2);
});

test('what is another person\'s is not there, on any row of the table', async (t) => {
  const site = await start(t);
  const me = await somebody(site, 'deniz');
  const { name } = await makeApp(me, { plan: 'free' });
  const { key, secret } = await issue(me, name);
  const before = [await me.json(`/api/v1/apps/${name}`), await me.json(`/api/v1/apps/${name}/keys/${key.kid}`)];

  const table = readFileSync(new URL('../../portal/endpoints.def', import.meta.url), 'utf8');
  const rows = [...table.matchAll(/^X\((\w+), (\w+), "([^"]*\{app\}[^"]*)", APP_\w+,/gm)].map(([, , method, path]) => [method, path]);
  assert.ok(rows.length >= 12, `${rows.length} rows`);
  const other = await somebody(site, 'kerem');
  const boss = await operator(site, site.portal);
  const nobody = new Person(site.portal);
  for (const [method, row] of rows) {
    const path = row.replace('{app}', name).replace('{kid}', key.kid);
    const value = method === 'GET' || method === 'DELETE' ? undefined : {};
    for (const person of [other, boss]) {
      const { status, json } = await person.send(method, path, value);
      assert.deepEqual([status, json.detail], [404, 'There is no such app.'], `${method} ${path}`);
      const unknown = await person.send(method, path.replace(name, 'orders-0000'), value);
      assert.equal(unknown.body, (await person.send(method, path, value)).body, 'as one that is nowhere');
    }
    assert.equal((await nobody.send(method, path, value)).status, 401, `${method} ${path}`);
  }

  // nor a key of another app under one's own
  const { name: own } = await makeApp(other);
  for (const [method, row] of rows.filter(([, path]) => path.includes('{kid}'))) {
    const path = row.replace('{app}', own).replace('{kid}', key.kid);
    const value = method === 'GET' || method === 'DELETE' ? undefined : row.endsWith('rotate') ? { overlap_s: 0 } : row.endsWith('revoke') ? {} : { name: 'mine' };
    const { status, json } = await other.send(method, path, value);
    assert.deepEqual([status, json.detail], [404, 'There is no such key.'], `${method} ${path}`);
  }
  assert.deepEqual((await other.json(`/api/v1/apps/${own}/keys?after=${key.kid}`)).items, []);
  assert.deepEqual([await me.json(`/api/v1/apps/${name}`), await me.json(`/api/v1/apps/${name}/keys/${key.kid}`)], before);
  assert.equal(await called(site, '/hello', secret), '200');
});

test('what a role may not is refused, and a change needs the token of the session', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  const { name } = await makeApp(me, { plan: 'free' });
  const { key } = await issue(me, name);
  const csrf = me.csrf;
  me.csrf = 'not the token';
  for (const [method, path, value] of [
    ['POST', '/api/v1/apps', { title: 'x' }], ['DELETE', `/api/v1/apps/${name}`], ['POST', `/api/v1/apps/${name}/keys`, { name: 'x' }],
    ['DELETE', `/api/v1/apps/${name}/keys/${key.kid}`],
  ]) assert.equal((await me.send(method, path, value)).status, 403, `${method} ${path}`);
  me.csrf = csrf;
  const set = (role) => sqlite(join(site.data, 'weir.db'), `UPDATE members SET role = '${role}'`, []);
  for (const [role, read, write, own] of [['viewer', 200, 403, 403], ['developer', 200, 200, 403]]) {
    set(role);
    assert.equal((await me.json(`/api/v1/apps/${name}`)).role, role);
    assert.equal((await me.get(`/api/v1/apps/${name}/keys`)).status, read);
    assert.equal((await me.send('PATCH', `/api/v1/apps/${name}/keys/${key.kid}`, { name: role })).status, write);
    assert.equal((await me.send('DELETE', `/api/v1/apps/${name}`)).status, own);
  }
});

test('faulty fields are named, each with its reason, and nothing is done', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  const { name } = await makeApp(me, { plan: 'free' });
  const { key } = await issue(me, name);
  const apps = '/api/v1/apps', keys = `${apps}/${name}/keys`, one = `${keys}/${key.kid}`;
  const nets = (count) => Array.from({ length: count }, (_, i) => `10.0.${i}.0/24`);
  const cases = [
    ['POST', apps, {}, 'title'], ['POST', apps, { title: ' ' }, 'title'], ['POST', apps, { title: 'x'.repeat(81) }, 'title'],
    ['POST', apps, { title: 7 }, 'title'], ['POST', apps, { title: 'a\u202eb' }, 'title'], ['POST', apps, { title: 'a\nb' }, 'title'],
    ['POST', apps, { title: 'x', description: 'y'.repeat(501) }, 'description'], ['POST', apps, { title: 'x', plan: 'none' }, 'plan'],
    ['POST', apps, { title: 'x', team: 'theirs' }, 'team'], ['POST', apps, { title: 'x', plan: "free' OR 1=1" }, 'plan'],
    ['PATCH', `${apps}/${name}`, { title: '' }, 'title'], ['PATCH', `${apps}/${name}`, { state: 'active' }, 'state'],
    ['POST', `${apps}/${name}/subscription`, {}, 'plan'], ['POST', `${apps}/${name}/subscription`, { plan: 'Free' }, 'plan'],
    ['POST', keys, {}, 'name'], ['POST', keys, { name: 'x'.repeat(129) }, 'name'], ['POST', keys, { name: 'x', env: 'prod' }, 'env'],
    ['POST', keys, { name: 'x', expires_days: -1 }, 'expires_days'], ['POST', keys, { name: 'x', expires_days: 3651 }, 'expires_days'],
    ['POST', keys, { name: 'x', expires_days: 1.5 }, 'expires_days'], ['POST', keys, { name: 'x', expires_days: '7' }, 'expires_days'],
    ['POST', keys, { name: 'x', allow: '10.0.0.0/8' }, 'allow'], ['POST', keys, { name: 'x', allow: ['10.0.0.1/8'] }, 'allow'],
    ['POST', keys, { name: 'x', allow: ['localhost'] }, 'allow'], ['POST', keys, { name: 'x', allow: nets(65) }, 'allow'],
    ['POST', keys, { name: 'x', allow: [7] }, 'allow'], ['POST', keys, { name: 'x', wish: 'w'.repeat(65) }, 'wish'],
    ['PATCH', one, { name: '' }, 'name'], ['PATCH', one, { allow: ['::1/200'] }, 'allow'], ['PATCH', one, { enabled: 'yes' }, 'enabled'],
    ['PATCH', one, { expires_days: 1, expires_s: 1 }, 'expires_s'], ['PATCH', one, { expires_s: 2592001 }, 'expires_s'],
    ['PATCH', one, { kid: 'abcdefgh' }, 'kid'],
    ['POST', `${one}/rotate`, {}, 'overlap_s'], ['POST', `${one}/rotate`, { overlap_s: -1 }, 'overlap_s'],
    ['POST', `${one}/rotate`, { overlap_s: 2592001 }, 'overlap_s'],
  ];
  const before = [await me.json(`${apps}/${name}`), await me.json(keys)];
  for (const [method, path, value, field] of cases) {
    const { status, json, body } = await me.send(method, path, value);
    const what = `${method} ${path} ${JSON.stringify(value).slice(0, 80)}: ${body}`;
    assert.equal(status, 422, what);
    assert.deepEqual(json.errors.map((error) => error.field), [field], what);
  }
  for (const [path, status] of [[`${apps}?limit=0`, 422], [`${keys}?limit=201`, 422], [`${keys}?limit=x`, 422],
    [`${keys}/${'x'.repeat(4000)}`, 404], [`${keys}/%00`, 400], [`${keys}?after=%ff`, 200]])
    assert.equal((await me.get(path)).status, status, path.slice(0, 80));
  assert.equal((await me.send('DELETE', `${keys}/00000000`)).status, 404);
  assert.equal((await me.ask('POST', apps, { body: '{', headers: { 'content-type': 'application/json', 'x-csrf-token': me.csrf } })).status, 400);
  assert.deepEqual([await me.json(`${apps}/${name}`), await me.json(keys)], before);
  assert.equal((await me.json(apps)).items.length, 1);

  // names in any script, and markup, are names
  for (const title of ['متجر', '注文 <script>alert(1)</script>', "O'Brien & \"Söhne\"", 'ŞIK']) {
    const app = await makeApp(me, { title });
    assert.equal(app.title, title);
    assert.match(app.name, /^[a-z0-9-]+-[2-9a-z]{4}$/);
  }
  const most = await issue(me, name, { name: '"'.repeat(128), allow: Array.from({ length: 64 }, (_, i) => `2001:db8:${(i * 1021).toString(16)}:aaaa:bbbb:cccc:dddd:${i}/128`) });
  assert.equal(most.key.allow.length, 64);
});

test('lists come in pages, and there is an end to how many', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  const { name } = await makeApp(me);
  const path = `/api/v1/apps/${name}/keys`;
  const issued = [];
  for (let i = 0; i < KEYS_MAX; i++) issued.push((await issue(me, name)).key.kid);
  const over = await me.send('POST', path, { name: 'one more' });
  assert.equal(over.status, 422);
  assert.match(over.json.detail, /50 keys/);
  assert.equal((await me.send('POST', `${path}/${issued[0]}/rotate`, { overlap_s: 60 })).status, 422);
  issued.push((await good(me.send('POST', `${path}/${issued[0]}/rotate`, { overlap_s: 0 }), 201)).key.kid);
  assert.equal((await me.send('PATCH', `${path}/${issued[0]}`, { expires_days: 1 })).status, 422, 'it would come back as one too many');
  await good(me.send('DELETE', `${path}/${issued[1]}`));
  issued.push((await issue(me, name)).key.kid);

  const seen = [];
  let after = '';
  for (let pages = 0; pages < 10; pages++) {
    const page = await me.json(`${path}?limit=20${after && `&after=${after}`}`);
    assert.ok(page.items.length <= 20);
    seen.push(...page.items.map(({ kid }) => kid));
    after = page.next;
    if (!after) break;
  }
  assert.deepEqual(seen, issued.toReversed ? issued.toReversed() : [...issued].reverse());

  const names = [name];
  while (names.length < APPS_MAX) names.push((await makeApp(me, { title: `App ${names.length}` })).name);
  assert.equal((await me.send('POST', '/api/v1/apps', { title: 'one more' })).status, 422);
  const first = await me.json('/api/v1/apps?limit=60');
  const rest = await me.json(`/api/v1/apps?limit=60&after=${first.next}`);
  assert.deepEqual([...first.items, ...rest.items].map((app) => app.name), names.sort());
  assert.equal(rest.next, null);
});

test('two clients at once leave one plan in force and every key that was told', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  const { name } = await makeApp(me);
  const path = `/api/v1/apps/${name}`;
  const plans = ['free', 'big', 'gold', 'silver'];
  const jobs = Array.from({ length: 24 }, (_, i) => i % 3 === 0
    ? me.send('POST', `${path}/keys`, { name: `k${i}` })
    : me.send('POST', `${path}/subscription`, { plan: plans[i % 4] }));
  const answers = await Promise.all(jobs);
  for (const { status, body } of answers) assert.ok(status === 200 || status === 201, body);
  const told = answers.filter(({ status }) => status === 201).map(({ json }) => json);
  const app = await me.json(path);
  assert.ok(['free', 'big'].includes(app.plan), app.plan);
  assert.equal(app.keys_active, told.length);
  const states = sqlite(join(site.data, 'weir.db'), "SELECT state, count(*) AS n FROM subscriptions WHERE state IN ('active', 'pending') GROUP BY state");
  for (const { n } of states) assert.equal(n, 1);
  for (const { secret } of told) assert.ok(!(await called(site, '/hello', secret)).startsWith('401'));
});

test('a reload that drops a plan grants nothing, and one that brings it back grants it again', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  const { name } = await makeApp(me, { plan: 'free' });
  const { secret } = await issue(me, name);
  assert.equal(await called(site, '/hello', secret), '200');
  const full = config(), { free, ...plans } = full.plans;
  const upstreams = JSON.parse(readFileSync(site.file, 'utf8')).upstreams;
  const load = async (next) => {
    site.write({ upstreams, ...next });
    const wanted = JSON.stringify([Object.keys(next.plans), name in next.apps]);
    await until(async () => {
      const plans = (await me.json('/api/v1/catalog')).plans.map((plan) => plan.name);
      return JSON.stringify([plans, (await me.json(`/api/v1/apps/${name}`)).declared]) === wanted;
    }, 'the reload');
  };
  await load({ ...full, plans });
  assert.equal(await called(site, '/hello', secret), '403 not_subscribed');
  const without = await me.json(`/api/v1/apps/${name}`);
  assert.deepEqual([without.plan, without.subscription.offered], ['free', false]);
  assert.deepEqual((await me.json(`/api/v1/apps/${name}/quotas`)), { plan: null, items: [] });
  assert.deepEqual((await me.send('POST', `/api/v1/apps/${name}/subscription`, { plan: 'free' })).json.errors.map((e) => e.field), ['plan']);
  assert.equal((await issue(me, name)).curl, null);
  await load(full);
  assert.equal(await called(site, '/hello', secret), '200');
  assert.equal((await me.json(`/api/v1/apps/${name}`)).subscription.offered, true);

  // an app that the file declares by the same name is the file's while it is there
  await load({ ...full, apps: { [name]: { plan: 'big' } } });
  const declared = await me.json(`/api/v1/apps/${name}`);
  assert.deepEqual([declared.declared, declared.plan, declared.subscription.since], [true, 'big', null]);
  for (const [method, path, value] of [['PATCH', '', { title: 'mine' }], ['DELETE', ''], ['POST', '/subscription', { plan: 'free' }]])
    assert.equal((await me.send(method, `/api/v1/apps/${name}${path}`, value)).status, 409, `${method} ${path}`);
  assert.equal(await called(site, '/hello', secret), '403 not_subscribed');
  await load(full);
  assert.equal((await me.json(`/api/v1/apps/${name}`)).plan, 'free');
  assert.equal(await called(site, '/hello', secret), '200');
});

test('what was answered holds after a restart and after kill -9', async (t) => {
  const site = await start(t);
  const me = await somebody(site);
  const { name } = await makeApp(me, { plan: 'free' });
  const gone = await issue(me, name), kept = await issue(me, name);
  await good(me.send('DELETE', `/api/v1/apps/${name}/keys/${gone.key.kid}`));
  const before = [await me.json(`/api/v1/apps/${name}`), (await me.json(`/api/v1/apps/${name}/keys`)).items.map(({ last_used, ...key }) => key)];
  const same = async () => {
    me.listener = site.portal;
    assert.deepEqual([await me.json(`/api/v1/apps/${name}`), (await me.json(`/api/v1/apps/${name}/keys`)).items.map(({ last_used, ...key }) => key)], before);
    assert.equal(await called(site, '/hello', kept.secret), '200');
    assert.equal(await called(site, '/hello', gone.secret), '401 key_revoked');
  };
  await site.stop();
  await site.start();
  await same();

  const late = await issue(me, name, { wish: 'late' });
  await site.kill9();
  await site.start();
  me.listener = site.portal;
  assert.equal(await called(site, '/hello', late.secret), '200');
  const again = await me.send('POST', `/api/v1/apps/${name}/keys`, { name: 'ci', wish: 'late' });
  assert.deepEqual([again.status, again.json.kid], [409, late.key.kid]);
  const { status } = await me.send('DELETE', `/api/v1/apps/${name}/keys/${late.key.kid}`);
  assert.equal(status, 200);
  await site.kill9();
  await site.start();
  assert.equal(await called(site, '/hello', late.secret), '401 key_revoked');
  me.listener = site.portal;
  assert.equal((await me.json(`/api/v1/apps/${name}`)).plan, 'free');
});

test('people read what happened in their teams and to their accounts, and nothing of others', async (t) => {
  const site = await start(t);
  const [me, stranger, boss] = [await somebody(site), await somebody(site, 'stranger'), await operator(site)];
  const app = await makeApp(me, { plan: 'gold' });
  await makeApp(stranger);
  const [wish] = (await boss.json('/api/v1/approvals')).items;
  await good(boss.send('POST', `/api/v1/approvals/${wish.id}`, { decision: 'reject', note: '' }));
  const { items } = await me.json('/api/v1/audit');
  assert.deepEqual(items.map(({ action, actor }) => `${actor} ${action}`), [
    'operator subscription.rejected', 'deniz@example.com subscription.asked', 'deniz@example.com app.created',
    'deniz@example.com account.created',
  ]);
  assert.deepEqual([items[0].object, items[0].address, items[1].address], [app.name, '', '127.0.0.1']);
  const pages = [];
  for (let after = ''; after !== null;) {
    const page = await me.json(`/api/v1/audit?limit=2&after=${after}`);
    pages.push(...page.items);
    after = page.next;
  }
  assert.deepEqual(pages, items);
  assert.deepEqual((await me.json('/api/v1/audit?action=app.created')).items, [items[2]]);
  assert.equal((await me.get('/api/v1/audit?after=x')).status, 422);
  assert.ok((await stranger.json('/api/v1/audit')).items.every(({ object }) => !object.includes(app.name)));
});
