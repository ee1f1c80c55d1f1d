/* SPDX-License-Identifier: Apache-2.0 */
/*
 * carrier.h -- inside of base/fiber/: the carrier and its fibers, shared by its few files.
 *
 * Threads: a carrier's fields belong to its thread unless marked.
 * Memory:  carriers and fibers are heap objects; see fiber.h.
 * Errors:  none of its own.
 */
#ifndef BASE_FIBER_CARRIER_H
#define BASE_FIBER_CARRIER_H

#include "base/fiber/context.h"
#include "base/fiber/fiber.h"
#include "base/fiber/timers.h"

#include <pthread.h>
#include <stdatomic.h>

#define FIBER_LOCALS_MAX 4

enum fiber_state { FIBER_RUNNABLE, FIBER_RUNNING, FIBER_WAITING, FIBER_ENDED };

struct fiber {
    struct context context;
    struct carrier *carrier; /* const after init */
    struct fiber *next;      /* in the run queue */
    enum fiber_state state;
    bool token;     /* an unpark that nobody waited for yet */
    bool timed_out; /* the wait ended by its deadline */
    unsigned calls; /* for bytes since its turn began; see fiber_breathe() */
    struct mono deadline;
    struct timer timer; /* may expire earlier than `deadline`: it is moved lazily */
    void *stack;
    void *(*fn)(void *);
    void *arg, *result;
    struct {
        unsigned key;
        void *value;
    } locals[FIBER_LOCALS_MAX];

    struct fiber *inbox_next;
    _Atomic bool in_inbox; /* true from a push until the carrier takes it out */
    _Atomic bool canceled; /* set by any thread, release; read by the fiber, acquire */

    bool ended;           /* guarded by carriers.join_mtx */
    struct fiber *joiner; /* guarded by carriers.join_mtx */

    int wake_fd;      /* real-thread mode: an eventfd that ends its poll */
    pthread_t thread; /* real-thread mode */
};

struct carrier {
    struct carriers *carriers; /* const after init */
    unsigned index;            /* const after init */
    pthread_t thread;
    int epoll_fd, event_fd;
    struct context context; /* of the carrier's own loop */
    struct fiber *run_head, *run_tail;
    struct fiber *current;
    struct timers timers;
    struct mono turn_began;
    pthread_mutex_t turn; /* real-thread mode: held by the one fiber whose turn it is */
    void *spare_stacks[16];
    unsigned spare_count;

    cache_aligned _Atomic(struct fiber *) inbox; /* pushed by any thread, taken by the carrier */
    _Atomic bool sleeping;                       /* see carrier_wake() */
    _Atomic bool stopping;
    _Atomic uint64_t fibers;          /* atomic, relaxed counter */
    _Atomic uint64_t switches;        /* atomic, relaxed counter */
    _Atomic uint64_t longest_turn_us; /* atomic, relaxed */
};

struct carriers {
    unsigned count;    /* const after init */
    bool real_threads; /* const after init */
    pthread_mutex_t join_mtx;
    pthread_cond_t join_cond;
    struct carrier carrier[];
};

extern _Thread_local struct fiber *fiber_current;

/* Puts a waiting fiber of this carrier into the run queue. Carrier's thread only. */
void carrier_make_runnable(struct fiber *fiber);

/* Makes the carrier look at its inbox. Any thread. */
void carrier_wake(struct carrier *carrier);

/* Puts the fiber into its carrier's inbox, once, and wakes the carrier. Any thread. */
void carrier_post(struct fiber *fiber);

/* Handles the epoll events of a descriptor (wait.c). */
void wait_event(struct carrier *carrier, uint64_t data, uint32_t events);

/* Prepares the process-wide table of descriptors (wait.c). */
must_check int wait_table_init(struct error *err);

/* Real-thread mode: the wait of fiber_wait_any() and fiber_park() (real_threads.c). */
int real_thread_wait(struct fiber *fiber, struct fiber_wait *waits, unsigned count,
                     struct mono deadline);
must_check int real_thread_start(struct fiber *fiber);

/* poll(2) until `deadline`; as fiber_wait_any(). `extra_fd` (-1 for none) also ends it, as 0. */
int wait_by_poll(struct fiber_wait *waits, unsigned count, int extra_fd, struct mono deadline);

/* Marks the fiber ended and wakes its joiner. The fiber may be gone on return. */
void fiber_announce_end(struct fiber *fiber);

#endif
