/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/query.h"

#include "analytics/query_inside.h"
#include "analytics/store_query.h"

#include <stdio.h>
#include <stdlib.h>

#define EXACT_TO_MINUTES_US (2 * US_PER_HOUR)
#define EXACT_TO_HOURS_US (3 * US_PER_DAY)

int query_open(struct query **ret_query, const char *dir, struct error *err)
{
    struct store *store;
    int r = store_open(&store, dir, STORE_READ, err);
    if (r != 0)
        return r;
    struct query *query = calloc(1, sizeof(*query));
    CHECK(query != NULL);
    query->store = store;
    *ret_query = query;
    return 0;
}

void query_close(struct query *query)
{
    if (query == NULL)
        return;
    store_close(query->store);
    free(query);
}

void query_limit(struct query *query, int64_t timeout_us)
{
    query->timeout_us = timeout_us;
}

struct mono query_deadline(const struct query *query)
{
    return query->timeout_us > 0 ? mono_after(clock_mono(), query->timeout_us) : MONO_NEVER;
}

/* ---- usage ---- */

struct usage_visitor {
    usage_visit *visit;
    void *ctx;
    bool by_day;
    char period[2 * CLOCK_TEXT_MAX];
};

static int pass_usage(void *ctx, const struct usage_sum *sum)
{
    struct usage_visitor *visitor = ctx;
    if (visitor->by_day)
        wall_format_day(sum->day, visitor->period);
    struct usage_row row = {.period = str_from(visitor->period),
                            .app = sum->app,
                            .api = sum->api,
                            .plan = sum->plan,
                            .key = sum->key,
                            .requests = sum->requests,
                            .bytes_in = sum->bytes_in,
                            .bytes_out = sum->bytes_out,
                            .cost = sum->cost};
    return visitor->visit(visitor->ctx, &row);
}

/* The finest level that is certain to reach back so far; none is finer than the answer needs. */
static enum level level_for(struct wall since, struct wall now)
{
    int64_t age = now.us - since.us;
    if (age <= EXACT_TO_MINUTES_US)
        return LEVEL_MINUTE;
    return age <= EXACT_TO_HOURS_US ? LEVEL_HOUR : LEVEL_DAY;
}

static void name_period(struct usage_visitor *visitor, struct wall begin, struct wall end)
{
    char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
    wall_format_day(begin, from);
    /* `end` itself is not part of it any more */
    wall_format_day((struct wall){.us = end.us - 1}, to);
    snprintf(visitor->period, sizeof(visitor->period), "%s/%s", from, to);
}

int query_usage(struct query *query, const struct usage_filter *filter, usage_visit *visit,
                void *ctx, struct error *err)
{
    struct wall now = clock_wall();
    struct wall until = filter->until.us > 0 ? filter->until : now;
    struct usage_select select = {.app = filter->app,
                                  .api = filter->api,
                                  .level = level_for(filter->since, now),
                                  .by_day = filter->by_day};
    struct usage_visitor visitor = {.visit = visit, .ctx = ctx, .by_day = filter->by_day};
    select.begin = level_begin(select.level, filter->since);
    /* the unit that `until` lies in belongs to it, unless it only begins there */
    select.end = level_begin(select.level, until);
    if (select.end.us < until.us)
        select.end = until;
    if (select.end.us <= select.begin.us)
        return error_set(err, E_INVALID, "the time asked for ends before it begins");
    name_period(&visitor, select.begin, select.end);
    struct db *totals = store_totals(query->store);
    db_set_deadline(totals, query_deadline(query));
    int r = store_usage_read(totals, &select, pass_usage, &visitor, err);
    db_set_deadline(totals, MONO_NEVER);
    return r;
}

/* ---- one request ---- */

int query_request(struct query *query, struct uuid id, row_visit *visit, void *ctx,
                  struct error *err)
{
    char text[UUID_TEXT_LEN];
    int r = store_rows_find(query->store, id, visit, ctx, err);
    if (r != 0)
        return r < 0 ? r : 0;
    uuid_format(id, text);
    return error_set(err, E_NOT_FOUND,
                     "request %.*s is not known: it was never here, or is older than "
                     "analytics.retention.requests keeps",
                     UUID_TEXT_LEN, text);
}

/* ---- SQL ---- */

static void name_columns(struct db_stmt *st, struct sql_value *values, int count)
{
    for (int i = 0; i < count; i++)
        values[i] = (struct sql_value){.type = SQL_TEXT, .text = str_from(db_column_name(st, i))};
}

static void read_values(struct db_stmt *st, struct sql_value *values, int count)
{
    for (int i = 0; i < count; i++) {
        if (db_is_null(st, i))
            values[i] = (struct sql_value){.type = SQL_NULL};
        else if (db_is_blob(st, i))
            values[i] = (struct sql_value){.type = SQL_BLOB, .text = db_blob(st, i)};
        else if (db_is_number(st, i))
            values[i] = (struct sql_value){.type = SQL_NUMBER, .text = db_text(st, i)};
        else
            values[i] = (struct sql_value){.type = SQL_TEXT, .text = db_text(st, i)};
    }
}

static int visit_rows(struct db_stmt *st, sql_visit *visit, void *ctx, struct error *err)
{
    int count = db_column_count(st), r;
    uint64_t row = 0;
    struct sql_value *values = calloc((size_t)count + 1, sizeof(*values));
    CHECK(values != NULL);
    name_columns(st, values, count);
    r = visit(ctx, row++, values, (unsigned)count);
    while (r == 0 && (r = db_step(st, err)) == DB_ROW) {
        read_values(st, values, count);
        r = visit(ctx, row++, values, (unsigned)count);
    }
    free(values);
    return r;
}

int query_sql(struct query *query, struct str sql, sql_visit *visit, void *ctx,
              unsigned *ret_days_left_out, struct error *err)
{
    struct db *db;
    struct db_stmt *st;
    unsigned left_out;
    int r = store_views_open(query->store, &db, &left_out, err);
    if (r != 0)
        return r;
    db_set_deadline(db, query_deadline(query));
    r = db_stmt_user(db, sql, &st, err);
    if (r == 0) {
        r = visit_rows(st, visit, ctx, err);
        db_stmt_destroy(st);
    }
    db_close(db);
    if (r == 0 && ret_days_left_out != NULL)
        *ret_days_left_out = left_out;
    return r;
}
