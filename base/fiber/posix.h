/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix.h -- the blocking calls of POSIX as CivetWeb makes them, with fibers among the threads.
 *
 * base/http/civetweb_unit.c compiles CivetWeb with these in place of the C library's. On a fiber
 * they make the fiber wait; on a thread they are the calls themselves. Threads and fibers may wait
 * for and signal the same condition variable in any mixture: that is how CivetWeb's accepting
 * thread hands connections to workers that are fibers.
 *
 * Threads: any.
 * Memory:  a record for each condition variable a fiber has waited for, until it is destroyed.
 * Errors:  as the calls they stand for.
 */
#ifndef BASE_FIBER_POSIX_H
#define BASE_FIBER_POSIX_H

#include "base/fiber/fiber.h"

#include <poll.h>
#include <pthread.h>

/*
 * Who runs the start routine: with carriers set, a fiber on carrier `next` (counted up, so that
 * workers are spread evenly); else a thread. The pthread_t of a fiber is its struct fiber.
 */
struct posix_spawn_place {
    struct carriers *carriers; /* NULL for real threads */
    unsigned next;
};

int posix_thread_create(pthread_t *thread, void *(*fn)(void *), void *arg,
                        struct posix_spawn_place *place);

/* Joins what posix_thread_create() made; it must be told which of the two it is. */
int posix_thread_join(pthread_t thread, bool is_fiber);

int posix_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int posix_usleep(unsigned us);
int posix_close(int fd);

int posix_setspecific(pthread_key_t key, const void *value);
void *posix_getspecific(pthread_key_t key);

int posix_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int posix_cond_signal(pthread_cond_t *cond);
int posix_cond_broadcast(pthread_cond_t *cond);
int posix_cond_destroy(pthread_cond_t *cond);

#endif
