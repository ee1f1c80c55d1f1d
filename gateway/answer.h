/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h -- giving answers: the fields every one bears, the problem bodies of our own, and the
 * record that is committed before the write that completes one.
 *
 * Threads: the request's fiber.
 * Memory:  the request's buffers.
 * Errors:  sending fails with what http_send() tells; the record is then amended.
 */
#ifndef GATEWAY_ANSWER_H
#define GATEWAY_ANSWER_H

#include "gateway/req.h"

/*
 * Leaves the policies that were entered and appends what every answer bears: X-Request-Id, what
 * policies added, Connection. `reason` codes get Weir-Reason. To be called once, when the status is
 * known.
 */
void answer_common_fields(struct req *req, struct buf *out);

/* Sends the problem body (RFC 9457) of a refused request: JSON, or HTML where a browser asks for
 * it. */
void answer_problem(struct req *req);

/*
 * Sends what completes the answer, after committing the record. `pending` is the number of bytes in
 * `iov`. Whatever becomes of the write, the record then tells the truth.
 */
void answer_complete(struct req *req, struct iovec *iov, unsigned count, size_t pending);

/* Commits the record of an answer that ends without a further write (the client or upstream broke
 * off). */
void answer_broken_off(struct req *req);

/* The whole text for a connection that finds no worker: fixed, since nothing is known of the
 * request. */
void answer_overloaded(struct buf *out, struct str problem_base);

#endif
