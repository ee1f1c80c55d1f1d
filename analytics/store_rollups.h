/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_rollups.h -- the tables of the roll-ups: label sets and cells, in SQL made from
 * rollups.def.
 *
 * Threads: by the thread of the connection.
 * Memory:  the statements' texts, made once a connection.
 * Errors:  see base/db.h.
 */
#ifndef ANALYTICS_STORE_ROLLUPS_H
#define ANALYTICS_STORE_ROLLUPS_H

#include "analytics/rollup.h"
#include "base/hist.h"

struct store_rollups;

must_check int store_rollups_create(struct store_rollups **ret_tables, struct db *totals,
                                    struct error *err);
void store_rollups_destroy(struct store_rollups *tables);

/* How many label sets a roll-up has. */
must_check int store_series_count(struct store_rollups *tables, enum rollup_id rollup,
                                  uint64_t *ret_count, struct error *err);

/* The id of a label set; 0 where it is new. */
must_check int store_series_find(struct store_rollups *tables, enum rollup_id rollup,
                                 struct str labels, int64_t *ret_id, struct error *err);
must_check int store_series_add(struct store_rollups *tables, enum rollup_id rollup,
                                struct str labels, int64_t *ret_id, struct error *err);

struct cell_key {
    enum rollup_id rollup;
    enum level level;
    int64_t series;
    struct wall begin;
};

struct cell_values {
    uint64_t sums[SUMS_MAX];
    struct hist hists[HISTS_MAX];
};

/* Adds what the table has to empty *values; nothing where it has no such cell. */
must_check int store_cell_load(struct store_rollups *tables, struct cell_key key,
                               struct cell_values *values, struct error *err);
must_check int store_cell_write(struct store_rollups *tables, struct cell_key key,
                                const struct cell_values *values, struct error *err);

/*
 * Deletes the cells of the oldest unit of a level that ended before `before`, of every roll-up.
 * *ret_more tells whether there may be another.
 */
must_check int store_cells_forget(struct db *totals, enum level level, struct wall before,
                                  bool *ret_more, struct error *err);

#endif
