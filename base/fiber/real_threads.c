/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fibers as real threads, for debuggers: each waits by poll(2) on its descriptors and on an eventfd
 * that stands for unpark, and gives its carrier's turn away meanwhile.
 */
#include "base/fiber/carrier.h"

#include <sys/eventfd.h>
#include <unistd.h>

static void *real_thread_main(void *arg)
{
    struct fiber *f = arg;
    pthread_mutex_lock(&f->carrier->turn);
    fiber_current = f;
    f->result = f->fn(f->arg);
    pthread_mutex_unlock(&f->carrier->turn);
    atomic_fetch_sub_explicit(&f->carrier->fibers, 1, memory_order_relaxed);
    fiber_announce_end(f);
    return NULL;
}

int real_thread_start(struct fiber *fiber)
{
    fiber->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fiber->wake_fd < 0)
        return E_IO;
    atomic_fetch_add_explicit(&fiber->carrier->fibers, 1, memory_order_relaxed);
    if (pthread_create(&fiber->thread, NULL, real_thread_main, fiber) == 0)
        return 0;
    atomic_fetch_sub_explicit(&fiber->carrier->fibers, 1, memory_order_relaxed);
    close(fiber->wake_fd);
    return E_NOMEM;
}

int real_thread_wait(struct fiber *fiber, struct fiber_wait *waits, unsigned count,
                     struct mono deadline)
{
    pthread_mutex_unlock(&fiber->carrier->turn);
    int r = wait_by_poll(waits, count, fiber->wake_fd, deadline);
    uint64_t posts;
    ssize_t n = read(fiber->wake_fd, &posts, sizeof(posts));
    (void)n; /* EAGAIN where nobody posted */
    pthread_mutex_lock(&fiber->carrier->turn);
    return r;
}
