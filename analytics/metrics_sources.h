/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_sources.h -- the values of /metrics that this floor knows itself.
 *
 * Threads: called while a text is rendered, one rendering at a time.
 * Memory:  none kept.
 * Errors:  a value that cannot be had is left out.
 */
#ifndef ANALYTICS_METRICS_SOURCES_H
#define ANALYTICS_METRICS_SOURCES_H

#include "analytics/metrics.h"

struct store;
struct writer;

/* The process and the build. metrics.c calls it. */
void process_collect(struct metrics_out *out, struct wall started);

/* To be registered with a struct meters. */
void meters_collect(struct metrics_out *out, void *meters);

/* To be registered with a struct writer_source: the series kept in the store, journal and store. */
struct writer_source {
    struct writer *writer;
    struct store *store; /* for its sizes; opened for reading, used by nobody else */
};
void writer_collect(struct metrics_out *out, void *source);

#endif
