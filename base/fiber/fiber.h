/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fiber.h -- plain blocking code, thousands of times, on one thread a core.
 *
 * A carrier is a thread with an epoll loop; a fiber runs on the carrier it was started on for all
 * of its life, so what belongs to a carrier needs no lock between its fibers. A fiber gives way
 * only inside the functions below that wait: between two of them it has the carrier to itself.
 * Nothing on a carrier may block the thread in another way: no file, no database, no DNS, no
 * contended lock.
 *
 * Every wait re-checks before it sleeps, so news that came before the wait is never missed, and
 * every wait has a deadline. On an ordinary thread the same functions work and block that thread:
 * the HTTP server's code runs on both.
 *
 * For debugging, carriers can run each fiber as a real thread (carriers_options.real_threads): the
 * fibers of one carrier then take turns under one lock, so their exclusive ownership holds all the
 * same.
 *
 * Threads: as said at each function; "any" means fibers and threads alike.
 * Memory:  a fiber is 256 KiB of address space, some KiB of memory; freed by fiber_join().
 * Errors:  negative E_ codes; E_TIMEOUT past the deadline, E_CANCELED after fiber_cancel().
 */
#ifndef BASE_FIBER_FIBER_H
#define BASE_FIBER_FIBER_H

#include "base/clock.h"
#include "base/error.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

struct carriers;
struct fiber;

#define CARRIERS_MAX 254 /* a descriptor tells whose it is in one byte, see wait.c */

struct carriers_options {
    /* carriers, at most CARRIERS_MAX; 0 for one a core the process may use (affinity and cgroup) */
    unsigned count;
    bool real_threads; /* each fiber a thread of its own: for debuggers */
};

/* Starts the carriers. May be called again after carriers_stop(). */
must_check int carriers_start(struct carriers **ret_carriers,
                              const struct carriers_options *options, struct error *err);

/* Ends the carriers; every fiber must have been joined. NULL is accepted. */
void carriers_stop(struct carriers *carriers);

unsigned carriers_count(const struct carriers *carriers);

/* How many cores this process may use: its affinity, and the cgroup's cpu.max rounded up. At
 * least 1. */
unsigned cpus_allowed(void);

/*
 * Whether `fibers` more fibers and `files` more descriptors fit what the kernel allows
 * (vm.max_map_count, RLIMIT_NOFILE). E_RANGE with what to change.
 */
must_check int fiber_limits_check(unsigned fibers, unsigned files, struct error *err);

/*
 * Starts fn(arg) on carrier `index`. NULL where there is no memory for its stack. Any thread. The
 * fiber must be joined once.
 */
struct fiber *fiber_start(struct carriers *carriers, unsigned index, void *(*fn)(void *),
                          void *arg);

/* Waits until it has ended, frees it and returns fn's result. Any thread, any fiber but itself. */
void *fiber_join(struct fiber *fiber);

/* Ends every wait of the fiber with E_CANCELED, now and from now on. Any thread. */
void fiber_cancel(struct fiber *fiber);
/* Whether the calling fiber has been canceled; false on a thread. */
bool fiber_canceled(void);

/* The calling fiber; NULL on an ordinary thread. */
struct fiber *fiber_self(void);

/* Index of the calling fiber's carrier; 0 on an ordinary thread. */
unsigned fiber_carrier_index(void);

/*
 * When the calling fiber's carrier last looked at its events: what has happened since then to a
 * fiber that was woken is waiting for its turn. On an ordinary thread the present moment.
 */
struct mono fiber_turn_began(void);

/* Lets the carrier's other fibers run. */
void fiber_yield(void);

/*
 * Lets them run where the calling fiber has moved bytes so often that its turn is over. The
 * functions below that wait begin with it: a connection whose two sides always have something
 * cannot keep the carrier to itself. A loop around the fiber_try_ functions calls it as well.
 */
void fiber_breathe(void);

/* 0 when `until` has come, or E_CANCELED. */
must_check int fiber_sleep(struct mono until);

/*
 * Park and unpark: a fiber sleeps until another flow says so. An unpark that comes first is kept
 * (one, not counted), so the caller loops over its own condition. 0, E_TIMEOUT or E_CANCELED.
 */
must_check int fiber_park(struct mono deadline);
void fiber_unpark(struct fiber *fiber);
/* The same without deadline, and cancellation does not end it. */
void fiber_park_always(void);

/*
 * Whether nothing has come on a descriptor since it was last read empty: no byte, no end. True only
 * where it was waited for before. For idle connections; costs no system call on a fiber.
 */
bool fiber_quiet(int fd);

enum fiber_direction { FIBER_READ = 1, FIBER_WRITE = 2 };

struct fiber_wait {
    int fd;
    unsigned want; /* FIBER_READ | FIBER_WRITE */
    unsigned got;  /* set by the wait: what may be tried now */
};

#define FIBER_WAITS_MAX 4

/*
 * Waits until one of `count` descriptors may be read or written as wanted; an error or a hang-up
 * counts as both. Returns how many have `got` set, E_TIMEOUT or E_CANCELED. No two fibers may wait
 * for the same direction of one descriptor.
 */
must_check int fiber_wait_any(struct fiber_wait *waits, unsigned count, struct mono deadline);

/*
 * What there is, at least one byte, at most `size`; 0 at the end of the stream; or E_RESET,
 * E_TIMEOUT, E_CANCELED, E_IO.
 */
must_check ssize_t fiber_recv(int fd, void *p, size_t size, struct mono deadline);

/* The same without waiting: E_BUSY where there is nothing. */
must_check ssize_t fiber_try_recv(int fd, void *p, size_t size);

/*
 * All of it, or an error: 0, E_RESET (also when the peer closed), E_TIMEOUT, E_CANCELED, E_IO.
 * *ret_sent, if not NULL, tells how many bytes the kernel took in either case. `deadline_us` is the
 * patience between two successful writes.
 */
must_check int fiber_send(int fd, const void *p, size_t size, int64_t patience_us,
                          size_t *ret_sent);

/* The same for several pieces in one call; `iov` is used up. */
must_check int fiber_sendv(int fd, struct iovec *iov, unsigned count, int64_t patience_us,
                           size_t *ret_sent);

/* Sends what the kernel takes now: its number of bytes, E_BUSY for none, or an error as above. */
must_check ssize_t fiber_try_send(int fd, const void *p, size_t size);

/* The same for several pieces; `iov` is left as it is. */
must_check ssize_t fiber_try_sendv(int fd, const struct iovec *iov, unsigned count);

/* Connects a non-blocking socket: 0, E_REFUSED, E_TIMEOUT, E_CANCELED, E_IO. */
must_check int fiber_connect(int fd, const struct sockaddr *address, socklen_t length,
                             struct mono deadline);

/* Every descriptor that was ever waited for must be closed by this. Safe for any descriptor, any
 * flow. */
void fiber_close(int fd);

/*
 * Gives the memory of the calling fiber's stack below its present depth back; worth a system call
 * when a connection has ended.
 */
void fiber_trim_stack(void);

struct carriers_stats {
    uint64_t fibers;          /* living now */
    uint64_t switches;        /* turns given to fibers */
    uint64_t longest_turn_us; /* the longest a carrier went without looking at its events, since
                                 last asked */
};

/* Sums over the carriers; asking resets longest_turn_us. Any thread. */
struct carriers_stats carriers_stats(struct carriers *carriers);

#endif
