/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fiber/stack.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

void *stack_create(void)
{
    const size_t size = FIBER_GUARD_BYTES + FIBER_STACK_BYTES;
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (mprotect(p, FIBER_GUARD_BYTES, PROT_NONE) != 0) {
        munmap(p, size);
        return NULL;
    }
    /* a stack is used at its top: a huge page for its sake would cost 2 MiB a connection */
    madvise(p, size, MADV_NOHUGEPAGE);
    return p + FIBER_GUARD_BYTES;
}

void stack_destroy(void *bottom)
{
    if (bottom != NULL)
        munmap((char *)bottom - FIBER_GUARD_BYTES, FIBER_GUARD_BYTES + FIBER_STACK_BYTES);
}

void stack_trim(void *bottom, const void *below)
{
    const uintptr_t page = 4096;
    uintptr_t from = (uintptr_t)bottom, to = (uintptr_t)below & ~(page - 1);
    if (to > from)
        madvise(bottom, to - from, MADV_DONTNEED);
}
