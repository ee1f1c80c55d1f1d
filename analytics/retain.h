/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retain.h -- deletes what is older than the configuration keeps.
 *
 * Threads: the writer's.
 * Memory:  none kept.
 * Errors:  see base/db.h; what is not deleted now is next time.
 */
#ifndef ANALYTICS_RETAIN_H
#define ANALYTICS_RETAIN_H

#include "analytics/store.h"

/* `analytics.retention` of the configuration, in microseconds. */
struct retention {
    int64_t requests_us; /* rows: whole day files */
    int64_t minutes_us;  /* roll-ups by the minute */
    int64_t hours_us;    /* by the hour */
    int64_t usage_us;    /* by the day, and the windows of limits */
};

#define RETENTION_DEFAULT                                                                          \
    ((struct retention){.requests_us = 7 * US_PER_DAY,                                             \
                        .minutes_us = 40 * US_PER_DAY,                                             \
                        .hours_us = 400 * US_PER_DAY,                                              \
                        .usage_us = 800 * US_PER_DAY})

/*
 * One small step of deletion, so that counting is never held up for long: call it each minute. A
 * day's file goes when the whole day is too old, whoever still wants to read it.
 */
must_check int retain_run(struct store *store, const struct retention *retention, struct wall now,
                          struct error *err);

#endif
