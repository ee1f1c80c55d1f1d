-- SPDX-License-Identifier: Apache-2.0
-- weir.db: rows that are few among many of their kind.

-- What happened of one kind, however rare it is among all that happened.
CREATE INDEX audit_by_action ON audit (action, id);

-- An app has few keys in force, and in the course of years many that are not.
CREATE INDEX keys_in_force ON keys (app, expires_us) WHERE state = 'active';
