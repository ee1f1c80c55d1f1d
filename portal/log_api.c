/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of requests as JSON, a page at a time: of one app for its people, of all for operators.
 * Pages go from the newest back; with `after` they go on from there to what came later, which is
 * how a live list asks.
 */
#include "portal/explain.h"
#include "portal/params.h"
#include "portal/queries.h"
#include "portal/request_log.h"

struct log_view {
    struct log_ask ask;
    struct log_page page;
    struct jsonw *w;
    bool whole; /* for operators */
};

/* --- what is asked --- */

/* "404", or "4xx" for all of a class. */
static void read_status(struct endpoint_call *call, struct log_filter *filter)
{
    struct str text = params_text(call, "status");
    uint64_t number;
    if (text.n == 0)
        return;
    if (text.n == 3 && str_ends(text, STR("xx")) && text.p[0] >= '1' && text.p[0] <= '5') {
        filter->status_min = (text.p[0] - '0') * 100;
        filter->status_max = filter->status_min + 99;
    } else if (str_to_u64(text, 100, 599, &number) == 0) {
        filter->status_min = filter->status_max = (int)number;
    } else {
        params_fault(call, "status", "unknown", "This is no status such as 404, nor a class, 4xx.");
    }
}

/* A code of the problems; "any" for whatever was refused, "none" for what was not. */
static void read_reason(struct endpoint_call *call, struct log_filter *filter)
{
    struct str text = params_text(call, "reason");
    if (text.n == 0)
        return;
    filter->reasons = str_eq(text, STR("any"))    ? LOG_REASON_SOME
                      : str_eq(text, STR("none")) ? LOG_REASON_NONE
                                                  : LOG_REASON_ONE;
    if (filter->reasons == LOG_REASON_ONE)
        filter->reason = text;
}

static uint64_t read_place(struct endpoint_call *call, const char *name)
{
    struct str text = params_text(call, name);
    uint64_t place = 0;
    if (text.n > 0 && str_to_u64(text, 1, INT64_MAX, &place) != 0)
        params_fault(call, name, "unknown", "This is no place in this list.");
    return place;
}

bool request_log_read(struct endpoint_call *call, struct log_ask *ret_ask)
{
    struct log_filter *filter = &ret_ask->filter;
    *ret_ask = (struct log_ask){.place = 0};
    filter->app = call->params[0].n > 0 ? call->params[0] : params_text(call, "app");
    filter->key = params_text(call, "key");
    filter->api = params_text(call, "api");
    filter->method = params_text(call, "method");
    filter->since = params_time(call, "since");
    filter->until = params_time(call, "until");
    read_status(call, filter);
    read_reason(call, filter);
    uint64_t after = read_place(call, "after"), live = read_place(call, "live");
    if (after > 0 && live > 0)
        params_fault(call, "live", "unknown", "A list goes back or on, not both.");
    ret_ask->oldest_first = live > 0;
    ret_ask->place = live > 0 ? live : after;
    return params_good(call);
}

/* --- what is told --- */

static int tell_row(void *ctx, const struct row *row)
{
    struct log_view *view = ctx;
    explain_tell_request(view->w, &row->record, view->whole);
    return 0;
}

static void tell_place(struct jsonw *w, const char *key, uint64_t place)
{
    char text[24];
    jsonw_key(w, key);
    if (place == 0) {
        jsonw_null(w);
        return;
    }
    int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)place);
    jsonw_str(w, str_make(text, (size_t)n));
}

int request_log_page(struct endpoint_call *call, const struct log_ask *ask, row_visit *visit,
                     void *ctx, struct log_page *ret_page, struct error *err)
{
    struct query_loan *loan;
    int r = queries_take(call->portal->queries, &loan, err);
    *ret_page = (struct log_page){.rows = 0};
    if (r == 0) {
        r = query_log(loan->query, ask, visit, ctx, ret_page, err);
        queries_give(call->portal->queries, loan, r);
    }
    return r == E_NOT_FOUND ? 0 : r;
}

static void send_log(struct endpoint_call *call, bool whole)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct jsonw w;
    struct log_view view = {.w = &w, .whole = whole};
    uint32_t limit;
    if (!endpoint_limit(call, &limit) || !request_log_read(call, &view.ask))
        return;
    view.ask.limit = limit;
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "items"), jsonw_array(&w);
    int r = request_log_page(call, &view.ask, tell_row, &view, &view.page, &err);
    if (r != 0) {
        buf_free(&json);
        queries_fail(call, r, &err);
        return;
    }
    jsonw_end(&w);
    tell_place(&w, "next", view.ask.oldest_first ? 0 : view.page.next);
    tell_place(&w, "newest", view.ask.oldest_first ? view.page.next : view.page.newest);
    jsonw_end(&w);
    endpoint_send_json(call, 200, &json);
}

void requests_get(struct endpoint_call *call)
{
    send_log(call, false);
}

void admin_requests_get(struct endpoint_call *call)
{
    send_log(call, true);
}
