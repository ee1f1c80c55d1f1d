// SPDX-License-Identifier: Apache-2.0
//
// Debian's Prometheus, with a folder and a port of its own.
//
//     const query = await prometheus(t, site.admin.text);
//     const [{ metric, value }] = await query('sum(weir_requests_total)');
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, until } from './weir.mjs';

// A Prometheus that scrapes `target` each second. query(expr) gives the vector's items.
export async function prometheus(t, target) {
  const dir = folder(t);
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [{ job_name: 'weir', static_configs: [{ targets: [target] }] }],
  };
  writeFileSync(join(dir, 'prometheus.yml'), JSON.stringify(config));
  const child = spawn('prometheus', [
    `--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`, '--web.listen-address=127.0.0.1:0',
  ], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk) => { log += chunk; });
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const url = await until(() => {
    if (child.exitCode !== null) throw new Error(`prometheus ended: ${log}`);
    const m = /msg="Listening on" address=(127\.0\.0\.1:[1-9]\d*)/.exec(log);
    return m && `http://${m[1]}`;
  }, 'prometheus to listen');
  return async (expr) => {
    const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { status, data, error } = await response.json();
    assert.equal(status, 'success', `${expr}: ${error}`);
    return data.result;
  };
}
