/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h -- inside of portal/: the one place that decides who may do what.
 *
 * Three questions, before a handler is called. From where: the admin listener takes only addresses
 * of `admin.allow`, and only hosts that it knows. The latter keeps web pages out: a page whose name
 * was made to point to 127.0.0.1 (DNS rebinding) is of the same origin as this listener for the
 * browser, but what it sends bears its own name as Host. An address as Host cannot be made so, and
 * is let through. Who: the role of the row, and for an {app} the membership of its team; what is
 * another's does not exist (404). By whose hand: what changes something must come from a page of
 * ours (Sec-Fetch-Site, or Origin where a browser is older) and, where somebody is signed in, bring
 * the token of their session.
 *
 * Threads: a call belongs to its worker.
 * Memory:  none kept.
 * Errors:  each function is false where it has sent the answer: 401, 403, 404, 421, 503.
 */
#ifndef PORTAL_GUARD_H
#define PORTAL_GUARD_H

#include "portal/endpoint.h"

/* From where; before anything else is looked at. */
must_check bool guard_peer(struct endpoint_call *call);

/* Under which name; once the target is parsed. */
must_check bool guard_host(struct endpoint_call *call);

/* Who; call->row, call->params and call->person are set. Sets call->member. */
must_check bool guard_role(struct endpoint_call *call);

/* By whose hand, before the body is read. */
must_check bool guard_origin(struct endpoint_call *call);

/* The session's token; after the body of a form was read, which holds it. */
must_check bool guard_token(struct endpoint_call *call);

#endif
