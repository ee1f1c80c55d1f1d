/* SPDX-License-Identifier: Apache-2.0 */
/* APIs, upstreams and plans of the configuration, with what operators want to know besides. */
#include "portal/admin.h"
#include "portal/store_counts.h"

static void fail_starting(struct endpoint_call *call)
{
    endpoint_fail_later(call, 503, STR("This installation is still starting."), 1);
}

/* --- APIs --- */

struct telling {
    struct jsonw *w;
    struct arena *arena;
};

static void tell_methods(struct jsonw *w, uint32_t methods)
{
    jsonw_key(w, "methods"), jsonw_array(w);
    for (enum http_method m = METHOD_OTHER + 1; m < METHOD_COUNT; m++) {
        if ((methods >> m & 1) != 0)
            jsonw_str(w, http_method_name(m));
    }
    jsonw_end(w);
}

static void tell_texts(struct jsonw *w, const char *key, const struct str *items, size_t count)
{
    jsonw_key(w, key), jsonw_array(w);
    for (size_t i = 0; i < count; i++)
        jsonw_str(w, items[i]);
    jsonw_end(w);
}

static void tell_route(struct jsonw *w, const struct route_conf *route)
{
    jsonw_object(w);
    jsonw_key(w, "name"), jsonw_str(w, route->name);
    tell_methods(w, route->match.methods);
    tell_texts(w, "hosts", route->match.hosts, route->match.host_count);
    tell_texts(w, "paths", route->match.paths, route->match.path_count);
    jsonw_key(w, "strip_path"), jsonw_bool(w, route->strip_path);
    jsonw_key(w, "timeout_ms"), jsonw_i64(w, route->timeout_us / US_PER_MS);
    jsonw_key(w, "max_body"), jsonw_u64(w, route->max_body);
    jsonw_end(w);
}

static void tell_apis(void *ctx, const struct portal_gateway *gateway)
{
    const struct telling *t = ctx;
    for (size_t i = 0; i < gateway->config->api_count; i++) {
        const struct api_conf *api = &gateway->config->apis[i];
        jsonw_object(t->w);
        dev_tell_api(t->w, t->arena, gateway, api);
        jsonw_key(t->w, "upstream"), jsonw_str(t->w, api->upstream->name);
        jsonw_key(t->w, "routes"), jsonw_array(t->w);
        for (size_t k = 0; k < api->route_count; k++)
            tell_route(t->w, &api->routes[k]);
        jsonw_end(t->w);
        jsonw_end(t->w);
        arena_clear(t->arena);
    }
}

/* Lists what the configuration has, whole: it is bounded by the file. */
static void send_items(struct endpoint_call *call, portal_gateway_visit *visit)
{
    struct buf json;
    struct jsonw w;
    struct arena arena;
    struct telling telling = {.w = &w, .arena = &arena};
    arena_init(&arena, 4096, HTTP_ARENA_BYTES);
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "items"), jsonw_array(&w);
    bool shown = dev_show_gateway(call, visit, &telling);
    jsonw_end(&w);
    jsonw_end(&w);
    arena_finish(&arena);
    if (shown) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    fail_starting(call);
}

void admin_apis_get(struct endpoint_call *call)
{
    send_items(call, tell_apis);
}

/* --- upstreams --- */

/* The targets that could not be reached lately, as "HOST:PORT". */
struct ill {
    struct arena *arena;
    struct target {
        struct str upstream, name;
        struct target *next;
    } * first;
};

static void note_ill(void *ctx, struct str upstream, struct str name, bool healthy)
{
    struct ill *ill = ctx;
    struct target *t = healthy ? NULL : arena_alloc(ill->arena, sizeof(*t));
    if (t == NULL)
        return;
    *t = (struct target){.upstream = arena_dup(ill->arena, upstream),
                         .name = arena_dup(ill->arena, name),
                         .next = ill->first};
    ill->first = t;
}

static bool is_ill(const struct ill *ill, struct str upstream, const struct target_conf *target)
{
    char name[272];
    bool v6 = str_find_char(target->host, ':', 0) < target->host.n;
    int n = snprintf(name, sizeof(name), v6 ? "[%" STR_FMT "]:%u" : "%" STR_FMT ":%u",
                     STR_ARG(target->host), target->port);
    for (const struct target *t = ill->first; t != NULL && n > 0; t = t->next) {
        if (str_eq(t->upstream, upstream) && str_eq(t->name, str_make(name, (size_t)n)))
            return true;
    }
    return false;
}

struct upstreams {
    struct jsonw *w;
    struct ill ill;
};

static void tell_targets(const struct upstreams *u, const struct upstream_conf *upstream)
{
    struct jsonw *w = u->w;
    jsonw_key(w, "targets"), jsonw_array(w);
    for (size_t i = 0; i < upstream->target_count; i++) {
        const struct target_conf *target = &upstream->targets[i];
        jsonw_object(w);
        jsonw_key(w, "url"), jsonw_str(w, target->url);
        jsonw_key(w, "weight"), jsonw_u64(w, target->weight);
        jsonw_key(w, "healthy"), jsonw_bool(w, !is_ill(&u->ill, upstream->name, target));
        jsonw_end(w);
    }
    jsonw_end(w);
}

static void tell_upstreams(void *ctx, const struct portal_gateway *gateway)
{
    const struct upstreams *u = ctx;
    const struct gateway_config *config = gateway->config;
    for (size_t i = 0; i < config->upstream_count; i++) {
        const struct upstream_conf *upstream = &config->upstreams[i];
        jsonw_object(u->w);
        jsonw_key(u->w, "name"), jsonw_str(u->w, upstream->name);
        tell_targets(u, upstream);
        jsonw_key(u->w, "apis"), jsonw_array(u->w);
        for (size_t k = 0; k < config->api_count; k++) {
            if (config->apis[k].upstream == upstream)
                jsonw_str(u->w, config->apis[k].name);
        }
        jsonw_end(u->w);
        jsonw_end(u->w);
    }
}

bool admin_tell_upstreams(const struct endpoint_call *call, struct jsonw *w)
{
    const struct portal_sources *sources = &call->portal->sources;
    struct arena arena;
    struct upstreams u = {.w = w, .ill = {.arena = &arena}};
    arena_init(&arena, 4096, ENDPOINT_JSON_MAX);
    if (sources->visit_targets != NULL)
        sources->visit_targets(sources->ctx, note_ill, &u.ill);
    jsonw_array(w);
    bool shown = dev_show_gateway(call, tell_upstreams, &u);
    jsonw_end(w);
    arena_finish(&arena);
    return shown;
}

void admin_upstreams_get(struct endpoint_call *call)
{
    struct buf json;
    struct jsonw w;
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "items");
    bool shown = admin_tell_upstreams(call, &w);
    jsonw_end(&w);
    if (shown) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    fail_starting(call);
}

/* --- plans --- */

struct plans {
    struct jsonw *w;
    struct arena arena;
    struct plan_count {
        struct str plan;
        uint64_t active, waiting;
        bool offered;
        struct plan_count *next;
    } * first;
};

static void note_count(void *ctx, struct str plan, uint64_t active, uint64_t waiting)
{
    struct plans *p = ctx;
    struct plan_count *count = arena_alloc(&p->arena, sizeof(*count));
    if (count == NULL)
        return;
    *count = (struct plan_count){
        .plan = arena_dup(&p->arena, plan), .active = active, .waiting = waiting, .next = p->first};
    p->first = count;
}

static int count_plans(struct db *db, void *ctx, struct error *err)
{
    return store_counts_of_plans(db, note_count, ctx, err);
}

static void tell_counts(struct jsonw *w, uint64_t active, uint64_t declared, uint64_t waiting)
{
    jsonw_key(w, "subscribers"), jsonw_u64(w, active);
    jsonw_key(w, "declared_apps"), jsonw_u64(w, declared);
    jsonw_key(w, "waiting"), jsonw_u64(w, waiting);
}

static void tell_plan(struct plans *p, const struct gateway_config *config,
                      const struct plan_conf *plan)
{
    uint64_t active = 0, waiting = 0, declared = 0;
    for (struct plan_count *c = p->first; c != NULL; c = c->next) {
        if (!str_eq(c->plan, plan->name))
            continue;
        c->offered = true;
        active = c->active;
        waiting = c->waiting;
    }
    for (size_t i = 0; i < config->app_count; i++)
        declared += config->apps[i].plan == plan;
    jsonw_object(p->w);
    dev_tell_plan(p->w, plan);
    jsonw_key(p->w, "offered"), jsonw_bool(p->w, true);
    tell_counts(p->w, active, declared, waiting);
    jsonw_end(p->w);
}

/* One that the configuration lost, but not the apps: nothing is let through for them. */
static void tell_lost(struct jsonw *w, const struct plan_count *count)
{
    jsonw_object(w);
    jsonw_key(w, "name"), jsonw_str(w, count->plan);
    jsonw_key(w, "title"), jsonw_str(w, count->plan);
    jsonw_key(w, "approval"), jsonw_cstr(w, "manual");
    jsonw_key(w, "apis"), jsonw_raw(w, STR("[]"));
    jsonw_key(w, "limits"), jsonw_raw(w, STR("[]"));
    jsonw_key(w, "offered"), jsonw_bool(w, false);
    tell_counts(w, count->active, 0, count->waiting);
    jsonw_end(w);
}

static void tell_plans(void *ctx, const struct portal_gateway *gateway)
{
    struct plans *p = ctx;
    for (size_t i = 0; i < gateway->config->plan_count; i++)
        tell_plan(p, gateway->config, &gateway->config->plans[i]);
    for (const struct plan_count *c = p->first; c != NULL; c = c->next) {
        if (!c->offered)
            tell_lost(p->w, c);
    }
}

void admin_plans_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct jsonw w;
    struct plans plans = {.w = &w};
    arena_init(&plans.arena, 4096, ENDPOINT_JSON_MAX);
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "items"), jsonw_array(&w);
    int r = admin_read(call, count_plans, &plans, &err);
    bool shown = r == 0 && dev_show_gateway(call, tell_plans, &plans);
    jsonw_end(&w);
    jsonw_end(&w);
    arena_finish(&plans.arena);
    if (shown) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    if (r != 0)
        endpoint_fail_error(call, r, &err);
    else
        fail_starting(call);
}
