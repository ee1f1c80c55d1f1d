/* SPDX-License-Identifier: Apache-2.0 */
/* How the queries of the audit log find their rows. */
#include "test.h"

#include "portal/control.h"

/* for the texts of its queries, whose plans are looked at */
#include "portal/store_audit.c"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void no_page_of_the_audit_log_walks_the_whole_table(void **state)
{
    static const char *const files[] = {"weir.db", "weir.db-wal", "weir.db-shm"};
    static char sql[sizeof(SQL_ALL) + 32];
    char dir[] = "/tmp/weir-audit-test-XXXXXX", path[128];
    struct db *db;
    struct db_stmt *st;
    unsigned steps = 0;
    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(control_open(&db, dir, CONTROL_WRITE, NULL), 0);
    snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", SQL_ALL);
    assert_int_equal(db_stmt_get(db, sql, &st, NULL), 0);
    for (; db_step(st, NULL) == DB_ROW; steps++)
        assert_true(str_starts(db_text(st, 3), STR("SEARCH audit USING PRIMARY KEY")));
    assert_int_equal(steps, 1);
    db_close(db);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_page_of_the_audit_log_walks_the_whole_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
