/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/meter.h"

#include <stdlib.h>

struct slots {
    _Atomic unsigned count; /* atomic; release by meter_slot(), pairs with meters_slot_count() */
    struct str names[METER_SLOTS_MAX]; /* those below count never change */
};

struct meters {
    unsigned carriers; /* const after init */
    struct slots slots[METER_NAMES_COUNT];
    struct meter meter[];
};

struct meters *meters_create(unsigned carriers)
{
    size_t size = sizeof(struct meters) + carriers * sizeof(struct meter);
    struct meters *meters =
        aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1));
    CHECK(meters != NULL);
    memset(meters, 0, size);
    meters->carriers = carriers;
    for (unsigned i = 0; i < METER_NAMES_COUNT; i++) {
        meters->slots[i].names[0] = i == METER_ALONE ? STR_EMPTY : STR("__other__");
        atomic_init(&meters->slots[i].count, 1);
    }
    return meters;
}

void meters_destroy(struct meters *meters)
{
    if (meters == NULL)
        return;
    for (unsigned i = 0; i < METER_NAMES_COUNT; i++) {
        for (unsigned s = 1; s < meters->slots[i].count; s++)
            free((void *)(uintptr_t)meters->slots[i].names[s].p);
    }
    free(meters);
}

struct meter *meters_get(struct meters *meters, unsigned index)
{
    CHECK(index < meters->carriers);
    return &meters->meter[index];
}

unsigned meters_slot_count(const struct meters *meters, enum meter_names names)
{
    /* pairs with the release in meter_slot(): the names below are complete */
    return atomic_load_explicit(&meters->slots[names].count, memory_order_acquire);
}

struct str meters_slot_name(const struct meters *meters, enum meter_names names, unsigned slot)
{
    CHECK(slot < meters_slot_count(meters, names));
    return meters->slots[names].names[slot];
}

unsigned meter_slot(struct meters *meters, enum meter_names names, struct str name)
{
    struct slots *slots = &meters->slots[names];
    unsigned count = atomic_load_explicit(&slots->count, memory_order_relaxed);
    for (unsigned i = 1; i < count; i++) {
        if (str_eq(slots->names[i], name))
            return i;
    }
    if (names == METER_ALONE || count == METER_SLOTS_MAX)
        return 0;
    char *copy = malloc(name.n + 1);
    CHECK(copy != NULL);
    str_copy(name, copy, name.n + 1);
    slots->names[count] = str_make(copy, name.n);
    atomic_store_explicit(&slots->count, count + 1, memory_order_release);
    return count;
}

int64_t meters_sum(const struct meters *meters, enum meter_id id, unsigned slot)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < meters->carriers; i++)
        sum += atomic_load_explicit(&meters->meter[i].values[(unsigned)id + slot],
                                    memory_order_relaxed);
    return sum;
}
