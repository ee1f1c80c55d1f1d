/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of an app's limits: asked of the limiter that applies them. */
#include "portal/dev.h"

#include <string.h>

/* One limit at this moment. */
struct left {
    struct limit_rule rule;
    uint64_t remaining, reset_s;
    struct wall window;
};

/* Copied while the app is shown: what is looked at belongs to the table. */
struct looking {
    struct arena *arena;
    struct wall now;
    struct str plan;
    struct left limits[PLAN_LIMITS_MAX];
    unsigned count;
    struct limit_conf rates[PLAN_LIMITS_MAX]; /* as the plan has them; requests 0 where unknown */
};

static void look(void *ctx, const struct access_app *app)
{
    struct looking *l = ctx;
    struct limiter_answer answer;
    l->plan = arena_dup(l->arena, app->plan);
    limiter_look(app->limiter, clock_mono(), l->now, &answer);
    for (unsigned i = 0; i < answer.count; i++)
        l->limits[l->count++] = (struct left){.rule = *answer.limits[i].rule,
                                              .remaining = answer.limits[i].remaining,
                                              .reset_s = answer.limits[i].reset_s,
                                              .window = answer.limits[i].window};
}

/* A rate in the plan's own numbers; the limiter knows only its bucket. */
static void find_rates(void *ctx, const struct portal_gateway *gateway)
{
    struct looking *l = ctx;
    for (size_t p = 0; p < gateway->config->plan_count; p++) {
        const struct plan_conf *plan = &gateway->config->plans[p];
        for (unsigned i = 0; str_eq(plan->name, l->plan) && i < l->count; i++) {
            for (size_t k = 0; k < plan->limit_count; k++) {
                if (plan->limits[k].kind == l->limits[i].rule.kind &&
                    str_eq(plan->limits[k].name, limit_rule_name(&l->limits[i].rule)))
                    l->rates[i] = plan->limits[k];
            }
        }
    }
}

static void tell_rate(struct jsonw *w, const struct looking *l, unsigned i)
{
    const struct limit_conf *conf = &l->rates[i];
    const struct left *left = &l->limits[i];
    struct wall whole = {.us =
                             left->reset_s > 0 ? l->now.us + (int64_t)left->reset_s * US_PER_S : 0};
    endpoint_time(w, "resets_at", whole);
    if (conf->requests == 0)
        return;
    jsonw_key(w, "requests"), jsonw_u64(w, conf->requests);
    jsonw_key(w, "per_s"), jsonw_double(w, (double)conf->per_us / (double)US_PER_S);
}

static void tell_limit(struct jsonw *w, const struct looking *l, unsigned i)
{
    const struct left *left = &l->limits[i];
    struct str name = limit_rule_name(&left->rule);
    uint64_t limit = left->rule.quota;
    bool is_rate = left->rule.kind == LIMIT_RATE;
    jsonw_object(w);
    jsonw_key(w, "name"), jsonw_str(w, name);
    jsonw_key(w, "kind"), jsonw_cstr(w, is_rate ? "rate" : "quota");
    jsonw_key(w, "limit"), jsonw_u64(w, limit);
    jsonw_key(w, "used"), jsonw_u64(w, limit > left->remaining ? limit - left->remaining : 0);
    jsonw_key(w, "remaining"), jsonw_u64(w, left->remaining);
    if (is_rate) {
        tell_rate(w, l, i);
    } else {
        endpoint_time(w, "resets_at", wall_next(left->window, left->rule.window));
        jsonw_key(w, "unit"), jsonw_str(w, name); /* a quota is named after it */
    }
    jsonw_end(w);
}

void quotas_get(struct endpoint_call *call)
{
    struct buf json;
    struct jsonw w;
    struct looking l = {.arena = http_arena(call->conn), .now = clock_wall()};
    access_show_app(registry_access(call->portal->registry), call->params[0], look, &l);
    dev_show_gateway(call, find_rates, &l);
    endpoint_json(&json, &w);
    jsonw_object(&w);
    dev_tell_or_null(&w, "plan", l.plan);
    jsonw_key(&w, "items"), jsonw_array(&w);
    for (unsigned i = 0; i < l.count; i++)
        tell_limit(&w, &l, i);
    jsonw_end(&w);
    jsonw_end(&w);
    endpoint_send_json(call, 200, &json);
}
