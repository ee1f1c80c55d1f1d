-- SPDX-License-Identifier: Apache-2.0
-- What an app's own people see of its calls, refused ones too: roll-up `apps` of
-- analytics/rollups.def. It counts from the moment this migration ran; nothing is made up for before.
CREATE TABLE apps_series (
    id     INTEGER PRIMARY KEY,
    app    TEXT NOT NULL,
    api    TEXT NOT NULL,
    status INTEGER NOT NULL,
    reason TEXT NOT NULL,
    UNIQUE (app, api, status, reason)
) STRICT;

CREATE TABLE apps_minute (
    begin_us    INTEGER NOT NULL,
    series      INTEGER NOT NULL,
    requests    INTEGER NOT NULL,
    bytes_in    INTEGER NOT NULL,
    bytes_out   INTEGER NOT NULL,
    duration_us BLOB NOT NULL,
    PRIMARY KEY (begin_us, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE apps_hour (
    begin_us    INTEGER NOT NULL,
    series      INTEGER NOT NULL,
    requests    INTEGER NOT NULL,
    bytes_in    INTEGER NOT NULL,
    bytes_out   INTEGER NOT NULL,
    duration_us BLOB NOT NULL,
    PRIMARY KEY (begin_us, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE apps_day (
    begin_us    INTEGER NOT NULL,
    series      INTEGER NOT NULL,
    requests    INTEGER NOT NULL,
    bytes_in    INTEGER NOT NULL,
    bytes_out   INTEGER NOT NULL,
    duration_us BLOB NOT NULL,
    PRIMARY KEY (begin_us, series)
) STRICT, WITHOUT ROWID;

-- One app's cells out of everybody's. A cell enters the index once, not at each change of it.
CREATE INDEX apps_minute_series ON apps_minute (series, begin_us);
CREATE INDEX apps_hour_series ON apps_hour (series, begin_us);
CREATE INDEX apps_day_series ON apps_day (series, begin_us);
CREATE INDEX usage_minute_series ON usage_minute (series, begin_us);
CREATE INDEX usage_hour_series ON usage_hour (series, begin_us);
CREATE INDEX usage_day_series ON usage_day (series, begin_us);
