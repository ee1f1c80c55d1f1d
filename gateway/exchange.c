/* SPDX-License-Identifier: Apache-2.0 */
/* The request on its way to the upstream: what is pending, and the body piece by piece. */
#include "gateway/exchange.h"

/* Sends of what is pending as much as the kernel takes. 0, E_BUSY, or an error. */
static int push(struct exchange *x)
{
    while (exchange_has_pending(x)) {
        struct iovec *v = &x->pending[x->pending_at];
        unsigned left = x->pending_count - x->pending_at;
        ssize_t n = fiber_try_sendv(x->fd, v, left);
        if (n < 0)
            return (int)n;
        x->deadline = mono_after(clock_mono(), exchange_patience_us(x));
        while (n > 0) {
            v = &x->pending[x->pending_at];
            size_t part = (size_t)n < v->iov_len ? (size_t)n : v->iov_len;
            v->iov_base = (char *)v->iov_base + part;
            v->iov_len -= part;
            n -= (ssize_t)part;
            if (v->iov_len == 0)
                x->pending_at++;
        }
        while (exchange_has_pending(x) && x->pending[x->pending_at].iov_len == 0)
            x->pending_at++;
    }
    return 0;
}

static void add_pending(struct exchange *x, const void *p, size_t n)
{
    if (!exchange_has_pending(x))
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
    x->took_all = last;
}

/* Takes the next piece from the client. 0, E_BUSY where the client must send first, or an error. */
static int pull(struct exchange *x)
{
    struct http_conn *conn = x->req->conn;
    struct str piece;
    uint64_t before = conn->bytes_in;
    int r = http_body_try(conn, &piece);
    /* bytes that were read, be they only framing, may lie where the first piece was */
    if (x->first_piece.p != NULL && conn->bytes_in != before)
        x->body_touched = true;
    if (r == E_BUSY && conn->continue_due)
        return http_send_continue(conn);
    if (r != 0)
        return r;
    x->body_bytes += piece.n;
    if (x->req->route->max_body > 0 && x->body_bytes > x->req->route->max_body)
        return E_TOO_LARGE;
    if (x->first_piece.p == NULL)
        x->first_piece = piece;
    frame_piece(x, piece, http_body_done(conn));
    return 0;
}

int exchange_begin(struct exchange *x, struct str head)
{
    x->pending_at = x->pending_count = 0;
    add_pending(x, head.p, head.n);
    x->took_all = x->req->head->body == BODY_NONE;
    x->cut_off = false;
    if (x->took_all || x->req->conn->continue_due)
        return 0;
    if (x->first_piece.p != NULL) {
        frame_piece(x, x->first_piece, http_body_done(x->req->conn));
        return 0;
    }
    int r = pull(x);
    return r == E_BUSY ? 0 : r;
}

int exchange_send_on(struct exchange *x)
{
    if (x->cut_off)
        return 0;
    int r = push(x);
    if (r == E_BUSY)
        return 0;
    if (r != 0) {
        exchange_cut_off(x);
        return 0;
    }
    if (x->took_all)
        return 0;
    r = pull(x);
    return r == 0 ? 1 : r == E_BUSY ? 0 : r;
}

void exchange_cut_off(struct exchange *x)
{
    struct http_conn *conn = x->req->conn;
    if (exchange_is_sent(x))
        return;
    x->pending_at = x->pending_count;
    x->cut_off = true;
    conn->close = conn->close || !http_body_done(conn);
}

bool exchange_client_left(struct exchange *x)
{
    if (http_peer_gone(x->req->conn))
        return true;
    x->watch_client = false; /* a next request: it waits for its turn */
    return false;
}

bool exchange_refuse_client(struct req *req, int error)
{
    switch (error) {
    case E_PROTOCOL:
        req_refuse(req, REASON_BAD_REQUEST, "the chunks of the body are malformed");
        return true;
    case E_TOO_LARGE:
        req_refuse(req, REASON_BODY_TOO_LARGE, NULL);
        return true;
    case E_TIMEOUT:
        req_refuse(req, REASON_REQUEST_TIMEOUT, "the body did not arrive in time");
        return true;
    default:
        return false;
    }
}
