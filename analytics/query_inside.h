/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query_inside.h -- what the files query*.c share of a query.
 *
 * Threads: a query belongs to one thread.
 * Memory:  owned by query_open().
 * Errors:  none.
 */
#ifndef ANALYTICS_QUERY_INSIDE_H
#define ANALYTICS_QUERY_INSIDE_H

#include "analytics/query.h"

struct query {
    struct store *store;
    int64_t timeout_us; /* of one question; 0 for no limit */
};

/* Until when the question that begins now may take. */
struct mono query_deadline(const struct query *query);

#endif
