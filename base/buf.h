/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h -- bytes that grow, never past a ceiling.
 *
 * A buffer is initialised with a ceiling (limits.h) or over memory of the caller. Appending never
 * fails visibly: past the ceiling the buffer remembers it, and one look at buf_finish() at the end
 * decides. So the code between has no error paths.
 *
 * Threads: a buffer belongs to one thread.
 * Memory:  heap, doubled as needed; buf_free() gives it back. Over caller's memory: none.
 * Errors:  sticky; buf_finish() tells.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/compiler.h"
#include "base/str.h"

#include <stdarg.h>

struct buf {
    char *p;     /* the bytes; may be NULL while empty */
    size_t n;    /* how many are in use */
    size_t cap;  /* how many p holds */
    size_t max;  /* the ceiling of n */
    bool fixed;  /* p is the caller's: neither grown nor freed */
    bool failed; /* something did not fit, or memory ran out */
};

/* An empty buffer that may grow to `max` bytes. Allocates nothing yet. */
void buf_init(struct buf *b, size_t max);

/* An empty buffer over `size` bytes at `mem`, which must outlive it. */
void buf_init_fixed(struct buf *b, char *mem, size_t size);

/* Frees what it owns and leaves it empty, usable again with the same ceiling. */
void buf_free(struct buf *b);

/* The same for one that held a secret: its memory is overwritten before. */
void buf_wipe(struct buf *b);

/* Empty and without error, memory kept for the next use. */
void buf_clear(struct buf *b);

/* What buf_reserve() does where there is no room yet; not for others. */
char *buf_grow(struct buf *b, size_t n);

/*
 * Makes room for n more bytes and returns where to put them, or NULL; then call buf_advance().
 * Inline like what is built on it: composing heads is mostly appending a few bytes that fit.
 */
static inline char *buf_reserve(struct buf *b, size_t n)
{
    if (unlikely(b->failed || n > b->cap - b->n))
        return buf_grow(b, n);
    return b->p + b->n;
}

static inline void buf_advance(struct buf *b, size_t n)
{
    CHECK(n <= b->cap - b->n);
    b->n += n;
}

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0)
        return;
    char *to = buf_reserve(b, n);
    if (likely(to != NULL)) {
        memcpy(to, p, n);
        b->n += n;
    }
}

static inline void buf_add_char(struct buf *b, char c)
{
    char *to = buf_reserve(b, 1);
    if (likely(to != NULL)) {
        *to = c;
        b->n++;
    }
}

void buf_add_u64(struct buf *b, uint64_t v);
void buf_add_i64(struct buf *b, int64_t v);
/* Little-endian, for binary formats. */
void buf_add_le32(struct buf *b, uint32_t v);
void buf_add_le64(struct buf *b, uint64_t v);
attr_printf(2, 3) void buf_printf(struct buf *b, const char *fmt, ...);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) attr_printf(2, 0);

static inline void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

static inline void buf_add_cstr(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

#define buf_add_lit(b, lit) buf_add((b), (lit), sizeof(lit) - 1)

/* Drops the first n bytes, moving the rest to the front. */
void buf_consume(struct buf *b, size_t n);

/* 0, or E_TOO_LARGE when anything appended did not fit. */
must_check int buf_finish(const struct buf *b);

static inline struct str buf_str(const struct buf *b)
{
    return str_make(b->p, b->n);
}

/* The bytes with a NUL after them (not counted in n); "" when empty; NULL when it does not fit. */
const char *buf_cstr(struct buf *b);

#endif
