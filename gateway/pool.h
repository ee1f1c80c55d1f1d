/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h -- a carrier's connections to upstream targets: opened when needed, kept while they are
 * good.
 *
 * A pool belongs to an address, not to a configuration: connections outlive a reload that still
 * names their target. The latest used comes first. A connection on which anything arrived while it
 * was idle (an answer nobody asked for, or its end) is closed instead of used. All pools together
 * keep a number that descriptors are set aside for; past it the longest unused one goes.
 *
 * Threads: one carrier.
 * Memory:  a few words a connection.
 * Errors:  negative E_ codes of connecting.
 */
#ifndef GATEWAY_POOL_H
#define GATEWAY_POOL_H

#include "analytics/meter.h"
#include "base/fiber/fiber.h"

struct idle_conn {
    int fd;
    struct mono since;
};

struct pool {
    struct idle_conn *idle; /* oldest first */
    unsigned count, cap;
    int64_t idle_timeout_us; /* as last told by a release */
};

struct pools {
    struct pool *items; /* by the target's pool number */
    unsigned count;
    unsigned idle;       /* connections kept in all */
    unsigned max_idle;   /* the most of them; const once calls come */
    struct meter *meter; /* of the carrier: how many connections are kept */
};

/* An idle connection of that pool; -1 where there is none that is good. */
int pool_take(struct pools *pools, unsigned number, int64_t idle_timeout_us);

/* Keeps a connection whose last answer is complete, at most `max_idle` of them; closes it
 * otherwise. */
void pool_give(struct pools *pools, unsigned number, int fd, unsigned max_idle,
               int64_t idle_timeout_us);

/* Closes what has been idle for too long. */
void pools_sweep(struct pools *pools);

/* Closes everything; on the carrier. */
void pools_close(struct pools *pools);
void pools_free(struct pools *pools);

/* A new connection: its descriptor, or E_REFUSED, E_TIMEOUT, E_CANCELED, E_IO. */
must_check int pool_connect(const struct sockaddr *address, socklen_t length, struct mono deadline);

#endif
