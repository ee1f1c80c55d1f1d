/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_apps.h -- the SQL behind query_apps.h: cells of the roll-ups, of one app or of all calls.
 *
 * Threads: by the thread of the connection.
 * Memory:  what a visitor is given is borrowed until it returns.
 * Errors:  see base/db.h.
 */
#ifndef ANALYTICS_STORE_APPS_H
#define ANALYTICS_STORE_APPS_H

#include "analytics/rollup.h"

struct apps_select {
    struct str app; /* "" for all calls, those of no app too */
    enum level level;
    struct wall begin, end; /* units with begin <= unit < end */
};

struct apps_cell {
    struct wall begin;
    struct str app, api, reason;
    uint32_t status;
    uint64_t requests, bytes_in, bytes_out;
    struct str duration; /* an encoded histogram (base/hist.h); "" where none was asked for */
};

/* 0 goes on; a negative code ends the visit and is passed on. */
typedef int apps_cell_visit(void *ctx, const struct apps_cell *cell);

/* The cells, in no order, without `app`. */
must_check int store_apps_read(struct db *totals, const struct apps_select *select,
                               apps_cell_visit *visit, void *ctx, struct error *err);

/* The sums of the whole time by app, status and reason. select->app does not matter. */
must_check int store_apps_sum(struct db *totals, const struct apps_select *select,
                              apps_cell_visit *visit, void *ctx, struct error *err);

/* The beginning of the oldest unit that there is; 0 where there is none. */
must_check int store_apps_first(struct db *totals, const struct apps_select *select,
                                struct wall *ret_first, struct error *err);

struct metered_cell {
    struct wall begin;
    struct str key; /* "" for all calls together */
    uint64_t requests;
};
typedef void metered_visit(void *ctx, const struct metered_cell *cell);

/* What was metered, by unit and, of one app, by key; in no order. */
must_check int store_metered_read(struct db *totals, const struct apps_select *select,
                                  metered_visit *visit, void *ctx, struct error *err);

/* When a key was last used and from where; 0 and "" where it never was. */
must_check int store_key_use_get(struct db *totals, struct str key, struct wall *ret_time,
                                 struct ip *ret_ip, struct error *err);

#endif
