/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot.h -- one configuration made ready for requests: never changes, replaced as a whole.
 *
 * A request takes the current snapshot when it begins and keeps it to its end, whatever is loaded
 * meanwhile; the epoch it entered keeps the snapshot alive. An idle connection keeps nothing.
 *
 * Threads: built by the owner; read by carriers without a lock.
 * Memory:  an arena of its own; gives the configuration back when it dies.
 * Errors:  building reports.
 */
#ifndef GATEWAY_SNAPSHOT_H
#define GATEWAY_SNAPSHOT_H

#include "base/arena.h"
#include "gateway/gateway.h"
#include "gateway/policy.h"
#include "gateway/upstream.h"

/* What a request to one route goes through. */
struct route_plan {
    const struct policy *policies[POLICIES_MAX]; /* that apply to it, the last one NULL */
    const struct upstream *upstream;
    uint32_t api_number;              /* by which access.h knows the API */
    unsigned api_slot, upstream_slot; /* of their meters */
};

struct str_list {
    struct str *items;
    size_t count;
};

struct snapshot {
    struct arena arena;
    const struct gateway_config *config;
    struct router *router;
    struct upstream *upstreams;
    struct route_plan *plans;   /* by route.index */
    struct str_list key_params; /* query parameters that hold the key at some API, each once */
    void (*release)(void *owner);
    void *owner;
};

must_check int snapshot_create(struct snapshot **ret_snapshot, struct gateway *gateway,
                               const struct gateway_config *config, struct error *err);

/* Frees it, without calling release. */
void snapshot_destroy(struct snapshot *snapshot);

#endif
