/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form.h -- inside of portal/: names and values of queries and of forms
 * (application/x-www-form-urlencoded).
 *
 * Threads: pure functions.
 * Memory:  results lie in the arena.
 * Errors:  E_INVALID for broken escapes, E_NOMEM where the arena is full.
 */
#ifndef PORTAL_FORM_H
#define PORTAL_FORM_H

#include "base/arena.h"

/* The text with its escapes undone; `+` is a space. */
must_check int form_decode(struct arena *arena, struct str s, struct str *ret_text);

/*
 * Takes the next pair off *rest. 1 with a pair, 0 at the end, or a negative code.
 */
must_check int form_next(struct arena *arena, struct str *rest, struct str *ret_name,
                         struct str *ret_value);

/* Appends `s` with escapes, for a query or a form. */
struct buf;
void form_encode(struct buf *out, struct str s);

#endif
