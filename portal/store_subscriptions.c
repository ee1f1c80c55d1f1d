/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/store_subscriptions.h"

#include "portal/store_text.h"

#define SELECT                                                                                     \
    "SELECT s.id, s.app, a.title, s.plan, a.team, t.name, s.state, s.asked_us, s.decided_us,"      \
    " p.email, o.email, s.note"                                                                    \
    " FROM subscriptions s JOIN apps a ON a.name = s.app JOIN teams t ON t.id = a.team"            \
    " LEFT JOIN people p ON p.id = s.asked_by LEFT JOIN people o ON o.id = s.decided_by"

static const char SQL_FIND[] = SELECT " WHERE s.id = ?1";
static const char SQL_LAST[] = SELECT " WHERE s.app = ?1"
                                      " ORDER BY s.asked_us DESC, s.id DESC"
                                      " LIMIT 1";
static const char SQL_WAITING[] = SELECT " WHERE s.state = 'pending' AND s.id > ?1"
                                         " ORDER BY s.id"
                                         " LIMIT ?2";
static const char SQL_CURRENT[] = "SELECT plan FROM subscriptions WHERE app = ?1 AND state = ?2";
static const char SQL_INSERT[] = "INSERT INTO subscriptions (id, app, plan, state, asked_us,"
                                 " asked_by, decided_us, note)"
                                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '')";
static const char SQL_CLOSE[] = "UPDATE subscriptions SET state = ?3, decided_us = ?4"
                                " WHERE app = ?1 AND state = ?2";
static const char SQL_DECIDE[] = "UPDATE subscriptions SET state = ?2, decided_us = ?3,"
                                 " decided_by = ?4, note = ?5"
                                 " WHERE id = ?1";

static const struct str STATES[] = {
    [SUBSCRIPTION_PENDING] = STR_INIT("pending"),
    [SUBSCRIPTION_ACTIVE] = STR_INIT("active"),
    [SUBSCRIPTION_REJECTED] = STR_INIT("rejected"),
    [SUBSCRIPTION_WITHDRAWN] = STR_INIT("withdrawn"),
    [SUBSCRIPTION_ENDED] = STR_INIT("ended"),
};

struct str subscription_state_name(enum subscription_state state)
{
    return STATES[state];
}

/* ---- reading ---- */

static enum subscription_state state_of(struct str name)
{
    return (enum subscription_state)store_name_index(STATES, ARRAY_LEN(STATES), name);
}

static int visit_rows(struct db_stmt *st, subscription_visit *visit, void *ctx, struct error *err)
{
    int r;
    while ((r = db_step(st, err)) == DB_ROW) {
        struct subscription_row row = {
            .id = store_uuid(st, 0),
            .app = db_text(st, 1),
            .app_title = db_text(st, 2),
            .plan = db_text(st, 3),
            .team = store_uuid(st, 4),
            .team_name = db_text(st, 5),
            .state = state_of(db_text(st, 6)),
            .asked = {.us = db_i64(st, 7)},
            .decided = {.us = db_i64(st, 8)},
            .asked_by = db_text(st, 9),
            .decided_by = db_text(st, 10),
            .note = db_text(st, 11),
        };
        r = visit(ctx, &row);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

struct finding {
    subscription_visit *visit;
    void *ctx;
    bool found;
};

static int show_found(void *ctx, const struct subscription_row *row)
{
    struct finding *finding = ctx;
    finding->found = true;
    return finding->visit(finding->ctx, row);
}

int store_subscriptions_find(struct db *db, const struct uuid *id, subscription_visit *visit,
                             void *ctx, struct error *err)
{
    struct db_stmt *st;
    struct finding finding = {.visit = visit, .ctx = ctx};
    int r = db_stmt_get(db, SQL_FIND, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, id);
    r = visit_rows(st, show_found, &finding, err);
    return r == 0 && !finding.found ? error_set(err, E_NOT_FOUND, "there is no such subscription")
                                    : r;
}

int store_subscriptions_last(struct db *db, struct str app, subscription_visit *visit, void *ctx,
                             struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_LAST, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, app);
    return visit_rows(st, visit, ctx, err);
}

int store_subscriptions_waiting(struct db *db, const struct subscription_page *page,
                                subscription_visit *visit, void *ctx, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_WAITING, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, &page->after);
    db_bind_i64(st, 2, page->limit);
    return visit_rows(st, visit, ctx, err);
}

/* ---- changing ---- */

/* Whether the app's subscription of that state is for this plan. */
static int is_current(struct db *db, const struct subscription_wish *wish,
                      enum subscription_state state, bool *ret_is, struct error *err)
{
    struct db_stmt *st;
    *ret_is = false;
    int r = db_stmt_get(db, SQL_CURRENT, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, wish->app);
    db_bind_text(st, 2, STATES[state]);
    r = db_step(st, err);
    if (r != DB_ROW)
        return r;
    *ret_is = str_eq(db_text(st, 0), wish->plan);
    db_stmt_done(st);
    return 0;
}

/* Ends the app's subscription of state `from`, if there is one. */
static int close_one(struct db *db, struct str app, enum subscription_state from, struct wall now,
                     struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_CLOSE, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, app);
    db_bind_text(st, 2, STATES[from]);
    db_bind_text(st, 3,
                 STATES[from == SUBSCRIPTION_ACTIVE ? SUBSCRIPTION_ENDED : SUBSCRIPTION_WITHDRAWN]);
    db_bind_i64(st, 4, now.us);
    return db_run(st, err);
}

static int insert(struct db *db, const struct subscription_wish *wish, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_INSERT, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, &wish->id);
    db_bind_text(st, 2, wish->app);
    db_bind_text(st, 3, wish->plan);
    db_bind_text(st, 4, STATES[wish->automatic ? SUBSCRIPTION_ACTIVE : SUBSCRIPTION_PENDING]);
    db_bind_i64(st, 5, wish->now.us);
    store_bind_uuid_or_null(st, 6, &wish->person);
    if (wish->automatic)
        db_bind_i64(st, 7, wish->now.us);
    else
        db_bind_null(st, 7);
    return db_run(st, err);
}

int store_subscriptions_ask(struct db *db, const struct subscription_wish *wish,
                            enum subscription_outcome *ret_outcome, struct error *err)
{
    bool active, pending;
    *ret_outcome = SUBSCRIPTION_UNCHANGED;
    int r = is_current(db, wish, SUBSCRIPTION_ACTIVE, &active, err);
    if (r == 0)
        r = is_current(db, wish, SUBSCRIPTION_PENDING, &pending, err);
    if (r != 0 || (pending && !wish->automatic))
        return r;
    r = close_one(db, wish->app, SUBSCRIPTION_PENDING, wish->now, err);
    if (r != 0 || active)
        return r;
    if (wish->automatic)
        r = close_one(db, wish->app, SUBSCRIPTION_ACTIVE, wish->now, err);
    if (r == 0)
        r = insert(db, wish, err);
    *ret_outcome = wish->automatic ? SUBSCRIPTION_BEGUN : SUBSCRIPTION_ASKED;
    return r;
}

int store_subscriptions_withdraw(struct db *db, struct str app, struct wall now, bool *ret_done,
                                 struct error *err)
{
    int r = close_one(db, app, SUBSCRIPTION_PENDING, now, err);
    *ret_done = r == 0 && db_changes(db) > 0;
    return r;
}

struct deciding {
    struct db *db;
    const struct subscription_decision *decision;
    struct error *err;
};

static int close_former(void *ctx, const struct subscription_row *row)
{
    struct deciding *d = ctx;
    if (row->state != SUBSCRIPTION_PENDING)
        return error_set(d->err, E_INVALID, "this wish does not wait any more: it is %" STR_FMT,
                         STR_ARG(STATES[row->state]));
    return d->decision->approved
               ? close_one(d->db, row->app, SUBSCRIPTION_ACTIVE, d->decision->now, d->err)
               : 0;
}

int store_subscriptions_decide(struct db *db, const struct subscription_decision *decision,
                               struct error *err)
{
    struct db_stmt *st;
    struct deciding deciding = {.db = db, .decision = decision, .err = err};
    int r = store_subscriptions_find(db, &decision->id, close_former, &deciding, err);
    if (r == 0)
        r = db_stmt_get(db, SQL_DECIDE, &st, err);
    if (r != 0)
        return r;
    store_bind_uuid(st, 1, &decision->id);
    db_bind_text(st, 2, STATES[decision->approved ? SUBSCRIPTION_ACTIVE : SUBSCRIPTION_REJECTED]);
    db_bind_i64(st, 3, decision->now.us);
    store_bind_uuid_or_null(st, 4, &decision->person);
    store_bind_text(st, 5, decision->note);
    return db_run(st, err);
}
