/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include "portal/endpoint.h"

static struct rig rig;

static int start(void **state)
{
    (void)state;
    rig_start(&rig);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static void each_path_is_answered_on_its_own_listener(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        unsigned admin, developers;
        const char *type;
    } cases[] = {
        {"/", 303, 200, "text/html; charset=utf-8"},
        {"/status", 200, 404, "text/html; charset=utf-8"},
        {"/assets/pages-0A1B.css", 200, 200, "text/css; charset=utf-8"},
        {"/assets/status-2C3D.js", 200, 200, "text/javascript; charset=utf-8"},
        {"/assets/status.html", 404, 404, NULL},
        {"/assets/pages-0A1B.css.br", 404, 404, NULL},
        {"/assets/", 404, 404, NULL},
        {"/assets/none.css", 404, 404, NULL},
        {"/assets/a/b.css", 404, 404, NULL},
        {"/assets/..", 303, 200, "text/html; charset=utf-8"}, /* that is "/" */
        {"/assets/%2e%2e/metrics", 200, 404, "text/plain; version=0.0.4; charset=utf-8"},
        {"/metrics", 200, 404, "text/plain; version=0.0.4; charset=utf-8"},
        {"/metrics/", 404, 404, NULL},
        {"/metrics?name=x", 200, 404, "text/plain; version=0.0.4; charset=utf-8"},
        {"//metrics", 404, 404, NULL},
        {"/Metrics", 404, 404, NULL},
        {"/healthz", 200, 404, "text/plain; charset=utf-8"},
        {"/readyz", 200, 404, "application/json"},
        {"/api/v1/status", 200, 404, "application/json"},
        {"/api/v1/", 404, 404, NULL},
        {"/problems", 404, 308, NULL},
        {"/problems/", 404, 200, "text/html; charset=utf-8"},
        {"/problems/rate_limited", 404, 200, "text/html; charset=utf-8"},
        {"/problems/{code}", 404, 404, NULL},
        {"/no/such/thing", 404, 404, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char ask[128];
        snprintf(ask, sizeof(ask), "GET %s", cases[i].path);
        for (int people = 0; people < 2; people++) {
            struct answer a;
            unsigned want = people ? cases[i].developers : cases[i].admin;
            rig_ask(people ? rig.developers : rig.admin, ask, "", &a);
            if (a.head.status != want)
                fail_msg("%s: got %u, want %u", ask, a.head.status, want);
            if (want == 200)
                assert_str_equal(answer_field(&a, "Content-Type"), cases[i].type);
            if (want == 404)
                assert_str_equal(answer_field(&a, "Content-Type"), "application/problem+json");
            answer_free(&a);
        }
    }
}

static void head_is_taken_where_get_is(void **state)
{
    (void)state;
    static const char *const paths[] = {"/status",  "/healthz",       "/readyz",
                                        "/metrics", "/api/v1/status", "/assets/status-2C3D.js"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct answer a;
        char request[256];
        snprintf(request, sizeof(request), "HEAD %s HTTP/1.1\r\nHost: localhost\r\n\r\n", paths[i]);
        int fd = loopback_connect(rig.admin);
        loopback_ask(fd, request, &a);
        assert_int_equal(a.head.status, 200);
        assert_true(a.head.has_length);
        assert_int_equal(a.body.n, 0);
        answer_free(&a);
        assert_true(loopback_lives(fd));
        close(fd);
    }
}

static void another_method_is_told_which_ones_there_are(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST",    "PUT",  "DELETE", "PATCH",
                                          "OPTIONS", "BREW", "get"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct answer a;
        char ask[64];
        snprintf(ask, sizeof(ask), "%s /healthz", methods[i]);
        rig_ask(rig.admin, ask, "Content-Length: 0\r\n", &a);
        assert_int_equal(a.head.status, 405);
        assert_str_equal(answer_field(&a, "Allow"), "GET, HEAD");
        answer_free(&a);
        snprintf(ask, sizeof(ask), "%s /nothing", methods[i]);
        rig_ask(rig.admin, ask, "Content-Length: 0\r\n", &a);
        assert_int_equal(a.head.status, 404);
        assert_int_equal(answer_field(&a, "Allow").n, 0);
        answer_free(&a);
    }
}

static void a_failure_is_a_page_for_browsers_and_data_for_programs(void **state)
{
    (void)state;
    struct answer a;
    rig_ask(rig.developers, "GET /nothing", BROWSER, &a);
    assert_int_equal(a.head.status, 404);
    assert_str_equal(answer_field(&a, "Content-Type"), "text/html; charset=utf-8");
    assert_true(str_has(a.body, "<h1>404 Not Found</h1>"));
    assert_true(str_has(a.body, "Acme &lt;APIs&gt;")); /* the title is escaped */
    assert_false(str_has(a.body, "<APIs>"));
    assert_true(str_has(a.body, "href=\"/assets/pages-0A1B.css\""));
    answer_free(&a);
    rig_ask(rig.developers, "GET /nothing", "Accept: application/json\r\n", &a);
    assert_str_equal(answer_field(&a, "Content-Type"), "application/problem+json");
    assert_str_equal(answer_field(&a, "Vary"), "Accept");
    answer_free(&a);
}

static void pages_carry_the_headers_that_protect_them(void **state)
{
    (void)state;
    static const char *const pages[] = {"GET /", "GET /nothing", "GET /problems/"};
    static const char *const csp =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'";
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct answer a;
        rig_ask(rig.developers, pages[i], BROWSER, &a);
        assert_str_equal(answer_field(&a, "Content-Security-Policy"), csp);
        assert_str_equal(answer_field(&a, "X-Content-Type-Options"), "nosniff");
        assert_str_equal(answer_field(&a, "Referrer-Policy"), "same-origin");
        assert_str_equal(answer_field(&a, "Cross-Origin-Opener-Policy"), "same-origin");
        answer_free(&a);
    }
    struct answer a;
    rig_ask(rig.admin, "GET /status", BROWSER, &a);
    assert_str_equal(answer_field(&a, "Content-Security-Policy"), csp);
    answer_free(&a);
    rig_ask(rig.admin, "GET /api/v1/status", "", &a);
    assert_str_equal(answer_field(&a, "X-Content-Type-Options"), "nosniff");
    assert_str_equal(answer_field(&a, "Cross-Origin-Resource-Policy"), "same-origin");
    assert_int_equal(answer_field(&a, "Access-Control-Allow-Origin").n, 0);
    answer_free(&a);
}

static void what_may_be_kept_is_said_with_each_answer(void **state)
{
    (void)state;
    static const struct {
        const char *ask, *cache;
        bool tagged;
    } cases[] = {
        {"GET /status", "no-cache", true},
        {"GET /", "no-store", false},
        {"GET /assets/status-2C3D.js", "public, max-age=31536000, immutable", true},
        {"GET /metrics", "no-store", false},
        {"GET /healthz", "no-store", false},
        {"GET /readyz", "no-store", false},
        {"GET /api/v1/status", "no-store", false},
        {"GET /assets/status-9999.js", "no-store", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        rig_ask(rig.admin, cases[i].ask, "", &a);
        assert_str_equal(answer_field(&a, "Cache-Control"), cases[i].cache);
        assert_int_equal(answer_field(&a, "ETag").n > 0, cases[i].tagged);
        answer_free(&a);
    }
}

static void what_did_not_change_is_not_sent_again(void **state)
{
    (void)state;
    static const struct {
        bool people;
        const char *ask;
    } cases[] = {
        {false, "GET /status"},   {false, "GET /assets/pages-0A1B.css"}, {true, "GET /"},
        {true, "GET /problems/"}, {true, "GET /problems/no_route"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        char tag[64], condition[256];
        const struct http_server *server = cases[i].people ? rig.developers : rig.admin;
        rig_ask(server, cases[i].ask, BROWSER, &a);
        assert_int_equal(a.head.status, 200);
        assert_true(str_copy(answer_field(&a, "ETag"), tag, sizeof(tag)));
        answer_free(&a);
        snprintf(condition, sizeof(condition), BROWSER "If-None-Match: %s\r\n", tag);
        rig_ask(server, cases[i].ask, condition, &a);
        assert_int_equal(a.head.status, 304);
        assert_int_equal(a.body.n, 0);
        assert_true(answer_field(&a, "Cache-Control").n > 0);
        answer_free(&a);
    }
}

static void files_come_compressed_where_that_is_welcome(void **state)
{
    (void)state;
    struct answer a;
    rig_ask(rig.admin, "GET /status", "Accept-Encoding: gzip, br\r\n", &a);
    assert_str_equal(answer_field(&a, "Content-Encoding"), "gzip"); /* there is no other form */
    assert_str_equal(a.body, "<gzip>");
    answer_free(&a);
    rig_ask(rig.developers, "GET /assets/pages-0A1B.css", "Accept-Encoding: gzip, br\r\n", &a);
    assert_str_equal(answer_field(&a, "Content-Encoding"), "br");
    answer_free(&a);
}

static void the_admin_listener_knows_its_own_hosts_only(void **state)
{
    (void)state;
    static const struct {
        const char *line, *head;
        unsigned status;
    } cases[] = {
        {"GET /healthz HTTP/1.1", "Host: localhost:8082", 200},
        {"GET /healthz HTTP/1.1", "Host: LOCALHOST", 200},
        {"GET /healthz HTTP/1.1", "Host: weir.localhost", 200},
        {"GET /healthz HTTP/1.1", "Host: localhost.", 200},
        {"GET /healthz HTTP/1.1", "Host: 127.0.0.1:8082", 200},
        {"GET /healthz HTTP/1.1", "Host: 10.0.0.5", 200},
        {"GET /healthz HTTP/1.1", "Host: [::1]:8082", 200},
        {"GET /healthz HTTP/1.1", "Host: admin.example.com", 200},
        {"GET /healthz HTTP/1.1", "Host: ADMIN.example.com:8443", 200},
        {"GET /healthz HTTP/1.0", "X: no host at all", 200},
        {"GET http://localhost/healthz HTTP/1.1", "Host: localhost", 200},
        {"GET http://evil.example/healthz HTTP/1.1", "Host: localhost", 421},
        {"GET /healthz HTTP/1.1", "Host: evil.example", 421},
        {"GET /healthz HTTP/1.0", "Host: evil.example", 421},
        {"GET /healthz HTTP/1.1", "Host: evil.example:8082", 421},
        {"GET /healthz HTTP/1.1", "Host: localhost.evil.example", 421},
        {"GET /healthz HTTP/1.1", "Host: notlocalhost", 421},
        {"GET /healthz HTTP/1.1", "Host: 127.0.0.1.evil.example", 421},
        {"GET /healthz HTTP/1.1", "Host: admin.example.com.evil.example", 421},
        {"GET /healthz HTTP/1.1", "Host: 0x7f.1", 421},
        {"GET /healthz HTTP/1.1", "Host:", 421},
        {"GET /nothing HTTP/1.1", "Host: evil.example", 421},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        char request[256];
        snprintf(request, sizeof(request), "%s\r\n%s\r\n\r\n", cases[i].line, cases[i].head);
        loopback_once(rig.admin, request, &a);
        if (a.head.status != cases[i].status)
            fail_msg("%s: got %u, want %u", cases[i].head, a.head.status, cases[i].status);
        answer_free(&a);
    }
    struct answer a;
    loopback_once(rig.developers, "GET / HTTP/1.1\r\nHost: any.example\r\n\r\n", &a);
    assert_int_equal(a.head.status, 200);
    answer_free(&a);
}

static void malformed_requests_are_answered_on_both_listeners(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        unsigned status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", 505},
        {"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
        {"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
        {"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
        {"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
        {"GET ftp://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
        {"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 501},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        loopback_once(rig.admin, cases[i].request, &a);
        assert_int_equal(a.head.status, cases[i].status);
        assert_str_equal(answer_field(&a, "Content-Type"), "application/problem+json");
        answer_free(&a);
        loopback_once(rig.developers, cases[i].request, &a);
        assert_int_equal(a.head.status, cases[i].status);
        answer_free(&a);
    }
}

static void an_address_outside_the_allow_list_is_refused_first(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /nothing HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    };
    struct cidr elsewhere[1];
    assert_int_equal(cidr_parse(STR("192.0.2.0/24"), &elsewhere[0]), 0);
    struct portal_conf conf = rig.conf;
    for (int empty = 0; empty < 2; empty++) {
        conf.admin_allow = cidr_set_build(elsewhere, empty ? 0 : 1);
        portal_configure(rig.portal, &conf);
        for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
            struct answer a;
            int fd = loopback_connect(rig.admin);
            loopback_ask(fd, requests[i], &a);
            assert_int_equal(a.head.status, 403);
            assert_true(str_has(a.body, "The address 127.0.0.1 is not in admin.allow."));
            assert_str_equal(answer_field(&a, "Connection"), "close");
            answer_free(&a);
            close(fd);
        }
    }
    struct answer a;
    rig_ask(rig.developers, "GET /", "", &a);
    assert_int_equal(a.head.status, 200);
    answer_free(&a);
    portal_configure(rig.portal, &rig.conf);
    rig_ask(rig.admin, "GET /healthz", "", &a);
    assert_int_equal(a.head.status, 200);
    answer_free(&a);
}

struct asker {
    pthread_t thread;
    unsigned wrong;
};

static void *ask_often(void *arg)
{
    struct asker *asker = arg;
    for (int i = 0; i < 50; i++) {
        struct answer a;
        rig_ask(rig.developers, "GET /", BROWSER, &a);
        asker->wrong += a.head.status != 200 || !(str_has(a.body, "<h1>Acme &lt;APIs&gt;</h1>") ||
                                                  str_has(a.body, "<h1>Another</h1>"));
        answer_free(&a);
    }
    return NULL;
}

static void a_reload_takes_nothing_from_requests_under_way(void **state)
{
    (void)state;
    struct asker askers[3] = {{.wrong = 0}};
    struct portal_conf conf = rig.conf;
    for (size_t i = 0; i < ARRAY_LEN(askers); i++)
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_often, &askers[i]), 0);
    for (int i = 0; i < 300; i++) {
        conf.title = i % 2 ? rig.conf.title : STR("Another");
        portal_configure(rig.portal, &conf);
        portal_sample(rig.portal);
    }
    for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
        assert_int_equal(askers[i].wrong, 0);
    }
    portal_configure(rig.portal, &rig.conf);
}

/* A handler of its own, for what no endpoint needs yet. */
static void answer_with_parameter(struct http_conn *conn, void *arg)
{
    struct endpoint_call call = {.conn = conn};
    struct str value = STR("(none)");
    struct reply reply = {.status = 200, .type = STR("text/plain")};
    (void)arg;
    CHECK(target_parse(&call.target, conn->head->method, conn->head->target) == NULL);
    if (!endpoint_query(&call, STR("since"), &value))
        value = STR("(none)");
    reply.body = value;
    if (reply_send(conn, &reply) != 0)
        conn->close = true;
}

static void a_parameter_of_the_query_is_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *query, *value;
    } cases[] = {
        {"", "(none)"},
        {"?", "(none)"},
        {"?&&", "(none)"},
        {"?until=7d", "(none)"},
        {"?Since=7d", "(none)"},
        {"?since", ""},
        {"?since=", ""},
        {"?since=7d", "7d"},
        {"?a=b&since=7d&c", "7d"},
        {"?since=1&since=2", "1"},
        {"?since=a=b", "a=b"},
        {"?sinc%65=a+b%20c%2B", "a b c+"},
        {"?since=%C3%A9", "\xc3\xa9"},
        {"?since=%", "(none)"},
        {"?since=%4", "(none)"},
        {"?since=%zz", "(none)"},
        {"?since=%00", "(none)"},
        {"?since=a%0d%0ab", "(none)"},
    };
    struct http_server *server = loopback_start(answer_with_parameter, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        char ask[128];
        snprintf(ask, sizeof(ask), "GET /x%s", cases[i].query);
        rig_ask(server, ask, "", &a);
        assert_str_equal(a.body, cases[i].value);
        answer_free(&a);
    }
    http_server_stop(server, US_PER_S);
}

static void a_build_without_web_files_still_answers(void **state)
{
    (void)state;
    struct portal_sources sources = {.version = "1", .started = clock_mono(), .ctx = &rig};
    sources.look = rig_look;
    struct portal *portal = portal_create(&sources, &rig.conf);
    struct http_server *admin = loopback_start(portal_serve_admin, portal);
    struct http_server *developers = loopback_start(portal_serve_developers, portal);
    struct answer a;
    rig_ask(admin, "GET /status", "", &a);
    assert_int_equal(a.head.status, 404);
    answer_free(&a);
    rig_ask(developers, "GET /", "", &a);
    assert_int_equal(a.head.status, 200);
    assert_false(str_has(a.body, "stylesheet"));
    answer_free(&a);
    http_server_stop(admin, US_PER_S);
    http_server_stop(developers, US_PER_S);
    portal_destroy(portal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_is_answered_on_its_own_listener),
        cmocka_unit_test(head_is_taken_where_get_is),
        cmocka_unit_test(another_method_is_told_which_ones_there_are),
        cmocka_unit_test(a_failure_is_a_page_for_browsers_and_data_for_programs),
        cmocka_unit_test(pages_carry_the_headers_that_protect_them),
        cmocka_unit_test(what_may_be_kept_is_said_with_each_answer),
        cmocka_unit_test(what_did_not_change_is_not_sent_again),
        cmocka_unit_test(files_come_compressed_where_that_is_welcome),
        cmocka_unit_test(the_admin_listener_knows_its_own_hosts_only),
        cmocka_unit_test(malformed_requests_are_answered_on_both_listeners),
        cmocka_unit_test(an_address_outside_the_allow_list_is_refused_first),
        cmocka_unit_test(a_reload_takes_nothing_from_requests_under_way),
        cmocka_unit_test(a_parameter_of_the_query_is_decoded),
        cmocka_unit_test(a_build_without_web_files_still_answers),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
