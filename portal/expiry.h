/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expiry.h -- inside of portal/: the warnings before a key expires.
 *
 * Threads: one.
 * Memory:  nothing is kept; which warnings were sent stands in weir.db.
 * Errors:  those of the registry; what was not warned of is tried again by the next call.
 */
#ifndef PORTAL_EXPIRY_H
#define PORTAL_EXPIRY_H

#include "portal/endpoint.h"

/*
 * Queues a mail to the people of each key that expires within 30, 14, 7 or 1 days, once each, and
 * not for a time that the key had from the start: whoever issues a key for a week knows. Where
 * several are due, as after a long stop, the last stands for all.
 */
must_check int expiry_warn(const struct portal *portal, const struct portal_conf *conf,
                           struct error *err);

#endif
