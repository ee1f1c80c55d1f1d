/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses that plan, app and key admit: a key can only narrow what its app and plan allow. */
#include "gateway/access.h"
#include "gateway/policy.h"
#include "gateway/policy_levels.h"

static bool applies(const struct route_conf *route)
{
    return route->api->auth.kind == AUTH_KEY;
}

static enum verdict enter(struct req *req)
{
    const struct level levels[] = {
        {"plan", &req->app->plan_access},
        {"app", &req->app->access},
        {"key", &req->key->access},
    };
    if (!level_exists(levels[0].access) && !level_exists(levels[1].access) &&
        !level_exists(levels[2].access))
        return NEXT;
    return levels_decide(req, "consumer_ip", levels, ARRAY_LEN(levels));
}

const struct policy policy_consumer_ip = {
    .name = "consumer_ip",
    .doc = "Admits or refuses client addresses by the lists of plan, app and key.",
    .applies = applies,
    .enter = enter,
};
