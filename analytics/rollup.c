/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/rollup.h"

#include "analytics/store_rollups.h"

#include <stdlib.h>

/* clang-format off */
#define DIMS(...) {__VA_ARGS__}
#define SUMS(...) {__VA_ARGS__}
#define HISTS(...) {__VA_ARGS__}
#define ROLLUP(table, when_, dims_, sums_, hists_)                                                 \
    [ROLLUP_##table] = {.name = #table, .when = when_, .dims = dims_, .sums = sums_, .hists = hists_},
#define METRIC(...)
const struct rollup_def ROLLUPS[ROLLUP_COUNT] = {
#include "analytics/rollups.def"
};
#undef ROLLUP
#undef METRIC
/* clang-format on */

/* The sums of one label set in one unit of time. */
struct cell {
    struct cell *next; /* of the same series and level */
    struct wall begin;
    bool dirty;   /* differs from its row */
    bool touched; /* since the last rollup_evict() */
    struct cell_values values;
};

struct series {
    int64_t id;
    struct cell *cells[LEVEL_COUNT]; /* the one used last comes first */
    struct series *next_dirty;       /* list of those with a dirty cell */
    bool dirty;
};

struct table {
    struct label_map map; /* label set -> struct series */
    uint64_t count;       /* label sets in the database */
    struct series *dirty; /* by next_dirty */
};

struct rollup {
    struct store_rollups *store;
    unsigned max_series;
    bool counted; /* table.count is known */
    struct table tables[ROLLUP_COUNT];
};

const char *level_name(enum level level)
{
    static const char *const names[LEVEL_COUNT] = {"minute", "hour", "day"};
    return names[level];
}

struct wall level_begin(enum level level, struct wall t)
{
    static const int64_t units[LEVEL_COUNT] = {US_PER_MINUTE, US_PER_HOUR, US_PER_DAY};
    return (struct wall){.us = t.us - t.us % units[level]};
}

int rollup_create(struct rollup **ret_rollup, struct db *totals, unsigned max_series,
                  struct error *err)
{
    struct rollup *rollup = calloc(1, sizeof(*rollup));
    CHECK(rollup != NULL);
    rollup->max_series = max_series;
    int r = store_rollups_create(&rollup->store, totals, err);
    if (r != 0) {
        free(rollup);
        return r;
    }
    *ret_rollup = rollup;
    return 0;
}

static void cell_destroy(struct cell *cell)
{
    for (int i = 0; i < HISTS_MAX; i++)
        hist_finish(&cell->values.hists[i]);
    free(cell);
}

static void series_destroy(struct series *series)
{
    for (int level = 0; level < LEVEL_COUNT; level++) {
        while (series->cells[level] != NULL) {
            struct cell *cell = series->cells[level];
            series->cells[level] = cell->next;
            cell_destroy(cell);
        }
    }
    free(series);
}

static bool drop_series(void *ctx, void *value)
{
    (void)ctx;
    series_destroy(value);
    return false;
}

void rollup_forget(struct rollup *rollup)
{
    for (int i = 0; i < ROLLUP_COUNT; i++) {
        label_map_filter(&rollup->tables[i].map, drop_series, NULL);
        rollup->tables[i].dirty = NULL;
    }
    rollup->counted = false;
}

void rollup_destroy(struct rollup *rollup)
{
    if (rollup == NULL)
        return;
    rollup_forget(rollup);
    for (int i = 0; i < ROLLUP_COUNT; i++)
        label_map_finish(&rollup->tables[i].map);
    store_rollups_destroy(rollup->store);
    free(rollup);
}

/* A bill is made from usage, and apps is what an app's people are shown of it: their label sets are
 * never folded. */
static bool is_bounded(enum rollup_id id)
{
    return id != ROLLUP_usage && id != ROLLUP_apps;
}

static int count_series(struct rollup *rollup, struct error *err)
{
    int r = 0;
    for (int i = 0; i < ROLLUP_COUNT && r == 0; i++) {
        if (is_bounded((enum rollup_id)i))
            r = store_series_count(rollup->store, (enum rollup_id)i, &rollup->tables[i].count, err);
    }
    rollup->counted = r == 0;
    return r;
}

/* The series of a label set that is not in memory; in the bounded case possibly `__other__`. */
static int load_series(struct rollup *rollup, enum rollup_id id, struct labels *labels,
                       struct series **ret_series, struct error *err)
{
    struct table *table = &rollup->tables[id];
    int64_t series_id;
    int r = store_series_find(rollup->store, id, labels_str(labels), &series_id, err);
    if (r == 0 && series_id == 0 && is_bounded(id) && table->count >= rollup->max_series) {
        labels_other(ROLLUPS[id].dims, labels);
        *ret_series = label_map_find(&table->map, labels_str(labels));
        if (*ret_series != NULL)
            return 0;
        r = store_series_find(rollup->store, id, labels_str(labels), &series_id, err);
    }
    if (r == 0 && series_id == 0) {
        r = store_series_add(rollup->store, id, labels_str(labels), &series_id, err);
        table->count++;
    }
    if (r != 0)
        return r;
    struct series *series = calloc(1, sizeof(*series));
    CHECK(series != NULL);
    series->id = series_id;
    label_map_add(&table->map, labels_str(labels), series);
    *ret_series = series;
    return 0;
}

static int get_cell(struct rollup *rollup, struct series *series, struct cell_key key,
                    struct cell **ret_cell, struct error *err)
{
    struct cell **head = &series->cells[key.level];
    for (struct cell **at = head; *at != NULL; at = &(*at)->next) {
        struct cell *cell = *at;
        if (cell->begin.us != key.begin.us)
            continue;
        *at = cell->next;
        cell->next = *head;
        *head = cell;
        *ret_cell = cell;
        return 0;
    }
    struct cell *cell = calloc(1, sizeof(*cell));
    CHECK(cell != NULL);
    cell->begin = key.begin;
    int r = store_cell_load(rollup->store, key, &cell->values, err);
    if (r != 0) {
        cell_destroy(cell);
        return r;
    }
    cell->next = *head;
    *head = cell;
    *ret_cell = cell;
    return 0;
}

static void add_to_cell(struct cell *cell, const struct rollup_def *def,
                        const struct record *record)
{
    uint64_t value;
    for (int i = 0; def->sums[i] != MEASURE_NONE; i++) {
        if (measure_of(def->sums[i], record, &value))
            cell->values.sums[i] += value;
    }
    for (int i = 0; def->hists[i] != MEASURE_NONE; i++) {
        if (measure_of(def->hists[i], record, &value))
            hist_add(&cell->values.hists[i], value);
    }
    cell->dirty = true;
    cell->touched = true;
}

static int add_to_table(struct rollup *rollup, enum rollup_id id, const struct record *record,
                        struct error *err)
{
    const struct rollup_def *def = &ROLLUPS[id];
    struct table *table = &rollup->tables[id];
    struct labels labels;
    int r = 0;
    labels_of(def->dims, record, &labels);
    struct series *series = label_map_find(&table->map, labels_str(&labels));
    if (unlikely(series == NULL))
        r = load_series(rollup, id, &labels, &series, err);
    for (int i = 0; i < LEVEL_COUNT && r == 0; i++) {
        enum level level = (enum level)i;
        struct cell_key key = {.rollup = id,
                               .level = level,
                               .series = series->id,
                               .begin = level_begin(level, record->time)};
        struct cell *cell;
        r = get_cell(rollup, series, key, &cell, err);
        if (r == 0)
            add_to_cell(cell, def, record);
    }
    if (r == 0 && !series->dirty) {
        series->dirty = true;
        series->next_dirty = table->dirty;
        table->dirty = series;
    }
    return r;
}

int rollup_add(struct rollup *rollup, const struct record *record, struct error *err)
{
    int r = rollup->counted ? 0 : count_series(rollup, err);
    for (int i = 0; i < ROLLUP_COUNT && r == 0; i++) {
        if (when_holds(ROLLUPS[i].when, record))
            r = add_to_table(rollup, (enum rollup_id)i, record, err);
    }
    return r;
}

static int write_series(struct rollup *rollup, enum rollup_id id, struct series *series,
                        struct error *err)
{
    int r = 0;
    for (int level = 0; level < LEVEL_COUNT; level++) {
        for (struct cell *c = series->cells[level]; c != NULL && r == 0; c = c->next) {
            struct cell_key key = {
                .rollup = id, .level = (enum level)level, .series = series->id, .begin = c->begin};
            if (c->dirty)
                r = store_cell_write(rollup->store, key, &c->values, err);
            if (r == 0)
                c->dirty = false;
        }
    }
    return r;
}

int rollup_write(struct rollup *rollup, struct error *err)
{
    int r = 0;
    for (int i = 0; i < ROLLUP_COUNT; i++) {
        struct table *table = &rollup->tables[i];
        while (table->dirty != NULL && r == 0) {
            struct series *series = table->dirty;
            r = write_series(rollup, (enum rollup_id)i, series, err);
            table->dirty = series->next_dirty;
            series->dirty = false;
        }
    }
    return r;
}

/* Drops the cells that rested since the last time; keeps a series that still has one. */
static bool keep_series(void *ctx, void *value)
{
    struct series *series = value;
    bool any = false;
    (void)ctx;
    for (int level = 0; level < LEVEL_COUNT; level++) {
        struct cell **at = &series->cells[level];
        while (*at != NULL) {
            struct cell *cell = *at;
            if (!cell->touched && !cell->dirty) {
                *at = cell->next;
                cell_destroy(cell);
                continue;
            }
            cell->touched = false;
            any = true;
            at = &cell->next;
        }
    }
    if (!any)
        series_destroy(series);
    return any;
}

void rollup_evict(struct rollup *rollup)
{
    for (int i = 0; i < ROLLUP_COUNT; i++)
        label_map_filter(&rollup->tables[i].map, keep_series, NULL);
}
