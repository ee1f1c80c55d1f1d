/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver.h -- the thread that looks up the names of upstreams, and frees what no request sees.
 *
 * A name server that does not answer takes ten seconds for each name. So nothing waits for a
 * lookup: a new snapshot begins with the addresses that are known, and names are looked up some at
 * a time, within an epoch of the thread's own in place of a lock that others need.
 *
 * Threads: one of its own, and a few for the time of a lookup; the functions are the owner's.
 * Memory:  part of struct gateway.
 * Errors:  starting reports; a name that is not found is logged when that is news.
 */
#ifndef GATEWAY_RESOLVER_H
#define GATEWAY_RESOLVER_H

#include "base/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct gateway;

struct resolver {
    pthread_t thread;
    bool started;
    pthread_mutex_t mtx;
    pthread_cond_t wake;   /* for the thread */
    pthread_cond_t passed; /* for who waits in resolver_ask() */
    _Atomic bool stop;     /* set under mtx; read without it between lookups */
    uint64_t wanted, done; /* guarded by mtx: numbers of passes */
};

void resolver_init(struct resolver *resolver);
must_check int resolver_start(struct gateway *gateway, struct error *err);

/* Looks now for what has no address yet, and waits for that at most so long. */
void resolver_ask(struct gateway *gateway, int64_t patience_us);

/* Ends the thread, after the lookups under way: of a name server that is silent, ten seconds. */
void resolver_finish(struct resolver *resolver);

#endif
