/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/error.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST_CAP 256

void buf_init(struct buf *b, size_t max)
{
    CHECK(max > 0);
    *b = (struct buf){.max = max};
}

void buf_init_fixed(struct buf *b, char *mem, size_t size)
{
    *b = (struct buf){.p = mem, .cap = size, .max = size, .fixed = true};
}

void buf_free(struct buf *b)
{
    if (b->fixed) {
        buf_clear(b);
        return;
    }
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_wipe(struct buf *b)
{
    if (b->p != NULL)
        sodium_memzero(b->p, b->cap);
    buf_free(b);
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->failed = false;
}

char *buf_grow(struct buf *b, size_t n)
{
    if (b->failed || b->fixed || n > b->max - b->n) {
        b->failed = true;
        return NULL;
    }
    size_t want = b->cap > 0 ? b->cap : BUF_FIRST_CAP;
    while (want < b->n + n)
        want = want > b->max / 2 ? b->max : want * 2;
    if (want > b->max)
        want = b->max;
    char *p = realloc(b->p, want);
    if (p == NULL) {
        b->failed = true;
        return NULL;
    }
    b->p = p;
    b->cap = want;
    return p + b->n;
}

void buf_add_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t i = sizeof(digits);
    do {
        digits[--i] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    buf_add(b, digits + i, sizeof(digits) - i);
}

void buf_add_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_add_char(b, '-');
    buf_add_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_add_le32(struct buf *b, uint32_t v)
{
    unsigned char out[4];
    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (unsigned char)(v >> (8 * i));
    buf_add(b, out, sizeof(out));
}

void buf_add_le64(struct buf *b, uint64_t v)
{
    buf_add_le32(b, (uint32_t)v);
    buf_add_le32(b, (uint32_t)(v >> 32));
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    CHECK(n >= 0);
    /* one more than needed: vsnprintf insists on its terminator */
    char *to = buf_reserve(b, (size_t)n + 1);
    if (to != NULL) {
        vsnprintf(to, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
    CHECK(n <= b->n);
    if (n > 0 && n < b->n)
        memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

int buf_finish(const struct buf *b)
{
    return b->failed ? E_TOO_LARGE : 0;
}

const char *buf_cstr(struct buf *b)
{
    char *end = buf_reserve(b, 1);
    if (end == NULL)
        return NULL;
    *end = '\0';
    return b->p;
}
