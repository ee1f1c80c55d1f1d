/* SPDX-License-Identifier: Apache-2.0 */
#include "traced.h"

#include "analytics/query_apps.h"
#include "base/hist.h"

static struct query *open_query(void)
{
    struct error err = ERROR_INIT;
    struct query *q = NULL;
    if (query_open(&q, store_path(), &err) != 0)
        fail_msg("%s", err.text);
    return q;
}

static void commit_record(struct pipeline *p, const struct record *record)
{
    struct ring *ring = journal_ring(p->journal, 0);
    uint64_t seq = ring_commit(ring, record);
    assert_int_not_equal(seq, 0);
    ring_settle(ring, seq);
}

static struct wall at(int64_t minute)
{
    return (struct wall){.us = a_day().us + minute * US_PER_MINUTE};
}

static const struct {
    const char *app, *api;
    uint32_t status;
    enum reason reason;
    int64_t minute;
    uint64_t duration_us;
} CALLS[] = {
    {"acme", "users", 200, REASON_NONE, 0, 1000},
    {"acme", "users", 404, REASON_NONE, 0, 2000},
    {"acme", "orders", 503, REASON_NONE, 0, 3000},
    {"acme", "orders", 502, REASON_UPSTREAM_RESET, 2, 4000},
    {"acme", "orders", 429, REASON_RATE_LIMITED, 2, 50},
    {"acme", "orders", 429, REASON_QUOTA_EXCEEDED, 61, 50},
    {"acme", "orders", 499, REASON_CLIENT_CLOSED, 61, 9000000},
    {"acme", "users", 401, REASON_KEY_REVOKED, 61, 40},
    {"acme", "users", 503, REASON_OVERLOADED, 61, 40},
    {"globex", "users", 200, REASON_NONE, 0, 7000},
    {"", "", 404, REASON_NO_ROUTE, 0, 30},
    {"", "users", 401, REASON_KEY_INVALID, 1, 30},
};

static void store_calls(void)
{
    struct pipeline p = pipeline_start(1);
    for (size_t i = 0; i < ARRAY_LEN(CALLS); i++) {
        struct record r = make_record(0, at(CALLS[i].minute));
        r.app = str_from(CALLS[i].app);
        r.api = str_from(CALLS[i].api);
        r.key = i % 2 == 0 ? STR("k2") : STR("k1");
        r.status = CALLS[i].status;
        r.reason = CALLS[i].reason;
        r.duration_us = CALLS[i].duration_us;
        r.bytes_in = 10;
        r.bytes_out = 100;
        r.metered = r.app.n > 0 && (r.reason == REASON_NONE || r.status >= 499);
        commit_record(&p, &r);
    }
    flush(&p);
    pipeline_close(&p);
}

static struct app_usage usage_of(struct query *q, const char *app, enum level unit, int64_t since,
                                 int64_t until)
{
    struct error err = ERROR_INIT;
    struct app_usage usage = {.points = NULL};
    struct usage_ask ask = {
        .app = str_from(app), .unit = unit, .since = at(since), .until = at(until)};
    if (query_app_usage(q, &ask, &usage, &err) != 0)
        fail_msg("%s", err.text);
    return usage;
}

static void assert_point(const struct usage_point *p, const char *want)
{
    char got[128];
    snprintf(
        got, sizeof(got), "%llu metered %llu errors %llu refused %llu gone %llu bytes %llu %llu",
        (unsigned long long)p->requests, (unsigned long long)p->metered,
        (unsigned long long)p->errors, (unsigned long long)p->refused, (unsigned long long)p->gone,
        (unsigned long long)p->bytes_in, (unsigned long long)p->bytes_out);
    assert_string_equal(got, want);
}

static void assert_parts(const struct usage_parts *parts, const char *want)
{
    char got[512] = "";
    for (size_t i = 0; i < parts->count; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%" STR_FMT "=%llu ",
                 STR_ARG(parts->parts[i].name), (unsigned long long)parts->parts[i].requests);
    assert_string_equal(got, want);
}

static void a_series_tells_how_an_apps_calls_ended(void **state)
{
    (void)state;
    store_calls();
    struct query *q = open_query();
    struct app_usage u = usage_of(q, "acme", LEVEL_MINUTE, 0, 62);
    assert_int_equal(u.point_count, 3);
    assert_int_equal(u.points[0].begin.us, at(0).us);
    assert_point(&u.points[0], "3 metered 3 errors 1 refused 0 gone 0 bytes 30 300");
    assert_int_equal(u.points[1].begin.us, at(2).us);
    assert_point(&u.points[1], "2 metered 1 errors 1 refused 1 gone 0 bytes 20 200");
    assert_int_equal(u.points[2].begin.us, at(61).us);
    assert_point(&u.points[2], "4 metered 2 errors 1 refused 2 gone 1 bytes 40 400");
    assert_point(&u.totals, "9 metered 6 errors 3 refused 3 gone 1 bytes 90 900");
    assert_parts(&u.reasons, "=3 client_closed=1 key_revoked=1 overloaded=1 quota_exceeded=1"
                             " rate_limited=1 upstream_reset=1 ");
    assert_parts(&u.apis, "orders=5 users=4 ");
    assert_parts(&u.keys, "k2=4 k1=2 ");
    app_usage_finish(&u);
    query_close(q);
}

static void any_unit_gives_the_same_totals(void **state)
{
    (void)state;
    static const struct {
        enum level unit;
        const char *app;
        int64_t since, until;
        size_t points;
        const char *totals;
    } cases[] = {
        {LEVEL_HOUR, "acme", 0, 62, 2, "9 metered 6 errors 3 refused 3 gone 1 bytes 90 900"},
        {LEVEL_DAY, "acme", 0, 62, 1, "9 metered 6 errors 3 refused 3 gone 1 bytes 90 900"},
        /* whole units: the hour that the time begins in, and not the one that only begins then */
        {LEVEL_HOUR, "acme", 59, 60, 1, "5 metered 4 errors 2 refused 1 gone 0 bytes 50 500"},
        {LEVEL_MINUTE, "acme", 1, 2, 0, "0 metered 0 errors 0 refused 0 gone 0 bytes 0 0"},
        {LEVEL_MINUTE, "", 0, 62, 4, "12 metered 7 errors 3 refused 5 gone 1 bytes 120 1200"},
        {LEVEL_DAY, "", 0, 62, 1, "12 metered 7 errors 3 refused 5 gone 1 bytes 120 1200"},
        {LEVEL_DAY, "nobody", 0, 62, 0, "0 metered 0 errors 0 refused 0 gone 0 bytes 0 0"},
        {LEVEL_DAY, "acm", 0, 62, 0, "0 metered 0 errors 0 refused 0 gone 0 bytes 0 0"},
    };
    store_calls();
    struct query *q = open_query();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app_usage u =
            usage_of(q, cases[i].app, cases[i].unit, cases[i].since, cases[i].until);
        assert_int_equal(u.point_count, cases[i].points);
        assert_point(&u.totals, cases[i].totals);
        app_usage_finish(&u);
    }
    query_close(q);
}

static void the_oldest_unit_is_known_whatever_the_time(void **state)
{
    (void)state;
    store_calls();
    struct query *q = open_query();
    struct app_usage u = usage_of(q, "acme", LEVEL_MINUTE, 30, 62);
    assert_int_equal(u.first.us, at(0).us);
    app_usage_finish(&u);
    u = usage_of(q, "nobody", LEVEL_MINUTE, 30, 62);
    assert_int_equal(u.first.us, 0);
    app_usage_finish(&u);
    u = usage_of(q, "", LEVEL_DAY, 30, 62);
    assert_int_equal(u.first.us, level_begin(LEVEL_DAY, a_day()).us);
    app_usage_finish(&u);
    query_close(q);
}

static void a_time_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum level unit;
        int64_t since, until;
    } cases[] = {{LEVEL_HOUR, 60, 0},
                 {LEVEL_MINUTE, 0, 0},
                 {LEVEL_MINUTE, 0, USAGE_POINTS_MAX + 1},
                 {LEVEL_HOUR, -60 * USAGE_POINTS_MAX, 60}};
    store_calls();
    struct query *q = open_query();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app_usage u;
        struct error err = ERROR_INIT;
        struct usage_ask ask = {.app = STR("acme"),
                                .unit = cases[i].unit,
                                .since = at(cases[i].since),
                                .until = at(cases[i].until)};
        assert_int_equal(query_app_usage(q, &ask, &u, &err), E_INVALID);
        assert_non_null(strstr(err.text, "the time asked for"));
    }
    query_close(q);
}

/* ---- 30 days ---- */

#define DAYS 30
#define SERIES 50

/* Each hour of a month one call of each series, and the same of other apps. */
static void store_month(struct hist *all)
{
    struct error err = ERROR_INIT;
    struct store *store = NULL;
    struct rollup *rollup = NULL;
    assert_int_equal(store_open(&store, store_path(), STORE_WRITE, &err), 0);
    struct db *totals = store_totals(store);
    assert_int_equal(rollup_create(&rollup, totals, 10, &err), 0);
    for (int day = 0; day < DAYS; day++) {
        assert_int_equal(db_begin(totals, &err), 0);
        for (uint64_t n = 0; n < 24 * (SERIES + 2); n++) {
            uint64_t series = n % (SERIES + 2);
            struct record r =
                make_record(0, (struct wall){.us = a_day().us + day * US_PER_DAY +
                                                   (int64_t)(n / (SERIES + 2)) * US_PER_HOUR});
            r.app = series < SERIES ? STR("acme") : STR("globex");
            r.status = 200 + (uint32_t)(series % SERIES);
            r.duration_us = (n * 7919 + (uint64_t)day) % 100000;
            if (series < SERIES)
                hist_add(all, r.duration_us);
            assert_int_equal(rollup_add(rollup, &r, &err), 0);
        }
        assert_int_equal(rollup_write(rollup, &err), 0);
        assert_int_equal(db_commit(totals, &err), 0);
        rollup_evict(rollup);
    }
    rollup_destroy(rollup);
    store_close(store);
}

static void a_month_costs_a_few_statements_over_the_apps_own_cells(void **state)
{
    (void)state;
    struct hist all = {.counts = NULL};
    store_month(&all);
    traced_begin();
    struct query *q = open_query();
    static const enum level units[] = {LEVEL_HOUR, LEVEL_DAY};
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        traced_runs = 0;
        struct app_usage u = usage_of(q, "acme", units[i], 0, DAYS * 24 * 60);
        assert_int_equal(traced_runs, USAGE_STATEMENTS);
        assert_true(u.point_count >= DAYS);
        assert_int_equal(u.totals.requests, DAYS * 24 * SERIES);
        assert_int_equal(u.totals.p50_us, hist_quantile(&all, 0.50));
        assert_int_equal(u.totals.p95_us, hist_quantile(&all, 0.95));
        assert_int_equal(u.totals.p99_us, hist_quantile(&all, 0.99));
        app_usage_finish(&u);
    }
    struct app_usage u = usage_of(q, "", LEVEL_HOUR, 0, DAYS * 24 * 60);
    assert_int_equal(u.totals.requests, DAYS * 24 * (SERIES + 2));
    app_usage_finish(&u);
    u = usage_of(q, "acme", LEVEL_MINUTE, 0, 60);
    app_usage_finish(&u);
    assert_no_scans();
    query_close(q);
    traced_end();
    hist_finish(&all);
}

static void a_series_that_takes_too_long_is_ended_and_the_next_is_not(void **state)
{
    (void)state;
    struct hist all = {.counts = NULL};
    store_month(&all);
    hist_finish(&all);
    struct query *q = open_query();
    struct usage_ask ask = {
        .app = STR("acme"), .unit = LEVEL_HOUR, .since = at(0), .until = at(DAYS * 24 * 60)};
    struct app_usage u;
    query_limit(q, 1);
    assert_int_equal(query_app_usage(q, &ask, &u, NULL), E_TIMEOUT);
    query_limit(q, 0);
    assert_int_equal(query_app_usage(q, &ask, &u, NULL), 0);
    app_usage_finish(&u);
    query_close(q);
}

/* ---- who calls most; keys ---- */

static int note_top(void *ctx, const struct top_app *t)
{
    char *text = ctx;
    snprintf(text + strlen(text), 256 - strlen(text),
             "%" STR_FMT " %llu errors %llu refused %llu gone %llu bytes %llu; ", STR_ARG(t->app),
             (unsigned long long)t->requests, (unsigned long long)t->errors,
             (unsigned long long)t->refused, (unsigned long long)t->gone,
             (unsigned long long)t->bytes_out);
    return t->app.n == 0 ? E_CLOSED : 0;
}

static int end_top(void *ctx, const struct top_app *t)
{
    (void)t;
    ++*(unsigned *)ctx;
    return E_CLOSED;
}

static void the_apps_that_call_most_come_first(void **state)
{
    (void)state;
    store_calls();
    traced_begin();
    struct query *q = open_query();
    static const struct {
        int64_t since, until;
        unsigned max;
        const char *want;
    } cases[] = {
        {0, 62, 10,
         "acme 9 errors 3 refused 3 gone 1 bytes 900; globex 1 errors 0 refused 0 gone 0 bytes "
         "100; "},
        {0, 62, 1, "acme 9 errors 3 refused 3 gone 1 bytes 900; "},
        {0, 62, 0, ""},
        {61, 62, 5, "acme 4 errors 1 refused 2 gone 1 bytes 400; "},
        {1, 2, 5, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256] = "";
        struct usage_ask ask = {
            .unit = LEVEL_MINUTE, .since = at(cases[i].since), .until = at(cases[i].until)};
        assert_int_equal(query_top_apps(q, &ask, cases[i].max, note_top, text, NULL), 0);
        assert_string_equal(text, cases[i].want);
    }
    unsigned calls = 0;
    struct usage_ask ask = {.unit = LEVEL_DAY, .since = at(0), .until = at(62)};
    assert_int_equal(query_top_apps(q, &ask, 5, end_top, &calls, NULL), E_CLOSED);
    assert_int_equal(calls, 1);
    assert_no_scans();
    query_close(q);
    traced_end();
}

static void the_last_use_of_a_key_is_told_with_its_address(void **state)
{
    (void)state;
    store_calls();
    traced_begin();
    struct query *q = open_query();
    const struct str kids[] = {STR("k1"), STR("never"), STR("k2"), STR("")};
    struct key_last uses[ARRAY_LEN(kids)];
    char ip[IP_TEXT_MAX];
    assert_int_equal(query_keys_used(q, kids, ARRAY_LEN(kids), uses, NULL), 0);
    assert_int_equal(uses[0].time.us, at(61).us);
    ip_format(uses[0].ip, ip);
    assert_string_equal(ip, "192.0.2.7");
    assert_int_equal(uses[1].time.us, 0);
    assert_int_equal(uses[2].time.us, at(61).us);
    assert_int_equal(uses[3].time.us, 0);
    assert_int_equal(query_keys_used(q, NULL, 0, NULL, NULL), 0);
    assert_no_scans();
    query_close(q);
    traced_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(a_series_tells_how_an_apps_calls_ended),
        unit_test_in_tempdir(any_unit_gives_the_same_totals),
        unit_test_in_tempdir(the_oldest_unit_is_known_whatever_the_time),
        unit_test_in_tempdir(a_time_that_makes_no_sense_is_refused),
        unit_test_in_tempdir(a_month_costs_a_few_statements_over_the_apps_own_cells),
        unit_test_in_tempdir(a_series_that_takes_too_long_is_ended_and_the_next_is_not),
        unit_test_in_tempdir(the_apps_that_call_most_come_first),
        unit_test_in_tempdir(the_last_use_of_a_key_is_told_with_its_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
