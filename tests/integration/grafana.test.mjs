// SPDX-License-Identifier: Apache-2.0
//
// What Grafana and Prometheus are given: every expression is PromQL, and asks for metrics and labels that there are.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const grafana = join(root, 'appliance', 'grafana');
const dashboard = JSON.parse(readFileSync(join(grafana, 'overview.json'), 'utf8'));
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const expressions = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));

// name -> its labels, of the rows of metrics.def
function declared() {
  const metrics = new Map();
  const text = readFileSync(join(root, 'analytics', 'metrics.def'), 'utf8').replace(/\/\*[^]*?\*\//, '');
  for (const [, row] of text.matchAll(/^(?:CELL|METER|GIVEN)\(([^]*?)\)\s*$/gm)) {
    const name = /"([^"]+)"/.exec(row)[1];
    const labels = [...(/LABELS\(([^)]*)\)/.exec(row)?.[1] ?? '').matchAll(/"(\w+)"/g)].map((m) => m[1]);
    const histogram = /\bHISTOGRAM\b/.test(row);
    for (const suffix of histogram ? ['_bucket', '_sum', '_count'] : ['']) {
      metrics.set(name + suffix, [...labels, ...(suffix === '_bucket' ? ['le'] : []), 'job', 'instance']);
    }
  }
  return metrics;
}

function checkNames(where, expr, metrics) {
  const used = [...expr.matchAll(/\b((?:weir|process)_\w+)(?:\{([^}]*)\})?/g)];
  assert.ok(used.length > 0, `${where}: asks for nothing of Weir's: ${expr}`);
  for (const [, name, selector] of used) {
    assert.ok(metrics.has(name), `${where}: there is no metric ${name}`);
    for (const [, label] of (selector ?? '').matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
      assert.ok(metrics.get(name).includes(label), `${where}: ${name} has no label ${label}`);
    }
  }
  const all = new Set(used.flatMap(([, name]) => metrics.get(name)));
  for (const [, labels] of expr.matchAll(/\bby\s*\(([^)]*)\)/g)) {
    for (const label of labels.split(',')) {
      assert.ok(all.has(label.trim()), `${where}: nothing in it has a label ${label.trim()}`);
    }
  }
}

test('the dashboard asks for metrics and labels that there are', () => {
  const metrics = declared();
  assert.ok(metrics.size > 30);
  for (const { title, expr } of expressions) checkNames(title, expr, metrics);
  for (const { name, query } of dashboard.templating.list.filter(({ type }) => type === 'query')) {
    const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(query.query);
    assert.ok(metrics.get(metric)?.includes(label), `variable ${name}`);
  }
});

test('its panels are complete and do not lie on each other', () => {
  const ids = new Set(dashboard.panels.map(({ id }) => id));
  assert.equal(ids.size, dashboard.panels.length);
  const cells = new Set();
  for (const { title, gridPos: { x, y, w, h } } of dashboard.panels) {
    assert.ok(x + w <= 24, title);
    for (let row = y; row < y + h; row++) {
      for (let column = x; column < x + w; column++) {
        assert.ok(!cells.has(`${column} ${row}`), `${title} lies on another panel`);
        cells.add(`${column} ${row}`);
      }
    }
  }
  for (const panel of panels) assert.ok(panel.title && panel.description && panel.targets.length > 0, panel.title);
});

test('the alerts ask for metrics and labels that there are', () => {
  const metrics = declared();
  const rules = readFileSync(join(grafana, 'alerts.yaml'), 'utf8').split(/^ +- alert: /m).slice(1);
  assert.ok(rules.length > 5);
  for (const rule of rules) {
    const expr = /expr: (?:\|\n)?([^]*?)\n {8}(?:for|labels):/.exec(rule)[1];
    checkNames(rule.split('\n')[0], expr, metrics);
  }
});

test('promtool takes every expression and every alert', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'weir-grafana-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const rules = expressions.map(({ expr }, i) => ({
    record: `panel:${i}`, expr: expr.replaceAll('$__rate_interval', '5m').replace(/\$\w+/g, '.*'),
  }));
  const file = join(dir, 'panels.json');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
  for (const checked of [file, join(grafana, 'alerts.yaml')]) {
    const ran = spawnSync('promtool', ['check', 'rules', checked], { encoding: 'utf8' });
    assert.equal(ran.status, 0, `${ran.error ?? ''}${ran.stdout}${ran.stderr}`);
  }
});
