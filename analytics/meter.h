/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter.h -- numbers that each carrier keeps for itself and a scrape adds up.
 *
 * What counts completed calls is counted from the records (metric_cells.h). Here is what no record
 * tells: what is in flight now, what was tried in vain. The METER rows of metrics.def declare them.
 *
 * A metric with a label has a slot for each value of it, the same on every carrier and for as long
 * as the process lives; slots are given out while the configuration is loaded. Slot 0 stands for
 * whatever came when they had run out, and is shown as `__other__`.
 *
 * Threads: a struct meter is changed by its carrier only; any thread may read. meter_slot() by one
 *          thread at a time.
 * Memory:  fixed: all carriers' meters with all slots, some KiB each.
 * Errors:  none.
 */
#ifndef ANALYTICS_METER_H
#define ANALYTICS_METER_H

#include "base/compiler.h"
#include "base/str.h"

#include <stdatomic.h>

#define METER_SLOTS_MAX 1024 /* names of one kind, `__other__` included */

/* What the slots of a meter stand for. */
enum meter_names { METER_ALONE, METER_OF_APIS, METER_OF_UPSTREAMS, METER_NAMES_COUNT };

#define METER_SLOTS_METER_ALONE 1
#define METER_SLOTS_METER_OF_APIS METER_SLOTS_MAX
#define METER_SLOTS_METER_OF_UPSTREAMS METER_SLOTS_MAX

/* METER_X is the place of metric X's slot 0. */
enum meter_id {
#define CELL(...)
#define GIVEN(...)
#define METER(NAME, name, type, unit, names, labels, help)                                         \
    METER_##NAME, METER_##NAME##_LAST_ = METER_##NAME + METER_SLOTS_##names - 1,
#include "analytics/metrics.def"
#undef CELL
#undef GIVEN
#undef METER
    METER_PLACES
};

struct meter {
    cache_aligned _Atomic int64_t values[METER_PLACES]; /* atomic, relaxed; stored by its carrier */
};

/* Adds to a meter's slot: of an API, of an upstream, 0 of one that stands alone. */
static inline void meter_add(struct meter *meter, enum meter_id id, unsigned slot, int64_t delta)
{
    _Atomic int64_t *value = &meter->values[(unsigned)id + slot];
    /* one thread writes: no read-modify-write that would lock the line */
    atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + delta,
                          memory_order_relaxed);
}

struct meters;

/* For `carriers` carriers. */
struct meters *meters_create(unsigned carriers);
void meters_destroy(struct meters *meters); /* NULL is accepted */

/* The meter of carrier `index`. */
struct meter *meters_get(struct meters *meters, unsigned index);

/* The slot of a name: the one it has had all along, a new one, or 0 where there are no more. */
unsigned meter_slot(struct meters *meters, enum meter_names names, struct str name);

/* The sum over all carriers. */
int64_t meters_sum(const struct meters *meters, enum meter_id id, unsigned slot);

/* How many slots are given out, slot 0 included, and the name of one. Any thread. */
unsigned meters_slot_count(const struct meters *meters, enum meter_names names);
struct str meters_slot_name(const struct meters *meters, enum meter_names names, unsigned slot);

#endif
