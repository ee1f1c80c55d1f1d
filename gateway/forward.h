/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward.h -- passes a request on to its upstream and the answer back, streaming both ways.
 *
 * One loop of waits over both connections (fiber_wait_any) sends what the client sends, notices an
 * answer that comes before the request is complete, and a client that goes away. The record is
 * committed before the write that completes the answer.
 *
 * Threads: the request's fiber.
 * Memory:  the request's two buffers: what is composed (out) and what the upstream sent (in).
 * Errors:  what goes wrong before the answer's head was sent becomes a refusal; after it, the
 * client's connection is closed and the record says why.
 */
#ifndef GATEWAY_FORWARD_H
#define GATEWAY_FORWARD_H

#include "gateway/req.h"

/* Forwards and answers; every path ends with the record committed. */
void forward(struct req *req);

/*
 * Composes the head for the upstream into `out` (forward_head.c): our own fields in place of the
 * client's, what belongs to the client's connection left out. `prefix` and `host` are the target's.
 */
void forward_request_head(struct req *req, struct buf *out, struct str prefix, struct str host);

/* Appends the path and query that the upstream is asked for. */
void forward_target(struct req *req, struct buf *out, struct str prefix);

/* Composes the answer's head from the upstream's. `chunked`: the body follows in chunks. */
void forward_answer_head(struct req *req, const struct head *answer, bool chunked, struct buf *out);

#endif
