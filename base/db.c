/* SPDX-License-Identifier: Apache-2.0 */
#include "base/db.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHED_STATEMENTS 96
#define PROGRESS_STEPS 2000 /* virtual machine steps between two looks at the deadline */
#define USER_SQL_MAX 65536

struct db_stmt {
    struct db *db;
    sqlite3_stmt *handle;
    const char *sql; /* the key in the cache; NULL for a user's */
    int bind_error;  /* the first SQLite code that a binding gave */
};

struct db {
    sqlite3 *handle;
    char *path;
    struct mono deadline;
    _Atomic bool interrupted; /* atomic, relaxed: set by db_interrupt() */
    bool guarded;             /* a user's statement is being prepared: only reading is allowed */
    bool denied;              /* and it wanted more */
    unsigned count;
    struct db_stmt cache[CACHED_STATEMENTS];
};

/* SQLite's extended code as one of ours. */
static int code_of(struct db *db, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return E_NO_SPACE;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        if (rc == SQLITE_IOERR_SHMSIZE) /* the index of a WAL could not grow */
            return E_NO_SPACE;
        if (db->handle != NULL && error_from_errno(sqlite3_system_errno(db->handle)) == E_NO_SPACE)
            return E_NO_SPACE;
        return (rc & 0xff) == SQLITE_CANTOPEN ? E_DENIED : E_IO;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return E_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return E_CORRUPT;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return E_DENIED;
    case SQLITE_NOMEM:
        return E_NOMEM;
    case SQLITE_TOOBIG:
        return E_TOO_LARGE;
    case SQLITE_CONSTRAINT:
        return E_EXISTS;
    case SQLITE_INTERRUPT:
        return atomic_load_explicit(&db->interrupted, memory_order_relaxed) ? E_CANCELED
                                                                            : E_TIMEOUT;
    default:
        return E_DB;
    }
}

/* Turns a failed SQLite code into ours and writes the sentence. */
static int fail(struct db *db, int rc, const char *what, struct error *err)
{
    int code = code_of(db, rc);
    const char *why = db->handle != NULL ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
    if (code == E_TIMEOUT)
        why = "it took longer than allowed";
    if (code == E_NO_SPACE)
        return error_set(err, code, "%s: no space is left on its disk; free some (SQLite %d)",
                         db->path, rc);
    if (code == E_CORRUPT)
        return error_set(err, code,
                         "%s is damaged or no database: put a backup back (%s, SQLite %d)",
                         db->path, why, rc);
    return error_set(err, code, "%s: cannot %s: %s (SQLite %d)", db->path, what, why, rc);
}

/* Called by SQLite every so often; anything but 0 ends the statement with SQLITE_INTERRUPT. */
static int look_at_deadline(void *ctx)
{
    struct db *db = ctx;
    return clock_mono().us >= db->deadline.us;
}

static bool function_may_be_used(const char *name)
{
    return name == NULL || sqlite3_stricmp(name, "load_extension") != 0;
}

/* Decides on each thing that a statement of a user would do, while it is prepared. */
static int allow_reading(void *ctx, int action, const char *a, const char *b, const char *schema,
                         const char *view)
{
    struct db *db = ctx;
    (void)a, (void)schema, (void)view;
    if (!db->guarded || action == SQLITE_SELECT || action == SQLITE_READ ||
        action == SQLITE_RECURSIVE || (action == SQLITE_FUNCTION && function_may_be_used(b)))
        return SQLITE_OK;
    db->denied = true;
    return SQLITE_DENY;
}

static int set_up(struct db *db, unsigned flags, struct error *err)
{
    /* secure_delete is on in Debian's build and costs every deletion a write; what is secret is
     * never stored in clear */
    static const char common[] = "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;";
    static const char writing[] = "PRAGMA journal_mode = WAL; PRAGMA secure_delete = OFF;"
                                  "PRAGMA wal_autocheckpoint = 2000;"
                                  "PRAGMA journal_size_limit = 67108864;";
    sqlite3_busy_timeout(db->handle, DB_BUSY_TIMEOUT_MS);
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_set_authorizer(db->handle, allow_reading, db);
    int r = db_exec(db, common, err);
    if (r == 0 && (flags & DB_WRITE))
        r = db_exec(db, writing, err);
    if (r == 0 && (flags & DB_WRITE))
        r = db_exec(db,
                    flags & DB_SYNC_FULL ? "PRAGMA synchronous = FULL;"
                                         : "PRAGMA synchronous = NORMAL;",
                    err);
    if (r == 0 && !(flags & (DB_WRITE | DB_MEMORY)))
        r = db_exec(db, "PRAGMA query_only = ON;", err);
    return r;
}

/*
 * SQLite makes files by the umask; ours hold what was called by whom. One that is there is not
 * opened: the close would take away the locks that another connection of this process has on it.
 */
static int make_private(const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        return 0;
    }
    if (errno == EEXIST && access(path, R_OK | W_OK) == 0)
        return 0;
    int saved = errno;
    return error_set_errno(err, error_from_errno(saved), saved, "%s: cannot open", path);
}

static int check_readable(const char *path, struct error *err)
{
    if (access(path, R_OK) == 0)
        return 0;
    int saved = errno;
    return error_set_errno(err, error_from_errno(saved), saved, "%s: cannot open", path);
}

int db_open(struct db **ret_db, const char *path, unsigned flags, struct error *err)
{
    int r = 0;
    if (flags & DB_WRITE)
        r = make_private(path, err);
    else if (!(flags & DB_MEMORY))
        r = check_readable(path, err);
    if (r != 0)
        return r;
    struct db *db = calloc(1, sizeof(*db));
    if (db == NULL)
        return error_set(err, E_NOMEM, "%s: cannot open: out of memory", path);
    db->deadline = MONO_NEVER;
    db->path = strdup(path);
    CHECK(db->path != NULL);
    int mode = flags & (DB_WRITE | DB_MEMORY) ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    int uri = flags & DB_MEMORY ? SQLITE_OPEN_URI : 0; /* for db_attach() */
    int rc = sqlite3_open_v2(flags & DB_MEMORY ? ":memory:" : path, &db->handle,
                             mode | SQLITE_OPEN_NOMUTEX | uri, NULL);
    r = rc != SQLITE_OK ? fail(db, rc, "open", err) : set_up(db, flags, err);
    if (r != 0) {
        db_close(db);
        return r;
    }
    *ret_db = db;
    return 0;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (unsigned i = 0; i < db->count; i++)
        sqlite3_finalize(db->cache[i].handle);
    int rc = sqlite3_close(db->handle);
    CHECK(rc == SQLITE_OK); /* else a statement of db_stmt_user() was forgotten */
    free(db->path);
    free(db);
}

const char *db_path(const struct db *db)
{
    return db->path;
}

int db_exec(struct db *db, const char *sql, struct error *err)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return 0;
    char what[128];
    snprintf(what, sizeof(what), "run \"%.60s\"", sql);
    return fail(db, rc, what, err);
}

/* One of the constant statements that steer transactions. */
static int run_cached(struct db *db, const char *sql, struct error *err)
{
    struct db_stmt *stmt;
    int r = db_stmt_get(db, sql, &stmt, err);
    return r != 0 ? r : db_run(stmt, err);
}

int db_begin(struct db *db, struct error *err)
{
    return run_cached(db, "BEGIN IMMEDIATE", err);
}

int db_commit(struct db *db, struct error *err)
{
    return run_cached(db, "COMMIT", err);
}

void db_rollback(struct db *db)
{
    for (unsigned i = 0; i < db->count; i++)
        sqlite3_reset(db->cache[i].handle);
    if (sqlite3_get_autocommit(db->handle) == 0)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

int db_sync(struct db *db, struct error *err)
{
    /* In WAL mode the "journal" is the WAL; NULL methods: it has not been opened, so nothing was
     * written through this connection. The sync also covers the directory entry of a new WAL. */
    sqlite3_file *wal = NULL;
    int rc = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    if (rc == SQLITE_OK && wal != NULL && wal->pMethods != NULL)
        rc = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
    return rc == SQLITE_OK ? 0 : fail(db, rc, "sync", err);
}

static int prepare(struct db_stmt *stmt, struct db *db, struct str sql, struct error *err)
{
    const char *tail = NULL;
    *stmt = (struct db_stmt){.db = db};
    int rc = sqlite3_prepare_v3(db->handle, sql.p, (int)sql.n, SQLITE_PREPARE_PERSISTENT,
                                &stmt->handle, &tail);
    if (rc == SQLITE_OK)
        return 0;
    char what[128];
    snprintf(what, sizeof(what), "prepare \"%.*s\"", (int)(sql.n < 60 ? sql.n : 60), sql.p);
    return fail(db, rc, what, err);
}

int db_stmt_get(struct db *db, const char *sql, struct db_stmt **ret_stmt, struct error *err)
{
    for (unsigned i = 0; i < db->count; i++) {
        struct db_stmt *known = &db->cache[i];
        /* the same constant may have several addresses, one a unit */
        if (known->sql == sql || strcmp(known->sql, sql) == 0) {
            db_stmt_done(known);
            *ret_stmt = known;
            return 0;
        }
    }
    CHECK(db->count < CACHED_STATEMENTS);
    struct db_stmt *stmt = &db->cache[db->count];
    int r = prepare(stmt, db, str_from(sql), err);
    if (r != 0)
        return r;
    stmt->sql = sql;
    db->count++;
    *ret_stmt = stmt;
    return 0;
}

static void bound(struct db_stmt *stmt, int rc)
{
    if (unlikely(rc != SQLITE_OK) && stmt->bind_error == SQLITE_OK)
        stmt->bind_error = rc;
}

void db_bind_i64(struct db_stmt *stmt, int index, int64_t value)
{
    bound(stmt, sqlite3_bind_int64(stmt->handle, index, value));
}

void db_bind_u64(struct db_stmt *stmt, int index, uint64_t value)
{
    db_bind_i64(stmt, index, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void db_bind_text(struct db_stmt *stmt, int index, struct str value)
{
    /* a NULL pointer would bind NULL, which a NOT NULL column refuses */
    const char *p = value.p != NULL ? value.p : "";
    bound(stmt, sqlite3_bind_text(stmt->handle, index, p, (int)value.n, SQLITE_STATIC));
}

void db_bind_blob(struct db_stmt *stmt, int index, struct str value)
{
    const char *p = value.p != NULL ? value.p : "";
    bound(stmt, sqlite3_bind_blob(stmt->handle, index, p, (int)value.n, SQLITE_STATIC));
}

void db_bind_null(struct db_stmt *stmt, int index)
{
    bound(stmt, sqlite3_bind_null(stmt->handle, index));
}

int db_step(struct db_stmt *stmt, struct error *err)
{
    int rc = stmt->bind_error;
    if (likely(rc == SQLITE_OK))
        rc = sqlite3_step(stmt->handle);
    if (rc == SQLITE_ROW)
        return DB_ROW;
    if (likely(rc == SQLITE_DONE)) {
        sqlite3_reset(stmt->handle);
        return 0;
    }
    char what[128];
    const char *sql = sqlite3_sql(stmt->handle);
    snprintf(what, sizeof(what), "run \"%.60s\"", sql != NULL ? sql : "");
    int r = fail(stmt->db, rc, what, err);
    sqlite3_reset(stmt->handle);
    return r;
}

void db_stmt_done(struct db_stmt *stmt)
{
    sqlite3_reset(stmt->handle);
    sqlite3_clear_bindings(stmt->handle);
    stmt->bind_error = SQLITE_OK;
}

int db_run(struct db_stmt *stmt, struct error *err)
{
    int r;
    do {
        r = db_step(stmt, err);
    } while (r == DB_ROW);
    return r;
}

int64_t db_i64(struct db_stmt *stmt, int column)
{
    return sqlite3_column_int64(stmt->handle, column);
}

uint64_t db_u64(struct db_stmt *stmt, int column)
{
    int64_t v = db_i64(stmt, column);
    return v > 0 ? (uint64_t)v : 0;
}

double db_double(struct db_stmt *stmt, int column)
{
    return sqlite3_column_double(stmt->handle, column);
}

struct str db_text(struct db_stmt *stmt, int column)
{
    const char *p = (const char *)sqlite3_column_text(stmt->handle, column);
    return str_make(p, (size_t)sqlite3_column_bytes(stmt->handle, column));
}

struct str db_blob(struct db_stmt *stmt, int column)
{
    const char *p = sqlite3_column_blob(stmt->handle, column);
    return str_make(p, (size_t)sqlite3_column_bytes(stmt->handle, column));
}

bool db_is_null(struct db_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt->handle, column) == SQLITE_NULL;
}

bool db_is_blob(struct db_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt->handle, column) == SQLITE_BLOB;
}

bool db_is_number(struct db_stmt *stmt, int column)
{
    int type = sqlite3_column_type(stmt->handle, column);
    return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

int db_column_count(struct db_stmt *stmt)
{
    return sqlite3_column_count(stmt->handle);
}

const char *db_column_name(struct db_stmt *stmt, int column)
{
    const char *name = sqlite3_column_name(stmt->handle, column);
    return name != NULL ? name : "";
}

int64_t db_last_rowid(struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->handle);
}

void db_set_busy_timeout(struct db *db, int ms)
{
    sqlite3_busy_timeout(db->handle, ms);
}

void db_set_deadline(struct db *db, struct mono deadline)
{
    bool never = deadline.us == MONO_NEVER.us;
    db->deadline = deadline;
    sqlite3_progress_handler(db->handle, never ? 0 : PROGRESS_STEPS,
                             never ? NULL : look_at_deadline, db);
}

void db_interrupt(struct db *db)
{
    atomic_store_explicit(&db->interrupted, true, memory_order_relaxed);
    sqlite3_interrupt(db->handle);
}

/* "file:PATH?mode=ro", the path with what has a meaning in a URI escaped. */
static int make_uri(char *out, size_t size, const char *path)
{
    static const char digits[] = "0123456789ABCDEF";
    struct buf b;
    buf_init_fixed(&b, out, size);
    buf_add_lit(&b, "file:");
    for (const char *p = path; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c != '?' && c != '#' && c != '%') {
            buf_add_char(&b, *p);
            continue;
        }
        buf_add_char(&b, '%');
        buf_add_char(&b, digits[c >> 4]);
        buf_add_char(&b, digits[c & 15]);
    }
    buf_add_lit(&b, "?mode=ro");
    return buf_cstr(&b) != NULL && buf_finish(&b) == 0 ? 0 : E_TOO_LARGE;
}

int db_attach(struct db *db, const char *path, const char *name, struct error *err)
{
    char sql[64], uri[PATH_MAX];
    int r = check_readable(path, err);
    if (r != 0)
        return r;
    if (make_uri(uri, sizeof(uri), path) != 0)
        return error_set(err, E_TOO_LARGE, "%s: the path is too long", path);
    snprintf(sql, sizeof(sql), "ATTACH ?1 AS \"%s\"", name);
    struct db_stmt stmt;
    r = prepare(&stmt, db, str_from(sql), err);
    if (r != 0)
        return r;
    db_bind_text(&stmt, 1, str_from(uri));
    r = db_run(&stmt, err);
    sqlite3_finalize(stmt.handle);
    return r;
}

unsigned db_attach_max(struct db *db)
{
    int n = sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, -1);
    return n > 0 ? (unsigned)n : 0;
}

/* Whether only spaces, semicolons and comments are left: asked of SQLite itself. */
static bool nothing_follows(struct db *db, struct str tail)
{
    sqlite3_stmt *next = NULL;
    int rc = sqlite3_prepare_v2(db->handle, tail.p, (int)tail.n, &next, NULL);
    bool nothing = rc == SQLITE_OK && next == NULL;
    sqlite3_finalize(next);
    return nothing;
}

/* Prepares under the guard and judges what came out; 0 with *ret_handle set, or negative. */
static int prepare_user(struct db *db, struct str sql, sqlite3_stmt **ret_handle, struct error *err)
{
    const char *tail = NULL;
    sqlite3_stmt *handle = NULL;
    db->denied = false;
    int rc = sqlite3_prepare_v2(db->handle, sql.p, (int)sql.n, &handle, &tail);
    if (rc != SQLITE_OK && db->denied)
        return error_set(err, E_DENIED,
                         "only reading is possible here: use one SELECT statement over the views");
    if (rc != SQLITE_OK)
        return error_set(err, E_INVALID, "SQL: %s", sqlite3_errmsg(db->handle));
    if (handle == NULL)
        return error_set(err, E_INVALID, "SQL: no statement given");
    int r = 0;
    if (!sqlite3_stmt_readonly(handle))
        r = error_set(err, E_DENIED, "only reading is possible here: use one SELECT statement");
    else if (!nothing_follows(db, str_make(tail, (size_t)(sql.p + sql.n - tail))))
        r = error_set(err, E_INVALID, "SQL: one statement at a time, and text follows the first");
    if (r != 0)
        sqlite3_finalize(handle);
    else
        *ret_handle = handle;
    return r;
}

int db_stmt_user(struct db *db, struct str sql, struct db_stmt **ret_stmt, struct error *err)
{
    if (sql.n > USER_SQL_MAX)
        return error_set(err, E_TOO_LARGE, "SQL: longer than %d bytes", USER_SQL_MAX);
    struct db_stmt *stmt = calloc(1, sizeof(*stmt));
    if (stmt == NULL)
        return error_set(err, E_NOMEM, "SQL: out of memory");
    stmt->db = db;
    db->guarded = true;
    int r = prepare_user(db, sql, &stmt->handle, err);
    db->guarded = false;
    if (r != 0) {
        free(stmt);
        return r;
    }
    *ret_stmt = stmt;
    return 0;
}

void db_stmt_destroy(struct db_stmt *stmt)
{
    if (stmt == NULL)
        return;
    sqlite3_finalize(stmt->handle);
    free(stmt);
}

static void call_function(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    (void)argc;
    db_function **function = sqlite3_user_data(ctx);
    const char *p = sqlite3_value_blob(argv[0]);
    struct str blob = str_make(p, (size_t)sqlite3_value_bytes(argv[0]));
    sqlite3_result_int64(ctx, (*function)(blob, sqlite3_value_double(argv[1])));
}

int db_add_function(struct db *db, const char *name, db_function *function, struct error *err)
{
    /* a pointer to a function cannot be a void pointer in ISO C: one to the pointer can */
    db_function **kept = malloc(sizeof(db_function *));
    if (kept == NULL)
        return error_set(err, E_NOMEM, "%s: out of memory", db->path);
    *kept = function;
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int rc = sqlite3_create_function_v2(db->handle, name, 2, flags, kept, call_function, NULL, NULL,
                                        free);
    return rc == SQLITE_OK ? 0 : fail(db, rc, "add a function", err);
}

const char *db_version(void)
{
    return sqlite3_libversion();
}
