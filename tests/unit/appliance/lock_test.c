/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "tempdir.h"

#include "appliance/lock.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int flock_errno; /* what the file system answers; 0: what it does */

/* Stands in the place of libc's. */
int flock(int fd, int operation);
int flock(int fd, int operation)
{
    errno = flock_errno;
    return flock_errno != 0 ? -1 : (int)syscall(SYS_flock, fd, operation);
}

/* Another process tries to take what this one holds. */
static void the_other_is_refused_and_told_by_whom(const char *dir)
{
    char holder[64];
    snprintf(holder, sizeof(holder), "process %d;", (int)getpid());
    pid_t pid = fork();
    if (pid == 0) {
        struct dir_lock lock;
        struct error err = ERROR_INIT;
        int r = dir_lock_take(&lock, dir, &err);
        _exit(r == E_BUSY && strstr(err.text, holder) != NULL ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_folder_is_held_by_one_who_is_named(void **state)
{
    struct dir_lock lock;
    struct error err = ERROR_INIT;
    const char *dir = tempdir_path("data");
    (void)state;
    assert_int_equal(dir_lock_take(&lock, dir, &err), 0);
    the_other_is_refused_and_told_by_whom(dir);
    assert_true(dir_lock_stands(&lock, dir));
    dir_lock_release(&lock);
    assert_int_equal(dir_lock_take(&lock, dir, &err), 0);
    dir_lock_release(&lock);
}

static void a_file_system_without_locks_is_not_said_to_be_in_use(void **state)
{
    static const int answers[] = {ENOLCK, EOPNOTSUPP, EIO};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct dir_lock lock;
        struct error err = ERROR_INIT;
        flock_errno = answers[i];
        int r = dir_lock_take(&lock, tempdir_path("data"), &err);
        flock_errno = 0;
        assert_int_equal(r, error_from_errno(answers[i]));
        assert_int_not_equal(r, E_BUSY);
        assert_non_null(strstr(err.text, "cannot be locked"));
        assert_non_null(strstr(err.text, tempdir_path("data")));
        assert_null(strstr(err.text, "in use"));
        assert_int_equal(lock.fd, -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(a_folder_is_held_by_one_who_is_named),
        unit_test_in_tempdir(a_file_system_without_locks_is_not_said_to_be_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
