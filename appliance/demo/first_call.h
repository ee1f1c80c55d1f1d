/* SPDX-License-Identifier: Apache-2.0 */
/*
 * first_call.h -- makes the call that the demo is about to show, so that what it shows works.
 *
 * Threads: a thread that may wait.
 * Memory:  the caller's.
 * Errors:  one sentence.
 */
#ifndef APPLIANCE_DEMO_FIRST_CALL_H
#define APPLIANCE_DEMO_FIRST_CALL_H

#include "appliance/demo/place.h"
#include "base/uuid.h"

#define FIRST_CALL_PATH "/shop/books/7"

/*
 * GET of that path with the key; the answer's X-Request-Id. E_PROTOCOL where the answer is not a
 * 200.
 */
must_check int first_call(const struct place_port *gateway, const char *key,
                          char ret_id[static UUID_TEXT_LEN + 1], struct error *err);

#endif
