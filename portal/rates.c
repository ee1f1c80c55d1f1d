/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/rates.h"

#include <pthread.h>
#include <stdlib.h>

#define STATUS_CLIENT_CLOSED 499 /* recorded, never sent: no refusal */

struct look {
    uint64_t requests, errors, refused;
    uint64_t buckets[CELL_BOUNDS_MAX + 1];
};

struct api_looks {
    struct look looks[RATES_LOOKS];
    size_t named; /* the round in which it was visited by name */
    char name[LABEL_MAX + 1];
};

struct rates {
    pthread_mutex_t mtx;
    /* all guarded by mtx */
    struct mono at[RATES_LOOKS]; /* when each look was taken */
    unsigned newest, count;
    uint64_t records;
    struct label_map by_name;
    struct api_looks **apis; /* every one of the map, in the order they were first seen */
    size_t api_count, api_cap;
    size_t round;
};

struct rates *rates_create(void)
{
    struct rates *rates = calloc(1, sizeof(*rates));
    CHECK(rates != NULL);
    pthread_mutex_init(&rates->mtx, NULL);
    return rates;
}

void rates_destroy(struct rates *rates)
{
    if (rates == NULL)
        return;
    for (size_t i = 0; i < rates->api_count; i++)
        free(rates->apis[i]);
    free(rates->apis);
    label_map_finish(&rates->by_name);
    pthread_mutex_destroy(&rates->mtx);
    free(rates);
}

static struct api_looks *get_api(struct rates *rates, struct str name)
{
    struct api_looks *api = label_map_find(&rates->by_name, name);
    if (api != NULL)
        return api;
    if (rates->api_count == rates->api_cap) {
        rates->api_cap = rates->api_cap > 0 ? 2 * rates->api_cap : 16;
        rates->apis = realloc(rates->apis, rates->api_cap * sizeof(*rates->apis));
        CHECK(rates->apis != NULL);
    }
    api = calloc(1, sizeof(*api));
    CHECK(api != NULL);
    str_copy(name, api->name, sizeof(api->name));
    label_map_add(&rates->by_name, name, api);
    rates->apis[rates->api_count++] = api;
    return api;
}

static struct str label_of(const struct metric_cell *cell, enum dim dim)
{
    for (unsigned i = 0; i < cell->label_count; i++) {
        if (cell->def->dims[i] == dim)
            return cell->labels[i];
    }
    return STR_EMPTY;
}

static void add_requests(struct look *look, const struct metric_cell *cell)
{
    uint64_t status;
    look->requests += cell->value;
    if (str_to_u64(label_of(cell, DIM_STATUS), 0, 999, &status) != 0)
        return;
    if (status >= 500)
        look->errors += cell->value;
    else if (status >= 400 && status != STATUS_CLIENT_CLOSED && label_of(cell, DIM_REASON).n > 0)
        look->refused += cell->value;
}

static void add_cell(void *ctx, const struct metric_cell *cell)
{
    struct rates *rates = ctx;
    if (cell->def == &CELL_DEFS[CELL_RECORDS_INDEX])
        rates->records += cell->value;
    bool durations = cell->def == &CELL_DEFS[CELL_DURATION_INDEX];
    if (!durations && cell->def != &CELL_DEFS[CELL_REQUESTS_INDEX])
        return;
    struct look *look = &get_api(rates, label_of(cell, DIM_API))->looks[rates->newest];
    if (!durations) {
        add_requests(look, cell);
        return;
    }
    for (unsigned i = 0; i <= cell_bound_count(cell->def); i++)
        look->buckets[i] += cell->buckets[i];
}

void rates_sample(struct rates *rates, struct mono now,
                  void (*visit_cells)(void *ctx, metric_cell_visit *visit, void *visit_ctx),
                  void *ctx)
{
    pthread_mutex_lock(&rates->mtx);
    rates->newest = (rates->newest + 1) % RATES_LOOKS;
    if (rates->count < RATES_LOOKS)
        rates->count++;
    rates->at[rates->newest] = now;
    rates->records = 0;
    for (size_t i = 0; i < rates->api_count; i++)
        rates->apis[i]->looks[rates->newest] = (struct look){.requests = 0};
    visit_cells(ctx, add_cell, rates);
    pthread_mutex_unlock(&rates->mtx);
}

/* Cells that a failed transaction took back may be behind an older look. */
static uint64_t gain(uint64_t newer, uint64_t older)
{
    return newer > older ? newer - older : 0;
}

/* Where the fraction q of what the buckets hold lies, straight within its bucket; above the last
 * bound, that bound. */
static double quantile_us(const uint64_t *buckets, double q)
{
    const struct cell_def *def = &CELL_DEFS[CELL_DURATION_INDEX];
    unsigned bounds = cell_bound_count(def);
    uint64_t total = 0, below = 0;
    for (unsigned i = 0; i <= bounds; i++)
        total += buckets[i];
    double rank = q * (double)total;
    for (unsigned i = 0; i < bounds && total > 0; i++) {
        double floor = i > 0 ? (double)def->bounds_us[i - 1] : 0;
        if (buckets[i] > 0 && (double)(below + buckets[i]) >= rank)
            return floor + ((double)def->bounds_us[i] - floor) * (rank - (double)below) /
                               (double)buckets[i];
        below += buckets[i];
    }
    return total > 0 ? (double)def->bounds_us[bounds - 1] : 0;
}

static struct rate rate_of(const struct rates *rates, const struct api_looks *api)
{
    unsigned oldest = (rates->newest + RATES_LOOKS + 1 - rates->count) % RATES_LOOKS;
    const struct look *a = &api->looks[oldest], *b = &api->looks[rates->newest];
    struct rate rate = {.api = str_from(api->name)};
    double seconds = (double)mono_since(rates->at[rates->newest], rates->at[oldest]) / US_PER_S;
    if (rates->count < 2 || seconds <= 0)
        return rate;
    uint64_t buckets[CELL_BOUNDS_MAX + 1];
    for (unsigned i = 0; i <= CELL_BOUNDS_MAX; i++)
        buckets[i] = gain(b->buckets[i], a->buckets[i]);
    rate.requests_per_s = (double)gain(b->requests, a->requests) / seconds;
    rate.errors_per_s = (double)gain(b->errors, a->errors) / seconds;
    rate.refused_per_s = (double)gain(b->refused, a->refused) / seconds;
    rate.p50_ms = quantile_us(buckets, 0.5) / US_PER_MS;
    rate.p99_ms = quantile_us(buckets, 0.99) / US_PER_MS;
    return rate;
}

void rates_visit(struct rates *rates, const struct str *names, size_t count, rate_visit *visit,
                 void *ctx)
{
    pthread_mutex_lock(&rates->mtx);
    rates->round++;
    for (size_t i = 0; i < count; i++) {
        struct api_looks *api = label_map_find(&rates->by_name, names[i]);
        struct rate rate = {.api = names[i]};
        if (api != NULL) {
            api->named = rates->round;
            rate = rate_of(rates, api);
        }
        visit(ctx, &rate);
    }
    for (size_t i = 0; i < rates->api_count; i++) {
        struct rate rate = rate_of(rates, rates->apis[i]);
        if (rates->apis[i]->named != rates->round && rate.requests_per_s > 0)
            visit(ctx, &rate);
    }
    pthread_mutex_unlock(&rates->mtx);
}

uint64_t rates_records(struct rates *rates)
{
    pthread_mutex_lock(&rates->mtx);
    uint64_t records = rates->records;
    pthread_mutex_unlock(&rates->mtx);
    return records;
}
