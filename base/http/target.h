/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h -- the target of a request: taken apart, and one normalised path to match it by.
 *
 * The normalised path decides which route a request takes; the original bytes are what is
 * forwarded. So the two must not be able to mean different things: what decodes to NUL or to a
 * control character is refused, and an encoded slash stays encoded (it is data within a segment).
 *
 * Threads: pure functions.
 * Memory:  views into the target, or into the caller's buffer for the normalised path.
 * Errors:  NULL, or an English reason for a 400.
 */
#ifndef BASE_HTTP_TARGET_H
#define BASE_HTTP_TARGET_H

#include "base/str.h"

struct http_target {
    struct str path;  /* as sent; "*" for OPTIONS *; "/" for an absolute target without a path */
    struct str query; /* behind the '?', which is not part of it */
    bool has_query;
    struct str authority; /* of an absolute target; empty otherwise */
};

/*
 * Origin form, absolute form (http and https), and `*` for OPTIONS (RFC 9112 §3.2). Anything else
 * is refused.
 */
const char *target_parse(struct http_target *target, struct str method, struct str text);

/*
 * Normalises a path into `out`, which must hold path.n bytes: percent-encoded unreserved characters
 * decoded, other escapes in upper case, dot segments removed (RFC 3986 §6.2.2, §5.2.4). *ret_path
 * is a view of `out`, or of the path itself where nothing had to change.
 */
const char *target_normalize(struct str path, char *out, struct str *ret_path);

/* The same with its dot segments left where they are; always into `out`. */
const char *target_unescape(struct str path, char *out, struct str *ret_path);

/*
 * The host of a Host field or an authority, in lower case into `out` (of 256 bytes), and its port
 * (0 where none is given). User information is refused.
 */
const char *target_host(struct str text, char out[static 256], struct str *ret_host,
                        uint16_t *ret_port);

#endif
