/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

struct visited {
    uint64_t seq[64];
    unsigned count, end_at;
};

static int visit(void *ctx, const struct row *row)
{
    struct visited *v = ctx;
    if (v->end_at > 0 && v->count == v->end_at)
        return E_CLOSED;
    v->seq[v->count++ % ARRAY_LEN(v->seq)] = row->seq;
    return 0;
}

static struct store *open_store(void)
{
    struct error err = ERROR_INIT;
    struct store *store = NULL;
    if (store_open(&store, store_path(), STORE_READ, &err) != 0)
        fail_msg("%s", err.text);
    return store;
}

/* Records that alternate between three days, stored in several batches. */
static uint64_t store_some(uint64_t count)
{
    struct pipeline p = pipeline_start(2);
    for (uint64_t n = 0; n < count; n++) {
        struct wall t = {.us = a_day().us + (int64_t)(n * 7 % 3) * US_PER_DAY};
        commit(journal_ring(p.journal, n % 2), n, t);
        if (n % 50 == 49)
            flush(&p);
    }
    flush(&p);
    uint64_t committed = writer_committed(p.writer);
    pipeline_close(&p);
    return committed;
}

static void rows_come_in_order_over_all_days(void **state)
{
    (void)state;
    uint64_t up_to = store_some(400);
    struct store *store = open_store();
    static const unsigned steps[] = {1, 3, 17, 1000};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        uint64_t after = 0;
        unsigned total = 0;
        int n;
        do {
            struct visited v = {.count = 0};
            struct rows_range range = {.after = after, .up_to = up_to, .max = steps[i]};
            n = store_rows_read(store, range, visit, &v, NULL);
            assert_true(n >= 0);
            assert_int_equal(n, v.count);
            for (unsigned k = 0; k < v.count && steps[i] < ARRAY_LEN(v.seq); k++) {
                assert_true(v.seq[k] > after);
                after = v.seq[k];
            }
            total += (unsigned)n;
        } while (n == (int)steps[i]);
        assert_int_equal(total, 400);
    }
    store_close(store);
}

static void a_range_ends_where_it_is_told(void **state)
{
    (void)state;
    uint64_t up_to = store_some(30);
    struct store *store = open_store();
    struct visited v = {.count = 0};
    struct rows_range range = {.up_to = up_to, .max = 100};
    assert_int_equal(store_rows_read(store, range, visit, &v, NULL), 30);
    range.after = v.seq[9];
    range.up_to = v.seq[19];
    struct visited part = {.count = 0};
    assert_int_equal(store_rows_read(store, range, visit, &part, NULL), 10);
    assert_int_equal(part.seq[0], v.seq[10]);
    assert_int_equal(part.seq[9], v.seq[19]);
    range.after = range.up_to;
    assert_int_equal(store_rows_read(store, range, visit, &part, NULL), 0);
    range = (struct rows_range){.up_to = up_to, .max = 0};
    assert_int_equal(store_rows_read(store, range, visit, &part, NULL), 0);
    part = (struct visited){.end_at = 3};
    range.max = 100;
    assert_int_equal(store_rows_read(store, range, visit, &part, NULL), E_CLOSED);
    assert_int_equal(part.count, 3);
    store_close(store);
}

static void a_day_that_was_deleted_is_passed_over(void **state)
{
    (void)state;
    uint64_t up_to = store_some(30);
    char path[PATH_MAX];
    struct store *store = open_store();
    store_day_path(store, store_day_of(a_day()) + 1, path, sizeof(path));
    assert_int_equal(unlink(path), 0);
    struct visited v = {.count = 0};
    struct rows_range range = {.up_to = up_to, .max = 100};
    assert_int_equal(store_rows_read(store, range, visit, &v, NULL), 20);
    store_close(store);
}

static void a_reader_follows_a_writer(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    uint64_t after = 0, total = 0;
    commit(journal_ring(p.journal, 0), 0, a_day());
    flush(&p);
    struct store *store = open_store();
    for (uint64_t n = 1; n < 200; n++) {
        /* each second row belongs to the day before, as around midnight */
        struct wall t = {.us = a_day().us - (int64_t)(n % 2) * US_PER_DAY};
        commit(journal_ring(p.journal, 0), n, t);
        if (n % 20 == 0)
            flush(&p);
        struct visited v = {.count = 0};
        struct rows_range range = {
            .after = after, .up_to = writer_committed(p.writer), .max = ARRAY_LEN(v.seq)};
        int got = store_rows_read(store, range, visit, &v, NULL);
        assert_true(got >= 0);
        total += (unsigned)got;
        if (got > 0)
            after = v.seq[got - 1];
    }
    flush(&p);
    struct visited v = {.count = 0};
    struct rows_range range = {.after = after, .up_to = writer_committed(p.writer), .max = 1000};
    total += (unsigned)store_rows_read(store, range, visit, &v, NULL);
    assert_int_equal(total, 200);
    store_close(store);
    pipeline_close(&p);
}

struct found {
    unsigned count;
    struct uuid id;
    uint64_t bytes_in;
};

static int see(void *ctx, const struct row *row)
{
    struct found *f = ctx;
    f->count++;
    f->id = row->record.request_id;
    f->bytes_in = row->record.bytes_in;
    return 0;
}

static void a_request_is_found_by_its_id(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    for (uint64_t n = 0; n < 300; n++) {
        struct record r = make_record(n, (struct wall){.us = a_day().us + (int64_t)n * US_PER_S});
        /* one ran for 30 hours and was completed on another day than it began */
        if (n == 150)
            r.time.us += 30 * US_PER_HOUR;
        struct ring *ring = journal_ring(p.journal, 0);
        ring_settle(ring, ring_commit(ring, &r));
        if (n % 40 == 0)
            flush(&p);
    }
    flush(&p);
    struct store *store = open_store();
    for (uint64_t n = 0; n < 300; n++) {
        struct record want =
            make_record(n, (struct wall){.us = a_day().us + (int64_t)n * US_PER_S});
        struct found found = {0};
        assert_int_equal(store_rows_find(store, want.request_id, see, &found, NULL), 1);
        assert_int_equal(found.count, 1);
        assert_memory_equal(found.id.b, want.request_id.b, 16);
        assert_int_equal(found.bytes_in, want.bytes_in);
        want.request_id.b[15] ^= 0x80;
        assert_int_equal(store_rows_find(store, want.request_id, see, &found, NULL), 0);
    }
    store_close(store);
    pipeline_close(&p);
}

static void a_row_is_the_record_it_was(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    struct record r = make_record(1, a_day());
    r.client_request_id = STR("abc-123");
    r.country = STR("TR");
    r.asn = 4294967295u;
    r.tls = STR("TLSv1.3");
    r.referer = STR("https://example.com/\xc3\xa9");
    r.bytes_in = INT64_MAX;
    struct ring *ring = journal_ring(p.journal, 0);
    ring_settle(ring, ring_commit(ring, &r));
    /* and one of which nothing is known */
    ring_settle(ring, ring_commit(ring, &(struct record){.time = a_day()}));
    flush(&p);
    pipeline_close(&p);
    struct db *db = open_views();
    struct db_stmt *st;
    assert_int_equal(
        db_stmt_get(db,
                    "SELECT time, request_id, client_request_id, trace_id, span_id, client_ip,"
                    " country, asn, method, reason, tls, referer, bytes_in, metered FROM requests"
                    " ORDER BY seq",
                    &st, NULL),
        0);
    assert_int_equal(db_step(st, NULL), DB_ROW);
    static const char *const known[] = {"2026-11-23T12:00:00.000000Z",
                                        "01a20846-fdff-7000-0000-000000000001",
                                        "abc-123",
                                        "01a20846fdff70000000000000000001",
                                        "0000000000000001",
                                        "192.0.2.7",
                                        "TR",
                                        "4294967295",
                                        "GET",
                                        "",
                                        "TLSv1.3",
                                        "https://example.com/\xc3\xa9",
                                        "9223372036854775807",
                                        "1"};
    for (int i = 0; i < (int)ARRAY_LEN(known); i++)
        assert_str_equal(db_text(st, i), known[i]);
    assert_int_equal(db_step(st, NULL), DB_ROW);
    assert_str_equal(db_text(st, 3), "");
    assert_str_equal(db_text(st, 5), "");
    assert_str_equal(db_text(st, 8), "_OTHER");
    assert_int_equal(db_step(st, NULL), 0);
    db_close(db);
}

/* The columns of the table are the fields of record_fields.def, in their order, after seq. */
static void the_table_and_the_list_of_fields_are_the_same(void **state)
{
    (void)state;
    static const char *const columns[] = {
        "seq",
#define X(name, TYPE, text) #name SUFFIX_##TYPE,
#define SUFFIX_TIME "_us"
#define SUFFIX_UUID ""
#define SUFFIX_TEXT ""
#define SUFFIX_UINT ""
#define SUFFIX_IP ""
#define SUFFIX_HEX ""
#define SUFFIX_METHOD ""
#define SUFFIX_REASON ""
#include "analytics/record_fields.def"
#undef X
    };
    store_some(1);
    struct db *db;
    struct db_stmt *st;
    size_t i = 0;
    assert_int_equal(db_open(&db, tempdir_path("analytics/requests-2026-11-23.db"), DB_READ, NULL),
                     0);
    assert_int_equal(
        db_stmt_get(db, "SELECT name FROM pragma_table_info('requests') ORDER BY cid", &st, NULL),
        0);
    while (db_step(st, NULL) == DB_ROW) {
        assert_true(i < ARRAY_LEN(columns));
        assert_str_equal(db_text(st, 0), columns[i]);
        i++;
    }
    assert_int_equal(i, ARRAY_LEN(columns));
    db_close(db);
}

static void a_store_that_is_not_there_says_so(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct store *store;
    assert_int_equal(store_open(&store, store_path(), STORE_READ, &err), E_NOT_FOUND);
    assert_non_null(strstr(err.text, "nothing was recorded"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(rows_come_in_order_over_all_days),
        unit_test_in_tempdir(a_range_ends_where_it_is_told),
        unit_test_in_tempdir(a_day_that_was_deleted_is_passed_over),
        unit_test_in_tempdir(a_reader_follows_a_writer),
        unit_test_in_tempdir(a_request_is_found_by_its_id),
        unit_test_in_tempdir(a_row_is_the_record_it_was),
        unit_test_in_tempdir(the_table_and_the_list_of_fields_are_the_same),
        unit_test_in_tempdir(a_store_that_is_not_there_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
