/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include <fcntl.h>

static void counts_each_record_everywhere_once(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(2);
    for (uint64_t n = 0; n < 1000; n++)
        commit(journal_ring(p.journal, n % 2), n, a_day());
    flush(&p);
    assert_counted(1000, metered_of(1000));
    pipeline_close(&p);
    assert_counted(1000, metered_of(1000));
}

static void metrics_and_roll_ups_agree_label_by_label(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    for (uint64_t n = 0; n < 777; n++)
        commit(journal_ring(p.journal, 0), n, a_day());
    flush(&p);
    static const char *const differing[] = {
        "SELECT count(*) FROM (SELECT api || x'1f' || route || x'1f' || method || x'1f' || status"
        " || x'1f' || reason AS labels, sum(requests) AS n FROM traffic_day GROUP BY 1) AS r"
        " FULL JOIN (SELECT * FROM metric_cells WHERE metric = 'weir_requests_total') AS m"
        " ON m.labels = r.labels WHERE m.value IS NOT r.n",
        "SELECT count(*) FROM (SELECT app || x'1f' || plan || x'1f' || api AS labels,"
        " sum(requests) AS n FROM usage_day GROUP BY 1) AS r"
        " FULL JOIN (SELECT * FROM metric_cells WHERE metric = 'weir_app_requests_total') AS m"
        " ON m.labels = r.labels WHERE m.value IS NOT r.n",
        "SELECT count(*) FROM (SELECT api AS labels, sum(bytes_in) AS n FROM traffic_day GROUP BY"
        " 1) AS r FULL JOIN (SELECT * FROM metric_cells WHERE metric = 'weir_request_bytes_total')"
        " AS m ON m.labels = r.labels WHERE m.value IS NOT r.n",
    };
    for (size_t i = 0; i < ARRAY_LEN(differing); i++)
        assert_int_equal(store_number(differing[i]), 0);
    assert_true(store_number("SELECT count(*) FROM metric_cells"
                             " WHERE metric = 'weir_requests_total'") > 5);
    pipeline_close(&p);
}

static void an_amended_record_is_counted_once_as_what_it_became(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    struct ring *ring = journal_ring(p.journal, 0);
    struct record r = make_record(1, a_day());
    uint64_t seq = ring_commit(ring, &r);
    r.status = 499;
    r.reason = REASON_CLIENT_CLOSED;
    r.bytes_out = 3;
    r.duration_us = 123456;
    r.time.us += 5 * US_PER_MINUTE;
    ring_amend(ring, seq, &r);
    ring_settle(ring, seq);
    flush(&p);
    assert_counted(1, 1);
    assert_int_equal(store_number("SELECT status FROM requests"), 499);
    assert_int_equal(store_number("SELECT bytes_out FROM traffic_minute"), 3);
    assert_int_equal(store_number("SELECT begin_us FROM traffic_minute"),
                     a_day().us + 5 * US_PER_MINUTE);
    assert_int_equal(store_number("SELECT sum_us FROM metric_cells"
                                  " WHERE metric = 'weir_request_duration_seconds'"),
                     123456);
    pipeline_close(&p);
}

static void a_flush_waits_for_an_answer_that_is_being_written(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    struct ring *ring = journal_ring(p.journal, 0);
    struct record r = make_record(1, a_day());
    uint64_t seq = ring_commit(ring, &r);
    assert_int_equal(writer_flush(p.writer, 1), E_TIMEOUT);
    ring_settle(ring, seq);
    flush(&p);
    assert_counted(1, 1);
    pipeline_close(&p);
}

static void what_an_earlier_run_left_is_counted_at_the_start(void **state)
{
    (void)state;
    struct journal *j = open_journal(2, RING_BYTES);
    for (uint64_t n = 0; n < 600; n++)
        commit(journal_ring(j, n % 2), n, a_day());
    /* not even settled: who would have settled it is gone */
    struct record r = make_record(600, a_day());
    assert_int_not_equal(ring_commit(journal_ring(j, 0), &r), 0);
    journal_close(j);
    struct pipeline p = pipeline_open(2);
    struct writer_stats stats;
    writer_stats(p.writer, &stats);
    assert_int_equal(stats.records, 601);
    assert_counted(601, metered_of(600) + 1);
    pipeline_close(&p);
}

static void rings_that_are_no_longer_used_are_counted_and_removed(void **state)
{
    (void)state;
    struct journal *j = open_journal(4, RING_BYTES);
    for (uint64_t n = 0; n < 400; n++)
        commit(journal_ring(j, n % 4), n, a_day());
    journal_close(j);
    struct pipeline p = pipeline_open(1);
    assert_counted(400, metered_of(400));
    assert_int_not_equal(access(tempdir_path("journal/ring-03"), F_OK), 0);
    pipeline_close(&p);
}

static void a_ring_made_anew_is_not_taken_for_the_old_one(void **state)
{
    (void)state;
    for (uint64_t run = 0; run < 3; run++) {
        struct pipeline p = pipeline_start(1);
        for (uint64_t n = 0; n < 100; n++)
            commit(journal_ring(p.journal, 0), run * 100 + n, a_day());
        flush(&p);
        pipeline_close(&p);
        if (run == 1)
            tempdir_remove_tree(tempdir_path("journal"));
    }
    assert_counted(300, metered_of(300));
    assert_int_equal(store_number("SELECT count(*) FROM totals.positions"), 1);
}

static void a_torn_record_ends_the_replay_and_is_told(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES);
    struct ring *ring = journal_ring(j, 0);
    for (uint64_t n = 0; n < 4; n++)
        commit(ring, n, a_day());
    uint64_t torn = ring_head(ring);
    for (uint64_t n = 4; n < 10; n++)
        commit(ring, n, a_day());
    ring->data[torn + 40] ^= 0xff;
    journal_close(j);
    struct pipeline p = pipeline_open(1);
    struct writer_stats stats;
    writer_stats(p.writer, &stats);
    assert_int_equal(stats.torn, 1);
    assert_counted(4, 4);
    assert_int_equal(writer_start(p.writer, NULL), 0);
    for (uint64_t n = 4; n < 9; n++)
        commit(journal_ring(p.journal, 0), n, a_day());
    flush(&p);
    assert_counted(9, 9);
    pipeline_close(&p);
}

static void a_record_belongs_to_the_day_it_was_completed(void **state)
{
    (void)state;
    struct wall midnight = wall_from_civil(2026, 11, 24);
    struct pipeline p = pipeline_start(1);
    for (uint64_t n = 0; n < 100; n++) {
        /* to and fro over midnight, as calls end on several connections */
        int64_t off = (int64_t)(n % 10) - 5;
        commit(journal_ring(p.journal, 0), n, (struct wall){.us = midnight.us + off});
    }
    flush(&p);
    assert_counted(100, metered_of(100));
    struct db *db;
    static const char *const names[] = {"analytics/requests-2026-11-23.db",
                                        "analytics/requests-2026-11-24.db"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(db_open(&db, tempdir_path(names[i]), DB_READ, NULL), 0);
        assert_int_equal(db_number(db, "SELECT count(*) FROM requests"), 50);
        db_close(db);
    }
    assert_int_equal(store_number("SELECT count(DISTINCT begin_us) FROM traffic_day"), 2);
    pipeline_close(&p);
}

static void a_late_record_goes_to_its_own_minute(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    struct ring *ring = journal_ring(p.journal, 0);
    static const int64_t minutes[] = {0, 10, 0, 5, 10, 0};
    for (size_t i = 0; i < ARRAY_LEN(minutes); i++) {
        struct wall t = {.us = a_day().us + minutes[i] * US_PER_MINUTE};
        commit(ring, 2, t);
        flush(&p);
    }
    assert_int_equal(store_number("SELECT count(*) FROM traffic_minute"), 3);
    assert_int_equal(store_number("SELECT max(requests) FROM traffic_minute"), 3);
    assert_int_equal(store_number("SELECT requests FROM traffic_day"), 6);
    pipeline_close(&p);
    /* and the same when the cells have to be read back first */
    p = pipeline_start(1);
    commit(journal_ring(p.journal, 0), 2, a_day());
    flush(&p);
    assert_int_equal(store_number("SELECT max(requests) FROM traffic_minute"), 4);
    assert_int_equal(store_number("SELECT requests FROM traffic_day"), 7);
    pipeline_close(&p);
}

struct cell_sums {
    uint64_t requests, observed, sum_us, buckets;
    unsigned series;
};

static void add_cell(void *ctx, const struct metric_cell *cell)
{
    struct cell_sums *sums = ctx;
    sums->series++;
    if (strcmp(cell->def->metric, "weir_requests_total") == 0) {
        assert_int_equal(cell->label_count, 5);
        assert_true(str_eq(cell->labels[3], STR("200")) || str_eq(cell->labels[3], STR("429")));
        sums->requests += cell->value;
    }
    if (strcmp(cell->def->metric, "weir_request_duration_seconds") == 0) {
        sums->observed += cell->value;
        sums->sum_us += cell->sum_us;
        for (unsigned i = 0; i <= cell_bound_count(cell->def); i++)
            sums->buckets += cell->buckets[i];
    }
    if (strcmp(cell->def->metric, "weir_journal_records_total") == 0)
        assert_int_equal(cell->label_count, 0);
}

static void counters_go_on_after_a_restart(void **state)
{
    (void)state;
    for (uint64_t run = 1; run <= 3; run++) {
        struct pipeline p = pipeline_start(1);
        for (uint64_t n = 0; n < 100; n++)
            commit(journal_ring(p.journal, 0), n, a_day());
        flush(&p);
        struct cell_sums sums = {0};
        metric_cells_visit(p.writer, add_cell, &sums);
        assert_int_equal(sums.requests, 100 * run);
        assert_int_equal(sums.observed, 100 * run);
        assert_int_equal(sums.buckets, 100 * run);
        assert_int_equal((int64_t)sums.sum_us,
                         store_number("SELECT total(duration_us) FROM requests"));
        pipeline_close(&p);
    }
}

struct quota_seen {
    uint64_t used;
    unsigned count;
};

static void see_quota(void *ctx, const struct quota_usage *usage)
{
    struct quota_seen *seen = ctx;
    assert_true(str_eq(usage->limit, STR("month")));
    assert_int_equal(usage->window.us, wall_floor(a_day(), CAL_MONTH).us);
    seen->used += usage->used;
    seen->count++;
}

static void limiters_find_what_was_used_before_the_gateway_listens(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES);
    for (uint64_t n = 0; n < 100; n++)
        commit(journal_ring(j, 0), n, a_day());
    journal_close(j); /* killed: nothing is in the store yet */
    struct pipeline p = pipeline_open(1);
    struct quota_seen seen = {0};
    assert_int_equal(
        writer_quotas(p.writer, wall_floor(a_day(), CAL_MONTH), see_quota, &seen, NULL), 0);
    assert_int_equal(seen.count, 3); /* three apps */
    assert_int_equal(seen.used, metered_of(100));
    seen = (struct quota_seen){0};
    assert_int_equal(writer_quotas(p.writer, wall_next(a_day(), CAL_MONTH), see_quota, &seen, NULL),
                     0);
    assert_int_equal(seen.count, 0);
    pipeline_close(&p);
}

static void the_last_use_of_a_key_is_the_newest_one(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    struct ring *ring = journal_ring(p.journal, 0);
    static const int64_t seconds[] = {5, 9, 7};
    for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
        commit(ring, 2, (struct wall){.us = a_day().us + seconds[i] * US_PER_S});
        if (i == 1)
            flush(&p);
    }
    struct record refused = make_record(3, (struct wall){.us = a_day().us + US_PER_MINUTE});
    refused.reason = REASON_KEY_REVOKED;
    ring_settle(ring, ring_commit(ring, &refused));
    flush(&p);
    assert_int_equal(store_number("SELECT time_us FROM key_last_used"), a_day().us + 9 * US_PER_S);
    assert_int_equal(store_number("SELECT ip = '192.0.2.7' FROM key_last_used"), 1);
    pipeline_close(&p);
}

static void label_sets_beyond_the_bound_fold_but_never_a_bill(void **state)
{
    (void)state;
    struct pipeline p = {.journal = open_journal(1, RING_BYTES)};
    struct writer_options options = default_options(p.journal);
    options.max_series = 5;
    assert_int_equal(writer_create(&p.writer, &options, NULL), 0);
    assert_int_equal(writer_start(p.writer, NULL), 0);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 50; i++) {
            char route[16];
            struct record r = make_record(0, a_day());
            r.route = str_make(route, (size_t)snprintf(route, sizeof(route), "r%u", i));
            struct ring *ring = journal_ring(p.journal, 0);
            ring_settle(ring, ring_commit(ring, &r));
        }
        flush(&p);
    }
    assert_counted(100, 100);
    assert_int_equal(store_number("SELECT count(*) FROM traffic_day"), 6);
    assert_int_equal(
        store_number("SELECT requests FROM traffic_day WHERE route = '__other__' AND status = 0"),
        90);
    assert_int_equal(store_number("SELECT count(*) FROM usage_day"), 50);
    assert_int_equal(store_number("SELECT min(requests) FROM usage_day"), 2);
    assert_int_equal(store_number("SELECT value FROM metric_cells WHERE metric ="
                                  " 'weir_requests_total' AND labels LIKE '__other__%'"),
                     90);
    pipeline_close(&p);
}

static void a_store_of_a_newer_version_stops_the_start_and_nothing_is_lost(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct pipeline p = pipeline_start(1);
    commit(journal_ring(p.journal, 0), 0, a_day());
    flush(&p);
    pipeline_close(&p);
    static const char *const files[] = {"analytics/totals.db", "analytics/requests-2026-11-23.db"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct db *db;
        assert_int_equal(db_open(&db, tempdir_path(files[i]), DB_WRITE, NULL), 0);
        assert_int_equal(
            db_exec(db, "INSERT INTO migrations VALUES (99, '0099_later.sql', x'00', 0)", NULL), 0);
        struct journal *j = open_journal(1, RING_BYTES);
        struct writer_options options = default_options(j);
        struct writer *w;
        err = (struct error)ERROR_INIT;
        assert_int_equal(writer_create(&w, &options, &err), E_NEWER);
        assert_non_null(strstr(err.text, files[i]));
        assert_non_null(strstr(err.text, "newer version"));
        journal_close(j);
        assert_int_equal(db_exec(db, "DELETE FROM migrations WHERE number = 99", NULL), 0);
        db_close(db);
    }
    p = pipeline_start(1);
    commit(journal_ring(p.journal, 0), 1, a_day());
    flush(&p);
    assert_counted(2, 2);
    pipeline_close(&p);
}

static void a_damaged_day_costs_its_rows_and_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(mkdir(store_path(), 0700), 0);
    FILE *f = fopen(tempdir_path("analytics/requests-2026-11-23.db"), "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database ", f);
    fclose(f);
    struct pipeline p = pipeline_start(1);
    for (uint64_t n = 0; n < 10; n++)
        commit(journal_ring(p.journal, 0), n, a_day());
    commit(journal_ring(p.journal, 0), 10, (struct wall){.us = a_day().us + US_PER_DAY});
    flush(&p);
    struct writer_stats stats;
    writer_stats(p.writer, &stats);
    assert_int_equal(stats.rows_skipped, 10);
    assert_true(stats.rows_failing && !stats.totals_failing);
    pipeline_close(&p);
    struct db *db;
    assert_int_equal(db_open(&db, tempdir_path("analytics/totals.db"), DB_READ, NULL), 0);
    assert_int_equal(db_number(db, "SELECT total(requests) FROM traffic_day"), 11);
    db_close(db);
    assert_int_equal(unlink(tempdir_path("analytics/requests-2026-11-23.db")), 0);
    assert_int_equal(store_number("SELECT count(*) FROM requests"), 1);
}

static void a_day_that_another_process_holds_does_not_stop_the_counting(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    struct db *db;
    commit(journal_ring(p.journal, 0), 0, a_day());
    flush(&p);
    assert_int_equal(db_open(&db, tempdir_path("analytics/requests-2026-11-23.db"), DB_WRITE, NULL),
                     0);
    assert_int_equal(db_begin(db, NULL), 0);
    commit(journal_ring(p.journal, 0), 1, a_day());
    flush(&p);
    struct writer_stats stats;
    writer_stats(p.writer, &stats);
    assert_int_equal(stats.rows_skipped, 1);
    assert_true(stats.failures > 0);
    db_close(db);
    commit(journal_ring(p.journal, 0), 2, a_day());
    flush(&p);
    assert_int_equal(store_number("SELECT count(*) FROM requests"), 2);
    assert_int_equal(store_number("SELECT total(requests) FROM traffic_day"), 3);
    pipeline_close(&p);
}

static void a_lost_totals_db_does_not_reuse_numbers(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    commit(journal_ring(p.journal, 0), 0, a_day());
    flush(&p);
    uint64_t before = writer_committed(p.writer);
    pipeline_close(&p);
    static const char *const files[] = {"analytics/totals.db", "analytics/totals.db-wal",
                                        "analytics/totals.db-shm"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        unlink(tempdir_path(files[i]));
    p = pipeline_start(1);
    assert_true(writer_committed(p.writer) >= before);
    commit(journal_ring(p.journal, 0), 1, a_day());
    flush(&p);
    assert_true(writer_committed(p.writer) > before);
    assert_int_equal(store_number("SELECT count(DISTINCT seq) FROM requests"), 2);
    pipeline_close(&p);
}

static void numbers_leave_a_gap_only_when_the_machine_was_down(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    commit(journal_ring(p.journal, 0), 0, a_day());
    flush(&p);
    assert_int_equal(writer_committed(p.writer), 1);
    pipeline_close(&p);
    p = pipeline_open(1);
    assert_int_equal(writer_committed(p.writer), 1);
    pipeline_close(&p);
    struct db *db;
    assert_int_equal(db_open(&db, tempdir_path("analytics/totals.db"), DB_WRITE, NULL), 0);
    assert_int_equal(store_boot_set(db, 12345, NULL), 0);
    db_close(db);
    p = pipeline_open(1);
    uint64_t after = writer_committed(p.writer);
    assert_true(after > 100000);
    pipeline_close(&p);
    p = pipeline_open(1);
    assert_int_equal(writer_committed(p.writer), after);
    pipeline_close(&p);
}

static void a_second_flush_finds_nothing_to_do(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(3);
    for (int i = 0; i < 20; i++)
        flush(&p);
    struct writer_stats stats;
    commit(journal_ring(p.journal, 1), 0, a_day());
    flush(&p);
    writer_stats(p.writer, &stats);
    assert_int_equal(stats.backlog, 0);
    assert_int_equal(stats.records, 1);
    assert_int_equal(ring_used(journal_ring(p.journal, 1)), 0);
    pipeline_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(counts_each_record_everywhere_once),
        unit_test_in_tempdir(metrics_and_roll_ups_agree_label_by_label),
        unit_test_in_tempdir(an_amended_record_is_counted_once_as_what_it_became),
        unit_test_in_tempdir(a_flush_waits_for_an_answer_that_is_being_written),
        unit_test_in_tempdir(what_an_earlier_run_left_is_counted_at_the_start),
        unit_test_in_tempdir(rings_that_are_no_longer_used_are_counted_and_removed),
        unit_test_in_tempdir(a_ring_made_anew_is_not_taken_for_the_old_one),
        unit_test_in_tempdir(a_torn_record_ends_the_replay_and_is_told),
        unit_test_in_tempdir(a_record_belongs_to_the_day_it_was_completed),
        unit_test_in_tempdir(a_late_record_goes_to_its_own_minute),
        unit_test_in_tempdir(counters_go_on_after_a_restart),
        unit_test_in_tempdir(limiters_find_what_was_used_before_the_gateway_listens),
        unit_test_in_tempdir(the_last_use_of_a_key_is_the_newest_one),
        unit_test_in_tempdir(label_sets_beyond_the_bound_fold_but_never_a_bill),
        unit_test_in_tempdir(a_store_of_a_newer_version_stops_the_start_and_nothing_is_lost),
        unit_test_in_tempdir(a_damaged_day_costs_its_rows_and_nothing_else),
        unit_test_in_tempdir(a_day_that_another_process_holds_does_not_stop_the_counting),
        unit_test_in_tempdir(a_lost_totals_db_does_not_reuse_numbers),
        unit_test_in_tempdir(numbers_leave_a_gap_only_when_the_machine_was_down),
        unit_test_in_tempdir(a_second_flush_finds_nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
