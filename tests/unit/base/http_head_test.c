/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/buf.h"
#include "base/http/head.h"

#include <stdio.h>
#include <stdlib.h>

static const struct head_limits ROOMY = {.head = 32 * 1024, .target = 8 * 1024};

/* As a server reads it: looks for the end, then parses. The bytes are a heap copy of exactly their
 * size, so that a look beyond them is seen. */
static enum head_status read_request(struct head *head, struct str text,
                                     const struct head_limits *limits, char **ret_bytes)
{
    struct head_scan scan = {.at = 0};
    const char *why = NULL;
    char *bytes = malloc(text.n + (text.n == 0));
    if (text.n > 0)
        memcpy(bytes, text.p, text.n);
    head_clear(head);
    enum head_status s = head_scan_request(&scan, bytes, text.n, limits, &why);
    if (s == HEAD_OK)
        s = head_parse_request(head, bytes + scan.skipped, scan.at - scan.skipped, limits, &why);
    if (s != HEAD_OK && s != HEAD_INCOMPLETE)
        assert_non_null(why);
    if (ret_bytes != NULL)
        *ret_bytes = bytes;
    else
        free(bytes);
    return s;
}

static enum head_status status_of(struct str text)
{
    static struct head head;
    return read_request(&head, text, &ROOMY, NULL);
}

/* A request with these fields behind its Host. */
#define WITH(fields) "GET / HTTP/1.1\r\nHost: h\r\n" fields "\r\n"
#define POST(fields) "POST / HTTP/1.1\r\nHost: h\r\n" fields "\r\n"
/* A request with this first line. */
#define LINE(line) line "\r\nHost: h\r\n\r\n"

static const struct {
    enum head_status want;
    struct str text;
} REQUESTS[] = {
    /* the request line */
    {HEAD_OK, STR_INIT(LINE("GET / HTTP/1.1"))},
    {HEAD_OK, STR_INIT(LINE("G / HTTP/1.0"))},
    {HEAD_OK, STR_INIT(LINE("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1"))},
    {HEAD_OK, STR_INIT(LINE("OPTIONS * HTTP/1.1"))},
    {HEAD_OK, STR_INIT(LINE("GET http://h:81/a?b HTTP/1.1"))},
    {HEAD_OK, STR_INIT(LINE("GET /\xc3\xa9?\"<>\\^`{|}[] HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET"))},
    {HEAD_BAD, STR_INIT(LINE("GET "))},
    {HEAD_BAD, STR_INIT(LINE("GET /"))},
    {HEAD_BAD, STR_INIT(LINE("GET / "))},
    {HEAD_BAD, STR_INIT(LINE(" GET / HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("\tGET / HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET  / HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET /  HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET\t/ HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET /\tHTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET / HTTP/1.1 "))},
    {HEAD_BAD, STR_INIT(LINE("GET / HTTP/1.1\t"))},
    {HEAD_BAD, STR_INIT(LINE("GET / HTTP/1.1\r"))},
    {HEAD_BAD, STR_INIT(LINE("GET /\r HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET /\v HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET /\0 HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET /\x7f HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET /#a HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET /a b HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET: / HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("G\xc9T / HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("(GET) / HTTP/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET / http/1.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET / HTTP/1"))},
    {HEAD_BAD, STR_INIT(LINE("GET / HTTP/1.10"))},
    {HEAD_BAD, STR_INIT(LINE("GET / HTTP/01.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET / HTTP/1,1"))},
    {HEAD_BAD, STR_INIT(LINE("GET / HTTP/x.1"))},
    {HEAD_BAD, STR_INIT(LINE("GET / HTTP/1.x"))},
    {HEAD_BAD, STR_INIT(LINE("GET / HTTP /1.1"))},
    {HEAD_VERSION, STR_INIT(LINE("GET / HTTP/1.2"))},
    {HEAD_VERSION, STR_INIT(LINE("GET / HTTP/0.9"))},
    {HEAD_VERSION, STR_INIT(LINE("GET / HTTP/2.0"))},
    {HEAD_VERSION, STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
    {HEAD_UNIMPLEMENTED, STR_INIT(LINE("CONNECT h:443 HTTP/1.1"))},
    {HEAD_UNIMPLEMENTED, STR_INIT(LINE("TRACE / HTTP/1.1"))},
    {HEAD_OK, STR_INIT(LINE("connect / HTTP/1.1"))}, /* methods are case-sensitive */
    /* where the head begins and ends */
    {HEAD_INCOMPLETE, STR_INIT("")},
    {HEAD_INCOMPLETE, STR_INIT("\r")},
    {HEAD_INCOMPLETE, STR_INIT("\r\n")},
    {HEAD_INCOMPLETE, STR_INIT("\r\n\r\n")},
    {HEAD_INCOMPLETE, STR_INIT("GET / HTTP/1.1\r\nHost: h\r\n")},
    {HEAD_INCOMPLETE, STR_INIT("GET / HTTP/1.1\r\nHost: h\r\n\r")},
    {HEAD_OK, STR_INIT("\r\n" WITH(""))},
    {HEAD_OK, STR_INIT("\r\n\r\n" WITH(""))},
    {HEAD_BAD, STR_INIT("\r\n\r\n\r\n" WITH(""))},
    {HEAD_BAD, STR_INIT("\n" WITH(""))},
    {HEAD_BAD, STR_INIT("\r\r\n" WITH(""))},
    {HEAD_BAD, STR_INIT("GET / HTTP/1.1\nHost: h\r\n\r\n")},
    {HEAD_BAD, STR_INIT("GET / HTTP/1.1\r\nHost: h\n\r\n")},
    {HEAD_BAD, STR_INIT("GET / HTTP/1.1\r\nHost: h\r\n\n")},
    {HEAD_BAD, STR_INIT("GET / HTTP/1.1\n\n")},
    /* Host */
    {HEAD_OK, STR_INIT("GET / HTTP/1.0\r\n\r\n")},
    {HEAD_OK, STR_INIT("GET / HTTP/1.1\r\nHost:\r\n\r\n")},
    {HEAD_BAD, STR_INIT("GET / HTTP/1.1\r\n\r\n")},
    {HEAD_BAD, STR_INIT(WITH("Host: h\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("hOST: other\r\n"))},
    {HEAD_BAD, STR_INIT("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n")},
    /* fields */
    {HEAD_OK, STR_INIT(WITH("A: b\r\n"))},
    {HEAD_OK, STR_INIT(WITH("A:b\r\n"))},
    {HEAD_OK, STR_INIT(WITH("A:\r\n"))},
    {HEAD_OK, STR_INIT(WITH("A: \t \r\n"))},
    {HEAD_OK, STR_INIT(WITH("A: b\tc: \xff\"\r\n"))},
    {HEAD_OK, STR_INIT(WITH("!#$%&'*+-.^_`|~09azAZ: x\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A : b\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A\t: b\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A B: c\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A\r\n"))},
    {HEAD_BAD, STR_INIT(WITH(": b\r\n"))},
    {HEAD_BAD, STR_INIT(WITH(" A: b\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A: b\r\n c\r\n"))}, /* obs-fold */
    {HEAD_BAD, STR_INIT(WITH("A: b\r\n\tc\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A: b\r\n \r\n"))},
    {HEAD_BAD, STR_INIT("GET / HTTP/1.1\r\n Host: h\r\n\r\n")},
    {HEAD_BAD, STR_INIT(WITH("A\0: b\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A\xc3\xa9: b\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A(b): c\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A: b\0c\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A: b\x01"
                             "c\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A: b\x1b"
                             "c\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A: b\x7f\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A: b\rc\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A: b\r\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("A: b\rX: y\r\n"))},
    /* Content-Length */
    {HEAD_OK, STR_INIT(POST("Content-Length: 0\r\n"))},
    {HEAD_OK, STR_INIT(POST("Content-Length: \t5 \r\n"))},
    {HEAD_OK, STR_INIT(POST("Content-Length: 005\r\n"))},
    {HEAD_OK, STR_INIT(POST("Content-Length: 9223372036854775807\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: 9223372036854775808\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: 18446744073709551621\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length:\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: +5\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: -5\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: -0\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: 5abc\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: 0x5\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: 5 5\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: 5, 5\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: 5.0\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: 5;\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: \v5\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: \"5\"\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: 5\r\nContent-Length: 5\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: 5\r\ncontent-length: 6\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length : 5\r\n"))},
    /* Transfer-Encoding */
    {HEAD_OK, STR_INIT(POST("Transfer-Encoding: chunked\r\n"))},
    {HEAD_OK, STR_INIT(POST("TRANSFER-ENCODING: ChUnKeD\r\n"))},
    {HEAD_OK, STR_INIT(POST("Transfer-Encoding: , chunked ,\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding:\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: ,\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: , ,\t,\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: ,\r\nContent-Length: 5\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: chunked, chunked\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: identity\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: identity\r\nContent-Length: 5\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: chunked, identity\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: chunked;q=1\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: \"chunked\"\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: chunked chunked\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: \vchunked\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding : chunked\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Transfer-Encoding: chunked\r\n , identity\r\n"))},
    {HEAD_UNIMPLEMENTED, STR_INIT(POST("Transfer-Encoding: gzip\r\n"))},
    {HEAD_UNIMPLEMENTED, STR_INIT(POST("Transfer-Encoding: xchunked\r\n"))},
    {HEAD_UNIMPLEMENTED, STR_INIT(POST("Transfer-Encoding: gzip, chunked\r\n"))},
    {HEAD_UNIMPLEMENTED, STR_INIT(POST("Transfer-Encoding: chunked, gzip\r\n"))},
    {HEAD_BAD, STR_INIT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")},
    /* Connection must not make a field disappear that decides something */
    {HEAD_OK, STR_INIT(WITH("Connection: a, b ,, c\r\n"))},
    {HEAD_OK, STR_INIT(WITH("Connection:\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("Connection: a b\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("Connection: a, \"b\"\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("Connection: host\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("Connection: close, Content-Length\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("Connection: AUTHORIZATION\r\n"))},
    {HEAD_BAD, STR_INIT(WITH("Connection: close\r\nConnection: x-api-key\r\n"))},
    /* Expect */
    {HEAD_OK, STR_INIT(POST("Expect: 100-continue\r\nContent-Length: 5\r\n"))},
    {HEAD_OK, STR_INIT(POST("Expect: 100-Continue\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Expect: 200-ok\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Expect: 100-continue, x\r\n"))},
    {HEAD_BAD, STR_INIT(POST("Expect: 100-continue\r\nExpect: x\r\n"))},
    {HEAD_OK, STR_INIT("POST / HTTP/1.0\r\nExpect: x\r\n\r\n")}, /* unknown there: ignored */
};

static void each_request_gets_the_status_it_deserves(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(REQUESTS); i++) {
        enum head_status got = status_of(REQUESTS[i].text);
        if (got != REQUESTS[i].want)
            fail_msg("case %zu: status %d, want %d: %" STR_FMT, i, (int)got, (int)REQUESTS[i].want,
                     STR_ARG(REQUESTS[i].text));
    }
}

/* The scan alone, fed in two parts, or byte by byte where `at` is SIZE_MAX. */
static enum head_status scan_in_parts(struct str text, size_t at, struct head_scan *scan)
{
    const char *why = NULL;
    *scan = (struct head_scan){.at = 0};
    if (at != SIZE_MAX) {
        enum head_status s = head_scan_request(scan, text.p, at, &ROOMY, &why);
        return s != HEAD_INCOMPLETE ? s : head_scan_request(scan, text.p, text.n, &ROOMY, &why);
    }
    for (size_t n = 0; n <= text.n; n++) {
        enum head_status s = head_scan_request(scan, text.p, n, &ROOMY, &why);
        if (s != HEAD_INCOMPLETE)
            return s;
    }
    return HEAD_INCOMPLETE;
}

static void it_does_not_matter_where_the_bytes_were_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(REQUESTS); i++) {
        struct head_scan whole, parts;
        struct str text = REQUESTS[i].text;
        enum head_status want = scan_in_parts(text, text.n, &whole);
        for (size_t at = 0; at <= text.n + 1; at++) {
            size_t where = at <= text.n ? at : SIZE_MAX;
            enum head_status got = scan_in_parts(text, where, &parts);
            if (got != want ||
                (want == HEAD_OK && (parts.at != whole.at || parts.skipped != whole.skipped)))
                fail_msg("case %zu cut at %zu: status %d, want %d", i, at, (int)got, (int)want);
        }
    }
}

static void the_bytes_behind_the_head_are_left_alone(void **state)
{
    (void)state;
    struct str text = STR("\r\n" WITH("") "GET /2 HTTP/1.1\r\n\n");
    struct head_scan scan = {.at = 0};
    const char *why;
    assert_int_equal(head_scan_request(&scan, text.p, text.n, &ROOMY, &why), HEAD_OK);
    assert_int_equal(scan.skipped, 2);
    assert_int_equal(scan.at, 2 + sizeof(WITH("")) - 1);
}

static void the_parts_of_a_request_are_found(void **state)
{
    (void)state;
    static struct head h;
    char *bytes;
    struct str text = STR("PATCH /a?b=c HTTP/1.1\r\nhost:  example.com:80\t\r\nX-Y:\r\n"
                          "x-api-key: one\r\nX-API-Key: two\r\nContent-Length: 12\r\n\r\n");
    assert_int_equal(read_request(&h, text, &ROOMY, &bytes), HEAD_OK);
    assert_str_equal(h.method, "PATCH");
    assert_str_equal(h.target, "/a?b=c");
    assert_int_equal(h.minor, 1);
    assert_int_equal(h.count, 5);
    assert_int_equal(h.size, text.n);
    assert_str_equal(head_value(&h, FIELD_HOST), "example.com:80");
    assert_str_equal(h.fields[0].name, "host");
    assert_int_equal(h.fields[1].id, FIELD_OTHER);
    assert_str_equal(h.fields[1].value, "");
    assert_str_equal(head_value(&h, FIELD_X_API_KEY), "one");
    assert_int_equal(head_count(&h, FIELD_X_API_KEY), 2);
    assert_int_equal(head_count(&h, FIELD_VIA), 0);
    assert_null(head_find(&h, FIELD_VIA));
    assert_str_equal(head_value(&h, FIELD_VIA), "");
    assert_int_equal(h.body, BODY_LENGTH);
    assert_int_equal(h.content_length, 12);
    assert_false(h.close);
    head_clear(&h);
    assert_null(head_find(&h, FIELD_HOST));
    assert_int_equal(h.count, 0);
    assert_str_equal(h.method, "");
    free(bytes);
}

static void a_refused_head_shows_what_was_read_of_it(void **state)
{
    (void)state;
    static struct head h;
    char *bytes;
    assert_int_equal(read_request(&h, STR(POST("Transfer-Encoding: gzip\r\n")), &ROOMY, &bytes),
                     HEAD_UNIMPLEMENTED);
    assert_str_equal(h.method, "POST");
    assert_str_equal(h.target, "/");
    assert_str_equal(head_value(&h, FIELD_HOST), "h");
    assert_int_equal(h.body, BODY_NONE);
    free(bytes);
}

static void every_known_name_has_its_id_in_any_case(void **state)
{
    (void)state;
    static const struct {
        enum http_field id;
        const char *name;
        bool hop_by_hop;
    } cases[] = {
        {FIELD_HOST, "Host", false},
        {FIELD_CONNECTION, "Connection", true},
        {FIELD_KEEP_ALIVE, "Keep-Alive", true},
        {FIELD_PROXY_CONNECTION, "Proxy-Connection", true},
        {FIELD_PROXY_AUTHORIZATION, "Proxy-Authorization", true},
        {FIELD_PROXY_AUTHENTICATE, "Proxy-Authenticate", true},
        {FIELD_TE, "TE", true},
        {FIELD_TRAILER, "Trailer", true},
        {FIELD_TRANSFER_ENCODING, "Transfer-Encoding", true},
        {FIELD_UPGRADE, "Upgrade", true},
        {FIELD_CONTENT_LENGTH, "Content-Length", false},
        {FIELD_CONTENT_TYPE, "Content-Type", false},
        {FIELD_EXPECT, "Expect", false},
        {FIELD_AUTHORIZATION, "Authorization", false},
        {FIELD_X_API_KEY, "X-API-Key", false},
        {FIELD_X_REQUEST_ID, "X-Request-Id", false},
        {FIELD_X_FORWARDED_FOR, "X-Forwarded-For", false},
        {FIELD_X_FORWARDED_PROTO, "X-Forwarded-Proto", false},
        {FIELD_X_FORWARDED_HOST, "X-Forwarded-Host", false},
        {FIELD_FORWARDED, "Forwarded", false},
        {FIELD_VIA, "Via", false},
        {FIELD_TRACEPARENT, "traceparent", false},
        {FIELD_USER_AGENT, "User-Agent", false},
        {FIELD_REFERER, "Referer", false},
        {FIELD_ACCEPT, "Accept", false},
        {FIELD_IF_NONE_MATCH, "If-None-Match", false},
        {FIELD_DATE, "Date", false},
        {FIELD_SERVER, "Server", false},
    };
    assert_int_equal(ARRAY_LEN(cases), FIELD_COUNT - 1); /* all but FIELD_OTHER */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static struct head h;
        char name[64], text[256];
        struct str s = str_from(cases[i].name);
        for (unsigned form = 0; form < 3; form++) {
            for (size_t k = 0; k < s.n; k++) {
                char lower = str_lower_char(s.p[k]);
                bool letter = lower >= 'a' && lower <= 'z';
                bool upper = form == 1 || (form == 2 && k % 2 == 0);
                name[k] = letter && upper ? (char)(lower - 32) : lower;
            }
            name[s.n] = '\0';
            assert_int_equal(head_field_id(str_from(name)), cases[i].id);
            /* one byte off, and it is another name */
            name[0] ^= 1;
            assert_int_equal(head_field_id(str_from(name)), FIELD_OTHER);
            assert_int_equal(head_field_id(str_slice(s, 1, s.n)), FIELD_OTHER);
        }
        /* the flag is set while parsing; a body's framing fields are told apart by REQUESTS */
        snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n%s: 1\r\n\r\n", cases[i].name);
        const char *why;
        enum head_status status =
            head_parse_response(&h, text, strlen(text), sizeof(text), false, &why);
        if (cases[i].id == FIELD_TRANSFER_ENCODING)
            continue;
        assert_int_equal(status, HEAD_OK);
        assert_int_equal(h.fields[0].id, cases[i].id);
        assert_int_equal(h.fields[0].hop_by_hop, cases[i].hop_by_hop);
    }
    assert_int_equal(head_field_id(STR_EMPTY), FIELD_OTHER);
    assert_int_equal(head_field_id(STR("X-Twenty-Characters-")), FIELD_OTHER);
    assert_int_equal(head_field_id(STR("A-Name-Longer-Than-Any-That-Is-Known")), FIELD_OTHER);
}

static void who_stays_and_who_closes(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        bool close, upgrade;
    } cases[] = {
        {STR_INIT(WITH("")), false, false},
        {STR_INIT(WITH("Connection: close\r\n")), true, false},
        {STR_INIT(WITH("Connection: CLOSE\r\n")), true, false},
        {STR_INIT(WITH("Connection: a,close ,b\r\n")), true, false},
        {STR_INIT(WITH("Connection: a\r\nX: y\r\nConnection: close\r\n")), true, false},
        {STR_INIT(WITH("Connection: keep-alive\r\n")), false, false},
        {STR_INIT(WITH("Connection: keep-alive, close\r\n")), true, false},
        {STR_INIT(WITH("Connection: closed\r\n")), false, false},
        {STR_INIT(WITH("Connection: upgrade\r\n")), false, false},
        {STR_INIT(WITH("Upgrade: websocket\r\n")), false, false},
        {STR_INIT(WITH("Connection: Upgrade\r\nUpgrade: websocket\r\n")), false, true},
        {STR_INIT(WITH("Upgrade: websocket\r\nConnection: keep-alive, UPGRADE\r\n")), false, true},
        {STR_INIT("GET / HTTP/1.0\r\n\r\n"), true, false},
        {STR_INIT("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), false, false},
        {STR_INIT("GET / HTTP/1.0\r\nConnection: x, keep-alive\r\n\r\n"), false, false},
        {STR_INIT("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), true, false},
        {STR_INIT("GET / HTTP/1.0\r\nKeep-Alive: timeout=5\r\n\r\n"), true, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static struct head h;
        assert_int_equal(read_request(&h, cases[i].text, &ROOMY, NULL), HEAD_OK);
        if (h.close != cases[i].close || h.upgrade != cases[i].upgrade)
            fail_msg("case %zu: close %d, upgrade %d", i, h.close, h.upgrade);
    }
}

static void what_connection_names_is_of_this_connection_alone(void **state)
{
    (void)state;
    static struct head h;
    char *bytes;
    struct str text = STR(WITH("X-One: 1\r\nConnection: x-two , X-ONE\r\nX-Two: 2\r\nX-Three: 3\r\n"
                               "x-two: 4\r\nCookie: c\r\n"));
    assert_int_equal(read_request(&h, text, &ROOMY, &bytes), HEAD_OK);
    static const bool want[] = {false, true, true, true, false, true, false};
    assert_int_equal(h.count, ARRAY_LEN(want));
    for (unsigned i = 0; i < h.count; i++)
        assert_int_equal(h.fields[i].hop_by_hop, want[i]);
    free(bytes);
}

static void continue_is_owed_only_for_a_body_that_is_announced(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        bool want;
    } cases[] = {
        {STR_INIT(POST("Expect: 100-continue\r\nContent-Length: 1\r\n")), true},
        {STR_INIT(POST("Content-Length: 1\r\nExpect: 100-CONTINUE\r\n")), true},
        {STR_INIT(POST("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n")), true},
        {STR_INIT(POST("Expect: 100-continue\r\nContent-Length: 0\r\n")), false},
        {STR_INIT(POST("Expect: 100-continue\r\n")), false},
        {STR_INIT(POST("Content-Length: 1\r\n")), false},
        {STR_INIT("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static struct head h;
        assert_int_equal(read_request(&h, cases[i].text, &ROOMY, NULL), HEAD_OK);
        if (h.expect_continue != cases[i].want)
            fail_msg("case %zu", i);
    }
}

/* A head of exactly `size` bytes with a target of `target` bytes. */
static void make_request(struct buf *b, size_t size, size_t target)
{
    buf_clear(b);
    buf_add_lit(b, "GET /");
    for (size_t i = 1; i < target; i++)
        buf_add_char(b, 'a');
    buf_add_lit(b, " HTTP/1.1\r\nHost: h\r\nX: ");
    while (b->n < size - 4)
        buf_add_char(b, 'x');
    buf_add_lit(b, "\r\n\r\n");
    assert_int_equal(buf_finish(b), 0);
    assert_int_equal(b->n, size);
}

static void limits_hold_to_the_byte(void **state)
{
    (void)state;
    static const struct head_limits limits = {.head = 1000, .target = 100};
    static const struct {
        size_t size, target;
        enum head_status want;
    } cases[] = {
        {999, 100, HEAD_OK},
        {1000, 100, HEAD_OK},
        {1001, 100, HEAD_TOO_LARGE},
        {1000, 101, HEAD_URI_TOO_LONG},
        {2000, 101, HEAD_TOO_LARGE},
        {1000, 600, HEAD_URI_TOO_LONG},
        {5000, 4000, HEAD_URI_TOO_LONG},
    };
    struct buf b;
    buf_init(&b, 8192);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static struct head h;
        make_request(&b, cases[i].size, cases[i].target);
        enum head_status got = read_request(&h, buf_str(&b), &limits, NULL);
        if (got != cases[i].want)
            fail_msg("case %zu: status %d", i, (int)got);
    }
    buf_free(&b);
}

static void a_head_that_cannot_fit_is_refused_before_its_end(void **state)
{
    (void)state;
    static const struct head_limits limits = {.head = 1000, .target = 100};
    struct head_scan scan;
    const char *why;
    struct buf b;
    buf_init(&b, 8192);
    make_request(&b, 5000, 50);
    scan = (struct head_scan){.at = 0};
    assert_int_equal(head_scan_request(&scan, b.p, 999, &limits, &why), HEAD_INCOMPLETE);
    assert_int_equal(head_scan_request(&scan, b.p, 1000, &limits, &why), HEAD_TOO_LARGE);
    make_request(&b, 5000, 3000);
    scan = (struct head_scan){.at = 0};
    assert_int_equal(head_scan_request(&scan, b.p, 164, &limits, &why), HEAD_INCOMPLETE);
    assert_int_equal(head_scan_request(&scan, b.p, 165, &limits, &why), HEAD_URI_TOO_LONG);
    /* a bare LF is noticed as soon as it is there */
    scan = (struct head_scan){.at = 0};
    assert_int_equal(head_scan_request(&scan, "GET / HTTP/1.1\n", 15, &limits, &why), HEAD_BAD);
    buf_free(&b);
}

static void no_field_is_dropped_silently(void **state)
{
    (void)state;
    static struct head h;
    struct buf b;
    char *bytes;
    buf_init(&b, 8192);
    for (unsigned extra = HEAD_FIELDS_MAX - 2; extra <= HEAD_FIELDS_MAX; extra++) {
        buf_clear(&b);
        buf_add_lit(&b, "GET / HTTP/1.1\r\nHost: h\r\n");
        for (unsigned i = 0; i < extra; i++)
            buf_printf(&b, "X-%u: %u\r\n", i, i);
        buf_add_lit(&b, "\r\n");
        enum head_status want = extra < HEAD_FIELDS_MAX ? HEAD_OK : HEAD_TOO_LARGE;
        assert_int_equal(read_request(&h, buf_str(&b), &ROOMY, &bytes), want);
        if (want == HEAD_OK)
            assert_int_equal(h.count, extra + 1);
        free(bytes);
    }
    buf_free(&b);
}

static void the_last_of_the_most_fields_is_found_by_its_id(void **state)
{
    (void)state;
    static struct head h;
    struct buf b;
    char *bytes;
    buf_init(&b, 8192);
    buf_add_lit(&b, "GET / HTTP/1.1\r\n");
    for (unsigned i = 1; i < HEAD_FIELDS_MAX; i++)
        buf_add_lit(&b, "X: y\r\n");
    buf_add_lit(&b, "Host: last\r\n\r\n");
    assert_int_equal(read_request(&h, buf_str(&b), &ROOMY, &bytes), HEAD_OK);
    assert_str_equal(head_value(&h, FIELD_HOST), "last");
    free(bytes);
    buf_free(&b);
}

static void tokens_are_told_from_other_text(void **state)
{
    (void)state;
    assert_true(http_is_token(STR("a")));
    assert_true(http_is_token(STR("!#$%&'*+-.^_`|~09azAZ")));
    assert_false(http_is_token(STR_EMPTY));
    /* each byte but the 77 of RFC 9110 §5.6.2 */
    unsigned good = 0;
    for (unsigned c = 0; c < 256; c++) {
        char byte = (char)c;
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool want = alnum || (c != 0 && c < 128 && strchr("!#$%&'*+-.^_`|~", (int)c) != NULL);
        assert_int_equal(http_is_token(str_make(&byte, 1)), want);
        good += want;
    }
    assert_int_equal(good, 77);
}

static void lists_are_taken_apart_without_their_empty_elements(void **state)
{
    (void)state;
    struct str rest = STR(" ,a ,\t, b c,,d,"), e;
    static const char *const want[] = {"a", "b c", "d"};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(http_list_next(&rest, &e));
        assert_str_equal(e, want[i]);
    }
    assert_false(http_list_next(&rest, &e));
    assert_false(http_list_next(&rest, &e));
    rest = STR_EMPTY;
    assert_false(http_list_next(&rest, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_gets_the_status_it_deserves),
        cmocka_unit_test(it_does_not_matter_where_the_bytes_were_cut),
        cmocka_unit_test(the_bytes_behind_the_head_are_left_alone),
        cmocka_unit_test(the_parts_of_a_request_are_found),
        cmocka_unit_test(a_refused_head_shows_what_was_read_of_it),
        cmocka_unit_test(every_known_name_has_its_id_in_any_case),
        cmocka_unit_test(who_stays_and_who_closes),
        cmocka_unit_test(what_connection_names_is_of_this_connection_alone),
        cmocka_unit_test(continue_is_owed_only_for_a_body_that_is_announced),
        cmocka_unit_test(limits_hold_to_the_byte),
        cmocka_unit_test(a_head_that_cannot_fit_is_refused_before_its_end),
        cmocka_unit_test(no_field_is_dropped_silently),
        cmocka_unit_test(the_last_of_the_most_fields_is_found_by_its_id),
        cmocka_unit_test(tokens_are_told_from_other_text),
        cmocka_unit_test(lists_are_taken_apart_without_their_empty_elements),
    };
    return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
