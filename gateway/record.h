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

/* Fills all of *record; bytes_out is what has been sent so far. */
void record_fill(struct req *req, struct record *record);

/* The most bytes that the record of a request may take, from what is known when it is let through.
 */
size_t record_room(const struct req *req);

/*
 * The query with the values of parameters that look like secrets (by name: key, token, secret,
 * password, signature, auth, code, ...) replaced by "***". A view of `query` itself where nothing
 * had to change.
 */
struct str record_redact_query(struct arena *arena, struct str query, struct str key_param);

#endif
