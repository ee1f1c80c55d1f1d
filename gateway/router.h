/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router.h -- finds the route of a request: host, then path, then method.
 *
 * All conditions of a route must hold. Of the routes whose conditions hold, the most specific one
 * wins; the order is this and nothing else, above all not the order in the file:
 *
 *   1. host    exact, before wildcard (*.a.example before *.example: the longer one), before none
 *   2. path    =/exact (with parameters too), before ~regex, before prefix
 *              two exact ones:  segment by segment, the text before the {parameter}
 *              two regexes:     the longer pattern, then bytewise
 *              two prefixes:    the one with more segments, then segment by segment, text before
 * {parameter}
 *   3. method  the route with the smaller set of methods
 *
 * A request falls through to a less specific route where the more specific one does not take its
 * method. Routes that are equal in 1 and 2 and whose methods overlap without one set being part of
 * the other are a mistake: router_create() names both.
 *
 * Segments are what stands between slashes. A prefix matches on their boundary and a slash at its
 * end means nothing: "/users" and "/users/" match "/users", "/users/" and "/users/7", not
 * "/users-x". "=/users" does not match "/users/". A {parameter} is one whole segment that is not
 * empty. A regex is searched for in the path unless anchored with ^ and $ (PCRE2, bytes); its named
 * groups are parameters. HEAD is allowed where GET is.
 *
 * Threads: look-ups take no lock and allocate nothing; a router never changes after
 * router_create(). A scratch belongs to one carrier and is never held over a wait. Memory:  the
 * router owns what it needs and borrows the configuration, which must outlive it; a match borrows
 * from both and from the query. Errors:  router_create() reports to `struct error`; a look-up tells
 * by its result.
 */
#ifndef GATEWAY_ROUTER_H
#define GATEWAY_ROUTER_H

#include "base/error.h"
#include "gateway/config.h"

struct router;
struct router_scratch;

#define ROUTE_PARAMS_MAX 8

/* One route of the table. */
struct route {
    const struct route_conf *conf;
    uint32_t index; /* 0 .. router_route_count() - 1, in the order of the file: for tables beside
                       this one */
};

/*
 * Builds the table of all APIs. What a named route leaves out of its match it takes from its API's.
 * 0, or E_CONFIG with the sentence for the operator: a pattern that cannot be, two equal routes.
 * *ret_router is given to the caller.
 */
must_check int router_create(const struct gateway_config *config, struct router **ret_router,
                             struct error *err);

/* Whether a pattern as written can be one: 0, or E_CONFIG with the sentence. */
must_check int router_path_check(struct str path, struct error *err);

/* No look-up may be under way. NULL is accepted. */
void router_destroy(struct router *router);

size_t router_route_count(const struct router *router);
const struct route *router_route(const struct router *router, size_t index);

/* Working memory for regular expressions: match data, limits, JIT stack. Serves every router. */
struct router_scratch *router_scratch_create(void);
void router_scratch_destroy(struct router_scratch *scratch);

struct route_query {
    struct str host; /* lower case, without port; "" where there is none */
    struct str path; /* normalised: no dot segments, unreserved characters decoded; begins with / */
    enum http_method method;
};

struct route_param {
    struct str name, value;
};

struct route_match {
    const struct route *route;
    struct str host_pattern; /* as in the configuration; "" for a route of any host */
    struct str path_pattern;
    size_t prefix_len; /* bytes of the path that the pattern took: what strip_path removes */
    unsigned param_count;
    struct route_param params[ROUTE_PARAMS_MAX];
    uint32_t allow; /* ROUTER_METHOD only: the methods that the path would take, as 1 << enum
                       http_method */
};

enum router_result {
    ROUTER_FOUND,
    ROUTER_NONE,     /* no route has this host and path: 404 */
    ROUTER_METHOD,   /* some have, none takes the method: 405, `allow` says which do */
    ROUTER_TOO_HARD, /* a regex hit its limits on this path: refuse, rather than let a less strict
                        route have it */
};

/* Only ROUTER_FOUND writes all of *ret_match; ROUTER_METHOD writes `allow`. */
enum router_result router_find(const struct router *router, const struct route_query *query,
                               struct router_scratch *scratch, struct route_match *ret_match);

/* Why a route got the request or did not. */
enum route_standing {
    ROUTE_WINS,
    ROUTE_LESS_SPECIFIC, /* all holds, but another one won */
    ROUTE_OTHER_METHOD,
    ROUTE_OTHER_PATH,
    ROUTE_OTHER_HOST,
    ROUTE_TOO_HARD,
};

struct route_candidate {
    const struct route *route;
    struct str host_pattern, path_pattern;
    uint32_t methods; /* HEAD included where GET is */
    enum route_standing standing;
};

/*
 * Shows every pattern of every route, the most specific first, as it stands to the query. One by
 * one, so it takes time in proportion to the table: for `weir route`, not for requests.
 */
void router_explain(const struct router *router, const struct route_query *query,
                    struct router_scratch *scratch,
                    void (*visit)(void *ctx, const struct route_candidate *candidate), void *ctx);

#endif
