// SPDX-License-Identifier: Apache-2.0
//
// People on a full disk: what cannot be kept is refused in a sentence and not half done, what was answered holds, and
// with room again everything goes on by itself.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Person } from './lib/person.mjs';
import { startOrigin, startSite } from './lib/site.mjs';
import { smallDisk, until } from './lib/weir.mjs';

const WISHES_MAX = 3000; // what the database had room for already is used up long before

// Takes all the room that is left.
function fill(disk) {
  const file = openSync(join(disk, 'filler'), 'w');
  for (const size of [1 << 20, 4096, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch (error) {
      assert.equal(error.code, 'ENOSPC');
    }
  }
  closeSync(file);
}

test('a full disk refuses what it cannot keep, and keeps what was answered', async (t) => {
  const disk = smallDisk(t, 'size=96m');
  if (!disk) return t.skip('this machine does not let us mount');
  const site = await startSite(t, {
    data_dir: `${disk}/data`,
    analytics: { journal_size: '1MiB' },
    portal: { registration: 'open' },
    apis: { hello: { upstream: 'origin', match: { paths: ['/hello'] } } },
    plans: { free: { apis: ['hello'] } },
  }, await startOrigin(t));
  const me = new Person(site.portal);
  await me.signUp('deniz@example.com', 'a long password', 'Deniz');
  const app = (await me.send('POST', '/api/v1/apps', { title: 'Orders', plan: 'free' })).json.name;
  const keys = `/api/v1/apps/${app}/keys`;
  const issue = (name) => me.send('POST', keys, { name });
  const first = (await issue('first')).json;

  fill(disk);
  const made = [first.key.kid];
  let refused;
  for (let i = 0; i < WISHES_MAX && !refused; i++) {
    const answer = await issue(`full ${i}`);
    if (answer.status === 201) {
      made.push(answer.json.key.kid);
      const gone = await me.send('DELETE', `${keys}/${answer.json.key.kid}`); // there is an end to how many work
      if (gone.status !== 200) refused = gone;
    } else {
      refused = answer;
    }
  }
  assert.equal(refused?.status, 503, refused?.body ?? 'nothing was refused');
  assert.match(refused.json.detail, /room|full|disk/);
  assert.ok(!/secret|weir_live_/.test(refused.body));
  const listed = async () => {
    const kids = [];
    let next = '';
    do {
      const page = await me.json(`${keys}?limit=200${next && `&after=${next}`}`);
      kids.push(...page.items.map(({ kid }) => kid));
      ({ next } = page);
    } while (next);
    return kids.sort();
  };
  assert.deepEqual(await listed(), [...made].sort(), 'reading goes on, and shows what was answered');
  assert.equal((await me.get('/apps')).status, 200);

  assert.equal(spawnSync('rm', [join(disk, 'filler')]).status, 0);
  const later = await until(async () => {
    const answer = await issue('later');
    return answer.status === 201 && answer.json;
  }, 'a key to be issued');
  assert.equal((await site.call('/hello', later.secret)).status, 200);
  assert.equal((await site.call('/hello', first.secret)).status, 200);
  await site.close();
  await site.start();
  me.listener = site.portal;
  assert.deepEqual(await listed(), [...made, later.key.kid].sort());
});
