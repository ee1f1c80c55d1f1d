/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loopback.h -- for tests: a server on threads at a free port, and a client that speaks to it.
 *
 * Threads: the client is the test's; the handler runs on the server's workers.
 * Memory:  an answer owns its text; answer_free().
 * Errors:  what fails ends the test.
 */
#ifndef TESTS_UNIT_LOOPBACK_H
#define TESTS_UNIT_LOOPBACK_H

#include "test.h"

#include "base/buf.h"
#include "base/http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static inline struct http_server *loopback_start(void (*handle)(struct http_conn *, void *),
                                                 void *arg)
{
    static const struct str listen[] = {STR_INIT("127.0.0.1:0")};
    struct http_options options = {
        .name = "test",
        .listen = listen,
        .listen_count = 1,
        /* more than a test makes connections: of one that is over it may not know yet */
        .workers = 64,
        .limits = {.head = 8192, .target = 2048},
        .head_timeout_us = 10 * US_PER_S,
        .body_timeout_us = 10 * US_PER_S,
        .send_timeout_us = 10 * US_PER_S,
        .keep_alive_us = 10 * US_PER_S,
        .handle = handle,
        .arg = arg,
    };
    struct http_server *server;
    struct error err = ERROR_INIT;
    if (http_server_start(&server, &options, &err) != 0)
        fail_msg("%s", err.text);
    return server;
}

static inline int loopback_connect_to(struct str address)
{
    struct ip ip;
    uint16_t port;
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(ip_port_parse(address, &ip, &port), 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static inline int loopback_connect(const struct http_server *server)
{
    return loopback_connect_to(http_server_address(server, 0));
}

struct answer {
    struct buf text;
    struct head head;
    struct str body;
};

static inline void answer_free(struct answer *answer)
{
    buf_free(&answer->text);
}

/* One more piece of the answer; false at the end of the stream. */
static inline bool answer_more(int fd, struct answer *answer)
{
    char *to = buf_reserve(&answer->text, 4096);
    assert_non_null(to);
    ssize_t n = recv(fd, to, 4096, 0);
    assert_true(n >= 0);
    buf_advance(&answer->text, (size_t)n);
    return n > 0;
}

/* Sends a request as it stands and reads one whole answer. */
static inline void loopback_ask(int fd, const char *request, struct answer *answer)
{
    const char *why = "";
    struct str text = str_from(request);
    bool to_head = str_starts(text, STR("HEAD "));
    enum head_status s = HEAD_INCOMPLETE;
    buf_init(&answer->text, 4U << 20);
    assert_int_equal(send(fd, text.p, text.n, MSG_NOSIGNAL), text.n);
    while (s == HEAD_INCOMPLETE) {
        if (!answer_more(fd, answer))
            fail_msg("no answer to \"%s\"", request);
        s = head_parse_response(&answer->head, answer->text.p, answer->text.n, 8192, to_head, &why);
    }
    if (s != HEAD_OK)
        fail_msg("bad answer: %s", why);
    size_t size = answer->head.size;
    if (answer->head.body == BODY_LENGTH)
        size += answer->head.content_length;
    while (answer->text.n < size)
        assert_true(answer_more(fd, answer));
    assert_int_equal(answer->text.n, size); /* nothing behind it */
    /* the text may have moved since the head was parsed */
    s = head_parse_response(&answer->head, answer->text.p, answer->text.n, 8192, to_head, &why);
    assert_int_equal(s, HEAD_OK);
    answer->body = str_slice(buf_str(&answer->text), answer->head.size, size);
}

/* Whether the server has ended the connection: nothing more comes, and the stream ends. */
static inline bool loopback_ended(int fd)
{
    char c;
    return recv(fd, &c, 1, 0) == 0;
}

/* Whether it still takes a request: one that is answered. */
static inline bool loopback_lives(int fd)
{
    struct answer answer;
    loopback_ask(fd, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", &answer);
    bool lives = answer.head.status > 0;
    answer_free(&answer);
    return lives;
}

/* The value of a header field; empty where it is not there. */
static inline struct str answer_field(const struct answer *answer, const char *name)
{
    for (unsigned i = 0; i < answer->head.count; i++) {
        if (str_eq_nocase(answer->head.fields[i].name, str_from(name)))
            return answer->head.fields[i].value;
    }
    return STR_EMPTY;
}

/* One request on a connection of its own. */
static inline void loopback_once(const struct http_server *server, const char *request,
                                 struct answer *answer)
{
    int fd = loopback_connect(server);
    loopback_ask(fd, request, answer);
    close(fd);
}

static inline bool str_has(struct str s, const char *part)
{
    return str_find(s, str_from(part)) < s.n;
}

#endif
