/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, bodies and answers over real sockets; http_life_test.c has what befalls a server,
 * http_stop_test.c how it ends. */
#include "test.h"

#include "base/http_rig.h"

static void a_connection_serves_one_request_after_the_other(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    for (int i = 0; i < 100; i++)
        expect_echo(&c, i % 2 ? "/a" : "/b");
    assert_int_equal(http_server_stats(rig.server).accepted, 1);
    assert_int_equal(http_server_open(rig.server), 1);
    WAIT_FOR(http_server_stats(rig.server).idle == 1);
    assert_int_equal(http_server_stats(rig.server).active, 0);
    client_close(&c);
    wait_for_open(&rig, 0);
    assert_int_equal(http_server_stats(rig.server).idle, 0);
    rig_stop(&rig);
    assert_int_equal(rig.handled, 100);
}

static void a_client_that_asks_for_the_end_gets_it(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET /a HTTP/1.0\r\n\r\n",
        "\r\nGET /a HTTP/1.1\r\nConnection: x, Close\r\nHost: h\r\n\r\n",
    };
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct client c = client_to(&rig);
        say(&c, str_from(requests[i]));
        expect_answer(&c, 200, "/a", true);
        expect_end(&c);
        client_close(&c);
    }
    struct client c = client_to(&rig);
    say(&c, STR("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    expect_answer(&c, 200, "/a", false);
    expect_echo(&c, "/still-there");
    client_close(&c);
    rig_stop(&rig);
}

static void the_peer_is_known(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_from("127.0.0.9", rig.port);
    struct sockaddr_in own;
    socklen_t n = sizeof(own);
    char want[64];
    assert_int_equal(getsockname(c.fd, (struct sockaddr *)&own, &n), 0);
    snprintf(want, sizeof(want), "127.0.0.9 %u", ntohs(own.sin_port));
    say(&c, STR("GET /peer HTTP/1.1\r\nHost: h\r\n\r\n"));
    expect_answer(&c, 200, want, false);
    client_close(&c);
    rig_stop(&rig);
}

static void a_head_may_come_in_any_pieces(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    struct str request = STR("\r\nPOST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    for (size_t at = 1; at < request.n; at++) {
        say(&c, str_slice(request, 0, at));
        /* the first part has been read once the connection is at work */
        WAIT_FOR(http_server_stats(rig.server).active == 1);
        say(&c, str_slice(request, at, request.n));
        expect_answer(&c, 200, NULL, false);
        WAIT_FOR(http_server_stats(rig.server).idle == 1);
    }
    client_close(&c);
    rig_stop(&rig);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    struct rig rig;
    struct buf all;
    rig_init(&rig);
    rig_start(&rig);
    buf_init(&all, 1 << 20);
    for (int i = 0; i < 300; i++) {
        buf_printf(&all, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
        buf_add_lit(&all, "POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
        buf_add_lit(&all, "POST /refuse HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "4\r\nGET \r\n0\r\nA: b\r\n\r\n");
    }
    struct client c = client_to(&rig);
    say(&c, buf_str(&all));
    for (int i = 0; i < 300; i++) {
        char path[16], counted[64];
        snprintf(path, sizeof(path), "/%d", i);
        expect_answer(&c, 200, path, false);
        snprintf(counted, sizeof(counted), "3 bytes, sum %u, read 55", ('a' * 31 + 'b') * 31 + 'c');
        expect_answer(&c, 200, counted, false);
        expect_answer(&c, 413, "too large", false);
    }
    client_close(&c);
    buf_free(&all);
    rig_stop(&rig);
    assert_int_equal(rig.handled, 900);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/* Adds a request with a body of random size and framing, and what the answer must say of it. */
static void add_random_post(struct buf *all, struct buf *want, uint32_t *seed)
{
    size_t size = next_random(seed) % (next_random(seed) % 4 == 0 ? 60000 : 200), begin = all->n;
    char *body = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        body[i] = (char)next_random(seed);
    struct str rest = str_make(body, size);
    if (next_random(seed) % 2) {
        buf_printf(all, "POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", size);
        buf_add_str(all, rest);
    } else {
        buf_add_lit(all, "POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
        while (rest.n > 0) {
            struct str chunk = str_slice(rest, 0, 1 + next_random(seed) % 20000);
            buf_printf(all, "%zx\r\n", chunk.n);
            buf_add_str(all, chunk);
            buf_add_lit(all, "\r\n");
            rest = str_slice(rest, chunk.n, rest.n);
        }
        buf_add_lit(all, "0\r\n\r\n");
    }
    buf_printf(want, "%zu bytes, sum %llu, read %zu\n", size,
               (unsigned long long)rig_checksum(0, str_make(body, size)), all->n - begin);
    free(body);
}

/* Writes while it can and reads what comes, so that neither side fills up. */
static void talk(struct client *c, struct str all, uint32_t *seed)
{
    while (all.n > 0) {
        struct pollfd p = {.fd = c->fd, .events = POLLIN | POLLOUT};
        assert_true(poll(&p, 1, (int)(RIG_PATIENCE_US / US_PER_MS)) > 0);
        if (p.revents & POLLIN)
            assert_true(hear_more(c));
        if (!(p.revents & POLLOUT))
            continue;
        size_t n = 1 + next_random(seed) % 30000;
        ssize_t sent = send(c->fd, all.p, n < all.n ? n : all.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        assert_true(sent > 0);
        all = str_slice(all, (size_t)sent, all.n);
    }
}

static void bodies_of_any_size_and_framing_arrive_whole(void **state)
{
    (void)state;
    struct rig rig;
    uint32_t seed = 3;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    for (int round = 0; round < 5; round++) {
        struct buf all, want;
        buf_init(&all, 16 << 20);
        buf_init(&want, 1 << 20);
        for (int i = 0; i < 60; i++)
            add_random_post(&all, &want, &seed);
        talk(&c, buf_str(&all), &seed);
        struct str lines = buf_str(&want);
        for (int i = 0; i < 60; i++) {
            char line[128];
            str_copy(str_cut(&lines, '\n'), line, sizeof(line));
            expect_answer(&c, 200, line, false);
        }
        buf_free(&all);
        buf_free(&want);
    }
    client_close(&c);
    rig_stop(&rig);
}

static void continue_is_sent_when_the_body_is_asked_for(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    for (int i = 0; i < 3; i++) {
        say(&c, STR("POST /count HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                    "Content-Length: 1\r\n\r\n"));
        expect_text(&c, "HTTP/1.1 100 Continue\r\n\r\n");
        say(&c, STR("a"));
        expect_answer(&c, 200, "1 bytes, sum 97, read 75", false);
    }
    /* once, however many pieces the body has */
    say(&c, STR("POST /count HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                "Transfer-Encoding: chunked\r\n\r\n"));
    expect_text(&c, "HTTP/1.1 100 Continue\r\n\r\n");
    say(&c, STR("1\r\na"));
    WAIT_FOR(http_server_stats(rig.server).active == 1);
    say(&c, STR("\r\n0\r\n\r\n"));
    expect_answer(&c, 200, NULL, false);
    client_close(&c);
    rig_stop(&rig);
}

static void a_client_that_does_not_wait_gets_no_continue(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    /* the whole body came with the head */
    say(&c, STR("POST /count HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                "Content-Length: 1\r\n\r\na"));
    expect_answer(&c, 200, "1 bytes, sum 97, read 75", false);
    /* a part of it did */
    say(&c, STR("POST /count HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                "Content-Length: 2\r\n\r\na"));
    WAIT_FOR(http_server_stats(rig.server).active == 1);
    say(&c, STR("b"));
    expect_answer(&c, 200, "2 bytes, sum 3105, read 76", false);
    /* a part of it came before it was asked for */
    for (int i = 0; i < 20; i++) {
        uint64_t handled = rig.handled, pieces = rig.pieces;
        say(&c, STR("POST /count-late HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                    "Content-Length: 2\r\n\r\n"));
        WAIT_FOR(rig.handled == handled + 1);
        say(&c, STR("a"));
        WAIT_FOR(rig.pieces == pieces + 1);
        say(&c, STR("b"));
        expect_answer(&c, 200, NULL, false);
    }
    client_close(&c);
    rig_stop(&rig);
}

static void a_refusal_comes_instead_of_continue(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    say(&c, STR("POST /refuse HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                "Content-Length: 1\r\n\r\n"));
    /* whether the body will still come is not known: the connection cannot be used again */
    expect_answer(&c, 413, "too large", true);
    expect_end(&c);
    client_close(&c);
    rig_stop(&rig);
}

static void continue_never_comes_within_an_answer(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    say(&c, STR("POST /answer-first HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                "Content-Length: 1\r\n\r\n"));
    expect_answer(&c, 200, "before the body", false);
    say(&c, STR("a"));
    expect_echo(&c, "/next");
    client_close(&c);
    rig_stop(&rig);
    assert_int_equal(rig.body_error, 0);
}

static void what_is_refused_is_answered_and_closed(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *text, *answer;
    } cases[] = {
        {400, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 wants a Host field []"},
        {400, "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\nHost: b\r\n\r\n",
         "more than one Host [mine]"},
        {400, "GET / HTTP/1.1\nHost: h\n\n", "a line ends without CR []"},
        {400, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
         "more than one Content-Length []"},
        {400,
         "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
         "Transfer-Encoding and Content-Length are both there []"},
        {400, "\x16\x03\x01\x02\x01\x01\xfc\x03\x03\n", "a line ends without CR []"},
        {501, "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", "the method is not served here []"},
        {501, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
         "chunked is the only transfer coding known here []"},
        {505, "GET / HTTP/3.0\r\nHost: h\r\n\r\n", "only HTTP/1.1 and HTTP/1.0 are spoken here []"},
        {505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "only HTTP/1.1 and HTTP/1.0 are spoken here []"},
    };
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client c = client_to(&rig);
        /* the request before it has a mark that must not show in the refusal */
        say(&c, STR("GET /a HTTP/1.1\r\nHost: h\r\nX-Request-Id: older\r\n\r\n"));
        expect_answer(&c, 200, "/a", false);
        say(&c, str_from(cases[i].text));
        expect_answer(&c, cases[i].status, cases[i].answer, true);
        expect_end(&c);
        client_close(&c);
    }
    wait_for_open(&rig, 0);
    rig_stop(&rig);
    assert_int_equal(rig.handled, 2 * ARRAY_LEN(cases));
}

/* A request head with a target and a field of these sizes. */
static void add_large_head(struct buf *b, size_t target, size_t field)
{
    buf_add_lit(b, "GET /");
    for (size_t i = 1; i < target; i++)
        buf_add_char(b, 'a');
    buf_add_lit(b, " HTTP/1.1\r\nHost: h\r\nX: ");
    for (size_t i = 0; i < field; i++)
        buf_add_char(b, 'x');
    buf_add_lit(b, "\r\n\r\n");
}

static void what_is_too_large_is_refused_without_the_older_request(void **state)
{
    (void)state;
    static const struct {
        size_t target, field;
        unsigned status;
        const char *answer;
    } cases[] = {
        {1025, 10, 414, "the request target is too long []"},
        {3000, 10, 414, "the request line is too long []"},
        {100000, 10, 414, "the request line is too long []"},
        {10, 5000, 431, "the head is larger than allowed []"},
        {10, 300000, 431, "the head is larger than allowed []"},
    };
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b;
        struct client c = client_to(&rig);
        say(&c, STR("GET /a HTTP/1.1\r\nX-Request-Id: older\r\nHost: h\r\n\r\n"));
        expect_answer(&c, 200, "/a", false);
        buf_init(&b, 1 << 20);
        add_large_head(&b, cases[i].target, cases[i].field);
        say(&c, buf_str(&b));
        expect_answer(&c, cases[i].status, cases[i].answer, true);
        expect_end(&c);
        buf_free(&b);
        client_close(&c);
    }
    rig_stop(&rig);
}

static void the_largest_head_and_pipelined_ones_find_room(void **state)
{
    (void)state;
    struct rig rig;
    struct buf b;
    rig_init(&rig);
    rig_start(&rig);
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 40; i++)
        add_large_head(&b, 1024, 4096 - 1024 - 31);
    assert_int_equal(b.n, 40 * 4096);
    struct client c = client_to(&rig);
    say(&c, buf_str(&b));
    for (int i = 0; i < 40; i++)
        expect_answer(&c, 200, NULL, false);
    buf_free(&b);
    client_close(&c);
    rig_stop(&rig);
}

/* CivetWeb by itself would refuse these, answer them, close without a word, or lose a part. */
static void nothing_of_civetwebs_own_handling_is_reached(void **state)
{
    (void)state;
    static const struct {
        const char *text, *answer;
    } cases[] = {
        {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "*"},
        {"GET http://other:81/a HTTP/1.1\r\nHost: h\r\n\r\n", "http://other:81/a"},
        {"BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", "/pot"},
        {"GET /tab HTTP/1.1\r\nHost: h\r\nX:\ta\tb\r\n\r\n", "/tab"},
        /* its file server, which redirects to folders: CVE-2025-55763 */
        {"GET /base HTTP/1.1\r\nHost: h\r\n\r\n", "/base"},
        {"GET /../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", "/../../etc/passwd"},
        {"PUT /file HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "/file"},
        {"PROPFIND / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "/"},
        /* its forms: CVE-2025-9648 */
        {"POST /form HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"
         "Content-Length: 4\r\n\r\na=%0",
         "/form"},
        /* its WebSocket */
        {"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         "/ws"},
        {"GET /%00%2F?a=%00 HTTP/1.1\r\nHost: h\r\n\r\n", "/%00%2F?a=%00"},
    };
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        say(&c, str_from(cases[i].text));
        expect_answer(&c, 200, cases[i].answer, false);
    }
    client_close(&c);
    rig_stop(&rig);
}

static void a_hundred_fields_are_seen_and_one_more_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    for (unsigned fields = 99; fields <= 101; fields++) {
        struct client c = client_to(&rig);
        struct buf b;
        char want[8];
        buf_init(&b, 8192);
        buf_add_lit(&b, "GET /fields HTTP/1.1\r\nHost: h\r\n");
        for (unsigned i = 1; i < fields; i++)
            buf_printf(&b, "X-%u: y\r\n", i);
        buf_add_lit(&b, "\r\n");
        say(&c, buf_str(&b));
        snprintf(want, sizeof(want), "%u", fields);
        if (fields <= 100)
            expect_answer(&c, 200, want, false);
        else
            expect_answer(&c, 431, "more than 100 header fields []", true);
        buf_free(&b);
        client_close(&c);
    }
    rig_stop(&rig);
}

static void broken_chunks_end_the_body(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    say(&c, STR("POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                "1\r\na\r\n-1\r\n"));
    expect_answer(&c, 400, "broken body", true);
    expect_end(&c);
    client_close(&c);
    rig_stop(&rig);
    assert_int_equal(rig.body_error, E_PROTOCOL);
}

static void an_unread_body_of_up_to_64_kib_keeps_the_connection(void **state)
{
    (void)state;
    static char body[64 * 1024 + 1];
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    say(&c, STR("POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n"));
    say(&c, str_make(body, 65536));
    expect_answer(&c, 413, "too large", false);
    expect_echo(&c, "/next");
    /* the handler that does not settle the body leaves it to the server */
    say(&c, STR("POST /ignored HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n"));
    say(&c, str_make(body, 65536));
    expect_answer(&c, 200, "/ignored", false);
    expect_echo(&c, "/next");
    say(&c, STR("POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n"));
    say(&c, str_make(body, 65537));
    expect_answer(&c, 413, "too large", true);
    expect_end(&c);
    client_close(&c);
    rig_stop(&rig);
}

/*
 * Sends as much of the body as the server takes until an answer is there, as curl does; then the
 * answer must be read in full, and behind it the end in order, not a reset.
 */
static void upload_until_answered(struct client *c, struct str piece, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        struct str rest = piece;
        while (rest.n > 0) {
            struct pollfd p = {.fd = c->fd, .events = POLLIN | POLLOUT};
            assert_true(poll(&p, 1, (int)(RIG_PATIENCE_US / US_PER_MS)) > 0);
            if (p.revents & POLLIN)
                return;
            ssize_t n = send(c->fd, rest.p, rest.n, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n < 0)
                return; /* the answer came just now, and the server had enough of the rest */
            rest = str_slice(rest, (size_t)n, rest.n);
        }
    }
}

static void the_refusal_of_a_large_body_is_seen(void **state)
{
    (void)state;
    static char piece[64 * 1024];
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    for (int chunked = 0; chunked < 2; chunked++) {
        struct client c = client_to(&rig);
        say(&c, chunked ? STR("POST /refuse HTTP/1.1\r\nHost: h\r\n"
                              "Transfer-Encoding: chunked\r\n\r\na00000\r\n")
                        : STR("POST /refuse HTTP/1.1\r\nHost: h\r\n"
                              "Content-Length: 10485760\r\n\r\n"));
        upload_until_answered(&c, str_make(piece, sizeof(piece)), 160);
        expect_answer(&c, 413, "too large", true);
        expect_end(&c);
        client_close(&c);
    }
    rig_stop(&rig);
}

static void what_the_client_still_sends_does_not_reset_the_refusal(void **state)
{
    (void)state;
    static char piece[64 * 1024];
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    say(&c, STR("POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 10485760\r\n\r\n"));
    say(&c, str_make(piece, sizeof(piece)));
    expect_answer(&c, 413, "too large", true);
    expect_end(&c);
    say(&c, str_make(piece, sizeof(piece)));
    assert_true(all_is_taken(&c));
    client_close(&c);
    wait_for_open(&rig, 0);
    /* the same behind a head that was refused */
    c = client_to(&rig);
    say(&c, STR("GET / HTTP/1.1\r\n\r\n"));
    expect_answer(&c, 400, NULL, true);
    expect_end(&c);
    say(&c, STR("GET /next HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_true(all_is_taken(&c));
    client_close(&c);
    rig_stop(&rig);
    assert_int_equal(rig.handled, 2);
}

static void a_large_answer_reaches_a_slow_reader_whole(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    struct buf body;
    buf_init(&body, 16 << 20);
    say(&c, STR("GET /much HTTP/1.1\r\nHost: h\r\n\r\n"));
    WAIT_FOR(http_server_stats(rig.server).active == 1);
    struct answer a = hear(&c, &body);
    assert_int_equal(a.body.n, 8 << 20);
    for (size_t i = 0; i < a.body.n; i++)
        assert_int_equal(a.body.p[i], 'm');
    expect_echo(&c, "/next");
    buf_free(&body);
    client_close(&c);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_serves_one_request_after_the_other),
        cmocka_unit_test(a_client_that_asks_for_the_end_gets_it),
        cmocka_unit_test(the_peer_is_known),
        cmocka_unit_test(a_head_may_come_in_any_pieces),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(bodies_of_any_size_and_framing_arrive_whole),
        cmocka_unit_test(continue_is_sent_when_the_body_is_asked_for),
        cmocka_unit_test(a_client_that_does_not_wait_gets_no_continue),
        cmocka_unit_test(a_refusal_comes_instead_of_continue),
        cmocka_unit_test(continue_never_comes_within_an_answer),
        cmocka_unit_test(what_is_refused_is_answered_and_closed),
        cmocka_unit_test(what_is_too_large_is_refused_without_the_older_request),
        cmocka_unit_test(the_largest_head_and_pipelined_ones_find_room),
        cmocka_unit_test(nothing_of_civetwebs_own_handling_is_reached),
        cmocka_unit_test(a_hundred_fields_are_seen_and_one_more_is_refused),
        cmocka_unit_test(broken_chunks_end_the_body),
        cmocka_unit_test(an_unread_body_of_up_to_64_kib_keeps_the_connection),
        cmocka_unit_test(the_refusal_of_a_large_body_is_seen),
        cmocka_unit_test(what_the_client_still_sends_does_not_reset_the_refusal),
        cmocka_unit_test(a_large_answer_reaches_a_slow_reader_whole),
    };
    RUN_IN_EACH_MODE("server", tests);
}
