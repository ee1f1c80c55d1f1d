/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "base/error.h"

#include <pthread.h>
#include <sodium.h>

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        /* most bytes of names that are equal are the same in case too */
        if (a.p[i] != b.p[i] && str_lower_char(a.p[i]) != str_lower_char(b.p[i]))
            return false;
    }
    return true;
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq_nocase(str_slice(s, 0, prefix.n), prefix);
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int r = n > 0 ? memcmp(a.p, b.p, n) : 0;
    if (r != 0)
        return r < 0 ? -1 : 1;
    return a.n < b.n ? -1 : a.n > b.n;
}

size_t str_find_char(struct str s, char c, size_t from)
{
    if (from >= s.n)
        return s.n;
    const char *at = memchr(s.p + from, c, s.n - from);
    return at != NULL ? (size_t)(at - s.p) : s.n;
}

size_t str_find(struct str s, struct str needle)
{
    if (needle.n == 0)
        return 0;
    const char *at = s.n > 0 ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
    return at != NULL ? (size_t)(at - s.p) : s.n;
}

static bool is_ows(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && is_ows(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_ows(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct str str_cut(struct str *rest, char sep)
{
    size_t at = str_find_char(*rest, sep, 0);
    struct str part = str_slice(*rest, 0, at);
    if (at < rest->n)
        *rest = str_slice(*rest, at + 1, rest->n);
    else
        *rest = STR_EMPTY;
    return part;
}

int str_to_u64(struct str s, uint64_t min, uint64_t max, uint64_t *ret_value)
{
    if (s.n == 0)
        return E_INVALID;
    uint64_t value = 0;
    bool over = false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9)
            return E_INVALID;
        over |= __builtin_mul_overflow(value, (uint64_t)10, &value);
        over |= __builtin_add_overflow(value, (uint64_t)digit, &value);
    }
    if (over || value < min || value > max)
        return E_RANGE;
    *ret_value = value;
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = str_lower_char(c);
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

int str_hex_to_u64(struct str s, uint64_t max, uint64_t *ret_value)
{
    if (s.n == 0)
        return E_INVALID;
    uint64_t value = 0;
    bool over = false;
    for (size_t i = 0; i < s.n; i++) {
        int digit = hex_digit(s.p[i]);
        if (digit < 0)
            return E_INVALID;
        over |= (value >> 60) != 0;
        value = value << 4 | (uint64_t)digit;
    }
    if (over || value > max)
        return E_RANGE;
    *ret_value = value;
    return 0;
}

bool str_is_utf8(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;
    while (i < s.n) {
        unsigned char c = p[i];
        size_t more;
        uint32_t cp, least;
        if (c < 0x80) {
            i++;
            continue;
        } else if ((c & 0xe0) == 0xc0) {
            more = 1, cp = c & 0x1fU, least = 0x80;
        } else if ((c & 0xf0) == 0xe0) {
            more = 2, cp = c & 0x0fU, least = 0x800;
        } else if ((c & 0xf8) == 0xf0) {
            more = 3, cp = c & 0x07U, least = 0x10000;
        } else {
            return false;
        }
        if (s.n - i <= more)
            return false;
        for (size_t k = 1; k <= more; k++) {
            if ((p[i + k] & 0xc0) != 0x80)
                return false;
            cp = cp << 6 | (p[i + k] & 0x3fU);
        }
        if (cp < least || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
            return false;
        i += more + 1;
    }
    return true;
}

static unsigned char hash_key[crypto_shorthash_KEYBYTES];
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;

static void hash_init(void)
{
    CHECK(sodium_init() >= 0);
    randombytes_buf(hash_key, sizeof(hash_key));
}

uint64_t str_hash(struct str s)
{
    pthread_once(&hash_once, hash_init);
    unsigned char out[crypto_shorthash_BYTES];
    crypto_shorthash(out, (const unsigned char *)s.p, s.n, hash_key);
    uint64_t h;
    memcpy(&h, out, sizeof(h));
    return h;
}

bool str_copy(struct str s, char *out, size_t size)
{
    CHECK(size > 0);
    size_t n = s.n < size ? s.n : size - 1;
    if (n > 0)
        memcpy(out, s.p, n);
    out[n] = '\0';
    return n == s.n;
}

#define DISTANCE_MAX_LEN 64

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

unsigned str_distance(struct str a, struct str b)
{
    if (a.n > DISTANCE_MAX_LEN || b.n > DISTANCE_MAX_LEN)
        return DISTANCE_MAX_LEN;
    /* three rows of the usual table: two back (for transpositions), one back, and the current one
     */
    unsigned rows[3][DISTANCE_MAX_LEN + 1];
    for (unsigned j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned *now = rows[i % 3], *prev = rows[(i + 2) % 3], *prev2 = rows[(i + 1) % 3];
        now[0] = i;
        char ca = str_lower_char(a.p[i - 1]);
        for (unsigned j = 1; j <= b.n; j++) {
            char cb = str_lower_char(b.p[j - 1]);
            now[j] = min3(prev[j] + 1, now[j - 1] + 1, prev[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == str_lower_char(b.p[j - 2]) &&
                cb == str_lower_char(a.p[i - 2]) && prev2[j - 2] + 1 < now[j])
                now[j] = prev2[j - 2] + 1;
        }
    }
    return rows[a.n % 3][b.n];
}
