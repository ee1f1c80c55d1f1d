/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_rig.h -- a server with a small handler, and a client, for the tests of base/http/.
 *
 * The handler does what the target says (see rig_handle()); what it saw is kept in struct rig. The
 * same tests run with workers on threads, on fibers, and on fibers as real threads.
 *
 * Threads: the handler runs on workers and never uses cmocka's assertions; the client functions
 *          belong to the test's thread.
 * Memory:  rig_stop() frees all.
 * Errors:  a failed assertion, or an abort on a worker.
 */
#ifndef TESTS_UNIT_BASE_HTTP_RIG_H
#define TESTS_UNIT_BASE_HTTP_RIG_H

#include "base/buf.h"
#include "base/http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum rig_mode { RIG_THREADS, RIG_FIBERS, RIG_REAL_THREADS };

static enum rig_mode rig_mode;

/* Long enough to mean a hang where it passes; no test waits for it when all is well. */
#define RIG_PATIENCE_US (60 * US_PER_S)

/* The server has more patience than its clients: so one that waits for nothing is seen. */
#define RIG_SERVER_PATIENCE_US (10 * RIG_PATIENCE_US)

#define RIG_OVERLOADED                                                                             \
    "HTTP/1.1 503 Overloaded\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull"

struct rig {
    struct carriers *carriers;
    struct http_server *server;
    struct http_options options;
    struct str listen;
    uint16_t port;
    _Atomic uint64_t handled;  /* requests and faults that reached the handler */
    _Atomic uint64_t pieces;   /* of bodies */
    _Atomic uint64_t answered; /* answers that the kernel took in full */
    _Atomic int inside;        /* handlers at work */
    _Atomic int most_inside;   /* the most of them there ever were */
    _Atomic int body_error;    /* of the last body that was not read to its end */
    _Atomic int send_error;    /* of the last answer that was not sent in full */
    _Atomic bool gone;         /* /gone saw its client leave */
};

/* --- the handler --- */

/* Answers, in one write; says `Connection: close` where the connection will be closed. */
static inline void rig_answer(struct rig *rig, struct http_conn *conn, unsigned status,
                              struct str body)
{
    char head[256];
    if (conn->head->close || http_wants_back(conn))
        conn->close = true;
    int n = snprintf(head, sizeof(head), "HTTP/1.1 %u Status\r\nContent-Length: %zu\r\n%s\r\n",
                     status, body.n, conn->close ? "Connection: close\r\n" : "");
    struct iovec iov[2] = {{.iov_base = head, .iov_len = (size_t)n},
                           {.iov_base = (void *)(uintptr_t)body.p, .iov_len = body.n}};
    int r = http_send(conn, iov, 2);
    if (r != 0)
        atomic_store(&rig->send_error, r);
    else
        atomic_fetch_add(&rig->answered, 1);
    CHECK(r != 0 || conn->bytes_out >= (size_t)n + body.n);
}

static inline uint64_t rig_checksum(uint64_t sum, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        sum = sum * 31 + (unsigned char)s.p[i];
    return sum;
}

/* Reads the body; its size and checksum. */
static inline int rig_read_body(struct rig *rig, struct http_conn *conn, uint64_t *ret_size,
                                uint64_t *ret_sum)
{
    struct str piece;
    *ret_size = *ret_sum = 0;
    for (;;) {
        int r = http_body_read(conn, &piece);
        if (r != 0) {
            atomic_store(&rig->body_error, r);
            return r;
        }
        if (piece.n == 0) {
            CHECK(http_body_done(conn));
            return 0;
        }
        atomic_fetch_add(&rig->pieces, 1);
        *ret_size += piece.n;
        *ret_sum = rig_checksum(*ret_sum, piece);
    }
}

/* "N bytes, sum S, read R": the body's size and checksum, and what was read of the connection. */
static inline void rig_count_body(struct rig *rig, struct http_conn *conn)
{
    uint64_t size, sum;
    int r = rig_read_body(rig, conn, &size, &sum);
    if (r == E_PROTOCOL)
        rig_answer(rig, conn, 400, STR("broken body"));
    if (r != 0)
        return;
    rig_answer(rig, conn, 200,
               arena_printf(http_arena(conn), "%llu bytes, sum %llu, read %llu",
                            (unsigned long long)size, (unsigned long long)sum,
                            (unsigned long long)conn->bytes_in));
}

static inline void rig_answer_much(struct rig *rig, struct http_conn *conn)
{
    size_t size = 8 << 20;
    char *p = malloc(size);
    CHECK(p != NULL);
    memset(p, 'm', size);
    rig_answer(rig, conn, 200, str_make(p, size));
    free(p);
}

/* Lets the body come before it asks for it. */
static inline void rig_count_late(struct rig *rig, struct http_conn *conn)
{
    struct fiber_wait w = {.fd = conn->fd, .want = FIBER_READ};
    int r = fiber_wait_any(&w, 1, mono_after(clock_mono(), RIG_SERVER_PATIENCE_US));
    CHECK(r == 1);
    rig_count_body(rig, conn);
}

/* Waits until the client has left. */
static inline void rig_wait_gone(struct rig *rig, struct http_conn *conn)
{
    bool gone;
    while (!(gone = http_peer_gone(conn))) {
        struct fiber_wait w = {.fd = conn->fd, .want = FIBER_READ};
        if (fiber_wait_any(&w, 1, mono_after(clock_mono(), RIG_SERVER_PATIENCE_US)) < 0)
            break;
    }
    atomic_store(&rig->gone, gone);
}

static inline void rig_route(struct rig *rig, struct http_conn *conn)
{
    struct str path = conn->head->target;
    if (str_eq(path, STR("/count"))) {
        rig_count_body(rig, conn);
    } else if (str_eq(path, STR("/count-late"))) {
        rig_count_late(rig, conn);
    } else if (str_eq(path, STR("/refuse"))) {
        http_settle_body(conn);
        rig_answer(rig, conn, 413, STR("too large"));
    } else if (str_eq(path, STR("/answer-first"))) {
        uint64_t size, sum;
        rig_answer(rig, conn, 200, STR("before the body"));
        int r = rig_read_body(rig, conn, &size, &sum);
        (void)r; /* it is kept in the rig */
    } else if (str_eq(path, STR("/much"))) {
        rig_answer_much(rig, conn);
    } else if (str_eq(path, STR("/sleep"))) {
        int r = fiber_sleep(mono_after(clock_mono(), 20 * US_PER_MS));
        rig_answer(rig, conn, r == 0 ? 200 : 503, STR("slept"));
    } else if (str_eq(path, STR("/sleep-long"))) {
        int r = fiber_sleep(mono_after(clock_mono(), RIG_SERVER_PATIENCE_US));
        atomic_store(&rig->body_error, r);
    } else if (str_eq(path, STR("/gone"))) {
        rig_wait_gone(rig, conn);
    } else if (str_eq(path, STR("/peer"))) {
        char ip[IP_TEXT_MAX];
        ip_format(conn->peer, ip);
        rig_answer(rig, conn, 200, arena_printf(http_arena(conn), "%s %u", ip, conn->peer_port));
    } else if (str_eq(path, STR("/fields"))) {
        rig_answer(rig, conn, 200, arena_printf(http_arena(conn), "%u", conn->head->count));
    } else {
        rig_answer(rig, conn, 200, path);
    }
}

static inline void rig_handle(struct http_conn *conn, void *arg)
{
    struct rig *rig = arg;
    int inside = atomic_fetch_add(&rig->inside, 1) + 1, most = atomic_load(&rig->most_inside);
    while (inside > most && !atomic_compare_exchange_weak(&rig->most_inside, &most, inside))
        continue;
    atomic_fetch_add(&rig->handled, 1);
    CHECK(http_arena(conn)->used == 0 && conn->bytes_out == 0);
    CHECK(conn->lane < (rig->carriers != NULL ? carriers_count(rig->carriers) : 1));
    if (conn->fault != 0) {
        /* what a handler looks for in every head must not be of an older one */
        struct str mark = head_value(conn->head, FIELD_X_REQUEST_ID);
        CHECK(conn->close && conn->why != NULL && http_body_done(conn));
        rig_answer(rig, conn, conn->fault,
                   arena_printf(http_arena(conn), "%s [%" STR_FMT "]", conn->why, STR_ARG(mark)));
    } else {
        rig_route(rig, conn);
    }
    atomic_fetch_sub(&rig->inside, 1);
}

/* --- the server --- */

/* Options that a test may change before rig_start(). */
static inline void rig_init(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->listen = STR("127.0.0.1:0");
    rig->options = (struct http_options){
        .name = "test",
        .listen = &rig->listen,
        .listen_count = 1,
        .workers = 8,
        .limits = {.head = 4096, .target = 1024},
        .head_timeout_us = RIG_SERVER_PATIENCE_US,
        .body_timeout_us = RIG_SERVER_PATIENCE_US,
        .send_timeout_us = RIG_SERVER_PATIENCE_US,
        .keep_alive_us = RIG_SERVER_PATIENCE_US,
        .overloaded = STR(RIG_OVERLOADED),
        .handle = rig_handle,
        .arg = rig,
    };
}

static inline uint16_t rig_port(const struct http_server *server, unsigned index)
{
    struct str text = http_server_address(server, index);
    const char *colon = memrchr(text.p, ':', text.n);
    uint64_t port;
    assert_non_null(colon);
    struct str digits = str_slice(text, (size_t)(colon - text.p) + 1, text.n);
    assert_int_equal(str_to_u64(digits, 1, 65535, &port), 0);
    return (uint16_t)port;
}

static inline void rig_start(struct rig *rig)
{
    struct error err = ERROR_INIT;
    if (rig_mode != RIG_THREADS && rig->carriers == NULL) {
        struct carriers_options o = {.count = 2, .real_threads = rig_mode == RIG_REAL_THREADS};
        assert_int_equal(carriers_start(&rig->carriers, &o, &err), 0);
    }
    rig->options.carriers = rig->carriers;
    if (http_server_start(&rig->server, &rig->options, &err) != 0)
        fail_msg("%s", err.text);
    rig->port = rig_port(rig->server, 0);
}

static inline void rig_stop(struct rig *rig)
{
    http_server_stop(rig->server, RIG_PATIENCE_US);
    carriers_stop(rig->carriers);
    rig->server = NULL;
    rig->carriers = NULL;
}

/* Waits for a condition that another flow will bring about. */
#define WAIT_FOR(cond)                                                                             \
    do {                                                                                           \
        struct mono end_ = mono_after(clock_mono(), RIG_PATIENCE_US);                              \
        while (!(cond)) {                                                                          \
            if (clock_mono().us > end_.us)                                                         \
                fail_msg("%s did not come about", #cond);                                          \
            usleep(500);                                                                           \
        }                                                                                          \
    } while (0)

static inline void wait_for_open(struct rig *rig, unsigned open)
{
    WAIT_FOR(http_server_open(rig->server) == open);
}

/* --- the client --- */

struct client {
    int fd;
    struct buf in; /* what came and was not looked at yet */
};

static inline struct client client_from(const char *from, uint16_t port)
{
    struct client c = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in a = {.sin_family = AF_INET};
    struct timeval patience = {.tv_sec = RIG_PATIENCE_US / US_PER_S};
    int on = 1;
    assert_true(c.fd >= 0);
    assert_int_equal(setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    assert_int_equal(inet_pton(AF_INET, from, &a.sin_addr), 1);
    assert_int_equal(bind(c.fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &a.sin_addr), 1);
    a.sin_port = htons(port);
    assert_int_equal(connect(c.fd, (struct sockaddr *)&a, sizeof(a)), 0);
    buf_init(&c.in, 64 << 20);
    return c;
}

static inline struct client client_to(const struct rig *rig)
{
    return client_from("127.0.0.1", rig->port);
}

static inline void client_close(struct client *c)
{
    close(c->fd);
    buf_free(&c->in);
}

static inline void say(struct client *c, struct str s)
{
    while (s.n > 0) {
        ssize_t n = send(c->fd, s.p, s.n, MSG_NOSIGNAL);
        assert_true(n > 0);
        s = str_slice(s, (size_t)n, s.n);
    }
}

/* Reads more; false at the end of the stream. */
static inline bool hear_more(struct client *c)
{
    char *to = buf_reserve(&c->in, 65536);
    assert_non_null(to);
    ssize_t n = recv(c->fd, to, 65536, 0);
    if (n < 0)
        fail_msg("recv: %s", strerror(errno));
    buf_advance(&c->in, (size_t)n);
    return n > 0;
}

static inline void expect_text(struct client *c, const char *text)
{
    struct str want = str_from(text);
    while (c->in.n < want.n && hear_more(c))
        continue;
    assert_str_equal(str_slice(buf_str(&c->in), 0, want.n), text);
    buf_consume(&c->in, want.n);
}

struct answer {
    unsigned status;
    bool close;
    struct str body; /* valid until the next one */
};

/* Reads one answer, as any client would, and keeps what came behind it. */
static inline struct answer hear(struct client *c, struct buf *body)
{
    static struct head head;
    const char *why = "";
    enum head_status s;
    while ((s = head_parse_response(&head, c->in.p, c->in.n, 4096, false, &why)) ==
           HEAD_INCOMPLETE) {
        if (!hear_more(c))
            fail_msg("the connection ended where an answer was due");
    }
    if (s != HEAD_OK || !head.has_length)
        fail_msg("%s: %" STR_FMT, why, STR_ARG(buf_str(&c->in)));
    struct answer a = {.status = head.status, .close = head.close};
    size_t size = head.content_length;
    buf_consume(&c->in, head.size);
    while (c->in.n < size) {
        if (!hear_more(c))
            fail_msg("the connection ended within an answer");
    }
    buf_clear(body);
    buf_add(body, c->in.p, size);
    a.body = buf_str(body);
    buf_consume(&c->in, size);
    return a;
}

/* The next answer must be this one; `close` tells whether it must announce the end. */
static inline void expect_answer(struct client *c, unsigned status, const char *text, bool closes)
{
    struct buf body;
    buf_init(&body, 64 << 20);
    struct answer a = hear(c, &body);
    if (a.status != status || a.close != closes)
        fail_msg("status %u, close %d: %" STR_FMT, a.status, a.close, STR_ARG(a.body));
    if (text != NULL)
        assert_str_equal(a.body, text);
    buf_free(&body);
}

/* The server must have closed, in order, and said no more. */
static inline void expect_end(struct client *c)
{
    if (c->in.n > 0 || hear_more(c))
        fail_msg("more came: %" STR_FMT, STR_ARG(buf_str(&c->in)));
}

/* Waits until the server's side of the connection has taken all that was said, and tells whether it
 * did so without a reset. */
static inline bool all_is_taken(struct client *c)
{
    int left, fault = 0;
    socklen_t n = sizeof(fault);
    WAIT_FOR(ioctl(c->fd, SIOCOUTQ, &left) == 0 && left == 0);
    assert_int_equal(getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &fault, &n), 0);
    return fault == 0;
}

/* One request and its answer on an open connection. */
static inline void expect_echo(struct client *c, const char *path)
{
    char request[128];
    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);
    say(c, str_from(request));
    expect_answer(c, 200, path, false);
}

/* Begins a request that stays in its handler until finish_request() sends the last byte. */
static inline struct client begin_request(struct rig *rig)
{
    struct client c = client_to(rig);
    uint64_t before = rig->handled;
    say(&c, STR("POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n"));
    WAIT_FOR(rig->handled == before + 1);
    return c;
}

static inline void finish_request(struct client *c, bool closes)
{
    say(c, STR("a"));
    expect_answer(c, 200, NULL, closes);
    if (closes)
        expect_end(c);
}

/* Runs the tests once with each kind of worker; leaves main() with the number of failures. */
#define RUN_IN_EACH_MODE(name, tests)                                                              \
    do {                                                                                           \
        int failed_ = 0;                                                                           \
        rig_mode = RIG_THREADS;                                                                    \
        failed_ += cmocka_run_group_tests_name(name " on threads", tests, NULL, NULL);             \
        rig_mode = RIG_FIBERS;                                                                     \
        failed_ += cmocka_run_group_tests_name(name " on fibers", tests, NULL, NULL);              \
        rig_mode = RIG_REAL_THREADS;                                                               \
        failed_ += cmocka_run_group_tests_name(name " on real threads", tests, NULL, NULL);        \
        return failed_;                                                                            \
    } while (0)

#endif
