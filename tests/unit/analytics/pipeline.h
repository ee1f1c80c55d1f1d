/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.h -- journal, writer and store in a test's folder, and what was counted where.
 *
 * Threads: as the parts say.
 * Memory:  static.
 * Errors:  a failed assertion.
 */
#ifndef TESTS_UNIT_ANALYTICS_PIPELINE_H
#define TESTS_UNIT_ANALYTICS_PIPELINE_H

#include "test.h"

#include "tempdir.h"

#include "analytics/query.h"
#include "analytics/ring.h"
#include "analytics/store_query.h"
#include "analytics/store_totals.h"
#include "analytics/writer.h"

#define RING_BYTES ((size_t)1024 * 1024)
#define FLUSH_US (60 * US_PER_S)

struct pipeline {
    struct journal *journal;
    struct writer *writer;
};

static inline const char *store_path(void)
{
    return tempdir_path("analytics");
}

static inline struct journal *open_journal(unsigned rings, size_t bytes)
{
    struct error err = ERROR_INIT;
    struct journal *journal = NULL;
    if (journal_open(&journal, tempdir_path("journal"), rings, bytes, &err) != 0)
        fail_msg("%s", err.text);
    return journal;
}

static inline struct writer_options default_options(struct journal *journal)
{
    return (struct writer_options){
        .dir = store_path(), .journal = journal, .retention = RETENTION_DEFAULT};
}

/* A writer that has replayed, its thread not started. */
static inline struct pipeline pipeline_open(unsigned rings)
{
    struct error err = ERROR_INIT;
    struct pipeline p = {.journal = open_journal(rings, RING_BYTES)};
    struct writer_options options = default_options(p.journal);
    if (writer_create(&p.writer, &options, &err) != 0)
        fail_msg("%s", err.text);
    return p;
}

static inline struct pipeline pipeline_start(unsigned rings)
{
    struct error err = ERROR_INIT;
    struct pipeline p = pipeline_open(rings);
    if (writer_start(p.writer, &err) != 0)
        fail_msg("%s", err.text);
    return p;
}

static inline void pipeline_close(struct pipeline *p)
{
    writer_destroy(p->writer);
    journal_close(p->journal);
}

/* The n-th call of a made-up day: three apps, two APIs, some refused, some failed. */
static inline struct record make_record(uint64_t n, struct wall time)
{
    static const char *const apps[] = {"acme", "globex", "initech"};
    struct record r = {.time = time,
                       .api = n % 2 == 0 ? STR("users") : STR("orders"),
                       .route = n % 4 == 0 ? STR("search") : STR("default"),
                       .method = n % 3 == 0 ? METHOD_POST : METHOD_GET,
                       .path = STR("/v1/things/12345"),
                       .query = STR("q=weir&page=2"),
                       .status = 200,
                       .app = str_from(apps[n % 3]),
                       .key = STR("k1234567"),
                       .plan = STR("free"),
                       .bytes_in = 420 + n % 7,
                       .bytes_out = 1280 + n % 11,
                       .duration_us = 900 + n % 5000,
                       .upstream_us = 700 + n % 4000,
                       .queue_us = 12,
                       .upstream = STR("backend"),
                       .target = STR("127.0.0.1:9001"),
                       .attempts = 1,
                       .cache = STR(""),
                       .protocol = STR("HTTP/1.1"),
                       .user_agent = STR("curl/7.88.1"),
                       .metered = true,
                       .trail = STR("key ok; rate 7/10 left; quota 9321/10000 left"),
                       .quota_count = 1};
    /* the number is the id's chance, so that a test knows which record a row is */
    int64_t ms = (time.us - (int64_t)r.duration_us) / US_PER_MS;
    for (unsigned i = 0; i < 6; i++)
        r.request_id.b[i] = (unsigned char)(ms >> (40 - 8 * i));
    r.request_id.b[6] = 0x70;
    for (unsigned i = 0; i < 8; i++)
        r.request_id.b[8 + i] = (unsigned char)(n >> (56 - 8 * i));
    memcpy(r.trace_id, r.request_id.b, sizeof(r.trace_id));
    memcpy(r.span_id, r.request_id.b + 8, sizeof(r.span_id));
    assert_int_equal(ip_parse(STR("192.0.2.7"), &r.client_ip), 0);
    r.quotas[0] = (struct record_quota){
        .limit = STR("month"), .window = wall_floor(time, CAL_MONTH), .cost = 1};
    if (n % 10 == 9) {
        r.status = 429;
        r.reason = REASON_RATE_LIMITED;
        r.metered = false;
        r.quota_count = 0;
        r.attempts = 0;
        r.upstream = r.target = STR_EMPTY;
        r.upstream_us = 0;
    }
    return r;
}

static inline uint64_t metered_of(uint64_t n)
{
    return n - n / 10;
}

/* Commits record n and settles it; fails the test when there is no room. */
static inline void commit(struct ring *ring, uint64_t n, struct wall time)
{
    struct record r = make_record(n, time);
    uint64_t seq = ring_commit(ring, &r);
    assert_int_not_equal(seq, 0);
    ring_settle(ring, seq);
}

static inline void flush(struct pipeline *p)
{
    assert_int_equal(writer_flush(p->writer, FLUSH_US), 0);
}

static inline int64_t db_number(struct db *db, const char *sql)
{
    struct error err = ERROR_INIT;
    struct db_stmt *st;
    if (db_stmt_get(db, sql, &st, &err) != 0 || db_step(st, &err) != DB_ROW)
        fail_msg("%s: %s", sql, err.text);
    int64_t n = db_i64(st, 0);
    db_stmt_done(st);
    return n;
}

/* The whole store as `weir sql` sees it. */
static inline struct db *open_views(void)
{
    struct error err = ERROR_INIT;
    struct store *store;
    struct db *db = NULL;
    unsigned left_out;
    if (store_open(&store, store_path(), STORE_READ, &err) != 0 ||
        store_views_open(store, &db, &left_out, &err) != 0)
        fail_msg("%s", err.text);
    store_close(store);
    return db;
}

static inline int64_t store_number(const char *sql)
{
    struct db *db = open_views();
    int64_t n = db_number(db, sql);
    db_close(db);
    return n;
}

/* Every place that counts says the same: `all` calls of which `metered` are. */
static inline void assert_counted(uint64_t all, uint64_t metered)
{
    static const struct {
        const char *sql;
        bool metered;
    } places[] = {
        {"SELECT count(*) FROM requests", false},
        {"SELECT total(requests) FROM traffic_minute", false},
        {"SELECT total(requests) FROM traffic_hour", false},
        {"SELECT total(requests) FROM traffic_day", false},
        {"SELECT total(requests) FROM apps_minute", false},
        {"SELECT total(requests) FROM apps_hour", false},
        {"SELECT total(requests) FROM apps_day", false},
        {"SELECT count(*) FROM requests WHERE metered", true},
        {"SELECT total(requests) FROM usage_minute", true},
        {"SELECT total(requests) FROM usage_hour", true},
        {"SELECT total(requests) FROM usage_day", true},
        {"SELECT total(cost) FROM usage_day", true},
        {"SELECT total(used) FROM quota_usage", true},
        {"SELECT total(requests) FROM upstreams_day", true},
        {"SELECT total(value) FROM metric_cells WHERE metric = 'weir_requests_total'", false},
        {"SELECT total(value) FROM metric_cells WHERE metric = 'weir_journal_records_total'",
         false},
        {"SELECT total(value) FROM metric_cells WHERE metric = 'weir_request_duration_seconds'",
         false},
        {"SELECT total(value) FROM metric_cells WHERE metric = 'weir_gateway_duration_seconds'",
         false},
        {"SELECT total(value) FROM metric_cells WHERE metric = 'weir_app_requests_total'", true},
        {"SELECT total(value) FROM metric_cells WHERE metric = 'weir_upstream_duration_seconds'",
         true},
    };
    struct db *db = open_views();
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        int64_t got = db_number(db, places[i].sql);
        int64_t want = (int64_t)(places[i].metered ? metered : all);
        if (got != want)
            fail_msg("%s: got %lld, want %lld", places[i].sql, (long long)got, (long long)want);
    }
    int64_t bytes = db_number(db, "SELECT total(bytes_out) FROM requests");
    assert_int_equal(bytes, db_number(db, "SELECT total(bytes_out) FROM traffic_day"));
    assert_int_equal(bytes, db_number(db, "SELECT total(bytes_out) FROM apps_day"));
    assert_int_equal(bytes, db_number(db, "SELECT total(value) FROM metric_cells"
                                          " WHERE metric = 'weir_response_bytes_total'"));
    db_close(db);
}

static inline struct wall a_day(void)
{
    return (struct wall){.us = wall_from_civil(2026, 11, 23).us + 12 * US_PER_HOUR};
}

#endif
