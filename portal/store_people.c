/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/store_people.h"

#include "portal/store_text.h"

#define COLUMNS                                                                                    \
    "id, email, name, password, state, operator, locale, time_zone, created_us, signed_in_us"

static const char SQL_FIND[] = "SELECT " COLUMNS " FROM people"
                               " WHERE email = ?1";
static const char SQL_GET[] = "SELECT " COLUMNS " FROM people"
                              " WHERE id = ?1";
static const char SQL_LIST[] = "SELECT " COLUMNS " FROM people"
                               " WHERE email > ?1"
                               " ORDER BY email"
                               " LIMIT ?2";
static const char SQL_SEARCH[] = "SELECT " COLUMNS " FROM people"
                                 " WHERE email > ?1"
                                 " AND (email LIKE ?3 ESCAPE '\\' OR name LIKE ?3 ESCAPE '\\')"
                                 " ORDER BY email"
                                 " LIMIT ?2";
static const char SQL_INSERT[] = "INSERT INTO people (" COLUMNS ")"
                                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '', ?8, NULL)"
                                 " ON CONFLICT (email) DO NOTHING";
static const char SQL_INSERT_TEAM[] = "INSERT INTO teams (id, name, created_us)"
                                      " VALUES (?1, ?2, ?3)";
static const char SQL_INSERT_MEMBER[] = "INSERT INTO members (team, person, role, joined_us)"
                                        " VALUES (?1, ?2, 'owner', ?3)";
static const char SQL_SET_PASSWORD[] = "UPDATE people SET password = ?2"
                                       " WHERE id = ?1";
static const char SQL_SET_STATE[] = "UPDATE people SET state = ?2"
                                    " WHERE id = ?1";
static const char SQL_SET_OPERATOR[] = "UPDATE people SET operator = ?2"
                                       " WHERE id = ?1";
static const char SQL_SIGNED_IN[] = "UPDATE people SET signed_in_us = ?2"
                                    " WHERE id = ?1";
static const char SQL_DESCRIBE[] = "UPDATE people SET name = coalesce(?2, name),"
                                   " locale = coalesce(?3, locale),"
                                   " time_zone = coalesce(?4, time_zone)"
                                   " WHERE id = ?1";
static const char SQL_MEMBER[] = "SELECT m.role FROM apps a"
                                 " JOIN members m ON m.team = a.team AND m.person = ?1"
                                 " WHERE a.name = ?2 AND a.state <> 'deleted'";
static const char SQL_OF_APP[] = "SELECT p.id, email, p.name, password, p.state, operator, locale,"
                                 " time_zone, p.created_us, signed_in_us FROM apps a"
                                 " JOIN members m ON m.team = a.team"
                                 " JOIN people p ON p.id = m.person"
                                 " WHERE a.name = ?1 AND a.state <> 'deleted'"
                                 " AND m.role <> 'viewer' AND p.state = 'active'";
static const char SQL_TEAM[] = "SELECT team FROM members"
                               " WHERE person = ?1 AND role = 'owner'"
                               " ORDER BY team"
                               " LIMIT 1";
static const char SQL_COUNT[] = "SELECT count(*), coalesce(sum(operator), 0) FROM people";
static const char SQL_HAS_OPERATOR[] = "SELECT 1 FROM people"
                                       " WHERE operator = 1 AND state = 'active'"
                                       " LIMIT 1";

static const struct str STATES[] = {
    [PERSON_UNCONFIRMED] = STR_INIT("unconfirmed"),
    [PERSON_ACTIVE] = STR_INIT("active"),
    [PERSON_SUSPENDED] = STR_INIT("suspended"),
};

struct str person_state_name(enum person_state state)
{
    return STATES[state];
}

/* ---- reading ---- */

static enum person_state state_of(struct str name)
{
    return (enum person_state)store_name_index(STATES, ARRAY_LEN(STATES), name);
}

static int visit_rows(struct db_stmt *st, person_visit *visit, void *ctx, bool *ret_found,
                      struct error *err)
{
    int r;
    while ((r = db_step(st, err)) == DB_ROW) {
        struct person_row row = {
            .id = store_uuid(st, 0),
            .email = db_text(st, 1),
            .name = db_text(st, 2),
            .password = db_text(st, 3),
            .state = state_of(db_text(st, 4)),
            .is_operator = db_i64(st, 5) != 0,
            .locale = db_text(st, 6),
            .time_zone = db_text(st, 7),
            .created = {.us = db_i64(st, 8)},
            .signed_in = {.us = db_i64(st, 9)},
        };
        *ret_found = true;
        r = visit(ctx, &row);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

static int unknown_person(struct error *err)
{
    return error_set(err, E_NOT_FOUND, "there is no such account");
}

int store_people_find(struct db *db, struct str email, person_visit *visit, void *ctx,
                      struct error *err)
{
    struct db_stmt *st;
    bool found = false;
    int r = db_stmt_get(db, SQL_FIND, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, email);
    r = visit_rows(st, visit, ctx, &found, err);
    return r == 0 && !found ? unknown_person(err) : r;
}

int store_people_get(struct db *db, const struct uuid *id, person_visit *visit, void *ctx,
                     struct error *err)
{
    struct db_stmt *st;
    bool found = false;
    int r = db_stmt_get(db, SQL_GET, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, id);
    r = visit_rows(st, visit, ctx, &found, err);
    return r == 0 && !found ? unknown_person(err) : r;
}

int store_people_list(struct db *db, const struct people_page *page, person_visit *visit, void *ctx,
                      struct error *err)
{
    struct db_stmt *st;
    struct buf pattern;
    bool found;
    int r = db_stmt_get(db, page->search.n > 0 ? SQL_SEARCH : SQL_LIST, &st, err);
    if (r != 0)
        return r;
    buf_init(&pattern, 4 * STORE_SEARCH_MAX);
    store_bind_text(st, 1, page->after);
    db_bind_i64(st, 2, page->limit);
    if (page->search.n > 0)
        db_bind_text(st, 3, store_like(&pattern, page->search));
    r = visit_rows(st, visit, ctx, &found, err);
    buf_free(&pattern);
    return r;
}

int store_people_member(struct db *db, const struct uuid *person, struct str app,
                        enum member *ret_member, struct error *err)
{
    static const struct str ROLES[] = {
        [MEMBER_NONE] = STR_INIT(""),
        [MEMBER_VIEWER] = STR_INIT("viewer"),
        [MEMBER_DEVELOPER] = STR_INIT("developer"),
        [MEMBER_ADMIN] = STR_INIT("admin"),
        [MEMBER_OWNER] = STR_INIT("owner"),
    };
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_MEMBER, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, person);
    db_bind_text(st, 2, app);
    enum member member = MEMBER_NONE;
    r = db_step(st, err);
    if (r == DB_ROW) {
        struct str role = db_text(st, 0);
        for (size_t i = 0; i < ARRAY_LEN(ROLES); i++) {
            if (str_eq(role, ROLES[i]))
                member = (enum member)i;
        }
        db_stmt_done(st);
        r = 0;
    }
    *ret_member = member;
    return r;
}

int store_people_of_app(struct db *db, struct str app, person_visit *visit, void *ctx,
                        struct error *err)
{
    struct db_stmt *st;
    bool found;
    int r = db_stmt_get(db, SQL_OF_APP, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, app);
    return visit_rows(st, visit, ctx, &found, err);
}

int store_people_team(struct db *db, const struct uuid *person, struct uuid *ret_team,
                      struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_TEAM, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, person);
    r = db_step(st, err);
    if (r == 0)
        return error_set(err, E_NOT_FOUND, "this account has no team of its own");
    if (r != DB_ROW)
        return r;
    *ret_team = store_uuid(st, 0);
    db_stmt_done(st);
    return 0;
}

int store_people_count(struct db *db, uint64_t *ret_people, uint64_t *ret_operators,
                       struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_COUNT, &st, err);
    if (r != 0)
        return r;
    r = db_step(st, err);
    if (r != DB_ROW)
        return r;
    *ret_people = db_u64(st, 0);
    *ret_operators = db_u64(st, 1);
    db_stmt_done(st);
    return 0;
}

int store_people_has_operator(struct db *db, bool *ret_there, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_HAS_OPERATOR, &st, err);
    if (r != 0)
        return r;
    r = db_step(st, err);
    *ret_there = r == DB_ROW;
    if (r == DB_ROW)
        db_stmt_done(st);
    return r == DB_ROW ? 0 : r;
}

/* ---- changing ---- */

static int create_team(struct db *db, const struct person_wish *wish, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_INSERT_TEAM, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, &wish->team);
    db_bind_text(st, 2, wish->name);
    db_bind_i64(st, 3, wish->now.us);
    r = db_run(st, err);
    if (r == 0)
        r = db_stmt_get(db, SQL_INSERT_MEMBER, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, &wish->team);
    store_bind_uuid(st, 2, &wish->id);
    db_bind_i64(st, 3, wish->now.us);
    return db_run(st, err);
}

int store_people_create(struct db *db, const struct person_wish *wish, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_INSERT, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, &wish->id);
    db_bind_text(st, 2, wish->email);
    db_bind_text(st, 3, wish->name);
    db_bind_text(st, 4, wish->password);
    db_bind_text(st, 5, STATES[wish->state]);
    db_bind_i64(st, 6, wish->is_operator);
    store_bind_text(st, 7, wish->locale);
    db_bind_i64(st, 8, wish->now.us);
    r = db_run(st, err);
    if (r == 0 && db_changes(db) == 0)
        return error_set(err, E_EXISTS, "the address %" STR_FMT " has an account already",
                         STR_ARG(wish->email));
    return r == 0 ? create_team(db, wish, err) : r;
}

/* Runs a bound statement that must change one account. */
static int change_person(struct db *db, struct db_stmt *st, struct error *err)
{
    int r = db_run(st, err);
    return r == 0 && db_changes(db) == 0 ? unknown_person(err) : r;
}

static int set_text(struct db *db, const char *sql, const struct uuid *id, struct str text,
                    struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, sql, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, id);
    db_bind_text(st, 2, text);
    return change_person(db, st, err);
}

static int set_number(struct db *db, const char *sql, const struct uuid *id, int64_t number,
                      struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, sql, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, id);
    db_bind_i64(st, 2, number);
    return change_person(db, st, err);
}

int store_people_set_password(struct db *db, const struct uuid *id, struct str password,
                              struct error *err)
{
    return set_text(db, SQL_SET_PASSWORD, id, password, err);
}

int store_people_set_state(struct db *db, const struct uuid *id, enum person_state state,
                           struct error *err)
{
    return set_text(db, SQL_SET_STATE, id, STATES[state], err);
}

int store_people_set_operator(struct db *db, const struct uuid *id, bool is_operator,
                              struct error *err)
{
    return set_number(db, SQL_SET_OPERATOR, id, is_operator, err);
}

int store_people_signed_in(struct db *db, const struct uuid *id, struct wall now, struct error *err)
{
    return set_number(db, SQL_SIGNED_IN, id, now.us, err);
}

static void bind_or_null(struct db_stmt *st, int index, struct str text)
{
    if (text.p != NULL)
        db_bind_text(st, index, text);
    else
        db_bind_null(st, index);
}

int store_people_describe(struct db *db, const struct uuid *id, struct str name, struct str locale,
                          struct str time_zone, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_DESCRIBE, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, id);
    bind_or_null(st, 2, name);
    bind_or_null(st, 3, locale);
    bind_or_null(st, 4, time_zone);
    return change_person(db, st, err);
}
