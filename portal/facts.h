/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts.h -- inside of portal/: how the instance stands, for the status and for the console.
 *
 * Threads: a call belongs to its worker.
 * Memory:  facts lie in the caller's arena.
 * Errors:  as said.
 */
#ifndef PORTAL_FACTS_H
#define PORTAL_FACTS_H

#include "portal/endpoint.h"

/* Looks how it stands. Where that fails it has answered and returns false; `arena` is then
 * finished, else the caller's to finish. */
must_check bool facts_look(struct endpoint_call *call, struct arena *arena,
                           struct portal_facts *ret_facts);

/* Writes the fields of the status, into an object that is open. */
void facts_tell(struct jsonw *w, struct portal *portal, const struct portal_facts *facts);

#endif
