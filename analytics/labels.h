/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels.h -- the words of rollups.def: what of a record makes it count, where, and how much.
 *
 * A label set is the values of some dimensions, joined into one key. A map of label sets finds what
 * is kept for them; it is the writer's innermost loop.
 *
 * Threads: pure functions; a map belongs to one thread.
 * Memory:  a map owns its keys, not what is kept under them.
 * Errors:  none; running out of memory aborts (maps are bounded by their users).
 */
#ifndef ANALYTICS_LABELS_H
#define ANALYTICS_LABELS_H

#include "analytics/record.h"

enum dim {
    DIM_NONE, /* ends a list */
    DIM_API,
    DIM_ROUTE,
    DIM_METHOD,
    DIM_STATUS,
    DIM_REASON,
    DIM_APP,
    DIM_KEY,
    DIM_PLAN,
    DIM_UPSTREAM,
    DIM_TARGET,
    DIM_COUNT
};

enum measure {
    MEASURE_NONE,     /* ends a list */
    MEASURE_REQUESTS, /* 1 */
    MEASURE_FAILURES, /* 1 where the upstream failed: not reached, broken off, or its own 5xx */
    MEASURE_COST,     /* what the call took from the plan; 1 where no limit says otherwise */
    MEASURE_BYTES_IN,
    MEASURE_BYTES_OUT,
    MEASURE_DURATION, /* microseconds, as all times here */
    MEASURE_UPSTREAM, /* only where the upstream was asked */
    MEASURE_GATEWAY,  /* what Weir itself added: duration less the upstream's part */
    MEASURE_COUNT
};

enum when {
    WHEN_ALWAYS,
    WHEN_METERED,
    WHEN_APP, /* of a known app, refused ones too: with a key that was revoked, not an unknown one
               */
    WHEN_UPSTREAM
};

#define DIMS_MAX 5
#define LABEL_MAX 200                           /* bytes kept of one value */
#define LABELS_MAX (DIMS_MAX * (LABEL_MAX + 1)) /* bytes of a joined set */
#define LABELS_SEPARATOR '\x1f'                 /* of the values in a joined set */

/* Whether a record counts for a table of this kind. */
bool when_holds(enum when when, const struct record *record);

/* How much. False where the record says nothing about it. */
bool measure_of(enum measure measure, const struct record *record, uint64_t *ret_value);

/* The names of a dimension as a column and as a label of Prometheus; of a measure as a column. */
const char *dim_column(enum dim dim);
const char *dim_label(enum dim dim);
const char *measure_column(enum measure measure);

struct labels {
    size_t n;
    char bytes[LABELS_MAX];
};

/* The values of the record for `dims` (ended by DIM_NONE or DIMS_MAX long), joined. */
void labels_of(const enum dim *dims, const struct record *record, struct labels *ret_labels);

/* The set that stands for all beyond the bound: `__other__` everywhere (0 for a status). */
void labels_other(const enum dim *dims, struct labels *ret_labels);

static inline struct str labels_str(const struct labels *labels)
{
    return str_make(labels->bytes, labels->n);
}

/* Takes a joined set apart; returns how many values there are, at most DIMS_MAX. */
unsigned labels_split(struct str joined, struct str values[static DIMS_MAX]);

struct label_map {
    struct label_entry *entries; /* open addressing; a power of two, or none yet */
    size_t capacity, count;
};

struct label_entry {
    uint64_t hash;
    char *key; /* NULL where the entry is free */
    size_t key_n;
    void *value;
};

/* What is kept under the set; NULL where there is none. */
void *label_map_find(const struct label_map *map, struct str labels);

/* Adds a set that is not there. */
void label_map_add(struct label_map *map, struct str labels, void *value);

/*
 * Goes through the map and drops what `keep` says false for, which then is its own to free. With
 * keep NULL everything is dropped.
 */
void label_map_filter(struct label_map *map, bool (*keep)(void *ctx, void *value), void *ctx);

/* Frees the map, not the values. */
void label_map_finish(struct label_map *map);

#endif
