/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollup.h -- adds records up into the tables of rollups.def, at each level directly.
 *
 * A cell is what one label set has in one minute, hour or day. Cells that records touch are kept in
 * memory: loaded from their table at first touch, added to, and written back whole in the batch's
 * transaction. So a late record, or one read again, is exact at each level, and an idle cell can be
 * dropped at any time. If the transaction fails, rollup_forget() drops everything: what is in the
 * tables is the truth.
 *
 * Threads: the writer's.
 * Memory:  label sets and cells in use; dropped when idle. Label sets a table are bounded by
 *          `max_series`: beyond the bound a new set counts as `__other__`. Not so those of `usage`
 *          and `apps`, which are as many as keys and apps were made, and which a bill is made of
 *          or an app's people see: none may vanish in another's.
 * Errors:  those of the database.
 */
#ifndef ANALYTICS_ROLLUP_H
#define ANALYTICS_ROLLUP_H

#include "analytics/labels.h"
#include "base/db.h"

enum level { LEVEL_MINUTE, LEVEL_HOUR, LEVEL_DAY, LEVEL_COUNT };

#define SUMS_MAX 4
#define HISTS_MAX 2

struct rollup_def {
    const char *name;
    enum when when;
    enum dim dims[DIMS_MAX + 1];       /* ended by DIM_NONE */
    enum measure sums[SUMS_MAX + 1];   /* ended by MEASURE_NONE */
    enum measure hists[HISTS_MAX + 1]; /* likewise */
};

enum rollup_id {
#define ROLLUP(name, ...) ROLLUP_##name,
#define METRIC(...)
#include "analytics/rollups.def"
#undef ROLLUP
#undef METRIC
    ROLLUP_COUNT
};

extern const struct rollup_def ROLLUPS[ROLLUP_COUNT];

/* "minute", "hour", "day"; the beginning of the unit that t falls in. */
const char *level_name(enum level level);
struct wall level_begin(enum level level, struct wall t);

struct rollup;

must_check int rollup_create(struct rollup **ret_rollup, struct db *totals, unsigned max_series,
                             struct error *err);
void rollup_destroy(struct rollup *rollup);

/* Counts one record. On failure the transaction must be rolled back and rollup_forget() called. */
must_check int rollup_add(struct rollup *rollup, const struct record *record, struct error *err);

/* Writes the cells that were touched since the last write, within the caller's transaction. */
must_check int rollup_write(struct rollup *rollup, struct error *err);

/* Drops everything in memory. */
void rollup_forget(struct rollup *rollup);

/* Drops the cells that no record has touched since the call before; call it each minute. */
void rollup_evict(struct rollup *rollup);

#endif
