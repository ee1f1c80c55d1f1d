-- SPDX-License-Identifier: Apache-2.0
-- requests-YYYY-MM-DD.db: one row for each request that was completed on that day (UTC), with the
-- fields of analytics/record_fields.def. `seq` grows over all day files. No index: rows are found by
-- seq, and by `spans` through the time that a UUIDv7 carries.
CREATE TABLE requests (
    seq               INTEGER PRIMARY KEY,
    time_us           INTEGER NOT NULL,
    request_id        BLOB NOT NULL,
    client_request_id TEXT NOT NULL,
    trace_id          BLOB NOT NULL,
    span_id           BLOB NOT NULL,
    api               TEXT NOT NULL,
    route             TEXT NOT NULL,
    method            TEXT NOT NULL,
    path              TEXT NOT NULL,
    query             TEXT NOT NULL,
    status            INTEGER NOT NULL,
    reason            TEXT NOT NULL,
    app               TEXT NOT NULL,
    key               TEXT NOT NULL,
    plan              TEXT NOT NULL,
    client_ip         TEXT NOT NULL,
    country           TEXT NOT NULL,
    asn               INTEGER NOT NULL,
    bytes_in          INTEGER NOT NULL,
    bytes_out         INTEGER NOT NULL,
    duration_us       INTEGER NOT NULL,
    upstream_us       INTEGER NOT NULL,
    queue_us          INTEGER NOT NULL,
    upstream          TEXT NOT NULL,
    target            TEXT NOT NULL,
    attempts          INTEGER NOT NULL,
    cache             TEXT NOT NULL,
    protocol          TEXT NOT NULL,
    tls               TEXT NOT NULL,
    user_agent        TEXT NOT NULL,
    referer           TEXT NOT NULL,
    metered           INTEGER NOT NULL,
    trail             TEXT NOT NULL
) STRICT;

-- Runs of rows with the earliest and latest moment at which one of them was received (from its
-- request_id) and completed.
CREATE TABLE spans (
    first_seq    INTEGER PRIMARY KEY,
    last_seq     INTEGER NOT NULL,
    born_min_us  INTEGER NOT NULL,
    born_max_us  INTEGER NOT NULL,
    time_min_us  INTEGER NOT NULL,
    time_max_us  INTEGER NOT NULL
) STRICT;

-- How far each ring of the journal is in this file, as in totals.db: no transaction spans two files.
CREATE TABLE positions (
    ring INTEGER PRIMARY KEY,
    seq  INTEGER NOT NULL
) STRICT;
