/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "analytics/sink.h"
#include "analytics/sink/loki_batch.h"
#include "stub_server.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define LINES_MAX 4000
#define TIMEOUT_US (20 * US_PER_S) /* never reached where the code is right */

/* ---- a Loki of a few lines ---- */

/* What a push of some lines is answered; 0 for 204. */
typedef unsigned judge_fn(const char *text, unsigned line_count);

static struct {
    pthread_mutex_t mtx;
    judge_fn *judge;           /* guarded by mtx; NULL: everything is taken */
    const char *answer_fields; /* guarded by mtx: of an answer that is not 204 */
    const char *answer_body;   /* likewise */
    unsigned pushes;           /* guarded by mtx */
    char *lines[LINES_MAX];    /* guarded by mtx: "labels time line" of what was taken */
    unsigned line_count;       /* guarded by mtx */
    char *body;                /* guarded by mtx: of the newest push */
    char head[2048];           /* guarded by mtx: likewise */
} loki = {.mtx = PTHREAD_MUTEX_INITIALIZER};

static struct stub_server server;

static char *gunzip(struct str packed)
{
    size_t room = (size_t)64 << 20;
    char *text = malloc(room);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.p, .avail_in = (uInt)packed.n};
    assert_non_null(text);
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_out = (Bytef *)text;
    z.avail_out = (uInt)room - 1;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    text[z.total_out] = '\0';
    inflateEnd(&z);
    return text;
}

/* Whether a push is one that Loki would read; counts its lines, and keeps them where wanted. */
static bool read_push(const char *text, bool keep, unsigned *ret_count)
{
    size_t s, v;
    json_t *stream, *value, *push = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool good = push != NULL && json_is_array(json_object_get(push, "streams"));
    *ret_count = 0;
    json_array_foreach(json_object_get(push, "streams"), s, stream)
    {
        char *labels = json_dumps(json_object_get(stream, "stream"), JSON_SORT_KEYS);
        json_array_foreach(json_object_get(stream, "values"), v, value)
        {
            const char *time = json_string_value(json_array_get(value, 0));
            const char *line = json_string_value(json_array_get(value, 1));
            good = good && labels != NULL && time != NULL && line != NULL;
            ++*ret_count;
            if (good && keep && loki.line_count < LINES_MAX &&
                asprintf(&loki.lines[loki.line_count], "%s %s %s", labels, time, line) > 0)
                loki.line_count++;
        }
        free(labels);
    }
    json_decref(push);
    return good && *ret_count > 0;
}

static enum stub_action serve(void *ctx, const struct stub_request *request, struct buf *answer)
{
    unsigned count, status = 0;
    char *text = gunzip(request->body);
    (void)ctx;
    pthread_mutex_lock(&loki.mtx);
    loki.pushes++;
    free(loki.body);
    loki.body = text;
    str_copy(request->head, loki.head, sizeof(loki.head));
    if (!read_push(text, false, &count))
        status = 418;
    else if (loki.judge != NULL)
        status = loki.judge(text, count);
    if (status == 0) {
        read_push(text, true, &count);
        buf_add_lit(answer, "HTTP/1.1 204 No Content\r\n\r\n");
    } else {
        stub_answer(answer, status, loki.answer_fields != NULL ? loki.answer_fields : "",
                    loki.answer_body != NULL ? loki.answer_body : "no\nmore");
    }
    pthread_mutex_unlock(&loki.mtx);
    return STUB_ANSWER;
}

/* ---- the sink under test ---- */

static void *state_of(const struct loki_config *config)
{
    void *state = NULL;
    int64_t wait_us = 0;
    struct error err = ERROR_INIT;
    struct analytics_config all = {.loki = *config};
    if (sink_loki.create(&all, &state, &wait_us, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(wait_us, config->batch_wait_us);
    return state;
}

static char url[64];

static struct loki_config config_of(uint64_t batch_bytes)
{
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", server.port);
    return (struct loki_config){.url = str_from(url),
                                .batch_bytes = batch_bytes,
                                .batch_wait_us = 12345,
                                .timeout_us = TIMEOUT_US};
}

static void *start_at(uint64_t batch_bytes)
{
    struct loki_config config = config_of(batch_bytes);
    return state_of(&config);
}

/* The n-th of a series of calls. */
static struct row row_of(unsigned n, char path[static 32])
{
    snprintf(path, 32, "/call/%u", n);
    return (struct row){.seq = n,
                        .record = {.time.us = INT64_C(1764000000000000) + n,
                                   .api = n % 3 == 0 ? STR_EMPTY : STR("users"),
                                   .status = n % 2 == 0 ? 200 : 404,
                                   .path = str_from(path)}};
}

static void add_calls(void *state, unsigned first, unsigned last)
{
    char path[32];
    for (unsigned n = first; n <= last; n++) {
        struct row row = row_of(n, path);
        assert_true(sink_loki.add(state, &row));
    }
}

static unsigned count_taken(const char *part)
{
    unsigned n = 0;
    for (unsigned i = 0; i < loki.line_count; i++)
        n += strstr(loki.lines[i], part) != NULL;
    return n;
}

static int set_up(void **state)
{
    (void)state;
    stub_start(&server, 0, serve, NULL);
    loki.judge = NULL;
    loki.answer_fields = loki.answer_body = NULL;
    loki.pushes = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stub_stop(&server);
    for (unsigned i = 0; i < loki.line_count; i++)
        free(loki.lines[i]);
    free(loki.body);
    loki.body = NULL;
    loki.line_count = 0;
    return 0;
}

/* ---- what is sent ---- */

static void lines_are_grouped_by_stream_and_in_order_of_time(void **state)
{
    (void)state;
    struct loki_label labels[] = {{STR("env"), STR("a \"b\"")}, {STR("zone"), STR("x")}};
    struct loki_config config = config_of(1 << 20);
    struct sink_report report = {.err = ERROR_INIT};
    char path[32];
    config.labels = labels;
    config.label_count = ARRAY_LEN(labels);
    config.tenant = STR("team-a");
    void *sink = state_of(&config);
    /* 3 comes before 1: rows are in the order of their numbers, not of time */
    static const unsigned order[] = {3, 1, 4, 2};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        struct row row = row_of(order[i], path);
        assert_true(sink_loki.add(sink, &row));
    }
    assert_int_equal(sink_loki.deliver(sink, &report), SINK_DELIVERED);
    assert_int_equal(report.sent, 4);
    assert_int_equal(report.rejected + report.too_large, 0);

    json_t *push = json_loads(loki.body, 0, NULL);
    json_t *streams = json_object_get(push, "streams");
    assert_int_equal(json_array_size(streams), 3);
    static const char *const wanted[][3] = {
        {"{\"env\":\"a \\\"b\\\"\",\"job\":\"weir\",\"status_class\":\"4xx\",\"zone\":\"x\"}",
         "1764000000000003000", NULL},
        {"{\"api\":\"users\",\"env\":\"a \\\"b\\\"\",\"job\":\"weir\",\"status_class\":\"4xx\","
         "\"zone\":\"x\"}",
         "1764000000000001000", NULL},
        {"{\"api\":\"users\",\"env\":\"a \\\"b\\\"\",\"job\":\"weir\",\"status_class\":\"2xx\","
         "\"zone\":\"x\"}",
         "1764000000000002000", "1764000000000004000"},
    };
    for (size_t i = 0; i < 3; i++) {
        json_t *stream = json_array_get(streams, i), *values = json_object_get(stream, "values");
        char *got = json_dumps(json_object_get(stream, "stream"), JSON_SORT_KEYS | JSON_COMPACT);
        assert_string_equal(got, wanted[i][0]);
        free(got);
        for (size_t v = 0; v < json_array_size(values); v++)
            assert_string_equal(json_string_value(json_array_get(json_array_get(values, v), 0)),
                                wanted[i][v + 1]);
    }
    json_decref(push);

    /* the line is the record's JSON */
    struct row row = row_of(2, path);
    struct buf line;
    buf_init(&line, 65536);
    record_json(&line, &row.record);
    assert_non_null(buf_cstr(&line));
    assert_int_equal(count_taken(buf_cstr(&line)), 1);
    buf_free(&line);

    struct str head = str_from(loki.head);
    assert_true(str_starts(head, STR("POST /loki/api/v1/push HTTP/1.1\r\n")));
    assert_str_equal(stub_header(head, "content-type"), "application/json");
    assert_str_equal(stub_header(head, "content-encoding"), "gzip");
    assert_str_equal(stub_header(head, "x-scope-orgid"), "team-a");
    sink_loki.clear(sink);
    sink_loki.destroy(sink);
}

static void the_next_batch_is_another(void **state)
{
    (void)state;
    struct sink_report report = {.err = ERROR_INIT};
    void *sink = start_at(1 << 20);
    for (unsigned i = 0; i < 3; i++) {
        add_calls(sink, 10 * i + 1, 10 * i + 10);
        assert_int_equal(sink_loki.deliver(sink, &report), SINK_DELIVERED);
        assert_int_equal(report.sent, 10);
        sink_loki.clear(sink);
    }
    assert_int_equal(loki.pushes, 3);
    assert_int_equal(loki.line_count, 30);
    assert_int_equal(count_taken("/call/7\""), 1);
    assert_str_equal(stub_header(str_from(loki.head), "x-scope-orgid"), "");
    sink_loki.destroy(sink);
}

static void a_batch_is_full_by_bytes_but_takes_at_least_one_line(void **state)
{
    (void)state;
    char path[32];
    void *sink = start_at(2048);
    unsigned n = 1;
    struct row row = row_of(n, path);
    while (sink_loki.add(sink, &row))
        row = row_of(++n, path);
    assert_in_range(n, 3, 6);
    sink_loki.clear(sink);
    sink_loki.destroy(sink);
    sink = start_at(10);
    assert_true(sink_loki.add(sink, &row));
    assert_false(sink_loki.add(sink, &row));
    sink_loki.destroy(sink);
}

static void a_line_that_would_be_too_long_is_shortened_and_stays_json(void **state)
{
    (void)state;
    static char long_text[RECORD_TEXT_MAX];
    struct sink_report report = {.err = ERROR_INIT};
    struct str text = str_make(long_text, sizeof(long_text));
    memset(long_text, '\1', sizeof(long_text)); /* six bytes each in JSON */
    struct row row = {.record = {.status = 200,
                                 .client_request_id = text,
                                 .path = text,
                                 .query = text,
                                 .user_agent = text,
                                 .referer = text,
                                 .trail = text,
                                 .target = text,
                                 .tls = text}};
    void *sink = start_at(1 << 20);
    assert_true(sink_loki.add(sink, &row));
    assert_int_equal(sink_loki.deliver(sink, &report), SINK_DELIVERED);
    assert_int_equal(loki.line_count, 1);
    json_t *line = json_loads(strstr(loki.lines[0], "} 0000 ") + strlen("} 0000 "), 0, NULL);
    assert_non_null(line);
    assert_true(strlen(loki.lines[0]) < LOKI_LINE_MAX);
    assert_int_equal(json_integer_value(json_object_get(line, "status")), 200);
    assert_int_equal(json_string_length(json_object_get(line, "path")), 256);
    json_decref(line);
    sink_loki.destroy(sink);
}

/* ---- what comes back ---- */

static unsigned one_status;

static unsigned refuse_all(const char *text, unsigned line_count)
{
    (void)text;
    (void)line_count;
    return one_status;
}

static void each_answer_has_its_consequence(void **state)
{
    static const struct {
        unsigned status;
        const char *fields;
        enum sink_verdict verdict;
        unsigned rejected, too_large;
        int64_t retry_after_us;
    } cases[] = {
        {200, "", SINK_DELIVERED, 0, 0, 0},
        {204, "", SINK_DELIVERED, 0, 0, 0},
        {301, "Location: /\r\n", SINK_REFUSED, 0, 0, 0},
        {400, "Content-Type: text/plain\r\n", SINK_DELIVERED, 2, 0, 0},
        {400, "Content-Type: text/html; charset=utf-8\r\n", SINK_REFUSED, 0, 0, 0},
        {401, "", SINK_REFUSED, 0, 0, 0},
        {403, "", SINK_REFUSED, 0, 0, 0},
        {404, "", SINK_REFUSED, 0, 0, 0},
        {408, "", SINK_LATER, 0, 0, 0},
        {413, "", SINK_DELIVERED, 0, 2, 0},
        {422, "", SINK_DELIVERED, 2, 0, 0},
        {429, "Retry-After: 3\r\n", SINK_LATER, 0, 0, 3 * US_PER_S},
        {429, "", SINK_LATER, 0, 0, 0},
        {500, "", SINK_LATER, 0, 0, 0},
        {503, "Retry-After: 1\r\n", SINK_LATER, 0, 0, US_PER_S},
        {504, "", SINK_LATER, 0, 0, 0},
    };
    (void)state;
    char want[128];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sink_report report = {.err = ERROR_INIT};
        void *sink = start_at(1 << 20);
        add_calls(sink, 1, 2);
        pthread_mutex_lock(&loki.mtx);
        one_status = cases[i].status;
        loki.judge = refuse_all;
        loki.answer_fields = cases[i].fields;
        pthread_mutex_unlock(&loki.mtx);
        assert_int_equal(sink_loki.deliver(sink, &report), cases[i].verdict);
        assert_int_equal(report.rejected, cases[i].rejected);
        assert_int_equal(report.too_large, cases[i].too_large);
        assert_int_equal(report.retry_after_us, cases[i].retry_after_us);
        if (cases[i].status >= 300) {
            snprintf(want, sizeof(want), "%s/loki/api/v1/push answered %u: no", url,
                     cases[i].status);
            assert_string_equal(report.err.text, want);
        }
        sink_loki.destroy(sink);
    }
}

static unsigned refuse_bad_lines(const char *text, unsigned line_count)
{
    (void)line_count;
    return strstr(text, "/call/7\\\"") != NULL || strstr(text, "/call/500\\\"") != NULL ? 400 : 0;
}

static void one_bad_line_does_not_cost_the_others(void **state)
{
    (void)state;
    struct sink_report report = {.err = ERROR_INIT};
    void *sink = start_at(1 << 20);
    loki.judge = refuse_bad_lines;
    add_calls(sink, 1, 1000);
    assert_int_equal(sink_loki.deliver(sink, &report), SINK_DELIVERED);
    assert_int_equal(report.sent, 998);
    assert_int_equal(report.rejected, 2);
    assert_int_equal(loki.line_count, 998);
    assert_int_equal(count_taken("/call/7\""), 0);
    assert_int_equal(count_taken("/call/500\""), 0);
    assert_int_equal(count_taken("/call/501\""), 1);
    /* found by halving, not one by one */
    assert_true(loki.pushes < 100);
    sink_loki.destroy(sink);
}

static unsigned take_at_most_30(const char *text, unsigned line_count)
{
    (void)text;
    return line_count > 30 ? 413 : 0;
}

static void a_push_that_is_too_large_is_split(void **state)
{
    (void)state;
    struct sink_report report = {.err = ERROR_INIT};
    void *sink = start_at(1 << 20);
    loki.judge = take_at_most_30;
    add_calls(sink, 1, 500);
    assert_int_equal(sink_loki.deliver(sink, &report), SINK_DELIVERED);
    assert_int_equal(report.sent, 500);
    assert_int_equal(report.too_large, 0);
    assert_int_equal(loki.line_count, 500);
    sink_loki.destroy(sink);
}

static unsigned failing_every_second;

static unsigned bad_and_unsteady(const char *text, unsigned line_count)
{
    if (failing_every_second++ % 2 == 1)
        return 503;
    return refuse_bad_lines(text, line_count);
}

static void a_failure_in_between_repeats_no_line_that_was_taken(void **state)
{
    (void)state;
    struct sink_report report = {.err = ERROR_INIT};
    void *sink = start_at(1 << 20);
    unsigned attempts = 0;
    failing_every_second = 0;
    loki.judge = bad_and_unsteady;
    add_calls(sink, 1, 1000);
    while (sink_loki.deliver(sink, &report) != SINK_DELIVERED)
        assert_true(++attempts < 1000);
    assert_true(attempts > 5);
    assert_int_equal(report.sent, 998);
    assert_int_equal(report.rejected, 2);
    assert_int_equal(loki.line_count, 998);
    sink_loki.destroy(sink);
}

static void what_is_sent_again_is_the_same_to_the_byte(void **state)
{
    (void)state;
    struct sink_report report = {.err = ERROR_INIT};
    char *bodies[3];
    /* twice by one sink, then by one that was started anew */
    void *sink = start_at(1 << 20);
    loki.judge = refuse_all;
    one_status = 503;
    add_calls(sink, 1, 50);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(sink_loki.deliver(sink, &report), SINK_LATER);
        pthread_mutex_lock(&loki.mtx);
        bodies[i] = strdup(loki.body);
        pthread_mutex_unlock(&loki.mtx);
        if (i == 1) {
            sink_loki.destroy(sink);
            sink = start_at(1 << 20);
            add_calls(sink, 1, 50);
        }
    }
    assert_string_equal(bodies[0], bodies[1]);
    assert_string_equal(bodies[0], bodies[2]);
    for (unsigned i = 0; i < 3; i++)
        free(bodies[i]);
    sink_loki.destroy(sink);
}

static void a_loki_that_died_gets_its_lines_when_it_is_back(void **state)
{
    (void)state;
    struct sink_report report = {.err = ERROR_INIT};
    uint16_t port = server.port;
    void *sink = start_at(1 << 20);
    add_calls(sink, 1, 10);
    stub_stop(&server);
    assert_int_equal(sink_loki.deliver(sink, &report), SINK_LATER);
    assert_int_equal(report.err.code, E_REFUSED);
    stub_start(&server, port, serve, NULL);
    assert_int_equal(sink_loki.deliver(sink, &report), SINK_DELIVERED);
    assert_int_equal(report.sent, 10);
    assert_int_equal(loki.line_count, 10);
    sink_loki.destroy(sink);
}

static void without_an_url_there_is_no_sink(void **state)
{
    (void)state;
    struct analytics_config config = {.loki = {.url = STR_EMPTY}};
    struct error err = ERROR_INIT;
    void *sink = &config;
    int64_t wait_us;
    assert_int_equal(sink_loki.create(&config, &sink, &wait_us, &err), 0);
    assert_null(sink);
}

static void a_canceled_sink_sends_no_more(void **state)
{
    (void)state;
    struct sink_report report = {.err = ERROR_INIT};
    void *sink = start_at(1 << 20);
    add_calls(sink, 1, 10);
    sink_loki.cancel(sink);
    assert_int_equal(sink_loki.deliver(sink, &report), SINK_LATER);
    assert_int_equal(report.err.code, E_CANCELED);
    assert_int_equal(loki.pushes, 0);
    sink_loki.destroy(sink);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_are_grouped_by_stream_and_in_order_of_time),
        TEST(the_next_batch_is_another),
        TEST(a_batch_is_full_by_bytes_but_takes_at_least_one_line),
        TEST(a_line_that_would_be_too_long_is_shortened_and_stays_json),
        TEST(each_answer_has_its_consequence),
        TEST(one_bad_line_does_not_cost_the_others),
        TEST(a_push_that_is_too_large_is_split),
        TEST(a_failure_in_between_repeats_no_line_that_was_taken),
        TEST(what_is_sent_again_is_the_same_to_the_byte),
        TEST(a_loki_that_died_gets_its_lines_when_it_is_back),
        TEST(without_an_url_there_is_no_sink),
        TEST(a_canceled_sink_sends_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
