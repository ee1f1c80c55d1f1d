/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traffic.h -- the customers of the demo: programs that call the gateway over its listener, each in
 * its own way, with keys like everyone's.
 *
 * A flow is a thread with a client of its own. What it counts is what it saw as a client, so that
 * it can be compared with what the gateway counted.
 *
 * Threads: started and stopped by one thread; counts may be looked at by any.
 * Memory:  copies the keys, and overwrites them in the end.
 * Errors:  start reports in one sentence.
 */
#ifndef APPLIANCE_DEMO_TRAFFIC_H
#define APPLIANCE_DEMO_TRAFFIC_H

#include "base/error.h"
#include "base/secret.h"

enum demo_app {
#define X(ID, name, title, plan, what) APP_##ID,
#include "appliance/demo/apps.def"
#undef X
    DEMO_APPS
};

struct demo_app_row {
    const char *name, *title, *plan, *what;
};
extern const struct demo_app_row DEMO_APP_ROWS[DEMO_APPS];

struct traffic;

/*
 * Calls `gateway_url` ("http://127.0.0.1:8080") until it is stopped; `keys` holds one for each app
 * of apps.def.
 */
must_check int traffic_start(struct traffic **ret_traffic, const char *gateway_url,
                             const struct key_text keys[static DEMO_APPS], struct error *err);

/* No further call begins; calls in flight get a moment to end. */
void traffic_stop(struct traffic *traffic);

/* What the calls of an app came to, as their client saw it. */
struct traffic_count {
    uint64_t sent;
    uint64_t refused; /* of them: answered by the gateway with 401, 403 or 429 */
    uint64_t broken;  /* of them: no whole answer came, or it was given up at the stop */
};
struct traffic_count traffic_count(const struct traffic *traffic, enum demo_app app);

/* It must have been stopped. NULL is accepted. */
void traffic_destroy(struct traffic *traffic);

#endif
