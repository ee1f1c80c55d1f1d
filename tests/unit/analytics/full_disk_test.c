/* SPDX-License-Identifier: Apache-2.0 */
/*
 * full_disk_test.c -- the disk is full: detail goes first, counting goes on, nothing is counted
 * twice, and all is well again by itself. A layer between SQLite and the files refuses what would
 * grow.
 */
#include "pipeline.h"

#include <sqlite3.h>

/* ---- a file system that is full for some files ---- */

struct faulty_file {
    sqlite3_file base;
    bool rows;           /* of a day's file; else of totals.db */
    sqlite3_file real[]; /* the file below; its own size follows */
};

static _Atomic bool rows_full, totals_full;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct faulty_file *)(void *)file)->real;
}

static bool is_full(sqlite3_file *file)
{
    bool rows = ((struct faulty_file *)(void *)file)->rows;
    return rows ? atomic_load(&rows_full) : atomic_load(&totals_full);
}

#define REAL(file) real_of(file)->pMethods

static int f_close(sqlite3_file *f)
{
    return REAL(f)->xClose(real_of(f));
}
static int f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    return REAL(f)->xRead(real_of(f), p, n, at);
}
static int f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    return is_full(f) ? SQLITE_FULL : REAL(f)->xWrite(real_of(f), p, n, at);
}
static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return REAL(f)->xTruncate(real_of(f), size);
}
static int f_sync(sqlite3_file *f, int flags)
{
    return REAL(f)->xSync(real_of(f), flags);
}
static int f_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return REAL(f)->xFileSize(real_of(f), size);
}
static int f_lock(sqlite3_file *f, int level)
{
    return REAL(f)->xLock(real_of(f), level);
}
static int f_unlock(sqlite3_file *f, int level)
{
    return REAL(f)->xUnlock(real_of(f), level);
}
static int f_check_lock(sqlite3_file *f, int *out)
{
    return REAL(f)->xCheckReservedLock(real_of(f), out);
}
static int f_control(sqlite3_file *f, int op, void *arg)
{
    return REAL(f)->xFileControl(real_of(f), op, arg);
}
static int f_sector(sqlite3_file *f)
{
    return REAL(f)->xSectorSize(real_of(f));
}
static int f_device(sqlite3_file *f)
{
    return REAL(f)->xDeviceCharacteristics(real_of(f));
}
static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return REAL(f)->xShmMap(real_of(f), page, size, extend, out);
}
static int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return REAL(f)->xShmLock(real_of(f), at, n, flags);
}
static void f_shm_barrier(sqlite3_file *f)
{
    REAL(f)->xShmBarrier(real_of(f));
}
static int f_shm_unmap(sqlite3_file *f, int delete)
{
    return REAL(f)->xShmUnmap(real_of(f), delete);
}

static const sqlite3_io_methods METHODS = {
    .iVersion = 2,
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_check_lock,
    .xFileControl = f_control,
    .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_device,
    .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

static sqlite3_vfs *real_vfs, faulty_vfs;

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    struct faulty_file *f = (struct faulty_file *)(void *)file;
    f->rows = name != NULL && strstr(name, "requests-") != NULL;
    f->base.pMethods = NULL;
    int rc = real_vfs->xOpen(real_vfs, name, f->real, flags, out);
    if (rc == SQLITE_OK)
        f->base.pMethods = &METHODS;
    return rc;
}

static int set_up_vfs(void **state)
{
    (void)state;
    real_vfs = sqlite3_vfs_find(NULL);
    faulty_vfs = *real_vfs;
    faulty_vfs.zName = "faulty";
    faulty_vfs.szOsFile = (int)sizeof(struct faulty_file) + real_vfs->szOsFile;
    faulty_vfs.xOpen = v_open;
    return sqlite3_vfs_register(&faulty_vfs, 1);
}

/* ---- the tests ---- */

static struct writer_stats stats_of(struct pipeline *p)
{
    struct writer_stats stats;
    writer_stats(p->writer, &stats);
    return stats;
}

static void commit_many(struct pipeline *p, uint64_t first, uint64_t count)
{
    for (uint64_t n = first; n < first + count; n++)
        commit(journal_ring(p->journal, 0), n, a_day());
}

static void rows_stop_first_and_counting_goes_on(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    commit_many(&p, 0, 10);
    flush(&p);
    atomic_store(&rows_full, true);
    commit_many(&p, 10, 20);
    flush(&p);
    assert_int_equal(stats_of(&p).rows_skipped, 20);
    assert_true(stats_of(&p).rows_failing);
    assert_int_equal(store_number("SELECT total(requests) FROM traffic_day"), 30);
    assert_int_equal(store_number("SELECT total(requests) FROM usage_day"), 27);
    assert_int_equal(store_number("SELECT count(*) FROM requests"), 10);
    atomic_store(&rows_full, false);
    commit_many(&p, 30, 5);
    flush(&p);
    assert_false(stats_of(&p).rows_failing);
    assert_int_equal(store_number("SELECT count(*) FROM requests"), 15);
    assert_int_equal(store_number("SELECT total(requests) FROM traffic_day"), 35);
    pipeline_close(&p);
}

static void counting_waits_in_the_rings_and_comes_out_exact(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    commit_many(&p, 0, 10);
    flush(&p);
    assert_int_equal(access(tempdir_path("analytics/reserve"), F_OK), 0);
    atomic_store(&totals_full, true);
    commit_many(&p, 10, 20);
    while (stats_of(&p).failures < 3)
        assert_int_equal(writer_flush(p.writer, 10 * US_PER_MS), E_TIMEOUT);
    assert_true(stats_of(&p).totals_failing);
    assert_true(ring_used(journal_ring(p.journal, 0)) > 0);
    /* the reserve was given up for it */
    assert_int_equal(store_number("SELECT total(requests) FROM traffic_day"), 10);
    commit_many(&p, 30, 10);
    atomic_store(&totals_full, false);
    flush(&p);
    assert_false(stats_of(&p).totals_failing);
    assert_int_equal(store_number("SELECT total(requests) FROM traffic_day"), 40);
    assert_int_equal(store_number("SELECT total(requests) FROM usage_day"), 36);
    assert_int_equal(store_number("SELECT total(value) FROM metric_cells"
                                  " WHERE metric = 'weir_requests_total'"),
                     40);
    /* each row once, and rows are written again */
    assert_int_equal(store_number("SELECT count(*) - count(DISTINCT request_id) FROM requests"), 0);
    commit_many(&p, 40, 1);
    flush(&p);
    assert_int_equal(store_number("SELECT count(*) FROM requests"),
                     41 - (int64_t)stats_of(&p).rows_skipped);
    assert_int_equal(access(tempdir_path("analytics/reserve"), F_OK), 0);
    pipeline_close(&p);
}

struct sequence {
    uint64_t last;
    unsigned count;
};

static int next_row(void *ctx, const struct row *row)
{
    struct sequence *s = ctx;
    assert_true(row->seq > s->last);
    s->last = row->seq;
    s->count++;
    return 0;
}

static void readers_get_rows_of_a_batch_that_had_to_be_tried_again(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    struct sequence seen = {0};
    struct store *store;
    atomic_store(&totals_full, true);
    commit_many(&p, 0, 10);
    while (stats_of(&p).failures < 1)
        assert_int_equal(writer_flush(p.writer, 10 * US_PER_MS), E_TIMEOUT);
    atomic_store(&totals_full, false);
    flush(&p);
    assert_int_equal(store_open(&store, store_path(), STORE_READ, NULL), 0);
    struct rows_range range = {.up_to = writer_committed(p.writer), .max = 100};
    assert_int_equal(store_rows_read(store, range, next_row, &seen, NULL), 10);
    assert_int_equal(seen.count, 10);
    store_close(store);
    pipeline_close(&p);
}

static void a_disk_full_at_the_start_leaves_the_journal_whole(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct writer *w;
    struct pipeline p = pipeline_start(1);
    commit_many(&p, 0, 1);
    flush(&p);
    pipeline_close(&p);
    struct journal *j = open_journal(1, RING_BYTES);
    for (uint64_t n = 1; n < 10; n++)
        commit(journal_ring(j, 0), n, a_day());
    journal_close(j);
    atomic_store(&totals_full, true);
    j = open_journal(1, RING_BYTES);
    struct writer_options options = default_options(j);
    assert_int_equal(writer_create(&w, &options, &err), E_NO_SPACE);
    assert_non_null(strstr(err.text, "totals.db"));
    journal_close(j);
    atomic_store(&totals_full, false);
    p = pipeline_open(1);
    assert_counted(10, 9);
    pipeline_close(&p);
}

static void a_stop_while_the_disk_is_full_loses_nothing(void **state)
{
    (void)state;
    struct pipeline p = pipeline_start(1);
    commit_many(&p, 0, 10);
    flush(&p);
    atomic_store(&totals_full, true);
    commit_many(&p, 10, 10);
    pipeline_close(&p);
    atomic_store(&totals_full, false);
    p = pipeline_open(1);
    assert_counted(20, 18);
    pipeline_close(&p);
}

static int teardown(void **state)
{
    atomic_store(&rows_full, false);
    atomic_store(&totals_full, false);
    return tempdir_teardown(state);
}

#define disk_test(test) cmocka_unit_test_setup_teardown(test, tempdir_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(rows_stop_first_and_counting_goes_on),
        disk_test(counting_waits_in_the_rings_and_comes_out_exact),
        disk_test(readers_get_rows_of_a_batch_that_had_to_be_tried_again),
        disk_test(a_disk_full_at_the_start_leaves_the_journal_whole),
        disk_test(a_stop_while_the_disk_is_full_loses_nothing),
    };
    return cmocka_run_group_tests(tests, set_up_vfs, NULL);
}
