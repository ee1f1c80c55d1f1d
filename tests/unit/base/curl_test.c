/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/curl.h"
#include "stub_server.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#define PATIENCE_US (20 * US_PER_S) /* never reached where the code is right */

static struct stub_server server;
static struct fetch_client *client;
static struct fetch_response response;
static struct buf body;

static int set_up(void **state)
{
    struct error err = ERROR_INIT;
    (void)state;
    buf_init(&body, 1024);
    if (fetch_client_create(&client, &err) != 0)
        fail_msg("%s", err.text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fetch_client_destroy(client);
    fetch_client_destroy(NULL);
    buf_free(&body);
    return 0;
}

static int ask_url(const char *url, const char *method, struct str content, struct error *err)
{
    static const char *const headers[] = {"Content-Type: text/x-test", "X-Scope-OrgID: me"};
    struct fetch_request request = {.method = method,
                                    .url = url,
                                    .headers = headers,
                                    .header_count = ARRAY_LEN(headers),
                                    .body = content,
                                    .timeout_us = PATIENCE_US};
    buf_clear(&body);
    return fetch(client, &request, &response, &body, err);
}

static int ask(uint16_t port, const char *method, struct str content, struct error *err)
{
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/push?x=1", port);
    return ask_url(url, method, content, err);
}

/* Answers with what it was sent. */
static enum stub_action echo(void *ctx, const struct stub_request *request, struct buf *answer)
{
    char text[1024];
    struct str rest = request->head, line = str_cut(&rest, '\r');
    (void)ctx;
    snprintf(
        text, sizeof(text), "%u %" STR_FMT "|%" STR_FMT "|%" STR_FMT "|%" STR_FMT "|%" STR_FMT,
        request->connection, STR_ARG(line), STR_ARG(stub_header(request->head, "content-type")),
        STR_ARG(stub_header(request->head, "x-scope-orgid")),
        STR_ARG(stub_header(request->head, "expect")), STR_ARG(str_slice(request->body, 0, 20)));
    stub_answer(answer, 200, "Content-Type: text/plain; charset=utf-8\r\n", text);
    return STUB_ANSWER;
}

static void sends_what_it_is_given_over_one_connection(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    stub_start(&server, 0, echo, NULL);
    assert_int_equal(ask(server.port, "POST", STR("hello"), &err), 0);
    assert_int_equal(response.status, 200);
    assert_int_equal(response.retry_after_us, 0);
    assert_string_equal(response.type, "text/plain; charset=utf-8");
    assert_str_equal(buf_str(&body), "1 POST /push?x=1 HTTP/1.1|text/x-test|me||hello");
    assert_int_equal(ask(server.port, "GET", STR_EMPTY, &err), 0);
    assert_str_equal(buf_str(&body), "1 GET /push?x=1 HTTP/1.1|text/x-test|me||");
    stub_stop(&server);
}

static void a_large_body_is_sent_without_asking_first(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    size_t n = (size_t)3 << 20;
    char *large = malloc(n);
    assert_non_null(large);
    memset(large, 'x', n);
    stub_start(&server, 0, echo, NULL);
    assert_int_equal(ask(server.port, "POST", str_make(large, n), &err), 0);
    assert_str_equal(buf_str(&body),
                     "1 POST /push?x=1 HTTP/1.1|text/x-test|me||xxxxxxxxxxxxxxxxxxxx");
    stub_stop(&server);
    free(large);
}

static enum stub_action refuse(void *ctx, const struct stub_request *request, struct buf *answer)
{
    static char large[5001];
    (void)ctx;
    (void)request;
    memset(large, 'e', sizeof(large) - 1);
    stub_answer(answer, 429, "Retry-After: 7\r\nLocation: http://127.0.0.1:1/\r\n", large);
    return STUB_ANSWER;
}

static void any_status_is_an_answer_and_its_body_is_cut(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    stub_start(&server, 0, refuse, NULL);
    assert_int_equal(ask(server.port, "POST", STR("x"), &err), 0);
    assert_int_equal(response.status, 429);
    assert_int_equal(response.retry_after_us, 7 * US_PER_S);
    assert_string_equal(response.type, "");
    assert_int_equal(body.n, 1024);
    assert_int_equal(buf_finish(&body), 0);
    stub_stop(&server);
}

static enum stub_action redirect(void *ctx, const struct stub_request *request, struct buf *answer)
{
    (void)ctx;
    (void)request;
    stub_answer(answer, 302, "Location: /elsewhere\r\n", "");
    return STUB_ANSWER;
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    stub_start(&server, 0, redirect, NULL);
    assert_int_equal(ask(server.port, "POST", STR("x"), &err), 0);
    assert_int_equal(response.status, 302);
    stub_stop(&server);
}

static void proxies_of_the_environment_are_not_looked_at(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    stub_start(&server, 0, echo, NULL);
    assert_int_equal(ask(server.port, "POST", STR("x"), &err), 0);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    stub_stop(&server);
}

static enum stub_action hang_up(void *ctx, const struct stub_request *request, struct buf *answer)
{
    (void)ctx;
    (void)request;
    (void)answer;
    return STUB_CLOSE;
}

static void failures_have_a_code_and_name_the_url(void **state)
{
    static const struct {
        const char *url;
        int code;
    } cases[] = {
        {"ftp://127.0.0.1/x", E_INVALID},
        {"http://127.0.0.1:99999/", E_INVALID},
        {"http://name.invalid/", E_NOT_FOUND},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        struct fetch_request request = {
            .method = "GET", .url = cases[i].url, .timeout_us = PATIENCE_US};
        assert_int_equal(fetch(client, &request, &response, NULL, &err), cases[i].code);
        assert_true(str_starts(str_from(err.text), str_from(cases[i].url)));
    }
    /* nobody listens there any more */
    struct error err = ERROR_INIT, reset = ERROR_INIT;
    stub_start(&server, 0, hang_up, NULL);
    assert_int_equal(ask(server.port, "POST", STR("x"), &reset), E_RESET);
    stub_stop(&server);
    assert_int_equal(ask(server.port, "POST", STR("x"), &err), E_REFUSED);
}

static enum stub_action stall(void *ctx, const struct stub_request *request, struct buf *answer)
{
    (void)ctx;
    (void)request;
    (void)answer;
    return STUB_STALL;
}

static void a_server_that_stalls_is_given_up(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char url[64];
    struct fetch_request request = {
        .method = "POST", .url = url, .body = STR("x"), .timeout_us = 50 * US_PER_MS};
    stub_start(&server, 0, stall, NULL);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
    assert_int_equal(fetch(client, &request, &response, NULL, &err), E_TIMEOUT);
    stub_stop(&server);
}

static void *ask_and_wait(void *arg)
{
    struct error err = ERROR_INIT;
    (void)arg;
    return ask(server.port, "POST", STR("x"), &err) == E_CANCELED ? NULL : &server;
}

struct arrival {
    pthread_mutex_t mtx;
    pthread_cond_t cond;
    bool arrived;
};

static enum stub_action stall_and_tell(void *ctx, const struct stub_request *request,
                                       struct buf *answer)
{
    struct arrival *arrival = ctx;
    (void)request;
    (void)answer;
    pthread_mutex_lock(&arrival->mtx);
    arrival->arrived = true;
    pthread_cond_signal(&arrival->cond);
    pthread_mutex_unlock(&arrival->mtx);
    return STUB_STALL;
}

static void a_cancel_ends_the_running_request_and_all_later_ones(void **state)
{
    (void)state;
    struct arrival arrival = {.mtx = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
    pthread_t thread;
    void *failed;
    struct error err = ERROR_INIT;
    stub_start(&server, 0, stall_and_tell, &arrival);
    assert_int_equal(pthread_create(&thread, NULL, ask_and_wait, NULL), 0);
    pthread_mutex_lock(&arrival.mtx);
    while (!arrival.arrived)
        pthread_cond_wait(&arrival.cond, &arrival.mtx);
    pthread_mutex_unlock(&arrival.mtx);
    fetch_cancel(client);
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(ask(server.port, "POST", STR("x"), &err), E_CANCELED);
    stub_stop(&server);
}

/*
 * A name server in place of the machine's: it knows nobody, and of silent.test it says so when the
 * test is over.
 */
static struct {
    pthread_mutex_t mtx;
    pthread_cond_t cond;
    bool asked, over;
} names = {.mtx = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};

int getaddrinfo(const char *restrict host, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret_found)
{
    (void)service, (void)hints, (void)ret_found;
    if (host == NULL || strcmp(host, "silent.test") != 0)
        return EAI_NONAME;
    pthread_mutex_lock(&names.mtx);
    names.asked = true;
    pthread_cond_broadcast(&names.cond);
    while (!names.over)
        pthread_cond_wait(&names.cond, &names.mtx);
    pthread_mutex_unlock(&names.mtx);
    return EAI_AGAIN;
}

static void *ask_for_a_name(void *arg)
{
    struct error err = ERROR_INIT;
    int r = ask_url("http://silent.test/", "POST", STR("x"), &err);
    pthread_mutex_lock(&names.mtx);
    bool over = names.over;
    pthread_mutex_unlock(&names.mtx);
    (void)arg;
    return r == E_CANCELED && !over ? NULL : &names;
}

static void a_cancel_does_not_wait_for_a_name_server(void **state)
{
    pthread_t thread;
    void *failed;
    struct timespec until;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, ask_for_a_name, NULL), 0);
    pthread_mutex_lock(&names.mtx);
    while (!names.asked)
        pthread_cond_wait(&names.cond, &names.mtx);
    pthread_mutex_unlock(&names.mtx);
    fetch_cancel(client);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_US / US_PER_S;
    int e = pthread_timedjoin_np(thread, &failed, &until);
    pthread_mutex_lock(&names.mtx);
    names.over = true;
    pthread_cond_broadcast(&names.cond);
    pthread_mutex_unlock(&names.mtx);
    if (e != 0)
        pthread_join(thread, &failed);
    assert_null(failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sends_what_it_is_given_over_one_connection, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_large_body_is_sent_without_asking_first, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(any_status_is_an_answer_and_its_body_is_cut, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_redirect_is_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(proxies_of_the_environment_are_not_looked_at, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(failures_have_a_code_and_name_the_url, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_server_that_stalls_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cancel_ends_the_running_request_and_all_later_ones,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cancel_does_not_wait_for_a_name_server, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
