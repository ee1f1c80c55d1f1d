/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loki_batch.h -- lines for Loki, grouped by stream, and the body of a push made from some of them.
 *
 * A stream is a set of labels: those that are configured, `job`, `api` and `status_class`. What is
 * made of a row depends on the row and the labels alone, so that a row that is sent again is the
 * same line of the same stream at the same time, which Loki keeps once.
 *
 * Threads: one.
 * Memory:  its buffers, kept for the next batch.
 * Errors:  none; a line is never longer than LOKI_LINE_MAX.
 */
#ifndef ANALYTICS_SINK_LOKI_BATCH_H
#define ANALYTICS_SINK_LOKI_BATCH_H

#include "analytics/config.h"
#include "analytics/record.h"
#include "base/buf.h"

#define LOKI_LINE_MAX 65536 /* of a receiver: max_line_size is 256 KB by default */

struct loki_stream {
    char status_class; /* '2' of "2xx" */
    struct str api;    /* its own copy */
    struct str labels; /* its own: a JSON object */
};

struct loki_line {
    int64_t time_us;
    size_t at, n;    /* in lines */
    unsigned stream; /* index */
    unsigned order;  /* in which it came */
};

struct loki_batch {
    struct buf fixed;   /* the configured labels as JSON members, each after a comma */
    uint64_t bytes_max; /* of all lines */
    unsigned count_max; /* lines */
    struct buf text;    /* of all lines */
    struct loki_line *lines;
    unsigned count;
    bool sorted;
    struct loki_stream *streams;
    unsigned stream_count;
};

/* Of at most so many lines; the configured labels are copied. */
void loki_batch_init(struct loki_batch *batch, const struct loki_config *config,
                     unsigned count_max);
void loki_batch_finish(struct loki_batch *batch);
void loki_batch_clear(struct loki_batch *batch);

/* False where the batch has no room left for the record's line. */
bool loki_batch_add(struct loki_batch *batch, const struct record *record);

/*
 * Appends the JSON of a push with `count` lines from `first` on. Lines are in the order of stream
 * and time from the first call on; nothing may be added then.
 */
void loki_batch_write(struct loki_batch *batch, unsigned first, unsigned count, struct buf *out);

#endif
