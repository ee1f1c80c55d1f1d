/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h -- one SQLite file: connection, cached statements, transactions, errors a person can read.
 *
 *     struct db_stmt *st;
 *     int r = db_stmt_get(db, "SELECT name FROM plan WHERE id = ?1", &st, err);
 *     if (r != 0)
 *         return r;
 *     db_bind_i64(st, 1, id);
 *     while ((r = db_step(st, err)) == DB_ROW)
 *         use(db_text(st, 0));
 *     db_stmt_done(st);
 *
 * Files are in WAL mode. With DB_SYNC_FULL each commit is on the disk when it returns; without it a
 * commit survives the death of the process at once and that of the machine after db_sync().
 *
 * Threads: a connection and its statements belong to one thread at a time; only db_interrupt() may
 *          come from another.
 * Memory:  the connection owns its statements. Bound bytes are borrowed until the statement is
 *          stepped to its end or done; what a column gives is valid until the next step.
 * Errors:  an E_ code, and in `err` the file, what was tried and SQLite's own words. A full disk is
 *          E_NO_SPACE, a lock held by another E_BUSY, a damaged file E_CORRUPT, an expired deadline
 *          E_TIMEOUT, a write through a reading connection E_DENIED; the rest is E_DB or E_IO.
 *          Binding remembers its error for the step.
 */
#ifndef BASE_DB_H
#define BASE_DB_H

#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"

struct db;
struct db_stmt;

enum db_flags {
    DB_READ = 0,           /* the file must exist; nothing can be changed through this connection */
    DB_WRITE = 1 << 0,     /* made where it is missing, readable by its owner only */
    DB_SYNC_FULL = 1 << 1, /* see above; with DB_WRITE */
    DB_MEMORY = 1 << 2,    /* no file: a scratch database that others are attached to */
};

#define DB_ROW 1
#define DB_BUSY_TIMEOUT_MS 5000

/* E_NOT_FOUND where a file to read does not exist. */
must_check int db_open(struct db **ret_db, const char *path, unsigned flags, struct error *err);

/* NULL is accepted. An open transaction is rolled back. */
void db_close(struct db *db);

const char *db_path(const struct db *db);

/* Runs a script of statements without parameters, given by the program, never by a user. */
must_check int db_exec(struct db *db, const char *sql, struct error *err);

/* Takes the write lock at once, so that what follows cannot fail by another writer. */
must_check int db_begin(struct db *db, struct error *err);
must_check int db_commit(struct db *db, struct error *err);

/* Nothing happens where no transaction is open (SQLite may have rolled back by itself). */
void db_rollback(struct db *db);

/* Makes everything that was committed safe against a loss of power. */
must_check int db_sync(struct db *db, struct error *err);

/*
 * The statement of this text, prepared on first use and kept with the connection; reset, its
 * bindings cleared. `sql` must live as long as the connection (a constant).
 */
must_check int db_stmt_get(struct db *db, const char *sql, struct db_stmt **ret_stmt,
                           struct error *err);

/* Parameters ?1, ?2, ... are numbered from 1. */
void db_bind_i64(struct db_stmt *stmt, int index, int64_t value);
/* More than INT64_MAX is kept as INT64_MAX: the database has no larger numbers. */
void db_bind_u64(struct db_stmt *stmt, int index, uint64_t value);
void db_bind_text(struct db_stmt *stmt, int index, struct str value);
void db_bind_blob(struct db_stmt *stmt, int index, struct str value);
void db_bind_null(struct db_stmt *stmt, int index);

/* DB_ROW, 0 at the end, or a negative code. */
must_check int db_step(struct db_stmt *stmt, struct error *err);

/* Ends a statement before its last row; harmless after it. */
void db_stmt_done(struct db_stmt *stmt);

/* Steps a statement that gives no rows, or whose rows do not matter, to its end. 0 or negative. */
must_check int db_run(struct db_stmt *stmt, struct error *err);

/* Columns are numbered from 0. NULL reads as 0 or the empty string. */
int64_t db_i64(struct db_stmt *stmt, int column);
uint64_t db_u64(struct db_stmt *stmt, int column); /* a negative number reads as 0 */
double db_double(struct db_stmt *stmt, int column);
struct str db_text(struct db_stmt *stmt, int column);
struct str db_blob(struct db_stmt *stmt, int column);
bool db_is_null(struct db_stmt *stmt, int column);
bool db_is_blob(struct db_stmt *stmt, int column);
/* Whether the value is an integer or a real number. */
bool db_is_number(struct db_stmt *stmt, int column);
int db_column_count(struct db_stmt *stmt);
const char *db_column_name(struct db_stmt *stmt, int column);

/* Of the last INSERT. */
int64_t db_last_rowid(struct db *db);
/* Rows the last statement changed. */
int64_t db_changes(struct db *db);

/* How long to wait for a lock that another connection holds before E_BUSY; DB_BUSY_TIMEOUT_MS at
 * first. */
void db_set_busy_timeout(struct db *db, int ms);

/* What follows ends with E_TIMEOUT when the moment has passed; MONO_NEVER takes the limit away. */
void db_set_deadline(struct db *db, struct mono deadline);

/* Ends a running statement with E_CANCELED. From any thread, while the connection is open. */
void db_interrupt(struct db *db);

/* Adds another file under a schema name, readable only. The name is the program's, never a user's.
 */
must_check int db_attach(struct db *db, const char *path, const char *name, struct error *err);

/* How many files this build of SQLite lets one connection attach. */
unsigned db_attach_max(struct db *db);

/*
 * Prepares one statement written by a user: what does anything but read is refused with E_DENIED,
 * more than one statement or none with E_INVALID. The caller ends it with db_stmt_destroy().
 */
must_check int db_stmt_user(struct db *db, struct str sql, struct db_stmt **ret_stmt,
                            struct error *err);
void db_stmt_destroy(struct db_stmt *stmt);

/* A function of SQL with one blob and one number as arguments and a number as its result. */
typedef int64_t db_function(struct str blob, double number);
must_check int db_add_function(struct db *db, const char *name, db_function *function,
                               struct error *err);

/* "3.40.1", for `version`. */
const char *db_version(void);

#endif
