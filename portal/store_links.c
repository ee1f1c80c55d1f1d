/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/store_links.h"

#include "portal/store_text.h"

#include <sodium.h>

#define COLUMNS "id, kind, person, email, created_us, expires_us, created_by"

static const char SQL_ADD[] = "INSERT INTO links (" COLUMNS ", hash)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
static const char SQL_END_ALL[] = "DELETE FROM links"
                                  " WHERE person = ?1";
static const char SQL_FIND[] = "SELECT " COLUMNS " FROM links"
                               " WHERE hash = ?1 AND kind = ?2 AND expires_us > ?3";
static const char SQL_LIST[] = "SELECT " COLUMNS " FROM links"
                               " WHERE kind = ?1 AND expires_us > ?2"
                               " ORDER BY created_us DESC";
static const char SQL_REMOVE[] = "DELETE FROM links"
                                 " WHERE id = ?1";
static const char SQL_SWEEP[] = "DELETE FROM links"
                                " WHERE expires_us <= ?1";

static const struct str KINDS[] = {
    [LINK_CONFIRM] = STR_INIT("confirm"),
    [LINK_RESET] = STR_INIT("reset"),
    [LINK_INVITE] = STR_INIT("invite"),
};

static int gone(struct error *err)
{
    return error_set(err, E_NOT_FOUND, "This link has been used, or its time is over.");
}

static struct link_row read_row(struct db_stmt *st, enum link_kind kind)
{
    return (struct link_row){
        .id = store_uuid(st, 0),
        .kind = kind,
        .person = store_uuid(st, 2),
        .email = db_text(st, 3),
        .created = {.us = db_i64(st, 4)},
        .expires = {.us = db_i64(st, 5)},
        .created_by = store_uuid(st, 6),
    };
}

static int visit_rows(struct db_stmt *st, enum link_kind kind, link_visit *visit, void *ctx,
                      struct error *err)
{
    int r;
    while ((r = db_step(st, err)) == DB_ROW) {
        struct link_row row = read_row(st, kind);
        r = visit(ctx, &row);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

static void bind_hash(struct db_stmt *st, int index, const struct pepper *pepper, struct str token,
                      struct secret_hash *room)
{
    *room = secret_hash_make(pepper, token);
    db_bind_blob(st, index, str_make((const char *)room->b, sizeof(room->b)));
}

int store_links_end_all(struct db *db, const struct uuid *person, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_END_ALL, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, person);
    return db_run(st, err);
}

int store_links_add(struct db *db, const struct pepper *pepper, const struct link_row *row,
                    struct link_token *ret_token, struct error *err)
{
    unsigned char bytes[32];
    struct link_token token;
    struct secret_hash hash;
    struct db_stmt *st;
    int r = store_links_sweep(db, row->created, err);
    if (r == 0 && !uuid_is_none(&row->person))
        r = store_links_end_all(db, &row->person, err);
    if (r == 0)
        r = db_stmt_get(db, SQL_ADD, &st, err);
    if (r != 0)
        return r;
    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2base64(token.p, sizeof(token.p), bytes, sizeof(bytes),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof(bytes));
    store_bind_uuid(st, 1, &row->id);
    db_bind_text(st, 2, KINDS[row->kind]);
    store_bind_uuid_or_null(st, 3, &row->person);
    store_bind_text(st, 4, row->email);
    db_bind_i64(st, 5, row->created.us);
    db_bind_i64(st, 6, row->expires.us);
    store_bind_uuid_or_null(st, 7, &row->created_by);
    bind_hash(st, 8, pepper, str_make(token.p, LINK_TOKEN_LEN), &hash);
    r = db_run(st, err);
    if (r == 0)
        *ret_token = token;
    sodium_memzero(&token, sizeof(token));
    return r;
}

struct finding {
    link_visit *visit;
    void *ctx;
    bool found;
};

static int show_found(void *ctx, const struct link_row *row)
{
    struct finding *finding = ctx;
    finding->found = true;
    return finding->visit(finding->ctx, row);
}

int store_links_find(struct db *db, const struct pepper *pepper, enum link_kind kind,
                     struct str token, struct wall now, link_visit *visit, void *ctx,
                     struct error *err)
{
    struct db_stmt *st;
    struct secret_hash hash;
    struct finding finding = {.visit = visit, .ctx = ctx};
    int r = db_stmt_get(db, SQL_FIND, &st, err);
    if (r != 0)
        return r;
    bind_hash(st, 1, pepper, token, &hash);
    db_bind_text(st, 2, KINDS[kind]);
    db_bind_i64(st, 3, now.us);
    r = visit_rows(st, kind, show_found, &finding, err);
    return r == 0 && !finding.found ? gone(err) : r;
}

int store_links_list(struct db *db, enum link_kind kind, struct wall now, link_visit *visit,
                     void *ctx, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_LIST, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, KINDS[kind]);
    db_bind_i64(st, 2, now.us);
    return visit_rows(st, kind, visit, ctx, err);
}

int store_links_remove(struct db *db, const struct uuid *id, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_REMOVE, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, id);
    r = db_run(st, err);
    return r == 0 && db_changes(db) == 0 ? gone(err) : r;
}

int store_links_sweep(struct db *db, struct wall now, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_SWEEP, &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, now.us);
    return db_run(st, err);
}
