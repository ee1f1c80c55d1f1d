/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do with input that nobody wants: closing a socket with unread bytes makes the kernel send
 * a reset, and a reset destroys the answer that the client was to see (RFC 9112 §9.6).
 */
#include "base/http/conn.h"

#define DRAIN_BYTES_MAX (64 * 1024)
#define DRAIN_US US_PER_S
#define LINGER_BYTES_MAX (256 * 1024)
#define LINGER_US (2 * US_PER_S)

static int wait_until(const struct http_conn *conn, struct mono deadline)
{
    struct fiber_wait wait = {.fd = conn->fd, .want = FIBER_READ};
    int r = fiber_wait_any(&wait, 1, deadline);
    return r < 0 ? r : 0;
}

/* Reads what is left of a small body; false where it is not small, or does not come. */
static bool drain_body(struct http_conn *conn)
{
    struct mono deadline = mono_after(clock_mono(), DRAIN_US);
    uint64_t most = conn->bytes_in + DRAIN_BYTES_MAX;
    if (conn->continue_due)
        return false; /* the client waits for a word before it sends the body */
    if (!conn->decoder.chunked && conn->decoder.left > DRAIN_BYTES_MAX)
        return false;
    while (!http_body_done(conn)) {
        struct str piece;
        int r = http_body_try(conn, &piece);
        if (r == E_BUSY)
            r = wait_until(conn, deadline);
        if (r != 0 || conn->bytes_in > most)
            return false;
    }
    return true;
}

void http_settle_body(struct http_conn *conn)
{
    if (!conn->close && !http_body_done(conn) && !drain_body(conn))
        conn->close = true;
}

void http_linger(struct http_conn *conn)
{
    struct mono deadline = mono_after(clock_mono(), LINGER_US);
    struct http_work *w = conn->work;
    size_t thrown_away = 0;
    if (shutdown(conn->fd, SHUT_WR) != 0)
        return;
    while (thrown_away < LINGER_BYTES_MAX) {
        ssize_t n = fiber_recv(conn->fd, w->in, w->cap, deadline);
        if (n <= 0)
            return;
        thrown_away += (size_t)n;
    }
}
