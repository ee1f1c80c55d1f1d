/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/snapshot.h"

#include "gateway/inside.h"

#include <stdlib.h>

#define SNAPSHOT_CHUNK (64 * 1024)
#define SNAPSHOT_BUDGET (512UL * 1024 * 1024)

const struct policy *const policies_all[] = {
#define X(name) &policy_##name,
#include "gateway/policies.def"
#undef X
    NULL,
};

_Static_assert(ARRAY_LEN(policies_all) <= POLICIES_MAX, "a route plan holds every policy");

/* Under apply_mtx. */
static unsigned pool_number(void *ctx, struct str name)
{
    struct gateway *gateway = ctx;
    return intern_get(&gateway->pools, name);
}

static void plan_route(struct snapshot *s, struct gateway *gateway, const struct route *route)
{
    struct route_plan *plan = &s->plans[route->index];
    const struct api_conf *api = route->conf->api;
    unsigned n = 0;
    for (unsigned i = 0; policies_all[i] != NULL; i++) {
        if (policies_all[i]->applies == NULL || policies_all[i]->applies(route->conf))
            plan->policies[n++] = policies_all[i];
    }
    plan->upstream = &s->upstreams[api->upstream - s->config->upstreams];
    plan->api_number = access_api_number(gateway->options.access, api->name);
    plan->upstream_slot =
        meter_slot(gateway->options.meters, METER_OF_UPSTREAMS, api->upstream->name);
    plan->api_slot = meter_slot(gateway->options.meters, METER_OF_APIS, api->name);
}

/* Which query parameters may hold a key, whatever API the request turns out to be for. */
static bool list_key_params(struct snapshot *s)
{
    struct str_list *list = &s->key_params;
    list->items = arena_array(&s->arena, s->config->api_count + 1, sizeof(*list->items));
    for (size_t i = 0; list->items != NULL && i < s->config->api_count; i++) {
        struct str name = s->config->apis[i].auth.query_param;
        size_t at = 0;
        while (at < list->count && !str_eq_nocase(list->items[at], name))
            at++;
        if (name.n > 0 && at == list->count)
            list->items[list->count++] = name;
    }
    return list->items != NULL;
}

/* Under apply_mtx, so the snapshot in force stays. */
static void adopt_addresses(struct snapshot *s, struct gateway *gateway)
{
    const struct snapshot *before = atomic_load_explicit(&gateway->snapshot, memory_order_relaxed);
    pthread_mutex_lock(&gateway->addresses_mtx);
    upstreams_adopt(s->upstreams, s->config->upstream_count,
                    before != NULL ? before->upstreams : NULL,
                    before != NULL ? before->config->upstream_count : 0);
    pthread_mutex_unlock(&gateway->addresses_mtx);
}

int snapshot_create(struct snapshot **ret_snapshot, struct gateway *gateway,
                    const struct gateway_config *config, struct error *err)
{
    struct snapshot *s = calloc(1, sizeof(*s));
    CHECK(s != NULL);
    arena_init(&s->arena, SNAPSHOT_CHUNK, SNAPSHOT_BUDGET);
    s->config = config;
    int r = router_create(config, &s->router, err);
    if (r != 0)
        goto fail;
    s->upstreams = upstreams_build(&s->arena, config, gateway->lane_count, pool_number, gateway);
    size_t routes = router_route_count(s->router);
    s->plans = arena_array(&s->arena, routes, sizeof(*s->plans));
    if (s->plans == NULL || s->upstreams == NULL || !list_key_params(s)) {
        r = error_set(err, E_TOO_LARGE,
                      "the configuration needs more memory than a snapshot may take");
        goto fail;
    }
    for (size_t i = 0; i < routes; i++)
        plan_route(s, gateway, router_route(s->router, i));
    adopt_addresses(s, gateway);
    *ret_snapshot = s;
    return 0;
fail:
    snapshot_destroy(s);
    return r;
}

void snapshot_destroy(struct snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    if (snapshot->upstreams != NULL)
        upstreams_finish(snapshot->upstreams, snapshot->config->upstream_count);
    router_destroy(snapshot->router);
    arena_finish(&snapshot->arena);
    free(snapshot);
}

const struct router *snapshot_router(const struct snapshot *snapshot)
{
    return snapshot->router;
}

const struct gateway_config *snapshot_config(const struct snapshot *snapshot)
{
    return snapshot->config;
}
