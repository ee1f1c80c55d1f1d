/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses that the API and the route admit: before anybody is asked who they are. */
#include "gateway/access.h"
#include "gateway/policy.h"
#include "gateway/policy_levels.h"

static bool applies(const struct route_conf *route)
{
    return level_exists(&route->api->access) || level_exists(&route->access);
}

static enum verdict enter(struct req *req)
{
    const struct level levels[] = {
        {"api", &req->route->api->access},
        {"route", &req->route->access},
    };
    return levels_decide(req, "ip_access", levels, ARRAY_LEN(levels));
}

const struct policy policy_ip_access = {
    .name = "ip_access",
    .doc = "Admits or refuses client addresses by the lists of the API and the route.",
    .applies = applies,
    .enter = enter,
};
