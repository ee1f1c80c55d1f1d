/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rates.h -- how fast each API is called, from successive looks at the cells of /metrics.
 *
 * A look each second; a rate is the difference of the newest and the oldest look kept, over the
 * time between them. So it agrees with Prometheus' rate() over the same seconds.
 *
 * Threads: any; one mutex guards all.
 * Memory:  RATES_LOOKS counters an API; APIs are bounded by the cells' own cap.
 * Errors:  none; running out of memory aborts.
 */
#ifndef PORTAL_RATES_H
#define PORTAL_RATES_H

#include "analytics/metric_cells.h"
#include "base/clock.h"

#define RATES_LOOKS 11 /* so that ten seconds lie between the newest and the oldest */

struct rates;

struct rate {
    struct str api; /* empty for calls that reached no API */
    double requests_per_s;
    double errors_per_s;   /* answered with 500 or above */
    double refused_per_s;  /* answered by the gateway itself with 4xx */
    double p50_ms, p99_ms; /* of all answers in these seconds; 0 where there were none */
};

typedef void rate_visit(void *ctx, const struct rate *rate);

struct rates *rates_create(void);
void rates_destroy(struct rates *rates); /* NULL is accepted */

/* Takes a look: calls `visit_cells` once, with `ctx`. */
void rates_sample(struct rates *rates, struct mono now,
                  void (*visit_cells)(void *ctx, metric_cell_visit *visit, void *visit_ctx),
                  void *ctx);

/*
 * Visits the APIs of `names` in that order, idle ones too, then those that were called and are not
 * among them. Holds the lock.
 */
void rates_visit(struct rates *rates, const struct str *names, size_t count, rate_visit *visit,
                 void *ctx);

/* Records ever taken into the store, as of the newest look. */
uint64_t rates_records(struct rates *rates);

#endif
