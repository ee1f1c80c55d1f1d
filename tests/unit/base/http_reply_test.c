/* SPDX-License-Identifier: Apache-2.0 */
#include "loopback.h"

#include "base/http/accept.h"
#include "base/http/files.h"

#define HELLO "hello, world\n"

static const struct embedded_file TABLE[] = {
    {"big-1a2b.css", STR_INIT("body { color: black; background: white; margin: 0 }")},
    {"big-1a2b.css.br", STR_INIT("<brotli>")},
    {"big-1a2b.css.gz", STR_INIT("<gzip bytes>")},
    {"plain.html", STR_INIT("<!doctype html>")},
    {"secret.key", STR_INIT("not for browsers")},
    {NULL, {NULL, 0}},
};

static struct http_files *files;
static struct http_server *server;

/* What the tests ask for by path. */
static void handle(struct http_conn *conn, void *arg)
{
    struct reply reply = {.status = 200, .type = STR("text/plain"), .body = STR(HELLO)};
    struct str target = conn->head->target;
    int r;
    (void)arg;
    if (conn->fault != 0) {
        r = reply_fault(conn);
    } else if (str_eq(target, STR("/etag"))) {
        reply.etag = STR("\"v1\"");
        r = reply_send(conn, &reply);
    } else if (str_eq(target, STR("/gone"))) {
        reply.etag = STR("\"v1\"");
        reply.status = 410;
        r = reply_send(conn, &reply);
    } else if (str_eq(target, STR("/empty"))) {
        r = reply_send(conn, &(struct reply){.status = 204});
    } else if (str_eq(target, STR("/file"))) {
        reply = (struct reply){.status = 0};
        reply_file(&reply, conn->head, http_files_find(files, STR("big-1a2b.css")));
        r = reply_send(conn, &reply);
    } else if (str_eq(target, STR("/smuggle"))) {
        reply_add(&reply, STR("X-Bad"), STR("a\r\nX-Injected: yes"));
        reply_add(&reply, STR("X-Good"), STR("good"));
        r = reply_send(conn, &reply);
    } else if (str_eq(target, STR("/problem"))) {
        reply_problem(&reply, http_arena(conn), 403, STR("say \"please\""));
        r = reply_send(conn, &reply);
    } else if (str_eq(target, STR("/large"))) {
        static char value[REPLY_HEAD_MAX];
        memset(value, 'v', sizeof(value));
        reply_add(&reply, STR("X-Large"), str_make(value, sizeof(value)));
        r = reply_send(conn, &reply);
        CHECK(r == E_TOO_LARGE && conn->close);
        reply.field_count = 0;
        r = reply_send(conn, &reply);
    } else {
        r = reply_send(conn, &reply);
    }
    if (r != 0)
        conn->close = true;
}

static int start(void **state)
{
    (void)state;
    files = http_files_create(TABLE);
    server = loopback_start(handle, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    http_server_stop(server, US_PER_S);
    http_files_destroy(files);
    return 0;
}

static void a_status_has_its_registered_phrase(void **state)
{
    (void)state;
    assert_int_equal(http_status_phrase(0).n, 0);
    assert_int_equal(http_status_phrase(99).n, 0);
    assert_int_equal(http_status_phrase(199).n, 0);
    assert_int_equal(http_status_phrase(418).n, 0);
    assert_int_equal(http_status_phrase(499).n, 0);
    assert_int_equal(http_status_phrase(600).n, 0);
    assert_int_equal(http_status_phrase(UINT32_MAX).n, 0);
    assert_str_equal(http_status_phrase(100), "Continue");
    assert_str_equal(http_status_phrase(200), "OK");
    assert_str_equal(http_status_phrase(404), "Not Found");
    assert_str_equal(http_status_phrase(429), "Too Many Requests");
    assert_str_equal(http_status_phrase(451), "Unavailable For Legal Reasons");
    assert_str_equal(http_status_phrase(505), "HTTP Version Not Supported");
}

static void the_date_follows_the_clock(void **state)
{
    (void)state;
    char before[HTTP_DATE_SIZE], after[HTTP_DATE_SIZE], want[CLOCK_TEXT_MAX];
    http_date(before);
    assert_int_equal(strlen(before), HTTP_DATE_SIZE - 1);
    clock_shift_wall(US_PER_DAY);
    struct wall from = clock_wall();
    http_date(after);
    wall_format_http(from, want);
    clock_shift_wall(-US_PER_DAY);
    assert_string_not_equal(before, after);
    assert_memory_equal(after, want, 16); /* the day; the second may have passed between */
    assert_memory_equal(after + 25, " GMT", 5);
}

static void an_answer_carries_what_a_client_needs(void **state)
{
    (void)state;
    struct answer a;
    loopback_once(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(a.head.status, 200);
    assert_str_equal(a.head.phrase, "OK");
    assert_str_equal(a.body, HELLO);
    assert_str_equal(answer_field(&a, "Content-Type"), "text/plain");
    assert_str_equal(answer_field(&a, "Content-Length"), "13");
    assert_int_equal(answer_field(&a, "Date").n, HTTP_DATE_SIZE - 1);
    assert_int_equal(answer_field(&a, "Connection").n, 0);
    answer_free(&a);
}

static void head_gets_the_same_head_and_no_body(void **state)
{
    (void)state;
    struct answer a;
    int fd = loopback_connect(server);
    loopback_ask(fd, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(a.head.status, 200);
    assert_str_equal(answer_field(&a, "Content-Length"), "13");
    assert_int_equal(a.body.n, 0);
    answer_free(&a);
    assert_true(loopback_lives(fd)); /* and no body came late */
    close(fd);
}

static void an_answer_without_a_body_has_no_length(void **state)
{
    (void)state;
    struct answer a;
    int fd = loopback_connect(server);
    loopback_ask(fd, "GET /empty HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(a.head.status, 204);
    assert_int_equal(answer_field(&a, "Content-Length").n, 0);
    answer_free(&a);
    assert_true(loopback_lives(fd));
    close(fd);
}

static void a_connection_stays_or_ends_as_the_client_says(void **state)
{
    (void)state;
    static const struct {
        const char *request, *connection;
        bool ends;
    } cases[] = {
        {"GET / HTTP/1.0\r\n\r\n", "close", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive", false},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "close", true},
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", false},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", "", false},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
         "", false},
        /* a body that is announced too large to be read away for nothing */
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nbody", "close", true},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "close", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        int fd = loopback_connect(server);
        loopback_ask(fd, cases[i].request, &a);
        assert_int_equal(a.head.status, 200);
        assert_str_equal(answer_field(&a, "Connection"), cases[i].connection);
        answer_free(&a);
        assert_true(cases[i].ends ? loopback_ended(fd) : loopback_lives(fd));
        close(fd);
    }
}

static void a_condition_that_holds_is_answered_with_304(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *condition;
        unsigned status;
    } cases[] = {
        {"GET", "/etag", "\"v0\"", 200},
        {"GET", "/etag", "v1", 200},
        {"GET", "/etag", "\"v1\"", 304},
        {"GET", "/etag", "W/\"v1\"", 304},
        {"GET", "/etag", "\"a\", \"v1\"", 304},
        {"GET", "/etag", "*", 304},
        {"HEAD", "/etag", "\"v1\"", 304},
        {"POST", "/etag", "\"v1\"", 200},
        {"GET", "/", "*", 200},
        {"GET", "/gone", "\"v1\"", 410},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        char request[256];
        snprintf(request, sizeof(request),
                 "%s %s HTTP/1.1\r\nHost: x\r\nIf-None-Match: %s\r\nContent-Length: 0\r\n\r\n",
                 cases[i].method, cases[i].path, cases[i].condition);
        int fd = loopback_connect(server);
        loopback_ask(fd, request, &a);
        assert_int_equal(a.head.status, cases[i].status);
        if (cases[i].status == 304) {
            assert_str_equal(answer_field(&a, "ETag"), "\"v1\"");
            assert_int_equal(answer_field(&a, "Content-Length").n, 0);
        }
        answer_free(&a);
        assert_true(loopback_lives(fd));
        close(fd);
    }
}

static void a_file_comes_in_the_form_that_is_liked_best(void **state)
{
    (void)state;
    static const struct {
        const char *accept, *coding, *body;
    } cases[] = {
        {"", "", "body {"},
        {"Accept-Encoding:\r\n", "", "body {"},
        {"Accept-Encoding: deflate, zstd\r\n", "", "body {"},
        {"Accept-Encoding: gzip\r\n", "gzip", "<gzip"},
        {"Accept-Encoding: GZIP\r\n", "gzip", "<gzip"},
        {"Accept-Encoding: gzip, deflate, br\r\n", "br", "<brotli>"},
        {"Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n", "br", "<brotli>"},
        {"Accept-Encoding: br;q=0.5, gzip;q=0.8\r\n", "gzip", "<gzip"},
        {"Accept-Encoding: br;q=0, gzip;q=0.001\r\n", "gzip", "<gzip"},
        {"Accept-Encoding: gzip;q=0, *\r\n", "br", "<brotli>"},
        {"Accept-Encoding: identity, gzip;q=0.5\r\n", "", "body {"},
        {"Accept-Encoding: gzip;q=2\r\n", "", "body {"},
        {"Accept-Encoding: *;q=0\r\n", "", "body {"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        char request[256];
        snprintf(request, sizeof(request), "GET /file HTTP/1.1\r\nHost: x\r\n%s\r\n",
                 cases[i].accept);
        loopback_once(server, request, &a);
        assert_int_equal(a.head.status, 200);
        assert_str_equal(answer_field(&a, "Content-Encoding"), cases[i].coding);
        assert_str_equal(answer_field(&a, "Vary"), "Accept-Encoding");
        assert_str_equal(answer_field(&a, "Content-Type"), "text/css; charset=utf-8");
        assert_true(str_starts(a.body, str_from(cases[i].body)));
        answer_free(&a);
    }
}

static void each_form_of_a_file_has_a_tag_of_its_own(void **state)
{
    (void)state;
    struct answer a, b;
    char tag[64], request[256];
    loopback_once(server, "GET /file HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\n", &a);
    assert_true(str_copy(answer_field(&a, "ETag"), tag, sizeof(tag)));
    answer_free(&a);

    snprintf(request, sizeof(request),
             "GET /file HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\nIf-None-Match: %s\r\n\r\n",
             tag);
    loopback_once(server, request, &a);
    assert_int_equal(a.head.status, 304);
    assert_str_equal(answer_field(&a, "Vary"), "Accept-Encoding");
    assert_int_equal(answer_field(&a, "Content-Encoding").n, 0);
    answer_free(&a);

    snprintf(request, sizeof(request), "GET /file HTTP/1.1\r\nHost: x\r\nIf-None-Match: %s\r\n\r\n",
             tag);
    loopback_once(server, request, &b);
    assert_int_equal(b.head.status, 200);
    answer_free(&b);
}

static void only_files_for_browsers_are_found(void **state)
{
    (void)state;
    assert_non_null(http_files_find(files, STR("plain.html")));
    assert_null(http_files_find(files, STR("")));
    assert_null(http_files_find(files, STR("big-1a2b.css.gz")));
    assert_null(http_files_find(files, STR("big-1a2b.css.br")));
    assert_null(http_files_find(files, STR("secret.key")));
    assert_non_null(http_files_match(files, STR("big-"), STR(".css")));
    assert_null(http_files_match(files, STR("big-"), STR(".js")));
    struct http_files *none = http_files_create(NULL);
    assert_null(http_files_find(none, STR("plain.html")));
    http_files_destroy(none);
}

static void a_header_value_cannot_begin_a_new_line(void **state)
{
    (void)state;
    struct answer a;
    loopback_once(server, "GET /smuggle HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(answer_field(&a, "X-Bad").n, 0);
    assert_int_equal(answer_field(&a, "X-Injected").n, 0);
    assert_str_equal(answer_field(&a, "X-Good"), "good");
    answer_free(&a);
}

static void a_head_that_does_not_fit_is_not_sent_in_part(void **state)
{
    (void)state;
    struct answer a;
    loopback_once(server, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_str_equal(a.body, HELLO); /* of the answer the handler sends instead */
    answer_free(&a);
}

static void a_problem_document_is_valid_json(void **state)
{
    (void)state;
    struct answer a;
    loopback_once(server, "GET /problem HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(a.head.status, 403);
    assert_str_equal(answer_field(&a, "Content-Type"), "application/problem+json");
    assert_str_equal(a.body, "{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403,"
                             "\"detail\":\"say \\\"please\\\"\"}\n");
    answer_free(&a);
}

static void a_refused_head_is_answered_and_the_connection_ended(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        unsigned status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\nHost: x\n\n", 400},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
        {"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nGET / HTTP/1.1\r\n", 400},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        int fd = loopback_connect(server);
        loopback_ask(fd, cases[i].request, &a);
        assert_int_equal(a.head.status, cases[i].status);
        assert_str_equal(answer_field(&a, "Connection"), "close");
        assert_true(str_has(a.body, "\"detail\":"));
        answer_free(&a);
        assert_true(loopback_ended(fd));
        close(fd);
    }
}

static void the_closest_media_range_decides(void **state)
{
    (void)state;
    static const struct {
        const char *accept, *type;
        unsigned quality;
    } cases[] = {
        {NULL, "text/html", 1000},
        {"", "text/html", 0},
        {"*/*", "text/html", 1000},
        {"text/*", "text/html", 1000},
        {"text/*", "application/json", 0},
        {"text", "text/html", 0},
        {"textual/*", "text/html", 0},
        {"text/html;q=0.5", "text/html", 500},
        {"text/html; q=0.25", "text/html", 250},
        {"text/html;level=1;q=0.125", "text/html", 125},
        {"TEXT/HTML", "text/html", 1000},
        {"text/html;q=0, */*", "text/html", 0},
        {"*/*, text/html;q=0.2, text/*;q=0.7", "text/html", 200},
        {"*/*;q=0.1, text/*;q=0.7", "text/html", 700},
        {"text/html;v=1;q=0.3, text/html;v=2;q=0.6", "text/html", 600},
        {"text/html;q=1.5", "text/html", 0},
        {"text/html;q=1.001", "text/html", 0},
        {"text/html;q=0.1234", "text/html", 0},
        {"text/html;q=x", "text/html", 0},
        {"text/html;q=-1, text/html;q=0.4", "text/html", 400},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head head = {.count = 0};
        if (cases[i].accept != NULL) {
            head.fields[0] = (struct head_field){
                .name = STR("Accept"), .value = str_from(cases[i].accept), .id = FIELD_ACCEPT};
            head.count = 1;
        }
        assert_int_equal(http_accept_type(&head, str_from(cases[i].type)), cases[i].quality);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_has_its_registered_phrase),
        cmocka_unit_test(the_date_follows_the_clock),
        cmocka_unit_test(an_answer_carries_what_a_client_needs),
        cmocka_unit_test(head_gets_the_same_head_and_no_body),
        cmocka_unit_test(an_answer_without_a_body_has_no_length),
        cmocka_unit_test(a_connection_stays_or_ends_as_the_client_says),
        cmocka_unit_test(a_condition_that_holds_is_answered_with_304),
        cmocka_unit_test(a_file_comes_in_the_form_that_is_liked_best),
        cmocka_unit_test(each_form_of_a_file_has_a_tag_of_its_own),
        cmocka_unit_test(only_files_for_browsers_are_found),
        cmocka_unit_test(a_header_value_cannot_begin_a_new_line),
        cmocka_unit_test(a_head_that_does_not_fit_is_not_sent_in_part),
        cmocka_unit_test(a_problem_document_is_valid_json),
        cmocka_unit_test(a_refused_head_is_answered_and_the_connection_ended),
        cmocka_unit_test(the_closest_media_range_decides),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
