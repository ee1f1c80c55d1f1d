/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

static struct query *open_query(void)
{
    struct error err = ERROR_INIT;
    struct query *query = NULL;
    if (query_open(&query, store_path(), &err) != 0)
        fail_msg("%s", err.text);
    return query;
}

struct usage_seen {
    unsigned rows;
    uint64_t requests, bytes_in, bytes_out, cost;
    char periods[512];
};

static int see_usage(void *ctx, const struct usage_row *row)
{
    struct usage_seen *seen = ctx;
    size_t n = strlen(seen->periods);
    seen->rows++;
    seen->requests += row->requests;
    seen->bytes_in += row->bytes_in;
    seen->bytes_out += row->bytes_out;
    seen->cost += row->cost;
    assert_str_equal(row->plan, "free");
    assert_str_equal(row->key, "k1234567");
    if (n == 0 || strstr(seen->periods, row->period.p) == NULL)
        snprintf(seen->periods + n, sizeof(seen->periods) - n, "%" STR_FMT " ",
                 STR_ARG(row->period));
    return 0;
}

static struct usage_seen usage(struct query *query, struct usage_filter filter)
{
    struct usage_seen seen = {0};
    struct error err = ERROR_INIT;
    if (query_usage(query, &filter, see_usage, &seen, &err) != 0)
        fail_msg("%s", err.text);
    return seen;
}

/* Three days of 30 metered calls each: ten an app and day, and nine an API and day, by turns. */
static void store_three_days(void)
{
    struct pipeline p = pipeline_start(1);
    for (uint64_t n = 0; n < 90; n++) {
        struct record r =
            make_record(n * 10, (struct wall){.us = a_day().us + (int64_t)(n / 30) * US_PER_DAY});
        r.api = n % 2 == 0 ? STR("users") : STR("orders");
        r.route = STR("default");
        r.app = n % 3 == 0 ? STR("acme") : n % 3 == 1 ? STR("globex") : STR("initech");
        r.quotas[0].cost = 2;
        struct ring *ring = journal_ring(p.journal, 0);
        ring_settle(ring, ring_commit(ring, &r));
    }
    flush(&p);
    pipeline_close(&p);
}

static void usage_is_summed_by_app_api_plan_and_key(void **state)
{
    (void)state;
    store_three_days();
    struct query *q = open_query();
    /* "now" is long before or after those days: whole days are what there is */
    struct usage_filter all = {.since = {.us = a_day().us - 3 * US_PER_DAY},
                               .until = {.us = a_day().us + 10 * US_PER_DAY}};
    clock_shift_wall(a_day().us + 10 * US_PER_DAY - clock_wall().us);
    struct usage_seen seen = usage(q, all);
    assert_int_equal(seen.rows, 6);
    assert_int_equal(seen.requests, 90);
    assert_int_equal(seen.cost, 180);
    assert_int_equal((int64_t)seen.bytes_out, store_number("SELECT sum(bytes_out) FROM requests"));
    assert_int_equal((int64_t)seen.bytes_in, store_number("SELECT sum(bytes_in) FROM requests"));
    assert_string_equal(seen.periods, "2026-11-20/2026-12-03 ");

    struct usage_filter filter = all;
    filter.by_day = true;
    seen = usage(q, filter);
    assert_int_equal(seen.rows, 18);
    assert_string_equal(seen.periods, "2026-11-23 2026-11-24 2026-11-25 ");
    filter.app = STR("acme");
    assert_int_equal(usage(q, filter).requests, 30);
    filter.api = STR("orders");
    assert_int_equal(usage(q, filter).requests, 15);
    filter.app = STR("nobody");
    assert_int_equal(usage(q, filter).rows, 0);
    filter = all;
    filter.since = wall_from_civil(2026, 11, 24);
    filter.until = wall_from_civil(2026, 11, 25);
    assert_int_equal(usage(q, filter).requests, 30);
    clock_shift_wall(0);
    query_close(q);
}

static void recent_usage_is_exact_to_the_minute_or_hour(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    static const int64_t ages_m[] = {5, 30, 90, 150, 26 * 60};
    for (size_t i = 0; i < ARRAY_LEN(ages_m); i++)
        commit(journal_ring(p.journal, 0), 2,
               (struct wall){.us = a_day().us - ages_m[i] * US_PER_MINUTE});
    flush(&p);
    struct query *q = open_query();
    clock_shift_wall(a_day().us - clock_wall().us);
    static const struct {
        int64_t since_m;
        uint64_t requests;
    } cases[] = {{10, 1}, {35, 2}, {100, 3}, {180, 4}, {30 * 60, 5}, {10 * 24 * 60, 5}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct usage_filter filter = {
            .since = {.us = a_day().us - cases[i].since_m * US_PER_MINUTE}};
        assert_int_equal(usage(q, filter).requests, cases[i].requests);
    }
    struct error err = ERROR_INIT;
    struct usage_filter backwards = {.since = a_day(), .until = {.us = a_day().us - US_PER_DAY}};
    assert_int_equal(query_usage(q, &backwards, see_usage, NULL, &err), E_INVALID);
    clock_shift_wall(0);
    query_close(q);
    pipeline_close(&p);
}

static int see_nothing(void *ctx, const struct row *row)
{
    *(struct uuid *)ctx = row->record.request_id;
    return 0;
}

static void a_request_that_is_not_known_says_so(void **state)
{
    (void)state;
    store_three_days();
    struct query *q = open_query();
    struct error err = ERROR_INIT;
    struct uuid id, got;
    assert_int_equal(uuid_parse(STR("01a20846-fdff-7000-0000-0000deadbeef"), &id), 0);
    assert_int_equal(query_request(q, id, see_nothing, &got, &err), E_NOT_FOUND);
    assert_non_null(strstr(err.text, "01a20846-fdff-7000-0000-0000deadbeef"));
    id = make_record(0, a_day()).request_id;
    assert_int_equal(query_request(q, id, see_nothing, &got, NULL), 0);
    assert_memory_equal(id.b, got.b, sizeof(id.b));
    query_close(q);
}

struct table {
    char text[4096];
    size_t n;
    uint64_t rows;
};

static int see_values(void *ctx, uint64_t row, const struct sql_value *values, unsigned count)
{
    struct table *t = ctx;
    t->rows = row;
    for (unsigned i = 0; i < count && t->n < sizeof(t->text); i++)
        t->n += (size_t)snprintf(
            t->text + t->n, sizeof(t->text) - t->n, "%s%" STR_FMT, i > 0 ? "," : "",
            STR_ARG(values[i].type == SQL_NULL ? STR("NULL") : values[i].text));
    if (t->n < sizeof(t->text))
        t->n += (size_t)snprintf(t->text + t->n, sizeof(t->text) - t->n, "\n");
    return 0;
}

static struct table ask(struct query *q, const char *sql)
{
    struct table t = {.n = 0};
    struct error err = ERROR_INIT;
    if (query_sql(q, str_from(sql), see_values, &t, NULL, &err) != 0)
        fail_msg("%s: %s", sql, err.text);
    return t;
}

static void sql_sees_requests_and_roll_ups(void **state)
{
    (void)state;
    store_three_days();
    struct query *q = open_query();
    static const struct {
        const char *sql, *answer;
    } cases[] = {
        {"SELECT count(*) AS n FROM requests", "n\n90\n"},
        {"SELECT time, app, NULL AS x, 1.5 AS y FROM requests ORDER BY seq LIMIT 1",
         "time,app,x,y\n2026-11-23T12:00:00.000000Z,acme,NULL,1.5\n"},
        {"SELECT api, sum(requests) FROM traffic_day GROUP BY api ORDER BY api",
         "api,sum(requests)\norders,45\nusers,45\n"},
        {"SELECT begin, sum(requests) AS n FROM usage_day GROUP BY begin ORDER BY begin LIMIT 1",
         "begin,n\n2026-11-23T00:00:00.000000Z,30\n"},
        {"SELECT count(*) AS n FROM upstreams_hour", "n\n3\n"},
        {"SELECT sum(used) AS n FROM quota_usage", "n\n180\n"},
        {"SELECT key FROM key_last_used", "key\nk1234567\n"},
        {"SELECT count(*) AS n FROM requests WHERE time >= '2026-11-24'", "n\n60\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(ask(q, cases[i].sql).text, cases[i].answer);
    struct table t = ask(q, "SELECT min(duration_p50_us) >= 900 AND max(duration_p99_us) < 6000"
                            " AND min(duration_p95_us) >= min(duration_p50_us) AS sane"
                            " FROM traffic_minute");
    assert_string_equal(t.text, "sane\n1\n");
    query_close(q);
}

static void sql_that_is_not_reading_is_refused(void **state)
{
    (void)state;
    store_three_days();
    struct query *q = open_query();
    static const char *const cases[] = {
        "DELETE FROM day0.requests",
        "DELETE FROM totals.usage_day",
        "UPDATE totals.usage_day SET requests = 0",
        "DROP VIEW requests",
        "ATTACH 'x.db' AS x",
        "PRAGMA writable_schema = 1",
        "CREATE TABLE t (i)",
        "INSERT INTO totals.facts VALUES ('x', 1)",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        struct table t = {.n = 0};
        assert_int_equal(query_sql(q, str_from(cases[i]), see_values, &t, NULL, &err), E_DENIED);
        assert_non_null(strstr(err.text, "only reading"));
        assert_int_equal(t.n, 0);
    }
    struct error err = ERROR_INIT;
    struct table t = {.n = 0};
    assert_int_equal(query_sql(q, STR("DELETE FROM requests"), see_values, &t, NULL, &err),
                     E_INVALID);
    assert_non_null(strstr(err.text, "it is a view"));
    err = (struct error)ERROR_INIT;
    assert_int_equal(query_sql(q, STR("SELECT nonsense FROM requests"), see_values, &t, NULL, &err),
                     E_INVALID);
    if (strstr(err.text, "no such column: nonsense") == NULL)
        fail_msg("%s", err.text);
    query_close(q);
}

static void sql_that_takes_too_long_is_ended(void **state)
{
    (void)state;
    store_three_days();
    struct query *q = open_query();
    struct error err = ERROR_INIT;
    struct table t = {.n = 0};
    query_limit(q, 10 * US_PER_MS);
    assert_int_equal(query_sql(q,
                               STR("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                                   " SELECT count(*) FROM n"),
                               see_values, &t, NULL, &err),
                     E_TIMEOUT);
    query_limit(q, 0);
    ask(q, "SELECT 1");
    query_close(q);
}

static void more_days_than_can_be_attached_are_told(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    for (int64_t day = 0; day < 14; day++)
        commit(journal_ring(p.journal, 0), 2, (struct wall){.us = a_day().us + day * US_PER_DAY});
    flush(&p);
    struct query *q = open_query();
    struct table t = {.n = 0};
    unsigned left_out = 0;
    assert_int_equal(query_sql(q, STR("SELECT min(time) AS first, count(*) AS n FROM requests"),
                               see_values, &t, &left_out, NULL),
                     0);
    assert_int_equal(left_out, 5);
    assert_string_equal(t.text, "first,n\n2026-11-28T12:00:00.000000Z,9\n");
    query_close(q);
    pipeline_close(&p);
}

static void an_empty_store_has_empty_views(void **state)
{
    (void)state;
    struct pipeline p = pipeline_open(1);
    struct query *q = open_query();
    assert_string_equal(ask(q, "SELECT count(*) AS n, max(path) AS p FROM requests").text,
                        "n,p\n0,NULL\n");
    assert_string_equal(ask(q, "SELECT status FROM requests").text, "status\n");
    query_close(q);
    pipeline_close(&p);
}

static void questions_are_answered_while_the_writer_works(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    struct query *q = open_query();
    for (uint64_t n = 0; n < 300; n++) {
        commit(journal_ring(p.journal, 0), n, a_day());
        if (n % 30 == 0)
            ask(q, "SELECT count(*) FROM requests");
    }
    flush(&p);
    assert_string_equal(ask(q, "SELECT count(*) AS n FROM requests").text, "n\n300\n");
    query_close(q);
    pipeline_close(&p);
}

static void a_path_with_odd_characters_works(void **state)
{
    (void)state;
    static const char odd[] = "an %odd?#path'";
    struct error err = ERROR_INIT;
    struct writer *w;
    struct query *q;
    struct journal *j = open_journal(1, RING_BYTES);
    struct writer_options options = default_options(j);
    options.dir = tempdir_path(odd);
    for (uint64_t n = 0; n < 5; n++)
        commit(journal_ring(j, 0), n, a_day());
    assert_int_equal(writer_create(&w, &options, &err), 0);
    if (query_open(&q, tempdir_path(odd), &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(ask(q, "SELECT count(*) AS n FROM requests").text, "n\n5\n");
    query_close(q);
    writer_destroy(w);
    journal_close(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(usage_is_summed_by_app_api_plan_and_key),
        unit_test_in_tempdir(recent_usage_is_exact_to_the_minute_or_hour),
        unit_test_in_tempdir(a_request_that_is_not_known_says_so),
        unit_test_in_tempdir(sql_sees_requests_and_roll_ups),
        unit_test_in_tempdir(sql_that_is_not_reading_is_refused),
        unit_test_in_tempdir(sql_that_takes_too_long_is_ended),
        unit_test_in_tempdir(more_days_than_can_be_attached_are_told),
        unit_test_in_tempdir(an_empty_store_has_empty_views),
        unit_test_in_tempdir(questions_are_answered_while_the_writer_works),
        unit_test_in_tempdir(a_path_with_odd_characters_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
