/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts, patterns and a request out of arbitrary bytes: lines "host path" make the table, the last
 * line is the request. The table must agree with the rule-by-rule explanation, and nothing may be
 * read out of bounds.
 */
#include "gateway/router.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROUTES_MAX 16

struct winner {
    const struct route *route;
    bool too_hard;
};

static void look_for_winner(void *ctx, const struct route_candidate *candidate)
{
    struct winner *winner = ctx;
    if (candidate->standing == ROUTE_WINS)
        winner->route = candidate->route;
    winner->too_hard |= candidate->standing == ROUTE_TOO_HARD;
}

static void ask(const struct router *router, struct str line)
{
    static struct router_scratch *scratch;
    if (scratch == NULL)
        scratch = router_scratch_create();
    struct route_query query = {.host = str_cut(&line, ' '), .path = line, .method = METHOD_GET};
    struct route_match match;
    enum router_result r = router_find(router, &query, scratch, &match);
    struct winner winner = {.route = NULL};
    router_explain(router, &query, scratch, look_for_winner, &winner);
    if (winner.too_hard)
        return;
    CHECK((r == ROUTER_FOUND) == (winner.route != NULL));
    if (r != ROUTER_FOUND)
        return;
    CHECK(match.route == winner.route && match.prefix_len <= query.path.n);
    for (unsigned i = 0; i < match.param_count; i++)
        CHECK(match.params[i].value.n <= query.path.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str hosts[ROUTES_MAX], paths[ROUTES_MAX];
    struct api_conf apis[ROUTES_MAX] = {0};
    struct route_conf routes[ROUTES_MAX] = {0};
    struct gateway_config config = {.apis = apis};
    struct str rest = str_make((const char *)data, size), line = STR_EMPTY;
    while (rest.p != NULL && config.api_count < ROUTES_MAX) {
        line = str_cut(&rest, '\n');
        size_t i = config.api_count;
        struct str path = line;
        hosts[i] = str_cut(&path, ' ');
        paths[i] = path;
        if (rest.p == NULL || path.p == NULL)
            continue;
        routes[i] = (struct route_conf){.name = STR("default"), .api = &apis[i]};
        routes[i].match = (struct match_conf){.hosts = &hosts[i], .host_count = 1};
        routes[i].match.paths = &paths[i];
        routes[i].match.path_count = 1;
        apis[i] = (struct api_conf){.name = STR("api"), .routes = &routes[i], .route_count = 1};
        config.api_count++;
    }
    struct router *router;
    struct error err = ERROR_INIT;
    if (router_create(&config, &router, &err) != 0) {
        CHECK(err.code != 0 && err.text[0] != '\0');
        return 0;
    }
    ask(router, line);
    router_destroy(router);
    return 0;
}
