/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_counts.h -- how many of what there are in weir.db, for operators.
 *
 * Threads: by the thread of the connection.
 * Memory:  names borrow from the connection and are valid during the visit.
 * Errors:  those of base/db.h.
 */
#ifndef PORTAL_STORE_COUNTS_H
#define PORTAL_STORE_COUNTS_H

#include "base/db.h"

struct store_counts {
    uint64_t people, operators; /* accounts of any state */
    uint64_t apps;              /* not deleted */
    uint64_t keys;              /* not revoked */
    uint64_t waiting;           /* subscriptions that wait for an operator */
};

must_check int store_counts(struct db *db, struct store_counts *ret_counts, struct error *err);

/* How many apps have a plan, and how many wait for it. */
typedef void plan_count_visit(void *ctx, struct str plan, uint64_t active, uint64_t waiting);

/* Shows each plan that an app has or waits for. */
must_check int store_counts_of_plans(struct db *db, plan_count_visit *visit, void *ctx,
                                     struct error *err);

#endif
