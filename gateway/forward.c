/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward.h"

#include "gateway/answer.h"
#include "gateway/inside.h"

#include <errno.h>

#define ATTEMPTS_MAX 3
/* A whole answer up to this size is completed by its only write; of a longer one the end is held
 * back. */
#define SHORT_ANSWER_BYTES (16 * 1024)
#define HELD_BACK_BYTES 1024

/* One try of one request at one target. */
struct exchange {
    struct req *req;
    const struct upstream *upstream;
    struct target *target;
    int fd;
    bool reused; /* the connection was used before: it may have died meanwhile */

    /* towards the upstream */
    struct iovec pending[4]; /* what is to be sent next */
    unsigned pending_at, pending_count;
    char chunk_head[24];
    struct str
        first_piece;     /* of the body; good for another try as long as no second one was taken */
    uint64_t body_bytes; /* taken of the body so far */
    bool sent_all;       /* nothing of the request is left to be read or sent */
    bool body_touched;   /* a second piece was taken: the body cannot be sent again */
    bool watch_client;   /* readable means gone, unless a next request shows up */
    bool client_gone;    /* seen while the body of the answer was waited for */
    struct mono deadline;

    /* from the upstream */
    size_t in_n;        /* bytes in req->in */
    struct head answer; /* views into req->in */
    struct decoder decoder;
};

enum outcome {
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

static int64_t timeout_of(const struct req *req)
{
    return req->route->timeout_us;
}

/* --- towards the upstream --- */

static bool has_pending(const struct exchange *x)
{
    return x->pending_at < x->pending_count;
}

/* Sends of what is pending as much as the kernel takes. 0, E_BUSY, or an error. */
static int push(struct exchange *x)
{
    while (has_pending(x)) {
        struct iovec *v = &x->pending[x->pending_at];
        unsigned left = x->pending_count - x->pending_at;
        ssize_t n = fiber_try_sendv(x->fd, v, left);
        if (n < 0)
            return (int)n;
        x->deadline = mono_after(clock_mono(), timeout_of(x->req));
        while (n > 0) {
            v = &x->pending[x->pending_at];
            size_t part = (size_t)n < v->iov_len ? (size_t)n : v->iov_len;
            v->iov_base = (char *)v->iov_base + part;
            v->iov_len -= part;
            n -= (ssize_t)part;
            if (v->iov_len == 0)
                x->pending_at++;
        }
        while (has_pending(x) && x->pending[x->pending_at].iov_len == 0)
            x->pending_at++;
    }
    return 0;
}

static void add_pending(struct exchange *x, const void *p, size_t n)
{
    if (!has_pending(x))
        x->pending_at = x->pending_count = 0;
    if (n > 0)
        x->pending[x->pending_count++] =
            (struct iovec){.iov_base = (void *)(uintptr_t)p, .iov_len = n};
}

/* Frames the next piece of the body; an empty one is its end. */
static void frame_piece(struct exchange *x, struct str piece, bool last)
{
    bool chunked = x->req->head->body == BODY_CHUNKED;
    if (chunked && piece.n > 0) {
        struct buf b;
        buf_init_fixed(&b, x->chunk_head, sizeof(x->chunk_head));
        buf_printf(&b, "%zx\r\n", piece.n);
        add_pending(x, b.p, b.n);
    }
    add_pending(x, piece.p, piece.n);
    if (chunked && piece.n > 0)
        add_pending(x, last ? "\r\n0\r\n\r\n" : "\r\n", last ? 7 : 2);
    else if (chunked && last)
        add_pending(x, "0\r\n\r\n", 5);
    x->sent_all = last;
}

/* Takes the next piece from the client. 0, E_BUSY where the client must send first, or an error. */
static int pull_body(struct exchange *x)
{
    struct str piece;
    int r = http_body_try(x->req->conn, &piece);
    if (r == E_BUSY && x->req->conn->continue_due)
        return http_send_continue(x->req->conn);
    if (r != 0)
        return r;
    x->body_bytes += piece.n;
    if (x->req->route->max_body > 0 && x->body_bytes > x->req->route->max_body)
        return E_TOO_LARGE;
    x->body_touched = x->first_piece.p != NULL;
    if (!x->body_touched)
        x->first_piece = piece;
    frame_piece(x, piece, http_body_done(x->req->conn));
    return 0;
}

/* --- the wait for an answer --- */

static enum outcome refuse(struct req *req, enum reason reason, const char *detail)
{
    req_refuse(req, reason, detail != NULL ? "%s" : NULL, detail);
    return REFUSED;
}

static enum outcome client_failed(struct exchange *x, int error)
{
    struct req *req = x->req;
    switch (error) {
    case E_PROTOCOL:
        return refuse(req, REASON_BAD_REQUEST, "the chunks of the body are malformed");
    case E_TOO_LARGE:
        return refuse(req, REASON_BODY_TOO_LARGE, NULL);
    case E_TIMEOUT:
        return refuse(req, REASON_REQUEST_TIMEOUT, "the body did not arrive in time");
    default:
        return GONE;
    }
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

static enum outcome answer_failed(struct exchange *x, int error, const char *why)
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

/* The client's connection became readable though nothing is wanted of it. */
static bool client_left(struct exchange *x)
{
    if (http_peer_gone(x->req->conn))
        return true;
    x->watch_client = false; /* a next request: it waits for its turn */
    return false;
}

/* Sleeps until one side has news. 0, or an outcome by way of *ret_outcome and a negative number. */
static int wait_for_news(struct exchange *x, bool want_body, enum outcome *ret_outcome)
{
    struct http_conn *conn = x->req->conn;
    struct fiber_wait waits[2] = {
        {.fd = x->fd, .want = FIBER_READ | (has_pending(x) ? FIBER_WRITE : 0U)},
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
    if (both && waits[1].got != 0 && !want_body && client_left(x)) {
        *ret_outcome = GONE;
        return E_CLOSED;
    }
    return 0;
}

/* Sends the request and reads until the answer's head is there. */
static enum outcome converse(struct exchange *x)
{
    enum outcome outcome;
    for (;;) {
        bool want_body = false;
        const char *why = NULL;
        int r = push(x);
        if (r != 0 && r != E_BUSY) {
            /* it does not take more; perhaps it has said why */
            x->pending_at = x->pending_count;
            x->sent_all = true;
            x->req->conn->close = x->req->conn->close || !http_body_done(x->req->conn);
        }
        if (!has_pending(x) && !x->sent_all) {
            r = pull_body(x);
            if (r == 0)
                continue;
            if (r != E_BUSY)
                return client_failed(x, r);
            want_body = true;
        }
        r = read_answer(x, &why);
        if (r == 0)
            return ANSWERED;
        if (r != E_BUSY)
            return answer_failed(x, r, why);
        if (wait_for_news(x, want_body, &outcome) != 0)
            return outcome;
    }
}

/* Gets a connection to the target: kept, or new. */
static enum outcome connect_target(struct exchange *x, bool fresh)
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
static enum outcome begin_exchange(struct exchange *x)
{
    struct req *req = x->req;
    struct buf out;
    int r = 0;
    buf_init_fixed(&out, req->out, req->out_cap);
    forward_request_head(req, &out, x->target->conf->prefix, x->target->name);
    if (buf_finish(&out) != 0)
        return refuse(req, REASON_HEADERS_TOO_LARGE, NULL);
    x->pending_at = x->pending_count = 0;
    x->in_n = 0;
    x->watch_client = true;
    x->deadline = mono_after(clock_mono(), timeout_of(req));
    add_pending(x, out.p, out.n);
    x->sent_all = req->head->body == BODY_NONE;
    if (x->first_piece.p != NULL)
        frame_piece(x, x->first_piece, http_body_done(req->conn));
    else if (!x->sent_all && !req->conn->continue_due)
        r = pull_body(x);
    return r == 0 || r == E_BUSY ? ANSWERED : client_failed(x, r);
}

/* One target: a kept connection if there is one, and once more on a new one where the kept one was
 * dead. */
static enum outcome try_target(struct exchange *x)
{
    for (unsigned round = 0;; round++) {
        enum outcome o = connect_target(x, round > 0);
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

/* --- the answer --- */

/* Pieces of one write: the head, payload in views of req->in, and chunk framing around them. */
struct pieces {
    struct iovec v[16];
    unsigned count;
    size_t bytes;
    char chunk_head[24];
};

static void add_piece(struct pieces *p, const void *data, size_t n)
{
    if (n == 0)
        return;
    CHECK(p->count < ARRAY_LEN(p->v));
    p->v[p->count++] = (struct iovec){.iov_base = (void *)(uintptr_t)data, .iov_len = n};
    p->bytes += n;
}

/*
 * Takes what is decoded out of *in, up to a dozen pieces, framed as one chunk where wanted. 0, or
 * E_PROTOCOL.
 */
static int gather(struct exchange *x, struct str *in, bool chunked, struct pieces *p)
{
    unsigned head = p->count, first = head + (chunked ? 1 : 0);
    size_t payload = 0;
    if (chunked)
        p->count++; /* the size comes first and is known last */
    while (in->n > 0 && !decoder_done(&x->decoder) && p->count < first + 12) {
        struct str piece;
        int r = decoder_next(&x->decoder, in, &piece);
        if (r != 0)
            return r;
        add_piece(p, piece.p, piece.n);
        payload += piece.n;
    }
    if (!chunked)
        return 0;
    if (payload == 0) {
        p->count = head;
        return 0;
    }
    int n = snprintf(p->chunk_head, sizeof(p->chunk_head), "%zx\r\n", payload);
    p->v[head] = (struct iovec){.iov_base = p->chunk_head, .iov_len = (size_t)n};
    p->bytes += (size_t)n;
    add_piece(p, "\r\n", 2);
    return 0;
}

/* Of a long answer the last bytes are held back: they go out when the rest is taken and the record
 * is in. */
static bool send_all_but_the_end(struct exchange *x, struct pieces *p)
{
    struct iovec *last = &p->v[p->count - 1];
    struct iovec held = *last;
    size_t keep = held.iov_len < HELD_BACK_BYTES ? held.iov_len : HELD_BACK_BYTES;
    last->iov_len -= keep;
    if (http_send(x->req->conn, p->v, p->count) != 0)
        return false;
    p->v[0] =
        (struct iovec){.iov_base = (char *)held.iov_base + (held.iov_len - keep), .iov_len = keep};
    p->count = 1;
    p->bytes = keep;
    return true;
}

static void note_upstream_time(struct exchange *x, struct mono began)
{
    x->req->upstream_us = (uint64_t)mono_since(clock_mono(), began);
}

/*
 * Reads more of the body into the whole of req->in. The number of bytes, 0 at the end, or an error.
 * A client that leaves meanwhile is an error as well: nobody is left to wait for.
 */
static ssize_t read_body(struct exchange *x)
{
    struct req *req = x->req;
    struct mono deadline = mono_after(clock_mono(), timeout_of(req));
    for (;;) {
        ssize_t n = fiber_try_recv(x->fd, req->in, sizeof(req->in));
        if (n != E_BUSY)
            return n;
        struct fiber_wait waits[2] = {{.fd = x->fd, .want = FIBER_READ},
                                      {.fd = req->conn->fd, .want = FIBER_READ}};
        int r = fiber_wait_any(waits, x->watch_client ? 2 : 1, deadline);
        if (r < 0)
            return r;
        x->client_gone = x->watch_client && waits[1].got != 0 && client_left(x);
        if (x->client_gone)
            return E_CLOSED;
    }
}

/* The upstream broke off in the middle: the client can only be told by a close. */
static bool broke_off(struct exchange *x, int error)
{
    struct req *req = x->req;
    req->reason = error == E_TIMEOUT    ? REASON_UPSTREAM_TIMEOUT
                  : error == E_PROTOCOL ? REASON_UPSTREAM_INVALID
                  : error == E_CANCELED ? REASON_DRAINING
                                        : REASON_UPSTREAM_RESET;
    answer_broken_off(req);
    return false;
}

static bool client_broke_off(struct exchange *x)
{
    x->req->reason = REASON_CLIENT_CLOSED;
    x->req->status = 499;
    answer_broken_off(x->req);
    return false;
}

/* Reads more of the body; false where one of the two broke off, which is then settled. */
static bool read_on(struct exchange *x, struct str *ret_in)
{
    ssize_t n = read_body(x);
    int r = 0;
    if (x->client_gone)
        return client_broke_off(x);
    if (n == 0)
        r = decoder_eof(&x->decoder);
    if (n < 0 || r != 0)
        return broke_off(x, n < 0 ? (int)n : r);
    *ret_in = str_make(x->req->in, (size_t)n);
    return true;
}

/*
 * Passes the body on, `p` holding the composed head already. True when all of it was read from the
 * upstream (whose connection is then good), whatever became of the last write.
 */
static bool pass_body(struct exchange *x, struct pieces *p, bool chunked, struct mono began)
{
    struct str in = str_make(x->req->in + x->answer.size, x->in_n - x->answer.size);
    for (;;) {
        int r = gather(x, &in, chunked, p);
        if (r != 0)
            return broke_off(x, r);
        if (decoder_done(&x->decoder))
            break;
        if (p->count > 0 && http_send(x->req->conn, p->v, p->count) != 0)
            return client_broke_off(x);
        p->count = 0;
        p->bytes = 0;
        if (in.n > 0)
            continue;
        if (!read_on(x, &in))
            return false;
    }
    note_upstream_time(x, began);
    bool clean = in.n == 0;
    if (chunked)
        add_piece(p, "0\r\n\r\n", 5);
    if (p->count > 0 && p->bytes > SHORT_ANSWER_BYTES && !send_all_but_the_end(x, p))
        return client_broke_off(x);
    answer_complete(x->req, p->v, p->count, p->bytes);
    return clean;
}

static void answer(struct exchange *x, struct mono began)
{
    struct req *req = x->req;
    struct pieces p = {.count = 0};
    struct buf out;
    req->status = x->answer.status;
    note_upstream_time(x, began);
    decoder_init(&x->decoder, &x->answer);
    bool open_ended = x->answer.body == BODY_CHUNKED || x->answer.body == BODY_UNTIL_CLOSE;
    bool chunked = open_ended && req->head->minor == 1;
    if (open_ended && !chunked)
        req->conn->close = true;
    if (!x->sent_all) /* it answered without wanting the rest */
        http_settle_body(req->conn);
    buf_init_fixed(&out, req->out, req->out_cap);
    forward_answer_head(req, &x->answer, chunked, &out);
    if (buf_finish(&out) != 0) {
        fiber_close(x->fd);
        req->status = 0;
        req_refuse(req, REASON_UPSTREAM_INVALID, "the upstream's head is too large");
        answer_problem(req);
        return;
    }
    add_piece(&p, out.p, out.n);
    bool good = pass_body(x, &p, chunked, began);
    if (good && x->sent_all && !x->answer.close)
        pool_give(&req->lane->pools, x->target->pool, x->fd, x->upstream->conf->max_idle,
                  x->upstream->conf->idle_timeout_us);
    else
        fiber_close(x->fd);
}

static void give_up(struct req *req, enum outcome outcome)
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
    enum outcome outcome = CONNECT_FAILED;
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
        answer(&x, began);
        return;
    }
    note_upstream_time(&x, began);
    if (req->attempts == 0) {
        req->upstream_us = 0;
        req->retry_after_s = 2;
        req_refuse(req, REASON_UPSTREAM_UNAVAILABLE, NULL);
        outcome = REFUSED;
    }
    give_up(req, outcome);
}
