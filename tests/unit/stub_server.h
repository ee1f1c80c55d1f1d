/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub_server.h -- an HTTP server of a few lines for tests of clients: one thread, one connection
 * at a time, answers made by a function of the test.
 *
 * Threads: the function is called on the server's thread; what it shares needs a lock.
 * Memory:  a request is borrowed until the function returns.
 * Errors:  a failure to set up fails the test; a request it cannot read ends its connection.
 */
#ifndef TESTS_UNIT_STUB_SERVER_H
#define TESTS_UNIT_STUB_SERVER_H

#include "test.h"

#include "base/buf.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct stub_request {
    struct str head, body;
    unsigned connection; /* the how manieth, from 1 */
};

enum stub_action {
    STUB_ANSWER, /* send what was put into the answer, keep the connection */
    STUB_CLOSE,  /* the same, then close */
    STUB_STALL   /* send nothing and leave the connection open */
};

typedef enum stub_action stub_handle(void *ctx, const struct stub_request *request,
                                     struct buf *answer);

struct stub_server {
    stub_handle *handle;
    void *ctx;
    int listen_fd, stop_fd;
    unsigned connections;
    uint16_t port;
    pthread_t thread;
};

/* The value of a header field in a head; "" where there is none. */
static inline struct str stub_header(struct str head, const char *name)
{
    struct str rest = head;
    while (rest.p != NULL) {
        struct str line = str_cut(&rest, '\n');
        struct str key = str_cut(&line, ':');
        if (str_eq_nocase(key, str_from(name)) && line.n > 0 && line.p[line.n - 1] == '\r')
            return str_trim(str_slice(line, 0, line.n - 1));
    }
    return STR_EMPTY;
}

static inline void stub_answer(struct buf *answer, unsigned status, const char *fields,
                               const char *body)
{
    buf_printf(answer, "HTTP/1.1 %u Stub\r\n%sContent-Length: %zu\r\n\r\n%s", status, fields,
               strlen(body), body);
}

/* Waits until fd can be read; false when the server is to stop. */
static inline bool stub_wait(const struct stub_server *s, int fd)
{
    struct pollfd fds[2] = {{.fd = s->stop_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0)
        ;
    return fds[0].revents == 0;
}

/* Reads one request into `in`; the number of its bytes, 0 at the connection's end or a stop. */
static inline size_t stub_read(const struct stub_server *s, int fd, struct buf *in,
                               struct stub_request *request)
{
    for (;;) {
        size_t end = str_find(buf_str(in), STR("\r\n\r\n"));
        uint64_t length = 0;
        if (end < in->n) {
            request->head = str_slice(buf_str(in), 0, end + 2);
            struct str text = stub_header(request->head, "Content-Length");
            if (text.n > 0 && str_to_u64(text, 0, 1 << 26, &length) != 0)
                return 0;
            request->body = str_slice(buf_str(in), end + 4, end + 4 + length);
            if (request->body.n == length)
                return end + 4 + length;
        }
        char *to = buf_reserve(in, 65536);
        ssize_t n = to != NULL && stub_wait(s, fd) ? recv(fd, to, 65536, 0) : 0;
        if (n <= 0)
            return 0;
        buf_advance(in, (size_t)n);
    }
}

static inline void stub_serve(struct stub_server *s, int fd)
{
    struct buf in, answer;
    struct stub_request request = {.connection = ++s->connections};
    buf_init(&in, 1 << 26);
    buf_init(&answer, 1 << 24);
    for (size_t n = stub_read(s, fd, &in, &request); n > 0; n = stub_read(s, fd, &in, &request)) {
        buf_clear(&answer);
        enum stub_action action = s->handle(s->ctx, &request, &answer);
        if (action != STUB_STALL && send(fd, answer.p, answer.n, MSG_NOSIGNAL) != (ssize_t)answer.n)
            break;
        if (action == STUB_CLOSE)
            break;
        buf_consume(&in, n);
    }
    close(fd);
    buf_free(&in);
    buf_free(&answer);
}

static inline void *stub_run(void *arg)
{
    struct stub_server *s = arg;
    while (stub_wait(s, s->listen_fd)) {
        int fd = accept(s->listen_fd, NULL, NULL);
        if (fd >= 0)
            stub_serve(s, fd);
    }
    return NULL;
}

/* Listens on a free port of 127.0.0.1, or on `port` where it is not 0. */
static inline void stub_start(struct stub_server *s, uint16_t port, stub_handle *handle, void *ctx)
{
    int one = 1;
    struct sockaddr_in sa = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(sa);
    *s = (struct stub_server){.handle = handle, .ctx = ctx};
    s->stop_fd = eventfd(0, EFD_CLOEXEC);
    s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->stop_fd >= 0 && s->listen_fd >= 0);
    setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    assert_int_equal(bind(s->listen_fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(s->listen_fd, 16), 0);
    assert_int_equal(getsockname(s->listen_fd, (struct sockaddr *)&sa, &n), 0);
    s->port = ntohs(sa.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, stub_run, s), 0);
}

static inline void stub_stop(struct stub_server *s)
{
    uint64_t one = 1;
    assert_int_equal(write(s->stop_fd, &one, sizeof(one)), sizeof(one));
    pthread_join(s->thread, NULL);
    close(s->listen_fd);
    close(s->stop_fd);
}

#endif
