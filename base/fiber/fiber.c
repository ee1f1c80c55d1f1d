/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fiber/fiber.h"

#include "base/fiber/carrier.h"
#include "base/fiber/stack.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

/* System calls that move bytes; each takes some microseconds, so a turn is well under one
 * millisecond. */
#define CALLS_A_TURN 32

/* The first and last frames of every fiber. */
static void fiber_entry(void)
{
    struct fiber *f = fiber_current;
    context_entered(&f->carrier->context);
    f->result = f->fn(f->arg);
    f->state = FIBER_ENDED;
    context_switch(&f->context, &f->carrier->context, true);
    CHECK(!"an ended fiber runs again");
}

struct fiber *fiber_start(struct carriers *carriers, unsigned index, void *(*fn)(void *), void *arg)
{
    CHECK(index < carriers->count);
    struct fiber *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return NULL;
    f->carrier = &carriers->carrier[index];
    f->fn = fn;
    f->arg = arg;
    f->wake_fd = -1;
    f->state = FIBER_WAITING;
    f->deadline = MONO_NEVER;
    if (carriers->real_threads) {
        if (real_thread_start(f) == 0)
            return f;
        free(f);
        return NULL;
    }
    f->stack = stack_create();
    if (f->stack == NULL) {
        free(f);
        return NULL;
    }
    context_make(&f->context, f->stack, FIBER_STACK_BYTES, fiber_entry);
    atomic_fetch_add_explicit(&f->carrier->fibers, 1, memory_order_relaxed);
    carrier_post(f);
    return f;
}

void fiber_announce_end(struct fiber *fiber)
{
    struct carriers *all = fiber->carrier->carriers;
    /*
     * A post under way could still touch the fiber after it is freed. Its poster holds a pointer it
     * was given before the end, and joins are made by the same owner after its last use: see
     * fiber_join().
     */
    pthread_mutex_lock(&all->join_mtx);
    fiber->ended = true;
    struct fiber *joiner = fiber->joiner;
    pthread_cond_broadcast(&all->join_cond);
    if (joiner != NULL)
        fiber_unpark(joiner);
    pthread_mutex_unlock(&all->join_mtx);
}

void *fiber_join(struct fiber *fiber)
{
    struct carriers *all = fiber->carrier->carriers;
    struct fiber *self = fiber_current;
    CHECK(fiber != self);
    pthread_mutex_lock(&all->join_mtx);
    if (self == NULL) {
        while (!fiber->ended)
            pthread_cond_wait(&all->join_cond, &all->join_mtx);
    } else {
        fiber->joiner = self;
        while (!fiber->ended) {
            pthread_mutex_unlock(&all->join_mtx);
            fiber_park_always();
            pthread_mutex_lock(&all->join_mtx);
        }
    }
    pthread_mutex_unlock(&all->join_mtx);
    if (all->real_threads) {
        pthread_join(fiber->thread, NULL);
        close(fiber->wake_fd);
    }
    /* an unpark may have come while it ended: the carrier must have let go of it */
    while (atomic_load(&fiber->in_inbox)) {
        carrier_wake(fiber->carrier);
        fiber_yield();
        sched_yield();
    }
    void *result = fiber->result;
    free(fiber);
    return result;
}

void fiber_cancel(struct fiber *fiber)
{
    atomic_store_explicit(&fiber->canceled, true, memory_order_release);
    fiber_unpark(fiber);
}

bool fiber_canceled(void)
{
    return fiber_current != NULL &&
           atomic_load_explicit(&fiber_current->canceled, memory_order_acquire);
}

struct fiber *fiber_self(void)
{
    return fiber_current;
}

unsigned fiber_carrier_index(void)
{
    return fiber_current != NULL ? fiber_current->carrier->index : 0;
}

struct mono fiber_turn_began(void)
{
    struct fiber *f = fiber_current;
    if (f == NULL || f->carrier->carriers->real_threads)
        return clock_mono();
    return f->carrier->turn_began;
}

/* Suspends the calling fiber until it is made runnable. */
static void switch_away(struct fiber *f)
{
    f->calls = 0;
    context_switch(&f->context, &f->carrier->context, false);
}

void fiber_yield(void)
{
    struct fiber *f = fiber_current;
    if (f == NULL)
        return;
    if (f->carrier->carriers->real_threads) {
        pthread_mutex_unlock(&f->carrier->turn);
        pthread_mutex_lock(&f->carrier->turn);
        fiber_current = f;
        return;
    }
    f->state = FIBER_WAITING;
    carrier_make_runnable(f);
    switch_away(f);
}

void fiber_breathe(void)
{
    struct fiber *f = fiber_current;
    if (f == NULL || f->calls < CALLS_A_TURN)
        return;
    f->calls = 0;
    fiber_yield();
}

/* One sleep until an unpark or the deadline; 0 or E_TIMEOUT. */
static int park(struct fiber *f, struct mono deadline)
{
    if (f->carrier->carriers->real_threads)
        return real_thread_wait(f, NULL, 0, deadline);
    if (f->token) {
        f->token = false;
        return 0;
    }
    f->state = FIBER_WAITING;
    f->deadline = deadline;
    f->timed_out = false;
    if (deadline.us != INT64_MAX && (f->timer.place == 0 || f->timer.at.us > deadline.us))
        timers_set(&f->carrier->timers, &f->timer, deadline);
    switch_away(f);
    return f->timed_out ? E_TIMEOUT : 0;
}

int fiber_park(struct mono deadline)
{
    struct fiber *f = fiber_current;
    CHECK(f != NULL);
    if (fiber_canceled())
        return E_CANCELED;
    int r = park(f, deadline);
    return fiber_canceled() ? E_CANCELED : r;
}

void fiber_park_always(void)
{
    CHECK(fiber_current != NULL);
    int r = park(fiber_current, MONO_NEVER);
    (void)r;
}

void fiber_unpark(struct fiber *fiber)
{
    if (fiber->carrier->carriers->real_threads) {
        uint64_t one = 1;
        ssize_t n = write(fiber->wake_fd, &one, sizeof(one));
        (void)n; /* a full counter wakes as well */
        return;
    }
    carrier_post(fiber);
}

int fiber_sleep(struct mono until)
{
    if (fiber_current == NULL)
        return wait_by_poll(NULL, 0, -1, until) == E_TIMEOUT ? 0 : E_IO;
    for (;;) {
        int r = fiber_park(until);
        if (r == E_TIMEOUT)
            return 0;
        if (r != 0)
            return r;
    }
}

void fiber_trim_stack(void)
{
    struct fiber *f = fiber_current;
    if (f == NULL || f->stack == NULL)
        return;
    /* what is below this frame, less a page for the calls that come next */
    const char *here = __builtin_frame_address(0);
    stack_trim(f->stack, here - 4096);
}
