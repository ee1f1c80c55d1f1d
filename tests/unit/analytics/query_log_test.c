/* SPDX-License-Identifier: Apache-2.0 */
#include "traced.h"

#include "analytics/query_log.h"

static struct query *open_query(void)
{
    struct error err = ERROR_INIT;
    struct query *q = NULL;
    if (query_open(&q, store_path(), &err) != 0)
        fail_msg("%s", err.text);
    return q;
}

struct listed {
    uint64_t last, count;
    bool oldest_first;
    uint64_t sum; /* of all numbers, so that another set of as many rows is seen */
};

static int note_row(void *ctx, const struct row *row)
{
    struct listed *l = ctx;
    if (l->last > 0)
        assert_true(l->oldest_first ? row->seq > l->last : row->seq < l->last);
    l->last = row->seq;
    l->count++;
    l->sum += row->seq;
    return 0;
}

/* All pages of a list from its beginning on. Returns how many pages there were. */
static unsigned list_all(struct query *q, struct log_ask ask, struct listed *ret_listed)
{
    struct error err = ERROR_INIT;
    struct log_page page = {.next = 0};
    unsigned pages = 0;
    *ret_listed = (struct listed){.oldest_first = ask.oldest_first};
    do {
        uint64_t before = ret_listed->count;
        if (pages > 0)
            ask.place = page.next;
        if (query_log(q, &ask, note_row, ret_listed, &page, &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(page.rows, ret_listed->count - before);
        assert_true(page.rows <= ask.limit);
        assert_true(++pages < 10000);
    } while (ask.oldest_first ? page.next < page.newest : page.next != 0);
    return pages;
}

/* Records of two rings that alternate between three days, stored in several batches. */
static void store_some(uint64_t count)
{
    struct pipeline p = pipeline_start(2);
    for (uint64_t n = 0; n < count; n++) {
        struct wall t = {.us = a_day().us + (int64_t)(n * 7 % 3) * US_PER_DAY +
                               (int64_t)n * US_PER_S};
        commit(journal_ring(p.journal, n % 2), n, t);
        if (n % 50 == 49)
            flush(&p);
    }
    flush(&p);
    pipeline_close(&p);
}

#define AT(day, s)                                                                                 \
    {                                                                                              \
        .us = INT64_C(1795435200000000) + (day)*US_PER_DAY + (s)*US_PER_S                          \
    }

static const struct {
    struct log_filter filter;
    const char *where;
} FILTERS[] = {
    {{.app = STR_INIT("")}, "1"},
    {{.app = STR_INIT("acme")}, "app = 'acme'"},
    {{.app = STR_INIT("nobody")}, "0"},
    {{.api = STR_INIT("orders")}, "api = 'orders'"},
    {{.key = STR_INIT("k1234567")}, "1"},
    {{.key = STR_INIT("k123456")}, "0"},
    {{.method = STR_INIT("POST"), .app = STR_INIT("globex")}, "0"},
    {{.method = STR_INIT("POST")}, "method = 'POST'"},
    {{.status_min = 429, .status_max = 429}, "status = 429"},
    {{.status_min = 200, .status_max = 299}, "status / 100 = 2"},
    {{.status_min = 500, .status_max = 599}, "0"},
    {{.reasons = LOG_REASON_NONE}, "reason = ''"},
    {{.reasons = LOG_REASON_SOME, .app = STR_INIT("initech")}, "reason <> '' AND app = 'initech'"},
    {{.reasons = LOG_REASON_ONE, .reason = STR_INIT("rate_limited")}, "reason = 'rate_limited'"},
    {{.reasons = LOG_REASON_ONE, .reason = STR_INIT("no_route")}, "0"},
    {{.since = AT(1, 100)}, "time_us >= 1795521700000000"},
    {{.until = AT(1, 100)}, "time_us < 1795521700000000"},
    {{.since = AT(0, 50), .until = AT(0, 150), .app = STR_INIT("acme")},
     "time_us >= 1795435250000000 AND time_us < 1795435350000000 AND app = 'acme'"},
    {{.since = AT(5, 0)}, "0"},
    {{.until = AT(-5, 0)}, "0"},
};

static void a_list_has_what_the_filter_says_whatever_the_page(void **state)
{
    (void)state;
    static const unsigned limits[] = {1, 7, 399, LOG_LIMIT_MAX};
    store_some(400);
    assert_int_equal(a_day().us, INT64_C(1795435200000000));
    struct query *q = open_query();
    for (size_t i = 0; i < ARRAY_LEN(FILTERS); i++) {
        char sql[256];
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM requests WHERE %s", FILTERS[i].where);
        int64_t want = store_number(sql);
        snprintf(sql, sizeof(sql), "SELECT total(seq) FROM requests WHERE %s", FILTERS[i].where);
        int64_t sum = store_number(sql);
        for (size_t k = 0; k < 2 * ARRAY_LEN(limits); k++) {
            struct listed l;
            list_all(q,
                     (struct log_ask){.filter = FILTERS[i].filter,
                                      .oldest_first = k % 2 == 1,
                                      .limit = limits[k / 2]},
                     &l);
            if ((int64_t)l.count != want || (int64_t)l.sum != sum)
                fail_msg("%s: %llu rows, want %lld", FILTERS[i].where, (unsigned long long)l.count,
                         (long long)want);
        }
    }
    query_close(q);
}

static void a_live_list_gets_each_row_once_while_the_writer_works(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(3);
    struct query *q = open_query();
    struct listed l = {.oldest_first = true};
    struct log_page page = {.next = 0};
    struct log_ask ask = {.oldest_first = true, .limit = 50};
    const uint64_t count = 3000;
    for (uint64_t n = 0; n < count; n++) {
        /* days that alternate, as around midnight, and rings that do */
        struct wall t = {.us = a_day().us - (int64_t)(n % 2) * US_PER_DAY};
        commit(journal_ring(p.journal, (unsigned)(n % 3)), n, t);
        if (n % 25 == 0) {
            assert_int_equal(query_log(q, &ask, note_row, &l, &page, NULL), 0);
            ask.place = page.next;
        }
        if (n % 500 == 0)
            flush(&p);
    }
    flush(&p);
    do {
        assert_int_equal(query_log(q, &ask, note_row, &l, &page, NULL), 0);
        ask.place = page.next;
    } while (page.rows > 0);
    assert_int_equal(l.count, count);
    assert_int_equal(page.next, page.newest);
    query_close(q);
    pipeline_close(&p);
}

/* ---- many rows ---- */

/* Each `every`-th row is of `rare`, the others of everybody. */
static void put_rows(struct store *store, int64_t day, uint64_t first, uint64_t step,
                     uint64_t count)
{
    struct db *db;
    struct rows_writer w;
    struct error err = ERROR_INIT;
    uint64_t last = first + (count - 1) * step;
    if (store_day(store, day, &db, &err) != 0 || db_begin(db, &err) != 0 ||
        rows_begin(&w, db, &err) != 0)
        fail_msg("%s", err.text);
    for (uint64_t seq = first; seq <= last; seq += step) {
        bool rare = seq % 10000 < 2;
        struct record r = {.time = {.us = day * US_PER_DAY + (int64_t)seq},
                           .api = STR("users"),
                           .method = METHOD_GET,
                           .status = rare ? 418 : 200,
                           .app = rare ? STR("rare") : STR("busy")};
        if (rows_add(&w, &(struct row){.seq = seq, .record = r}, &err) != 0)
            fail_msg("%s", err.text);
    }
    if (rows_end(&w, &err) != 0 || db_commit(db, &err) != 0 ||
        store_day_range_add(store_totals(store),
                            (struct day_range){.day = day, .first_seq = first, .last_seq = last},
                            &err) != 0 ||
        store_last_seq_set(store_totals(store), last, &err) != 0)
        fail_msg("%s", err.text);
}

static struct store *new_store(void)
{
    struct error err = ERROR_INIT;
    struct store *store = NULL;
    if (store_open(&store, store_path(), STORE_WRITE, &err) != 0)
        fail_msg("%s", err.text);
    return store;
}

static void a_page_looks_at_so_many_rows_and_goes_on_from_there(void **state)
{
    (void)state;
    struct store *store = new_store();
    int64_t day = store_day_of(a_day());
    put_rows(store, day, 1, 1, 40000);
    put_rows(store, day + 1, 40001, 1, 70000);
    struct query *q = open_query();
    for (int up = 0; up < 2; up++) {
        struct listed l;
        struct log_ask ask = {.filter = {.status_min = 418, .status_max = 418},
                              .oldest_first = up == 1,
                              .limit = 100};
        /* 110000 rows by 50000 */
        assert_int_equal(list_all(q, ask, &l), 3);
        assert_int_equal(l.count, 22);
        /* of one app only its rows are looked at */
        ask.filter.app = STR("rare");
        assert_int_equal(list_all(q, ask, &l), 1);
        assert_int_equal(l.count, 22);
    }
    query_close(q);
    store_close(store);
}

static void days_that_overlap_are_given_up_together(void **state)
{
    (void)state;
    struct store *store = new_store();
    int64_t day = store_day_of(a_day());
    /* a clock that jumps between two days with every row; the third day is alone */
    put_rows(store, day + 1, 1, 2, 60000);
    put_rows(store, day, 2, 2, 60000);
    put_rows(store, day + 2, 120001, 1, 10000);
    struct query *q = open_query();
    for (int up = 0; up < 2; up++) {
        struct listed l;
        struct log_ask ask = {.filter = {.status_min = 418, .status_max = 418},
                              .oldest_first = up == 1};
        for (ask.limit = 1; ask.limit < 100; ask.limit += 4) {
            list_all(q, ask, &l);
            assert_int_equal(l.count, 26);
        }
    }
    query_close(q);
    store_close(store);
}

static void no_list_reads_a_table_whole(void **state)
{
    (void)state;
    store_some(100);
    traced_begin();
    struct query *q = open_query();
    for (size_t i = 0; i < ARRAY_LEN(FILTERS); i++) {
        struct listed l;
        list_all(q, (struct log_ask){.filter = FILTERS[i].filter, .limit = 5}, &l);
        list_all(q,
                 (struct log_ask){.filter = FILTERS[i].filter, .limit = 40, .oldest_first = true},
                 &l);
    }
    struct listed l = {.count = 0};
    assert_int_equal(query_request(q, make_record(0, a_day()).request_id, note_row, &l, NULL), 0);
    assert_true(traced_count > 10);
    assert_no_scans();
    query_close(q);
    traced_end();
}

static void a_day_that_was_deleted_is_passed_over(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct error err = ERROR_INIT;
    struct store *store;
    struct listed l;
    store_some(30);
    assert_int_equal(store_open(&store, store_path(), STORE_READ, &err), 0);
    store_day_path(store, store_day_of(a_day()) + 1, path, sizeof(path));
    assert_int_equal(unlink(path), 0);
    store_close(store);
    struct query *q = open_query();
    list_all(q, (struct log_ask){.limit = 7}, &l);
    assert_int_equal(l.count, 20);
    query_close(q);
}

static int refuse(void *ctx, const struct row *row)
{
    (void)row;
    ++*(unsigned *)ctx;
    return E_NOT_FOUND;
}

static void what_the_visitor_returns_ends_the_list(void **state)
{
    (void)state;
    unsigned calls = 0;
    struct log_page page;
    store_some(30);
    struct query *q = open_query();
    assert_int_equal(query_log(q, &(struct log_ask){.limit = 10}, refuse, &calls, &page, NULL),
                     E_NOT_FOUND);
    assert_int_equal(calls, 1);
    query_close(q);
}

static void an_empty_store_has_an_empty_list(void **state)
{
    (void)state;
    struct pipeline p = pipeline_open(1);
    struct query *q = open_query();
    struct listed l;
    assert_int_equal(list_all(q, (struct log_ask){.limit = 10}, &l), 1);
    assert_int_equal(list_all(q, (struct log_ask){.limit = 10, .oldest_first = true}, &l), 1);
    assert_int_equal(l.count, 0);
    query_close(q);
    pipeline_close(&p);
}

static void a_list_that_takes_too_long_is_ended_and_the_next_is_not(void **state)
{
    (void)state;
    struct store *store = new_store();
    struct listed l = {.count = 0};
    struct log_page page;
    struct log_ask ask = {.filter = {.key = STR("none")}, .limit = 10};
    put_rows(store, store_day_of(a_day()), 1, 1, 20000);
    struct query *q = open_query();
    query_limit(q, 1);
    assert_int_equal(query_log(q, &ask, note_row, &l, &page, NULL), E_TIMEOUT);
    query_limit(q, 0);
    assert_int_equal(query_log(q, &ask, note_row, &l, &page, NULL), 0);
    query_close(q);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(a_list_has_what_the_filter_says_whatever_the_page),
        unit_test_in_tempdir(a_live_list_gets_each_row_once_while_the_writer_works),
        unit_test_in_tempdir(a_page_looks_at_so_many_rows_and_goes_on_from_there),
        unit_test_in_tempdir(days_that_overlap_are_given_up_together),
        unit_test_in_tempdir(no_list_reads_a_table_whole),
        unit_test_in_tempdir(a_day_that_was_deleted_is_passed_over),
        unit_test_in_tempdir(what_the_visitor_returns_ends_the_list),
        unit_test_in_tempdir(an_empty_store_has_an_empty_list),
        unit_test_in_tempdir(a_list_that_takes_too_long_is_ended_and_the_next_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
