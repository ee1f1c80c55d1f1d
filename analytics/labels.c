/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/labels.h"

#include "analytics/record_wire.h"

#include <stdlib.h>

#define MAP_FIRST_CAPACITY 64

static const struct {
    const char *column, *label;
    struct str other;
} DIM_ROWS[DIM_COUNT] = {
    [DIM_NONE] = {"", "", STR_INIT("")},
    [DIM_API] = {"api", "api", STR_INIT("__other__")},
    [DIM_ROUTE] = {"route", "route", STR_INIT("__other__")},
    [DIM_METHOD] = {"method", "method", STR_INIT("__other__")},
    [DIM_STATUS] = {"status", "code", STR_INIT("0")},
    [DIM_REASON] = {"reason", "reason", STR_INIT("__other__")},
    [DIM_APP] = {"app", "app", STR_INIT("__other__")},
    [DIM_KEY] = {"key", "key", STR_INIT("__other__")},
    [DIM_PLAN] = {"plan", "plan", STR_INIT("__other__")},
    [DIM_UPSTREAM] = {"upstream", "upstream", STR_INIT("__other__")},
    [DIM_TARGET] = {"target", "target", STR_INIT("__other__")},
};

static const char *const MEASURE_COLUMNS[MEASURE_COUNT] = {
    [MEASURE_NONE] = "",
    [MEASURE_REQUESTS] = "requests",
    [MEASURE_FAILURES] = "failures",
    [MEASURE_COST] = "cost",
    [MEASURE_BYTES_IN] = "bytes_in",
    [MEASURE_BYTES_OUT] = "bytes_out",
    [MEASURE_DURATION] = "duration_us",
    [MEASURE_UPSTREAM] = "upstream_us",
    [MEASURE_GATEWAY] = "gateway_us",
};

const char *dim_column(enum dim dim)
{
    return DIM_ROWS[dim].column;
}

const char *dim_label(enum dim dim)
{
    return DIM_ROWS[dim].label;
}

const char *measure_column(enum measure measure)
{
    return MEASURE_COLUMNS[measure];
}

static bool upstream_asked(const struct record *record)
{
    return record->upstream.n > 0 && record->attempts > 0;
}

bool when_holds(enum when when, const struct record *record)
{
    switch (when) {
    case WHEN_ALWAYS:
        return true;
    case WHEN_METERED:
        return record->metered;
    case WHEN_APP:
        return record->app.n > 0;
    case WHEN_UPSTREAM:
        return upstream_asked(record);
    }
    return false;
}

static bool upstream_failed(const struct record *record)
{
    return record->reason == REASON_UPSTREAM_CONNECT || record->reason == REASON_UPSTREAM_RESET ||
           record->reason == REASON_UPSTREAM_INVALID || record->reason == REASON_UPSTREAM_TIMEOUT ||
           (record->reason == REASON_NONE && record->status >= 500);
}

/* The limits of one plan all take the same from a call; a limit that takes less is not the price.
 */
static uint64_t cost_of(const struct record *record)
{
    uint64_t cost = record->quota_count > 0 ? 0 : 1;
    for (unsigned i = 0; i < record->quota_count; i++) {
        if (record->quotas[i].cost > cost)
            cost = record->quotas[i].cost;
    }
    return cost;
}

bool measure_of(enum measure measure, const struct record *record, uint64_t *ret_value)
{
    switch (measure) {
    case MEASURE_REQUESTS:
        *ret_value = 1;
        return true;
    case MEASURE_FAILURES:
        *ret_value = upstream_failed(record);
        return true;
    case MEASURE_COST:
        *ret_value = cost_of(record);
        return true;
    case MEASURE_BYTES_IN:
        *ret_value = record->bytes_in;
        return true;
    case MEASURE_BYTES_OUT:
        *ret_value = record->bytes_out;
        return true;
    case MEASURE_DURATION:
        *ret_value = record->duration_us;
        return true;
    case MEASURE_UPSTREAM:
        *ret_value = record->upstream_us;
        return upstream_asked(record);
    case MEASURE_GATEWAY:
        *ret_value = record->duration_us > record->upstream_us
                         ? record->duration_us - record->upstream_us
                         : 0;
        return true;
    case MEASURE_NONE:
    case MEASURE_COUNT:
        break;
    }
    return false;
}

/* The value of a dimension; `scratch` is for one that is not text in the record. */
static struct str dim_text(enum dim dim, const struct record *record, char scratch[static 16])
{
    struct buf number;
    switch (dim) {
    case DIM_API:
        return record->api;
    case DIM_ROUTE:
        return record->route;
    case DIM_METHOD:
        return http_method_name(record->method);
    case DIM_STATUS:
        buf_init_fixed(&number, scratch, 16);
        buf_add_u64(&number, record->status);
        return buf_str(&number);
    case DIM_REASON:
        return reason_row(record->reason)->code;
    case DIM_APP:
        return record->app;
    case DIM_KEY:
        return record->key;
    case DIM_PLAN:
        return record->plan;
    case DIM_UPSTREAM:
        return record->upstream;
    case DIM_TARGET:
        return record->target;
    case DIM_NONE:
    case DIM_COUNT:
        break;
    }
    return STR_EMPTY;
}

static void add_value(struct labels *labels, unsigned index, struct str value)
{
    if (index > 0)
        labels->bytes[labels->n++] = LABELS_SEPARATOR;
    value = record_cut_text(value, LABEL_MAX);
    for (size_t i = 0; i < value.n; i++) {
        /* names cannot hold the separator, but a key that could be taken apart in two ways would
         * be a wrong bill */
        char c = value.p[i];
        labels->bytes[labels->n++] = c == LABELS_SEPARATOR ? '?' : c;
    }
}

void labels_of(const enum dim *dims, const struct record *record, struct labels *ret_labels)
{
    ret_labels->n = 0;
    for (unsigned i = 0; i < DIMS_MAX && dims[i] != DIM_NONE; i++) {
        char scratch[16];
        add_value(ret_labels, i, dim_text(dims[i], record, scratch));
    }
}

void labels_other(const enum dim *dims, struct labels *ret_labels)
{
    ret_labels->n = 0;
    for (unsigned i = 0; i < DIMS_MAX && dims[i] != DIM_NONE; i++)
        add_value(ret_labels, i, DIM_ROWS[dims[i]].other);
}

unsigned labels_split(struct str joined, struct str values[static DIMS_MAX])
{
    unsigned n = 0;
    while (n < DIMS_MAX && joined.p != NULL)
        values[n++] = str_cut(&joined, LABELS_SEPARATOR);
    return n;
}

/* The entry of the key, or the free one where it belongs. */
static struct label_entry *slot(const struct label_map *map, struct str key, uint64_t hash)
{
    for (size_t i = hash;; i++) {
        struct label_entry *e = &map->entries[i & (map->capacity - 1)];
        if (e->key == NULL || (e->hash == hash && str_eq(str_make(e->key, e->key_n), key)))
            return e;
    }
}

void *label_map_find(const struct label_map *map, struct str labels)
{
    if (map->capacity == 0)
        return NULL;
    struct label_entry *e = slot(map, labels, str_hash(labels));
    return e->key != NULL ? e->value : NULL;
}

/* Places the kept entries of `old` in a table of `capacity`. */
static void rebuild(struct label_map *map, size_t capacity)
{
    struct label_map old = *map;
    map->capacity = capacity;
    map->entries = calloc(capacity, sizeof(*map->entries));
    CHECK(map->entries != NULL);
    for (size_t i = 0; i < old.capacity; i++) {
        struct label_entry *e = &old.entries[i];
        if (e->key != NULL)
            *slot(map, str_make(e->key, e->key_n), e->hash) = *e;
    }
    free(old.entries);
}

void label_map_add(struct label_map *map, struct str labels, void *value)
{
    if (4 * (map->count + 1) > 3 * map->capacity)
        rebuild(map, map->capacity > 0 ? 2 * map->capacity : MAP_FIRST_CAPACITY);
    uint64_t hash = str_hash(labels);
    struct label_entry *e = slot(map, labels, hash);
    CHECK(e->key == NULL);
    /* one byte more, so that the empty set has a key that is not NULL */
    *e = (struct label_entry){
        .hash = hash, .key = malloc(labels.n + 1), .key_n = labels.n, .value = value};
    CHECK(e->key != NULL);
    if (labels.n > 0)
        memcpy(e->key, labels.p, labels.n);
    map->count++;
}

void label_map_filter(struct label_map *map, bool (*keep)(void *ctx, void *value), void *ctx)
{
    size_t before = map->count;
    for (size_t i = 0; i < map->capacity; i++) {
        struct label_entry *e = &map->entries[i];
        if (e->key != NULL && (keep == NULL || !keep(ctx, e->value))) {
            free(e->key);
            e->key = NULL;
            map->count--;
        }
    }
    /* a hole would end the search for what was placed behind it */
    if (map->count < before)
        rebuild(map, map->capacity);
}

void label_map_finish(struct label_map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        free(map->entries[i].key);
    free(map->entries);
    *map = (struct label_map){.entries = NULL};
}
