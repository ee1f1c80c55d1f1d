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
 * What retention knows of the clock. One that is set far forward makes all look old at once, be it
 * for a minute: after such a leap nothing is deleted for a day, in which it can be set right. An
 * instance that was off or asleep for long leaps as well, and keeps its old records a day longer.
 */
struct retain_clock {
    struct wall wall; /* the last look; 0 before the first */
    struct mono mono;
    struct mono doubted_until;
};

/*
 * Whether the time is to be believed, asked before each step. *ret_leap_us is how far the clock
 * went forward, where that is found now; else 0.
 */
bool retain_clock_trust(struct retain_clock *clock, struct wall wall, struct mono mono,
                        int64_t *ret_leap_us);

/* The clock as the last run left it, told by the newest day with rows. */
must_check int retain_clock_begin(struct retain_clock *clock, struct store *store, struct mono mono,
                                  struct error *err);

/*
 * One small step of deletion, so that counting is never held up for long: call it each minute. A
 * day's file goes when the whole day is too old, whoever still wants to read it.
 */
must_check int retain_run(struct store *store, const struct retention *retention, struct wall now,
                          struct error *err);

#endif
