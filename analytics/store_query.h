/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_query.h -- the SQL behind query.h: usage out of the roll-ups, and the views for `weir sql`.
 *
 * Threads: by the thread of the connection.
 * Memory:  what a visitor is given is borrowed until it returns.
 * Errors:  see base/db.h.
 */
#ifndef ANALYTICS_STORE_QUERY_H
#define ANALYTICS_STORE_QUERY_H

#include "analytics/rollup.h"
#include "analytics/store.h"

struct usage_select {
    struct str app, api;    /* empty for all */
    enum level level;       /* whose table is read */
    struct wall begin, end; /* units with begin <= unit < end */
    bool by_day;
};

struct usage_sum {
    struct wall day; /* with by_day: the day's beginning */
    struct str app, api, plan, key;
    uint64_t requests, bytes_in, bytes_out, cost;
};

/* 0 goes on; a negative code ends the visit and is passed on. */
typedef int usage_sum_visit(void *ctx, const struct usage_sum *sum);

must_check int store_usage_read(struct db *totals, const struct usage_select *select,
                                usage_sum_visit *visit, void *ctx, struct error *err);

/*
 * A scratch connection that sees the whole store through views, read only. Of the day files the
 * newest that fit; *ret_left_out tells how many did not.
 */
must_check int store_views_open(struct store *store, struct db **ret_db, unsigned *ret_left_out,
                                struct error *err);

#endif
