// SPDX-License-Identifier: Apache-2.0
//
// After a kill -9, with no instance running: the commands that read count first what is left in the journal.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';

import { until, weir, Weir } from './lib/weir.mjs';

test('usage and sql know every answered call of an instance that was killed and not started again', async (t) => {
  const origin = http.createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1');
  await new Promise((resolve) => origin.once('listening', resolve));
  t.after(() => origin.close());
  const w = await Weir.start(t, {
    upstreams: { o: { targets: [`http://127.0.0.1:${origin.address().port}`] } },
    apis: { a: { upstream: 'o', match: { paths: ['/a'] } } },
    plans: { p: { apis: ['a'] } },
    apps: { one: { plan: 'p', keys: { k: { secret: 'sixteen-characters-and-more' } } } },
  });
  const call = () => fetch(`http://127.0.0.1:${w.gateway.port}/a`, {
    headers: { 'X-API-Key': 'sixteen-characters-and-more' },
  }).then((response) => response.text());
  for (let i = 0; i < 20; i++) assert.equal(await call(), 'ok');
  process.kill(w.pid, 'SIGKILL'); // at once: the last calls are in the journal alone
  await until(() => !w.running, 'the kill');

  const rows = weir(['sql', '-c', w.file, 'SELECT count(*) AS calls FROM requests']);
  assert.equal(rows.stdout.trim().split('\n').at(-1), '20', rows.stderr);
  const usage = weir(['usage', '-c', w.file, '--format', 'json']);
  assert.equal(JSON.parse(usage.stdout).reduce((sum, row) => sum + row.requests, 0), 20, usage.stderr);
});
