/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fiber/timers.h"

#include <stdlib.h>

void timers_finish(struct timers *timers)
{
    free(timers->heap);
    *timers = (struct timers){.heap = NULL};
}

static void put(struct timers *timers, size_t i, struct timer *timer)
{
    timers->heap[i] = timer;
    timer->place = i + 1;
}

static void sift_up(struct timers *timers, size_t i)
{
    struct timer *timer = timers->heap[i];
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (timers->heap[parent]->at.us <= timer->at.us)
            break;
        put(timers, i, timers->heap[parent]);
        i = parent;
    }
    put(timers, i, timer);
}

static void sift_down(struct timers *timers, size_t i)
{
    struct timer *timer = timers->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count &&
            timers->heap[child + 1]->at.us < timers->heap[child]->at.us)
            child++;
        if (timers->heap[child]->at.us >= timer->at.us)
            break;
        put(timers, i, timers->heap[child]);
        i = child;
    }
    put(timers, i, timer);
}

void timers_set(struct timers *timers, struct timer *timer, struct mono at)
{
    if (timer->place == 0) {
        if (timers->count == timers->cap) {
            timers->cap = timers->cap > 0 ? timers->cap * 2 : 256;
            timers->heap = realloc(timers->heap, timers->cap * sizeof(*timers->heap));
            CHECK(timers->heap != NULL);
        }
        timer->at = at;
        put(timers, timers->count++, timer);
        sift_up(timers, timer->place - 1);
        return;
    }
    bool earlier = at.us < timer->at.us;
    timer->at = at;
    if (earlier)
        sift_up(timers, timer->place - 1);
    else
        sift_down(timers, timer->place - 1);
}

void timers_remove(struct timers *timers, struct timer *timer)
{
    if (timer->place == 0)
        return;
    size_t i = timer->place - 1;
    timer->place = 0;
    struct timer *last = timers->heap[--timers->count];
    if (last == timer)
        return;
    put(timers, i, last);
    sift_up(timers, i);
    sift_down(timers, last->place - 1);
}

struct timer *timers_first(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[0] : NULL;
}
