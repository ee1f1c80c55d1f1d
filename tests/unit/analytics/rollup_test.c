/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include "analytics/rollup.h"
#include "base/hist.h"

/* The totals.db of a store that is just made. */
static struct store *new_store(void)
{
    struct error err = ERROR_INIT;
    struct store *store = NULL;
    if (store_open(&store, store_path(), STORE_WRITE, &err) != 0)
        fail_msg("%s", err.text);
    return store;
}

static struct rollup *new_rollup(struct store *store)
{
    struct rollup *rollup = NULL;
    assert_int_equal(rollup_create(&rollup, store_totals(store), 1000, NULL), 0);
    return rollup;
}

static void add(struct rollup *rollup, struct record record)
{
    struct error err = ERROR_INIT;
    if (rollup_add(rollup, &record, &err) != 0)
        fail_msg("%s", err.text);
}

static void write_all(struct store *store, struct rollup *rollup)
{
    struct error err = ERROR_INIT;
    if (db_begin(store_totals(store), &err) != 0 || rollup_write(rollup, &err) != 0 ||
        db_commit(store_totals(store), &err) != 0)
        fail_msg("%s", err.text);
}

/* Whether the table has exactly these columns. */
static void assert_columns(struct db *db, const char *table, const char *columns)
{
    static const char sql[] = "SELECT group_concat(name, ' ') FROM pragma_table_info(?1)";
    char got[1024] = "";
    struct db_stmt *st;
    assert_int_equal(db_stmt_get(db, sql, &st, NULL), 0);
    db_bind_text(st, 1, str_from(table));
    assert_int_equal(db_step(st, NULL), DB_ROW);
    str_copy(db_text(st, 0), got, sizeof(got));
    db_stmt_done(st);
    assert_string_equal(got, columns);
}

static void the_tables_are_those_of_the_list(void **state)
{
    (void)state;
    struct store *store = new_store();
    for (int i = 0; i < ROLLUP_COUNT; i++) {
        const struct rollup_def *def = &ROLLUPS[i];
        char series[512] = "id", cells[512] = "begin_us series", name[64];
        for (int d = 0; def->dims[d] != DIM_NONE; d++)
            snprintf(series + strlen(series), sizeof(series) - strlen(series), " %s",
                     dim_column(def->dims[d]));
        for (int s = 0; def->sums[s] != MEASURE_NONE; s++)
            snprintf(cells + strlen(cells), sizeof(cells) - strlen(cells), " %s",
                     measure_column(def->sums[s]));
        for (int h = 0; def->hists[h] != MEASURE_NONE; h++)
            snprintf(cells + strlen(cells), sizeof(cells) - strlen(cells), " %s",
                     measure_column(def->hists[h]));
        snprintf(name, sizeof(name), "%s_series", def->name);
        assert_columns(store_totals(store), name, series);
        for (int level = 0; level < LEVEL_COUNT; level++) {
            snprintf(name, sizeof(name), "%s_%s", def->name, level_name((enum level)level));
            assert_columns(store_totals(store), name, cells);
        }
    }
    store_close(store);
}

/* Sums and histogram of the one traffic cell that there is in a table. */
static void assert_cell(struct store *store, const char *table, uint64_t requests,
                        const struct hist *want)
{
    char sql[128];
    struct db_stmt *st;
    struct hist got = {.counts = NULL};
    snprintf(sql, sizeof(sql), "SELECT requests, duration_us FROM %s", table);
    char *kept = strdup(sql);
    struct db *db;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/totals.db", store_dir(store));
    assert_int_equal(db_open(&db, path, DB_READ, NULL), 0);
    assert_int_equal(db_stmt_get(db, kept, &st, NULL), 0);
    assert_int_equal(db_step(st, NULL), DB_ROW);
    assert_int_equal(db_u64(st, 0), requests);
    assert_int_equal(hist_decode_add(&got, db_blob(st, 1)), 0);
    assert_int_equal(got.count, want->count);
    assert_int_equal(got.sum, want->sum);
    assert_int_equal(got.max, want->max);
    for (int q = 0; q <= 20; q++)
        assert_int_equal(hist_quantile(&got, q / 20.0), hist_quantile(want, q / 20.0));
    assert_int_equal(db_step(st, NULL), 0);
    hist_finish(&got);
    db_close(db);
    free(kept);
}

static void a_cell_is_exact_however_often_it_was_dropped(void **state)
{
    (void)state;
    struct store *store = new_store();
    struct rollup *rollup = new_rollup(store);
    struct hist want = {.counts = NULL};
    for (uint64_t n = 0; n < 300; n++) {
        struct record r = make_record(0, a_day());
        r.duration_us = n * n * 37 % 1000003;
        hist_add(&want, r.duration_us);
        add(rollup, r);
        if (n % 7 == 3)
            write_all(store, rollup);
        if (n % 11 == 5)
            rollup_evict(rollup); /* what is dirty stays, what rests goes */
        if (n % 50 == 49) {
            write_all(store, rollup);
            rollup_forget(rollup); /* as after a failed transaction of the next batch */
        }
    }
    write_all(store, rollup);
    assert_cell(store, "traffic_minute", 300, &want);
    assert_cell(store, "traffic_hour", 300, &want);
    assert_cell(store, "traffic_day", 300, &want);
    hist_finish(&want);
    rollup_destroy(rollup);
    store_close(store);
}

static void what_was_not_written_is_forgotten_whole(void **state)
{
    (void)state;
    struct store *store = new_store();
    struct rollup *rollup = new_rollup(store);
    add(rollup, make_record(0, a_day()));
    write_all(store, rollup);
    /* a transaction that fails: series and cells of it are gone */
    assert_int_equal(db_begin(store_totals(store), NULL), 0);
    add(rollup, make_record(0, a_day()));
    add(rollup, make_record(1, a_day()));
    assert_int_equal(rollup_write(rollup, NULL), 0);
    db_rollback(store_totals(store));
    rollup_forget(rollup);
    add(rollup, make_record(1, a_day()));
    write_all(store, rollup);
    assert_int_equal(store_number("SELECT count(*) FROM traffic_day"), 2);
    assert_int_equal(store_number("SELECT max(requests) FROM traffic_day"), 1);
    rollup_destroy(rollup);
    store_close(store);
}

static void only_what_was_asked_of_an_upstream_counts_for_it(void **state)
{
    (void)state;
    struct store *store = new_store();
    struct rollup *rollup = new_rollup(store);
    struct record r = make_record(0, a_day());
    static const struct {
        enum reason reason;
        uint32_t status, attempts;
    } cases[] = {
        {REASON_NONE, 200, 1},           {REASON_NONE, 503, 1},
        {REASON_UPSTREAM_RESET, 502, 2}, {REASON_CLIENT_CLOSED, 499, 1},
        {REASON_RATE_LIMITED, 429, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        r.reason = cases[i].reason;
        r.status = cases[i].status;
        r.attempts = cases[i].attempts;
        add(rollup, r);
    }
    write_all(store, rollup);
    assert_int_equal(store_number("SELECT requests FROM upstreams_day"), 4);
    assert_int_equal(store_number("SELECT failures FROM upstreams_day"), 2);
    rollup_destroy(rollup);
    store_close(store);
}

static void what_is_refused_counts_for_its_app_as_far_as_that_is_known(void **state)
{
    (void)state;
    struct store *store = new_store();
    struct rollup *rollup = new_rollup(store);
    static const struct {
        enum reason reason;
        uint32_t status;
        struct str app;
    } cases[] = {
        {REASON_KEY_INVALID, 401, STR_INIT("")},      {REASON_NO_ROUTE, 404, STR_INIT("")},
        {REASON_KEY_REVOKED, 401, STR_INIT("acme")},  {REASON_APP_SUSPENDED, 403, STR_INIT("acme")},
        {REASON_RATE_LIMITED, 429, STR_INIT("acme")}, {REASON_NONE, 200, STR_INIT("acme")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record r = make_record(0, a_day());
        r.reason = cases[i].reason;
        r.status = cases[i].status;
        r.app = cases[i].app;
        r.metered = r.reason == REASON_NONE;
        add(rollup, r);
    }
    write_all(store, rollup);
    assert_int_equal(store_number("SELECT count(*) FROM apps_minute"), 4);
    assert_int_equal(store_number("SELECT sum(requests) FROM apps_day WHERE app = 'acme'"), 4);
    assert_int_equal(store_number("SELECT sum(requests) FROM usage_day"), 1);
    assert_int_equal(store_number("SELECT sum(requests) FROM traffic_day"), 6);
    rollup_destroy(rollup);
    store_close(store);
}

static void a_map_finds_what_was_added_and_an_emptied_one_nothing(void **state)
{
    (void)state;
    struct label_map map = {.entries = NULL};
    static int values[100];
    for (int i = 0; i < 100; i++) {
        char key[16];
        size_t n = (size_t)snprintf(key, sizeof(key), "k%d", i);
        assert_null(label_map_find(&map, str_make(key, n)));
        label_map_add(&map, str_make(key, n), &values[i]);
    }
    label_map_add(&map, STR_EMPTY, &values[0]);
    for (int i = 0; i < 100; i++) {
        char key[16];
        size_t n = (size_t)snprintf(key, sizeof(key), "k%d", i);
        assert_ptr_equal(label_map_find(&map, str_make(key, n)), &values[i]);
    }
    assert_ptr_equal(label_map_find(&map, STR_EMPTY), &values[0]);
    label_map_filter(&map, NULL, NULL);
    assert_int_equal(map.count, 0);
    assert_null(label_map_find(&map, STR("k1")));
    label_map_finish(&map);
}

static bool keep_even(void *ctx, void *value)
{
    (void)ctx;
    return *(int *)value % 2 == 0;
}

static void a_filtered_map_finds_what_it_kept(void **state)
{
    (void)state;
    struct label_map map = {.entries = NULL};
    static int values[1000];
    char key[16];
    for (int i = 0; i < 1000; i++) {
        values[i] = i;
        label_map_add(&map, str_make(key, (size_t)snprintf(key, sizeof(key), "k%d", i)),
                      &values[i]);
    }
    label_map_filter(&map, keep_even, NULL);
    for (int i = 0; i < 1000; i++) {
        const int *v =
            label_map_find(&map, str_make(key, (size_t)snprintf(key, sizeof(key), "k%d", i)));
        assert_ptr_equal(v, i % 2 == 0 ? &values[i] : NULL);
    }
    label_map_finish(&map);
}

static void labels_are_joined_so_that_they_come_apart_again(void **state)
{
    (void)state;
    static const enum dim dims[] = {DIM_API, DIM_METHOD, DIM_STATUS, DIM_REASON, DIM_NONE};
    static char text[1000];
    struct labels labels;
    struct str values[DIMS_MAX];
    struct record r = {.api = STR("a\x1f"
                                  "b"),
                       .method = METHOD_GET,
                       .status = 200};
    labels_of(dims, &r, &labels);
    assert_int_equal(labels_split(labels_str(&labels), values), 4);
    assert_str_equal(values[0], "a?b");
    assert_str_equal(values[1], "GET");
    assert_str_equal(values[2], "200");
    assert_str_equal(values[3], "");
    memset(text, 'x', sizeof(text));
    r.api = str_make(text, sizeof(text));
    labels_of(dims, &r, &labels);
    assert_int_equal(labels_split(labels_str(&labels), values), 4);
    assert_int_equal(values[0].n, LABEL_MAX);
    labels_other(dims, &labels);
    assert_str_equal(labels_str(&labels), "__other__\x1f__other__\x1f"
                                          "0\x1f__other__");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(the_tables_are_those_of_the_list),
        unit_test_in_tempdir(a_cell_is_exact_however_often_it_was_dropped),
        unit_test_in_tempdir(what_was_not_written_is_forgotten_whole),
        unit_test_in_tempdir(only_what_was_asked_of_an_upstream_counts_for_it),
        unit_test_in_tempdir(what_is_refused_counts_for_its_app_as_far_as_that_is_known),
        cmocka_unit_test(a_map_finds_what_was_added_and_an_emptied_one_nothing),
        cmocka_unit_test(a_filtered_map_finds_what_it_kept),
        cmocka_unit_test(labels_are_joined_so_that_they_come_apart_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
