/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_log.h -- inside of portal/: the log of requests as it is asked for, whatever it is told
 * in.
 *
 * Threads: a call belongs to its worker.
 * Memory:  texts of an ask lie in the request's arena.
 * Errors:  as said.
 */
#ifndef PORTAL_REQUEST_LOG_H
#define PORTAL_REQUEST_LOG_H

#include "analytics/query_log.h"
#include "portal/endpoint.h"

/* What the call's query asks for; false, and an answer was sent, where it is faulty. `limit` is for
 * the caller to set. */
must_check bool request_log_read(struct endpoint_call *call, struct log_ask *ret_ask);

/* One page, with a reader that is borrowed for it. Before the first request there is no store: that
 * is an empty page. */
must_check int request_log_page(struct endpoint_call *call, const struct log_ask *ask,
                                row_visit *visit, void *ctx, struct log_page *ret_page,
                                struct error *err);

#endif
