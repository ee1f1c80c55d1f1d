/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query.h -- questions to the store: usage, one request, SQL. While an instance runs or without
 * one.
 *
 * Threads: a query belongs to one thread.
 * Memory:  rows given to a visitor are borrowed until it returns.
 * Errors:  an E_ code and a sentence; E_NOT_FOUND where nothing was recorded yet.
 */
#ifndef ANALYTICS_QUERY_H
#define ANALYTICS_QUERY_H

#include "analytics/store_rows.h"

struct query;

/*
 * Over the store in `dir`, for reading only. Costs opening one small file and a look at its
 * version, well below a millisecond; day files are opened when first needed, also those made later.
 * A query that is kept may hold the file of a day that was deleted meanwhile, and with it its space
 * on the disk: who keeps one closes it now and then.
 */
must_check int query_open(struct query **ret_query, const char *dir, struct error *err);
void query_close(struct query *query); /* NULL is accepted */

/* What a question may take at most; from the next question on. 0 for no limit. */
void query_limit(struct query *query, int64_t timeout_us);

struct usage_filter {
    struct str app, api;      /* empty for all */
    struct wall since, until; /* until.us 0: up to now; cut to the unit that the numbers come in */
    bool by_day;              /* one row a day; else one for the whole time */
};

struct usage_row {
    struct str period; /* "2026-11-23", or "2026-11-01/2026-11-23" without by_day */
    struct str app, api, plan, key;
    uint64_t requests, bytes_in, bytes_out, cost;
};

/* 0 goes on; a negative code ends the visit and is passed on. */
typedef int usage_visit(void *ctx, const struct usage_row *row);

/*
 * Metered usage, by period, app, api, plan, key. A `since` within the last two hours is exact to
 * the minute, within three days to the hour, before that to the day (UTC). 0, a negative code, or
 * what the visitor returned.
 */
must_check int query_usage(struct query *query, const struct usage_filter *filter,
                           usage_visit *visit, void *ctx, struct error *err);

/* Visits the row of a request. 0, or a negative code: E_NOT_FOUND where there is none. */
must_check int query_request(struct query *query, struct uuid id, row_visit *visit, void *ctx,
                             struct error *err);

enum sql_type { SQL_NULL, SQL_NUMBER, SQL_TEXT, SQL_BLOB };

struct sql_value {
    enum sql_type type;
    struct str text; /* a number as its text, a blob as its bytes */
};

/*
 * Called first with the names of the columns (row 0), then with each row (1, 2, ...). 0 goes on; a
 * negative code ends the visit and is passed on.
 */
typedef int sql_visit(void *ctx, uint64_t row, const struct sql_value *values, unsigned count);

/*
 * One statement that reads, over the views
 *   requests                 the fields of the record, time as RFC 3339, ids as text, time_us, seq
 *   traffic_minute ... _day, usage_..., apps_..., upstreams_...   the roll-ups with their labels
 *   quota_usage, key_last_used
 * Anything but reading is refused with E_DENIED. SQLite attaches only so many files: with more days
 * than that the newest are seen and *ret_days_left_out (may be NULL) tells how many are not.
 */
must_check int query_sql(struct query *query, struct str sql, sql_visit *visit, void *ctx,
                         unsigned *ret_days_left_out, struct error *err);

#endif
