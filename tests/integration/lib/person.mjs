// SPDX-License-Identifier: Apache-2.0
//
// Somebody at the portal or the console, by HTTP: keeps cookies, sends the session's token along.
//
//     const person = new Person(site.portal);
//     await person.signUp('deniz@example.com', 'a long password');
//     const { status, json } = await person.send('POST', '/api/v1/apps', { title: 'Orders' });
import assert from 'node:assert/strict';
import http from 'node:http';

export class Person {
  // `listener` is site.portal or site.admin.
  constructor(listener) {
    this.listener = listener;
    this.cookies = new Map();
    this.csrf = '';
  }

  // One request as given: {status, headers, body, json}.
  ask(method, path, { headers = {}, body } = {}) {
    const { host, port } = this.listener;
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const sent = { ...(cookie && { cookie }), ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }), ...headers };
    return new Promise((resolve, reject) => {
      const request = http.request({ method, host, port, path, headers: sent, agent: false }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          this.#keep(response.headers['set-cookie'] ?? []);
          const text = Buffer.concat(chunks).toString();
          const json = /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(text) : undefined;
          resolve({ status: response.statusCode, headers: response.headers, body: text, json });
        });
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  #keep(lines) {
    for (const line of lines) {
      const [, name, value, rest] = /^([^=]+)=([^;]*)(.*)$/.exec(line);
      if (/max-age=0/i.test(rest)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }

  // JSON with the token, as the pages' script sends it.
  send(method, path, value, headers = {}) {
    const body = value === undefined ? undefined : JSON.stringify(value);
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    return this.ask(method, path, { body, headers: { ...type, 'x-csrf-token': this.csrf, ...headers } });
  }

  get(path, headers = {}) {
    return this.ask('GET', path, { headers });
  }

  // What is there, or the test ends.
  async json(path) {
    const { status, json, body } = await this.get(path);
    assert.equal(status, 200, `${path}: ${body}`);
    return json;
  }

  // A form as a browser without script sends it.
  form(path, fields, headers = {}) {
    const body = new URLSearchParams(fields).toString();
    return this.ask('POST', path, { body, headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded', ...headers } });
  }

  async #remember() {
    const { json } = await this.get('/api/v1/session');
    this.csrf = json.csrf;
    return json;
  }

  async signIn(email, password) {
    const answer = await this.send('POST', '/api/v1/session', { email, password });
    if (answer.status === 200) this.csrf = answer.json.csrf;
    return answer;
  }

  async signUp(email, password, name = 'Somebody') {
    const answer = await this.send('POST', '/api/v1/people', { email, password, name });
    assert.equal(answer.status, 201, answer.body);
    return this.#remember();
  }
}

// Makes an operator by the shell; who comes back is signed in at `listener`.
export async function operator(site, listener = site.admin, email = 'operator@example.com', password = 'an operator password') {
  const { code, stderr } = await site.type(`${password}\n`, 'admin', 'create', email);
  assert.equal(code, 0, stderr);
  const person = new Person(listener);
  const { status, body } = await person.signIn(email, password);
  assert.equal(status, 200, body);
  return person;
}
