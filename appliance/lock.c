/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/lock.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_dir(const char *dir, struct error *err)
{
    if (mkdir(dir, 0700) == 0 || errno == EEXIST)
        return 0;
    int e = errno;
    if (e == ENOENT)
        return error_set(err, E_NOT_FOUND,
                         "data_dir %s cannot be made: its parent folder does not exist", dir);
    if (e == ENOTDIR)
        return error_set(
            err, E_INVALID,
            "data_dir %s cannot be made: a part of that path is a file; choose another", dir);
    if (e == EACCES || e == EPERM || e == EROFS)
        return error_set_errno(
            err, E_DENIED, e,
            "data_dir %s cannot be made; choose a folder this user may write to, or "
            "make it and give it to this user",
            dir);
    return error_set_errno(err, error_from_errno(e), e, "data_dir %s cannot be made", dir);
}

static int say_holder(int fd, const char *dir, struct error *err)
{
    char pid[32] = "";
    ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);
    uint64_t number;
    if (n > 0 &&
        str_to_u64(str_make(pid, (size_t)n - (pid[n - 1] == '\n')), 1, INT32_MAX, &number) == 0)
        return error_set(
            err, E_BUSY,
            "data_dir %s is in use by process %llu; stop it, or give this instance a data_dir "
            "of its own",
            dir, (unsigned long long)number);
    return error_set(err, E_BUSY, "data_dir %s is in use by another process", dir);
}

int dir_lock_take(struct dir_lock *lock, const char *dir, struct error *err)
{
    char path[4096], pid[32];
    lock->fd = -1;
    int r = make_dir(dir, err);
    if (r != 0)
        return r;
    snprintf(path, sizeof(path), "%s/lock", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        int e = errno;
        if (e == ENOTDIR)
            return error_set(err, E_INVALID, "data_dir %s is a file; choose a folder", dir);
        return error_set_errno(err, error_from_errno(e), e, "data_dir %s cannot be written to",
                               dir);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int e = errno;
        r = e == EWOULDBLOCK ? say_holder(fd, dir, err)
                             : error_set_errno(err, error_from_errno(e), e,
                                               "data_dir %s cannot be locked; choose a folder of a "
                                               "file system that has locks",
                                               dir);
        close(fd);
        return r;
    }
    int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != n) {
        int e = errno;
        close(fd);
        return error_set_errno(err, error_from_errno(e), e, "data_dir %s cannot be written to",
                               dir);
    }
    lock->fd = fd;
    return 0;
}

bool dir_lock_stands(const struct dir_lock *lock, const char *dir)
{
    char path[4096];
    struct stat held, there;
    snprintf(path, sizeof(path), "%s/lock", dir);
    return fstat(lock->fd, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino &&
           held.st_dev == there.st_dev;
}

void dir_lock_release(struct dir_lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}
