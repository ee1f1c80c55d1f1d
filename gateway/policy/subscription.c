/* SPDX-License-Identifier: Apache-2.0 */
/* What the app may call: the APIs of its plan. */
#include "gateway/access.h"
#include "gateway/inside.h"
#include "gateway/policy.h"

static bool applies(const struct route_conf *route)
{
    return route->api->auth.kind == AUTH_KEY;
}

static void refuse(struct req *req)
{
    const struct access_app *app = req->app;
    struct str api = req->route->api->name;
    if (app->pending)
        req_refuse(req, REASON_SUBSCRIPTION_PENDING,
                   "A subscription of app `%" STR_FMT "` waits for approval; until it has a plan "
                   "that contains the API `%" STR_FMT "`, the app may not call it.",
                   STR_ARG(app->name), STR_ARG(api));
    else if (app->plan.n == 0)
        req_refuse(req, REASON_NOT_SUBSCRIBED,
                   "The app `%" STR_FMT "` has no plan, so it may not call the API `%" STR_FMT "`.",
                   STR_ARG(app->name), STR_ARG(api));
    else
        req_refuse(req, REASON_NOT_SUBSCRIBED,
                   "The plan `%" STR_FMT "` of app `%" STR_FMT
                   "` does not contain the API `%" STR_FMT "`.",
                   STR_ARG(app->plan), STR_ARG(app->name), STR_ARG(api));
}

static enum verdict enter(struct req *req)
{
    const struct route_plan *plan = &req->snapshot->plans[req->match.route->index];
    bool has = access_app_has(req->app, plan->api_number);
    note_begin(req, has ? "subscription pass" : "subscription refused");
    note_str(req, "plan", req->app->plan);
    note_end(req);
    if (has)
        return NEXT;
    refuse(req);
    return REPLY;
}

const struct policy policy_subscription = {
    .name = "subscription",
    .doc = "Wants the API in the plan of the app.",
    .applies = applies,
    .enter = enter,
};
