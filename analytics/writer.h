/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h -- the one thread that takes records from the journal into the store.
 *
 * It reads the rings in order and works in batches: first the rows, one transaction for each day's
 * file, then one transaction on totals.db with roll-ups, usage, limits, keys and the cells of
 * /metrics. Each file keeps its own position for each ring, so wherever the process dies each
 * record is counted exactly once in each file. Space in the rings is given back after a sync, each
 * second.
 *
 * When the disk is full, detail goes first: rows are left out (and counted) while totals.db goes
 * on, which has a reserve of space to fall back on. When that is used up as well the rings fill,
 * and the gateway refuses what could not be counted. Each state ends by itself when there is space.
 *
 * Threads: create, start and destroy by one thread; the rest as each function says.
 * Memory:  owns its store; the journal is the caller's and must outlive it.
 * Errors:  opening and replaying report. Afterwards the thread logs a change of state once, goes on
 *          trying, and shows it in writer_stats().
 */
#ifndef ANALYTICS_WRITER_H
#define ANALYTICS_WRITER_H

#include "analytics/journal.h"
#include "analytics/metric_cells.h"
#include "analytics/retain.h"
#include "analytics/store_totals.h"

struct writer;

/* Where a test may stop or kill the process: between any two commits. */
enum writer_point {
    WRITER_BEGIN,     /* a batch is read, nothing written */
    WRITER_ROWS,      /* a day's file is committed (called once a file) */
    WRITER_TOTALS,    /* totals.db is committed, nothing published yet */
    WRITER_PUBLISHED, /* the batch is visible to readers */
    WRITER_SYNCED,    /* everything is synced, no space given back yet */
    WRITER_RELEASED,  /* the rings have their space again */
    WRITER_POINT_COUNT
};

struct writer_options {
    const char *dir; /* the folder of the store; made if missing */
    struct journal *journal;
    struct retention retention;
    unsigned max_series; /* label sets a roll-up or metric; 0 for WRITER_MAX_SERIES */
    void (*at_point)(void *ctx, enum writer_point point); /* for tests; may be NULL */
    void *at_point_ctx;
};

#define WRITER_MAX_SERIES 20000

/*
 * Opens the store and counts what an earlier run left in the journal; the rings are then ready for
 * their producers. Nothing else may write to the folder (the directory's lock).
 */
must_check int writer_create(struct writer **ret_writer, const struct writer_options *options,
                             struct error *err);

/*
 * Between writer_create() and writer_start(), by the same thread: what the limiters start from. The
 * windows visited began at or after `since`.
 */
must_check int writer_quotas(struct writer *writer, struct wall since, quota_visit *visit,
                             void *ctx, struct error *err);

/* Starts the thread. */
must_check int writer_start(struct writer *writer, struct error *err);

/*
 * Returns when every record committed before the call is in the store and synced. From any thread
 * but a carrier's. 0, or E_TIMEOUT when that did not come about within timeout_us.
 */
must_check int writer_flush(struct writer *writer, int64_t timeout_us);

/* Stops the thread after a last batch, and closes. No producer may commit any more. NULL is fine.
 */
void writer_destroy(struct writer *writer);

/* Rows up to this number are complete in all files, and no smaller one will come. Any thread. */
uint64_t writer_committed(const struct writer *writer);

/*
 * Visits the cells of /metrics as they were at most a second ago, or at the last batch. Any thread;
 * holds no lock while it visits.
 */
void metric_cells_visit(struct writer *writer, metric_cell_visit *visit, void *ctx);

struct writer_stats {
    uint64_t records;         /* taken from the journal by this process */
    uint64_t backlog;         /* published in the rings, not in the store yet */
    uint64_t dropped;         /* refused by a full ring */
    uint64_t rows_skipped;    /* counted, but without a row: disk full, file damaged */
    uint64_t late_amendments; /* came after their record was counted, and were dropped */
    uint64_t torn;            /* rings whose end was lost with the machine's power */
    uint64_t failures;        /* batches that could not be stored and were tried again */
    bool rows_failing;        /* the last batch's rows could not be stored */
    bool totals_failing;      /* the last batch could not be counted; it waits in the rings */
};

/* Any thread; each number is right, together they are only nearly of one moment. */
void writer_stats(const struct writer *writer, struct writer_stats *ret_stats);

#endif
