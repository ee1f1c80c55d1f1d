/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h -- the struct gateway itself, for the files of this room that need it.
 *
 * Threads: said at each field.
 * Memory:  see gateway.h.
 * Errors:  none.
 */
#ifndef GATEWAY_INSIDE_H
#define GATEWAY_INSIDE_H

#include "gateway/gateway.h"
#include "gateway/intern.h"
#include "gateway/lane.h"
#include "gateway/resolver.h"
#include "gateway/snapshot.h"

#include <pthread.h>

struct gateway {
    struct gateway_options options; /* const after create */
    unsigned lane_count;            /* const after create */
    struct lane *lanes;             /* each belongs to its carrier */
    size_t max_head;                /* const after start: of the listener, whatever a reload says */
    char *overloaded_text;          /* const after start: the answer of a full house */
    /* stored once by gateway_start(), release; loaded by any thread, acquire */
    _Atomic(struct http_server *) server;

    /* replaced by gateway_apply(), release; loaded by carriers within an epoch, acquire */
    _Atomic(struct snapshot *) snapshot;

    pthread_mutex_t apply_mtx; /* between apply and pins */
    struct intern pools;       /* guarded by apply_mtx: the number of each target's pool */

    /* between resolver and apply: lists of addresses, from being read to being copied */
    pthread_mutex_t addresses_mtx;
    struct resolver resolver;
};

/* The edge: what the listener calls for each request. `arg` is the gateway. */
void edge_handle(struct http_conn *conn, void *arg);

#endif
