-- SPDX-License-Identifier: Apache-2.0
-- weir.db: the keys that were issued. Of the secret only a keyed hash is kept, its pepper lies in a
-- file of its own. A revoked key stays, so that its holder can be told what became of it.
CREATE TABLE keys (
    kid          TEXT PRIMARY KEY CHECK (length(kid) = 8),
    hash         BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    env          TEXT NOT NULL CHECK (env IN ('live', 'test')),
    name         TEXT NOT NULL,
    app          TEXT NOT NULL,
    created_us   INTEGER NOT NULL,
    expires_us   INTEGER,
    state        TEXT NOT NULL CHECK (state IN ('active', 'disabled', 'revoked')),
    revoked_us   INTEGER CHECK ((state = 'revoked') = (revoked_us IS NOT NULL)),
    rotated_from TEXT REFERENCES keys (kid),
    allow        TEXT NOT NULL -- networks it may be used from, separated by commas; empty for any
) STRICT, WITHOUT ROWID;

CREATE INDEX keys_of_app ON keys (app, kid);
