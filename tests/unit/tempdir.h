/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tempdir.h -- a folder of its own for each test, gone with what is in it.
 *
 * Threads: one.
 * Memory:  static.
 * Errors:  a failed assertion.
 */
#ifndef TESTS_UNIT_TEMPDIR_H
#define TESTS_UNIT_TEMPDIR_H

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char tempdir[256];

static inline void tempdir_remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char child[PATH_MAX];
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        int n = snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
        if (n < 0 || (size_t)n >= sizeof(child))
            continue;
        if (lstat(child, &st) == 0 && S_ISDIR(st.st_mode))
            tempdir_remove_tree(child);
        else
            unlink(child);
    }
    closedir(dir);
    rmdir(path);
}

static inline int tempdir_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(tempdir, sizeof(tempdir), "%s/weir-test-XXXXXX", base != NULL ? base : "/tmp");
    return mkdtemp(tempdir) != NULL ? 0 : -1;
}

static inline int tempdir_teardown(void **state)
{
    (void)state;
    tempdir_remove_tree(tempdir);
    return 0;
}

/* "DIR/name", in one of a few static buffers. */
static inline const char *tempdir_path(const char *name)
{
    static char paths[8][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, PATH_MAX, "%s/%s", tempdir, name);
    return path;
}

#define unit_test_in_tempdir(test)                                                                 \
    cmocka_unit_test_setup_teardown(test, tempdir_setup, tempdir_teardown)

#endif
