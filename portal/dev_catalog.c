/* SPDX-License-Identifier: Apache-2.0 */
/* What can be called and on which terms: APIs and plans of the configuration in force. */
#include "portal/dev.h"

bool dev_show_gateway(const struct endpoint_call *call, portal_gateway_visit *visit, void *ctx)
{
    const struct portal_sources *sources = &call->portal->sources;
    return sources->show_gateway != NULL && sources->show_gateway(sources->ctx, visit, ctx);
}

/* --- one plan --- */

struct plan_search {
    struct arena *arena;
    struct str name;
    struct dev_plan plan;
};

static void look_for_plan(void *ctx, const struct portal_gateway *gateway)
{
    struct plan_search *search = ctx;
    for (size_t i = 0; i < gateway->config->plan_count; i++) {
        const struct plan_conf *plan = &gateway->config->plans[i];
        if (str_eq(plan->name, search->name))
            search->plan = (struct dev_plan){.there = true,
                                             .automatic = plan->approval == APPROVAL_AUTOMATIC,
                                             .title = arena_dup(search->arena, plan->title)};
    }
}

struct dev_plan dev_plan_find(const struct endpoint_call *call, struct str name)
{
    struct plan_search search = {.arena = http_arena(call->conn), .name = name};
    dev_show_gateway(call, look_for_plan, &search);
    return search.plan;
}

/* --- the catalog --- */

struct telling {
    struct jsonw *w;
    struct arena *arena; /* cleared after each API: there may be many */
};

static bool plan_has(const struct plan_conf *plan, const struct api_conf *api)
{
    for (size_t i = 0; i < plan->api_count; i++) {
        if (plan->apis[i] == api)
            return true;
    }
    return false;
}

static void tell_paths(struct jsonw *w, struct arena *arena, const struct portal_gateway *gateway,
                       const struct match_conf *match)
{
    static const struct str anything = STR_INIT("/");
    const struct str *paths = match->path_count > 0 ? match->paths : &anything;
    size_t path_count = match->path_count > 0 ? match->path_count : 1;
    size_t host_count = match->host_count > 0 ? match->host_count : 1;
    jsonw_key(w, "paths"), jsonw_array(w);
    for (size_t h = 0; h < host_count; h++) {
        struct str host = match->host_count > 0 ? match->hosts[h] : STR_EMPTY;
        for (size_t p = 0; p < path_count; p++)
            jsonw_str(w, first_call_shown(gateway, arena, host, paths[p]));
    }
    jsonw_end(w);
}

void dev_tell_api(struct jsonw *w, struct arena *arena, const struct portal_gateway *gateway,
                  const struct api_conf *api)
{
    const struct gateway_config *config = gateway->config;
    jsonw_key(w, "name"), jsonw_str(w, api->name);
    jsonw_key(w, "title"), jsonw_str(w, api->title.n > 0 ? api->title : api->name);
    jsonw_key(w, "auth"), jsonw_cstr(w, api->auth.kind == AUTH_KEY ? "key" : "none");
    tell_paths(w, arena, gateway, &api->routes[0].match);
    jsonw_key(w, "plans"), jsonw_array(w);
    for (size_t i = 0; i < config->plan_count; i++) {
        if (plan_has(&config->plans[i], api))
            jsonw_str(w, config->plans[i].name);
    }
    jsonw_end(w);
}

static void tell_seconds(struct jsonw *w, const char *key, int64_t us)
{
    jsonw_key(w, key);
    if (us % US_PER_S == 0)
        jsonw_i64(w, us / US_PER_S);
    else
        jsonw_double(w, (double)us / (double)US_PER_S);
}

static void tell_limit(struct jsonw *w, const struct limit_conf *limit)
{
    jsonw_object(w);
    jsonw_key(w, "name"), jsonw_str(w, limit->name);
    jsonw_key(w, "kind"), jsonw_cstr(w, limit->kind == LIMIT_RATE ? "rate" : "quota");
    jsonw_key(w, "requests"), jsonw_u64(w, limit->requests);
    if (limit->kind == LIMIT_RATE) {
        tell_seconds(w, "per_s", limit->per_us);
        jsonw_key(w, "burst"), jsonw_u64(w, limit->burst);
    } else {
        jsonw_key(w, "unit"), jsonw_str(w, limit->name); /* a quota is named after it */
    }
    jsonw_end(w);
}

void dev_tell_plan(struct jsonw *w, const struct plan_conf *plan)
{
    jsonw_key(w, "name"), jsonw_str(w, plan->name);
    jsonw_key(w, "title"), jsonw_str(w, plan->title.n > 0 ? plan->title : plan->name);
    jsonw_key(w, "approval");
    jsonw_cstr(w, plan->approval == APPROVAL_AUTOMATIC ? "automatic" : "manual");
    jsonw_key(w, "apis"), jsonw_array(w);
    for (size_t i = 0; i < plan->api_count; i++)
        jsonw_str(w, plan->apis[i]->name);
    jsonw_end(w);
    jsonw_key(w, "limits"), jsonw_array(w);
    for (size_t i = 0; i < plan->limit_count; i++)
        tell_limit(w, &plan->limits[i]);
    jsonw_end(w);
}

static void tell_catalog(void *ctx, const struct portal_gateway *gateway)
{
    struct telling *t = ctx;
    jsonw_object(t->w);
    jsonw_key(t->w, "apis"), jsonw_array(t->w);
    for (size_t i = 0; i < gateway->config->api_count; i++) {
        jsonw_object(t->w);
        dev_tell_api(t->w, t->arena, gateway, &gateway->config->apis[i]);
        jsonw_end(t->w);
        arena_clear(t->arena);
    }
    jsonw_end(t->w);
    jsonw_key(t->w, "plans"), jsonw_array(t->w);
    for (size_t i = 0; i < gateway->config->plan_count; i++) {
        jsonw_object(t->w);
        dev_tell_plan(t->w, &gateway->config->plans[i]);
        jsonw_end(t->w);
    }
    jsonw_end(t->w);
    jsonw_end(t->w);
}

void catalog_get(struct endpoint_call *call)
{
    struct buf json;
    struct jsonw w;
    struct arena arena;
    arena_init(&arena, 4096, HTTP_ARENA_BYTES);
    struct telling telling = {.w = &w, .arena = &arena};
    endpoint_json(&json, &w);
    if (dev_show_gateway(call, tell_catalog, &telling)) {
        endpoint_send_json(call, 200, &json);
    } else {
        buf_free(&json);
        endpoint_fail_later(call, 503, STR("This installation is still starting."), 1);
    }
    arena_finish(&arena);
}
