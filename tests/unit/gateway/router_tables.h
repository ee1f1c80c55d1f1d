/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_tables.h -- configurations for the router's tests, written as rows.
 *
 * Threads: one.
 * Memory:  tables_free() takes all of it; the rows must outlive the tables.
 * Errors:  failed allocations end the test.
 */
#ifndef TESTS_UNIT_GATEWAY_ROUTER_TABLES_H
#define TESTS_UNIT_GATEWAY_ROUTER_TABLES_H

#include "gateway/router.h"

#include <stdlib.h>

#define GET (1u << METHOD_GET)
#define HEAD (1u << METHOD_HEAD)
#define POST (1u << METHOD_POST)
#define PUT (1u << METHOD_PUT)
#define DELETE (1u << METHOD_DELETE)

/* A row whose `route` is "default" begins an API. */
#define LIST_MAX 3

struct row {
    const char *api, *route;
    const char *hosts[LIST_MAX], *paths[LIST_MAX];
    uint32_t methods;
};

struct tables {
    struct gateway_config config;
    struct router *router;
    struct router_scratch *scratch;
    struct api_conf *apis;
    struct route_conf *routes;
    struct str *texts;
};

static inline void fill_route(struct tables *t, size_t i, const struct row *row,
                              struct api_conf *api)
{
    struct route_conf *route = &t->routes[i];
    struct str *hosts = &t->texts[i * 2 * LIST_MAX], *paths = hosts + LIST_MAX;
    *route = (struct route_conf){.name = str_from(row->route), .api = api};
    route->match = (struct match_conf){.hosts = hosts, .paths = paths, .methods = row->methods};
    for (size_t k = 0; k < LIST_MAX && row->hosts[k] != NULL; k++)
        hosts[route->match.host_count++] = str_from(row->hosts[k]);
    for (size_t k = 0; k < LIST_MAX && row->paths[k] != NULL; k++)
        paths[route->match.path_count++] = str_from(row->paths[k]);
}

/* Builds the configuration and the router; the latter's result. */
static inline int tables_make(struct tables *t, const struct row *rows, size_t count,
                              struct error *err)
{
    *t = (struct tables){.scratch = router_scratch_create()};
    t->apis = calloc(count + 1, sizeof(*t->apis));
    t->routes = calloc(count + 1, sizeof(*t->routes));
    t->texts = calloc((count + 1) * 2 * LIST_MAX, sizeof(*t->texts));
    assert_true(t->apis != NULL && t->routes != NULL && t->texts != NULL);
    t->config.apis = t->apis;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].route, "default") == 0) {
            struct api_conf *next = &t->apis[t->config.api_count];
            next->name = str_from(rows[i].api);
            next->id = (uint32_t)t->config.api_count++;
            next->routes = &t->routes[i];
        }
        struct api_conf *api = &t->apis[t->config.api_count - 1];
        api->route_count++;
        fill_route(t, i, &rows[i], api);
    }
    return router_create(&t->config, &t->router, err);
}

static inline void tables_free(struct tables *t)
{
    router_destroy(t->router);
    router_scratch_destroy(t->scratch);
    free(t->apis);
    free(t->routes);
    free(t->texts);
}

static inline enum router_result look(struct tables *t, struct route_query query,
                                      struct route_match *m)
{
    memset(m, 0x5a, sizeof(*m));
    return router_find(t->router, &query, t->scratch, m);
}

#endif
