/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traced.h -- which statements were run while a test looked, and by which plan.
 *
 * Threads: one.
 * Memory:  static.
 * Errors:  a failed assertion.
 */
#ifndef TESTS_UNIT_ANALYTICS_TRACED_H
#define TESTS_UNIT_ANALYTICS_TRACED_H

#include "pipeline.h"

#include <sqlite3.h>

#define TRACED_MAX 256

static struct {
    char file[PATH_MAX];
    char sql[4096];
} traced_seen[TRACED_MAX];
static unsigned traced_count; /* different ones */
static unsigned traced_runs;  /* of all of them */

static inline int traced_note(unsigned type, void *db, void *stmt, void *text)
{
    (void)type;
    (void)text;
    const char *file = sqlite3_db_filename((sqlite3 *)db, "main");
    const char *sql = sqlite3_sql((sqlite3_stmt *)stmt);
    traced_runs++;
    for (unsigned i = 0; i < traced_count; i++) {
        if (strcmp(traced_seen[i].file, file) == 0 && strcmp(traced_seen[i].sql, sql) == 0)
            return 0;
    }
    assert_true(traced_count < TRACED_MAX);
    snprintf(traced_seen[traced_count].file, PATH_MAX, "%s", file);
    snprintf(traced_seen[traced_count].sql, sizeof(traced_seen[0].sql), "%s", sql);
    traced_count++;
    return 0;
}

static inline int traced_attach(sqlite3 *db, const char **ret_text,
                                const struct sqlite3_api_routines *api)
{
    (void)ret_text;
    (void)api;
    return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, traced_note, db);
}

/* Connections opened from here on are looked at. */
static inline void traced_begin(void)
{
    assert_int_equal(sqlite3_auto_extension((void (*)(void))traced_attach), SQLITE_OK);
    traced_count = traced_runs = 0;
}

static inline void traced_end(void)
{
    sqlite3_reset_auto_extension();
}

/* Tables with a row a day, a row a batch, a row a version: small however much was recorded. */
static inline bool traced_may_scan(const char *step)
{
    static const char *const few[] = {"SCAN days", "SCAN spans", "SCAN migrations",
                                      "SCAN sqlite_schema", "SCAN CONSTANT"};
    for (size_t i = 0; i < ARRAY_LEN(few); i++) {
        if (strncmp(step, few[i], strlen(few[i])) == 0)
            return true;
    }
    return false;
}

/* No statement that was seen reads a table that grows with the calls from end to end. */
static inline void assert_no_scans(void)
{
    char sql[sizeof(traced_seen[0].sql) + 32];
    for (unsigned i = 0; i < traced_count; i++) {
        sqlite3 *db;
        sqlite3_stmt *st;
        assert_int_equal(sqlite3_open(traced_seen[i].file, &db), SQLITE_OK);
        snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", traced_seen[i].sql);
        if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(st, 3);
            if (strncmp(step, "SCAN", 4) == 0 && !traced_may_scan(step))
                fail_msg("%s: %s", traced_seen[i].sql, step);
        }
        sqlite3_finalize(st);
        sqlite3_close(db);
    }
}

#endif
