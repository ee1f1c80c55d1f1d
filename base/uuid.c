/* SPDX-License-Identifier: Apache-2.0 */
#include "base/uuid.h"

#include "base/error.h"

#include <errno.h>
#include <sys/random.h>

#define RANDOM_BYTES 10

/* One call for all of it, where libsodium would make one for every 256 bytes. */
static void refill(struct uuid_source *source)
{
    size_t n = 0;
    while (n < sizeof(source->pool)) {
        ssize_t got = getrandom(source->pool + n, sizeof(source->pool) - n, 0);
        CHECK(got > 0 || errno == EINTR);
        n += got > 0 ? (size_t)got : 0;
    }
    source->left = sizeof(source->pool);
}

struct uuid uuid7_make(struct uuid_source *source, struct wall now)
{
    if (unlikely(source->left < RANDOM_BYTES))
        refill(source);
    source->left -= RANDOM_BYTES;
    struct uuid id;
    uint64_t ms = (uint64_t)(now.us / US_PER_MS);
    for (unsigned i = 0; i < 6; i++)
        id.b[i] = (unsigned char)(ms >> (40 - 8 * i));
    memcpy(id.b + 6, source->pool + source->left, RANDOM_BYTES);
    id.b[6] = (unsigned char)(0x70 | (id.b[6] & 0x0f));
    id.b[8] = (unsigned char)(0x80 | (id.b[8] & 0x3f));
    return id;
}

struct wall uuid7_time(struct uuid id)
{
    uint64_t ms = 0;
    for (unsigned i = 0; i < 6; i++)
        ms = ms << 8 | id.b[i];
    return (struct wall){.us = (int64_t)ms * US_PER_MS};
}

static bool dash_before(unsigned byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void uuid_format(struct uuid id, char out[static UUID_TEXT_LEN])
{
    static const char digits[] = "0123456789abcdef";
    char *p = out;
    for (unsigned i = 0; i < sizeof(id.b); i++) {
        if (dash_before(i))
            *p++ = '-';
        *p++ = digits[id.b[i] >> 4];
        *p++ = digits[id.b[i] & 15];
    }
}

int uuid_parse(struct str s, struct uuid *ret_id)
{
    struct uuid id;
    size_t at = 0;
    if (s.n != UUID_TEXT_LEN)
        return E_INVALID;
    for (unsigned i = 0; i < sizeof(id.b); i++) {
        uint64_t v;
        if (dash_before(i) && s.p[at++] != '-')
            return E_INVALID;
        if (str_hex_to_u64(str_slice(s, at, at + 2), 255, &v) != 0)
            return E_INVALID;
        id.b[i] = (unsigned char)v;
        at += 2;
    }
    *ret_id = id;
    return 0;
}
