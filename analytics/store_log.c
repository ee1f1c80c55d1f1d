/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/store_log.h"

/*
 * The filter is applied here and not by SQL: a walk must know where it stopped, also when nothing
 * was found, and must not go on without an end over rows that do not fit.
 */
#define COLUMNS "SELECT seq, time_us, status, reason, key, api, method FROM requests"
#define RANGE " seq > ?1 AND seq < ?2 ORDER BY seq"
#define OF_APP " INDEXED BY requests_app WHERE app = ?3 AND app <> '' AND"
static const char *const SQL_WALK[2][2] = {
    {COLUMNS " WHERE" RANGE, COLUMNS " WHERE" RANGE " DESC"},
    {COLUMNS OF_APP RANGE, COLUMNS OF_APP RANGE " DESC"},
};
/* over all runs, in the order of their numbers until the first that fits: at most some a second */
static const char SQL_FIRST[] = "SELECT first_seq FROM spans WHERE time_max_us >= ?1"
                                " ORDER BY first_seq LIMIT 1";
static const char SQL_LAST[] = "SELECT last_seq FROM spans WHERE time_min_us < ?1"
                               " ORDER BY first_seq DESC LIMIT 1";

static bool fits_text(struct str want, struct str value)
{
    return want.n == 0 || str_eq(want, value);
}

static bool fits_reason(const struct log_filter *f, struct str reason)
{
    switch (f->reasons) {
    case LOG_REASON_ANY:
        return true;
    case LOG_REASON_NONE:
        return reason.n == 0;
    case LOG_REASON_SOME:
        return reason.n > 0;
    case LOG_REASON_ONE:
        return str_eq(reason, f->reason);
    }
    return false;
}

static bool fits(const struct log_filter *f, struct db_stmt *st)
{
    int64_t time = db_i64(st, 1), status = db_i64(st, 2);
    if (time < f->since.us || (f->until.us > 0 && time >= f->until.us))
        return false;
    if (f->status_max > 0 && (status < f->status_min || status > f->status_max))
        return false;
    return fits_reason(f, db_text(st, 3)) && fits_text(f->key, db_text(st, 4)) &&
           fits_text(f->api, db_text(st, 5)) && fits_text(f->method, db_text(st, 6));
}

int store_log_walk(struct db *day, struct log_walk *walk, log_hit_visit *visit, void *ctx,
                   struct error *err)
{
    const struct log_filter *f = walk->filter;
    struct db_stmt *st;
    walk->looked = 0;
    walk->last = 0;
    int r = db_stmt_get(day, SQL_WALK[f->app.n > 0][walk->newest_first], &st, err);
    if (r != 0)
        return r;
    db_bind_u64(st, 1, walk->after);
    db_bind_u64(st, 2, walk->before);
    if (f->app.n > 0)
        db_bind_text(st, 3, f->app);
    while ((r = db_step(st, err)) == DB_ROW) {
        uint64_t seq = db_u64(st, 0);
        bool go_on = !fits(f, st) || visit(ctx, seq);
        if (++walk->looked == walk->look_max || !go_on) {
            walk->last = seq;
            r = 0;
            break;
        }
    }
    db_stmt_done(st);
    return r;
}

/* The number in the first row; 0 where there is none. */
static int read_seq(struct db *day, const char *sql, struct wall t, uint64_t *ret_seq,
                    struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(day, sql, &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, t.us);
    r = db_step(st, err);
    *ret_seq = r == DB_ROW ? db_u64(st, 0) : 0;
    db_stmt_done(st);
    return r < 0 ? r : 0;
}

int store_log_narrow(struct db *day, struct wall since, struct wall until, struct log_walk *walk,
                     struct error *err)
{
    uint64_t first = 0, last = 0;
    int r = 0;
    if (since.us > 0) {
        r = read_seq(day, SQL_FIRST, since, &first, err);
        if (r == 0 && first == 0)
            walk->before = 0; /* all of the day came earlier */
        else if (r == 0 && first > walk->after)
            walk->after = first - 1;
    }
    if (r == 0 && until.us > 0) {
        r = read_seq(day, SQL_LAST, until, &last, err);
        if (r == 0 && last + 1 < walk->before)
            walk->before = last + 1;
    }
    return r;
}
