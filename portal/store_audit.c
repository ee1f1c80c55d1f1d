/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/store_audit.h"

#include "portal/store_text.h"

#define COLUMNS "id, at_us, actor, actor_name, action, object, team, address, detail"

static const char SQL_ADD[] = "INSERT INTO audit (" COLUMNS ")"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
static const char SQL_ALL[] = "SELECT " COLUMNS ", 0 FROM audit"
                              " WHERE id < ?1"
                              " ORDER BY id DESC"
                              " LIMIT ?2";
static const char SQL_OF_ACTION[] = "SELECT " COLUMNS ", 0 FROM audit"
                                    " WHERE id < ?1 AND action = ?3"
                                    " ORDER BY id DESC"
                                    " LIMIT ?2";
/* What happened in their teams, and what they did to their own account. */
static const char SQL_OF_PERSON[] =
    "SELECT " COLUMNS ", actor IS NOT ?4 AND NOT EXISTS"
    " (SELECT 1 FROM members m WHERE m.team = audit.team AND m.person = actor) FROM audit"
    " WHERE (team IN (SELECT team FROM members WHERE person = ?4)"
    " OR (actor = ?4 AND team IS NULL AND object = (SELECT email FROM people WHERE id = ?4)))"
    " AND id < ?1 AND (?3 = '' OR action = ?3)"
    " ORDER BY id DESC"
    " LIMIT ?2";

int store_audit_add(struct db *db, const struct audit_row *row, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_ADD, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, &row->id);
    db_bind_i64(st, 2, row->at.us);
    store_bind_uuid_or_null(st, 3, &row->actor);
    db_bind_text(st, 4, row->actor_name);
    db_bind_text(st, 5, row->action);
    store_bind_text(st, 6, row->object);
    store_bind_uuid_or_null(st, 7, &row->team);
    store_bind_text(st, 8, row->address);
    store_bind_text(st, 9, row->detail);
    return db_run(st, err);
}

static int visit_rows(struct db_stmt *st, audit_visit *visit, void *ctx, struct error *err)
{
    int r;
    while ((r = db_step(st, err)) == DB_ROW) {
        struct audit_row row = {
            .id = store_uuid(st, 0),
            .at = {.us = db_i64(st, 1)},
            .actor = store_uuid(st, 2),
            .actor_name = db_text(st, 3),
            .action = db_text(st, 4),
            .object = db_text(st, 5),
            .team = store_uuid(st, 6),
            .address = db_text(st, 7),
            .detail = db_text(st, 8),
            .is_foreign = db_i64(st, 9) != 0,
        };
        r = visit(ctx, &row);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

int store_audit_list(struct db *db, const struct audit_page *page, audit_visit *visit, void *ctx,
                     struct error *err)
{
    struct db_stmt *st;
    struct uuid last;
    bool all = uuid_is_none(&page->person), of_action = page->action.n > 0;
    int r = db_stmt_get(db, !all ? SQL_OF_PERSON : of_action ? SQL_OF_ACTION : SQL_ALL, &st, err);
    if (r != 0)
        return r;
    memset(last.b, 0xff, sizeof(last.b));
    store_bind_uuid(st, 1, uuid_is_none(&page->before) ? &last : &page->before);
    db_bind_i64(st, 2, page->limit);
    if (!all || of_action)
        store_bind_text(st, 3, page->action);
    if (!all)
        store_bind_uuid(st, 4, &page->person);
    return visit_rows(st, visit, ctx, err);
}
