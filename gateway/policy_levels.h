/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_levels.h -- address lists of several levels, each of which must let the call through.
 *
 * Threads: the request's fiber.
 * Memory:  none.
 * Errors:  a refusal says to the caller that the address is not allowed, and to the operator (in
 * the trail) which level and network decided.
 */
#ifndef GATEWAY_POLICY_LEVELS_H
#define GATEWAY_POLICY_LEVELS_H

#include "gateway/policy.h"

struct level {
    const char *name; /* "api", "route", "plan", "app", "key" */
    const struct access_conf *access;
};

static inline bool level_exists(const struct access_conf *access)
{
    return access->allow.count > 0 || access->deny.count > 0;
}

/* Asks one level after the other about the client's address; notes the decision under `policy`. */
enum verdict levels_decide(struct req *req, const char *policy, const struct level *levels,
                           unsigned count);

#endif
