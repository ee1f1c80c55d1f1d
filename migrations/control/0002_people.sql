-- SPDX-License-Identifier: Apache-2.0
-- weir.db: who signs in, what is theirs, and who did what.

-- A person, developer or operator. `password` is Argon2id as libsodium writes it.
CREATE TABLE people (
    id           BLOB PRIMARY KEY CHECK (length(id) = 16),
    email        TEXT NOT NULL UNIQUE, -- in lower case
    name         TEXT NOT NULL,
    password     TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('unconfirmed', 'active', 'suspended')),
    operator     INTEGER NOT NULL CHECK (operator IN (0, 1)),
    locale       TEXT NOT NULL, -- '' for what the browser asks for
    time_zone    TEXT NOT NULL, -- likewise
    created_us   INTEGER NOT NULL,
    signed_in_us INTEGER
) STRICT, WITHOUT ROWID;

-- Apps belong to teams; who signs up gets a team of one.
CREATE TABLE teams (
    id         BLOB PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT NOT NULL,
    created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
    team      BLOB NOT NULL REFERENCES teams (id),
    person    BLOB NOT NULL REFERENCES people (id),
    role      TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
    joined_us INTEGER NOT NULL,
    PRIMARY KEY (team, person)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_of_person ON members (person, team);

-- `name` is the app of records, metrics and bills: given once, never given again.
CREATE TABLE apps (
    name        TEXT PRIMARY KEY,
    team        BLOB NOT NULL REFERENCES teams (id),
    title       TEXT NOT NULL,
    description TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'deleted')),
    state_note  TEXT NOT NULL, -- why it is suspended, for its people
    created_us  INTEGER NOT NULL,
    created_by  BLOB REFERENCES people (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX apps_of_team ON apps (team, name);

-- An app's wishes for plans of the configuration, with their ends.
CREATE TABLE subscriptions (
    id         BLOB PRIMARY KEY CHECK (length(id) = 16),
    app        TEXT NOT NULL REFERENCES apps (name),
    plan       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'active', 'rejected', 'withdrawn', 'ended')),
    asked_us   INTEGER NOT NULL,
    asked_by   BLOB REFERENCES people (id),
    decided_us INTEGER,
    decided_by BLOB REFERENCES people (id),
    note       TEXT NOT NULL -- the operator's words with a decision
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX subscriptions_active ON subscriptions (app) WHERE state = 'active';
CREATE UNIQUE INDEX subscriptions_pending ON subscriptions (app) WHERE state = 'pending';
CREATE INDEX subscriptions_of_app ON subscriptions (app, asked_us);
CREATE INDEX subscriptions_waiting ON subscriptions (id) WHERE state = 'pending';

-- `wish` is the client's own name for one wish: told twice, one key is issued. `warned_days` is the
-- last warning that was sent before the key expires.
ALTER TABLE keys ADD COLUMN created_by BLOB REFERENCES people (id);
ALTER TABLE keys ADD COLUMN wish TEXT;
ALTER TABLE keys ADD COLUMN warned_days INTEGER;
CREATE UNIQUE INDEX keys_by_wish ON keys (app, wish) WHERE wish IS NOT NULL;
CREATE INDEX keys_by_age ON keys (app, created_us, kid);
CREATE INDEX keys_by_former ON keys (rotated_from) WHERE rotated_from IS NOT NULL;
CREATE INDEX keys_by_expiry ON keys (expires_us) WHERE expires_us IS NOT NULL AND state = 'active';

-- A browser that signed in. `hash` is of its cookie.
CREATE TABLE sessions (
    id         BLOB PRIMARY KEY CHECK (length(id) = 16),
    hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    person     BLOB NOT NULL REFERENCES people (id),
    audience   TEXT NOT NULL CHECK (audience IN ('portal', 'console')),
    created_us INTEGER NOT NULL,
    seen_us    INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    address    TEXT NOT NULL,
    agent      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_of_person ON sessions (person, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_us);

-- Links that work once: for a new address, a forgotten password, an invitation. `hash` is of the link.
CREATE TABLE links (
    hash       BLOB PRIMARY KEY CHECK (length(hash) = 32),
    id         BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    kind       TEXT NOT NULL CHECK (kind IN ('confirm', 'reset', 'invite')),
    person     BLOB REFERENCES people (id), -- NULL for an invitation
    email      TEXT NOT NULL,               -- '' for an invitation of anybody
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    created_by BLOB REFERENCES people (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX links_of_person ON links (person, kind);
CREATE INDEX links_by_expiry ON links (expires_us);

-- Who did what. Ids are UUIDv7: their order is that of time. `actor` is NULL for the shell and for
-- Weir itself, whose name is in `actor_name`.
CREATE TABLE audit (
    id         BLOB PRIMARY KEY CHECK (length(id) = 16),
    at_us      INTEGER NOT NULL,
    actor      BLOB REFERENCES people (id),
    actor_name TEXT NOT NULL,
    action     TEXT NOT NULL, -- key.issued, app.suspended, ...
    object     TEXT NOT NULL, -- what it was done to: a kid, an app's name, an address
    team       BLOB REFERENCES teams (id),
    address    TEXT NOT NULL,
    detail     TEXT NOT NULL -- a sentence, may be empty
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_of_team ON audit (team, id) WHERE team IS NOT NULL;
CREATE INDEX audit_of_actor ON audit (actor, id) WHERE team IS NULL;
