// SPDX-License-Identifier: Apache-2.0
//
// The operator's logo and theme: served as what they are and no more, taken over by a reload, refused where they could
// do anything but look.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Person } from './lib/person.mjs';
import { makeSite, startSite } from './lib/site.mjs';
import { until } from './lib/weir.mjs';

const LOGO = '<?xml version="1.0"?>\n<!-- ours -->\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><script>alert(1)</script><rect width="8" height="8"/></svg>';
const THEME = '/* ours */\n:root {\n  --accent-solid: light-dark(#7a1fa2, #b25fd6);\n  --radius: 2px; /* less round */\n}\n';

test('a logo and a theme are served to both faces, as what they are, and kept until they change', async (t) => {
  const site = makeSite(t, { portal: { registration: 'open', title: 'Acme', logo: '${file:logo.svg}', theme: '${file:theme.css}' } });
  writeFileSync(join(site.dir, 'logo.svg'), LOGO);
  writeFileSync(join(site.dir, 'theme.css'), THEME);
  await site.start();
  for (const listener of [site.portal, site.admin]) {
    const visitor = new Person(listener);
    for (const [path, type, text] of [['/logo.svg', 'image/svg+xml', LOGO], ['/theme.css', 'text/css; charset=utf-8', THEME.trimEnd()]]) {
      const { status, headers, body } = await visitor.get(path);
      assert.deepEqual([status, headers['content-type'], headers['x-content-type-options'], body], [200, type, 'nosniff', text]);
      assert.match(headers['content-security-policy'], /default-src 'none'.*sandbox/, 'opened by itself it runs nothing');
      assert.equal((await visitor.get(path, { 'if-none-match': headers.etag })).status, 304);
    }
    const page = await visitor.get('/sign-in', { accept: 'text/html' });
    assert.match(page.body, /<link rel="stylesheet" href="\/theme\.css">/);
    assert.match(page.body, /<img class="mark" src="\/logo\.svg" alt="">/);
    assert.equal((await visitor.json('/api/v1/session')).site.logo, true);
  }

  // a change of the file alone is taken over by a reload, a faulty one is not
  const visitor = new Person(site.portal);
  writeFileSync(join(site.dir, 'theme.css'), THEME.replace('2px', '9px'));
  site.signal('SIGHUP');
  await until(async () => (await visitor.get('/theme.css')).body.includes('9px'), 'the new theme');
  writeFileSync(join(site.dir, 'theme.css'), ':root { --ground: url(//evil.example/x); }');
  site.signal('SIGHUP');
  await until(() => site.log.includes('must have plain values'), 'the fault to be told');
  assert.ok((await visitor.get('/theme.css')).body.includes('9px'), 'what was in force stays');
  rmSync(join(site.dir, 'theme.css'));
  const { code, stderr } = await site.run('check');
  assert.equal(code, 1);
  assert.match(stderr, /weir\.yaml:\d+:\d+: error: .*cannot read/);
});

test('without them there is the mark of Weir, and nothing to fetch', async (t) => {
  const site = await startSite(t, { portal: { registration: 'open' } });
  const visitor = new Person(site.portal);
  assert.equal((await visitor.get('/logo.svg')).status, 404);
  assert.equal((await visitor.get('/theme.css')).status, 404);
  const page = await visitor.get('/', { accept: 'text/html' });
  assert.ok(!/theme\.css|logo\.svg/.test(page.body));
  assert.match(page.body, /<svg class="mark"/);
});
