/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cond.h -- waits on a condition, until a moment of the clock that never jumps: one that is set
 * back must not make anybody sleep for so much longer.
 *
 * Threads: as the functions of pthread_cond_t, whose others are used as they are.
 * Memory:  the caller's; given back by pthread_cond_destroy().
 * Errors:  none.
 */
#ifndef BASE_COND_H
#define BASE_COND_H

#include "base/clock.h"

#include <pthread.h>

void cond_init(pthread_cond_t *cond);

/* Waits with the mutex held, as pthread_cond_wait(). False when the moment has come. */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mtx, struct mono until);

#endif
