/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a connection: wait for a request, read its head, call the handler, make ready for the
 * next.
 */
#include "base/http/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* A pool this full gives idle connections less time, and then none. */
#define CROWDED(workers) ((workers) - (workers) / 4)
#define FULL(workers) ((workers) - (workers) / 16)
#define CROWDED_KEEP_ALIVE_US US_PER_S

static struct http_lane *lane_of(const struct http_conn *conn)
{
    return &conn->server->lanes[conn->lane];
}

static void lane_lock(const struct http_conn *conn)
{
    if (conn->fiber == NULL)
        pthread_mutex_lock(&lane_of(conn)->mtx);
}

static void lane_unlock(const struct http_conn *conn)
{
    if (conn->fiber == NULL)
        pthread_mutex_unlock(&lane_of(conn)->mtx);
}

static bool take_work(struct http_conn *conn)
{
    struct http_lane *lane = lane_of(conn);
    lane_lock(conn);
    struct http_work *w = lane->spare;
    if (w != NULL)
        lane->spare = w->next;
    lane_unlock(conn);
    if (w == NULL) {
        size_t cap = conn->server->options.limits.head + HTTP_BODY_ROOM;
        w = malloc(sizeof(*w) + cap);
        if (w == NULL)
            return false;
        arena_init(&w->arena, 4096, HTTP_ARENA_BYTES);
        w->cap = cap;
    }
    w->begin = w->end = w->body_at = 0;
    conn->work = w;
    conn->head = &w->head;
    return true;
}

static void give_work_back(struct http_conn *conn)
{
    struct http_work *w = conn->work;
    struct http_lane *lane = lane_of(conn);
    conn->work = NULL;
    conn->head = NULL;
    lane_lock(conn);
    w->next = lane->spare;
    lane->spare = w;
    lane_unlock(conn);
}

static bool open_beyond(const struct http_server *server, unsigned mark)
{
    return atomic_load_explicit(&server->open, memory_order_relaxed) > mark;
}

static void count(_Atomic uint64_t *gauge, uint64_t delta)
{
    atomic_fetch_add_explicit(gauge, delta, memory_order_relaxed);
}

/*
 * Reads into the workspace behind what is there. The number of bytes, 0 at the end of the stream,
 * E_BUSY, or an error. There must be room.
 */
static ssize_t fill(struct http_conn *conn)
{
    struct http_work *w = conn->work;
    CHECK(w->end < w->cap);
    ssize_t n = fiber_try_recv(conn->fd, w->in + w->end, w->cap - w->end);
    if (n > 0)
        w->end += (size_t)n;
    return n;
}

static int wait_readable(const struct http_conn *conn, struct mono deadline)
{
    struct fiber_wait wait = {.fd = conn->fd, .want = FIBER_READ};
    int r = fiber_wait_any(&wait, 1, deadline);
    return r < 0 ? r : 0;
}

static int64_t idle_patience(const struct http_conn *conn, bool first)
{
    const struct http_options *o = &conn->server->options;
    int64_t patience = first ? o->head_timeout_us : o->keep_alive_us;
    if (open_beyond(conn->server, CROWDED(o->workers)) && patience > CROWDED_KEEP_ALIVE_US)
        patience = CROWDED_KEEP_ALIVE_US;
    return patience;
}

/*
 * Waits for the first byte of a request, holding no memory meanwhile. False when the connection is
 * over: the client closed, was idle for too long, or the server drains.
 */
static bool await_request(struct http_conn *conn)
{
    struct http_lane *lane = lane_of(conn);
    if (conn->work != NULL && conn->work->end > conn->work->begin)
        return true; /* it came together with the one before */
    bool first = conn->served == 0;
    struct mono deadline = MONO_NEVER;
    int waiting = first ? PHASE_NEW : PHASE_IDLE;
    /* pairs with http_server_drain(): either it sees the phase, or `draining` is seen below */
    atomic_store(&conn->phase, waiting);
    ssize_t n;
    for (;;) {
        if ((conn->work == NULL && !take_work(conn)) ||
            (!first && atomic_load(&conn->server->draining))) {
            n = E_CLOSED;
            break;
        }
        n = fill(conn);
        if (n != E_BUSY)
            break;
        give_work_back(conn);
        if (deadline.us == INT64_MAX) {
            deadline = mono_after(clock_mono(), idle_patience(conn, first));
            count(&lane->idle, 1); /* who is seen idle has its time already */
        }
        n = wait_readable(conn, deadline);
        if (n != 0)
            break;
    }
    if (deadline.us != INT64_MAX)
        count(&lane->idle, (uint64_t)-1);
    /* a drain that has marked the connection wins: no request was taken up yet */
    return n > 0 && atomic_compare_exchange_strong(&conn->phase, &waiting, PHASE_ACTIVE);
}

static void refuse(struct http_conn *conn, unsigned status, const char *why)
{
    struct http_work *w = conn->work;
    conn->fault = status;
    conn->close = true; /* where the next message would begin is not known */
    conn->why = why;
    conn->bytes_in = w->end - w->begin;
    /* what was parsed before the fault may still tell the method and the target */
    conn->decoder = (struct decoder){.state = DECODER_DONE};
}

/* Reads more of the head; 0, or the error. The bytes are moved to the front where room runs out. */
static ssize_t read_more_of_head(struct http_conn *conn, struct mono deadline)
{
    struct http_work *w = conn->work;
    if (w->end == w->cap) {
        memmove(w->in, w->in + w->begin, w->end - w->begin);
        w->end -= w->begin;
        w->begin = 0;
    }
    for (;;) {
        ssize_t n = w->end < w->cap ? fill(conn) : E_TOO_LARGE;
        if (n > 0)
            return 0;
        if (n == 0)
            return E_CLOSED;
        if (n != E_BUSY)
            return n;
        int r = wait_readable(conn, deadline);
        if (r != 0)
            return r;
    }
}

/*
 * Reads and parses the head. True: conn->head is complete, or conn->fault says why it is refused.
 * False: the client is gone.
 */
static bool read_head(struct http_conn *conn)
{
    struct http_work *w = conn->work;
    const struct http_options *o = &conn->server->options;
    struct head_scan scan = {.at = 0};
    struct mono deadline = mono_after(conn->began, o->head_timeout_us);
    const char *why = NULL;
    enum head_status s;
    head_clear(&w->head); /* a refused head must not show the fields of the one before */
    for (;;) {
        s = head_scan_request(&scan, w->in + w->begin, w->end - w->begin, &o->limits, &why);
        if (s != HEAD_INCOMPLETE)
            break;
        ssize_t r = read_more_of_head(conn, deadline);
        if (r == E_TIMEOUT) {
            refuse(conn, 408, "the head did not arrive in time");
            return true;
        }
        if (r != 0)
            return false;
    }
    w->begin += scan.skipped;
    size_t size = scan.at - scan.skipped;
    if (s == HEAD_OK)
        s = head_parse_request(&w->head, w->in + w->begin, size, &o->limits, &why);
    if (s != HEAD_OK) {
        refuse(conn, head_fault_status(s), why);
        return true;
    }
    conn->bytes_in = size;
    w->begin += size;
    w->body_at = w->begin;
    decoder_init(&conn->decoder, &w->head);
    conn->continue_due = w->head.expect_continue && w->begin == w->end;
    return true;
}

int http_body_try(struct http_conn *conn, struct str *ret_piece)
{
    struct http_work *w = conn->work;
    *ret_piece = STR_EMPTY;
    for (;;) {
        struct str in = str_make(w->in + w->begin, w->end - w->begin);
        size_t before = in.n;
        int r = decoder_next(&conn->decoder, &in, ret_piece);
        conn->bytes_in += before - in.n;
        w->begin = w->end - in.n;
        if (r != 0)
            conn->close = true;
        if (r != 0 || ret_piece->n > 0 || http_body_done(conn))
            return r;
        /* all is used up: the room behind the head is free again */
        w->begin = w->end = w->body_at;
        ssize_t n = fill(conn);
        if (n > 0) {
            conn->continue_due = false; /* the client did not wait (RFC 9110 §10.1.1) */
            continue;
        }
        if (n != E_BUSY)
            conn->close = true;
        return n == 0 ? E_CLOSED : (int)n;
    }
}

int http_body_check(const struct http_conn *conn)
{
    struct decoder d = conn->decoder;
    struct str in =
        str_make(conn->work->in + conn->work->begin, conn->work->end - conn->work->begin);
    while (in.n > 0 && !decoder_done(&d)) {
        struct str piece;
        int r = decoder_next(&d, &in, &piece);
        if (r != 0)
            return r;
    }
    return 0;
}

int http_send_continue(struct http_conn *conn)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    conn->continue_due = false;
    return fiber_send(conn->fd, text, sizeof(text) - 1, conn->server->options.send_timeout_us,
                      NULL);
}

int http_body_read(struct http_conn *conn, struct str *ret_piece)
{
    for (;;) {
        int r = http_body_try(conn, ret_piece);
        if (r != E_BUSY)
            return r;
        if (conn->continue_due && conn->bytes_out == 0) /* never within an answer */
            r = http_send_continue(conn);
        else
            r = wait_readable(conn,
                              mono_after(clock_mono(), conn->server->options.body_timeout_us));
        if (r != 0) {
            conn->close = true;
            return r;
        }
    }
}

bool http_wants_back(const struct http_conn *conn)
{
    return conn->crowded || http_server_draining(conn->server);
}

struct arena *http_arena(struct http_conn *conn)
{
    return &conn->work->arena;
}

int http_send(struct http_conn *conn, struct iovec *iov, unsigned count)
{
    size_t sent;
    int r = fiber_sendv(conn->fd, iov, count, conn->server->options.send_timeout_us, &sent);
    conn->bytes_out += sent;
    if (r != 0)
        conn->close = true;
    return r;
}

bool http_peer_gone(struct http_conn *conn)
{
    char c;
    ssize_t n = recv(conn->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* After the answer: whether the connection can take another request. */
static bool ready_for_next(struct http_conn *conn)
{
    struct http_work *w = conn->work;
    http_settle_body(conn);
    if (conn->close) {
        if (!http_body_done(conn) || w->end > w->begin || conn->fault != 0)
            http_linger(conn);
        return false;
    }
    /* pipelined bytes go to the front, so that each request finds all of the room */
    memmove(w->in, w->in + w->begin, w->end - w->begin);
    w->end -= w->begin;
    w->begin = 0;
    return true;
}

static void reset_request(struct http_conn *conn)
{
    conn->fault = 0;
    conn->why = NULL;
    conn->bytes_in = conn->bytes_out = 0;
    conn->continue_due = false;
    conn->began = clock_mono();
    int64_t waited = mono_since(conn->began, fiber_turn_began());
    conn->queue_us = waited > 0 ? (uint64_t)waited : 0;
    conn->crowded = open_beyond(conn->server, FULL(conn->server->options.workers));
    arena_clear(&conn->work->arena);
}

static void serve_requests(struct http_conn *conn)
{
    const struct http_options *o = &conn->server->options;
    struct http_lane *lane = lane_of(conn);
    while (await_request(conn)) {
        bool more = false;
        count(&lane->active, 1);
        reset_request(conn);
        if (read_head(conn)) {
            conn->served++;
            o->handle(conn, o->arg);
            more = ready_for_next(conn);
        }
        count(&lane->active, (uint64_t)-1);
        if (!more)
            break;
    }
}

static void enter_lane(struct http_conn *conn)
{
    struct http_lane *lane = lane_of(conn);
    pthread_mutex_lock(&lane->mtx);
    conn->next = lane->conns;
    conn->prev = &lane->conns;
    if (conn->next != NULL)
        conn->next->prev = &conn->next;
    lane->conns = conn;
    pthread_mutex_unlock(&lane->mtx);
}

static void leave_lane(struct http_conn *conn)
{
    struct http_lane *lane = lane_of(conn);
    pthread_mutex_lock(&lane->mtx);
    *conn->prev = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    pthread_mutex_unlock(&lane->mtx);
}

void http_serve(struct http_server *server, int fd, const struct sockaddr *peer)
{
    struct http_conn conn = {
        .fd = fd, .server = server, .fiber = fiber_self(), .lane = fiber_carrier_index()};
    conn.peer = ip_from_sockaddr(peer, &conn.peer_port);
    enter_lane(&conn);
    serve_requests(&conn);
    if (conn.work != NULL)
        give_work_back(&conn);
    /* from here on neither a drain nor an abort finds it, so the descriptor may go */
    leave_lane(&conn);
    if (server->clients != NULL)
        clients_leave(server->clients, conn.peer);
    atomic_fetch_sub_explicit(&server->open, 1, memory_order_release);
    fiber_trim_stack();
}
