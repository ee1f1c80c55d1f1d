-- SPDX-License-Identifier: Apache-2.0
-- weir.db: mails that wait, and what became of those before.

-- `content` is sealed with a key that is not in here: mails hold links that open accounts. It is
-- gone once it is of no use any more.
CREATE TABLE mails (
    id         BLOB PRIMARY KEY CHECK (length(id) = 16),
    template   TEXT NOT NULL, -- confirm, reset, ...
    recipient  TEXT NOT NULL,
    content    BLOB,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')),
    attempts   INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    next_us    INTEGER NOT NULL, -- when it is tried again
    ended_us   INTEGER,          -- when it was sent or given up
    fault      TEXT NOT NULL     -- why the last attempt failed
) STRICT, WITHOUT ROWID;

CREATE INDEX mails_due ON mails (next_us, id) WHERE state = 'waiting';
CREATE INDEX mails_failed ON mails (id) WHERE state = 'failed';
CREATE INDEX mails_ended ON mails (ended_us) WHERE ended_us IS NOT NULL;
