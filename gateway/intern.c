/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/intern.h"

#include <stdlib.h>

#define FIRST_CAP 16

static uint32_t *make_slots(uint32_t size)
{
    uint32_t *slots = calloc(size, sizeof(*slots));
    CHECK(slots != NULL);
    for (uint32_t i = 0; i < size; i++)
        slots[i] = INTERN_NONE;
    return slots;
}

void intern_init(struct intern *in)
{
    *in = (struct intern){.mask = 2 * FIRST_CAP - 1};
    in->slots = make_slots(2 * FIRST_CAP);
}

void intern_finish(struct intern *in)
{
    for (uint32_t i = 0; i < in->count; i++)
        free((void *)(uintptr_t)in->names[i].p);
    free(in->names);
    free(in->hashes);
    free(in->slots);
    *in = (struct intern){.count = 0};
}

/* The slot that holds the name, or the empty one where it belongs. */
static uint32_t slot_of(const struct intern *in, struct str name, uint64_t hash)
{
    uint32_t slot = (uint32_t)hash & in->mask;
    for (; in->slots[slot] != INTERN_NONE; slot = (slot + 1) & in->mask) {
        uint32_t number = in->slots[slot];
        if (in->hashes[number] == hash && str_eq(in->names[number], name))
            break;
    }
    return slot;
}

static void grow(struct intern *in)
{
    uint32_t cap = in->cap > 0 ? in->cap * 2 : FIRST_CAP;
    CHECK(cap < INTERN_NONE / 4);
    in->names = reallocarray(in->names, cap, sizeof(*in->names));
    in->hashes = reallocarray(in->hashes, cap, sizeof(*in->hashes));
    CHECK(in->names != NULL && in->hashes != NULL);
    in->cap = cap;
    free(in->slots);
    in->mask = 2 * cap - 1;
    in->slots = make_slots(2 * cap);
    for (uint32_t i = 0; i < in->count; i++)
        in->slots[slot_of(in, in->names[i], in->hashes[i])] = i;
}

uint32_t intern_get(struct intern *in, struct str name)
{
    uint64_t hash = str_hash(name);
    uint32_t slot = slot_of(in, name, hash);
    if (in->slots[slot] != INTERN_NONE)
        return in->slots[slot];
    if (in->count == in->cap) {
        grow(in);
        slot = slot_of(in, name, hash);
    }
    char *copy = malloc(name.n + 1);
    CHECK(copy != NULL);
    str_copy(name, copy, name.n + 1);
    in->names[in->count] = str_make(copy, name.n);
    in->hashes[in->count] = hash;
    in->slots[slot] = in->count;
    return in->count++;
}

uint32_t intern_find(const struct intern *in, struct str name)
{
    return in->count > 0 ? in->slots[slot_of(in, name, str_hash(name))] : INTERN_NONE;
}
