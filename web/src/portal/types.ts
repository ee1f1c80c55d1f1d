// SPDX-License-Identifier: Apache-2.0
//
// What the portal's JSON API answers (/api/v1/openapi.json has it in full).

import type { Limit } from '../ui/limits.ts';
import type { Api, Plan } from '../ui/types.ts';

export interface Catalog {
  apis: Api[];
  plans: Plan[];
}

export interface AppItem {
  name: string;
  title: string;
  description: string;
  state: 'active' | 'suspended' | 'deleted';
  state_note: string;
  plan: string | null;
  pending_plan: string | null;
  keys_active: number;
  declared: boolean;
  created: string | null;
}

export interface App extends AppItem {
  role: 'owner' | 'admin' | 'developer' | 'viewer' | null;
  subscription: { plan: string; title: string; since: string; offered: boolean } | null;
  pending: { plan: string; title: string; asked: string } | null;
  rejected: { plan: string; title: string; decided: string; note: string } | null;
}

export interface Key {
  kid: string;
  hint: string;
  name: string;
  env: 'live' | 'test';
  state: 'active' | 'expiring' | 'expired' | 'disabled' | 'revoked';
  held: boolean; // an operator has switched it off
  created: string;
  created_by: string | null;
  expires: string | null;
  revoked: string | null;
  rotated_from: string | null;
  successor: string | null;
  allow: string[];
  last_used: { time: string; address: string } | null;
}

export interface Issued {
  key: Key;
  secret: string;
  plan: string | null;
  pending_plan: string | null;
  curl: string | null;
}

export interface Quota extends Limit {
  limit: number;
  used: number;
  remaining: number;
  resets_at: string | null;
}

export const appPath = (app: string): string => `/api/v1/apps/${encodeURIComponent(app)}`;
