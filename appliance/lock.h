/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.h -- the data directory belongs to one process at a time.
 *
 * Threads: one.
 * Memory:  a descriptor; the kernel lets go of the lock when the process ends, however it ends.
 * Errors:  says which process has it.
 */
#ifndef APPLIANCE_LOCK_H
#define APPLIANCE_LOCK_H

#include "base/error.h"

struct dir_lock {
    int fd;
};

/*
 * Makes the directory (mode 0700, parents must exist) and takes its lock. E_BUSY names the process
 * that holds it; the others say what to do about the folder or its file system.
 */
must_check int dir_lock_take(struct dir_lock *lock, const char *dir, struct error *err);
/* Whether what is locked is still what lies in `dir`: nobody removed or replaced the directory. */
bool dir_lock_stands(const struct dir_lock *lock, const char *dir);

void dir_lock_release(struct dir_lock *lock);

#endif
