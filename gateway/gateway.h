/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway.h -- the data plane as a whole: its lanes, its snapshot, its listeners.
 *
 * Threads: created, applied, started and stopped by the owner (the main thread); gauges by any.
 * Memory:  owns lanes and snapshots; journal, meters, access and carriers are the caller's and
 * outlive it. Errors:  each function reports in one sentence.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "analytics/journal.h"
#include "analytics/meter.h"
#include "base/epoch.h"
#include "base/http/server.h"
#include "gateway/access.h"
#include "gateway/config.h"
#include "gateway/router.h"

#define GATEWAY_PROBLEM_BASE_MAX 200

struct gateway;
struct snapshot;

struct gateway_options {
    struct carriers *carriers;
    struct journal *journal; /* with a ring for each carrier */
    struct meters *meters;   /* with a meter for each carrier */
    struct access *access;
    struct epoch *epoch;    /* with a slot for each carrier, */
    unsigned resolver_slot; /* and this one for the resolver thread */
    /* what `type` begins with: "http://portal" without a slash at its end, nor any character that
     * JSON escapes; of at most GATEWAY_PROBLEM_BASE_MAX bytes */
    struct str problem_base;
};

must_check int gateway_create(struct gateway **ret_gateway, const struct gateway_options *options,
                              struct error *err);

/*
 * Puts a configuration in force for the requests that begin from now on: routes and upstreams as a
 * new snapshot, apps, plans and the file's keys in `access` (which zeroes their secrets in
 * `config`). `release(owner)` is called when no request uses it any more, from any thread. On
 * failure nothing has changed and release is not called.
 */
must_check int gateway_apply(struct gateway *gateway, struct gateway_config *config,
                             void (*release)(void *owner), void *owner, struct error *err);

/* Opens the listeners of the applied configuration. */
must_check int gateway_start(struct gateway *gateway, struct error *err);

/* Accepts no more and lets what is in flight finish, for at most that long: http_server_finish().
 */
void gateway_finish(struct gateway *gateway, int64_t patience_us);

/* Nobody may ask about it any more; finishes without patience if that was not done. NULL is
 * accepted. */
void gateway_destroy(struct gateway *gateway);

/* The listener; NULL before the start. Any thread, until gateway_destroy(). */
struct http_server *gateway_server(const struct gateway *gateway);

/*
 * The snapshot in force, for commands and gauges; no other is put in force until gateway_unpin().
 * Not for carriers.
 */
const struct snapshot *gateway_pin(struct gateway *gateway);
void gateway_unpin(struct gateway *gateway, const struct snapshot *snapshot);
const struct router *snapshot_router(const struct snapshot *snapshot);
const struct gateway_config *snapshot_config(const struct snapshot *snapshot);

/* Visits upstream targets and whether they could be reached lately. Any thread but a carrier. */
void gateway_visit_targets(struct gateway *gateway,
                           void (*visit)(void *ctx, struct str upstream, struct str target,
                                         bool healthy),
                           void *ctx);

#endif
