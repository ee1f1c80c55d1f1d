/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal.h -- texts that lie in a database and that its thief must not read.
 *
 * Sealed with XChaCha20-Poly1305 under a key that is drawn from the pepper, a file beside the
 * database: a copy of the database alone opens nothing. What was sealed for one purpose and place
 * opens for no other.
 *
 * Threads: pure functions.
 * Memory:  results are appended to the caller's buffer, who wipes what was opened.
 * Errors:  E_CORRUPT where something was not sealed with this key, for this place, or was changed.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/buf.h"
#include "base/secret.h"

struct seal_key {
    unsigned char b[32];
};

/* The key for a purpose ("mails"): another purpose has another. */
struct seal_key seal_key_make(const struct pepper *pepper, struct str purpose);

/* Appends `text` sealed for `place`, the id of the row it stands in. */
void seal(struct buf *out, const struct seal_key *key, struct str text, struct str place);

/* Appends what was sealed for `place`. */
must_check int seal_open(struct buf *out, const struct seal_key *key, struct str sealed,
                         struct str place);

#endif
