/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uuid.h -- UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then chance. Sorts by time of birth.
 *
 * Threads: a source belongs to one thread; the other functions are pure.
 * Memory:  none.
 * Errors:  parsing returns E_INVALID.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/clock.h"

#define UUID_TEXT_LEN 36

struct uuid {
    unsigned char b[16];
};

/* Chance bought in bulk: one getrandom(2) serves a few hundred ids. Zeroed memory is a valid
 * source. */
struct uuid_source {
    unsigned char pool[4080];
    unsigned left; /* bytes of the pool not used yet */
};

/* A fresh id. Ids of one source made in one millisecond are unique, not ordered. */
struct uuid uuid7_make(struct uuid_source *source, struct wall now);

/* The moment, in milliseconds, that an id carries. */
struct wall uuid7_time(struct uuid id);

/* "0193551e-…", lower case, no terminator. */
void uuid_format(struct uuid id, char out[static UUID_TEXT_LEN]);

/* The 36-character form, either case. 0 or E_INVALID. */
must_check int uuid_parse(struct str s, struct uuid *ret_id);

#endif
