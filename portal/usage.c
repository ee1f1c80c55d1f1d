/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/usage.h"

#include "portal/params.h"
#include "portal/queries.h"

/* More points than this draw no better. */
#define POINTS_WANTED 300

static const int64_t UNIT_US[LEVEL_COUNT] = {
    [LEVEL_MINUTE] = US_PER_MINUTE, [LEVEL_HOUR] = US_PER_HOUR, [LEVEL_DAY] = US_PER_DAY};

static const struct str RANGES[] = {STR_INIT("1h"), STR_INIT("24h"), STR_INIT("7d"),
                                    STR_INIT("30d"), STR_INIT("90d")};
static const int64_t RANGE_US[] = {US_PER_HOUR, US_PER_DAY, 7 * US_PER_DAY, 30 * US_PER_DAY,
                                   90 * US_PER_DAY};
static const struct str UNITS[LEVEL_COUNT] = {STR_INIT("minute"), STR_INIT("hour"),
                                              STR_INIT("day")};

#define RANGE_DEFAULT 1

static enum level unit_for(int64_t length_us)
{
    enum level unit = LEVEL_MINUTE;
    while (unit < LEVEL_DAY && length_us / UNIT_US[unit] > POINTS_WANTED)
        unit++;
    return unit;
}

/* The time: since and until, or a range up to now. A day's range in hours is begun an hour later
 * than a day ago, so that it has as many points as a day has hours. */
static void read_time(struct endpoint_call *call, struct usage_view *view)
{
    struct wall now = clock_wall();
    struct usage_ask *ask = &view->ask;
    int range = params_choice(call, "range", RANGES, ARRAY_LEN(RANGES));
    ask->since = params_time(call, "since");
    ask->until = params_time(call, "until");
    if (range >= 0 && (ask->since.us > 0 || ask->until.us > 0))
        params_fault(call, "range", "unknown", "Ask for a range, or since and until, not both.");
    if (ask->until.us == 0)
        ask->until = now;
    if (ask->since.us == 0) {
        range = range >= 0 ? range : RANGE_DEFAULT;
        view->range = ask->until.us == now.us ? RANGES[range] : STR("");
        ask->since.us = ask->until.us - RANGE_US[range];
    }
    if (ask->since.us >= ask->until.us)
        params_fault(call, "since", "range", "The time asked for ends before it begins.");
}

static void read_unit(struct endpoint_call *call, struct usage_view *view)
{
    struct usage_ask *ask = &view->ask;
    int unit = params_choice(call, "unit", UNITS, ARRAY_LEN(UNITS));
    ask->unit = unit >= 0 ? (enum level)unit : unit_for(ask->until.us - ask->since.us);
    /* of a range that ends now, the unit that it begins in is only there in part */
    if (view->range.n > 0)
        ask->since.us = level_begin(ask->unit, ask->since).us + UNIT_US[ask->unit];
    if (call->input.fault_count == 0 &&
        (ask->until.us - ask->since.us) / UNIT_US[ask->unit] >= USAGE_POINTS_MAX)
        params_fault(call, "unit", "range",
                     "This time has too many of these units: ask for less, or in larger units.");
}

static struct wall wall_min(struct wall a, struct wall b)
{
    return a.us < b.us ? a : b;
}

static void take_bounds(struct usage_view *view)
{
    const struct app_usage *series = &view->series;
    view->until = wall_min(series->end, clock_wall());
    view->since = series->begin;
    if (series->first.us > series->begin.us && series->first.us < series->end.us)
        view->since = series->first;
}

static bool answer(struct endpoint_call *call, struct usage_view *view)
{
    struct error err = ERROR_INIT;
    struct query_loan *loan;
    int r = queries_take(call->portal->queries, &loan, &err);
    if (r == 0) {
        r = query_app_usage(loan->query, &view->ask, &view->series, &err);
        queries_give(call->portal->queries, loan, r);
    }
    if (r == 0)
        take_bounds(view);
    else
        queries_fail(call, r, &err);
    return r == 0;
}

bool usage_view_make(struct endpoint_call *call, struct usage_view *ret_view)
{
    *ret_view = (struct usage_view){.range = STR("")};
    ret_view->ask.app = call->params[0].n > 0 ? call->params[0] : params_text(call, "app");
    read_time(call, ret_view);
    read_unit(call, ret_view);
    return params_good(call) && answer(call, ret_view);
}

void usage_view_finish(struct usage_view *view)
{
    app_usage_finish(&view->series);
}

void usage_view_each(const struct usage_view *view, usage_point_visit *visit, void *ctx)
{
    const struct app_usage *series = &view->series;
    size_t next = 0;
    for (struct wall t = view->since; t.us < series->end.us; t.us += UNIT_US[view->ask.unit]) {
        struct usage_point none = {.begin = t};
        while (next < series->point_count && series->points[next].begin.us < t.us)
            next++;
        bool there = next < series->point_count && series->points[next].begin.us == t.us;
        visit(ctx, there ? &series->points[next] : &none);
    }
}
