/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queries.h -- inside of portal/: readers of the analytics store, lent to the workers.
 *
 * A reader is opened when none is free, kept for the next worker, and closed when it has been open
 * for QUERIES_OPEN_MAX_US, so that it does not hold the file of a day that was deleted. Only
 * QUERIES_AT_ONCE are lent: people who look at charts must not take the machine from the gateway.
 *
 * Threads: any that may wait.
 * Memory:  readers are the pool's; give back what was taken.
 * Errors:  E_BUSY where all are lent for too long, else those of query_open().
 */
#ifndef PORTAL_QUERIES_H
#define PORTAL_QUERIES_H

#include "analytics/query.h"
#include "portal/endpoint.h"

#define QUERIES_AT_ONCE 6
#define QUERIES_WAIT_US (5 * US_PER_S)
#define QUERIES_LIMIT_US (5 * US_PER_S) /* of one question: query_limit() */
#define QUERIES_OPEN_MAX_US US_PER_HOUR

struct queries;

/* A reader that may be asked until it is given back. */
struct query_loan {
    struct query *query; /* its borrower's */
    struct mono opened;  /* likewise */
    bool lent;           /* guarded by the pool's mutex */
};

/* Over the store in `dir`; NULL for one that has nothing. Opens nothing yet. */
struct queries *queries_create(const char *dir);

/* All were given back. NULL is accepted. */
void queries_destroy(struct queries *queries);

/* Waits for a free reader for as long as QUERIES_WAIT_US. */
must_check int queries_take(struct queries *queries, struct query_loan **ret_loan,
                            struct error *err);

/* `result` is what it was last asked with: after a failure of the store it is not used again. */
void queries_give(struct queries *queries, struct query_loan *loan, int result);

/* Sends what a question failed with: 503 where it took too long or nobody can ask now, 422 for
 * E_INVALID, and so on as endpoint_fail_error(). */
void queries_fail(struct endpoint_call *call, int code, const struct error *err);

#endif
