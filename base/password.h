/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.h -- passwords of people: Argon2id, as many at once as the machine can bear.
 *
 * 19 MiB and two passes each (OWASP's first choice), through libsodium, whose text form holds the
 * parameters: they can be raised later, and old hashes still verify. A hash costs tens of
 * milliseconds and its memory, so only a few run at a time and a bounded number waits; who comes
 * after that is told to come again.
 *
 * Threads: any that may wait.
 * Memory:  what libsodium takes during a hash; it is wiped.
 * Errors:  E_BUSY where too many wait, E_NOMEM.
 */
#ifndef BASE_PASSWORD_H
#define BASE_PASSWORD_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>

#define PASSWORD_TEXT_MAX 128 /* with its NUL */

struct passwords;

/* At most `at_once` hashes run, and `waiting` more wait. Draws a hash that no password has. */
struct passwords *passwords_create(unsigned at_once, unsigned waiting);
void passwords_destroy(struct passwords *passwords); /* NULL is accepted */

must_check int password_hash(struct passwords *passwords, struct str password,
                             char ret_text[static PASSWORD_TEXT_MAX]);

/*
 * Whether the password is the one of `text`. An empty text is nobody's: it takes as long as any
 * other and is false.
 */
must_check int password_verify(struct passwords *passwords, struct str text, struct str password,
                               bool *ret_right);

#endif
