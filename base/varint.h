/* SPDX-License-Identifier: Apache-2.0 */
/*
 * varint.h -- unsigned numbers in as few bytes as they need: seven bits a byte, the low ones first,
 * the top bit set on all but the last.
 *
 * Threads: pure functions.
 * Memory:  the caller's.
 * Errors:  taking says false where the bytes end early or the number is larger than 64 bits.
 */
#ifndef BASE_VARINT_H
#define BASE_VARINT_H

#include "base/buf.h"

#define VARINT_MAX 10 /* bytes of the largest number */

/* Writes v to `to`, which has VARINT_MAX bytes of room; returns the byte after it. */
static inline unsigned char *varint_put(unsigned char *to, uint64_t v)
{
    while (v >= 0x80) {
        *to++ = (unsigned char)(v | 0x80);
        v >>= 7;
    }
    *to++ = (unsigned char)v;
    return to;
}

static inline void varint_add(struct buf *out, uint64_t v)
{
    unsigned char bytes[VARINT_MAX];
    buf_add(out, bytes, (size_t)(varint_put(bytes, v) - bytes));
}

/* Takes a number off the front of *from. */
must_check static inline bool varint_take(struct str *from, uint64_t *ret_v)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < VARINT_MAX && i < from->n; i++) {
        unsigned char byte = (unsigned char)from->p[i];
        if (i == VARINT_MAX - 1 && byte > 1)
            return false;
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *from = str_slice(*from, i + 1, from->n);
            *ret_v = v;
            return true;
        }
    }
    return false;
}

#endif
