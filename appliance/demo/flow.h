/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.h -- inside of the demo's traffic: how one program calls, step by step.
 *
 * A step makes some calls and tells how long to wait before the next. What it does follows from the
 * number of the step and the time since the start: two runs look alike.
 *
 * Threads: a flow belongs to its thread.
 * Memory:  none.
 * Errors:  a call that fails is counted, and the flow goes on.
 */
#ifndef APPLIANCE_DEMO_FLOW_H
#define APPLIANCE_DEMO_FLOW_H

#include "appliance/demo/traffic.h"
#include "base/clock.h"
#include "base/curl.h"

#define FLOW_PATH_MAX 128

struct flow {
    void *worker;
    struct mono began;
    uint64_t steps;
};

struct flow_call {
    const char *path; /* up to FLOW_PATH_MAX bytes */
    const char *body; /* NULL for a GET, else JSON for a POST */
    const char *key;  /* NULL for the app's own */
};

/* Makes the call; its status, 0 where none came. */
unsigned flow_call(struct flow *flow, const struct flow_call *call);

/* Whether the traffic is to end: for steps of many calls. */
bool flow_stopping(struct flow *flow);

struct flow_row {
    const char *name;  /* of the thread */
    unsigned app;      /* DEMO_APPS for nobody's */
    const char *agent; /* as which it introduces itself: a line of the head */
    int64_t first_us;  /* the wait before the first step */
    int64_t (*step)(struct flow *flow);
};

#define FLOW_ROW_COUNT 5
extern const struct flow_row FLOW_ROWS[FLOW_ROW_COUNT];

#endif
