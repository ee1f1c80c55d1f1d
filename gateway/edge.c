/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a request, in the order of docs/internals/request.md: what the listener calls for
 * each.
 */
#include "gateway/access.h"
#include "gateway/answer.h"
#include "gateway/client.h"
#include "gateway/forward.h"
#include "gateway/inside.h"
#include "gateway/readings.h"
#include "gateway/record.h"

static void make_ids(struct req *req)
{
    struct lane *lane = req->lane;
    req->id = uuid7_make(&lane->uuids, clock_wall());
    uuid_format(req->id, req->id_text);
    /* the trace id of a request that brings none may be its own id: unique, and random where W3C
     * wants it */
    memcpy(req->trace_id, req->id.b, sizeof(req->trace_id));
    struct uuid span = uuid7_make(&lane->uuids, (struct wall){.us = 0});
    memcpy(req->span_id, span.b + 8, sizeof(req->span_id));
}

/* "00-<32 hex>-<16 hex>-<2 hex>" (W3C Trace Context §3.2): takes the trace id. */
static void adopt_trace(struct req *req)
{
    struct str s = head_value(req->head, FIELD_TRACEPARENT);
    unsigned char id[16];
    uint64_t byte, any = 0;
    if (s.n != 55 || !str_starts(s, STR("00-")) || s.p[35] != '-' || s.p[52] != '-')
        return;
    for (unsigned i = 0; i < sizeof(id); i++) {
        if (str_hex_to_u64(str_slice(s, 3 + 2 * i, 5 + 2 * i), 255, &byte) != 0)
            return;
        id[i] = (unsigned char)byte;
        any |= byte;
    }
    if (any != 0)
        memcpy(req->trace_id, id, sizeof(id));
}

static bool refuse_bad(struct req *req, const char *why)
{
    req_refuse(req, REASON_BAD_REQUEST, "The request is malformed: %s.", why);
    req->conn->close = true;
    return false;
}

/* Takes the target apart and finds host and path to route by. False where it is refused. */
static bool read_target(struct req *req)
{
    uint16_t port;
    const char *why = target_parse(&req->target, req->head->method, req->head->target);
    if (why != NULL)
        return refuse_bad(req, why);
    struct str host = head_value(req->head, FIELD_HOST);
    if (req->target.authority.n > 0)
        host = req->target.authority; /* RFC 9112 §3.2.2 */
    if (host.n > 0) {
        why = target_host(host, req->host_text, &req->host, &port);
        if (why != NULL)
            return refuse_bad(req, why);
    }
    char *mem = arena_alloc(http_arena(req->conn), req->target.path.n + 1);
    if (mem == NULL)
        return refuse_bad(req, "the path is too long");
    why = target_normalize(req->target.path, mem, &req->path);
    if (why != NULL)
        return refuse_bad(req, why);
    if (req->head->body == BODY_CHUNKED && http_body_check(req->conn) != 0)
        return refuse_bad(req, "the chunks of the body are broken");
    return true;
}

static bool reads_the_same(struct req *req, const struct route_query *query)
{
    struct readings readings = {
        .router = req->snapshot->router,
        .scratch = req->lane->scratch,
        .query = query,
        .found = req->match.route,
        .sent = req->target.path,
        .mem = arena_alloc(http_arena(req->conn), READINGS_BYTES(req->target.path.n)),
    };
    if (readings.mem == NULL)
        return refuse_bad(req, "the path is too long");
    const char *why = readings_check(&readings);
    return why == NULL || refuse_bad(req, why);
}

static bool find_route(struct req *req)
{
    struct route_query query = {.host = req->host, .path = req->path, .method = req->method};
    switch (router_find(req->snapshot->router, &query, req->lane->scratch, &req->match)) {
    case ROUTER_FOUND:
        if (readings_differ(req->target.path) && !reads_the_same(req, &query))
            return false;
        req->route = req->match.route->conf;
        return true;
    case ROUTER_NONE:
        req_refuse(req, REASON_NO_ROUTE, NULL);
        return false;
    case ROUTER_METHOD:
        req->allow = req->match.allow;
        req_refuse(req, REASON_METHOD_NOT_ALLOWED, NULL);
        return false;
    case ROUTER_TOO_HARD:
        return refuse_bad(req, "the path takes too long to match");
    }
    return false;
}

static bool enter_policies(struct req *req)
{
    const struct policy *const *policies = req->snapshot->plans[req->match.route->index].policies;
    for (unsigned i = 0; policies[i] != NULL; i++) {
        req->entered = i + 1;
        switch (policies[i]->enter(req)) {
        case NEXT:
            break;
        case REPLY:
            return false;
        case FAIL:
            req_refuse(req, REASON_INTERNAL, NULL);
            return false;
        }
    }
    return true;
}

/* A call that could not be counted is not served. */
static bool can_be_counted(struct req *req)
{
    req->room = record_room(req);
    if (ring_reserve(req->lane->ring, req->room))
        return true;
    req->room = 0;
    if (req->app != NULL)
        limiter_refund(req->app->limiter, &req->limits);
    req->retry_after_s = 1;
    req_refuse(req, REASON_OVERLOADED, "The gateway's journal is full.");
    return false;
}

static void serve(struct req *req)
{
    if (req->conn->fault != 0) {
        req_refuse_fault(req, req->conn->fault, req->conn->why);
        /* what is told of the target is what is told of a good one: a query apart, to be redacted
         */
        const char *why = target_parse(&req->target, req->head->method, req->head->target);
        (void)why;
        answer_problem(req);
        return;
    }
    if (!read_target(req) || !find_route(req)) {
        answer_problem(req);
        return;
    }
    unsigned slot = req->snapshot->plans[req->match.route->index].api_slot;
    meter_add(req->lane->meter, METER_IN_FLIGHT, slot, 1);
    if (enter_policies(req) && can_be_counted(req)) {
        req->metered = req->app != NULL;
        forward(req);
    } else {
        answer_problem(req);
    }
    meter_add(req->lane->meter, METER_IN_FLIGHT, slot, -1);
}

void edge_handle(struct http_conn *conn, void *arg)
{
    struct gateway *gateway = arg;
    struct lane *lane = &gateway->lanes[conn->lane];
    struct req *req = lane_take_req(lane, conn);
    if (req == NULL) {
        conn->close = true;
        return;
    }
    req->epoch_token = epoch_enter(gateway->options.epoch, lane->index);
    req->snapshot = atomic_load_explicit(&gateway->snapshot, memory_order_acquire);
    req->method = http_method_find(req->head->method);
    make_ids(req);
    client_find(req);
    if (req->via_proxy)
        adopt_trace(req);
    serve(req);
    epoch_leave(gateway->options.epoch, lane->index, req->epoch_token);
    lane_give_req(lane, req);
}
