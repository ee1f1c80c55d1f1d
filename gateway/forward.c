/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward.h"

#include "gateway/answer.h"
#include "gateway/exchange.h"
#include "gateway/inside.h"

#define ATTEMPTS_MAX 3
#define INTERIM_MAX 64 /* interim answers before the final one */

enum course {
    ANSWERED,  /* a head has arrived */
    TRY_AGAIN, /* a kept connection was dead before it answered anything */
    CONNECT_FAILED,
    REFUSED, /* req_refuse() says why */
    GONE,    /* the client left */
};

static const struct route_plan *plan_of(const struct req *req)
{
    return &req->snapshot->plans[req->match.route->index];
}

/* --- the wait for an answer --- */

static enum course refuse(struct req *req, enum reason reason, const char *detail)
{
    req_refuse(req, reason, detail != NULL ? "%s" : NULL, detail);
    return REFUSED;
}

static enum course client_failed(struct exchange *x, int error)
{
    return exchange_refuse_client(x->req, error) ? REFUSED : GONE;
}

/* Parses what is there, past interim answers. 0 with a complete head, or E_BUSY for more bytes. */
static int parse_answer(struct exchange *x, const char **ret_why)
{
    struct req *req = x->req;
    while (x->in_n > 0) {
        enum head_status s = head_parse_response(&x->answer, req->in, x->in_n, sizeof(req->in),
                                                 req->method == METHOD_HEAD, ret_why);
        if (s == HEAD_INCOMPLETE)
            break;
        if (s != HEAD_OK)
            return E_PROTOCOL;
        if (x->answer.status >= 200 || x->answer.status == 101)
            return 0;
        /* an interim answer: ours to give, or not asked for (RFC 9110 §15.2); the final one may
         * have come with it */
        *ret_why = "more interim answers than anybody needs";
        if (++x->interim > INTERIM_MAX)
            return E_PROTOCOL;
        x->in_n -= x->answer.size;
        memmove(req->in, req->in + x->answer.size, x->in_n);
    }
    return E_BUSY;
}

/* Reads and parses; 0 with a complete head, E_BUSY, or why there will be none. */
static int read_answer(struct exchange *x, const char **ret_why)
{
    struct req *req = x->req;
    for (;;) {
        fiber_breathe();
        ssize_t n = fiber_try_recv(x->fd, req->in + x->in_n, sizeof(req->in) - x->in_n);
        if (n <= 0)
            return n == 0 ? E_CLOSED : (int)n;
        x->in_n += (size_t)n;
        int r = parse_answer(x, ret_why);
        if (r != E_BUSY)
            return r;
    }
}

static bool is_idempotent(enum http_method method)
{
    return method == METHOD_GET || method == METHOD_HEAD || method == METHOD_PUT ||
           method == METHOD_DELETE || method == METHOD_OPTIONS;
}

static enum course answer_failed(struct exchange *x, int error, const char *why)
{
    /* RFC 9112 §9.3.1: what may have been carried out is not sent again unless that does no harm */
    bool untouched = x->in_n == 0 && !x->body_touched && is_idempotent(x->req->method);
    switch (error) {
    case E_PROTOCOL:
        return refuse(x->req, REASON_UPSTREAM_INVALID, why);
    case E_TIMEOUT:
        return refuse(x->req, REASON_UPSTREAM_TIMEOUT, NULL);
    case E_CANCELED:
        return refuse(x->req, REASON_DRAINING, NULL);
    default:
        if (x->reused && untouched)
            return TRY_AGAIN;
        return refuse(x->req, REASON_UPSTREAM_RESET, NULL);
    }
}

/* Sleeps until one side has news. 0, or an outcome by way of *ret_outcome and a negative number. */
static int wait_for_news(struct exchange *x, bool want_body, enum course *ret_outcome)
{
    struct http_conn *conn = x->req->conn;
    struct fiber_wait waits[2] = {
        {.fd = x->fd, .want = FIBER_READ | (exchange_has_pending(x) ? FIBER_WRITE : 0U)},
        {.fd = conn->fd, .want = FIBER_READ}};
    bool both = want_body || x->watch_client;
    struct mono deadline = x->deadline;
    if (want_body)
        deadline = mono_after(clock_mono(), x->req->snapshot->config->body_timeout_us);
    int r = fiber_wait_any(waits, both ? 2 : 1, deadline);
    if (r < 0) {
        *ret_outcome =
            want_body && r == E_TIMEOUT ? client_failed(x, r) : answer_failed(x, r, NULL);
        return r;
    }
    if (both && waits[1].got != 0 && !want_body && exchange_client_left(x)) {
        *ret_outcome = GONE;
        return E_CLOSED;
    }
    return 0;
}

/* Sends the request and reads until the answer's head is there. */
static enum course converse(struct exchange *x)
{
    enum course outcome;
    for (;;) {
        const char *why = NULL;
        fiber_breathe();
        int r = exchange_send_on(x);
        if (r < 0)
            return client_failed(x, r);
        if (r > 0)
            continue;
        r = read_answer(x, &why);
        if (r == 0)
            return ANSWERED;
        if (r != E_BUSY)
            return answer_failed(x, r, why);
        if (wait_for_news(x, exchange_wants_body(x), &outcome) != 0)
            return outcome;
    }
}

/* Gets a connection to the target: kept, or new. */
static enum course connect_target(struct exchange *x, bool fresh)
{
    struct lane *lane = x->req->lane;
    const struct upstream_conf *conf = x->upstream->conf;
    struct sockaddr_storage address;
    socklen_t length;
    x->fd = fresh ? -1 : pool_take(&lane->pools, x->target->pool, conf->idle_timeout_us);
    x->reused = x->fd >= 0;
    if (x->reused)
        return ANSWERED;
    if (!upstream_address(x->upstream, x->target, lane->index, &address, &length))
        return CONNECT_FAILED;
    x->fd = pool_connect((struct sockaddr *)&address, length,
                         mono_after(clock_mono(), conf->connect_timeout_us));
    if (x->fd == E_CANCELED)
        return refuse(x->req, REASON_DRAINING, NULL);
    upstream_note(x->upstream, x->target, lane->index, x->fd >= 0);
    if (x->fd >= 0)
        meter_add(lane->meter, METER_UPSTREAM_CONNECTS, plan_of(x->req)->upstream_slot, 1);
    return x->fd >= 0 ? ANSWERED : CONNECT_FAILED;
}

/*
 * Composes the head and, behind it, what has come of the body: one write takes both. ANSWERED to go
 * on.
 */
static enum course begin_exchange(struct exchange *x)
{
    struct req *req = x->req;
    struct buf out;
    buf_init_fixed(&out, req->out, req->out_cap);
    forward_request_head(req, &out, x->target->conf->prefix, x->target->name);
    if (buf_finish(&out) != 0)
        return refuse(req, REASON_HEADERS_TOO_LARGE, NULL);
    x->in_n = 0;
    x->interim = 0;
    x->watch_client = true;
    x->deadline = mono_after(clock_mono(), exchange_patience_us(x));
    int r = exchange_begin(x, buf_str(&out));
    return r == 0 ? ANSWERED : client_failed(x, r);
}

/* One target: a kept connection if there is one, and once more on a new one where the kept one was
 * dead. */
static enum course try_target(struct exchange *x)
{
    for (unsigned round = 0;; round++) {
        enum course o = connect_target(x, round > 0);
        if (o != ANSWERED)
            return o;
        o = begin_exchange(x);
        if (o == ANSWERED)
            o = converse(x);
        if (o == ANSWERED)
            return o;
        fiber_close(x->fd);
        if (o != TRY_AGAIN)
            return o;
        meter_add(x->req->lane->meter, METER_UPSTREAM_RETRIES, plan_of(x->req)->upstream_slot, 1);
    }
}

static void give_up(struct req *req, enum course outcome)
{
    if (outcome == GONE) {
        req->reason = REASON_CLIENT_CLOSED;
        req->status = 499;
        answer_broken_off(req);
        return;
    }
    if (outcome == CONNECT_FAILED)
        req_refuse(req, REASON_UPSTREAM_CONNECT, NULL);
    answer_problem(req);
}

void forward(struct req *req)
{
    struct exchange x = {.req = req, .fd = -1};
    struct mono began = clock_mono();
    uint64_t tried = 0;
    enum course outcome = CONNECT_FAILED;
    x.upstream = plan_of(req)->upstream;
    req->upstream = x.upstream->conf->name;
    while (outcome == CONNECT_FAILED && req->attempts < ATTEMPTS_MAX) {
        x.target = upstream_next(x.upstream, req->lane->index, tried);
        if (x.target == NULL)
            break;
        if (req->attempts++ > 0)
            meter_add(req->lane->meter, METER_UPSTREAM_RETRIES, plan_of(req)->upstream_slot, 1);
        req->target_name = x.target->name;
        tried |= UINT64_C(1) << ((x.target - x.upstream->targets) & 63);
        outcome = try_target(&x);
    }
    if (outcome == ANSWERED && x.answer.status == 101) {
        fiber_close(x.fd);
        outcome = refuse(req, REASON_UPSTREAM_INVALID, "the upstream switched protocols unasked");
    }
    if (outcome == ANSWERED) {
        exchange_answer(&x, began);
        return;
    }
    req->upstream_us = (uint64_t)mono_since(clock_mono(), began);
    if (req->attempts == 0) {
        req->upstream_us = 0;
        req->retry_after_s = 2;
        req_refuse(req, REASON_UPSTREAM_UNAVAILABLE, NULL);
        outcome = REFUSED;
    }
    give_up(req, outcome);
}
