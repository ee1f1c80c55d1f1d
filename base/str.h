/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h -- views of bytes, the only strings of the request path.
 *
 * A view has a length and no terminator; it borrows from whoever owns the bytes. NUL-terminated
 * strings exist only at the borders to libraries and the kernel.
 *
 * Threads: pure functions.
 * Memory:  nothing is allocated; a result borrows from its argument.
 * Errors:  number parsers say so by a negative code and leave the result alone.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p; /* may be NULL only where n is 0 */
    size_t n;
};

#define STR(lit) ((struct str){.p = (lit), .n = sizeof(lit) - 1})
/* for initialisers of static tables, where a compound literal is not constant */
#define STR_INIT(lit)                                                                              \
    {                                                                                              \
        .p = (lit), .n = sizeof(lit) - 1                                                           \
    }
#define STR_EMPTY ((struct str){.p = NULL, .n = 0})

/* printf("%" STR_FMT, STR_ARG(s)) */
#define STR_FMT ".*s"
#define STR_ARG(s) (int)(s).n, ((s).p != NULL ? (s).p : "")

static inline struct str str_make(const char *p, size_t n)
{
    return (struct str){.p = p, .n = n};
}

/* A view of a NUL-terminated string; NULL gives the empty one. */
static inline struct str str_from(const char *cstr)
{
    return (struct str){.p = cstr, .n = cstr != NULL ? strlen(cstr) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* Bytes [from, to) of s, both clamped to its length. */
static inline struct str str_slice(struct str s, size_t from, size_t to)
{
    if (to > s.n)
        to = s.n;
    if (from > to)
        from = to;
    return (struct str){.p = s.p != NULL ? s.p + from : NULL, .n = to - from};
}

static inline char str_lower_char(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char)(c | 0x20) : c;
}

/* ASCII only: header names, hosts, schemes. */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts_nocase(struct str s, struct str prefix);

/* -1, 0 or 1, by bytes, a prefix first. */
int str_cmp(struct str a, struct str b);

/* Index of the first c at or after `from`; s.n where there is none. */
size_t str_find_char(struct str s, char c, size_t from);

/* Index of the first occurrence of needle; s.n where there is none. */
size_t str_find(struct str s, struct str needle);

/* Without the spaces and tabs on both ends (RFC 9110 §5.6.3, OWS). */
struct str str_trim(struct str s);

/*
 * Takes the part before the next `sep` off *rest and returns it; *rest is what follows. At the end
 * the whole rest is returned and *rest has a NULL pointer: `while (rest.p != NULL)` visits every
 * part, empty ones included.
 */
struct str str_cut(struct str *rest, char sep);

/*
 * The whole of s as an unsigned decimal within [min, max]: digits only, no sign, no space.
 * 0, E_INVALID or E_RANGE.
 */
must_check int str_to_u64(struct str s, uint64_t min, uint64_t max, uint64_t *ret_value);

/* Hexadecimal without prefix, up to 16 digits; otherwise as str_to_u64(). */
must_check int str_hex_to_u64(struct str s, uint64_t max, uint64_t *ret_value);

/* Whether s is valid UTF-8 (RFC 3629: no overlong form, no surrogate, no more than U+10FFFF). */
bool str_is_utf8(struct str s);

/*
 * A keyed hash (SipHash-2-4 under a key drawn once at start): safe against chosen keys from
 * outside, so it serves every table whose keys a client can pick. Differs from one process to the
 * next.
 */
uint64_t str_hash(struct str s);

/*
 * Copies s to the NUL-terminated `out` of `size` bytes, cut where it does not fit. Returns whether
 * all of it fitted.
 */
bool str_copy(struct str s, char *out, size_t size);

/*
 * How far a and b are apart (Damerau-Levenshtein, ASCII case ignored), for "did you mean". Strings
 * longer than 64 bytes count as far apart.
 */
unsigned str_distance(struct str a, struct str b);

#endif
