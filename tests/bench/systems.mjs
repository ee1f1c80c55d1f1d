// SPDX-License-Identifier: Apache-2.0
//
// What is compared, each doing the same work: a key decides who calls (a map of one key), a rate limit is kept for that
// caller (too high to refuse anybody), each call gets an id and is logged, connections to the origin are kept.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Program, twoCores } from './processes.mjs';

export const KEY = '0123456789abcdef0123';
export const PATH = '/users/7';
export const [GATEWAY_CORE, LOAD_CORE] = twoCores();

const BODY = '{"id":7,"name":"a small answer of an origin, as they are"}\\n';
const CONNECTIONS = 8192;

// Everything nginx would write elsewhere, so that it needs neither root nor its package's folders.
function nginxFile(dir, http) {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`);
  return `${process.getuid() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; worker_rlimit_nofile ${CONNECTIONS}; pid ${dir}/pid; error_log ${dir}/error.log;
events { worker_connections ${CONNECTIONS}; }
http {
  ${temp.join(' ')}
  keepalive_requests 1000000000; keepalive_timeout 600s;
  ${http}
}
`;
}

async function nginx(dir, core, port, http) {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'nginx.conf'), nginxFile(dir, http));
  const program = new Program(core, 'nginx', ['-e', `${dir}/error.log`, '-c', `${dir}/nginx.conf`], { log: `${dir}/out.log` });
  await program.listens(port);
  return program;
}

// A short answer made in memory: as little as an origin can cost.
export const startOrigin = (dir, port) => nginx(dir, LOAD_CORE, port, `
  access_log off;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { default_type application/json; return 200 '${BODY}'; }
  }`);

const startNginx = (dir, { port, origin }) => nginx(dir, GATEWAY_CORE, port, `
  log_format record escape=json '{"time":"$time_iso8601","request_id":"$request_id","client_ip":"$remote_addr",'
    '"method":"$request_method","path":"$uri","query":"$args","status":$status,"app":"$app","bytes_in":$request_length,'
    '"bytes_out":$bytes_sent,"duration":$request_time,"upstream":"$upstream_addr","upstream_time":"$upstream_response_time",'
    '"protocol":"$server_protocol","user_agent":"$http_user_agent","referer":"$http_referer"}';
  access_log ${dir}/access.log record buffer=64k flush=1s;
  geo $denied { default 1; 127.0.0.0/8 0; }
  map $http_x_api_key $app { default ""; "${KEY}" "acme"; }
  limit_req_zone $app zone=apps:10m rate=1000000r/s;
  limit_req_status 429;
  upstream origin { server 127.0.0.1:${origin}; keepalive 1024; keepalive_requests 1000000000; keepalive_timeout 600s; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location /users {
      if ($denied) { return 403; }
      if ($app = "") { return 401; }
      limit_req zone=apps burst=1000000 nodelay;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-API-Key "";
      proxy_set_header X-Request-Id $request_id;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      add_header X-Request-Id $request_id;
      proxy_pass http://origin;
    }
  }`);

// Its log goes to standard output, as in a container: HAProxy itself writes no files.
async function startHaproxy(dir, { port, origin }) {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'keys.map'), `${KEY} acme\n`);
  writeFileSync(join(dir, 'haproxy.cfg'), `
global
  nbthread 1
  maxconn ${CONNECTIONS}
  log stdout format raw local0
  tune.maxaccept 64
defaults
  mode http
  log global
  timeout client 600s
  timeout server 600s
  timeout connect 5s
  timeout http-keep-alive 600s
frontend in
  bind 127.0.0.1:${port} backlog 4096
  unique-id-format %[uuid]
  unique-id-header X-Request-Id
  log-format '{"time":"%tr","request_id":"%ID","client_ip":"%ci","method":"%HM","path":"%HPO","query":"%HQ","status":%ST,"app":"%[var(txn.app)]","bytes_in":%U,"bytes_out":%B,"duration":%Ta,"upstream":"%s","upstream_time":%Tr,"protocol":"%HV","user_agent":"%[var(txn.agent)]"}'
  http-request deny deny_status 403 unless { src 127.0.0.0/8 }
  http-request set-var(txn.app) req.hdr(x-api-key),map_str(${dir}/keys.map)
  http-request set-var(txn.agent) req.hdr(user-agent)
  http-request deny deny_status 401 unless { var(txn.app) -m found }
  http-request track-sc0 var(txn.app) table apps
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1000000 }
  http-request del-header x-api-key
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-response set-header X-Request-Id %[unique-id]
  option forwardfor
  default_backend origin
backend apps
  stick-table type string len 32 size 10k expire 60s store http_req_rate(1s)
backend origin
  http-reuse always
  server o 127.0.0.1:${origin} pool-max-conn 1024
`);
  const program = new Program(GATEWAY_CORE, 'haproxy', ['-f', `${dir}/haproxy.cfg`], { log: `${dir}/access.log` });
  await program.listens(port);
  return program;
}

async function startWeir(dir, { port, origin, portal, admin, workers, env }) {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'weir.yaml'), JSON.stringify({
    version: 1,
    data_dir: `${dir}/data`,
    gateway: { listen: [`127.0.0.1:${port}`], workers, keep_alive: '600s' },
    portal: { listen: [`127.0.0.1:${portal}`] },
    admin: { listen: [`127.0.0.1:${admin}`] },
    upstreams: { origin: { targets: [`http://127.0.0.1:${origin}`] } },
    apis: {
      open: { upstream: 'origin', match: { paths: ['/open'] }, auth: 'none' },
      users: { upstream: 'origin', match: { paths: ['/users'] }, access: { allow: ['127.0.0.0/8'] } },
    },
    plans: {
      free: {
        apis: ['users'],
        rate: { requests: 1000000, per: '1s', burst: 1000000 },
        quota: { requests: 1000000000, per: 'month' },
      },
    },
    apps: { acme: { plan: 'free', keys: { ci: KEY } } },
  }, null, 2));
  const program = new Program(GATEWAY_CORE, process.env.WEIR_BIN, ['serve', '-c', `${dir}/weir.yaml`],
    { log: `${dir}/out.log`, env });
  await program.listens(port);
  return program;
}

// In the order of the tables.
export const GATEWAYS = [
  { name: 'nginx', start: startNginx },
  { name: 'haproxy', start: startHaproxy },
  { name: 'weir', start: startWeir },
];
