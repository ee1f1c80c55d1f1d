/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.h -- the line that tells how the demo goes, out of the admin listener's own status.
 *
 * Threads: started and stopped by the main thread; has a thread of its own.
 * Memory:  owns it all; borrows the report and the instance.
 * Errors:  a status that cannot be had leaves the line as it is.
 */
#ifndef APPLIANCE_DEMO_LIVE_H
#define APPLIANCE_DEMO_LIVE_H

#include "appliance/demo/report.h"
#include "appliance/instance.h"

struct live;

/* A terminal that went away ends the instance: nobody could stop it any more. */
must_check int live_start(struct live **ret_live, const struct report *report,
                          struct instance *instance, struct error *err);

/* Takes the line away. NULL is accepted. */
void live_stop(struct live *live);

#endif
