/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fiber/posix.h"

#include "base/fiber/carrier.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* A fiber that waits for a condition variable; lies on its stack. */
struct cond_waiter {
    struct fiber *fiber;
    struct cond_waiter *next;
    _Atomic bool signaled;
};

/*
 * The fibers that wait for one condition variable. They are kept by carrier, the latest first: a
 * signal goes to the carrier with the most idle workers, which is the one with the fewest
 * connections, and there to the fiber whose stack is warmest.
 */
struct cond_fibers {
    pthread_cond_t *cond;
    struct cond_fibers *next;
    unsigned carriers;
    struct {
        struct cond_waiter *first;
        unsigned count;
    } on[];
};

static pthread_mutex_t conds_mtx = PTHREAD_MUTEX_INITIALIZER;
static struct cond_fibers *conds; /* guarded by conds_mtx; one or two for each server */

static struct cond_fibers *conds_find(pthread_cond_t *cond)
{
    struct cond_fibers *c = conds;
    while (c != NULL && c->cond != cond)
        c = c->next;
    return c;
}

static struct cond_fibers *conds_add(pthread_cond_t *cond, unsigned carriers)
{
    struct cond_fibers *c = calloc(1, sizeof(*c) + carriers * sizeof(c->on[0]));
    CHECK(c != NULL);
    c->cond = cond;
    c->carriers = carriers;
    c->next = conds;
    conds = c;
    return c;
}

int posix_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    struct fiber *f = fiber_self();
    if (f == NULL)
        return pthread_cond_wait(cond, mutex);
    struct cond_waiter w = {.fiber = f};
    pthread_mutex_lock(&conds_mtx);
    struct cond_fibers *c = conds_find(cond);
    if (c == NULL)
        c = conds_add(cond, f->carrier->carriers->count);
    unsigned index = f->carrier->index;
    CHECK(index < c->carriers);
    w.next = c->on[index].first;
    c->on[index].first = &w;
    c->on[index].count++;
    pthread_mutex_unlock(&conds_mtx);
    pthread_mutex_unlock(mutex);
    /* acquire: pairs with the release in wake_one() */
    while (!atomic_load_explicit(&w.signaled, memory_order_acquire))
        fiber_park_always();
    return pthread_mutex_lock(mutex);
}

/* Wakes one fiber that waits for it, if there is one. */
static bool wake_one(struct cond_fibers *c)
{
    unsigned best = 0;
    for (unsigned i = 1; i < c->carriers; i++) {
        if (c->on[i].count > c->on[best].count)
            best = i;
    }
    struct cond_waiter *w = c->on[best].first;
    if (w == NULL)
        return false;
    c->on[best].first = w->next;
    c->on[best].count--;
    struct fiber *f = w->fiber;
    atomic_store_explicit(&w->signaled, true, memory_order_release);
    fiber_unpark(f); /* `w` is gone as soon as the fiber runs */
    return true;
}

int posix_cond_signal(pthread_cond_t *cond)
{
    pthread_mutex_lock(&conds_mtx);
    struct cond_fibers *c = conds_find(cond);
    bool woken = c != NULL && wake_one(c);
    pthread_mutex_unlock(&conds_mtx);
    return woken ? 0 : pthread_cond_signal(cond);
}

int posix_cond_broadcast(pthread_cond_t *cond)
{
    pthread_mutex_lock(&conds_mtx);
    struct cond_fibers *c = conds_find(cond);
    while (c != NULL && wake_one(c))
        continue;
    pthread_mutex_unlock(&conds_mtx);
    return pthread_cond_broadcast(cond);
}

int posix_cond_destroy(pthread_cond_t *cond)
{
    pthread_mutex_lock(&conds_mtx);
    for (struct cond_fibers **at = &conds; *at != NULL; at = &(*at)->next) {
        struct cond_fibers *c = *at;
        if (c->cond == cond) {
            *at = c->next;
            free(c);
            break;
        }
    }
    pthread_mutex_unlock(&conds_mtx);
    return pthread_cond_destroy(cond);
}

int posix_thread_create(pthread_t *thread, void *(*fn)(void *), void *arg,
                        struct posix_spawn_place *place)
{
    if (place->carriers == NULL)
        return pthread_create(thread, NULL, fn, arg);
    unsigned index = place->next++ % carriers_count(place->carriers);
    struct fiber *f = fiber_start(place->carriers, index, fn, arg);
    if (f == NULL)
        return EAGAIN;
    _Static_assert(sizeof(pthread_t) >= sizeof(f), "a fiber's address must fit a pthread_t");
    *thread = (pthread_t)(uintptr_t)f;
    return 0;
}

int posix_thread_join(pthread_t thread, bool is_fiber)
{
    if (!is_fiber)
        return pthread_join(thread, NULL);
    fiber_join((struct fiber *)(uintptr_t)thread);
    return 0;
}

int posix_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    if (fiber_self() == NULL || timeout_ms == 0)
        return poll(fds, count, timeout_ms);
    CHECK(count > 0 && count <= FIBER_WAITS_MAX);
    struct mono deadline = MONO_NEVER;
    if (timeout_ms > 0)
        deadline = mono_after(clock_mono(), timeout_ms * US_PER_MS);
    struct fiber_wait waits[FIBER_WAITS_MAX];
    for (nfds_t i = 0; i < count; i++) {
        unsigned want = 0;
        if (fds[i].events & POLLIN)
            want |= FIBER_READ;
        if (fds[i].events & POLLOUT)
            want |= FIBER_WRITE;
        waits[i] = (struct fiber_wait){.fd = fds[i].fd, .want = want};
    }
    int r = fiber_wait_any(waits, (unsigned)count, deadline);
    if (r == E_CANCELED) {
        errno = EINTR;
        return -1;
    }
    /* the exact answer, whatever the wait was told */
    return poll(fds, count, 0);
}

int posix_usleep(unsigned us)
{
    if (fiber_self() == NULL)
        return usleep(us);
    int r = fiber_sleep(mono_after(clock_mono(), us));
    (void)r; /* a canceled sleep is a short one */
    return 0;
}

int posix_close(int fd)
{
    fiber_close(fd);
    return 0;
}

int posix_setspecific(pthread_key_t key, const void *value)
{
    struct fiber *f = fiber_self();
    if (f == NULL)
        return pthread_setspecific(key, value);
    for (unsigned i = 0; i < FIBER_LOCALS_MAX; i++) {
        if (f->locals[i].value == NULL || f->locals[i].key == key) {
            f->locals[i].key = key;
            f->locals[i].value = (void *)(uintptr_t)value;
            return 0;
        }
    }
    return ENOMEM;
}

void *posix_getspecific(pthread_key_t key)
{
    struct fiber *f = fiber_self();
    if (f == NULL)
        return pthread_getspecific(key);
    for (unsigned i = 0; i < FIBER_LOCALS_MAX; i++) {
        if (f->locals[i].value != NULL && f->locals[i].key == key)
            return f->locals[i].value;
    }
    return NULL;
}
