/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream.h -- the upstreams of one snapshot: their targets, where those are, and whose turn it
 * is.
 *
 * A target's host may be a name; its addresses are looked up by the resolver thread, never by a
 * carrier, and replaced as a whole. A target that could not be connected to is left alone for a
 * while, unless no other is left.
 *
 * Threads: find by carriers; resolve by the loading and the resolver thread. What a carrier changes
 * (whose turn, who failed) lies in an array of its own. Memory:  the snapshot's arena; address
 * lists are heap objects freed by epoch. Errors:  resolving logs; a target without addresses is not
 * chosen.
 */
#ifndef GATEWAY_UPSTREAM_H
#define GATEWAY_UPSTREAM_H

#include "base/arena.h"
#include "base/epoch.h"
#include "gateway/config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define TARGET_DOWN_US (2 * US_PER_S)

struct address_list {
    unsigned count;
    struct {
        struct sockaddr_storage sa;
        socklen_t length;
    } items[];
};

/* What one carrier knows of one target; guarded by being its own. */
struct target_state {
    int64_t weight_now;     /* smooth weighted round robin */
    struct mono down_until; /* a connection failed: others first */
    unsigned next_address;
};

struct target {
    const struct target_conf *conf;
    struct str name; /* "127.0.0.1:9001": in records, and the Host that is sent */
    unsigned pool;   /* number of its connections' pool, the same over reloads */
    _Atomic(struct address_list *)
        addresses; /* NULL until known; released by the resolver, acquired by carriers */
    bool unknown;  /* the resolver's: the last lookup failed */
    _Atomic unsigned failing_lanes; /* how many carriers left it alone lately: a gauge */
};

struct upstream {
    const struct upstream_conf *conf;
    struct target *targets;
    unsigned count;
    struct target_state *states; /* lanes * count: those of lane i begin at i * count */
};

/*
 * Lays out the upstreams of a configuration. `pool_number` gives the number of an address's pool.
 * Overflow of the arena is the caller's to check.
 */
struct upstream *upstreams_build(struct arena *arena, const struct gateway_config *config,
                                 unsigned lanes,
                                 unsigned (*pool_number)(void *ctx, struct str name), void *ctx);

/*
 * The addresses that are known at once: those that are written as such, and of names those found
 * for the same target in `before` (NULL for none), which nobody may change meanwhile.
 */
void upstreams_adopt(struct upstream *upstreams, size_t count, const struct upstream *before,
                     size_t before_count);

/* How many targets have no address. */
unsigned upstreams_missing(const struct upstream *upstreams, size_t count);

struct lookup {
    struct epoch *epoch;      /* replaced lists are retired with it */
    pthread_mutex_t *mtx;     /* held while a list is replaced */
    bool only_missing;        /* names without an address; else all names */
    const _Atomic bool *stop; /* true: begin no further lookup; NULL for never. Relaxed */
};

/* Looks up names, some at a time. Blocks, for long where a name server does not answer. */
void upstreams_resolve(struct upstream *upstreams, size_t count, const struct lookup *how);

/* Frees the address lists. */
void upstreams_finish(struct upstream *upstreams, size_t count);

/*
 * The next target for lane `lane` that is not in the set `tried` (a bit each; targets past 63 are
 * never excluded), by weight. NULL when none is left that has an address.
 */
struct target *upstream_next(const struct upstream *upstream, unsigned lane, uint64_t tried);

/* What became of connecting to it. */
void upstream_note(const struct upstream *upstream, struct target *target, unsigned lane,
                   bool connected);

/* An address of the target, the next one each time. False where there is none. */
bool upstream_address(const struct upstream *upstream, struct target *target, unsigned lane,
                      struct sockaddr_storage *ret_address, socklen_t *ret_length);

#endif
