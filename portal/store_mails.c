/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/store_mails.h"

#include "portal/store_text.h"

#define COLUMNS                                                                                    \
    "id, template, recipient, content, state, attempts, created_us, next_us, ended_us, fault"

static const char SQL_ADD[] = "INSERT INTO mails (" COLUMNS ")"
                              " VALUES (?1, ?2, ?3, ?4, 'waiting', 0, ?5, ?5, NULL, '')";
static const char SQL_DUE[] = "SELECT " COLUMNS " FROM mails"
                              " WHERE state = 'waiting'"
                              " ORDER BY next_us, id"
                              " LIMIT 1";
static const char SQL_END[] = "UPDATE mails SET state = ?2, ended_us = ?3, fault = ?4,"
                              " content = iif(?5, content, NULL), attempts = attempts + 1"
                              " WHERE id = ?1";
static const char SQL_POSTPONE[] = "UPDATE mails SET next_us = ?2, fault = ?3,"
                                   " attempts = attempts + 1"
                                   " WHERE id = ?1";
static const char SQL_RETRY[] = "UPDATE mails SET state = 'waiting', next_us = ?2, ended_us = NULL"
                                " WHERE id = ?1 AND state = 'failed' AND content IS NOT NULL";
static const char SQL_HURRY[] = "UPDATE mails SET next_us = ?1"
                                " WHERE state = 'waiting' AND next_us > ?1";
static const char SQL_SWEEP[] = "DELETE FROM mails"
                                " WHERE ended_us < ?1";
static const char SQL_FIRST[] = "SELECT " COLUMNS " FROM mails"
                                " ORDER BY id DESC LIMIT ?1";
static const char SQL_AFTER[] = "SELECT " COLUMNS " FROM mails"
                                " WHERE id < ?2"
                                " ORDER BY id DESC LIMIT ?1";
static const char SQL_COUNT[] = "SELECT (SELECT count(*) FROM mails WHERE state = 'waiting'),"
                                " (SELECT count(*) FROM mails WHERE state = 'failed')";

static const struct str STATES[] = {
    [MAIL_WAITING] = STR_INIT("waiting"),
    [MAIL_SENT] = STR_INIT("sent"),
    [MAIL_FAILED] = STR_INIT("failed"),
};

struct str mail_state_name(enum mail_state state)
{
    return STATES[state];
}

static struct mail_row read_row(struct db_stmt *st)
{
    return (struct mail_row){
        .id = store_uuid(st, 0),
        .template = db_text(st, 1),
        .recipient = db_text(st, 2),
        .content = db_blob(st, 3),
        .state = (enum mail_state)store_name_index(STATES, ARRAY_LEN(STATES), db_text(st, 4)),
        .attempts = (uint32_t)db_i64(st, 5),
        .created = {.us = db_i64(st, 6)},
        .next = {.us = db_i64(st, 7)},
        .ended = {.us = db_i64(st, 8)},
        .fault = db_text(st, 9),
    };
}

int store_mails_add(struct db *db, const struct mail_row *row, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_ADD, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, &row->id);
    store_bind_text(st, 2, row->template);
    store_bind_text(st, 3, row->recipient);
    db_bind_blob(st, 4, row->content);
    db_bind_i64(st, 5, row->created.us);
    return db_run(st, err);
}

int store_mails_due(struct db *db, struct wall now, mail_visit *visit, void *ctx,
                    struct wall *ret_next, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_DUE, &st, err);
    if (r != 0)
        return r;
    r = db_step(st, err);
    if (r == DB_ROW) {
        struct mail_row row = read_row(st);
        *ret_next = row.next;
        r = row.next.us <= now.us ? visit(ctx, &row) : 0;
    } else if (r == 0) {
        r = E_NOT_FOUND;
    }
    db_stmt_done(st);
    return r;
}

int store_mails_end(struct db *db, const struct uuid *id, enum mail_state state, struct wall now,
                    struct str fault, bool keep, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_END, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, id);
    db_bind_text(st, 2, STATES[state]);
    db_bind_i64(st, 3, now.us);
    store_bind_text(st, 4, fault);
    db_bind_i64(st, 5, keep ? 1 : 0);
    return db_run(st, err);
}

int store_mails_postpone(struct db *db, const struct uuid *id, struct wall next, struct str fault,
                         struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_POSTPONE, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, id);
    db_bind_i64(st, 2, next.us);
    store_bind_text(st, 3, fault);
    return db_run(st, err);
}

int store_mails_retry(struct db *db, const struct uuid *id, struct wall now, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_RETRY, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, id);
    db_bind_i64(st, 2, now.us);
    r = db_run(st, err);
    if (r == 0 && db_changes(db) == 0)
        return error_set(err, E_NOT_FOUND, "There is no such mail that failed.");
    return r;
}

/* Runs a statement about one moment. */
static int run_at(struct db *db, const char *sql, struct wall t, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, sql, &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, t.us);
    return db_run(st, err);
}

int store_mails_hurry(struct db *db, struct wall now, struct error *err)
{
    return run_at(db, SQL_HURRY, now, err);
}

int store_mails_sweep(struct db *db, struct wall before, struct error *err)
{
    return run_at(db, SQL_SWEEP, before, err);
}

int store_mails_list(struct db *db, const struct mail_page *page, mail_visit *visit, void *ctx,
                     struct error *err)
{
    struct db_stmt *st;
    bool first = uuid_is_none(&page->after);
    int r = db_stmt_get(db, first ? SQL_FIRST : SQL_AFTER, &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, page->limit);
    if (!first)
        store_bind_uuid(st, 2, &page->after);
    while ((r = db_step(st, err)) == DB_ROW) {
        struct mail_row row = read_row(st);
        r = visit(ctx, &row);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

int store_mails_count(struct db *db, uint64_t *ret_waiting, uint64_t *ret_failed, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_COUNT, &st, err);
    if (r != 0)
        return r;
    r = db_step(st, err);
    if (r == DB_ROW) {
        *ret_waiting = (uint64_t)db_i64(st, 0);
        *ret_failed = (uint64_t)db_i64(st, 1);
        r = 0;
    }
    db_stmt_done(st);
    return r;
}
