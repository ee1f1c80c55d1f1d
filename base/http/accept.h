/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.h -- what a request says it would like: media types, codings, and what it has already.
 *
 * Threads: pure functions.
 * Memory:  nothing is allocated.
 * Errors:  none; an element that cannot be read counts as not sent.
 */
#ifndef BASE_HTTP_ACCEPT_H
#define BASE_HTTP_ACCEPT_H

#include "base/http/head.h"

#define QUALITY_MAX 1000

/*
 * How welcome a media type ("text/html") is by the Accept fields, 0 to QUALITY_MAX: the range that
 * fits it most closely decides, of equals the best. Parameters other than q are not looked at.
 * Without an Accept field everything is welcome.
 */
unsigned http_accept_type(const struct head *head, struct str type);

/*
 * How welcome a content coding ("gzip", "br") is by the Accept-Encoding fields. 0 without such a
 * field: a client that says nothing gets the bytes as they are.
 */
unsigned http_accept_coding(const struct head *head, struct str coding);

/* Whether an If-None-Match field is `*` or holds this tag, compared weakly (RFC 9110 §13.1.2). */
bool http_etag_matches(const struct head *head, struct str etag);

#endif
