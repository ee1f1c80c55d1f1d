/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/store_apps.h"

/* CROSS JOIN is SQLite's word for: in this order. The few series of an app lead to its cells. */
#define CELL_COLUMNS                                                                               \
    "SELECT begin_us, api, status, reason, requests, bytes_in, bytes_out, duration_us FROM "
#define OF_APP(table, level)                                                                       \
    table "_series CROSS JOIN " table "_" level " INDEXED BY " table "_" level "_series"           \
          " ON series = id WHERE app = ?3 AND begin_us >= ?1 AND begin_us < ?2"
#define OF_ALL(table, level)                                                                       \
    table "_" level " CROSS JOIN " table "_series ON id = series"                                  \
          " WHERE begin_us >= ?1 AND begin_us < ?2"
#define SUM(level)                                                                                 \
    "SELECT app, status, reason, sum(requests), sum(bytes_in), sum(bytes_out)"                     \
    " FROM " OF_ALL("apps", level) " GROUP BY app, status, reason"
#define FIRST_OF_APP(level)                                                                        \
    "SELECT min((SELECT min(begin_us) FROM apps_" level " WHERE series = id))"                     \
    " FROM apps_series WHERE app = ?1"
#define FIRST_OF_ALL(level) "SELECT min(begin_us) FROM traffic_" level
#define METERED_OF_APP(level) "SELECT begin_us, requests, key FROM " OF_APP("usage", level)
#define METERED_OF_ALL(level)                                                                      \
    "SELECT begin_us, sum(requests), '' FROM usage_" level                                         \
    " WHERE begin_us >= ?1 AND begin_us < ?2 GROUP BY begin_us"

#define EACH_LEVEL(text)                                                                           \
    {                                                                                              \
        [LEVEL_MINUTE] = text("minute"), [LEVEL_HOUR] = text("hour"), [LEVEL_DAY] = text("day")    \
    }
#define CELLS_OF_APP(level) CELL_COLUMNS OF_APP("apps", level)
#define CELLS_OF_ALL(level) CELL_COLUMNS OF_ALL("traffic", level)

static const char *const SQL_CELLS[2][LEVEL_COUNT] = {EACH_LEVEL(CELLS_OF_ALL),
                                                      EACH_LEVEL(CELLS_OF_APP)};
static const char *const SQL_METERED[2][LEVEL_COUNT] = {EACH_LEVEL(METERED_OF_ALL),
                                                        EACH_LEVEL(METERED_OF_APP)};
static const char *const SQL_FIRST[2][LEVEL_COUNT] = {EACH_LEVEL(FIRST_OF_ALL),
                                                      EACH_LEVEL(FIRST_OF_APP)};
static const char *const SQL_SUM[LEVEL_COUNT] = EACH_LEVEL(SUM);
static const char SQL_KEY_USE[] = "SELECT time_us, ip FROM key_last_used WHERE key = ?1";

/* The statement for the time and, where it asks for one, the app. */
static int prepare(struct db *totals, const char *sql, const struct apps_select *select,
                   struct db_stmt **ret_stmt, struct error *err)
{
    int r = db_stmt_get(totals, sql, ret_stmt, err);
    if (r != 0)
        return r;
    db_bind_i64(*ret_stmt, 1, select->begin.us);
    db_bind_i64(*ret_stmt, 2, select->end.us);
    return 0;
}

int store_apps_read(struct db *totals, const struct apps_select *select, apps_cell_visit *visit,
                    void *ctx, struct error *err)
{
    bool of_app = select->app.n > 0;
    struct db_stmt *st;
    int r = prepare(totals, SQL_CELLS[of_app][select->level], select, &st, err);
    if (r != 0)
        return r;
    if (of_app)
        db_bind_text(st, 3, select->app);
    while ((r = db_step(st, err)) == DB_ROW) {
        struct apps_cell cell = {.begin = {.us = db_i64(st, 0)},
                                 .api = db_text(st, 1),
                                 .status = (uint32_t)db_u64(st, 2),
                                 .reason = db_text(st, 3),
                                 .requests = db_u64(st, 4),
                                 .bytes_in = db_u64(st, 5),
                                 .bytes_out = db_u64(st, 6),
                                 .duration = db_blob(st, 7)};
        r = visit(ctx, &cell);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

int store_apps_sum(struct db *totals, const struct apps_select *select, apps_cell_visit *visit,
                   void *ctx, struct error *err)
{
    struct db_stmt *st;
    int r = prepare(totals, SQL_SUM[select->level], select, &st, err);
    if (r != 0)
        return r;
    while ((r = db_step(st, err)) == DB_ROW) {
        struct apps_cell cell = {.begin = select->begin,
                                 .app = db_text(st, 0),
                                 .status = (uint32_t)db_u64(st, 1),
                                 .reason = db_text(st, 2),
                                 .requests = db_u64(st, 3),
                                 .bytes_in = db_u64(st, 4),
                                 .bytes_out = db_u64(st, 5)};
        r = visit(ctx, &cell);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

int store_apps_first(struct db *totals, const struct apps_select *select, struct wall *ret_first,
                     struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_FIRST[select->app.n > 0][select->level], &st, err);
    if (r != 0)
        return r;
    if (select->app.n > 0)
        db_bind_text(st, 1, select->app);
    r = db_step(st, err);
    ret_first->us = r == DB_ROW ? db_i64(st, 0) : 0;
    db_stmt_done(st);
    return r < 0 ? r : 0;
}

int store_metered_read(struct db *totals, const struct apps_select *select, metered_visit *visit,
                       void *ctx, struct error *err)
{
    bool of_app = select->app.n > 0;
    struct db_stmt *st;
    int r = prepare(totals, SQL_METERED[of_app][select->level], select, &st, err);
    if (r != 0)
        return r;
    if (of_app)
        db_bind_text(st, 3, select->app);
    while ((r = db_step(st, err)) == DB_ROW) {
        struct metered_cell cell = {
            .begin = {.us = db_i64(st, 0)}, .requests = db_u64(st, 1), .key = db_text(st, 2)};
        visit(ctx, &cell);
    }
    db_stmt_done(st);
    return r;
}

int store_key_use_get(struct db *totals, struct str key, struct wall *ret_time, struct ip *ret_ip,
                      struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_KEY_USE, &st, err);
    if (r != 0)
        return r;
    *ret_time = (struct wall){.us = 0};
    *ret_ip = (struct ip){.b = {0}};
    db_bind_text(st, 1, key);
    r = db_step(st, err);
    if (r == DB_ROW) {
        ret_time->us = db_i64(st, 0);
        /* "" where the address was not known */
        if (ip_parse(db_text(st, 1), ret_ip) != 0)
            *ret_ip = (struct ip){.b = {0}};
    }
    db_stmt_done(st);
    return r < 0 ? r : 0;
}
