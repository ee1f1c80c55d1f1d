/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into Weir, counts what its carriers ask of the allocator: a warm request should ask
 * nothing. The count is the first eight bytes of the file that BENCH_COUNT names.
 *
 *     cc -shared -fPIC -O2 -o count-allocations.so count-allocations.c
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* glibc's own, under the names that leave the public ones to whoever interposes */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static _Atomic uint64_t *counter;

__attribute__((constructor)) static void open_counter(void)
{
    const char *path = getenv("BENCH_COUNT");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *p = fd >= 0 ? mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (p != MAP_FAILED)
        counter = p;
    if (fd >= 0)
        close(fd);
}

static void count(void)
{
    char name[16] = "";
    if (counter == NULL || prctl(PR_GET_NAME, name) != 0 || strncmp(name, "carrier-", 8) != 0)
        return;
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void *malloc(size_t size)
{
    count();
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    count();
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    count();
    return __libc_realloc(p, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count();
    return __libc_memalign(alignment, size);
}
