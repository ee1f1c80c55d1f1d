/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h -- what a policy is: one step that may let a request pass, or end it.
 *
 * The life of a request through its policies. When a route is found, the policies that apply to it
 * (decided once, when the configuration was loaded) are entered in the order of policies.def. Each
 * sees the request as those before it left it, says NEXT, or refuses by req_refuse() and says
 * REPLY. A policy may wait (for the network), bounded by the request's deadline; it is plain code
 * on a fiber. When the answer is known, from the upstream or from ourselves, the policies that were
 * entered are left in reverse order: there they may add fields to the answer, of a refusal as well.
 *
 * Adding one: a file in gateway/policy/ that exports `const struct policy policy_NAME`, and a row
 * in policies.def. What it can be configured with are rows of gateway/config_rows.h.
 *
 * Threads: hooks run on the request's fiber; they own nothing but the request and what belongs to
 * its lane. Memory:  the request's arena and fixed buffers; nothing is allocated otherwise. Errors:
 * FAIL is a bug or a resource that ran out: 500, logged by the edge.
 */
#ifndef GATEWAY_POLICY_H
#define GATEWAY_POLICY_H

#include "gateway/req.h"

enum verdict { NEXT, REPLY, FAIL };

struct policy {
    const char *name; /* as in policies.def, in trails and in `weir route` */
    const char *doc;  /* one sentence: what it does */

    /* called once for each route when a configuration is loaded; NULL for every route */
    bool (*applies)(const struct route_conf *route);

    /* called when a request has found its route, in order; never NULL */
    enum verdict (*enter)(struct req *req);

    /* called when the answer's status is known and its head not yet composed, in reverse order, if
     * it was entered; may be NULL */
    void (*leave)(struct req *req);

    /* called in place of `enter` for a request that is only thought of (preview.h): its key is
     * known without its secret, and nothing is taken from a limit. NULL where `enter` looks at
     * nothing but route, address, key and app, and changes nothing */
    enum verdict (*preview)(struct req *req);
};

#define X(name) extern const struct policy policy_##name;
#include "gateway/policies.def"
#undef X

/* In the order of policies.def, the last one NULL. */
extern const struct policy *const policies_all[];
#define POLICIES_MAX 16

#endif
