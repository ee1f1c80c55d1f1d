/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lane.h"

#include "gateway/inside.h"

#include <stdlib.h>

static struct req *req_alloc(struct lane *lane)
{
    size_t out_cap = lane->gateway->max_head + REQ_OUT_SLACK;
    if (out_cap < REQ_UPSTREAM_BYTES + REQ_OUT_SLACK)
        out_cap = REQ_UPSTREAM_BYTES + REQ_OUT_SLACK;
    struct req *req = malloc(sizeof(*req) + out_cap);
    if (req != NULL) {
        req->out = (char *)(req + 1);
        req->out_cap = out_cap;
    }
    return req;
}

struct req *lane_take_req(struct lane *lane, struct http_conn *conn)
{
    struct req *req = lane->spare;
    if (req != NULL)
        lane->spare = req->next;
    else
        req = req_alloc(lane);
    if (req == NULL)
        return NULL;
    memset(req, 0, offsetof(struct req, next));
    req->conn = conn;
    req->head = conn->head;
    req->gateway = lane->gateway;
    req->lane = lane;
    buf_init_fixed(&req->trail, req->trail_text, sizeof(req->trail_text));
    buf_init_fixed(&req->extra, req->extra_text, sizeof(req->extra_text));
    return req;
}

void lane_give_req(struct lane *lane, struct req *req)
{
    req->next = lane->spare;
    lane->spare = req;
}
