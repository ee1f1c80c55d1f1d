/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_rows.h -- the rows of the day files: written in order, read by number or by request id.
 *
 * Threads: by the thread of the store.
 * Memory:  a row that is visited borrows until the visitor returns.
 * Errors:  see base/db.h.
 */
#ifndef ANALYTICS_STORE_ROWS_H
#define ANALYTICS_STORE_ROWS_H

#include "analytics/record.h"
#include "analytics/store.h"

struct row {
    uint64_t seq;
    struct record record; /* without the limits it took from */
};

/* 0 goes on; a negative code ends the visit and is passed on. */
typedef int row_visit(void *ctx, const struct row *row);

/* Rows with after < seq <= up_to, at most `max` of them. */
struct rows_range {
    uint64_t after, up_to;
    unsigned max;
};

/*
 * Visits rows over all day files in the order of their numbers. Returns how many, or a negative
 * code. This is what sinks read; their `up_to` is writer_committed().
 */
must_check int store_rows_read(struct store *store, struct rows_range range, row_visit *visit,
                               void *ctx, struct error *err);

/*
 * Visits the row of a request: 1, or 0 where there is none. The id's own time leads to it: the day
 * file and, by its spans, the few rows that can be meant.
 */
must_check int store_rows_find(struct store *store, struct uuid id, row_visit *visit, void *ctx,
                               struct error *err);

/* Visits one row of a day's file: 1, 0 where it is not there, or what ended it. */
must_check int rows_visit_one(struct db *day, uint64_t seq, row_visit *visit, void *ctx,
                              struct error *err);

/* ---- for the writer ---- */

/* Writes rows of one day's file, in ascending order of seq, within the caller's transaction. */
struct rows_writer {
    struct db *db;
    struct db_stmt *insert;
    uint64_t first_seq, last_seq; /* of the open span; first_seq 0 where none is open */
    unsigned count;
    int64_t born_min, born_max, time_min, time_max;
};

must_check int rows_begin(struct rows_writer *w, struct db *db, struct error *err);
must_check int rows_add(struct rows_writer *w, const struct row *row, struct error *err);
must_check int rows_end(struct rows_writer *w, struct error *err);

/* The smallest and largest number in a day's file; 0 and 0 where it has no rows. */
must_check int rows_bounds(struct db *db, uint64_t *ret_first, uint64_t *ret_last,
                           struct error *err);

#endif
