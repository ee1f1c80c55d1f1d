/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/epoch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static _Atomic unsigned frees;

static void count_free(void *ptr)
{
    (void)ptr;
    atomic_fetch_add(&frees, 1);
}

static int things[64];

static void frees_at_once_what_no_request_can_see(void **state)
{
    (void)state;
    struct epoch *epoch = epoch_create(2);
    atomic_store(&frees, 0);
    epoch_retire(epoch, &things[0], count_free);
    assert_int_equal(atomic_load(&frees), 1);
    epoch_retire(epoch, NULL, count_free);
    assert_int_equal(atomic_load(&frees), 1);
    epoch_destroy(epoch);
    assert_int_equal(atomic_load(&frees), 1);
}

static void keeps_what_an_open_request_could_have_loaded(void **state)
{
    (void)state;
    struct epoch *epoch = epoch_create(2);
    atomic_store(&frees, 0);
    unsigned old = epoch_enter(epoch, 0);
    epoch_retire(epoch, &things[0], count_free);
    epoch_collect(epoch);
    assert_int_equal(atomic_load(&frees), 0);

    /* a request that begins later does not keep it */
    unsigned young = epoch_enter(epoch, 1);
    epoch_leave(epoch, 0, old);
    epoch_collect(epoch);
    assert_int_equal(atomic_load(&frees), 1);

    epoch_leave(epoch, 1, young);
    epoch_destroy(epoch);
}

static void a_long_request_holds_back_memory_and_no_change(void **state)
{
    (void)state;
    struct epoch *epoch = epoch_create(1);
    atomic_store(&frees, 0);
    unsigned stream = epoch_enter(epoch, 0);
    for (unsigned i = 0; i < 1000; i++) {
        unsigned token = epoch_enter(epoch, 0);
        epoch_retire(epoch, &things[i % ARRAY_LEN(things)], count_free);
        epoch_leave(epoch, 0, token);
    }
    assert_int_equal(atomic_load(&frees), 0);
    epoch_leave(epoch, 0, stream);
    epoch_collect(epoch);
    epoch_collect(epoch);
    assert_int_equal(atomic_load(&frees), 1000);
    epoch_destroy(epoch);
}

static void overlapping_requests_never_starve_the_collector(void **state)
{
    (void)state;
    struct epoch *epoch = epoch_create(1);
    atomic_store(&frees, 0);
    /* at every moment some request is open, and each ends */
    unsigned before = epoch_enter(epoch, 0);
    for (unsigned i = 0; i < 1000; i++) {
        epoch_retire(epoch, &things[0], count_free);
        unsigned next = epoch_enter(epoch, 0);
        epoch_leave(epoch, 0, before);
        before = next;
    }
    assert_true(atomic_load(&frees) >= 990);
    epoch_leave(epoch, 0, before);
    epoch_destroy(epoch);
    assert_int_equal(atomic_load(&frees), 1000);
}

static void frees_the_rest_when_destroyed(void **state)
{
    (void)state;
    struct epoch *epoch = epoch_create(1);
    atomic_store(&frees, 0);
    unsigned token = epoch_enter(epoch, 0);
    for (unsigned i = 0; i < 40; i++)
        epoch_retire(epoch, &things[i], count_free);
    epoch_leave(epoch, 0, token);
    epoch_destroy(epoch);
    assert_int_equal(atomic_load(&frees), 40);
    epoch_destroy(NULL);
}

/*
 * Readers keep several requests open at once, as fibers do, and read what they loaded again just
 * before they leave; the changer overwrites the canary before it frees.
 */
#define READERS 3
#define OPEN_MAX 5
#define CANARY UINT64_C(0x5afe5afe5afe5afe)

struct cell {
    uint64_t canary;
    uint64_t generation;
};

struct stress {
    struct epoch *epoch;
    _Atomic(struct cell *) current;
    _Atomic bool stop;
    _Atomic unsigned bad, ready;
};

struct reader {
    struct stress *stress;
    unsigned slot;
};

static void poison_and_free(void *ptr)
{
    struct cell *cell = ptr;
    cell->canary = 0;
    free(cell);
}

static void *read_cells(void *arg)
{
    struct reader *reader = arg;
    struct stress *stress = reader->stress;
    struct {
        unsigned token;
        struct cell *cell;
        uint64_t generation;
    } open[OPEN_MAX];
    unsigned count = 0, turn = reader->slot;
    atomic_fetch_add(&stress->ready, 1);
    while (!atomic_load_explicit(&stress->stop, memory_order_relaxed)) {
        turn = turn * 1103515245 + 12345;
        if (count < OPEN_MAX && (turn >> 16) % 3 != 0) {
            open[count].token = epoch_enter(stress->epoch, reader->slot);
            struct cell *cell = atomic_load_explicit(&stress->current, memory_order_acquire);
            open[count].cell = cell;
            open[count].generation = cell->generation;
            count++;
        } else if (count > 0) {
            unsigned i = (turn >> 20) % count;
            if (open[i].cell->canary != CANARY || open[i].cell->generation != open[i].generation)
                atomic_fetch_add(&stress->bad, 1);
            epoch_leave(stress->epoch, reader->slot, open[i].token);
            open[i] = open[--count];
        }
    }
    while (count > 0)
        epoch_leave(stress->epoch, reader->slot, open[--count].token);
    return NULL;
}

static struct cell *make_cell(uint64_t generation)
{
    struct cell *cell = malloc(sizeof(*cell));
    assert_non_null(cell);
    *cell = (struct cell){.canary = CANARY, .generation = generation};
    return cell;
}

static void readers_never_see_freed_memory(void **state)
{
    (void)state;
    struct stress stress = {.epoch = epoch_create(READERS)};
    atomic_init(&stress.current, make_cell(0));
    struct reader readers[READERS];
    pthread_t threads[READERS];
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.stress = &stress, .slot = i};
        assert_int_equal(pthread_create(&threads[i], NULL, read_cells, &readers[i]), 0);
    }
    while (atomic_load(&stress.ready) < READERS)
        ;
    for (uint64_t g = 1; g <= 100000; g++) {
        struct cell *old =
            atomic_exchange_explicit(&stress.current, make_cell(g), memory_order_acq_rel);
        epoch_retire(stress.epoch, old, poison_and_free);
    }
    atomic_store(&stress.stop, true);
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&stress.bad), 0);
    epoch_destroy(stress.epoch);
    free(atomic_load(&stress.current));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frees_at_once_what_no_request_can_see),
        cmocka_unit_test(keeps_what_an_open_request_could_have_loaded),
        cmocka_unit_test(a_long_request_holds_back_memory_and_no_change),
        cmocka_unit_test(overlapping_requests_never_starve_the_collector),
        cmocka_unit_test(frees_the_rest_when_destroyed),
        cmocka_unit_test(readers_never_see_freed_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
