/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preview.h -- what a request would meet, found out without sending one.
 *
 * The request is only thought of, but what decides about it is the real thing: the parsers of the
 * edge, the router, the policies themselves (policy.h, `preview`), the forwarder's target. So the
 * answer cannot differ from the gateway's.
 *
 * Threads: a preview belongs to one thread.
 * Memory:  owns router and tables; borrows the configuration, which must outlive it. A result
 *          borrows from the preview until the next one is asked for.
 * Errors:  preview_create() refuses what gateway_apply() would refuse, in the same words.
 */
#ifndef GATEWAY_PREVIEW_H
#define GATEWAY_PREVIEW_H

#include "gateway/access.h"
#include "gateway/policy.h"

struct preview;

/* E_CONFIG as gateway_apply(); the secrets in `config` are zeroed likewise. */
must_check int preview_create(struct preview **ret_preview, struct gateway_config *config,
                              struct error *err);
void preview_destroy(struct preview *preview); /* NULL is accepted */

/* The table of apps and keys. Keys of the store may be put into it. */
struct access *preview_access(struct preview *preview);

/* The key of this public id; NULL where there is none. */
const struct access_key *preview_key(struct preview *preview, struct str kid);

struct preview_query {
    struct str method; /* "GET" */
    struct str url;    /* "http://api.example.com/users/7?x=1", or "/users/7" for no host */
    struct ip from;
    const struct access_key *key; /* of preview_key(); NULL for a request without one */

    /* What is left of the app's limits: false where unknown, and the limits are as if untouched.
     * May be NULL. The answer's rules are those of the app. */
    bool (*limits)(void *ctx, const struct access_app *app, struct limiter_answer *ret_answer);
    void *ctx;
};

enum preview_outcome {
    PREVIEW_PASS,
    PREVIEW_REFUSE,
    PREVIEW_UNKNOWN /* it is not reached, or depends on a key */
};

struct preview_step {
    const struct policy *policy;
    enum preview_outcome outcome;
    struct str note; /* what it would leave in the record's trail; "" for nothing */
};

struct preview_result {
    enum http_method method;
    struct str host, path;          /* as the router sees them; "" where they were refused */
    const struct route_conf *route; /* NULL where none was found */
    const struct route_match *match;
    unsigned step_count;
    struct preview_step steps[POLICIES_MAX];
    const struct access_app *app; /* NULL where no key led to one */
    enum reason reason;           /* REASON_NONE where it would go to the upstream */
    unsigned status;              /* of the refusal */
    const char *detail;           /* of the refusal, may be "" */
    uint32_t allow;               /* with 405: methods that the path would take */
    bool key_missing;             /* it is refused only because no key was given */
};

void preview_ask(struct preview *preview, const struct preview_query *query,
                 struct preview_result *ret_result);

/* The URL that a target would be asked for, by the last request that found a route. */
void preview_forward(struct preview *preview, const struct target_conf *target, struct buf *out);

/* How every pattern of every route stands to the last request; see router_explain(). */
void preview_candidates(struct preview *preview,
                        void (*visit)(void *ctx, const struct route_candidate *candidate),
                        void *ctx);

#endif
