/* SPDX-License-Identifier: Apache-2.0 */
/*
 * throttle.h -- inside of portal/: how often somebody may fail, by account and by address.
 *
 * A table of fixed size. Each name (an account's address, a client's IP) has a count that begins
 * anew when its window is over. Names are hashed under a key drawn at start, so nobody can aim at
 * another's place; where a place is full, the oldest count goes: an attacker who fills the table
 * with names is held by the count of the address they come from.
 *
 * Threads: any; one mutex.
 * Memory:  fixed.
 * Errors:  none.
 */
#ifndef PORTAL_THROTTLE_H
#define PORTAL_THROTTLE_H

#include "base/clock.h"

struct throttle;

enum throttle_kind {
    THROTTLE_ACCOUNT,  /* wrong passwords of one account */
    THROTTLE_ADDRESS,  /* wrong passwords and tokens from one address */
    THROTTLE_SIGN_UPS, /* accounts made from one address */
    THROTTLE_MAILS,    /* mails asked for from one address */
    THROTTLE_LETTERS,  /* mails to one address that anybody can ask for */
    THROTTLE_KEYS,     /* keys issued of one app */
    THROTTLE_KINDS
};

struct throttle *throttle_create(void);
void throttle_destroy(struct throttle *throttle); /* NULL is accepted */

/* Whether `name` has used up its count; if so, in how many seconds it begins anew. */
bool throttle_is_full(struct throttle *throttle, enum throttle_kind kind, struct str name,
                      struct mono now, unsigned *ret_seconds);

/* Counts one. */
void throttle_count(struct throttle *throttle, enum throttle_kind kind, struct str name,
                    struct mono now);

/* Begins anew at once: the right password came. */
void throttle_forget(struct throttle *throttle, enum throttle_kind kind, struct str name);

#endif
