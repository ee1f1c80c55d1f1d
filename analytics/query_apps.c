/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/query_apps.h"

#include "analytics/query_inside.h"
#include "analytics/store_apps.h"
#include "base/hist.h"

#include <stdlib.h>

/* ---- numbers by name ---- */

struct names {
    struct label_map map; /* name -> its own allocation */
};

/* What is counted under the name; made, zeroed, where it is not there. */
static void *get_named(struct names *names, struct str name, size_t size)
{
    void *value = label_map_find(&names->map, name);
    if (value == NULL) {
        value = calloc(1, size);
        CHECK(value != NULL);
        label_map_add(&names->map, name, value);
    }
    return value;
}

static bool free_value(void *ctx, void *value)
{
    (void)ctx;
    free(value);
    return false;
}

static void names_finish(struct names *names)
{
    label_map_filter(&names->map, free_value, NULL);
    label_map_finish(&names->map);
}

static struct str copy_of(struct str s)
{
    char *copy = malloc(s.n + 1);
    CHECK(copy != NULL);
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return str_make(copy, s.n);
}

static int compare_counts(uint64_t a, uint64_t b, struct str a_name, struct str b_name)
{
    if (a != b)
        return a < b ? 1 : -1;
    return str_cmp(a_name, b_name);
}

static int compare_parts(const void *a, const void *b)
{
    const struct usage_part *x = a, *y = b;
    return compare_counts(x->requests, y->requests, x->name, y->name);
}

/* The counts of a map of uint64_t, sorted. */
static struct usage_parts take_parts(const struct names *names)
{
    struct usage_parts parts = {.count = 0};
    parts.parts = calloc(names->map.count + 1, sizeof(*parts.parts));
    CHECK(parts.parts != NULL);
    for (size_t i = 0; i < names->map.capacity; i++) {
        const struct label_entry *e = &names->map.entries[i];
        if (e->key != NULL)
            parts.parts[parts.count++] = (struct usage_part){
                .name = copy_of(str_make(e->key, e->key_n)), .requests = *(uint64_t *)e->value};
    }
    qsort(parts.parts, parts.count, sizeof(*parts.parts), compare_parts);
    return parts;
}

static void parts_finish(struct usage_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        free((char *)parts->parts[i].name.p);
    free(parts->parts);
    *parts = (struct usage_parts){.count = 0};
}

/* ---- a series ---- */

struct slot {
    struct usage_point point;
    struct hist duration;
};

struct series {
    struct wall begin;
    int64_t unit_us;
    size_t slot_count;
    struct slot *slots; /* one a unit of the time */
    struct slot totals;
    struct names reasons, apis, keys;
};

/* The slot of a unit; the tables give none outside of the time asked for. */
static struct slot *slot_of(struct series *series, struct wall begin)
{
    size_t i = (size_t)((begin.us - series->begin.us) / series->unit_us);
    CHECK(i < series->slot_count);
    return &series->slots[i];
}

static void count_cell(struct usage_point *point, const struct apps_cell *cell)
{
    point->requests += cell->requests;
    point->bytes_in += cell->bytes_in;
    point->bytes_out += cell->bytes_out;
    switch (outcome_of(cell->status, reason_find(cell->reason))) {
    case OUTCOME_ANSWERED:
        break;
    case OUTCOME_REFUSED:
        point->refused += cell->requests;
        break;
    case OUTCOME_ERROR:
        point->errors += cell->requests;
        break;
    case OUTCOME_GONE:
        point->gone += cell->requests;
        break;
    }
}

static int add_cell(void *ctx, const struct apps_cell *cell)
{
    struct series *series = ctx;
    struct slot *slot = slot_of(series, cell->begin);
    count_cell(&slot->point, cell);
    count_cell(&series->totals.point, cell);
    *(uint64_t *)get_named(&series->reasons, cell->reason, sizeof(uint64_t)) += cell->requests;
    *(uint64_t *)get_named(&series->apis, cell->api, sizeof(uint64_t)) += cell->requests;
    return hist_decode_add(&slot->duration, cell->duration);
}

static void add_metered(void *ctx, const struct metered_cell *cell)
{
    struct series *series = ctx;
    slot_of(series, cell->begin)->point.metered += cell->requests;
    series->totals.point.metered += cell->requests;
    if (cell->key.n > 0)
        *(uint64_t *)get_named(&series->keys, cell->key, sizeof(uint64_t)) += cell->requests;
}

static void finish_point(struct slot *slot)
{
    slot->point.p50_us = hist_quantile(&slot->duration, 0.50);
    slot->point.p95_us = hist_quantile(&slot->duration, 0.95);
    slot->point.p99_us = hist_quantile(&slot->duration, 0.99);
}

static void take_points(struct series *series, struct app_usage *usage)
{
    usage->points = calloc(series->slot_count, sizeof(*usage->points));
    CHECK(usage->points != NULL);
    for (size_t i = 0; i < series->slot_count; i++) {
        struct slot *slot = &series->slots[i];
        if (slot->point.requests == 0 && slot->point.metered == 0)
            continue;
        slot->point.begin.us = series->begin.us + (int64_t)i * series->unit_us;
        hist_merge(&series->totals.duration, &slot->duration);
        finish_point(slot);
        usage->points[usage->point_count++] = slot->point;
    }
    series->totals.point.begin = series->begin;
    finish_point(&series->totals);
    usage->totals = series->totals.point;
}

static void series_finish(struct series *series)
{
    for (size_t i = 0; i < series->slot_count; i++)
        hist_finish(&series->slots[i].duration);
    free(series->slots);
    hist_finish(&series->totals.duration);
    names_finish(&series->reasons);
    names_finish(&series->apis);
    names_finish(&series->keys);
}

/* ---- the questions ---- */

static int64_t unit_length(enum level unit)
{
    static const int64_t lengths[LEVEL_COUNT] = {US_PER_MINUTE, US_PER_HOUR, US_PER_DAY};
    return lengths[unit];
}

/* The time asked for in whole units. */
static int make_select(const struct usage_ask *ask, struct apps_select *ret_select,
                       struct error *err)
{
    int64_t unit = unit_length(ask->unit);
    struct wall since = {.us = ask->since.us > 0 ? ask->since.us : 0};
    struct wall until = ask->until.us > 0 ? ask->until : clock_wall();
    struct apps_select select = {
        .app = ask->app, .level = ask->unit, .begin = level_begin(ask->unit, since)};
    /* the unit that `until` lies in belongs to it, unless it only begins there */
    select.end = level_begin(ask->unit, until);
    if (select.end.us < until.us)
        select.end.us += unit;
    if (select.end.us <= select.begin.us)
        return error_set(err, E_INVALID, "the time asked for ends before it begins");
    if ((select.end.us - select.begin.us) / unit > USAGE_POINTS_MAX)
        return error_set(err, E_INVALID,
                         "the time asked for has more than %d units of a %s: ask for less of it, "
                         "or in larger units",
                         USAGE_POINTS_MAX, level_name(ask->unit));
    *ret_select = select;
    return 0;
}

static int read_series(struct db *totals, const struct apps_select *select, struct series *series,
                       struct wall *ret_first, struct error *err)
{
    int r = store_apps_read(totals, select, add_cell, series, err);
    if (r == E_CORRUPT && (err == NULL || err->text[0] == '\0'))
        r = error_set(err, r, "%s: a histogram of a %s is damaged", db_path(totals),
                      level_name(select->level));
    if (r == 0)
        r = store_metered_read(totals, select, add_metered, series, err);
    return r == 0 ? store_apps_first(totals, select, ret_first, err) : r;
}

int query_app_usage(struct query *query, const struct usage_ask *ask, struct app_usage *ret_usage,
                    struct error *err)
{
    struct db *totals = store_totals(query->store);
    struct apps_select select;
    int r = make_select(ask, &select, err);
    if (r != 0)
        return r;
    struct app_usage usage = {.begin = select.begin, .end = select.end};
    struct series series = {.begin = select.begin, .unit_us = unit_length(ask->unit)};
    series.slot_count = (size_t)((select.end.us - select.begin.us) / series.unit_us);
    series.slots = calloc(series.slot_count, sizeof(*series.slots));
    CHECK(series.slots != NULL);
    db_set_deadline(totals, query_deadline(query));
    r = read_series(totals, &select, &series, &usage.first, err);
    db_set_deadline(totals, MONO_NEVER);
    if (r == 0) {
        take_points(&series, &usage);
        usage.reasons = take_parts(&series.reasons);
        usage.apis = take_parts(&series.apis);
        usage.keys = take_parts(&series.keys);
        *ret_usage = usage;
    }
    series_finish(&series);
    return r;
}

void app_usage_finish(struct app_usage *usage)
{
    free(usage->points);
    parts_finish(&usage->reasons);
    parts_finish(&usage->apis);
    parts_finish(&usage->keys);
    *usage = (struct app_usage){.points = NULL};
}

static int add_app(void *ctx, const struct apps_cell *cell)
{
    struct names *names = ctx;
    count_cell(get_named(names, cell->app, sizeof(struct usage_point)), cell);
    return 0;
}

static int compare_tops(const void *a, const void *b)
{
    const struct top_app *x = a, *y = b;
    return compare_counts(x->requests, y->requests, x->app, y->app);
}

static int visit_tops(const struct names *names, unsigned max, top_visit *visit, void *ctx)
{
    struct top_app *tops = calloc(names->map.count + 1, sizeof(*tops));
    size_t count = 0;
    int r = 0;
    CHECK(tops != NULL);
    for (size_t i = 0; i < names->map.capacity; i++) {
        const struct label_entry *e = &names->map.entries[i];
        if (e->key == NULL)
            continue;
        const struct usage_point *sum = e->value;
        tops[count++] = (struct top_app){.app = str_make(e->key, e->key_n),
                                         .requests = sum->requests,
                                         .errors = sum->errors,
                                         .refused = sum->refused,
                                         .gone = sum->gone,
                                         .bytes_in = sum->bytes_in,
                                         .bytes_out = sum->bytes_out};
    }
    qsort(tops, count, sizeof(*tops), compare_tops);
    for (size_t i = 0; i < count && i < max && r == 0; i++)
        r = visit(ctx, &tops[i]);
    free(tops);
    return r;
}

int query_top_apps(struct query *query, const struct usage_ask *ask, unsigned max, top_visit *visit,
                   void *ctx, struct error *err)
{
    struct db *totals = store_totals(query->store);
    struct apps_select select;
    struct names names = {.map = {.entries = NULL}};
    int r = make_select(ask, &select, err);
    if (r != 0)
        return r;
    db_set_deadline(totals, query_deadline(query));
    r = store_apps_sum(totals, &select, add_app, &names, err);
    db_set_deadline(totals, MONO_NEVER);
    if (r == 0)
        r = visit_tops(&names, max, visit, ctx);
    names_finish(&names);
    return r;
}

int query_keys_used(struct query *query, const struct str *kids, size_t count,
                    struct key_last *ret_uses, struct error *err)
{
    struct db *totals = store_totals(query->store);
    int r = 0;
    db_set_deadline(totals, query_deadline(query));
    for (size_t i = 0; i < count && r == 0; i++)
        r = store_key_use_get(totals, kids[i], &ret_uses[i].time, &ret_uses[i].ip, err);
    db_set_deadline(totals, MONO_NEVER);
    return r;
}
