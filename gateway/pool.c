/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/pool.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#define POOL_FIRST_CAP 8

static struct pool *pool_get(struct pools *pools, unsigned number)
{
    if (number >= pools->count) {
        unsigned count = number + 8;
        pools->items = realloc(pools->items, count * sizeof(*pools->items));
        CHECK(pools->items != NULL);
        memset(pools->items + pools->count, 0, (count - pools->count) * sizeof(*pools->items));
        pools->count = count;
    }
    return &pools->items[number];
}

static void count_idle(struct pools *pools, int delta)
{
    pools->idle = (unsigned)((int)pools->idle + delta);
    meter_add(pools->meter, METER_UPSTREAM_IDLE, 0, delta);
}

/* Takes the latest connection out. */
static struct idle_conn pop(struct pools *pools, struct pool *pool)
{
    count_idle(pools, -1);
    return pool->idle[--pool->count];
}

/* Closes the connection that has been idle longest; there is one. */
static void close_oldest(struct pools *pools)
{
    struct pool *oldest = NULL;
    for (unsigned i = 0; i < pools->count; i++) {
        struct pool *pool = &pools->items[i];
        if (pool->count > 0 &&
            (oldest == NULL || pool->idle[0].since.us < oldest->idle[0].since.us))
            oldest = pool;
    }
    CHECK(oldest != NULL);
    fiber_close(oldest->idle[0].fd);
    oldest->count--;
    memmove(oldest->idle, oldest->idle + 1, oldest->count * sizeof(*oldest->idle));
    count_idle(pools, -1);
}

int pool_take(struct pools *pools, unsigned number, int64_t idle_timeout_us)
{
    struct pool *pool = pool_get(pools, number);
    if (pool->count == 0)
        return -1;
    int64_t oldest = clock_mono().us - idle_timeout_us;
    while (pool->count > 0) {
        struct idle_conn c = pop(pools, pool);
        if (c.since.us >= oldest && fiber_quiet(c.fd))
            return c.fd;
        fiber_close(c.fd);
    }
    return -1;
}

void pool_give(struct pools *pools, unsigned number, int fd, unsigned max_idle,
               int64_t idle_timeout_us)
{
    struct pool *pool = pool_get(pools, number);
    if (pool->count >= max_idle || !fiber_quiet(fd)) {
        fiber_close(fd);
        return;
    }
    if (pool->count == pool->cap) {
        pool->cap = pool->cap > 0 ? pool->cap * 2 : POOL_FIRST_CAP;
        pool->idle = realloc(pool->idle, pool->cap * sizeof(*pool->idle));
        CHECK(pool->idle != NULL);
    }
    pool->idle_timeout_us = idle_timeout_us;
    pool->idle[pool->count++] = (struct idle_conn){.fd = fd, .since = clock_mono()};
    count_idle(pools, 1);
    if (pools->idle > pools->max_idle)
        close_oldest(pools);
}

void pools_sweep(struct pools *pools)
{
    int64_t now = clock_mono().us;
    for (unsigned i = 0; i < pools->count; i++) {
        struct pool *pool = &pools->items[i];
        unsigned kept = 0;
        for (unsigned k = 0; k < pool->count; k++) {
            struct idle_conn c = pool->idle[k];
            if (now - c.since.us <= pool->idle_timeout_us && fiber_quiet(c.fd))
                pool->idle[kept++] = c;
            else
                fiber_close(c.fd);
        }
        count_idle(pools, (int)kept - (int)pool->count);
        pool->count = kept;
    }
}

void pools_close(struct pools *pools)
{
    for (unsigned i = 0; i < pools->count; i++) {
        struct pool *pool = &pools->items[i];
        while (pool->count > 0)
            fiber_close(pop(pools, pool).fd);
    }
}

void pools_free(struct pools *pools)
{
    for (unsigned i = 0; i < pools->count; i++) {
        CHECK(pools->items[i].count == 0);
        free(pools->items[i].idle);
    }
    free(pools->items);
    *pools = (struct pools){.items = NULL};
}

int pool_connect(const struct sockaddr *address, socklen_t length, struct mono deadline)
{
    int one = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return E_IO;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    int r = fiber_connect(fd, address, length, deadline);
    if (r != 0) {
        fiber_close(fd);
        return r;
    }
    return fd;
}
