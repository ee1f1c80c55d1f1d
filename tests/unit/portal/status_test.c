/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <zlib.h>

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

static void metrics_come_in_the_form_that_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool open;
    } cases[] = {
        {"", false},
        {"Accept: */*\r\n", false},
        {"Accept: text/html\r\n", false},
        {"Accept: text/plain\r\n", false},
        {"Accept: application/openmetrics-text\r\n", true},
        {"Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
         "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n",
         true},
        {"Accept: application/openmetrics-text;q=0.2,text/plain;q=0.4\r\n", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        rig_ask(rig.admin, "GET /metrics", cases[i].accept, &a);
        assert_int_equal(a.head.status, 200);
        assert_str_equal(a.body, cases[i].open ? "open 1\n# EOF\n" : "plain 1\n");
        assert_str_equal(answer_field(&a, "Content-Type"),
                         cases[i].open
                             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                             : "text/plain; version=0.0.4; charset=utf-8");
        answer_free(&a);
    }
}

static void a_long_text_of_metrics_is_compressed_where_welcome(void **state)
{
    (void)state;
    struct answer plain, small;
    char text[16384];
    rig_ask(rig.admin, "GET /metrics", "Accept-Encoding: gzip\r\n", &plain);
    assert_int_equal(answer_field(&plain, "Content-Encoding").n, 0); /* not worth it */
    answer_free(&plain);
    rig.metrics_lines = 500;
    rig_ask(rig.admin, "GET /metrics", "", &plain);
    rig_ask(rig.admin, "GET /metrics", "Accept-Encoding: gzip\r\n", &small);
    rig.metrics_lines = 0;
    assert_int_equal(answer_field(&plain, "Content-Encoding").n, 0);
    assert_str_equal(answer_field(&small, "Content-Encoding"), "gzip");
    assert_true(small.body.n < plain.body.n / 2);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)small.body.p,
                  .avail_in = (uInt)small.body.n,
                  .next_out = (Bytef *)text,
                  .avail_out = sizeof(text)};
    assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_true(str_eq(str_make(text, z.total_out), plain.body));
    inflateEnd(&z);
    answer_free(&plain);
    answer_free(&small);
}

static void sources_that_fail_are_told_and_not_guessed(void **state)
{
    (void)state;
    struct answer a;
    rig.look_fails = E_NOMEM;
    rig.metrics_fail = E_NOMEM;
    static const char *const asks[] = {"GET /metrics", "GET /readyz", "GET /api/v1/status"};
    for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
        rig_ask(rig.admin, asks[i], "", &a);
        assert_int_equal(a.head.status, 503);
        answer_free(&a);
    }
    rig_ask(rig.admin, "GET /healthz", "", &a);
    assert_int_equal(a.head.status, 200);
    assert_str_equal(a.body, "ok\n");
    answer_free(&a);
    rig.look_fails = rig.metrics_fail = 0;
}

static void readiness_follows_the_vital_checks_alone(void **state)
{
    (void)state;
    static struct portal_check checks[] = {
        {.name = STR_INIT("journal"), .ok = true, .vital = true},
        {.name = STR_INIT("upstream users"), .ok = true},
    };
    static const struct {
        bool vital_ok, other_ok;
        const char *config_fault;
        unsigned status;
        const char *body;
    } cases[] = {
        {true, true, "", 200,
         "{\"ready\":true,\"checks\":[{\"check\":\"journal\",\"ok\":true,\"detail\":\"\"},"
         "{\"check\":\"upstream users\",\"ok\":true,\"detail\":\"\"},"
         "{\"check\":\"config\",\"ok\":true,\"detail\":\"\"}]}\n"},
        {true, true, "weir.yaml:3:1: error: unknown key `upstram`", 200,
         "{\"ready\":true,\"checks\":[{\"check\":\"journal\",\"ok\":true,\"detail\":\"\"},"
         "{\"check\":\"upstream users\",\"ok\":true,\"detail\":\"\"},{\"check\":\"config\","
         "\"ok\":false,\"detail\":\"weir.yaml:3:1: error: unknown key `upstram`\"}]}\n"},
        {true, false, "", 200,
         "{\"ready\":true,\"checks\":[{\"check\":\"journal\",\"ok\":true,\"detail\":\"\"},"
         "{\"check\":\"upstream users\",\"ok\":false,\"detail\":\"\"},"
         "{\"check\":\"config\",\"ok\":true,\"detail\":\"\"}]}\n"},
        {false, true, "", 503,
         "{\"ready\":false,\"checks\":[{\"check\":\"journal\",\"ok\":false,\"detail\":\"\"},"
         "{\"check\":\"upstream users\",\"ok\":true,\"detail\":\"\"},"
         "{\"check\":\"config\",\"ok\":true,\"detail\":\"\"}]}\n"},
    };
    rig.facts.checks = checks;
    rig.facts.check_count = ARRAY_LEN(checks);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        checks[0].ok = cases[i].vital_ok;
        checks[1].ok = cases[i].other_ok;
        rig.facts.config_fault = str_from(cases[i].config_fault);
        rig_ask(rig.admin, "GET /readyz", "", &a);
        assert_int_equal(a.head.status, cases[i].status);
        assert_str_equal(a.body, cases[i].body);
        answer_free(&a);
    }
    rig.facts = (struct portal_facts){.api_count = 0};
}

static void the_status_tells_what_the_page_reads(void **state)
{
    (void)state;
    static const struct portal_listener listeners[] = {
        {.name = STR_INIT("gateway"), .address = STR_INIT("127.0.0.1:8080"), .connections = 7}};
    static const struct portal_check checks[] = {
        {.name = STR_INIT("store"), .ok = false, .detail = STR_INIT("the disk is full")}};
    static const struct portal_sink sinks[] = {
        {.name = STR_INIT("loki"), .backlog = 1, .sent = 2, .errors = 3}};
    static const struct portal_store stores[] = {{.name = STR_INIT("totals"), .bytes = 4096}};
    static const struct str apis[] = {STR_INIT("users")};
    rig.facts = (struct portal_facts){
        .listeners = listeners,
        .listener_count = 1,
        .checks = checks,
        .check_count = 1,
        .sinks = sinks,
        .sink_count = 1,
        .stores = stores,
        .store_count = 1,
        .apis = apis,
        .api_count = 1,
        .route_count = 3,
        .config_file = STR("/etc/weir/weir.yaml"),
        .config_loaded = {.us = 1},
        .config_fault = STR("broken"),
        .journal_backlog = 5,
    };
    struct answer a;
    uint64_t uptime_s, least = (uint64_t)(mono_since(clock_mono(), rig.started) / US_PER_S);
    rig_ask(rig.admin, "GET /api/v1/status", "", &a);
    rig.facts = (struct portal_facts){.api_count = 0};
    struct str begin = STR("{\"version\":\"1.2.3\",\"uptime_s\":");
    assert_true(str_starts(a.body, begin));
    size_t comma = str_find_char(a.body, ',', begin.n);
    assert_int_equal(str_to_u64(str_slice(a.body, begin.n, comma), least, least + 60, &uptime_s),
                     0);
    assert_str_equal(
        str_slice(a.body, comma + 1, a.body.n),
        "\"listeners\":[{\"name\":\"gateway\","
        "\"address\":\"127.0.0.1:8080\",\"connections\":7}],\"health\":[{\"check\":\"store\","
        "\"ok\":false,\"detail\":\"the disk is full\"}],\"config\":{\"file\":"
        "\"/etc/weir/weir.yaml\",\"loaded_at\":\"1970-01-01T00:00:00.000001Z\",\"apis\":1,"
        "\"routes\":3,\"error\":\"broken\"},\"rates\":[{\"api\":\"users\",\"requests_per_s\":0,"
        "\"errors_per_s\":0,\"refused_per_s\":0,\"p50_ms\":0,\"p99_ms\":0}],\"journal\":"
        "{\"backlog\":5,\"records_total\":0},\"sinks\":[{\"name\":\"loki\",\"backlog\":1,"
        "\"sent\":2,\"errors\":3}],\"stores\":[{\"name\":\"totals\",\"bytes\":4096}]}\n");
    answer_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_come_in_the_form_that_is_asked_for),
        cmocka_unit_test(a_long_text_of_metrics_is_compressed_where_welcome),
        cmocka_unit_test(sources_that_fail_are_told_and_not_guessed),
        cmocka_unit_test(readiness_follows_the_vital_checks_alone),
        cmocka_unit_test(the_status_tells_what_the_page_reads),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
