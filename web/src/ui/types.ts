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

export interface Point {
  t: string;
  requests: number;
  errors: number;
  refused: number;
  p50_ms: number;
  p95_ms: number;
  p99_ms: number;
}

interface Part {
  requests: number;
}

export interface UsageData {
  unit: 'minute' | 'hour' | 'day';
  since: string;
  until: string;
  first: string | null;
  points: Point[];
  reasons: (Part & { reason: string })[];
  apis: (Part & { api: string })[];
  keys: (Part & { key: string })[];
  totals: {
    requests: number;
    metered: number;
    errors: number;
    refused: number;
    bytes_in: number;
    bytes_out: number;
    p50_ms: number;
    p95_ms: number;
    p99_ms: number;
  };
}
