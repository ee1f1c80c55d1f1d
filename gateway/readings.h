/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readings.h -- whether the server behind could take a path for one of another route.
 *
 * A route is found by the normalised path, and the path goes on as it came. Servers differ in what
 * they make of the rest: some leave dot segments where they are, some decode %2F before they look
 * for them, some take \ for / or drop what follows a semicolon, some merge slashes. Where such a
 * reading leads to another API (or, by dot segments, to another route), a client could call one
 * under the rules of the other: "/open/..%2Fusers" is under /open here and /users there.
 *
 * Threads: pure but for the scratch of the router, which is one a carrier.
 * Memory:  the caller's.
 * Errors:  NULL, or an English reason for a 400.
 */
#ifndef GATEWAY_READINGS_H
#define GATEWAY_READINGS_H

#include "gateway/router.h"

struct readings {
    const struct router *router;
    struct router_scratch *scratch;
    const struct route_query *query; /* what `found` was found by */
    const struct route *found;
    struct str sent; /* the path as it came; well-formed, see target_normalize() */
    char *mem;       /* of READINGS_BYTES(sent.n) bytes */
};

#define READINGS_BYTES(n) (2 * (n) + 2)

/* Whether there is another reading at all: seldom, and told in one pass. */
bool readings_differ(struct str sent);

const char *readings_check(const struct readings *readings);

#endif
