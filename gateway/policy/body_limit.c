/* SPDX-License-Identifier: Apache-2.0 */
/* How large a body may be: known at once where its length is told; chunked bodies are counted on
 * the way. */
#include "gateway/policy.h"

static bool applies(const struct route_conf *route)
{
    return route->max_body > 0;
}

static enum verdict enter(struct req *req)
{
    uint64_t most = req->route->max_body;
    if (req->head->body != BODY_LENGTH || req->head->content_length <= most)
        return NEXT;
    note_begin(req, "body_limit refused");
    note_u64(req, "bytes", req->head->content_length);
    note_u64(req, "limit", most);
    note_end(req);
    req_refuse(req, REASON_BODY_TOO_LARGE, "The body has %llu bytes; this route takes %llu.",
               (unsigned long long)req->head->content_length, (unsigned long long)most);
    return REPLY;
}

const struct policy policy_body_limit = {
    .name = "body_limit",
    .doc = "Refuses bodies larger than the route takes.",
    .applies = applies,
    .enter = enter,
};
