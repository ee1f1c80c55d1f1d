/* SPDX-License-Identifier: Apache-2.0 */
/*
 * first_call.h -- inside of portal/: a call that the gateway answers for an app of a plan, as text
 * to paste into a shell.
 *
 * It goes to the first API of the plan that wants a key, or to the first at all, at its first path
 * that can be asked with GET; parameters of a path are filled in with 1. An `example` of the API
 * goes before all paths.
 *
 * Threads: pure functions.
 * Memory:  texts lie in the arena.
 * Errors:  false where there is no such call.
 */
#ifndef PORTAL_FIRST_CALL_H
#define PORTAL_FIRST_CALL_H

#include "base/arena.h"
#include "base/buf.h"
#include "portal/portal.h"

struct first_call {
    struct str api;
    struct str method; /* "GET" where a route takes it */
    struct str path;
    struct str url;  /* whole */
    struct str host; /* for the Host header, where the URL has another; else empty */
};

/* False for a plan that is not there or has nothing to call, or where the arena is full. */
bool first_call_find(const struct portal_gateway *gateway, struct str plan, struct arena *arena,
                     struct first_call *ret_call);

/* Appends the call as a command: curl -H 'X-API-Key: SECRET' http://... */
void first_call_curl(struct buf *out, const struct first_call *call, struct str secret);

/*
 * A pattern of the configuration as the URL it answers at, for people: of "=/users" and "/users"
 * and
 * "/users/{id}" the path at the host; a regular expression stays as it is.
 */
struct str first_call_shown(const struct portal_gateway *gateway, struct arena *arena,
                            struct str host, struct str pattern);

#endif
