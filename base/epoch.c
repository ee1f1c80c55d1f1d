/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How it is built. A global epoch number E grows. Each slot has RING counters of open requests, the
 * one of epoch e at e % RING, written by the slot's thread alone: entering and leaving touch no
 * line that another thread writes. What is retired goes into the bag of the current epoch; the bag
 * of epoch c is emptied when E > c and no slot counts a request of an epoch <= c. E moves to n only
 * when epoch n - RING is empty everywhere, so a counter never speaks of two epochs; while it cannot
 * move, what is retired gathers in the current bag, which would have to wait for the same old
 * request anyway.
 *
 * Why it is right. Let an object X be unlinked (U), then retired in epoch c; the changer stores E =
 * c + 1 (G, seq_cst) and afterwards reads the counters (S, seq_cst). A request stores its counter
 * for e (W, seq_cst), then reads E again (L, seq_cst) and goes on only if it is still e. In the one
 * total order of these four:
 *   - W before S: S sees the request counted (or its leave, which is a release store: all its uses
 * of X happened before the free). Counted with e <= c it keeps X. With e > c, L read G or a later
 * store, so U happened before whatever the request loads: it cannot find X.
 *   - S before W: then G, S, W, L in this order, so L sees G or later, e > c, and again it cannot
 * find X. Where the slot counts a request of e already, the counter is not 0 before, during and
 * after the step, so a plain release store will do: S sees the epoch in use whichever value it
 * reads. A reader that is slow between reading E and W, and so writes into a counter that meanwhile
 * belongs to another epoch, finds at L that E moved, and takes it back: that can delay a free,
 * never hasten one.
 */
#include "base/epoch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#define RING 16 /* epochs in flight; as many counters as fill a line */

struct slot {
    cache_aligned _Atomic uint32_t open[RING]; /* atomic, written by the slot's thread */
};

_Static_assert(sizeof(struct slot) == CACHE_LINE, "a slot is one line");

struct retired {
    void *ptr;
    void (*free_fn)(void *ptr);
};

struct bag {
    struct retired *items;
    size_t count, cap;
};

struct epoch {
    cache_aligned _Atomic uint64_t
        now; /* atomic, written under mtx; read by all, so alone on its line */
    cache_aligned pthread_mutex_t mtx;
    uint64_t oldest;       /* guarded by mtx; the first epoch whose bag may hold something */
    struct bag bags[RING]; /* guarded by mtx; only those of oldest..now hold anything */
    unsigned slot_count;   /* const after init */
    struct slot slots[];
};

struct epoch *epoch_create(unsigned slots)
{
    CHECK(slots > 0);
    size_t size = sizeof(struct epoch) + slots * sizeof(struct slot);
    struct epoch *epoch = aligned_alloc(CACHE_LINE, size);
    CHECK(epoch != NULL);
    atomic_init(&epoch->now, RING);
    CHECK(pthread_mutex_init(&epoch->mtx, NULL) == 0);
    epoch->oldest = RING;
    epoch->slot_count = slots;
    for (unsigned i = 0; i < RING; i++)
        epoch->bags[i] = (struct bag){.count = 0};
    for (unsigned s = 0; s < slots; s++)
        for (unsigned i = 0; i < RING; i++)
            atomic_init(&epoch->slots[s].open[i], 0);
    return epoch;
}

static void bag_empty(struct bag *bag)
{
    for (size_t i = 0; i < bag->count; i++)
        bag->items[i].free_fn(bag->items[i].ptr);
    free(bag->items);
    *bag = (struct bag){.count = 0};
}

void epoch_destroy(struct epoch *epoch)
{
    if (epoch == NULL)
        return;
    for (unsigned i = 0; i < RING; i++) {
        for (unsigned s = 0; s < epoch->slot_count; s++)
            CHECK(atomic_load_explicit(&epoch->slots[s].open[i], memory_order_acquire) == 0);
        bag_empty(&epoch->bags[i]);
    }
    pthread_mutex_destroy(&epoch->mtx);
    free(epoch);
}

unsigned epoch_enter(struct epoch *epoch, unsigned slot)
{
    CHECK(slot < epoch->slot_count);
    for (;;) {
        /* pairs with the store in advance(): what was unlinked before it is not found after this */
        uint64_t e = atomic_load_explicit(&epoch->now, memory_order_seq_cst);
        unsigned token = (unsigned)(e % RING);
        _Atomic uint32_t *open = &epoch->slots[slot].open[token];
        /* the slot's thread alone writes it, so a load and a store are as good as an increment */
        uint32_t n = atomic_load_explicit(open, memory_order_relaxed);
        if (n > 0) {
            atomic_store_explicit(open, n + 1, memory_order_release);
            return token;
        }
        atomic_store_explicit(open, 1, memory_order_seq_cst); /* W: pairs with in_use() */
        if (likely(atomic_load_explicit(&epoch->now, memory_order_seq_cst) == e)) /* L */
            return token;
        atomic_store_explicit(open, 0, memory_order_release);
    }
}

void epoch_leave(struct epoch *epoch, unsigned slot, unsigned token)
{
    CHECK(slot < epoch->slot_count && token < RING);
    _Atomic uint32_t *open = &epoch->slots[slot].open[token];
    uint32_t n = atomic_load_explicit(open, memory_order_relaxed);
    CHECK(n > 0);
    /* pairs with in_use(): every use of what was loaded comes before its free */
    atomic_store_explicit(open, n - 1, memory_order_release);
}

static bool in_use(struct epoch *epoch, uint64_t e)
{
    for (unsigned s = 0; s < epoch->slot_count; s++) {
        /* S: pairs with the stores of epoch_enter() and epoch_leave() */
        if (atomic_load_explicit(&epoch->slots[s].open[e % RING], memory_order_seq_cst) > 0)
            return true;
    }
    return false;
}

/*
 * Moves the current epoch on if it has something to free and the next counters are free to be used,
 * and hands the bags that nobody can see any more to `ret_free`. Returns their number. Holds mtx.
 */
static unsigned advance(struct epoch *epoch, struct bag ret_free[static RING])
{
    unsigned count = 0;
    uint64_t now = atomic_load_explicit(&epoch->now, memory_order_relaxed);
    if (epoch->bags[now % RING].count > 0 && now + 1 - epoch->oldest < RING &&
        !in_use(epoch, now + 1)) {
        now++;
        atomic_store_explicit(&epoch->now, now, memory_order_seq_cst); /* G */
    }
    while (epoch->oldest < now && !in_use(epoch, epoch->oldest)) {
        struct bag *bag = &epoch->bags[epoch->oldest % RING];
        if (bag->count > 0)
            ret_free[count++] = *bag;
        *bag = (struct bag){.count = 0};
        epoch->oldest++;
    }
    return count;
}

static void bag_add(struct bag *bag, struct retired item)
{
    if (bag->count == bag->cap) {
        bag->cap = bag->cap > 0 ? bag->cap * 2 : 8;
        struct retired *items = reallocarray(bag->items, bag->cap, sizeof(*items));
        CHECK(items != NULL);
        bag->items = items;
    }
    bag->items[bag->count++] = item;
}

/* Adds `item` if it holds anything, and frees what can be freed, without the lock. */
static void turn(struct epoch *epoch, struct retired item)
{
    struct bag bags[RING];
    CHECK(pthread_mutex_lock(&epoch->mtx) == 0);
    if (item.ptr != NULL) {
        uint64_t now = atomic_load_explicit(&epoch->now, memory_order_relaxed);
        bag_add(&epoch->bags[now % RING], item);
    }
    unsigned count = advance(epoch, bags);
    CHECK(pthread_mutex_unlock(&epoch->mtx) == 0);
    for (unsigned i = 0; i < count; i++)
        bag_empty(&bags[i]);
}

void epoch_retire(struct epoch *epoch, void *ptr, void (*free_fn)(void *ptr))
{
    if (ptr != NULL)
        turn(epoch, (struct retired){.ptr = ptr, .free_fn = free_fn});
}

void epoch_collect(struct epoch *epoch)
{
    turn(epoch, (struct retired){.ptr = NULL});
}
