/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h -- the folder `analytics/` of a data directory: totals.db and a file of rows a day.
 *
 *     totals.db                   roll-ups, usage, the counters of /metrics: what stays
 *     requests-YYYY-MM-DD.db      the rows of the calls completed on that day, UTC
 *     reserve                     space given up when the disk is full, so that counting goes on
 *
 * No transaction spans two files. Each holds its own position for each ring of the journal, written
 * with its data; what is read again after a crash is skipped where it is already in.
 *
 * One process writes (the writer's thread, under the directory's lock); any number may read, each
 * through a store of its own, whether or not an instance runs.
 *
 * Threads: a store belongs to one thread at a time.
 * Memory:  connections to the files, opened when first needed, the least used closed again.
 * Errors:  see base/db.h; E_NOT_FOUND where a folder to read from does not exist yet.
 */
#ifndef ANALYTICS_STORE_H
#define ANALYTICS_STORE_H

#include "base/db.h"

struct store;

enum store_flags {
    STORE_READ = 0,
    STORE_WRITE = 1 << 0, /* makes what is missing and brings the files to this version */
};

must_check int store_open(struct store **ret_store, const char *dir, unsigned flags,
                          struct error *err);
void store_close(struct store *store); /* NULL is accepted */

const char *store_dir(const struct store *store);

/* The connection to totals.db. */
struct db *store_totals(struct store *store);

/* Days since 1970 of a moment; one that no calendar has is put at the calendar's end. */
int64_t store_day_of(struct wall t);

/*
 * The connection to a day's file, valid until the next call for another day. A writing store makes
 * a missing file; a reading one says E_NOT_FOUND without filling in `err`.
 */
must_check int store_day(struct store *store, int64_t day, struct db **ret_db, struct error *err);

/* The days that have a file, ascending, on the heap; *ret_days is NULL where there are none. */
must_check int store_days(struct store *store, int64_t **ret_days, size_t *ret_count,
                          struct error *err);

/* The path of a day's file. */
void store_day_path(const struct store *store, int64_t day, char *out, size_t size);

/* Closes and deletes a day's file. */
must_check int store_day_remove(struct store *store, int64_t day, struct error *err);

/* Makes everything committed through this store safe against a loss of power. */
must_check int store_sync(struct store *store, struct error *err);

/*
 * The reserve is held from opening on. While it is not, the last space is for totals.db alone: no
 * rows are written. Dropping is false where it was not held; taking it again is false where there
 * is not ample space.
 */
bool store_reserve_held(const struct store *store);
bool store_reserve_drop(struct store *store);
bool store_reserve_take(struct store *store);

/* Bytes of the files in the folder, with their logs. */
struct store_sizes {
    uint64_t requests, totals;
};
struct store_sizes store_measure(struct store *store);

#endif
