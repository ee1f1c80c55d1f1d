/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain.h -- inside of portal/: what became of one request, for those who may know.
 *
 * Details are for the members of the app that made the call, and for operators. Anyone else, and an
 * id that nothing has, get the same general answer: an id tells nothing.
 *
 * Threads: a call belongs to its worker.
 * Memory:  nothing is kept.
 * Errors:  as said.
 */
#ifndef PORTAL_EXPLAIN_H
#define PORTAL_EXPLAIN_H

#include "analytics/record.h"
#include "portal/endpoint.h"

/* Writes the fields of a request as an object; `whole` also what only operators may know: where it
 * was forwarded to. */
void explain_tell_request(struct jsonw *w, const struct record *record, bool whole);

/* A visitor of the request's record, called where the person may know of it. */
typedef void explain_visit(void *ctx, const struct record *record, bool whole);

/*
 * Shows the request's record to whoever may know of it. 0 also where nothing was shown: it is not
 * there, or not theirs.
 */
must_check int explain_find(struct endpoint_call *call, struct uuid id, explain_visit *visit,
                            void *ctx, struct error *err);

#endif
