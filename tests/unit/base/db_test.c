/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "tempdir.h"

#include "base/db.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static struct db *open_new(const char *name, unsigned flags)
{
    struct error err = ERROR_INIT;
    struct db *db = NULL;
    if (db_open(&db, tempdir_path(name), flags, &err) != 0)
        fail_msg("%s", err.text);
    return db;
}

static void exec(struct db *db, const char *sql)
{
    struct error err = ERROR_INIT;
    if (db_exec(db, sql, &err) != 0)
        fail_msg("%s", err.text);
}

static int64_t number(struct db *db, const char *sql)
{
    struct error err = ERROR_INIT;
    struct db_stmt *st;
    if (db_stmt_get(db, sql, &st, &err) != 0 || db_step(st, &err) != DB_ROW)
        fail_msg("%s: %s", sql, err.text);
    int64_t n = db_i64(st, 0);
    db_stmt_done(st);
    return n;
}

static void bound_values_come_back(void **state)
{
    (void)state;
    struct db *db = open_new("a.db", DB_WRITE);
    struct db_stmt *st;
    exec(db, "CREATE TABLE t (i INTEGER, u INTEGER, x TEXT NOT NULL, b BLOB NOT NULL, z TEXT)");
    assert_int_equal(db_stmt_get(db, "INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5)", &st, NULL), 0);
    db_bind_i64(st, 1, -5);
    db_bind_u64(st, 2, UINT64_MAX);
    db_bind_text(st, 3, STR_EMPTY);
    db_bind_blob(st, 4, STR("\0\1"));
    db_bind_null(st, 5);
    assert_int_equal(db_run(st, NULL), 0);
    assert_int_equal(db_changes(db), 1);
    assert_int_equal(db_last_rowid(db), 1);
    assert_int_equal(db_stmt_get(db, "SELECT * FROM t", &st, NULL), 0);
    assert_int_equal(db_step(st, NULL), DB_ROW);
    assert_int_equal(db_column_count(st), 5);
    assert_string_equal(db_column_name(st, 2), "x");
    assert_int_equal(db_i64(st, 0), -5);
    assert_int_equal(db_u64(st, 0), 0);
    assert_int_equal(db_u64(st, 1), INT64_MAX);
    assert_int_equal(db_text(st, 2).n, 0);
    assert_true(str_eq(db_blob(st, 3), STR("\0\1")));
    assert_true(db_is_blob(st, 3) && !db_is_number(st, 3));
    assert_true(db_is_number(st, 0) && db_is_null(st, 4) && !db_is_null(st, 2));
    assert_int_equal(db_step(st, NULL), 0);
    db_close(db);
}

static void errors_name_the_file_and_the_cause(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct db *db = open_new("a.db", DB_WRITE);
    struct db_stmt *st;
    assert_int_equal(db_stmt_get(db, "SELECT * FROM missing", &st, &err), E_DB);
    assert_non_null(strstr(err.text, "a.db"));
    assert_non_null(strstr(err.text, "no such table: missing"));
    db_close(db);
    err = (struct error)ERROR_INIT;
    assert_int_equal(db_open(&db, tempdir_path("none.db"), DB_READ, &err), E_NOT_FOUND);
    assert_non_null(strstr(err.text, "none.db"));
    err = (struct error)ERROR_INIT;
    assert_int_equal(db_open(&db, tempdir_path("no/such/a.db"), DB_WRITE, &err), E_NOT_FOUND);
}

static void what_is_no_database_is_said_to_be_damaged(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct db *db;
    FILE *f = fopen(tempdir_path("a.db"), "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database ", f);
    fclose(f);
    assert_int_equal(db_open(&db, tempdir_path("a.db"), DB_WRITE, &err), E_CORRUPT);
    assert_non_null(strstr(err.text, "a.db"));
}

static void a_file_is_for_its_owner_only(void **state)
{
    (void)state;
    struct stat st;
    struct db *db = open_new("a.db", DB_WRITE);
    exec(db, "CREATE TABLE t (i INTEGER)");
    assert_int_equal(stat(tempdir_path("a.db"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(tempdir_path("a.db-wal"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    db_close(db);
}

/* Whether a process of its own finds SQLite's lock of an open file (its SHARED_FIRST) on `name`. */
static bool locked_for_others(const char *name)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_start = 0x40000002, .l_len = 510};
        int fd = open(tempdir_path(name), O_RDWR | O_CLOEXEC);
        _exit(fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

/* Who closes a file without its lock known takes the log away from under who writes into it. */
static void opening_a_file_once_more_keeps_the_locks_on_it(void **state)
{
    (void)state;
    struct db *first = open_new("a.db", DB_WRITE);
    exec(first, "CREATE TABLE t (i INTEGER) STRICT");
    assert_true(locked_for_others("a.db"));
    struct db *second = open_new("a.db", DB_WRITE);
    assert_true(locked_for_others("a.db"));
    db_close(second);
    assert_true(locked_for_others("a.db"));
    db_close(first);
    assert_false(locked_for_others("a.db"));
}

static void a_statement_comes_without_the_values_of_its_last_use(void **state)
{
    struct error err = ERROR_INIT;
    struct db_stmt *st;
    (void)state;
    struct db *db = open_new("a.db", DB_WRITE);
    assert_int_equal(db_stmt_get(db, "SELECT ?1", &st, &err), 0);
    db_bind_i64(st, 1, 7);
    assert_int_equal(db_run(st, &err), 0);
    assert_int_equal(db_stmt_get(db, "SELECT ?1", &st, &err), 0);
    assert_int_equal(db_step(st, &err), DB_ROW);
    assert_true(db_is_null(st, 0));
    db_close(db);
}

static void a_rolled_back_transaction_leaves_nothing(void **state)
{
    (void)state;
    struct db *db = open_new("a.db", DB_WRITE);
    exec(db, "CREATE TABLE t (i INTEGER)");
    assert_int_equal(db_begin(db, NULL), 0);
    exec(db, "INSERT INTO t VALUES (1)");
    db_rollback(db);
    db_rollback(db); /* nothing open: nothing happens */
    assert_int_equal(db_begin(db, NULL), 0);
    exec(db, "INSERT INTO t VALUES (2)");
    assert_int_equal(db_commit(db, NULL), 0);
    assert_int_equal(number(db, "SELECT sum(i) FROM t"), 2);
    db_close(db);
}

static void a_reader_cannot_write(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct db *w = open_new("a.db", DB_WRITE), *r;
    exec(w, "CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (3)");
    r = open_new("a.db", DB_READ);
    assert_int_equal(number(r, "SELECT i FROM t"), 3);
    assert_int_equal(db_exec(r, "INSERT INTO t VALUES (4)", &err), E_DENIED);
    db_close(w);
    db_close(r);
    /* and without anyone who has it open for writing */
    r = open_new("a.db", DB_READ);
    assert_int_equal(number(r, "SELECT i FROM t"), 3);
    db_close(r);
}

static void commits_survive_the_death_of_the_process(void **state)
{
    (void)state;
    struct db *db;
    pid_t pid = fork();
    if (pid == 0) {
        db = open_new("a.db", DB_WRITE);
        exec(db, "CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (5)");
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    db = open_new("a.db", DB_READ);
    assert_int_equal(number(db, "SELECT i FROM t"), 5);
    db_close(db);
}

static void a_sync_works_before_and_after_writing(void **state)
{
    (void)state;
    struct db *db = open_new("a.db", DB_WRITE);
    assert_int_equal(db_sync(db, NULL), 0);
    exec(db, "CREATE TABLE t (i INTEGER)");
    assert_int_equal(db_sync(db, NULL), 0);
    db_close(db);
    db = open_new("a.db", DB_READ);
    assert_int_equal(db_sync(db, NULL), 0);
    db_close(db);
}

static void a_full_file_is_no_space(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct db *db = open_new("a.db", DB_WRITE);
    exec(db, "CREATE TABLE t (b BLOB); PRAGMA max_page_count = 8");
    assert_int_equal(db_exec(db, "INSERT INTO t VALUES (zeroblob(100000))", &err), E_NO_SPACE);
    exec(db, "PRAGMA max_page_count = 1000; INSERT INTO t VALUES (zeroblob(100000))");
    db_close(db);
}

static void a_deadline_ends_a_long_statement(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    static const char endless[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                                  " SELECT count(*) FROM n";
    struct db *db = open_new("a.db", DB_WRITE);
    struct db_stmt *st;
    db_set_deadline(db, mono_after(clock_mono(), 10000));
    assert_int_equal(db_stmt_get(db, endless, &st, &err), 0);
    assert_int_equal(db_step(st, &err), E_TIMEOUT);
    assert_non_null(strstr(err.text, "longer than allowed"));
    db_set_deadline(db, MONO_NEVER);
    assert_int_equal(number(db, "SELECT 1"), 1);
    db_close(db);
}

static void *interrupt_soon(void *arg)
{
    db_interrupt(arg);
    return NULL;
}

static void another_thread_can_interrupt(void **state)
{
    (void)state;
    static const char endless[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                                  " SELECT i FROM n";
    struct db *db = open_new("a.db", DB_WRITE);
    struct db_stmt *st;
    pthread_t thread;
    int r;
    assert_int_equal(db_stmt_get(db, endless, &st, NULL), 0);
    assert_int_equal(db_step(st, NULL), DB_ROW);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, db), 0);
    while ((r = db_step(st, NULL)) == DB_ROW)
        ;
    assert_int_equal(r, E_CANCELED);
    pthread_join(thread, NULL);
    db_close(db);
}

static void only_reading_is_allowed_to_a_user(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        int result;
    } cases[] = {
        {"SELECT i FROM t", 0},
        {"SELECT i FROM t; -- the end", 0},
        {"WITH x AS (SELECT 1) SELECT * FROM x", 0},
        {"VALUES (1)", 0},
        {"", E_INVALID},
        {"  -- nothing", E_INVALID},
        {"SELEC 1", E_INVALID},
        {"SELECT 1; SELECT 2", E_INVALID},
        {"SELECT 1; DROP TABLE t", E_INVALID},
        {"INSERT INTO t VALUES (1)", E_DENIED},
        {"DELETE FROM t", E_DENIED},
        {"DROP TABLE t", E_DENIED},
        {"CREATE TEMP TABLE x (i)", E_DENIED},
        {"ATTACH '/etc/passwd' AS p", E_DENIED},
        {"DETACH main", E_DENIED},
        {"PRAGMA journal_mode = DELETE", E_DENIED},
        {"PRAGMA table_info(t)", E_DENIED},
        {"SELECT load_extension('x')", E_DENIED},
        {"BEGIN", E_DENIED},
        {"VACUUM INTO '/tmp/x'", E_DENIED},
        {"WITH x AS (SELECT 1) DELETE FROM t", E_DENIED},
    };
    struct db *db = open_new("a.db", DB_WRITE);
    exec(db, "CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (6)");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct db_stmt *st = NULL;
        struct error err = ERROR_INIT;
        int r = db_stmt_user(db, str_from(cases[i].sql), &st, &err);
        if (r == 0 && db_step(st, &err) < 0)
            r = err.code;
        db_stmt_destroy(st);
        if (r != cases[i].result)
            fail_msg("%s: got %d (%s)", cases[i].sql, r, err.text);
    }
    exec(db, "INSERT INTO t VALUES (7)"); /* the guard is down again for the program itself */
    db_close(db);
}

static void an_attached_file_can_only_be_read(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    static const char *const names[] = {"a.db", "b %?#c.db"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct db *db = open_new(names[i], DB_WRITE), *scratch;
        exec(db, "CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (8)");
        db_close(db);
        scratch = open_new("none", DB_MEMORY);
        if (db_attach(scratch, tempdir_path(names[i]), "other", &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(number(scratch, "SELECT i FROM other.t"), 8);
        assert_int_equal(db_exec(scratch, "INSERT INTO other.t VALUES (9)", NULL), E_DENIED);
        assert_int_equal(db_attach(scratch, tempdir_path("missing.db"), "m", NULL), E_NOT_FOUND);
        assert_true(db_attach_max(scratch) >= 10);
        db_close(scratch);
    }
}

static int64_t first_byte_times(struct str blob, double factor)
{
    return blob.n > 0 ? (int64_t)((unsigned char)blob.p[0] * factor) : -1;
}

static void a_function_can_be_added(void **state)
{
    (void)state;
    struct db *db = open_new("a.db", DB_WRITE);
    assert_int_equal(db_add_function(db, "first_byte_times", first_byte_times, NULL), 0);
    assert_int_equal(number(db, "SELECT first_byte_times(x'0a', 1.5)"), 15);
    assert_int_equal(number(db, "SELECT first_byte_times(NULL, 2)"), -1);
    db_close(db);
}

static void a_second_writer_is_told_to_wait(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct db *a = open_new("a.db", DB_WRITE), *b = open_new("a.db", DB_WRITE);
    exec(a, "CREATE TABLE t (i INTEGER)");
    db_set_busy_timeout(b, 1);
    assert_int_equal(db_begin(a, NULL), 0);
    assert_int_equal(db_begin(b, &err), E_BUSY);
    assert_int_equal(db_commit(a, NULL), 0);
    assert_int_equal(db_begin(b, NULL), 0);
    db_close(a);
    db_close(b); /* with its transaction open */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(bound_values_come_back),
        unit_test_in_tempdir(errors_name_the_file_and_the_cause),
        unit_test_in_tempdir(what_is_no_database_is_said_to_be_damaged),
        unit_test_in_tempdir(a_file_is_for_its_owner_only),
        unit_test_in_tempdir(opening_a_file_once_more_keeps_the_locks_on_it),
        unit_test_in_tempdir(a_statement_comes_without_the_values_of_its_last_use),
        unit_test_in_tempdir(a_rolled_back_transaction_leaves_nothing),
        unit_test_in_tempdir(a_reader_cannot_write),
        unit_test_in_tempdir(commits_survive_the_death_of_the_process),
        unit_test_in_tempdir(a_sync_works_before_and_after_writing),
        unit_test_in_tempdir(a_full_file_is_no_space),
        unit_test_in_tempdir(a_deadline_ends_a_long_statement),
        unit_test_in_tempdir(another_thread_can_interrupt),
        unit_test_in_tempdir(only_reading_is_allowed_to_a_user),
        unit_test_in_tempdir(an_attached_file_can_only_be_read),
        unit_test_in_tempdir(a_function_can_be_added),
        unit_test_in_tempdir(a_second_writer_is_told_to_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
