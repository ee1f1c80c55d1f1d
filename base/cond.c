/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cond.h"

void cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mtx, struct mono until)
{
    struct timespec t = {.tv_sec = until.us / US_PER_S, .tv_nsec = until.us % US_PER_S * 1000};
    return pthread_cond_timedwait(cond, mtx, &t) == 0;
}
