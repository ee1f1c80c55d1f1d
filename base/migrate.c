/* SPDX-License-Identifier: Apache-2.0 */
#include "base/migrate.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#define CHECKSUM_BYTES 32
#define NUMBER_DIGITS 4

/* `migrations` belongs to no migration: it must exist before the first one. */
static const char SQL_CREATE[] = "CREATE TABLE IF NOT EXISTS migrations ("
                                 "number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                                 "checksum BLOB NOT NULL, applied_us INTEGER NOT NULL) STRICT";
static const char SQL_TABLES[] = "SELECT count(*), count(*) FILTER (WHERE name = 'migrations')"
                                 " FROM sqlite_schema WHERE type = 'table'";
static const char SQL_APPLIED[] = "SELECT number, name, checksum FROM migrations ORDER BY number";
static const char SQL_RECORD[] = "INSERT INTO migrations (number, name, checksum, applied_us)"
                                 " VALUES (?1, ?2, ?3, ?4)";
static const char SQL_COPY[] = "VACUUM INTO ?1";

static size_t known_count(const struct embedded_file *migrations)
{
    size_t n = 0;
    while (migrations[n].name != NULL)
        n++;
    return n;
}

/* The files are the program's: numbers that do not run 1, 2, 3 are a mistake of its makers. */
static void check_number(const struct embedded_file *migration, size_t number)
{
    uint64_t n;
    struct str digits = str_slice(str_from(migration->name), 0, NUMBER_DIGITS);
    CHECK(str_to_u64(digits, 1, 9999, &n) == 0 && n == number);
}

static void checksum(const struct embedded_file *migration, unsigned char out[CHECKSUM_BYTES])
{
    crypto_generichash(out, CHECKSUM_BYTES, (const unsigned char *)migration->data.p,
                       migration->data.n, NULL, 0);
}

/* The row that follows `count` good ones against the migration of its number. */
static int check_applied(struct db *db, struct db_stmt *row, const struct embedded_file *migrations,
                         size_t count, struct error *err)
{
    uint64_t number = db_u64(row, 0);
    size_t known = known_count(migrations);
    if (number > known)
        return error_set(err, E_NEWER,
                         "%s was written by a newer version of weir (its schema is %llu, this "
                         "version knows %zu): run that version, or put a backup back",
                         db_path(db), (unsigned long long)number, known);
    unsigned char sum[CHECKSUM_BYTES];
    if (number != count + 1)
        return error_set(err, E_CORRUPT, "%s: its list of migrations has a gap", db_path(db));
    checksum(&migrations[count], sum);
    if (!str_eq(db_blob(row, 2), str_make((const char *)sum, sizeof(sum))))
        return error_set(err, E_CORRUPT,
                         "%s: migration %llu there is not the one of this version (%s): the file "
                         "belongs to another build of weir",
                         db_path(db), (unsigned long long)number, migrations[count].name);
    return 0;
}

/* How many migrations the file has seen; 0 for a new one. */
static int count_applied(struct db *db, const struct embedded_file *migrations, size_t *ret_count,
                         struct error *err)
{
    struct db_stmt *st;
    size_t count = 0;
    int r = db_stmt_get(db, SQL_TABLES, &st, err);
    if (r != 0 || (r = db_step(st, err)) < 0)
        return r;
    int64_t tables = db_i64(st, 0);
    bool ours = db_i64(st, 1) > 0;
    db_stmt_done(st);
    if (!ours) {
        *ret_count = 0;
        return tables == 0 ? 0
                           : error_set(err, E_CORRUPT, "%s is not a database of weir", db_path(db));
    }
    r = db_stmt_get(db, SQL_APPLIED, &st, err);
    if (r != 0)
        return r;
    while ((r = db_step(st, err)) == DB_ROW) {
        r = check_applied(db, st, migrations, count, err);
        if (r != 0)
            break;
        count++;
    }
    db_stmt_done(st);
    if (r == 0)
        *ret_count = count;
    return r;
}

/* An empty file for its owner alone, which VACUUM INTO fills: SQLite makes files by the umask. */
static int make_empty(const char *path, struct error *err)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(err, error_from_errno(errno), errno, "%s: cannot create", path);
    close(fd);
    return 0;
}

/* VACUUM INTO does not sync what it writes, and the migration will be. */
static int sync_copy(const char *path, struct error *err)
{
    int e = file_sync(path);
    return e == 0 ? 0 : error_set_errno(err, error_from_errno(e), e, "%s: cannot sync", path);
}

/* A copy of the whole file, complete or absent. */
static int back_up(struct db *db, size_t number, struct error *err)
{
    char path[4096], partial[4096 + 8];
    int n = snprintf(path, sizeof(path), "%s.before-%04zu", db_path(db), number);
    if (n < 0 || (size_t)n >= sizeof(path))
        return error_set(err, E_TOO_LARGE, "%s: the path is too long", db_path(db));
    snprintf(partial, sizeof(partial), "%s.part", path);
    struct db_stmt *st;
    int r = make_empty(partial, err);
    if (r == 0)
        r = db_stmt_get(db, SQL_COPY, &st, err);
    if (r == 0) {
        db_bind_text(st, 1, str_from(partial));
        r = db_run(st, err);
    }
    if (r == 0)
        r = sync_copy(partial, err);
    if (r == 0 && rename(partial, path) != 0)
        r = error_set_errno(err, E_IO, errno, "cannot name the backup %s", path);
    if (r != 0) {
        unlink(partial);
        error_prefix(err, "backup before the upgrade");
    }
    return r;
}

static int record(struct db *db, const struct embedded_file *migration, size_t number,
                  struct error *err)
{
    unsigned char sum[CHECKSUM_BYTES];
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_RECORD, &st, err);
    if (r != 0)
        return r;
    checksum(migration, sum);
    db_bind_i64(st, 1, (int64_t)number);
    db_bind_text(st, 2, str_from(migration->name));
    db_bind_blob(st, 3, str_make((const char *)sum, sizeof(sum)));
    db_bind_i64(st, 4, clock_wall().us);
    return db_run(st, err);
}

/* One migration and its entry, within the transaction. */
static int apply(struct db *db, const struct embedded_file *migration, size_t number,
                 struct error *err)
{
    check_number(migration, number);
    int r = number == 1 ? db_exec(db, SQL_CREATE, err) : 0;
    if (r == 0)
        r = db_exec(db, migration->data.p, err); /* embedded data ends with a NUL */
    if (r == 0)
        r = record(db, migration, number, err);
    if (r != 0)
        error_prefix(err, "migration %s", migration->name);
    return r;
}

/* All that are missing, or none: readers never meet a file that is half of this version. */
static int apply_from(struct db *db, const struct embedded_file *migrations, size_t applied,
                      struct error *err)
{
    size_t known = known_count(migrations);
    int r = db_begin(db, err);
    if (r != 0)
        return r;
    for (size_t i = applied; r == 0 && i < known; i++)
        r = apply(db, &migrations[i], i + 1, err);
    if (r == 0)
        r = db_commit(db, err);
    if (r != 0)
        db_rollback(db);
    return r;
}

int migrate_run(struct db *db, const struct embedded_file *migrations, struct error *err)
{
    size_t applied;
    int r = count_applied(db, migrations, &applied, err);
    if (r != 0 || applied >= known_count(migrations))
        return r;
    if (applied > 0)
        r = back_up(db, applied + 1, err);
    return r != 0 ? r : apply_from(db, migrations, applied, err);
}

int migrate_check(struct db *db, const struct embedded_file *migrations, struct error *err)
{
    size_t applied;
    int r = count_applied(db, migrations, &applied, err);
    if (r == 0 && applied == 0)
        return E_NOT_FOUND;
    if (r == 0 && applied < known_count(migrations))
        r = error_set(err, E_UNAVAILABLE,
                      "%s is of an older version of weir: start this version on it first",
                      db_path(db));
    return r;
}
