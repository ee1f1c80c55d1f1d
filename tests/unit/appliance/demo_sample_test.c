/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "appliance/demo/sample.h"
#include "loopback.h"

static struct sample *sample;

static int start_sample(void **state)
{
    struct error err = ERROR_INIT;
    (void)state;
    return sample_start(&sample, &err);
}

static int stop_sample(void **state)
{
    (void)state;
    sample_stop(sample);
    sample = NULL;
    return 0;
}

static int sample_connect(void)
{
    return loopback_connect_to(sample_address(sample));
}

static void ask(const char *request, struct answer *answer)
{
    int fd = sample_connect();
    loopback_ask(fd, request, answer);
    close(fd);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define ORDER(json, length)                                                                        \
    "POST /shop/orders HTTP/1.1\r\nHost: a\r\nContent-Length: " length "\r\n\r\n" json

static void answers_what_its_description_says(void **state)
{
    static const struct {
        const char *request;
        unsigned status;
        const char *holds;
    } rows[] = {
        {GET("/"), 404, "no such page"},
        {GET("/shop"), 404, ""},
        {GET("/shop/books/"), 404, ""},
        {GET("/shop/books/0"), 404, "no such book"},
        {GET("/shop/books/13"), 404, "no such book"},
        {GET("/shop/books/7/pages"), 404, "no such page"},
        {GET("/shop/books/7"), 200, "Jules Verne"},
        {GET("/shop/books?page=2"), 200, "Middlemarch"},
        {GET("/shop/search"), 200, "Walden"},
        {GET("/shop/search?x=1&q=TIME"), 200, "The Time Machine"},
        {GET("/shop/search?q=nothing-like-it"), 200, "[]"},
        {GET("/shop/openapi.json"), 200, "\"openapi\": \"3.0"},
        {GET("/openapi.json"), 200, "\"openapi\": \"3.0"},
        {GET("/health"), 200, "true"},
        {GET("/shop/orders"), 405, ""},
        {"POST /shop/books HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405, ""},
        {ORDER("{\"book\":7}", "10"), 201, "\"quantity\":1,\"total\":13.5"},
        {ORDER("{\"book\":7,\"quantity\":2}", "23"), 201, "\"total\":27"},
        {ORDER("", "0"), 400, "JSON object"},
        {ORDER("[7]", "3"), 400, "JSON object"},
        {ORDER("{\"book\":7", "9"), 400, "JSON object"},
        {ORDER("{\"book\":13}", "11"), 400, "`book`"},
        {ORDER("{\"book\":\"7\"}", "12"), 400, "`book`"},
        {ORDER("{\"book\":7,\"quantity\":0}", "23"), 400, "`quantity`"},
        {ORDER("{\"book\":7,\"quantity\":101}", "25"), 400, "`quantity`"},
        {ORDER("{\"book\":7,\"quantity\":1.5}", "25"), 400, "`quantity`"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct answer answer;
        ask(rows[i].request, &answer);
        if (answer.head.status != rows[i].status || !str_has(answer.body, rows[i].holds))
            fail_msg("%s: %u %" STR_FMT, rows[i].request, answer.head.status, STR_ARG(answer.body));
        answer_free(&answer);
    }
}

static void tells_which_method_it_takes(void **state)
{
    struct answer answer;
    (void)state;
    ask(GET("/shop/orders"), &answer);
    assert_str_equal(answer_field(&answer, "Allow"), "POST");
    answer_free(&answer);
}

static void refuses_an_order_that_never_ends(void **state)
{
    char request[8192];
    struct answer answer;
    (void)state;
    snprintf(request, sizeof(request),
             "POST /shop/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n%05000d", 0);
    ask(request, &answer);
    assert_int_equal(answer.head.status, 413);
    answer_free(&answer);
}

static void fails_the_daily_report_now_and_then(void **state)
{
    unsigned good = 0, bad = 0;
    int fd = sample_connect();
    (void)state;
    for (unsigned i = 0; i < 48; i++) {
        struct answer answer;
        loopback_ask(fd, GET("/sales/daily"), &answer);
        good += answer.head.status == 200;
        bad += answer.head.status == 500 || answer.head.status == 503;
        if (answer.head.status == 503)
            assert_str_equal(answer_field(&answer, "Retry-After"), "1");
        answer_free(&answer);
    }
    close(fd);
    assert_int_equal(good + bad, 48);
    assert_true(good > bad && bad > 0);
}

static void sends_the_archive_as_long_as_it_said(void **state)
{
    struct answer answer;
    (void)state;
    ask(GET("/sales/archive"), &answer);
    assert_int_equal(answer.head.status, 200);
    assert_int_equal(answer.body.n, 2U << 20);
    assert_true(str_starts(answer.body, STR("0000000000,0001,")));
    assert_true(str_ends(answer.body, STR("\n")));
    answer_free(&answer);
}

static void leaves_the_body_of_a_stream_out_for_head(void **state)
{
    struct answer answer;
    (void)state;
    ask("HEAD /sales/archive HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.head.status, 200);
    assert_int_equal(answer.body.n, 0);
    answer_free(&answer);
}

/* Reads until the text holds that; false where the stream ends before. */
static bool read_until(int fd, struct answer *answer, const char *what)
{
    while (!str_has(buf_str(&answer->text), what)) {
        if (!answer_more(fd, answer))
            return false;
    }
    return true;
}

static void sends_events_one_by_one_in_chunks(void **state)
{
    struct answer answer;
    int fd = sample_connect();
    (void)state;
    buf_init(&answer.text, 1U << 20);
    struct str request = STR(GET("/sales/events"));
    assert_int_equal(send(fd, request.p, request.n, MSG_NOSIGNAL), request.n);
    assert_true(read_until(fd, &answer, "id: 1\n"));
    assert_false(str_has(buf_str(&answer.text), "id: 20\n"));
    assert_true(read_until(fd, &answer, "\r\n0\r\n\r\n"));
    assert_true(str_has(buf_str(&answer.text), "id: 20\n"));
    assert_true(loopback_lives(fd));
    close(fd);
    answer_free(&answer);
}

static void sends_events_unframed_to_an_old_client(void **state)
{
    struct answer answer;
    int fd = sample_connect();
    (void)state;
    buf_init(&answer.text, 1U << 20);
    struct str request = STR("GET /sales/events HTTP/1.0\r\n\r\n");
    assert_int_equal(send(fd, request.p, request.n, MSG_NOSIGNAL), request.n);
    assert_true(read_until(fd, &answer, "\r\n\r\nid: 1\n"));
    assert_false(str_has(buf_str(&answer.text), "Transfer-Encoding"));
    assert_false(read_until(fd, &answer, "id: 21\n"));
    close(fd);
    answer_free(&answer);
}

static void ends_a_stream_in_the_middle_when_it_is_stopped(void **state)
{
    struct answer answer;
    int fd = sample_connect();
    buf_init(&answer.text, 1U << 20);
    struct str request = STR(GET("/sales/events"));
    assert_int_equal(send(fd, request.p, request.n, MSG_NOSIGNAL), request.n);
    assert_true(read_until(fd, &answer, "id: 1\n"));
    stop_sample(state);
    assert_false(read_until(fd, &answer, "id: 20\n"));
    assert_false(str_has(buf_str(&answer.text), "\r\n0\r\n\r\n"));
    close(fd);
    answer_free(&answer);
    assert_int_equal(start_sample(state), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_what_its_description_says),
        cmocka_unit_test(tells_which_method_it_takes),
        cmocka_unit_test(refuses_an_order_that_never_ends),
        cmocka_unit_test(fails_the_daily_report_now_and_then),
        cmocka_unit_test(sends_the_archive_as_long_as_it_said),
        cmocka_unit_test(leaves_the_body_of_a_stream_out_for_head),
        cmocka_unit_test(sends_events_one_by_one_in_chunks),
        cmocka_unit_test(sends_events_unframed_to_an_old_client),
        cmocka_unit_test(ends_a_stream_in_the_middle_when_it_is_stopped),
    };
    return cmocka_run_group_tests(tests, start_sample, stop_sample);
}
