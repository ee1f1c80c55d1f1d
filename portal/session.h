/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h -- inside of portal/: who is behind a request, by a cookie.
 *
 * The cookie holds 256 random bits; weir.db has their keyed hash. Portal and console have a cookie
 * and sessions each, so that who is signed in at one is not at the other: a cookie is sent to every
 * port of a host. Where the listener's url is https the cookie has the __Host- prefix and Secure;
 * it is HttpOnly and SameSite=Lax in any case.
 *
 * A session that is used goes on: in the portal up to 30 days, in the console up to 7, unless it is
 * left alone for 7 days or 12 hours.
 *
 * Threads: a call belongs to its worker.
 * Memory:  what is found lies in the request's arena.
 * Errors:  false, or a code with `err`, as said.
 */
#ifndef PORTAL_SESSION_H
#define PORTAL_SESSION_H

#include "portal/endpoint.h"
#include "portal/store_audit.h"

/*
 * Looks who is behind the call: sets call->person to `person` and call->csrf, or leaves both. False
 * where the database failed and the answer was sent.
 */
must_check bool session_find(struct endpoint_call *call, struct person *person);

/* Begins a session of that person, within a write; call->set_cookie goes out with the answer. */
must_check int session_begin(struct endpoint_call *call, struct registry_write *write,
                             const struct uuid *person, struct error *err);

/* Lets the browser forget its cookie, with the answer. */
void session_forget(struct endpoint_call *call);

/* Writes the audit log's entry of what the call's person did; `team` may be NULL. */
must_check int session_audit(const struct endpoint_call *call, struct registry_write *write,
                             const char *action, struct str object, const struct uuid *team,
                             struct error *err);

/* The same with more to tell: `row` has action, object, team, detail; the rest is filled in. */
must_check int session_audit_row(const struct endpoint_call *call, struct registry_write *write,
                                 struct audit_row *row, struct error *err);

#endif
