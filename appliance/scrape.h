/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scrape.h -- the `metrics` listener: /metrics alone, for a Prometheus on another machine.
 *
 * Threads: start and stop by the main thread; requests on the listener's own threads.
 * Memory:  copies what it needs of the configuration.
 * Errors:  start reports in one sentence.
 */
#ifndef APPLIANCE_SCRAPE_H
#define APPLIANCE_SCRAPE_H

#include "analytics/metrics.h"
#include "appliance/config.h"

struct scrape;

/* *ret_scrape is NULL where the configuration has no such listener. `metrics` must outlive it. */
must_check int scrape_start(struct scrape **ret_scrape, const struct metrics_config *config,
                            struct metrics *metrics, struct error *err);
void scrape_stop(struct scrape *scrape); /* NULL is accepted */

/* Where it listens; NULL without one. */
struct http_server *scrape_server(const struct scrape *scrape);

#endif
