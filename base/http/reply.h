/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.h -- an answer that this program makes itself, whole and in one write.
 *
 * A handler fills a struct reply and sends it. Everything an answer needs besides is added here:
 * status line, Date, Content-Length, Connection; no body to HEAD, 304 to a condition that holds,
 * the rest of a request's body read first or the connection closed.
 *
 * Threads: a reply belongs to its request's worker; the rest are pure functions.
 * Memory:  a reply borrows what it points to until it is sent.
 * Errors:  sending returns the codes of http_send(); the connection is then closed anyway.
 */
#ifndef BASE_HTTP_REPLY_H
#define BASE_HTTP_REPLY_H

#include "base/http/server.h"

/* "Not Found" for 404 (RFC 9110 §15); empty where the status is not registered. */
struct str http_status_phrase(unsigned status);

#define HTTP_DATE_SIZE 30

/*
 * The present time as "Mon, 23 Nov 2026 18:04:05 GMT" with a NUL, made once a second and thread.
 */
void http_date(char out[static HTTP_DATE_SIZE]);

#define REPLY_FIELDS_MAX 16
#define REPLY_HEAD_MAX 4096 /* bytes of a whole head */

struct reply_field {
    struct str name, value;
};

struct reply {
    unsigned status;
    struct str type;   /* Content-Type; empty where there is no body */
    struct str coding; /* Content-Encoding; empty for bytes as they are */
    struct str body;
    struct str etag; /* with its quotes; where given, If-None-Match is answered with 304 */
    struct reply_field fields[REPLY_FIELDS_MAX];
    unsigned field_count;
};

/*
 * Adds a header field, other than those that reply_send() makes: Date, Connection, ETag, and the
 * Content- ones. A value with a control character would be a header of somebody else's making: that
 * field is left out.
 */
void reply_add(struct reply *reply, struct str name, struct str value);

/*
 * Sends the answer. Sets conn->close where the connection must end after it: the client or the
 * server wants so, the head was refused, the body could not be read to its end. 0, E_TOO_LARGE for
 * a head beyond REPLY_HEAD_MAX (nothing was sent), or a code of http_send().
 */
must_check int reply_send(struct http_conn *conn, const struct reply *reply);

/*
 * Makes `reply` the problem document (RFC 9457) of that status: the phrase as its title, and
 * `detail`, which may be empty. Fields that are there stay. The text is made in `arena`, and the
 * body is empty where that is full.
 */
void reply_problem(struct reply *reply, struct arena *arena, unsigned status, struct str detail);

/* The answer to a refused head: conn->fault as a problem document, with conn->why as its detail. */
must_check int reply_fault(struct http_conn *conn);

#endif
