/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer_store.h -- one batch into the files: rows a day, then all that is counted.
 *
 * Threads: the writer's.
 * Memory:  what is kept between batches: roll-up cells, cells of /metrics.
 * Errors:  rows that cannot be stored are left out and counted; where another process only holds
 *          the file, after a few tries (E_BUSY: try the batch again). What cannot be counted fails
 *          the batch, which is then to be tried again as a whole. Nothing is lost or doubled by
 * that.
 */
#ifndef ANALYTICS_WRITER_STORE_H
#define ANALYTICS_WRITER_STORE_H

#include "analytics/batch.h"
#include "analytics/metric_cells.h"
#include "analytics/rollup.h"
#include "analytics/store.h"
#include "analytics/tally.h"
#include "analytics/writer.h"

#define NOTES_MAX 16 /* days that rows can go to before totals.db has heard of it */

struct writer_store {
    struct store *store;
    struct rollup *rollup;
    struct metric_cells *cells;
    struct tally tally;
    uint64_t last_seq;                 /* newest number given to a row */
    uint64_t rows_skipped;             /* in all */
    uint64_t skipping;                 /* of this batch, left out for good when it is counted */
    struct day_range notes[NOTES_MAX]; /* rows written that totals.db does not know of yet */
    unsigned note_count;
    unsigned busy;           /* batches in a row whose rows another process kept us from writing */
    bool cells_stale;        /* cells are ahead of their table: reload before use */
    struct error rows_error; /* why the last batch's rows were left out; code 0: they were not */
    const struct writer_options *options;
};

must_check int writer_store_open(struct writer_store *ws, const struct writer_options *options,
                                 struct error *err);
void writer_store_close(struct writer_store *ws);

must_check int writer_store_batch(struct writer_store *ws, const struct batch *batch,
                                  struct error *err);

/* Forgets the positions of all rings but those of the batch's readers. */
must_check int writer_store_keep_rings(struct writer_store *ws, const struct batch *batch,
                                       struct error *err);

/* Tells the test that watches, if any. */
void writer_at(const struct writer_options *options, enum writer_point point);

#endif
