/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator sees first: how the instance stands, and what the last day brought. */
#include "analytics/query_apps.h"
#include "base/log.h"
#include "portal/admin.h"
#include "portal/facts.h"
#include "portal/queries.h"
#include "portal/store_counts.h"

#define DAY_US (24 * US_PER_HOUR)
#define REASONS_MAX 20
#define TOP_MAX 10

/* --- the last day --- */

struct day {
    struct arena *arena;
    struct app_usage usage;
    struct top_app tops[TOP_MAX];
    struct str titles[TOP_MAX]; /* "" for an app that is not of the store */
    unsigned top_count;
};

static int take_top(void *ctx, const struct top_app *app)
{
    struct day *day = ctx;
    if (day->top_count == TOP_MAX)
        return 0;
    struct top_app *top = &day->tops[day->top_count++];
    *top = *app;
    top->app = arena_dup(day->arena, app->app);
    return 0;
}

static int ask(struct query *query, struct day *day, struct error *err)
{
    struct usage_ask what = {
        .app = STR(""), .unit = LEVEL_HOUR, .since = {.us = clock_wall().us - DAY_US}};
    int r = query_app_usage(query, &what, &day->usage, err);
    if (r != 0)
        return r;
    r = query_top_apps(query, &what, TOP_MAX, take_top, day, err);
    if (r != 0)
        app_usage_finish(&day->usage);
    return r;
}

/* False where it cannot be told now; then the rest is told without it. */
static bool ask_day(const struct endpoint_call *call, struct day *day)
{
    struct error err = ERROR_INIT;
    struct query_loan *loan;
    int r = queries_take(call->portal->queries, &loan, &err);
    if (r == 0) {
        r = ask(loan->query, day, &err);
        queries_give(call->portal->queries, loan, r);
    }
    if (r != 0 && r != E_NOT_FOUND)
        log_warn("the overview could not ask for the traffic", kv_str("why", err.text));
    return r == 0;
}

static int take_title(void *ctx, const struct app_row *row)
{
    struct day *day = ctx;
    for (unsigned i = 0; i < day->top_count; i++) {
        if (str_eq(day->tops[i].app, row->name))
            day->titles[i] = arena_dup(day->arena, row->title);
    }
    return 0;
}

static int find_titles(struct db *db, struct day *day, struct error *err)
{
    for (unsigned i = 0; i < day->top_count; i++) {
        struct error unknown = ERROR_INIT;
        int r = store_apps_find(db, day->tops[i].app, take_title, day, &unknown);
        if (r == 0 || r == E_NOT_FOUND)
            continue;
        *err = unknown;
        return r;
    }
    return 0;
}

/* --- telling --- */

struct overview {
    struct jsonw *w;
    struct day *day;
    struct store_counts counts;
};

static int read_control(struct db *db, void *ctx, struct error *err)
{
    struct overview *o = ctx;
    int r = store_counts(db, &o->counts, err);
    return r == 0 ? find_titles(db, o->day, err) : r;
}

static void tell_counts(struct jsonw *w, const struct store_counts *counts)
{
    jsonw_object(w);
    jsonw_key(w, "people"), jsonw_u64(w, counts->people);
    jsonw_key(w, "operators"), jsonw_u64(w, counts->operators);
    jsonw_key(w, "apps"), jsonw_u64(w, counts->apps);
    jsonw_key(w, "keys"), jsonw_u64(w, counts->keys);
    jsonw_key(w, "pending"), jsonw_u64(w, counts->waiting);
    jsonw_end(w);
}

static void tell_ms(struct jsonw *w, const char *key, uint64_t us)
{
    jsonw_key(w, key), jsonw_double(w, (double)us / US_PER_MS);
}

static void tell_totals(struct jsonw *w, const struct usage_point *totals)
{
    jsonw_object(w);
    jsonw_key(w, "requests"), jsonw_u64(w, totals->requests);
    jsonw_key(w, "errors"), jsonw_u64(w, totals->errors);
    jsonw_key(w, "refused"), jsonw_u64(w, totals->refused);
    jsonw_key(w, "gone"), jsonw_u64(w, totals->gone);
    jsonw_key(w, "bytes_in"), jsonw_u64(w, totals->bytes_in);
    jsonw_key(w, "bytes_out"), jsonw_u64(w, totals->bytes_out);
    tell_ms(w, "p50_ms", totals->p50_us);
    tell_ms(w, "p95_ms", totals->p95_us);
    tell_ms(w, "p99_ms", totals->p99_us);
    jsonw_end(w);
}

static void tell_reasons(struct jsonw *w, const struct usage_parts *reasons)
{
    unsigned told = 0;
    jsonw_array(w);
    for (size_t i = 0; i < reasons->count && told < REASONS_MAX; i++) {
        if (reasons->parts[i].name.n == 0)
            continue; /* those that went well */
        told++;
        jsonw_object(w);
        jsonw_key(w, "reason"), jsonw_str(w, reasons->parts[i].name);
        jsonw_key(w, "requests"), jsonw_u64(w, reasons->parts[i].requests);
        jsonw_end(w);
    }
    jsonw_end(w);
}

static void tell_top(struct jsonw *w, const struct day *day)
{
    jsonw_array(w);
    for (unsigned i = 0; i < day->top_count; i++) {
        const struct top_app *top = &day->tops[i];
        jsonw_object(w);
        jsonw_key(w, "app"), jsonw_str(w, top->app);
        jsonw_key(w, "title"), jsonw_str(w, day->titles[i].n > 0 ? day->titles[i] : top->app);
        jsonw_key(w, "requests"), jsonw_u64(w, top->requests);
        jsonw_key(w, "errors"), jsonw_u64(w, top->errors);
        jsonw_key(w, "refused"), jsonw_u64(w, top->refused);
        jsonw_end(w);
    }
    jsonw_end(w);
}

/* The later of a day ago and the first call there is: nothing is drawn before. */
static struct wall since(const struct app_usage *usage)
{
    if (usage->first.us == 0)
        return (struct wall){.us = 0};
    return usage->first.us > usage->begin.us ? usage->first : usage->begin;
}

static void tell(struct endpoint_call *call, const struct overview *o,
                 const struct portal_facts *facts)
{
    struct jsonw *w = o->w;
    const struct app_usage *usage = &o->day->usage;
    jsonw_object(w);
    facts_tell(w, call->portal, facts);
    jsonw_key(w, "upstreams"), admin_tell_upstreams(call, w);
    jsonw_key(w, "counts"), tell_counts(w, &o->counts);
    endpoint_time(w, "since", since(usage));
    jsonw_key(w, "totals"), tell_totals(w, &usage->totals);
    jsonw_key(w, "reasons"), tell_reasons(w, &usage->reasons);
    jsonw_key(w, "top"), tell_top(w, o->day);
    jsonw_end(w);
}

void admin_overview_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct portal_facts facts;
    struct arena arena;
    struct buf json;
    struct jsonw w;
    if (!facts_look(call, &arena, &facts))
        return;
    struct day day = {.arena = &arena};
    struct overview o = {.w = &w, .day = &day};
    bool asked = ask_day(call, &day);
    int r = admin_read(call, read_control, &o, &err);
    endpoint_json(&json, &w);
    if (r == 0)
        tell(call, &o, &facts);
    if (asked)
        app_usage_finish(&day.usage);
    arena_finish(&arena);
    if (r == 0) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    endpoint_fail_error(call, r, &err);
}
