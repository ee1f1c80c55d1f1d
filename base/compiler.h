/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compiler.h -- the one family of GNU attributes in use, and the assertion that stays on.
 *
 * Threads: stateless.
 * Memory:  none.
 * Errors:  CHECK() aborts: it is for bugs, never for input.
 */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>

#define attr_printf(fmt_index, first) __attribute__((format(printf, fmt_index, first)))
#define attr_nonnull __attribute__((nonnull))
#define attr_noreturn __attribute__((noreturn))
#define attr_noinline __attribute__((noinline))
#define attr_cold __attribute__((cold, noinline))
#define attr_packed __attribute__((packed))
#define must_check __attribute__((warn_unused_result))

/* Calls fn(&variable) when the variable goes out of scope. */
#define _cleanup_(fn) __attribute__((cleanup(fn)))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Each line is loaded and stored as a whole: what two threads write must not share one. */
#define CACHE_LINE 64
#define cache_aligned _Alignas(CACHE_LINE)

/* A condition that only a bug can break. Stays on in production: a wrong bill is worse than none.
 */
#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (unlikely(!(cond)))                                                                     \
            check_failed(#cond, __FILE__, __LINE__);                                               \
    } while (0)

/* Prints the broken condition to stderr and aborts. */
attr_noreturn attr_cold void check_failed(const char *cond, const char *file, int line);

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifndef WITH_ASAN
#define WITH_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#ifndef WITH_TSAN
#define WITH_TSAN 0
#endif

#endif
