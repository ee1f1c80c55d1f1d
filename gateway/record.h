/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h -- makes the access record of a request, at the moment its answer is about to be
 * complete.
 *
 * Threads: the request's fiber.
 * Memory:  views into the request; texts that had to be changed lie in its arena.
 * Errors:  none; what does not fit is left out.
 */
#ifndef GATEWAY_RECORD_H
#define GATEWAY_RECORD_H

#include "gateway/req.h"

struct str_list;

/* Fills all of *record; bytes_out is what has been sent so far. */
void record_fill(struct req *req, struct record *record);

/* The most bytes that the record of a request may take, from what is known when it is let through.
 */
size_t record_room(const struct req *req);

/*
 * The query with the values of parameters that look like secrets (by name: key, token, secret,
 * password, signature, auth, code, ..., and those that hold the key at any API, in any case)
 * replaced by "***", and all that record_redact_keys() finds. A view of `query` itself where
 * nothing had to change.
 */
struct str record_redact_query(struct arena *arena, struct str query,
                               const struct str_list *key_params);

/* The text with everything that has the form of a key of ours replaced by "***". */
struct str record_redact_keys(struct arena *arena, struct str text);

#endif
