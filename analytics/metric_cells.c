/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/metric_cells.h"

#include "analytics/store_totals.h"

#include <stdatomic.h>
#include <stdlib.h>

#define BUCKETS_MAX (CELL_BOUNDS_MAX + 1)

/* clang-format off */
#define DIMS(...) {__VA_ARGS__}
#define BOUNDS(...) {__VA_ARGS__}
#define ROLLUP(...)
#define METRIC(NAME, metric_, kind_, when_, dims_, measure_, bounds_)                              \
    [CELL_##NAME##_INDEX] = {.metric = metric_, .kind = kind_, .when = when_, .dims = dims_,       \
                             .measure = measure_, .bounds_us = bounds_},
const struct cell_def CELL_DEFS[CELL_METRICS] = {
#include "analytics/rollups.def"
};
#undef ROLLUP
#undef METRIC
/* clang-format on */

struct cell {
    struct cell *next; /* of the same metric, in the order they were met */
    char *labels;      /* joined */
    size_t labels_n;
    bool dirty;
    uint64_t value, sum_us;
    uint64_t buckets[]; /* of a histogram */
};

struct metric {
    struct label_map map; /* label set -> struct cell */
    struct cell *first, **end;
};

struct metric_cells {
    struct db *totals;
    unsigned max_series;
    struct metric metrics[CELL_METRICS];
};

unsigned cell_bound_count(const struct cell_def *def)
{
    unsigned n = 0;
    while (n < CELL_BOUNDS_MAX && def->bounds_us[n] != 0)
        n++;
    return n;
}

static unsigned bucket_count(const struct cell_def *def)
{
    return def->kind == CELL_HISTOGRAM ? cell_bound_count(def) + 1 : 0;
}

static struct cell *add_cell(struct metric_cells *cells, unsigned index, struct str labels)
{
    struct metric *metric = &cells->metrics[index];
    size_t buckets = bucket_count(&CELL_DEFS[index]);
    struct cell *cell = calloc(1, sizeof(*cell) + buckets * sizeof(cell->buckets[0]));
    CHECK(cell != NULL);
    cell->labels = malloc(labels.n + 1);
    CHECK(cell->labels != NULL);
    if (labels.n > 0)
        memcpy(cell->labels, labels.p, labels.n);
    cell->labels_n = labels.n;
    label_map_add(&metric->map, labels, cell);
    *metric->end = cell;
    metric->end = &cell->next;
    return cell;
}

static uint64_t le64(const char *p)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return v;
}

static int load_cell(void *ctx, const struct cell_row *row)
{
    struct metric_cells *cells = ctx;
    unsigned index = 0;
    while (index < CELL_METRICS && !str_eq(str_from(CELL_DEFS[index].metric), row->metric))
        index++;
    if (index == CELL_METRICS)
        return 0; /* a metric that this version does not have */
    struct cell *cell = add_cell(cells, index, row->labels);
    unsigned buckets = bucket_count(&CELL_DEFS[index]);
    cell->value = row->value;
    cell->sum_us = row->sum_us;
    if (row->buckets.n == buckets * sizeof(uint64_t)) {
        for (unsigned i = 0; i < buckets; i++)
            cell->buckets[i] = le64(row->buckets.p + i * sizeof(uint64_t));
    } else if (buckets > 0) {
        /* other bounds than when it was kept: only the count and the sum go on */
        cell->buckets[buckets - 1] = row->value;
    }
    return 0;
}

static void drop_all(struct metric_cells *cells)
{
    for (unsigned i = 0; i < CELL_METRICS; i++) {
        struct metric *metric = &cells->metrics[i];
        label_map_finish(&metric->map);
        while (metric->first != NULL) {
            struct cell *cell = metric->first;
            metric->first = cell->next;
            free(cell->labels);
            free(cell);
        }
        metric->end = &metric->first;
    }
}

int metric_cells_reload(struct metric_cells *cells, struct error *err)
{
    drop_all(cells);
    return store_cells_load(cells->totals, load_cell, cells, err);
}

int metric_cells_create(struct metric_cells **ret_cells, struct db *totals, unsigned max_series,
                        struct error *err)
{
    struct metric_cells *cells = calloc(1, sizeof(*cells));
    CHECK(cells != NULL);
    cells->totals = totals;
    cells->max_series = max_series;
    int r = metric_cells_reload(cells, err);
    if (r != 0) {
        metric_cells_destroy(cells);
        return r;
    }
    *ret_cells = cells;
    return 0;
}

void metric_cells_destroy(struct metric_cells *cells)
{
    if (cells == NULL)
        return;
    drop_all(cells);
    free(cells);
}

static struct cell *get_cell(struct metric_cells *cells, unsigned index,
                             const struct record *record)
{
    struct metric *metric = &cells->metrics[index];
    struct labels labels;
    labels_of(CELL_DEFS[index].dims, record, &labels);
    struct cell *cell = label_map_find(&metric->map, labels_str(&labels));
    if (likely(cell != NULL))
        return cell;
    if (metric->map.count >= cells->max_series) {
        labels_other(CELL_DEFS[index].dims, &labels);
        cell = label_map_find(&metric->map, labels_str(&labels));
    }
    return cell != NULL ? cell : add_cell(cells, index, labels_str(&labels));
}

static void observe(struct cell *cell, const struct cell_def *def, uint64_t value)
{
    unsigned bucket = 0;
    while (bucket < CELL_BOUNDS_MAX && def->bounds_us[bucket] != 0 &&
           value > def->bounds_us[bucket])
        bucket++;
    cell->buckets[bucket]++;
    cell->sum_us += value;
    cell->value++;
}

void metric_cells_add(struct metric_cells *cells, const struct record *record)
{
    for (unsigned i = 0; i < CELL_METRICS; i++) {
        const struct cell_def *def = &CELL_DEFS[i];
        uint64_t value;
        if (!when_holds(def->when, record) || !measure_of(def->measure, record, &value))
            continue;
        struct cell *cell = get_cell(cells, i, record);
        cell->dirty = true;
        if (def->kind == CELL_HISTOGRAM)
            observe(cell, def, value);
        else
            cell->value += value;
    }
}

static int write_cell(struct metric_cells *cells, const struct cell_def *def, struct cell *cell,
                      struct error *err)
{
    char mem[BUCKETS_MAX * sizeof(uint64_t)];
    struct buf blob;
    buf_init_fixed(&blob, mem, sizeof(mem));
    for (unsigned i = 0; i < bucket_count(def); i++)
        buf_add_le64(&blob, cell->buckets[i]);
    struct cell_row row = {.metric = str_from(def->metric),
                           .labels = str_make(cell->labels, cell->labels_n),
                           .value = cell->value,
                           .sum_us = cell->sum_us,
                           .buckets = buf_str(&blob)};
    int r = store_cell_set(cells->totals, &row, err);
    if (r == 0)
        cell->dirty = false;
    return r;
}

int metric_cells_write(struct metric_cells *cells, struct error *err)
{
    int r = 0;
    for (unsigned i = 0; i < CELL_METRICS; i++) {
        for (struct cell *c = cells->metrics[i].first; c != NULL && r == 0; c = c->next) {
            if (c->dirty)
                r = write_cell(cells, &CELL_DEFS[i], c, err);
        }
    }
    return r;
}

/* ---- the snapshot: cells, buckets and label texts in one piece of memory ---- */

struct metric_snapshot {
    _Atomic unsigned refs; /* atomic */
    size_t count;
    struct metric_cell cells[];
};

static void measure_cells(const struct metric_cells *cells, size_t *ret_count, size_t *ret_buckets,
                          size_t *ret_text)
{
    *ret_count = *ret_buckets = *ret_text = 0;
    for (unsigned i = 0; i < CELL_METRICS; i++) {
        for (const struct cell *c = cells->metrics[i].first; c != NULL; c = c->next) {
            *ret_count += 1;
            *ret_buckets += bucket_count(&CELL_DEFS[i]);
            *ret_text += c->labels_n;
        }
    }
}

static unsigned dim_count(const struct cell_def *def)
{
    unsigned n = 0;
    while (def->dims[n] != DIM_NONE)
        n++;
    return n;
}

static void copy_cell(struct metric_cell *to, const struct cell_def *def, const struct cell *cell,
                      uint64_t *buckets, char *text)
{
    size_t bytes = bucket_count(def) * sizeof(*buckets);
    *to = (struct metric_cell){
        .def = def, .value = cell->value, .sum_us = cell->sum_us, .label_count = dim_count(def)};
    if (bytes > 0) {
        memcpy(buckets, cell->buckets, bytes);
        to->buckets = buckets;
    }
    if (cell->labels_n > 0)
        memcpy(text, cell->labels, cell->labels_n);
    if (to->label_count > 0)
        labels_split(str_make(text, cell->labels_n), to->labels);
}

struct metric_snapshot *metric_cells_snapshot(const struct metric_cells *cells)
{
    size_t count, bucket_total, text_total;
    measure_cells(cells, &count, &bucket_total, &text_total);
    struct metric_snapshot *snapshot =
        malloc(sizeof(*snapshot) + count * sizeof(struct metric_cell) +
               bucket_total * sizeof(uint64_t) + text_total + 1);
    CHECK(snapshot != NULL);
    atomic_init(&snapshot->refs, 1);
    snapshot->count = count;
    uint64_t *buckets = (uint64_t *)(void *)(snapshot->cells + count);
    char *text = (char *)(buckets + bucket_total);
    struct metric_cell *to = snapshot->cells;
    for (unsigned i = 0; i < CELL_METRICS; i++) {
        for (const struct cell *c = cells->metrics[i].first; c != NULL; c = c->next) {
            copy_cell(to++, &CELL_DEFS[i], c, buckets, text);
            buckets += bucket_count(&CELL_DEFS[i]);
            text += c->labels_n;
        }
    }
    return snapshot;
}

struct metric_snapshot *metric_snapshot_ref(struct metric_snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
    return snapshot;
}

void metric_snapshot_unref(struct metric_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    /* release and acquire: what others read is read before the memory goes */
    if (atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) == 1)
        free(snapshot);
}

void metric_snapshot_visit(const struct metric_snapshot *snapshot, metric_cell_visit *visit,
                           void *ctx)
{
    for (size_t i = 0; i < snapshot->count; i++)
        visit(ctx, &snapshot->cells[i]);
}
