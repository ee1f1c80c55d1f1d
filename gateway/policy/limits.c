/* SPDX-License-Identifier: Apache-2.0 */
/* How often: the rate and the quotas of the app's plan, decided together. */
#include "gateway/access.h"
#include "gateway/policy.h"

static bool applies(const struct route_conf *route)
{
    return route->api->auth.kind == AUTH_KEY;
}

static void note_numbers(struct req *req)
{
    for (unsigned i = 0; i < req->limits.count; i++) {
        const struct limit_now *now = &req->limits.limits[i];
        buf_add_char(&req->trail, ' ');
        buf_add_str(&req->trail, limit_rule_name(now->rule));
        buf_add_char(&req->trail, '=');
        buf_add_u64(&req->trail, now->remaining);
        buf_add_char(&req->trail, '/');
        buf_add_u64(&req->trail, now->rule->quota);
    }
}

static enum verdict refuse(struct req *req)
{
    const struct limit_rule *rule = req->limits.refused_by;
    bool rate = rule->kind == LIMIT_RATE;
    note_begin(req, "limits refused");
    note_str(req, "by", limit_rule_name(rule));
    note_u64(req, "retry_after_s", req->limits.retry_after_s);
    note_numbers(req);
    note_end(req);
    req->retry_after_s =
        (unsigned)(req->limits.retry_after_s < UINT32_MAX ? req->limits.retry_after_s : UINT32_MAX);
    req_refuse(req, rate ? REASON_RATE_LIMITED : REASON_QUOTA_EXCEEDED,
               rate ? "The limit `%s` of plan `%" STR_FMT "` is reached: bursts of %llu calls."
                    : "The quota `%s` of plan `%" STR_FMT "` is used up: %llu calls.",
               rule->name, STR_ARG(req->app->plan), (unsigned long long)rule->quota);
    return REPLY;
}

/* Decides by the answer in req->limits. */
static enum verdict decide(struct req *req)
{
    if (!req->limits.admitted)
        return refuse(req);
    note_begin(req, "limits pass");
    note_numbers(req);
    note_end(req);
    return NEXT;
}

static enum verdict enter(struct req *req)
{
    limiter_take(req->app->limiter, clock_mono(), clock_wall(), &req->limits);
    return decide(req);
}

/* Where nobody has said what is left (req->limits), the limiter at hand does. */
static enum verdict preview(struct req *req)
{
    if (req->limits.rules == NULL)
        limiter_look(req->app->limiter, clock_mono(), clock_wall(), &req->limits);
    return decide(req);
}

static void leave(struct req *req)
{
    if (req->limits.count == 0)
        return;
    struct buf *out = header_begin(req, "RateLimit-Policy");
    buf_add_str(out, limiter_policy(req->limits.rules));
    header_end(req);
    out = header_begin(req, "RateLimit");
    limiter_write(&req->limits, out);
    header_end(req);
}

const struct policy policy_limits = {
    .name = "limits",
    .doc = "Takes one call from the rate and the quotas of the app's plan, or refuses it.",
    .applies = applies,
    .enter = enter,
    .leave = leave,
    .preview = preview,
};
