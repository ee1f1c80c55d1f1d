/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric_cells.h -- the series of /metrics that count calls: advanced from the records, kept in the
 * roll-ups' transaction, shown as a snapshot.
 *
 * Threads: the cells are the writer's. A snapshot never changes and may be read by any thread.
 * Memory:  all cells stay in memory; label sets of one metric are bounded by `max_series`, beyond
 *          it a new one counts as `__other__`. A snapshot is counted by reference.
 * Errors:  those of the database.
 */
#ifndef ANALYTICS_METRIC_CELLS_H
#define ANALYTICS_METRIC_CELLS_H

#include "analytics/labels.h"
#include "base/db.h"

enum cell_kind { CELL_COUNTER, CELL_HISTOGRAM };

#define CELL_BOUNDS_MAX 20

struct cell_def {
    const char *metric; /* "weir_requests_total" */
    enum cell_kind kind;
    enum when when;
    enum dim dims[DIMS_MAX + 1]; /* ended by DIM_NONE; dim_label() names the labels */
    enum measure measure;
    uint64_t bounds_us[CELL_BOUNDS_MAX]; /* upper ends of the buckets, ascending, ended by 0 */
};

/* One row a METRIC of rollups.def, in its order, CELL_METRICS long. */
enum {
#define ROLLUP(...)
#define METRIC(NAME, ...) CELL_##NAME##_INDEX,
#include "analytics/rollups.def"
#undef ROLLUP
#undef METRIC
    CELL_METRICS
};
extern const struct cell_def CELL_DEFS[CELL_METRICS];

/* How many bounds; there is one bucket more. 0 for a counter. */
unsigned cell_bound_count(const struct cell_def *def);

/* What a reader of /metrics sees of one series. */
struct metric_cell {
    const struct cell_def *def;
    struct str labels[DIMS_MAX]; /* values, in the order of def->dims */
    unsigned label_count;
    uint64_t value;          /* of a counter; of a histogram the number of observations */
    uint64_t sum_us;         /* of a histogram */
    const uint64_t *buckets; /* of a histogram: not cumulative, the last above all bounds */
};

typedef void metric_cell_visit(void *ctx, const struct metric_cell *cell);

struct metric_cells;

/* Loads what is kept. */
must_check int metric_cells_create(struct metric_cells **ret_cells, struct db *totals,
                                   unsigned max_series, struct error *err);
void metric_cells_destroy(struct metric_cells *cells);

void metric_cells_add(struct metric_cells *cells, const struct record *record);

/* Writes what has changed, within the caller's transaction. */
must_check int metric_cells_write(struct metric_cells *cells, struct error *err);

/* After a failed transaction: back to what is kept. */
must_check int metric_cells_reload(struct metric_cells *cells, struct error *err);

struct metric_snapshot;

/* The cells as they are, with one reference. Cells of one metric follow each other. */
struct metric_snapshot *metric_cells_snapshot(const struct metric_cells *cells);
struct metric_snapshot *metric_snapshot_ref(struct metric_snapshot *snapshot);
void metric_snapshot_unref(struct metric_snapshot *snapshot); /* NULL is accepted */
void metric_snapshot_visit(const struct metric_snapshot *snapshot, metric_cell_visit *visit,
                           void *ctx);

#endif
