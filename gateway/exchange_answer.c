/* SPDX-License-Identifier: Apache-2.0 */
/* The answer on its way to the client, and what is left of the request on its way to the upstream.
 */
#include "gateway/answer.h"
#include "gateway/exchange.h"
#include "gateway/forward.h"
#include "gateway/inside.h"

/* A whole answer up to this size is completed by its only write; of a longer one the end is held
 * back. */
#define SHORT_ANSWER_BYTES (16 * 1024)
#define HELD_BACK_BYTES 1024
#define PIECES_AT_ONCE 4 /* of the body, that may be sent before the answer's head */

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

/* Sleeps until the upstream has sent more, or takes more of the body, or the client has sent some.
 */
static int wait_on_both(struct exchange *x)
{
    struct fiber_wait waits[2] = {
        {.fd = x->fd, .want = FIBER_READ | (exchange_has_pending(x) ? FIBER_WRITE : 0U)},
        {.fd = x->req->conn->fd, .want = FIBER_READ}};
    bool wants = exchange_wants_body(x);
    int r = fiber_wait_any(waits, wants || x->watch_client ? 2 : 1, x->deadline);
    if (r > 0 && !wants && x->watch_client && waits[1].got != 0 && exchange_client_left(x)) {
        x->client_failed = true; /* nobody is left to wait for */
        return E_CLOSED;
    }
    return r < 0 ? r : 0;
}

/*
 * Reads more of the body into the whole of req->in, and sends meanwhile what is left of the
 * request's. The number of bytes, 0 at the end, or an error; the client's where x->client_failed.
 */
static ssize_t read_body(struct exchange *x)
{
    x->deadline = mono_after(clock_mono(), exchange_patience_us(x));
    for (;;) {
        fiber_breathe();
        int r = exchange_send_on(x);
        if (r < 0) {
            x->client_failed = true;
            return r;
        }
        ssize_t n = fiber_try_recv(x->fd, x->req->in, sizeof(x->req->in));
        if (n != E_BUSY)
            return n;
        if (r == 0)
            r = wait_on_both(x);
        if (r < 0)
            return r;
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

/* The rest of the request turned out to be one that is refused, when its answer had begun. */
static bool client_failed(struct exchange *x, int error)
{
    unsigned status = x->req->status;
    if (!exchange_refuse_client(x->req, error))
        return client_broke_off(x);
    x->req->status = status; /* what the client was told */
    answer_broken_off(x->req);
    return false;
}

/* Reads more of the body; false where one of the two broke off, which is then settled. */
static bool read_on(struct exchange *x, struct str *ret_in)
{
    ssize_t n = read_body(x);
    int r = 0;
    if (x->client_failed)
        return client_failed(x, (int)n);
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

/*
 * The answer came before all of the request was sent: the rest goes on while the answer passes.
 * Not where the client waits to be asked for it, nor where even the head is not out: the answer's
 * needs its room. 0, or what the client did wrong.
 */
static int settle_request(struct exchange *x)
{
    struct req *req = x->req;
    const char *next = exchange_has_pending(x) ? x->pending[x->pending_at].iov_base : NULL;
    int r = 1;
    if (req->conn->continue_due || (next >= req->out && next < req->out + req->out_cap))
        exchange_cut_off(x);
    for (int i = 0; i < PIECES_AT_ONCE && r == 1; i++)
        r = exchange_send_on(x);
    if (!exchange_is_sent(x))
        req->conn->close = true; /* the next request's beginning may never be found */
    return r < 0 ? r : 0;
}

/* Composes the head. False where something else is answered instead. */
static bool begin_answer(struct exchange *x, bool chunked, struct buf *out)
{
    struct req *req = x->req;
    int r = settle_request(x);
    if (r != 0 && !exchange_refuse_client(req, r)) {
        client_broke_off(x);
        return false;
    }
    if (r == 0) {
        req->status = x->answer.status;
        buf_init_fixed(out, req->out, req->out_cap);
        forward_answer_head(req, &x->answer, chunked, out);
        if (buf_finish(out) == 0)
            return true;
        req->status = 0;
        req_refuse(req, REASON_UPSTREAM_INVALID, "the upstream's head is too large");
    }
    answer_problem(req);
    return false;
}

void exchange_answer(struct exchange *x, struct mono began)
{
    struct req *req = x->req;
    struct pieces p = {.count = 0};
    struct buf out;
    note_upstream_time(x, began);
    decoder_init(&x->decoder, &x->answer);
    bool open_ended = x->answer.body == BODY_CHUNKED || x->answer.body == BODY_UNTIL_CLOSE;
    bool chunked = open_ended && req->head->minor == 1;
    if (open_ended && !chunked)
        req->conn->close = true;
    if (!begin_answer(x, chunked, &out)) {
        fiber_close(x->fd);
        return;
    }
    add_piece(&p, out.p, out.n);
    bool good = pass_body(x, &p, chunked, began);
    if (good && exchange_is_sent(x) && !x->answer.close)
        pool_give(&req->lane->pools, x->target->pool, x->fd, x->upstream->conf->max_idle,
                  x->upstream->conf->idle_timeout_us);
    else
        fiber_close(x->fd);
}
