// SPDX-License-Identifier: Apache-2.0
//
// What the JSON API answers alike at the portal and in the console.
import type { Limit } from './limits.ts';

export interface Plan {
  name: string;
  title: string;
  approval: 'automatic' | 'manual';
  apis: string[];
  limits: Limit[];
}

export interface Api {
  name: string;
  title: string;
  auth: 'key' | 'none';
  paths: string[];
  plans: string[];
}

export interface AuditEntry {
  id: string;
  time: string;
  actor: string;
  action: string;
  object: string;
  address: string;
  detail: string;
}
