/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/store_apps.h"

#include "portal/store_text.h"

#include <sodium.h>

#define COLUMNS                                                                                    \
    "a.name, a.title, a.description, a.team, t.name, a.state, a.state_note, a.created_us,"         \
    " s.plan, s.decided_us, s.note, w.plan, w.asked_us,"                                           \
    " (SELECT count(*) FROM keys k WHERE k.app = a.name AND k.state = 'active'"                    \
    " AND (k.expires_us IS NULL OR k.expires_us > unixepoch() * 1000000))"
#define FROM                                                                                       \
    " FROM apps a JOIN teams t ON t.id = a.team"                                                   \
    " LEFT JOIN subscriptions s ON s.app = a.name AND s.state = 'active'"                          \
    " LEFT JOIN subscriptions w ON w.app = a.name AND w.state = 'pending'"

static const char SQL_FIND[] = "SELECT " COLUMNS FROM " WHERE a.name = ?1";
static const char SQL_EACH[] = "SELECT " COLUMNS FROM " WHERE a.state <> 'deleted'";
static const char SQL_OF_PERSON[] =
    "SELECT " COLUMNS FROM " WHERE a.team IN (SELECT team FROM members WHERE person = ?1)"
    " AND a.state <> 'deleted' AND a.name > ?2"
    " ORDER BY a.name"
    " LIMIT ?3";
static const char SQL_COUNT[] = "SELECT count(*) FILTER (WHERE state <> 'deleted'), count(*)"
                                " FROM apps WHERE team = ?1";
static const char SQL_LIST[] = "SELECT " COLUMNS FROM " WHERE a.name > ?1 AND a.state <> 'deleted'"
                               " ORDER BY a.name"
                               " LIMIT ?2";
static const char SQL_SEARCH[] =
    "SELECT " COLUMNS FROM " WHERE a.name > ?1 AND a.state <> 'deleted'"
    " AND (a.name LIKE ?3 ESCAPE '\\' OR a.title LIKE ?3 ESCAPE '\\'"
    " OR t.name LIKE ?3 ESCAPE '\\')"
    " ORDER BY a.name"
    " LIMIT ?2";
static const char SQL_INSERT[] = "INSERT INTO apps (name, team, title, description, state,"
                                 " state_note, created_us, created_by)"
                                 " VALUES (?1, ?2, ?3, ?4, 'active', '', ?5, ?6)"
                                 " ON CONFLICT (name) DO NOTHING";
static const char SQL_DESCRIBE[] = "UPDATE apps SET title = coalesce(?2, title),"
                                   " description = coalesce(?3, description)"
                                   " WHERE name = ?1 AND state <> 'deleted'";
static const char SQL_SET_STATE[] = "UPDATE apps SET state = ?2, state_note = ?3"
                                    " WHERE name = ?1 AND state <> 'deleted'";
static const char SQL_REVOKE_KEYS[] = "UPDATE keys SET state = 'revoked', revoked_us = ?2"
                                      " WHERE app = ?1 AND state <> 'revoked'";
static const char SQL_END_SUBSCRIPTIONS[] =
    "UPDATE subscriptions"
    " SET state = CASE state WHEN 'active' THEN 'ended' ELSE 'withdrawn' END, decided_us = ?2"
    " WHERE app = ?1 AND state IN ('active', 'pending')";

#define DRAWS_MAX 4
#define SUFFIX_LEN 4
#define SLUG_MAX (APP_NAME_MAX - SUFFIX_LEN - 1)

static const struct str STATES[] = {
    [APP_ACTIVE] = STR_INIT("active"),
    [APP_SUSPENDED] = STR_INIT("suspended"),
    [APP_DELETED] = STR_INIT("deleted"),
};

struct str app_state_name(enum app_state state)
{
    return STATES[state];
}

struct access_app_spec app_row_spec(const struct app_row *row)
{
    return (struct access_app_spec){
        .name = row->name,
        .plan = row->plan,
        .suspended = row->state != APP_ACTIVE,
        .pending = row->pending_plan.n > 0,
    };
}

/* ---- reading ---- */

static enum app_state state_of(struct str name)
{
    return (enum app_state)store_name_index(STATES, ARRAY_LEN(STATES), name);
}

static int visit_rows(struct db_stmt *st, app_visit *visit, void *ctx, struct error *err)
{
    int r;
    while ((r = db_step(st, err)) == DB_ROW) {
        struct app_row row = {
            .name = db_text(st, 0),
            .title = db_text(st, 1),
            .description = db_text(st, 2),
            .team = store_uuid(st, 3),
            .team_name = db_text(st, 4),
            .state = state_of(db_text(st, 5)),
            .state_note = db_text(st, 6),
            .created = {.us = db_i64(st, 7)},
            .plan = db_text(st, 8),
            .plan_since = {.us = db_i64(st, 9)},
            .plan_note = db_text(st, 10),
            .pending_plan = db_text(st, 11),
            .asked = {.us = db_i64(st, 12)},
            .active_keys = db_u64(st, 13),
        };
        r = visit(ctx, &row);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

struct finding {
    app_visit *visit;
    void *ctx;
    bool found;
};

static int show_found(void *ctx, const struct app_row *row)
{
    struct finding *finding = ctx;
    finding->found = true;
    return finding->visit(finding->ctx, row);
}

static int unknown_app(struct str name, struct error *err)
{
    return error_set(err, E_NOT_FOUND, "there is no app %" STR_FMT, STR_ARG(name));
}

int store_apps_find(struct db *db, struct str name, app_visit *visit, void *ctx, struct error *err)
{
    struct db_stmt *st;
    struct finding finding = {.visit = visit, .ctx = ctx};
    int r = db_stmt_get(db, SQL_FIND, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, name);
    r = visit_rows(st, show_found, &finding, err);
    return r == 0 && !finding.found ? unknown_app(name, err) : r;
}

int store_apps_each(struct db *db, app_visit *visit, void *ctx, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_EACH, &st, err);
    return r == 0 ? visit_rows(st, visit, ctx, err) : r;
}

int store_apps_of_person(struct db *db, const struct uuid *person, const struct app_page *page,
                         app_visit *visit, void *ctx, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_OF_PERSON, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, person);
    store_bind_text(st, 2, page->after);
    db_bind_i64(st, 3, page->limit);
    return visit_rows(st, visit, ctx, err);
}

int store_apps_count(struct db *db, const struct uuid *team, uint64_t *ret_there,
                     uint64_t *ret_ever, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_COUNT, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, team);
    r = db_step(st, err);
    if (r != DB_ROW)
        return r;
    *ret_there = db_u64(st, 0);
    *ret_ever = db_u64(st, 1);
    db_stmt_done(st);
    return 0;
}

int store_apps_list(struct db *db, const struct app_page *page, app_visit *visit, void *ctx,
                    struct error *err)
{
    struct db_stmt *st;
    struct buf pattern;
    int r = db_stmt_get(db, page->search.n > 0 ? SQL_SEARCH : SQL_LIST, &st, err);
    if (r != 0)
        return r;
    buf_init(&pattern, 4 * STORE_SEARCH_MAX);
    store_bind_text(st, 1, page->after);
    db_bind_i64(st, 2, page->limit);
    if (page->search.n > 0)
        db_bind_text(st, 3, store_like(&pattern, page->search));
    r = visit_rows(st, visit, ctx, err);
    buf_free(&pattern);
    return r;
}

/* ---- changing ---- */

/* "Orders & Returns" to "orders-returns-k3f9". What has no letter we keep becomes "app-k3f9". */
static void make_name(struct str title, char out[static APP_NAME_MAX + 1])
{
    static const char ALPHABET[] = "23456789abcdefghjkmnpqrstuvwxyz";
    size_t n = 0;
    for (size_t i = 0; i < title.n && n < SLUG_MAX; i++) {
        char c = str_lower_char(title.p[i]);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out[n++] = c;
        else if (n > 0 && out[n - 1] != '-')
            out[n++] = '-';
    }
    if (n == 0) {
        memcpy(out, "app-", 4);
        n = 4;
    } else if (out[n - 1] != '-') {
        out[n++] = '-';
    }
    for (unsigned i = 0; i < SUFFIX_LEN; i++)
        out[n++] = ALPHABET[randombytes_uniform(sizeof(ALPHABET) - 1)];
    out[n] = '\0';
}

static int insert(struct db *db, const struct app_wish *wish, const char *name, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_INSERT, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, str_from(name));
    store_bind_uuid(st, 2, &wish->team);
    db_bind_text(st, 3, wish->title);
    store_bind_text(st, 4, wish->description);
    db_bind_i64(st, 5, wish->now.us);
    store_bind_uuid(st, 6, &wish->person);
    return db_run(st, err);
}

int store_apps_create(struct db *db, const struct app_wish *wish,
                      char ret_name[static APP_NAME_MAX + 1], struct error *err)
{
    for (unsigned draws = 0; draws < DRAWS_MAX; draws++) {
        char name[APP_NAME_MAX + 1];
        make_name(wish->title, name);
        int r = insert(db, wish, name, err);
        if (r != 0)
            return r;
        if (db_changes(db) > 0) {
            str_copy(str_from(name), ret_name, sizeof(name));
            return 0;
        }
    }
    return error_set(err, E_EXISTS, "%s: no free name for an app was found in %d draws",
                     db_path(db), DRAWS_MAX);
}

/* Runs a bound statement that must change the app. */
static int change_app(struct db *db, struct db_stmt *st, struct str name, struct error *err)
{
    int r = db_run(st, err);
    return r == 0 && db_changes(db) == 0 ? unknown_app(name, err) : r;
}

static void bind_or_null(struct db_stmt *st, int index, struct str s)
{
    if (s.p != NULL)
        db_bind_text(st, index, s);
    else
        db_bind_null(st, index);
}

int store_apps_describe(struct db *db, struct str name, struct str title, struct str description,
                        struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_DESCRIBE, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, name);
    bind_or_null(st, 2, title);
    bind_or_null(st, 3, description);
    return change_app(db, st, name, err);
}

static int set_state(struct db *db, struct str name, enum app_state state, struct str note,
                     struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_SET_STATE, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, name);
    db_bind_text(st, 2, STATES[state]);
    db_bind_text(st, 3, note.p != NULL ? note : STR(""));
    return change_app(db, st, name, err);
}

int store_apps_suspend(struct db *db, struct str name, bool suspended, struct str note,
                       struct error *err)
{
    return set_state(db, name, suspended ? APP_SUSPENDED : APP_ACTIVE, note, err);
}

static int end_all(struct db *db, const char *sql, struct str name, struct wall now,
                   struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, sql, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, name);
    db_bind_i64(st, 2, now.us);
    return db_run(st, err);
}

int store_apps_delete(struct db *db, struct str name, struct wall now, struct error *err)
{
    int r = set_state(db, name, APP_DELETED, STR_EMPTY, err);
    if (r == 0)
        r = end_all(db, SQL_REVOKE_KEYS, name, now, err);
    if (r == 0)
        r = end_all(db, SQL_END_SUBSCRIPTIONS, name, now, err);
    return r;
}
