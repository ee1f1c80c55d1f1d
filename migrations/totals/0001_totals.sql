-- SPDX-License-Identifier: Apache-2.0
-- totals.db: what stays when the rows are gone. Roll-ups as in analytics/rollups.def.

-- How far each ring of the journal is counted here. A ring's id is new in every run.
CREATE TABLE positions (
    ring INTEGER PRIMARY KEY,
    seq  INTEGER NOT NULL
) STRICT;

-- Single numbers: last_seq, the newest number given to a row of any day file; boot, the run of the
-- machine that it was given in.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The day files and their first and newest rows, so that a reader knows which of them to open.
CREATE TABLE days (
    begin_us  INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL
) STRICT;

CREATE TABLE traffic_series (
    id     INTEGER PRIMARY KEY,
    api    TEXT NOT NULL,
    route  TEXT NOT NULL,
    method TEXT NOT NULL,
    status INTEGER NOT NULL,
    reason TEXT NOT NULL,
    UNIQUE (api, route, method, status, reason)
) STRICT;

CREATE TABLE traffic_minute (
    begin_us    INTEGER NOT NULL,
    series      INTEGER NOT NULL,
    requests    INTEGER NOT NULL,
    bytes_in    INTEGER NOT NULL,
    bytes_out   INTEGER NOT NULL,
    duration_us BLOB NOT NULL,
    upstream_us BLOB NOT NULL,
    PRIMARY KEY (begin_us, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE traffic_hour (
    begin_us    INTEGER NOT NULL,
    series      INTEGER NOT NULL,
    requests    INTEGER NOT NULL,
    bytes_in    INTEGER NOT NULL,
    bytes_out   INTEGER NOT NULL,
    duration_us BLOB NOT NULL,
    upstream_us BLOB NOT NULL,
    PRIMARY KEY (begin_us, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE traffic_day (
    begin_us    INTEGER NOT NULL,
    series      INTEGER NOT NULL,
    requests    INTEGER NOT NULL,
    bytes_in    INTEGER NOT NULL,
    bytes_out   INTEGER NOT NULL,
    duration_us BLOB NOT NULL,
    upstream_us BLOB NOT NULL,
    PRIMARY KEY (begin_us, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_series (
    id    INTEGER PRIMARY KEY,
    app   TEXT NOT NULL,
    key   TEXT NOT NULL,
    plan  TEXT NOT NULL,
    api   TEXT NOT NULL,
    route TEXT NOT NULL,
    UNIQUE (app, key, plan, api, route)
) STRICT;

CREATE TABLE usage_minute (
    begin_us  INTEGER NOT NULL,
    series    INTEGER NOT NULL,
    requests  INTEGER NOT NULL,
    cost      INTEGER NOT NULL,
    bytes_in  INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    PRIMARY KEY (begin_us, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_hour (
    begin_us  INTEGER NOT NULL,
    series    INTEGER NOT NULL,
    requests  INTEGER NOT NULL,
    cost      INTEGER NOT NULL,
    bytes_in  INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    PRIMARY KEY (begin_us, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_day (
    begin_us  INTEGER NOT NULL,
    series    INTEGER NOT NULL,
    requests  INTEGER NOT NULL,
    cost      INTEGER NOT NULL,
    bytes_in  INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    PRIMARY KEY (begin_us, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE upstreams_series (
    id       INTEGER PRIMARY KEY,
    upstream TEXT NOT NULL,
    target   TEXT NOT NULL,
    UNIQUE (upstream, target)
) STRICT;

CREATE TABLE upstreams_minute (
    begin_us    INTEGER NOT NULL,
    series      INTEGER NOT NULL,
    requests    INTEGER NOT NULL,
    failures    INTEGER NOT NULL,
    upstream_us BLOB NOT NULL,
    PRIMARY KEY (begin_us, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE upstreams_hour (
    begin_us    INTEGER NOT NULL,
    series      INTEGER NOT NULL,
    requests    INTEGER NOT NULL,
    failures    INTEGER NOT NULL,
    upstream_us BLOB NOT NULL,
    PRIMARY KEY (begin_us, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE upstreams_day (
    begin_us    INTEGER NOT NULL,
    series      INTEGER NOT NULL,
    requests    INTEGER NOT NULL,
    failures    INTEGER NOT NULL,
    upstream_us BLOB NOT NULL,
    PRIMARY KEY (begin_us, series)
) STRICT, WITHOUT ROWID;

-- The series of /metrics that count calls. `labels` are the values in the metric's order, joined by
-- U+001F; `value` is a counter's value or a histogram's number of observations; `buckets` are that
-- many 64-bit little-endian numbers, one a bucket, not cumulative, the last above all bounds.
CREATE TABLE metric_cells (
    metric  TEXT NOT NULL,
    labels  TEXT NOT NULL,
    value   INTEGER NOT NULL,
    sum_us  INTEGER NOT NULL,
    buckets BLOB NOT NULL,
    PRIMARY KEY (metric, labels)
) STRICT, WITHOUT ROWID;

-- What an app took from each window of each limit of its plan.
CREATE TABLE quota_usage (
    app        TEXT NOT NULL,
    limit_name TEXT NOT NULL,
    window_us  INTEGER NOT NULL,
    used       INTEGER NOT NULL,
    PRIMARY KEY (app, limit_name, window_us)
) STRICT, WITHOUT ROWID;
CREATE INDEX quota_usage_window ON quota_usage (window_us);

CREATE TABLE key_last_used (
    key     TEXT PRIMARY KEY,
    time_us INTEGER NOT NULL,
    ip      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
