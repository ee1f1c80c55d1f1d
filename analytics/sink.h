/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink.h -- one thread that delivers the rows of the store to a receiver, in order, each at least
 * once.
 *
 * The store is the spool: a sink keeps only a cursor, the number of the newest row that needs no
 * more attention. It reads the rows after it in batches, has its type (sinks.def, one file each)
 * format and send them, and moves the cursor when the receiver has taken them. A receiver that is
 * down costs nothing but back-off (SINK_BACKOFF_MIN_US to SINK_BACKOFF_MAX_US, with chance in it,
 * longer where the receiver asks for it); the limit is the retention of the rows, and what it
 * deletes first is counted. What one type sends for a row must always be the same bytes, so that a
 * receiver can tell a repeat.
 *
 * The cursor is a small file in the folder of the store (sink_cursor.h). A sink without one begins
 * with the oldest row there is.
 *
 * Threads: start and stop by one thread; sink_collect() by any.
 * Memory:  one batch, in the type's form; the connections of its own reading store.
 * Errors:  start reports. Afterwards the thread logs a change of state once, and counts.
 */
#ifndef ANALYTICS_SINK_H
#define ANALYTICS_SINK_H

#include "analytics/config.h"
#include "analytics/metrics.h"
#include "analytics/store_rows.h"

#define SINK_BATCH_ROWS 8192 /* the most a type is given for one batch */
#define SINK_BACKOFF_MIN_US (500 * US_PER_MS)
#define SINK_BACKOFF_MAX_US (5 * US_PER_MINUTE)
#define SINK_RETRY_AFTER_MAX_US US_PER_HOUR /* of what a receiver asks for, as much is given */
#define SINK_STOP_US (2 * US_PER_S)         /* for what is left, when the sink is stopped */

enum sink_verdict {
    SINK_DELIVERED, /* no row of the batch needs more attention: taken, or refused for good */
    SINK_LATER,     /* not now: try the same batch again */
    SINK_REFUSED    /* not like this: someone must change something; tried again, rarely */
};

struct sink_report {
    uint64_t sent, rejected, too_large; /* rows of the batch, with SINK_DELIVERED */
    int64_t retry_after_us;             /* what the receiver asked for; 0 for nothing */
    struct error err;                   /* why not, or why rows were rejected */
};

struct sink_type {
    const char *name; /* in metrics and in the names of thread and file; up to 9 characters */

    /*
     * is called when a configuration is put in force. Makes the state, NULL where the configuration
     * has no such sink; *ret_wait_us is how long rows may wait for others. Keeps nothing of config.
     */
    int (*create)(const struct analytics_config *config, void **ret_state, int64_t *ret_wait_us,
                  struct error *err);

    /* is called for each row of a batch; false: no room left. The first row always has room. */
    bool (*add)(void *state, const struct row *row);

    /* is called to send the batch; after another verdict than SINK_DELIVERED, again */
    enum sink_verdict (*deliver)(void *state, struct sink_report *report);

    /* is called when the batch is delivered: the next one begins */
    void (*clear)(void *state);

    /* is called by another thread, to have a running deliver() end soon, and all later ones */
    void (*cancel)(void *state);

    /* is called once, last */
    void (*destroy)(void *state);
};

/* One a row of sinks.def: sink_loki. */
#define X(name) extern const struct sink_type sink_##name;
#include "analytics/sinks.def"
#undef X

struct sink_options {
    const char *dir;                  /* of the store; writer_create() has been there */
    uint64_t (*committed)(void *ctx); /* rows up to this number may be read */
    void *ctx;
    int64_t backoff_min_us, backoff_max_us; /* for tests; 0 for the constants above */
};

struct sink;

/*
 * Starts a thread for `state`, which is the sink's from now on, also on failure.
 */
must_check int sink_start(struct sink **ret_sink, const struct sink_type *type, void *state,
                          int64_t wait_us, const struct sink_options *options, struct error *err);

/*
 * Ends the thread after a last attempt to deliver what there is, within SINK_STOP_US. NULL is
 * accepted.
 */
void sink_stop(struct sink *sink);

/* The metrics of a sink. Any thread. */
void sink_collect(struct metrics_out *out, const struct sink *sink);

#endif
