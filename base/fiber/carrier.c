/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of a carrier: take what other threads sent, give every runnable fiber its turn, look for
 * events.
 *
 * Sleeping and waking: the carrier sets `sleeping`, then looks at its inbox once more; a poster
 * pushes, then looks at `sleeping`. Both sides use sequentially consistent operations, so at least
 * one of them sees the other, and the eventfd is written only when somebody sleeps.
 */
#include "base/fiber/carrier.h"

#include "base/fiber/stack.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_A_TURN 256

_Thread_local struct fiber *fiber_current;

void carrier_make_runnable(struct fiber *fiber)
{
    struct carrier *c = fiber->carrier;
    CHECK(fiber->state == FIBER_WAITING);
    fiber->state = FIBER_RUNNABLE;
    fiber->next = NULL;
    if (c->run_tail != NULL)
        c->run_tail->next = fiber;
    else
        c->run_head = fiber;
    c->run_tail = fiber;
}

void carrier_wake(struct carrier *carrier)
{
    if (atomic_load(&carrier->sleeping) && atomic_exchange(&carrier->sleeping, false)) {
        uint64_t one = 1;
        ssize_t n = write(carrier->event_fd, &one, sizeof(one));
        CHECK(n == sizeof(one) || errno == EAGAIN);
    }
}

void carrier_post(struct fiber *fiber)
{
    if (atomic_exchange(&fiber->in_inbox, true))
        return; /* it is on its way already, and the carrier has yet to look at it */
    struct carrier *c = fiber->carrier;
    struct fiber *head = atomic_load_explicit(&c->inbox, memory_order_relaxed);
    do {
        fiber->inbox_next = head;
    } while (!atomic_compare_exchange_weak(&c->inbox, &head, fiber));
    carrier_wake(c);
}

static void take_inbox(struct carrier *c)
{
    if (atomic_load_explicit(&c->inbox, memory_order_relaxed) == NULL)
        return;
    struct fiber *f = atomic_exchange(&c->inbox, NULL);
    while (f != NULL) {
        struct fiber *next = f->inbox_next;
        /* read first: once it is out of the inbox, an ended fiber may be freed by its joiner */
        bool ended = f->state == FIBER_ENDED;
        /* from here on a further post queues it again: none is lost */
        atomic_store(&f->in_inbox, false);
        if (!ended && f->state == FIBER_WAITING)
            carrier_make_runnable(f);
        else if (!ended)
            f->token = true;
        f = next;
    }
}

static void note_turn(struct carrier *c, struct mono now)
{
    uint64_t us = (uint64_t)mono_since(now, c->turn_began);
    if (us > atomic_load_explicit(&c->longest_turn_us, memory_order_relaxed))
        atomic_store_explicit(&c->longest_turn_us, us, memory_order_relaxed);
}

static void recycle_stack(struct carrier *c, void *stack)
{
    if (c->spare_count < ARRAY_LEN(c->spare_stacks))
        c->spare_stacks[c->spare_count++] = stack;
    else
        stack_destroy(stack);
}

static void run_fiber(struct carrier *c, struct fiber *f)
{
    f->state = FIBER_RUNNING;
    c->current = f;
    fiber_current = f;
    context_switch(&c->context, &f->context, false);
    fiber_current = NULL;
    c->current = NULL;
    if (f->state != FIBER_ENDED)
        return;
    context_finish(&f->context);
    recycle_stack(c, f->stack);
    f->stack = NULL;
    timers_remove(&c->timers, &f->timer);
    atomic_fetch_sub_explicit(&c->fibers, 1, memory_order_relaxed);
    fiber_announce_end(f);
}

/* One turn for each fiber that is runnable now; those that become so meanwhile come after the
 * events. */
static void run_queue(struct carrier *c)
{
    struct fiber *f = c->run_head;
    uint64_t turns = 0;
    c->run_head = c->run_tail = NULL;
    while (f != NULL) {
        struct fiber *next = f->next;
        run_fiber(c, f);
        turns++;
        f = next;
    }
    if (turns > 0)
        atomic_store_explicit(&c->switches,
                              atomic_load_explicit(&c->switches, memory_order_relaxed) + turns,
                              memory_order_relaxed);
}

/*
 * A fiber's timer may be earlier than its deadline, since a wait that ends in time leaves it where
 * it is; then it is moved here, once for many waits.
 */
static void expire_timers(struct carrier *c, struct mono now)
{
    struct timer *t;
    while ((t = timers_first(&c->timers)) != NULL && t->at.us <= now.us) {
        struct fiber *f = CONTAINER_OF(t, struct fiber, timer);
        if (f->state != FIBER_WAITING || f->deadline.us == INT64_MAX) {
            timers_remove(&c->timers, t);
        } else if (f->deadline.us > now.us) {
            timers_set(&c->timers, t, f->deadline);
        } else {
            timers_remove(&c->timers, t);
            f->timed_out = true;
            carrier_make_runnable(f);
        }
    }
}

static int sleep_ms(struct carrier *c, struct mono now)
{
    if (c->run_head != NULL)
        return 0;
    struct timer *t = timers_first(&c->timers);
    if (t == NULL)
        return -1;
    int64_t ms = (mono_since(t->at, now) + US_PER_MS - 1) / US_PER_MS;
    return ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;
}

static void look_for_events(struct carrier *c)
{
    struct epoll_event events[EVENTS_A_TURN];
    struct mono now = clock_mono();
    note_turn(c, now);
    int timeout = sleep_ms(c, now);
    if (timeout != 0) {
        atomic_store(&c->sleeping, true);
        if (atomic_load(&c->inbox) != NULL || atomic_load(&c->stopping))
            timeout = 0;
    }
    int n = epoll_wait(c->epoll_fd, events, EVENTS_A_TURN, timeout);
    if (timeout != 0 || atomic_load_explicit(&c->sleeping, memory_order_relaxed))
        atomic_store(&c->sleeping, false);
    CHECK(n >= 0 || errno == EINTR);
    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == UINT64_MAX) {
            uint64_t count;
            ssize_t r = read(c->event_fd, &count, sizeof(count));
            (void)r; /* EAGAIN where another turn has read it */
        } else {
            wait_event(c, events[i].data.u64, events[i].events);
        }
    }
    c->turn_began = clock_mono();
    expire_timers(c, c->turn_began);
}

static void *carrier_main(void *arg)
{
    struct carrier *c = arg;
    char name[16];
    snprintf(name, sizeof(name), "carrier-%u", c->index);
    pthread_setname_np(pthread_self(), name);
    context_of_thread(&c->context);
    c->turn_began = clock_mono();
    while (!atomic_load(&c->stopping)) {
        take_inbox(c);
        run_queue(c);
        look_for_events(c);
    }
    return NULL;
}

/* 0 or an errno. */
static int carrier_init(struct carrier *c, struct carriers *carriers, unsigned index)
{
    c->carriers = carriers;
    c->index = index;
    c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    c->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&c->turn, NULL);
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = UINT64_MAX};
    if (c->epoll_fd < 0 || c->event_fd < 0 ||
        epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, c->event_fd, &e) != 0)
        return errno;
    return pthread_create(&c->thread, NULL, carrier_main, c);
}

static void carrier_finish(struct carrier *c)
{
    for (unsigned i = 0; i < c->spare_count; i++)
        stack_destroy(c->spare_stacks[i]);
    timers_finish(&c->timers);
    pthread_mutex_destroy(&c->turn);
    if (c->epoll_fd >= 0)
        close(c->epoll_fd);
    if (c->event_fd >= 0)
        close(c->event_fd);
}

static void stop_first(struct carriers *carriers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct carrier *c = &carriers->carrier[i];
        CHECK(atomic_load(&c->fibers) == 0);
        atomic_store(&c->stopping, true);
        uint64_t one = 1;
        ssize_t n = write(c->event_fd, &one, sizeof(one));
        CHECK(n == sizeof(one));
        pthread_join(c->thread, NULL);
    }
}

int carriers_start(struct carriers **ret_carriers, const struct carriers_options *options,
                   struct error *err)
{
    int r = wait_table_init(err);
    if (r != 0)
        return r;
    unsigned count = options->count > 0 ? options->count : cpus_allowed();
    if (count > CARRIERS_MAX)
        count = CARRIERS_MAX;
    size_t size = sizeof(struct carriers) + count * sizeof(struct carrier);
    struct carriers *carriers =
        aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1));
    if (carriers == NULL)
        return error_set(err, E_NOMEM, "no memory for %u carriers", count);
    memset(carriers, 0, size);
    carriers->count = count;
    carriers->real_threads = options->real_threads;
    pthread_mutex_init(&carriers->join_mtx, NULL);
    pthread_cond_init(&carriers->join_cond, NULL);
    for (unsigned i = 0; i < count; i++) {
        int saved = carrier_init(&carriers->carrier[i], carriers, i);
        if (saved != 0) {
            r = error_set_errno(err, E_IO, saved, "cannot start carrier thread %u of %u", i + 1,
                                count);
            stop_first(carriers, i);
            for (unsigned k = 0; k <= i; k++)
                carrier_finish(&carriers->carrier[k]);
            free(carriers);
            return r;
        }
    }
    *ret_carriers = carriers;
    return 0;
}

void carriers_stop(struct carriers *carriers)
{
    if (carriers == NULL)
        return;
    stop_first(carriers, carriers->count);
    for (unsigned i = 0; i < carriers->count; i++)
        carrier_finish(&carriers->carrier[i]);
    pthread_mutex_destroy(&carriers->join_mtx);
    pthread_cond_destroy(&carriers->join_cond);
    free(carriers);
}

unsigned carriers_count(const struct carriers *carriers)
{
    return carriers->count;
}

struct carriers_stats carriers_stats(struct carriers *carriers)
{
    struct carriers_stats s = {.fibers = 0};
    for (unsigned i = 0; i < carriers->count; i++) {
        struct carrier *c = &carriers->carrier[i];
        s.fibers += atomic_load_explicit(&c->fibers, memory_order_relaxed);
        s.switches += atomic_load_explicit(&c->switches, memory_order_relaxed);
        uint64_t us = atomic_exchange_explicit(&c->longest_turn_us, 0, memory_order_relaxed);
        if (us > s.longest_turn_us)
            s.longest_turn_us = us;
    }
    return s;
}
