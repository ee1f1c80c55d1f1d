/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timers.h -- the deadlines of one carrier: a binary heap with the owner's place in it.
 *
 * Threads: belongs to one carrier.
 * Memory:  an array on the heap, grown by doubling; never shrinks.
 * Errors:  none; running out of memory aborts (the array is a few bytes a fiber).
 */
#ifndef BASE_FIBER_TIMERS_H
#define BASE_FIBER_TIMERS_H

#include "base/clock.h"

struct timer {
    struct mono at;
    size_t place; /* index in the heap + 1; 0 while not in it */
};

struct timers {
    struct timer **heap;
    size_t count, cap;
};

void timers_finish(struct timers *timers);

/* Puts the timer in, or moves it, to expire at `at`. */
void timers_set(struct timers *timers, struct timer *timer, struct mono at);
void timers_remove(struct timers *timers, struct timer *timer);

/* The earliest timer; NULL when there is none. It stays in the heap. */
struct timer *timers_first(const struct timers *timers);

#endif
