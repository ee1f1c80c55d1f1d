/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/store_query.h"

#include "analytics/record.h"
#include "base/hist.h"

#include <stdio.h>
#include <stdlib.h>

#define VIEW_MAX ((size_t)256 * 1024)
#define US_PER_DAY_SQL "86400000000"

/* ---- usage ---- */

#define USAGE(level)                                                                               \
    "SELECT iif(?5, begin_us / " US_PER_DAY_SQL ", 0) AS day, app, api, plan, key,"                \
    " sum(requests), sum(bytes_in), sum(bytes_out), sum(cost)"                                     \
    " FROM usage_" level " JOIN usage_series ON id = series"                                       \
    " WHERE begin_us >= ?1 AND begin_us < ?2 AND (?3 = '' OR app = ?3) AND (?4 = '' OR api = ?4)"  \
    " GROUP BY day, app, api, plan, key ORDER BY day, app, api, plan, key"
static const char *const SQL_USAGE[LEVEL_COUNT] = {
    [LEVEL_MINUTE] = USAGE("minute"), [LEVEL_HOUR] = USAGE("hour"), [LEVEL_DAY] = USAGE("day")};

int store_usage_read(struct db *totals, const struct usage_select *select, usage_sum_visit *visit,
                     void *ctx, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_USAGE[select->level], &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, select->begin.us);
    db_bind_i64(st, 2, select->end.us);
    db_bind_text(st, 3, select->app);
    db_bind_text(st, 4, select->api);
    db_bind_i64(st, 5, select->by_day);
    while ((r = db_step(st, err)) == DB_ROW) {
        struct usage_sum sum = {.day = {.us = db_i64(st, 0) * US_PER_DAY},
                                .app = db_text(st, 1),
                                .api = db_text(st, 2),
                                .plan = db_text(st, 3),
                                .key = db_text(st, 4),
                                .requests = db_u64(st, 5),
                                .bytes_in = db_u64(st, 6),
                                .bytes_out = db_u64(st, 7),
                                .cost = db_u64(st, 8)};
        r = visit(ctx, &sum);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

/* ---- views ---- */

/* Microseconds as RFC 3339 with six decimals, as everywhere else. */
#define SQL_RFC3339(column)                                                                        \
    "strftime('%Y-%m-%dT%H:%M:%S', " column " / 1000000, 'unixepoch')"                             \
    " || printf('.%06dZ', " column " % 1000000)"
#define SQL_UUID(column)                                                                           \
    "lower(substr(hex(" column "), 1, 8) || '-' || substr(hex(" column "), 9, 4) || '-' ||"        \
    " substr(hex(" column "), 13, 4) || '-' || substr(hex(" column "), 17, 4) || '-' ||"           \
    " substr(hex(" column "), 21))"

#define VIEW_TIME(name) SQL_RFC3339(#name "_us") " AS " #name
#define VIEW_UUID(name) SQL_UUID(#name) " AS " #name
#define VIEW_TEXT(name) #name
#define VIEW_UINT(name) #name
#define VIEW_IP(name) #name
#define VIEW_HEX(name) "lower(hex(" #name ")) AS " #name
#define VIEW_METHOD(name) #name
#define VIEW_REASON(name) #name

/* clang-format off */
static const char REQUEST_COLUMNS[] =
#define X(name, TYPE, text) VIEW_##TYPE(name) ", "
#include "analytics/record_fields.def"
#undef X
    "time_us, seq";
/* the same names without a table to take them from, for a store that has no rows */
static const char NO_COLUMNS[] =
#define X(name, TYPE, text) "NULL AS " #name ", "
#include "analytics/record_fields.def"
#undef X
    "NULL AS time_us, NULL AS seq";
/* clang-format on */

static int64_t quantile(struct str blob, double q)
{
    struct hist h = {.counts = NULL};
    uint64_t value = hist_decode_add(&h, blob) == 0 ? hist_quantile(&h, q) : 0;
    hist_finish(&h);
    return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

static int run_text(struct db *db, struct buf *sql, struct error *err)
{
    const char *text = buf_cstr(sql);
    int r = text != NULL ? db_exec(db, text, err)
                         : error_set(err, E_TOO_LARGE, "the view of the requests is too large");
    buf_clear(sql);
    return r;
}

static int make_requests_view(struct db *db, unsigned days, struct buf *sql, struct error *err)
{
    buf_add_lit(sql, "CREATE TEMP VIEW requests AS ");
    for (unsigned i = 0; i < days; i++)
        buf_printf(sql, "%sSELECT %s FROM day%u.requests", i > 0 ? " UNION ALL " : "",
                   REQUEST_COLUMNS, i);
    if (days == 0)
        buf_printf(sql, "SELECT %s WHERE 0", NO_COLUMNS);
    return run_text(db, sql, err);
}

static void add_quantiles(struct buf *sql, const char *column)
{
    static const char *const percents[] = {"50", "95", "99"};
    struct str base = str_slice(str_from(column), 0, strlen(column) - strlen("_us"));
    for (size_t i = 0; i < ARRAY_LEN(percents); i++)
        buf_printf(sql, ", hist_quantile(%s, 0.%s) AS %" STR_FMT "_p%s_us", column, percents[i],
                   STR_ARG(base), percents[i]);
}

static int make_rollup_view(struct db *db, const struct rollup_def *def, enum level level,
                            struct buf *sql, struct error *err)
{
    const char *unit = level_name(level);
    buf_printf(sql, "CREATE TEMP VIEW %s_%s AS SELECT ", def->name, unit);
    buf_add_lit(sql, SQL_RFC3339("begin_us") " AS begin");
    for (int i = 0; def->dims[i] != DIM_NONE; i++)
        buf_printf(sql, ", %s", dim_column(def->dims[i]));
    for (int i = 0; def->sums[i] != MEASURE_NONE; i++)
        buf_printf(sql, ", %s", measure_column(def->sums[i]));
    for (int i = 0; def->hists[i] != MEASURE_NONE; i++)
        add_quantiles(sql, measure_column(def->hists[i]));
    buf_printf(sql, ", begin_us FROM totals.%s_%s JOIN totals.%s_series ON id = series", def->name,
               unit, def->name);
    return run_text(db, sql, err);
}

static int make_views(struct db *db, unsigned days, struct error *err)
{
    struct buf sql;
    buf_init(&sql, VIEW_MAX);
    int r = make_requests_view(db, days, &sql, err);
    for (int i = 0; i < ROLLUP_COUNT && r == 0; i++) {
        for (int level = 0; level < LEVEL_COUNT && r == 0; level++)
            r = make_rollup_view(db, &ROLLUPS[i], (enum level)level, &sql, err);
    }
    buf_free(&sql);
    return r;
}

/* One day's file; a file that is just being made, or just gone, is passed over. */
static int attach_day(struct store *store, struct db *db, int64_t day, unsigned *days,
                      struct error *err)
{
    char name[16];
    struct db *known;
    int r = store_day(store, day, &known, err);
    if (r != 0)
        return r == E_NOT_FOUND ? 0 : r;
    snprintf(name, sizeof(name), "day%u", *days);
    r = db_attach(db, db_path(known), name, err);
    if (r == 0)
        *days += 1;
    return r;
}

static int attach_files(struct store *store, struct db *db, unsigned *ret_days,
                        unsigned *ret_left_out, struct error *err)
{
    int64_t *days = NULL;
    size_t count = 0, first = 0;
    unsigned attached = 0;
    int r = store_days(store, &days, &count, err);
    if (r == 0)
        r = db_attach(db, db_path(store_totals(store)), "totals", err);
    size_t places = db_attach_max(db) - 1;
    if (count > places)
        first = count - places;
    for (size_t i = first; i < count && r == 0; i++)
        r = attach_day(store, db, days[i], &attached, err);
    free(days);
    if (r == 0) {
        *ret_days = attached;
        *ret_left_out = (unsigned)first;
    }
    return r;
}

int store_views_open(struct store *store, struct db **ret_db, unsigned *ret_left_out,
                     struct error *err)
{
    struct db *db;
    unsigned days = 0;
    int r = db_open(&db, "SQL", DB_MEMORY, err);
    if (r != 0)
        return r;
    r = db_add_function(db, "hist_quantile", quantile, err);
    if (r == 0)
        r = attach_files(store, db, &days, ret_left_out, err);
    if (r == 0)
        r = make_views(db, days, err);
    if (r != 0) {
        db_close(db);
        return r;
    }
    *ret_db = db;
    return 0;
}
