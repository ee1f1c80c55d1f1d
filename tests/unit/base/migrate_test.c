/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "tempdir.h"

#include "base/migrate.h"

static const struct embedded_file NONE[] = {{NULL, STR_INIT("")}};
static const struct embedded_file V1[] = {
    {"0001_first.sql", STR_INIT("CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (1);")},
    {NULL, STR_INIT("")}};
static const struct embedded_file V2[] = {
    {"0001_first.sql", STR_INIT("CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (1);")},
    {"0002_second.sql", STR_INIT("ALTER TABLE t ADD COLUMN j INTEGER; UPDATE t SET j = 2;")},
    {NULL, STR_INIT("")}};
static const struct embedded_file V1_CHANGED[] = {
    {"0001_first.sql", STR_INIT("CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (2);")},
    {NULL, STR_INIT("")}};
static const struct embedded_file V2_BROKEN[] = {
    {"0001_first.sql", STR_INIT("CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (1);")},
    {"0002_second.sql", STR_INIT("UPDATE t SET i = 99; UPDATE nothing SET i = 1;")},
    {NULL, STR_INIT("")}};

static struct error err;

static struct db *open_db(void)
{
    struct db *db = NULL;
    err = (struct error)ERROR_INIT;
    if (db_open(&db, tempdir_path("m.db"), DB_WRITE, &err) != 0)
        fail_msg("%s", err.text);
    return db;
}

/* Opens the file, migrates it, closes it; what migrate_run() said. */
static int migrate(const struct embedded_file *migrations)
{
    struct db *db = open_db();
    int r = migrate_run(db, migrations, &err);
    db_close(db);
    return r;
}

static int64_t number(const char *path, const char *sql)
{
    struct db *db = NULL;
    struct db_stmt *st = NULL;
    err = (struct error)ERROR_INIT;
    if (db_open(&db, path, DB_READ, &err) != 0 || db_stmt_get(db, sql, &st, &err) != 0 ||
        db_step(st, &err) != DB_ROW)
        fail_msg("%s: %s", sql, err.text);
    int64_t n = db_i64(st, 0);
    db_close(db);
    return n;
}

static bool exists(const char *name)
{
    return access(tempdir_path(name), F_OK) == 0;
}

static void a_new_file_gets_all_migrations_and_no_backup(void **state)
{
    (void)state;
    assert_int_equal(migrate(V2), 0);
    assert_int_equal(number(tempdir_path("m.db"), "SELECT j FROM t"), 2);
    assert_int_equal(number(tempdir_path("m.db"), "SELECT count(*) FROM migrations"), 2);
    assert_false(exists("m.db.before-0001"));
    assert_false(exists("m.db.before-0002"));
}

static void a_second_run_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(migrate(V1), 0);
    assert_int_equal(migrate(V1), 0);
    assert_int_equal(number(tempdir_path("m.db"), "SELECT count(*) FROM t"), 1);
}

static void an_older_file_is_backed_up_and_brought_forward(void **state)
{
    (void)state;
    assert_int_equal(migrate(V1), 0);
    assert_int_equal(migrate(V2), 0);
    assert_int_equal(number(tempdir_path("m.db"), "SELECT j FROM t"), 2);
    assert_int_equal(number(tempdir_path("m.db.before-0002"), "SELECT i FROM t"), 1);
    assert_int_equal(number(tempdir_path("m.db.before-0002"), "SELECT count(*) FROM migrations"),
                     1);
    struct stat st;
    assert_int_equal(stat(tempdir_path("m.db.before-0002"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_newer_file_is_refused_in_one_sentence(void **state)
{
    (void)state;
    assert_int_equal(migrate(V2), 0);
    assert_int_equal(migrate(V1), E_NEWER);
    assert_non_null(strstr(err.text, "m.db was written by a newer version"));
    assert_null(strchr(err.text, '\n'));
    assert_int_equal(number(tempdir_path("m.db"), "SELECT j FROM t"), 2);
}

static void a_changed_migration_is_found_out(void **state)
{
    (void)state;
    assert_int_equal(migrate(V1), 0);
    assert_int_equal(migrate(V1_CHANGED), E_CORRUPT);
    assert_non_null(strstr(err.text, "0001_first.sql"));
}

static void a_migration_that_fails_leaves_the_file_as_it_was(void **state)
{
    (void)state;
    assert_int_equal(migrate(V1), 0);
    assert_int_equal(migrate(V2_BROKEN), E_DB);
    assert_non_null(strstr(err.text, "0002_second.sql"));
    assert_int_equal(number(tempdir_path("m.db"), "SELECT i FROM t"), 1);
    assert_int_equal(number(tempdir_path("m.db"), "SELECT count(*) FROM migrations"), 1);
    assert_int_equal(migrate(V2), 0);
}

static void a_new_file_is_made_whole_or_not_at_all(void **state)
{
    (void)state;
    assert_int_equal(migrate(V2_BROKEN), E_DB);
    struct db *db = open_db();
    assert_int_equal(migrate_check(db, V2, &err), E_NOT_FOUND);
    db_close(db);
    assert_int_equal(migrate(V2), 0);
}

static void another_programs_database_is_left_alone(void **state)
{
    (void)state;
    struct db *db = open_db();
    assert_int_equal(db_exec(db, "CREATE TABLE theirs (i INTEGER)", NULL), 0);
    db_close(db);
    assert_int_equal(migrate(V1), E_CORRUPT);
    assert_non_null(strstr(err.text, "not a database of weir"));
}

static void a_list_with_a_gap_is_refused(void **state)
{
    (void)state;
    static const char *const faults[] = {
        "DELETE FROM migrations WHERE number = 1",
        "UPDATE migrations SET number = -1 WHERE number = 1",
        "UPDATE migrations SET number = 0 WHERE number = 1",
    };
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        tempdir_teardown(NULL);
        tempdir_setup(NULL);
        assert_int_equal(migrate(V2), 0);
        struct db *db = open_db();
        assert_int_equal(db_exec(db, faults[i], NULL), 0);
        assert_int_equal(migrate_run(db, V2, &err), E_CORRUPT);
        db_close(db);
    }
}

static void a_reader_is_told_what_the_file_lacks(void **state)
{
    (void)state;
    struct db *db = open_db();
    assert_int_equal(migrate_check(db, V1, &err), E_NOT_FOUND);
    assert_int_equal(err.code, 0);
    db_close(db);
    assert_int_equal(migrate(V1), 0);
    assert_int_equal(db_open(&db, tempdir_path("m.db"), DB_READ, NULL), 0);
    assert_int_equal(migrate_check(db, V1, NULL), 0);
    assert_int_equal(migrate_check(db, V2, NULL), E_UNAVAILABLE);
    assert_int_equal(migrate_check(db, NONE, NULL), E_NEWER);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(a_new_file_gets_all_migrations_and_no_backup),
        unit_test_in_tempdir(a_second_run_changes_nothing),
        unit_test_in_tempdir(an_older_file_is_backed_up_and_brought_forward),
        unit_test_in_tempdir(a_newer_file_is_refused_in_one_sentence),
        unit_test_in_tempdir(a_changed_migration_is_found_out),
        unit_test_in_tempdir(a_migration_that_fails_leaves_the_file_as_it_was),
        unit_test_in_tempdir(a_new_file_is_made_whole_or_not_at_all),
        unit_test_in_tempdir(another_programs_database_is_left_alone),
        unit_test_in_tempdir(a_list_with_a_gap_is_refused),
        unit_test_in_tempdir(a_reader_is_told_what_the_file_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
