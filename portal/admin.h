/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.h -- inside of portal/: what the console's endpoints share.
 *
 * Threads: a call belongs to its worker.
 * Memory:  what is found lies in the request's arena.
 * Errors:  a code with `err`; the handlers send what it comes to.
 */
#ifndef PORTAL_ADMIN_H
#define PORTAL_ADMIN_H

#include "portal/dev.h"
#include "portal/listing.h"
#include "portal/session.h"

/* Reads with a connection of the registry. */
typedef int admin_work(struct db *db, void *ctx, struct error *err);
must_check int admin_read(const struct endpoint_call *call, admin_work *work, void *ctx,
                          struct error *err);

/* Writes an audit entry; `team` NULL or zeros for what only operators read. */
must_check int admin_audit(const struct endpoint_call *call, struct registry_write *write,
                           const char *action, struct str object, const struct uuid *team,
                           struct str detail, struct error *err);

/* A parameter of the path as an id. False where it is none: 404 was sent, with this sentence. */
must_check bool admin_id(struct endpoint_call *call, struct str sentence, struct uuid *ret_id);

/* Writes the upstreams as a list, with which targets could be reached. False while all is starting:
 * the list is empty. */
bool admin_tell_upstreams(const struct endpoint_call *call, struct jsonw *w);

#endif
