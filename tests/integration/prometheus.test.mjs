// SPDX-License-Identifier: Apache-2.0
//
// Debian's Prometheus scrapes the program; every expression of the dashboard gives data, and the counters are those
// of the store.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { LokiReceiver } from './lib/loki-receiver.mjs';
import { prometheus } from './lib/prometheus.mjs';
import { until, Weir } from './lib/weir.mjs';
import { echo } from './lib/wire.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const dashboard = JSON.parse(readFileSync(join(root, 'appliance', 'grafana', 'overview.json'), 'utf8'));
const KEY = 'a-key-of-the-prometheus-test';

test('Prometheus scrapes it, and every panel of the dashboard has data', async (t) => {
  const loki = await LokiReceiver.start(t);
  const up = await echo(t, ({ target }) =>
    `HTTP/1.1 ${/status=(\d+)/.exec(target)?.[1] ?? 200} Told\r\nContent-Length: 2\r\n\r\nok`);
  const weir = await Weir.start(t, {
    upstreams: { up: { targets: [up.url] } },
    apis: { users: { upstream: 'up', match: { paths: ['/users'] } } },
    plans: { free: { apis: ['users'], quota: { requests: 100000, per: 'month' } } },
    apps: { mobile: { plan: 'free', keys: { ci: { secret: KEY } } } },
    analytics: { loki: { url: loki.url, batch_wait: '100ms' } },
  });
  const query = await prometheus(t, weir.admin.text);

  // traffic of all kinds, until every expression has been answered
  const paths = [['/users/1', KEY], ['/users?status=503', KEY], ['/users?status=302', KEY], ['/users/1'], ['/other']];
  let sent = 0, over = false;
  const traffic = (async () => {
    while (!over) {
      const [path, key] = paths[sent % paths.length];
      const response = await fetch(`http://${weir.gateway.text}${path}`,
        { redirect: 'manual', headers: key ? { 'X-API-Key': key } : {} });
      await response.text();
      sent++;
      await new Promise((resolve) => { setTimeout(resolve, 5); });
    }
  })();
  traffic.catch(() => {}); // looked at below
  try {
    for (const { title, targets } of dashboard.panels.filter(({ type }) => type !== 'row')) {
      for (const { expr } of targets) {
        const asked = expr.replaceAll('$__rate_interval', '15s').replace(/\$\w+/g, '.*');
        await until(async () => {
          const items = await query(asked);
          return items.length > 0 && items.some(({ value: [, value] }) => value !== 'NaN');
        }, `data for panel "${title}": ${asked}`);
      }
    }
  } finally {
    over = true;
    await traffic;
  }

  // all of them tell of the same calls
  await loki.when(() => loki.lines.length >= sent, 'all lines');
  await until(async () => Number((await query('sum(weir_requests_total)'))[0].value[1]) === sent,
    `Prometheus to have counted ${sent} calls`);
  const count = async (expr) => Number((await query(expr))[0].value[1]);
  assert.equal(await count('sum(weir_request_duration_seconds_count)'), sent);
  assert.equal(await count('sum(weir_journal_records_total)'), sent);
  assert.equal(loki.lines.length, sent);
  assert.equal((await weir.requestsAre(sent)).length, sent);
  const metered = weir.requests('count(*) AS n', 'WHERE metered = 1')[0].n;
  assert.equal(metered, loki.records().filter((record) => record.metered).length);
  assert.equal(await count('sum(weir_app_requests_total{app="mobile",plan="free"})'), metered);
  const refused = weir.requests('count(*) AS n', "WHERE reason = 'key_missing'")[0].n;
  assert.equal(await count('sum(weir_requests_total{code="401",reason="key_missing"})'), refused);
});
