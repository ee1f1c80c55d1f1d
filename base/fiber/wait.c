/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for descriptors.
 *
 * A descriptor is registered once, edge-triggered, for both directions, with the carrier whose
 * fiber first waits for it, and stays so until it is closed. An edge tells that something changed
 * since the last look, so a sleep is right only when the last look, made after the registration,
 * found nothing. `dry` says just that, per direction: set when a try found nothing (or less than it
 * asked for), cleared by every event. Where it is not set, a wait asks poll(2) once before it
 * sleeps.
 *
 * After a hang-up `dry` is never set again: the end of a stream comes behind its last bytes,
 * without an edge of its own.
 *
 * An event may be older than the descriptor it names (closed and opened again while the event lay
 * in the loop's hand, perhaps on another carrier). `owner` carries a generation that both must
 * agree on.
 */
#include "base/fiber/carrier.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SIDE_READ, SIDE_WRITE };

struct waiter {
    struct fiber *fiber;
    bool ready;
};

struct descriptor {
    _Atomic uint32_t owner; /* generation << 8 | carrier + 1; low byte 0 while not registered */
    bool dry[2];            /* owning carrier only, like the rest */
    bool hung_up;
    struct waiter *waiter[2];
};

#define DESCRIPTORS_MAX (4U << 20)

static struct descriptor *table; /* const after wait_table_init() */
static size_t table_size;
static pthread_mutex_t table_mtx = PTHREAD_MUTEX_INITIALIZER;

int wait_table_init(struct error *err)
{
    pthread_mutex_lock(&table_mtx);
    if (table == NULL) {
        struct rlimit limit;
        size_t n = DESCRIPTORS_MAX;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < n)
            n = limit.rlim_max;
        void *p = mmap(NULL, n * sizeof(struct descriptor), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p != MAP_FAILED) {
            table = p;
            table_size = n;
        }
    }
    pthread_mutex_unlock(&table_mtx);
    return table != NULL ? 0 : error_set_errno(err, E_NOMEM, errno, "no memory for descriptors");
}

static struct descriptor *descriptor_get(int fd)
{
    CHECK(fd >= 0 && (size_t)fd < table_size);
    return &table[fd];
}

/* acquire: pairs with the release in fiber_close(), whose flow may have been on another carrier */
static uint32_t owner_of(const struct descriptor *d)
{
    return atomic_load_explicit(&d->owner, memory_order_acquire);
}

static bool registered(const struct descriptor *d)
{
    return (owner_of(d) & 0xff) != 0;
}

void wait_event(struct carrier *carrier, uint64_t data, uint32_t events)
{
    struct descriptor *d = descriptor_get((int)(data & 0xffffffff));
    if (owner_of(d) != (uint32_t)(data >> 32))
        return; /* of a descriptor that is gone */
    const uint32_t both = EPOLLHUP | EPOLLERR;
    if (events & (both | EPOLLRDHUP))
        d->hung_up = true;
    for (int side = SIDE_READ; side <= SIDE_WRITE; side++) {
        uint32_t mask = both | (side == SIDE_READ ? EPOLLIN | EPOLLRDHUP : (uint32_t)EPOLLOUT);
        if (!(events & mask))
            continue;
        d->dry[side] = false;
        struct waiter *w = d->waiter[side];
        if (w == NULL)
            continue;
        d->waiter[side] = NULL;
        w->ready = true;
        if (w->fiber->state == FIBER_WAITING)
            carrier_make_runnable(w->fiber);
    }
    (void)carrier;
}

/* False where the kernel has no room for one more (fs.epoll.max_user_watches). */
static bool ensure_registered(struct carrier *c, int fd)
{
    struct descriptor *d = descriptor_get(fd);
    uint32_t owner = owner_of(d);
    if ((owner & 0xff) != 0) {
        CHECK((owner & 0xff) == c->index + 1);
        return true;
    }
    uint32_t was = owner;
    owner = (owner + 0x100) | (c->index + 1);
    d->dry[SIDE_READ] = d->dry[SIDE_WRITE] = d->hung_up = false;
    d->waiter[SIDE_READ] = d->waiter[SIDE_WRITE] = NULL;
    /* release: pairs with wait_event(), should the kernel hand the event out at once */
    atomic_store_explicit(&d->owner, owner, memory_order_release);
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                            .data.u64 = (uint64_t)owner << 32 | (uint32_t)fd};
    if (epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0)
        return true;
    atomic_store_explicit(&d->owner, was, memory_order_release);
    return false;
}

/* Marks that the last try of this side found no more, where an event is sure to tell of news. */
static void set_dry(int fd, int side)
{
    if (fiber_current == NULL)
        return;
    struct descriptor *d = descriptor_get(fd);
    if (registered(d) && !d->hung_up)
        d->dry[side] = true;
}

static bool known_dry(int fd, int side)
{
    if (fiber_current == NULL)
        return false;
    const struct descriptor *d = descriptor_get(fd);
    return registered(d) && d->dry[side];
}

static struct pollfd as_pollfd(const struct fiber_wait *w)
{
    short events = 0;
    if (w->want & FIBER_READ)
        events |= POLLIN;
    if (w->want & FIBER_WRITE)
        events |= POLLOUT;
    return (struct pollfd){.fd = w->fd, .events = events};
}

static unsigned from_revents(const struct fiber_wait *w, short revents)
{
    unsigned got = 0;
    if (revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL))
        got |= FIBER_READ;
    if (revents & (POLLOUT | POLLERR | POLLHUP | POLLNVAL))
        got |= FIBER_WRITE;
    return got & w->want;
}

int wait_by_poll(struct fiber_wait *waits, unsigned count, int extra_fd, struct mono deadline)
{
    struct pollfd p[FIBER_WAITS_MAX + 1];
    CHECK(count <= FIBER_WAITS_MAX);
    for (;;) {
        for (unsigned i = 0; i < count; i++)
            p[i] = as_pollfd(&waits[i]);
        p[count] = (struct pollfd){.fd = extra_fd, .events = POLLIN};
        int timeout = -1;
        if (deadline.us != INT64_MAX) {
            int64_t ms = (deadline.us - clock_mono().us + US_PER_MS - 1) / US_PER_MS;
            timeout = ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;
        }
        int n = poll(p, count + 1, timeout);
        if (n < 0 && errno != EINTR)
            return E_IO;
        int ready = 0;
        for (unsigned i = 0; i < count; i++) {
            waits[i].got = n > 0 ? from_revents(&waits[i], p[i].revents) : 0;
            ready += waits[i].got != 0;
        }
        if (ready > 0)
            return ready;
        if (n > 0 && p[count].revents != 0)
            return 0;
        if (deadline.us != INT64_MAX && clock_mono().us >= deadline.us)
            return E_TIMEOUT;
    }
}

/*
 * What poll(2) says of the sides not known to be dry, without waiting. Sides found not ready become
 * dry. Returns how many waits have something.
 */
static int look_first(struct fiber_wait *waits, unsigned count)
{
    int ready = 0;
    for (unsigned i = 0; i < count; i++) {
        struct fiber_wait *w = &waits[i];
        struct fiber_wait look = *w;
        struct descriptor *d = descriptor_get(w->fd);
        if (d->dry[SIDE_READ])
            look.want &= ~(unsigned)FIBER_READ;
        if (d->dry[SIDE_WRITE])
            look.want &= ~(unsigned)FIBER_WRITE;
        w->got = 0;
        if (look.want == 0)
            continue;
        struct pollfd p = as_pollfd(&look);
        if (poll(&p, 1, 0) > 0)
            w->got = from_revents(&look, p.revents);
        if ((look.want & FIBER_READ) && !(w->got & FIBER_READ))
            set_dry(w->fd, SIDE_READ);
        if ((look.want & FIBER_WRITE) && !(w->got & FIBER_WRITE))
            set_dry(w->fd, SIDE_WRITE);
        ready += w->got != 0;
    }
    return ready;
}

static void hook(struct waiter *w, struct fiber_wait *wait, int side)
{
    struct descriptor *d = descriptor_get(wait->fd);
    *w = (struct waiter){.fiber = NULL};
    if (!(wait->want & (side == SIDE_READ ? FIBER_READ : FIBER_WRITE)))
        return;
    CHECK(d->waiter[side] == NULL);
    w->fiber = fiber_current;
    d->waiter[side] = w;
}

static unsigned unhook(struct waiter *w, struct fiber_wait *wait, int side)
{
    struct descriptor *d = descriptor_get(wait->fd);
    if (d->waiter[side] == w)
        d->waiter[side] = NULL;
    return w->ready ? (side == SIDE_READ ? FIBER_READ : FIBER_WRITE) : 0;
}

static int wait_on_fiber(struct fiber_wait *waits, unsigned count, struct mono deadline)
{
    struct waiter hooks[FIBER_WAITS_MAX][2];
    for (unsigned i = 0; i < count; i++) {
        if (!ensure_registered(fiber_current->carrier, waits[i].fd))
            return E_IO;
    }
    int ready = look_first(waits, count);
    if (ready > 0)
        return ready;
    for (;;) {
        for (unsigned i = 0; i < count; i++) {
            hook(&hooks[i][SIDE_READ], &waits[i], SIDE_READ);
            hook(&hooks[i][SIDE_WRITE], &waits[i], SIDE_WRITE);
        }
        int r = fiber_park(deadline);
        for (unsigned i = 0; i < count; i++) {
            waits[i].got = unhook(&hooks[i][SIDE_READ], &waits[i], SIDE_READ) |
                           unhook(&hooks[i][SIDE_WRITE], &waits[i], SIDE_WRITE);
            ready += waits[i].got != 0;
        }
        if (ready > 0)
            return ready;
        if (r != 0)
            return r;
    }
}

int fiber_wait_any(struct fiber_wait *waits, unsigned count, struct mono deadline)
{
    struct fiber *f = fiber_current;
    CHECK(count > 0 && count <= FIBER_WAITS_MAX);
    if (f == NULL)
        return wait_by_poll(waits, count, -1, deadline);
    if (fiber_canceled())
        return E_CANCELED;
    if (!f->carrier->carriers->real_threads)
        return wait_on_fiber(waits, count, deadline);
    for (;;) {
        int r = real_thread_wait(f, waits, count, deadline);
        if (fiber_canceled())
            return E_CANCELED;
        if (r != 0)
            return r;
    }
}

bool fiber_quiet(int fd)
{
    if (fiber_current == NULL || fiber_current->carrier->carriers->real_threads) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        return poll(&p, 1, 0) == 0;
    }
    const struct descriptor *d = descriptor_get(fd);
    return registered(d) && d->dry[SIDE_READ] && !d->hung_up;
}

static int stream_error(int saved_errno)
{
    switch (saved_errno) {
    case EAGAIN:
        return E_BUSY;
    case EPIPE:
    case ECONNRESET:
        return E_RESET;
    case ETIMEDOUT:
        return E_TIMEOUT;
    case ECONNREFUSED:
        return E_REFUSED;
    default:
        return E_IO;
    }
}

static int wait_one(int fd, unsigned want, struct mono deadline)
{
    struct fiber_wait w = {.fd = fd, .want = want};
    int r = fiber_wait_any(&w, 1, deadline);
    return r < 0 ? r : 0;
}

static void count_call(void)
{
    if (fiber_current != NULL)
        fiber_current->calls++;
}

ssize_t fiber_try_recv(int fd, void *p, size_t size)
{
    if (known_dry(fd, SIDE_READ))
        return E_BUSY;
    ssize_t n;
    count_call();
    do {
        n = recv(fd, p, size, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        int r = stream_error(errno);
        if (r == E_BUSY)
            set_dry(fd, SIDE_READ);
        return r;
    }
    if (n > 0 && (size_t)n < size)
        set_dry(fd, SIDE_READ);
    return n;
}

ssize_t fiber_recv(int fd, void *p, size_t size, struct mono deadline)
{
    for (;;) {
        fiber_breathe();
        ssize_t n = fiber_try_recv(fd, p, size);
        if (n != E_BUSY)
            return n;
        int r = wait_one(fd, FIBER_READ, deadline);
        if (r != 0)
            return r;
    }
}

ssize_t fiber_try_sendv(int fd, const struct iovec *iov, unsigned count)
{
    if (known_dry(fd, SIDE_WRITE))
        return E_BUSY;
    struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = count};
    ssize_t n;
    count_call();
    do {
        n = count == 1 ? send(fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL)
                       : sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    int r = stream_error(errno);
    if (r == E_BUSY)
        set_dry(fd, SIDE_WRITE);
    return r;
}

ssize_t fiber_try_send(int fd, const void *p, size_t size)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)p, .iov_len = size};
    return fiber_try_sendv(fd, &iov, 1);
}

int fiber_sendv(int fd, struct iovec *iov, unsigned count, int64_t patience_us, size_t *ret_sent)
{
    size_t sent = 0;
    int r = 0;
    while (count > 0) {
        if (iov->iov_len == 0) {
            iov++, count--;
            continue;
        }
        fiber_breathe();
        ssize_t n = fiber_try_sendv(fd, iov, count);
        if (n == E_BUSY)
            n = r = wait_one(fd, FIBER_WRITE, mono_after(clock_mono(), patience_us));
        if (n < 0) {
            r = (int)n;
            break;
        }
        sent += (size_t)n;
        while (n > 0) {
            size_t part = (size_t)n < iov->iov_len ? (size_t)n : iov->iov_len;
            iov->iov_base = (char *)iov->iov_base + part;
            iov->iov_len -= part;
            n -= (ssize_t)part;
            if (iov->iov_len == 0 && n > 0)
                iov++, count--;
        }
    }
    if (ret_sent != NULL)
        *ret_sent = sent;
    return r;
}

int fiber_send(int fd, const void *p, size_t size, int64_t patience_us, size_t *ret_sent)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)p, .iov_len = size};
    return fiber_sendv(fd, &iov, 1, patience_us, ret_sent);
}

int fiber_connect(int fd, const struct sockaddr *address, socklen_t length, struct mono deadline)
{
    int r;
    do {
        r = connect(fd, address, length);
    } while (r != 0 && errno == EINTR);
    if (r == 0)
        return 0;
    if (errno != EINPROGRESS)
        return stream_error(errno);
    r = wait_one(fd, FIBER_WRITE, deadline);
    if (r != 0)
        return r;
    int failure = 0;
    socklen_t n = sizeof(failure);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &n) != 0)
        failure = errno;
    return failure == 0 ? 0 : stream_error(failure);
}

void fiber_close(int fd)
{
    if (fd < 0)
        return;
    if (table != NULL && (size_t)fd < table_size) {
        struct descriptor *d = &table[fd];
        uint32_t owner = owner_of(d);
        if ((owner & 0xff) != 0) {
            /* elsewhere it would race with the events that its carrier is about to look at */
            CHECK(fiber_current != NULL && fiber_current->carrier->index + 1 == (owner & 0xff));
            CHECK(d->waiter[SIDE_READ] == NULL && d->waiter[SIDE_WRITE] == NULL);
            /* before the number can be given out again; the generation stays */
            atomic_store_explicit(&d->owner, owner & ~UINT32_C(0xff), memory_order_release);
        }
    }
    close(fd);
}
