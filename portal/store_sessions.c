/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/store_sessions.h"

#include "portal/store_text.h"

#define COLUMNS                                                                                    \
    "s.id, s.person, s.audience, s.created_us, s.seen_us, s.expires_us, s.address, s.agent"

static const char SQL_FIND[] =
    "SELECT " COLUMNS ", p.email, p.name, p.locale, p.time_zone, p.operator"
    " FROM sessions s JOIN people p ON p.id = s.person"
    " WHERE s.hash = ?1 AND s.audience = ?2 AND s.expires_us > ?3"
    " AND p.state = 'active'";
static const char SQL_OF_PERSON[] = "SELECT " COLUMNS ", '', '', '', '', 0 FROM sessions s"
                                    " WHERE s.person = ?1 AND s.expires_us > ?2"
                                    " ORDER BY s.id DESC";
static const char SQL_ADD[] = "INSERT INTO sessions (id, person, audience, created_us, seen_us,"
                              " expires_us, address, agent, hash)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
static const char SQL_EXPIRED[] = "DELETE FROM sessions"
                                  " WHERE person = ?1 AND (expires_us <= ?2 OR id NOT IN"
                                  " (SELECT id FROM sessions WHERE person = ?1"
                                  " ORDER BY id DESC LIMIT ?3))";
static const char SQL_SEEN[] = "UPDATE sessions SET seen_us = ?2, expires_us = ?3"
                               " WHERE id = ?1";
static const char SQL_END[] = "DELETE FROM sessions"
                              " WHERE id = ?1 AND person = ?2";
static const char SQL_END_ALL[] = "DELETE FROM sessions"
                                  " WHERE person = ?1 AND id <> ?2";

static int visit_rows(struct db_stmt *st, session_visit *visit, void *ctx, bool *ret_found,
                      struct error *err)
{
    int r;
    while ((r = db_step(st, err)) == DB_ROW) {
        struct session_row row = {
            .id = store_uuid(st, 0),
            .person = store_uuid(st, 1),
            .audience = db_text(st, 2),
            .created = {.us = db_i64(st, 3)},
            .seen = {.us = db_i64(st, 4)},
            .expires = {.us = db_i64(st, 5)},
            .address = db_text(st, 6),
            .agent = db_text(st, 7),
            .email = db_text(st, 8),
            .name = db_text(st, 9),
            .locale = db_text(st, 10),
            .time_zone = db_text(st, 11),
            .is_operator = db_i64(st, 12) != 0,
        };
        *ret_found = true;
        r = visit(ctx, &row);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

int store_sessions_find(struct db *db, const struct secret_hash *hash, struct str audience,
                        struct wall now, session_visit *visit, void *ctx, struct error *err)
{
    struct db_stmt *st;
    bool found = false;
    int r = db_stmt_get(db, SQL_FIND, &st, err);
    if (r != 0)
        return r;
    db_bind_blob(st, 1, str_make((const char *)hash->b, sizeof(hash->b)));
    db_bind_text(st, 2, audience);
    db_bind_i64(st, 3, now.us);
    r = visit_rows(st, visit, ctx, &found, err);
    return r == 0 && !found ? error_set(err, E_NOT_FOUND, "there is no such session") : r;
}

int store_sessions_of_person(struct db *db, const struct uuid *person, struct wall now,
                             session_visit *visit, void *ctx, struct error *err)
{
    struct db_stmt *st;
    bool found;
    int r = db_stmt_get(db, SQL_OF_PERSON, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, person);
    db_bind_i64(st, 2, now.us);
    return visit_rows(st, visit, ctx, &found, err);
}

static int forget_expired(struct db *db, const struct session_row *row, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_EXPIRED, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, &row->person);
    db_bind_i64(st, 2, row->created.us);
    db_bind_i64(st, 3, SESSIONS_MAX - 1); /* room for the one that begins */
    return db_run(st, err);
}

int store_sessions_add(struct db *db, const struct session_row *row, const struct secret_hash *hash,
                       struct error *err)
{
    struct db_stmt *st;
    int r = forget_expired(db, row, err);
    if (r == 0)
        r = db_stmt_get(db, SQL_ADD, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, &row->id);
    store_bind_uuid(st, 2, &row->person);
    db_bind_text(st, 3, row->audience);
    db_bind_i64(st, 4, row->created.us);
    db_bind_i64(st, 5, row->seen.us);
    db_bind_i64(st, 6, row->expires.us);
    store_bind_text(st, 7, row->address);
    store_bind_text(st, 8, row->agent);
    db_bind_blob(st, 9, str_make((const char *)hash->b, sizeof(hash->b)));
    return db_run(st, err);
}

int store_sessions_seen(struct db *db, const struct uuid *id, struct wall seen, struct wall expires,
                        struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_SEEN, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, id);
    db_bind_i64(st, 2, seen.us);
    db_bind_i64(st, 3, expires.us);
    return db_run(st, err);
}

int store_sessions_end(struct db *db, const struct uuid *id, const struct uuid *person,
                       struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_END, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, id);
    store_bind_uuid(st, 2, person);
    r = db_run(st, err);
    if (r == 0 && db_changes(db) == 0)
        return error_set(err, E_NOT_FOUND, "There is no such session.");
    return r;
}

int store_sessions_end_all(struct db *db, const struct uuid *person, const struct uuid *except,
                           struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_END_ALL, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, person);
    store_bind_uuid(st, 2, except);
    return db_run(st, err);
}
