/* SPDX-License-Identifier: Apache-2.0 */
/*
 * params.h -- inside of portal/: parameters of the query that narrow an answer, checked.
 *
 * One that cannot be read must not be passed over: the answer would be of more than was asked for.
 * So each function faults the field (input.h) and goes on; params_good() then sends all faults.
 *
 * Threads: a call belongs to its worker.
 * Memory:  texts lie in the request's arena.
 * Errors:  faults of call->input.
 */
#ifndef PORTAL_PARAMS_H
#define PORTAL_PARAMS_H

#include "portal/endpoint.h"

#define PARAM_TEXT_MAX 128

/* Text of at most PARAM_TEXT_MAX bytes; empty where it is not there. */
struct str params_text(struct endpoint_call *call, const char *name);

/* A moment, RFC 3339 or a day; `us` 0 where it is not there. */
struct wall params_time(struct endpoint_call *call, const char *name);

/* The index of the text in names[0..count), or -1 where it is not there or faulty. */
int params_choice(struct endpoint_call *call, const char *name, const struct str *names,
                  unsigned count);

/* Faults a parameter; `detail` lives as long as the request. */
void params_fault(struct endpoint_call *call, const char *name, const char *code,
                  const char *detail);

/* False, and 422 was sent, where a parameter was faulty. */
must_check bool params_good(struct endpoint_call *call);

#endif
