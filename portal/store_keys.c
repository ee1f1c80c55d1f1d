/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/store_keys.h"

#include "base/buf.h"
#include "portal/store_text.h"

#define COLUMNS                                                                                    \
    "k.kid, k.hash, k.env, k.name, k.app, k.created_us, k.expires_us, k.state, k.revoked_us,"      \
    " k.rotated_from, k.allow, k.held"
#define SELECT "SELECT " COLUMNS ", '', '' FROM keys k"
#define SELECT_MORE                                                                                \
    "SELECT " COLUMNS ", p.email,"                                                                 \
    " (SELECT s.kid FROM keys s WHERE s.rotated_from = k.kid AND s.state <> 'revoked')"            \
    " FROM keys k LEFT JOIN people p ON p.id = k.created_by"

static const char SQL_INSERT[] = "INSERT INTO keys (kid, hash, env, name, app, created_us,"
                                 " expires_us, state, rotated_from, allow, created_by, wish)"
                                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
                                 " ON CONFLICT (kid) DO NOTHING";
static const char SQL_FIND[] = SELECT_MORE " WHERE k.kid = ?1";
static const char SQL_LIST[] = SELECT " WHERE k.kid > ?1"
                                      " ORDER BY k.kid"
                                      " LIMIT ?2";
static const char SQL_LIST_OF_APP[] = SELECT " WHERE k.kid > ?1 AND k.app = ?3"
                                             " ORDER BY k.kid"
                                             " LIMIT ?2";
static const char SQL_OF_APP[] = SELECT_MORE " WHERE k.app = ?3"
                                             " ORDER BY k.created_us DESC, k.kid DESC"
                                             " LIMIT ?2";
static const char SQL_OF_APP_AFTER[] = SELECT_MORE
    " WHERE k.app = ?3"
    " AND (k.created_us, k.kid) < (SELECT created_us, kid FROM keys WHERE kid = ?1 AND app = ?3)"
    " ORDER BY k.created_us DESC, k.kid DESC"
    " LIMIT ?2";
static const char SQL_SEARCH[] =
    SELECT_MORE " WHERE k.kid > ?1 AND (?3 = '' OR k.app = ?3)"
                " AND (k.kid LIKE ?4 ESCAPE '\\' OR k.name LIKE ?4 ESCAPE '\\'"
                " OR k.app LIKE ?4 ESCAPE '\\')"
                " ORDER BY k.kid"
                " LIMIT ?2";
static const char SQL_EXPIRING[] =
    "SELECT k.kid, k.name, k.app, a.title, k.created_us, k.expires_us, k.warned_days FROM keys k"
    " JOIN apps a ON a.name = k.app AND a.state <> 'deleted'"
    " WHERE k.expires_us IS NOT NULL AND k.state = 'active' AND k.expires_us > ?1"
    " AND k.expires_us <= ?2 AND NOT EXISTS (SELECT 1 FROM keys s WHERE s.rotated_from = k.kid)"
    " ORDER BY k.expires_us";
static const char SQL_WARNED[] = "UPDATE keys SET warned_days = ?2 WHERE kid = ?1";
static const char SQL_OF_WISH[] = "SELECT kid FROM keys WHERE app = ?1 AND wish = ?2";
static const char SQL_COUNT[] = "SELECT count(*) FROM keys WHERE app = ?1 AND state <> 'revoked'"
                                " AND (expires_us IS NULL OR expires_us > ?2)";
static const char SQL_CHANGE[] = "UPDATE keys SET name = coalesce(?2, name),"
                                 " expires_us = iif(?3, ?4, expires_us),"
                                 " allow = coalesce(?5, allow)"
                                 " WHERE kid = ?1 AND state <> 'revoked'";
static const char SQL_REVOKE[] = "UPDATE keys SET state = 'revoked', revoked_us = ?2"
                                 " WHERE kid = ?1 AND state <> 'revoked'";
/* ?3: by an operator, who holds the key with it, or lets it go. */
static const char SQL_SET_STATE[] = "UPDATE keys SET state = ?2,"
                                    " held = iif(?3, ?2 = 'disabled', held)"
                                    " WHERE kid = ?1 AND state <> 'revoked' AND (?3 OR held = 0)";
static const char SQL_SET_EXPIRES[] = "UPDATE keys SET expires_us = ?2"
                                      " WHERE kid = ?1";

/* Drawing a kid that exists is unlikely; twice in a row, something is broken. */
#define DRAWS_MAX 4

static const struct str STATES[] = {
    [KEY_ACTIVE] = STR_INIT("active"),
    [KEY_DISABLED] = STR_INIT("disabled"),
    [KEY_REVOKED] = STR_INIT("revoked"),
};

struct str key_state_name(enum key_state state)
{
    return STATES[state];
}

struct access_key_spec key_row_spec(const struct key_row *row)
{
    return (struct access_key_spec){
        .hash = row->hash,
        .kid = row->kid,
        .name = row->name,
        .app = row->app,
        .state = row->state,
        .expires = row->expires,
        .access = {.allow = row->allow},
    };
}

/* ---- reading ---- */

static int corrupt(struct db *db, struct db_stmt *st, const char *what, struct error *err)
{
    return error_set(err, E_CORRUPT, "%s: the key %" STR_FMT " has %s that is not ours",
                     db_path(db), STR_ARG(db_text(st, 0)), what);
}

static int read_state(struct str name, enum key_state *ret_state)
{
    for (size_t i = 0; i < ARRAY_LEN(STATES); i++) {
        if (str_eq(name, STATES[i])) {
            *ret_state = (enum key_state)i;
            return 0;
        }
    }
    return E_INVALID;
}

static int read_allow(struct str text, struct cidr items[static KEY_ALLOW_MAX],
                      struct cidr_set *ret_set)
{
    size_t count = 0;
    while (text.n > 0) {
        if (count == KEY_ALLOW_MAX || cidr_parse(str_cut(&text, ','), &items[count++]) != 0)
            return E_INVALID;
    }
    *ret_set = cidr_set_build(items, count);
    return 0;
}

/* The row the statement stands at. `allow` is where its networks are put. */
static int read_row(struct db *db, struct db_stmt *st, struct cidr allow[static KEY_ALLOW_MAX],
                    struct key_row *ret_row, struct error *err)
{
    struct key_row row = {
        .kid = db_text(st, 0),
        .name = db_text(st, 3),
        .app = db_text(st, 4),
        .created = {.us = db_i64(st, 5)},
        .expires = {.us = db_i64(st, 6)},
        .revoked = {.us = db_i64(st, 8)},
        .rotated_from = db_text(st, 9),
    };
    struct str hash = db_blob(st, 1);
    if (hash.n != SECRET_HASH_LEN)
        return corrupt(db, st, "a hash", err);
    memcpy(row.hash.b, hash.p, SECRET_HASH_LEN);
    if (key_env_find(db_text(st, 2), &row.env) != 0)
        return corrupt(db, st, "an environment", err);
    if (read_state(db_text(st, 7), &row.state) != 0)
        return corrupt(db, st, "a state", err);
    if (read_allow(db_text(st, 10), allow, &row.allow) != 0)
        return corrupt(db, st, "a list of networks", err);
    row.held = db_i64(st, 11) != 0;
    row.created_by = db_text(st, 12);
    row.successor = db_text(st, 13);
    *ret_row = row;
    return 0;
}

/* Visits the rows of a bound statement. */
static int visit_rows(struct db *db, struct db_stmt *st, key_visit *visit, void *ctx,
                      struct error *err)
{
    struct cidr allow[KEY_ALLOW_MAX];
    int r;
    while ((r = db_step(st, err)) == DB_ROW) {
        struct key_row row;
        r = read_row(db, st, allow, &row, err);
        if (r == 0)
            r = visit(ctx, &row);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

int store_keys_list(struct db *db, const struct key_page *page, key_visit *visit, void *ctx,
                    struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, page->app.n > 0 ? SQL_LIST_OF_APP : SQL_LIST, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, page->after);
    db_bind_i64(st, 2, page->limit > 0 ? (int64_t)page->limit : -1);
    if (page->app.n > 0)
        db_bind_text(st, 3, page->app);
    return visit_rows(db, st, visit, ctx, err);
}

int store_keys_of_app(struct db *db, const struct key_page *page, key_visit *visit, void *ctx,
                      struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, page->after.n > 0 ? SQL_OF_APP_AFTER : SQL_OF_APP, &st, err);
    if (r != 0)
        return r;
    if (page->after.n > 0)
        db_bind_text(st, 1, page->after);
    db_bind_i64(st, 2, page->limit > 0 ? (int64_t)page->limit : -1);
    db_bind_text(st, 3, page->app);
    return visit_rows(db, st, visit, ctx, err);
}

int store_keys_search(struct db *db, const struct key_page *page, key_visit *visit, void *ctx,
                      struct error *err)
{
    struct db_stmt *st;
    struct buf pattern;
    int r = db_stmt_get(db, SQL_SEARCH, &st, err);
    if (r != 0)
        return r;
    buf_init(&pattern, 4 * STORE_SEARCH_MAX);
    store_bind_text(st, 1, page->after);
    db_bind_i64(st, 2, page->limit > 0 ? (int64_t)page->limit : -1);
    store_bind_text(st, 3, page->app);
    db_bind_text(st, 4, store_like(&pattern, page->search));
    r = visit_rows(db, st, visit, ctx, err);
    buf_free(&pattern);
    return r;
}

int store_keys_count(struct db *db, struct str app, struct wall now, uint64_t *ret_count,
                     struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_COUNT, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, app);
    db_bind_i64(st, 2, now.us);
    r = db_step(st, err);
    if (r != DB_ROW)
        return r;
    *ret_count = db_u64(st, 0);
    db_stmt_done(st);
    return 0;
}

int store_keys_of_wish(struct db *db, struct str app, struct str client_wish,
                       char ret_kid[static KEY_KID_LEN + 1], struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_OF_WISH, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, app);
    db_bind_text(st, 2, client_wish);
    r = db_step(st, err);
    if (r != DB_ROW)
        return r == 0 ? E_NOT_FOUND : r;
    CHECK(str_copy(db_text(st, 0), ret_kid, KEY_KID_LEN + 1));
    db_stmt_done(st);
    return 0;
}

static int unknown_kid(struct str kid, struct error *err)
{
    return error_set(err, E_NOT_FOUND,
                     "there is no key %" STR_FMT "; `weir key list` shows those there are",
                     STR_ARG(kid));
}

/* Stands at the row of the key; the caller ends the statement where that went well. */
static int seek(struct db *db, struct str kid, struct db_stmt **ret_stmt, struct error *err)
{
    int r = db_stmt_get(db, SQL_FIND, ret_stmt, err);
    if (r != 0)
        return r;
    db_bind_text(*ret_stmt, 1, kid);
    r = db_step(*ret_stmt, err);
    return r == DB_ROW ? 0 : r == 0 ? unknown_kid(kid, err) : r;
}

int store_keys_find(struct db *db, struct str kid, key_visit *visit, void *ctx, struct error *err)
{
    struct db_stmt *st;
    struct cidr allow[KEY_ALLOW_MAX];
    struct key_row row;
    int r = seek(db, kid, &st, err);
    if (r != 0)
        return r;
    r = read_row(db, st, allow, &row, err);
    if (r == 0)
        r = visit(ctx, &row);
    db_stmt_done(st);
    return r;
}

/* ---- issuing ---- */

static int check_name(struct str name, struct error *err)
{
    if (name.n <= KEY_NAME_MAX && str_is_utf8(name))
        return 0;
    return error_set(err, E_INVALID, "the name of a key is at most %d bytes of UTF-8",
                     KEY_NAME_MAX);
}

static int check_allow(const struct cidr_set *allow, struct error *err)
{
    if (allow->count <= KEY_ALLOW_MAX)
        return 0;
    return error_set(err, E_INVALID, "a key has at most %d networks, not %zu", KEY_ALLOW_MAX,
                     allow->count);
}

static int check_wish(const struct key_wish *wish, struct error *err)
{
    if (wish->app.n == 0 || !str_is_utf8(wish->app))
        return error_set(err, E_INVALID, "a key needs an app to belong to");
    int r = check_name(wish->name, err);
    return r == 0 ? check_allow(&wish->allow, err) : r;
}

#define ALLOW_TEXT_MAX (KEY_ALLOW_MAX * CIDR_TEXT_MAX)

static void write_allow(const struct cidr_set *set, struct buf *out)
{
    for (size_t i = 0; i < set->count; i++) {
        char text[CIDR_TEXT_MAX];
        size_t n = cidr_format(set->items[i], text);
        if (i > 0)
            buf_add_char(out, ',');
        buf_add(out, text, n);
    }
}

/* What is the same at every draw. */
struct issue {
    const struct pepper *pepper;
    const struct key_wish *wish;
    struct str rotated_from; /* "" for none */
};

/* One draw; *ret_taken says that the kid was in use and nothing is written. */
static int insert_drawn(struct db *db, const struct issue *issue, const struct key_text *text,
                        bool *ret_taken, struct error *err)
{
    struct db_stmt *st;
    struct key_parsed parsed;
    char allow_text[ALLOW_TEXT_MAX];
    struct buf allow;
    CHECK(key_parse(key_text_str(text), &parsed) == KEY_OURS);
    struct secret_hash hash = secret_hash_make(issue->pepper, key_text_str(text));
    buf_init_fixed(&allow, allow_text, sizeof(allow_text));
    write_allow(&issue->wish->allow, &allow);
    CHECK(buf_finish(&allow) == 0);
    int r = db_stmt_get(db, SQL_INSERT, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, parsed.kid);
    db_bind_blob(st, 2, str_make((const char *)hash.b, sizeof(hash.b)));
    db_bind_text(st, 3, key_env_name(issue->wish->env));
    db_bind_text(st, 4, issue->wish->name);
    db_bind_text(st, 5, issue->wish->app);
    db_bind_i64(st, 6, issue->wish->now.us);
    store_bind_time(st, 7, issue->wish->expires);
    db_bind_text(st, 8, STATES[KEY_ACTIVE]);
    if (issue->rotated_from.n > 0)
        db_bind_text(st, 9, issue->rotated_from);
    else
        db_bind_null(st, 9);
    db_bind_text(st, 10, buf_str(&allow));
    store_bind_uuid_or_null(st, 11, &issue->wish->person);
    if (issue->wish->client_wish.n > 0)
        db_bind_text(st, 12, issue->wish->client_wish);
    else
        db_bind_null(st, 12);
    r = db_run(st, err);
    *ret_taken = r == 0 && db_changes(db) == 0;
    return r;
}

static int issue_key(struct db *db, const struct issue *issue, struct key_text *ret_text,
                     struct error *err)
{
    struct key_text text;
    bool taken = true;
    int r = check_wish(issue->wish, err);
    for (unsigned draws = 0; r == 0 && taken && draws < DRAWS_MAX; draws++) {
        key_generate(issue->wish->env, &text);
        r = insert_drawn(db, issue, &text, &taken, err);
    }
    if (r == 0 && taken)
        r = error_set(err, E_EXISTS, "%s: no free key id was found in %d draws", db_path(db),
                      DRAWS_MAX);
    if (r == 0)
        *ret_text = text;
    key_text_clear(&text);
    return r;
}

int store_keys_create(struct db *db, const struct pepper *pepper, const struct key_wish *wish,
                      struct key_text *ret_text, struct error *err)
{
    struct issue issue = {.pepper = pepper, .wish = wish};
    return issue_key(db, &issue, ret_text, err);
}

/* ---- changing ---- */

int store_keys_revoke(struct db *db, struct str kid, struct wall now, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_REVOKE, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, kid);
    db_bind_i64(st, 2, now.us);
    r = db_run(st, err);
    if (r != 0 || db_changes(db) > 0)
        return r;
    r = seek(db, kid, &st, err); /* revoked before, or unknown? */
    if (r == 0)
        db_stmt_done(st);
    return r;
}

/* Says why a change of the key found nothing to change. */
static int why_not(struct db *db, struct str kid, struct error *err)
{
    struct db_stmt *st;
    int r = seek(db, kid, &st, err);
    if (r != 0)
        return r;
    bool held = db_i64(st, 11) != 0 && !str_eq(db_text(st, 7), STATES[KEY_REVOKED]);
    db_stmt_done(st);
    if (held)
        return error_set(err, E_DENIED,
                         "the key %" STR_FMT " was switched off by an operator: ask them",
                         STR_ARG(kid));
    return error_set(err, E_INVALID,
                     "the key %" STR_FMT " is revoked, and that is for good: issue a new one",
                     STR_ARG(kid));
}

int store_keys_enable(struct db *db, struct str kid, bool enabled, enum key_hand hand,
                      struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_SET_STATE, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, kid);
    db_bind_text(st, 2, STATES[enabled ? KEY_ACTIVE : KEY_DISABLED]);
    db_bind_i64(st, 3, hand == KEY_BY_OPERATOR);
    r = db_run(st, err);
    return r == 0 && db_changes(db) == 0 ? why_not(db, kid, err) : r;
}

int store_keys_change(struct db *db, const struct key_change *change, struct error *err)
{
    struct db_stmt *st;
    char allow_text[ALLOW_TEXT_MAX];
    struct buf allow;
    int r = check_name(change->name, err);
    if (r == 0)
        r = check_allow(&change->allow, err);
    if (r == 0)
        r = db_stmt_get(db, SQL_CHANGE, &st, err);
    if (r != 0)
        return r;
    buf_init_fixed(&allow, allow_text, sizeof(allow_text));
    write_allow(&change->allow, &allow);
    CHECK(buf_finish(&allow) == 0);
    db_bind_text(st, 1, change->kid);
    if (change->name.p != NULL)
        db_bind_text(st, 2, change->name);
    else
        db_bind_null(st, 2);
    db_bind_i64(st, 3, change->set_expires);
    store_bind_time(st, 4, change->expires);
    if (change->set_allow)
        db_bind_text(st, 5, buf_str(&allow));
    else
        db_bind_null(st, 5);
    r = db_run(st, err);
    return r == 0 && db_changes(db) == 0 ? why_not(db, change->kid, err) : r;
}

struct rotating {
    const struct pepper *pepper;
    const struct key_rotation *rotation;
    struct key_text text;
};

static bool in_force(const struct key_row *row, struct wall now)
{
    return row->state == KEY_ACTIVE && (row->expires.us == 0 || now.us < row->expires.us);
}

static int expire_at(struct db *db, struct str kid, struct wall expires, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_SET_EXPIRES, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, kid);
    db_bind_i64(st, 2, expires.us);
    return db_run(st, err);
}

static int rotate_row(struct db *db, struct rotating *rotating, const struct key_row *old,
                      struct error *err)
{
    const struct key_rotation *rotation = rotating->rotation;
    struct wall now = rotation->now, end = {.us = now.us + rotation->overlap_us};
    if (!in_force(old, now))
        return error_set(err, E_INVALID,
                         "the key %" STR_FMT " is not in force any more: issue a new one",
                         STR_ARG(rotation->kid));
    struct key_wish wish = {.env = old->env,
                            .name = old->name,
                            .app = old->app,
                            .now = now,
                            .allow = old->allow,
                            .person = rotation->person,
                            .client_wish = rotation->client_wish};
    if (old->expires.us != 0) {
        wish.expires.us = now.us + (old->expires.us - old->created.us);
        if (old->expires.us < end.us)
            end = old->expires;
    }
    struct issue issue = {.pepper = rotating->pepper, .wish = &wish, .rotated_from = rotation->kid};
    int r = issue_key(db, &issue, &rotating->text, err);
    return r == 0 ? expire_at(db, rotation->kid, end, err) : r;
}

int store_keys_rotate(struct db *db, const struct pepper *pepper,
                      const struct key_rotation *rotation, struct key_text *ret_text,
                      struct error *err)
{
    struct rotating rotating = {.pepper = pepper, .rotation = rotation};
    struct db_stmt *st;
    struct cidr allow[KEY_ALLOW_MAX];
    struct key_row old;
    if (rotation->overlap_us < 0 || rotation->overlap_us > INT64_MAX - rotation->now.us)
        return error_set(err, E_INVALID, "the overlap of a rotation is no time that passes");
    int r = seek(db, rotation->kid, &st, err);
    if (r != 0)
        return r;
    r = read_row(db, st, allow, &old, err);
    if (r == 0)
        r = rotate_row(db, &rotating, &old, err);
    db_stmt_done(st);
    if (r == 0)
        *ret_text = rotating.text;
    key_text_clear(&rotating.text);
    return r;
}

/* --- expiry --- */

int store_keys_expiring(struct db *db, struct wall now, struct wall until, key_expiry_visit *visit,
                        void *ctx, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_EXPIRING, &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, now.us);
    db_bind_i64(st, 2, until.us);
    while ((r = db_step(st, err)) == DB_ROW) {
        struct key_expiry expiry = {.kid = db_text(st, 0),
                                    .name = db_text(st, 1),
                                    .app = db_text(st, 2),
                                    .app_title = db_text(st, 3),
                                    .created = {.us = db_i64(st, 4)},
                                    .expires = {.us = db_i64(st, 5)},
                                    .warned_days = (uint32_t)db_i64(st, 6)};
        r = visit(ctx, &expiry);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

int store_keys_warned(struct db *db, struct str kid, uint32_t days, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_WARNED, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, kid);
    db_bind_i64(st, 2, days);
    return db_run(st, err);
}
