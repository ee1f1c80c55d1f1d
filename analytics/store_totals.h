/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_totals.h -- the tables of totals.db that are no roll-ups: positions, numbers, windows of
 * limits, last use of keys, the cells of /metrics.
 *
 * Threads: by the thread of the store.
 * Memory:  what a visitor is given is borrowed until it returns.
 * Errors:  see base/db.h.
 */
#ifndef ANALYTICS_STORE_TOTALS_H
#define ANALYTICS_STORE_TOTALS_H

#include "analytics/record.h"
#include "analytics/store.h"

/* Positions are kept alike in totals.db and in each day's file: db tells which. 0: ring unknown. */
must_check int store_position_get(struct db *db, uint64_t ring, uint64_t *ret_seq,
                                  struct error *err);
must_check int store_position_set(struct db *db, uint64_t ring, uint64_t seq, struct error *err);

/* Forgets all rings but these: the others will never be read again. */
must_check int store_positions_keep(struct db *db, const uint64_t *rings, size_t count,
                                    struct error *err);

/* The newest number given to a row; survives the deletion of day files. 0 at first. */
must_check int store_last_seq_get(struct db *totals, uint64_t *ret_seq, struct error *err);
must_check int store_last_seq_set(struct db *totals, uint64_t seq, struct error *err);

/* The run of the machine in which rows were last given numbers; 0 at first. */
must_check int store_boot_get(struct db *totals, uint64_t *ret_boot, struct error *err);
must_check int store_boot_set(struct db *totals, uint64_t boot, struct error *err);

/* The rows of a day's file lie between these numbers. */
struct day_range {
    int64_t day;
    uint64_t first_seq, last_seq;
};

/* Widens what is known of a day. */
must_check int store_day_range_add(struct db *totals, struct day_range range, struct error *err);
must_check int store_day_range_remove(struct db *totals, int64_t day, struct error *err);

/* The days with rows newer than `after`, ascending; at most `max`, the rest left out. */
must_check int store_days_after(struct db *totals, uint64_t after, struct day_range *ranges,
                                size_t max, size_t *ret_count, struct error *err);

struct quota_usage {
    struct str app, limit;
    struct wall window; /* its beginning */
    uint64_t used;
};

/* Adds what calls took from a window of a limit. */
must_check int store_quota_add(struct db *totals, const struct quota_usage *usage,
                               struct error *err);

typedef void quota_visit(void *ctx, const struct quota_usage *usage);

/* Visits windows that began at or after `since`; which are still open only the limiter knows. */
must_check int store_quota_load(struct db *totals, struct wall since, quota_visit *visit, void *ctx,
                                struct error *err);

must_check int store_key_used(struct db *totals, struct str key, struct wall time, struct ip ip,
                              struct error *err);

struct key_use {
    struct str key;
    struct wall time;
    struct str ip;
};
typedef void key_use_visit(void *ctx, const struct key_use *use);

/* The last use of each key that was ever used. */
must_check int store_keys_used(struct db *totals, key_use_visit *visit, void *ctx,
                               struct error *err);

/* The last use of one key. E_NOT_FOUND where it was never used. */
must_check int store_key_use_find(struct db *totals, struct str key, key_use_visit *visit,
                                  void *ctx, struct error *err);

struct cell_row {
    struct str metric, labels; /* labels joined, see labels.h */
    uint64_t value, sum_us;
    struct str buckets;
};
typedef int cell_row_visit(void *ctx, const struct cell_row *row);
must_check int store_cells_load(struct db *totals, cell_row_visit *visit, void *ctx,
                                struct error *err);
must_check int store_cell_set(struct db *totals, const struct cell_row *row, struct error *err);

/* Deletes windows that began before `before`. */
must_check int store_quota_forget(struct db *totals, struct wall before, struct error *err);

#endif
