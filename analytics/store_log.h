/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_log.h -- the SQL behind query_log.h: which rows of one day's file a list of requests shows.
 *
 * Threads: by the thread of the connection.
 * Memory:  none kept.
 * Errors:  see base/db.h.
 */
#ifndef ANALYTICS_STORE_LOG_H
#define ANALYTICS_STORE_LOG_H

#include "analytics/query_log.h"

/* Rows with after < seq < before, from one end or the other, of which so many are looked at. */
struct log_walk {
    const struct log_filter *filter;
    uint64_t after, before;
    bool newest_first;
    unsigned look_max;
    unsigned looked; /* out: rows looked at */
    uint64_t last;   /* out: the number of the last of them where the walk ended early, be it by the
                        visitor or by look_max; 0 where nothing is left behind it */
};

/* Called for each row that the filter lets through: true goes on. */
typedef bool log_hit_visit(void *ctx, uint64_t seq);

/* Walks the rows of a day. */
must_check int store_log_walk(struct db *day, struct log_walk *walk, log_hit_visit *visit,
                              void *ctx, struct error *err);

/* Narrows the walk to the runs of rows that can hold what was completed in [since, until). */
must_check int store_log_narrow(struct db *day, struct wall since, struct wall until,
                                struct log_walk *walk, struct error *err);

#endif
