// SPDX-License-Identifier: Apache-2.0
//
// What the console's JSON API answers (/api/v1/openapi.json has it in full).

import type { Api, Plan } from '../ui/types.ts';

export interface Overview {
  version: string;
  uptime_s: number;
  health: { check: string; ok: boolean; detail: string }[];
  config: { file: string; loaded_at: string; apis: number; routes: number; error: string };
  rates: { api: string; requests_per_s: number; errors_per_s: number; refused_per_s: number; p50_ms: number; p99_ms: number }[];
  journal: { backlog: number; records_total: number };
  sinks: { name: string; backlog: number; sent: number; errors: number }[];
  stores: { name: string; bytes: number }[];
  upstreams: { name: string; targets: { url: string; healthy: boolean }[] }[];
  counts: { people: number; operators: number; apps: number; keys: number; pending: number };
  since: string | null;
  totals: { requests: number; errors: number; refused: number };
  reasons: { reason: string; requests: number }[];
  top: { app: string; title: string | null; requests: number; errors: number; refused: number }[];
}

export interface AppItem {
  name: string;
  title: string;
  description: string;
  state: 'active' | 'suspended' | 'deleted';
  state_note: string;
  team: string;
  plan: string | null;
  pending_plan: string | null;
  keys_active: number;
  declared: boolean;
  created: string | null;
}

export interface Key {
  kid: string;
  hint: string;
  name: string;
  app: string;
  state: 'active' | 'expiring' | 'expired' | 'disabled' | 'revoked';
  created: string;
  expires: string | null;
  last_used: { time: string; address: string } | null;
}

export interface Account {
  id: string;
  email: string;
  name: string;
  state: 'unconfirmed' | 'active' | 'suspended';
  operator: boolean;
  created: string;
  signed_in: string | null;
}

export interface Invitation {
  id: string;
  email: string;
  created: string;
  expires: string;
}

export interface Approval {
  id: string;
  app: string;
  app_title: string;
  team: string;
  plan: string;
  plan_title: string;
  offered: boolean;
  asked: string;
  asked_by: string;
}

export interface Route {
  name: string;
  methods: string[];
  hosts: string[];
  paths: string[];
  timeout_ms: number;
  max_body: number;
}

export interface OwnApi extends Api {
  upstream: string;
  routes: Route[];
}

export interface Upstream {
  name: string;
  targets: { url: string; weight: number; healthy: boolean }[];
  apis: string[];
}

export interface OwnPlan extends Plan {
  offered: boolean;
  subscribers: number;
  declared_apps: number;
  waiting: number;
}

export interface MailState {
  mode: 'off' | 'smtp' | 'console';
  waiting: number;
  failed: number;
}

export interface Mail {
  id: string;
  template: string;
  to: string;
  state: 'waiting' | 'sent' | 'failed';
  attempts: number;
  created: string;
  next: string | null;
  ended: string | null;
  fault: string;
  subject: string | null;
  text: string | null;
}

export interface Setting {
  name: string;
  value: string;
  default: string;
  secret: boolean;
  waits: boolean;
  where: string;
  doc: string;
}
