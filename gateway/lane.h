/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane.h -- what one carrier owns of the gateway, so that its requests share nothing with other
 * carriers.
 *
 * Threads: everything here belongs to the carrier's fibers, which never run at the same time.
 * Memory:  requests and pools are kept for the next one.
 * Errors:  none.
 */
#ifndef GATEWAY_LANE_H
#define GATEWAY_LANE_H

#include "analytics/journal.h"
#include "analytics/meter.h"
#include "gateway/pool.h"
#include "gateway/req.h"

struct lane {
    unsigned index;
    struct gateway *gateway;
    struct ring *ring;
    struct meter *meter;
    struct router_scratch *scratch;
    struct pools pools;
    struct fiber *janitor; /* closes idle connections that are too old */
    struct req *spare;
    struct uuid_source uuids;
};

/* A request's memory, its fixed parts reset. NULL when memory ran out. */
struct req *lane_take_req(struct lane *lane, struct http_conn *conn);
void lane_give_req(struct lane *lane, struct req *req);

#endif
