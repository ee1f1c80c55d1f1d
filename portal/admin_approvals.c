/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions that wait for an operator. */
#include "portal/admin.h"
#include "portal/notify.h"
#include "portal/store_subscriptions.h"

#define NO_WISH STR("There is no such subscription.")

static void tell_wish(struct jsonw *w, const struct endpoint_call *call,
                      const struct subscription_row *row)
{
    struct dev_plan plan = dev_plan_find(call, row->plan);
    jsonw_object(w);
    endpoint_uuid(w, "id", &row->id);
    jsonw_key(w, "app"), jsonw_str(w, row->app);
    jsonw_key(w, "app_title"), jsonw_str(w, row->app_title);
    jsonw_key(w, "team"), jsonw_str(w, row->team_name);
    jsonw_key(w, "plan"), jsonw_str(w, row->plan);
    jsonw_key(w, "plan_title"), jsonw_str(w, plan.title.n > 0 ? plan.title : row->plan);
    jsonw_key(w, "offered"), jsonw_bool(w, plan.there);
    jsonw_key(w, "state"), jsonw_str(w, subscription_state_name(row->state));
    endpoint_time(w, "asked", row->asked);
    jsonw_key(w, "asked_by"), jsonw_str(w, row->asked_by);
    endpoint_time(w, "decided", row->decided);
    jsonw_key(w, "decided_by"), jsonw_str(w, row->decided_by);
    jsonw_key(w, "note"), jsonw_str(w, row->note);
    jsonw_end(w);
}

/* --- the list --- */

struct waiting {
    struct listing l;
    struct subscription_page page;
};

static int tell_item(void *ctx, const struct subscription_row *row)
{
    struct waiting *waiting = ctx;
    if (listing_take_id(&waiting->l, row->id))
        tell_wish(&waiting->l.w, waiting->l.call, row);
    return 0;
}

static int list(struct db *db, void *ctx, struct error *err)
{
    struct waiting *waiting = ctx;
    return store_subscriptions_waiting(db, &waiting->page, tell_item, waiting, err);
}

void admin_approvals_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct waiting waiting = {.page = {.limit = 0}};
    if (!listing_after_id(call, &waiting.page.after) || !listing_begin(call, &waiting.l))
        return;
    waiting.page.limit = waiting.l.limit + 1;
    int r = admin_read(call, list, &waiting, &err);
    listing_send(&waiting.l, r, &err);
}

/* --- deciding --- */

struct deciding {
    struct endpoint_call *call;
    struct uuid id;
    bool approved;

    /* the wish */
    struct str app, plan;
    struct uuid team;
    enum subscription_state state;
    struct jsonw w;
};

static int take_wish(void *ctx, const struct subscription_row *row)
{
    struct deciding *d = ctx;
    struct arena *arena = http_arena(d->call->conn);
    d->app = arena_dup(arena, row->app);
    d->plan = arena_dup(arena, row->plan);
    d->team = row->team;
    d->state = row->state;
    return 0;
}

static int check(const struct deciding *d, struct error *err)
{
    struct str state = subscription_state_name(d->state);
    if (d->state != SUBSCRIPTION_PENDING)
        return error_set(err, E_EXISTS, "This does not wait any more: it is %" STR_FMT ".",
                         STR_ARG(state));
    if (d->approved && !dev_plan_find(d->call, d->plan).there)
        return error_set(err, E_INVALID,
                         "The configuration has no plan %" STR_FMT
                         " any more: reject the wish, or put the plan back.",
                         STR_ARG(d->plan));
    return 0;
}

static int tell_people(struct registry_write *write, const struct deciding *d, struct error *err)
{
    const struct endpoint_call *call = d->call;
    struct str note = input_text(&call->input, "note");
    struct notice notice = {.template =
                                d->approved ? "subscription_approved" : "subscription_rejected"};
    notice_add(&notice, STR("app"), d->app);
    notice_add(&notice, STR("plan"), d->plan);
    notice_add(&notice, STR("note"), note.n > 0 ? note : STR("–"));
    return notify_app(call->portal, call->conf, write, d->app, &notice, err);
}

static int decide(struct registry_write *write, void *ctx, struct error *err)
{
    struct deciding *d = ctx;
    const struct endpoint_call *call = d->call;
    int r = store_subscriptions_find(write->db, &d->id, take_wish, d, err);
    if (r == 0)
        r = check(d, err);
    if (r != 0)
        return r;
    struct subscription_decision decision = {.id = d->id,
                                             .person = call->person->id,
                                             .approved = d->approved,
                                             .note = input_text(&call->input, "note"),
                                             .now = write->now};
    r = store_subscriptions_decide(write->db, &decision, err);
    if (r != 0)
        return r;
    registry_touch_app(write, d->app);
    r = tell_people(write, d, err);
    if (r != 0)
        return r;
    return admin_audit(call, write, d->approved ? "subscription.approved" : "subscription.rejected",
                       d->app, &d->team, d->plan, err);
}

static int tell_decided(void *ctx, const struct subscription_row *row)
{
    struct deciding *d = ctx;
    tell_wish(&d->w, d->call, row);
    return 0;
}

static int find_decided(struct db *db, void *ctx, struct error *err)
{
    struct deciding *d = ctx;
    return store_subscriptions_find(db, &d->id, tell_decided, d, err);
}

static void send_decided(struct deciding *d)
{
    struct error err = ERROR_INIT;
    struct buf json;
    endpoint_json(&json, &d->w);
    int r = admin_read(d->call, find_decided, d, &err);
    if (r == 0) {
        endpoint_send_json(d->call, 200, &json);
        return;
    }
    buf_free(&json);
    endpoint_fail_error(d->call, r, &err);
}

void admin_approval_post(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct deciding d = {.call = call};
    struct str decision = input_text(&call->input, "decision");
    if (!admin_id(call, NO_WISH, &d.id))
        return;
    d.approved = str_eq(decision, STR("approve"));
    if (!d.approved && !str_eq(decision, STR("reject"))) {
        input_fault(&call->input, STR("decision"), "unknown", "This is approve or reject.");
        endpoint_fail_input(call);
        return;
    }
    int r = registry_write(call->portal->registry, decide, &d, &err);
    if (r == E_NOT_FOUND)
        endpoint_fail(call, 404, NO_WISH);
    else if (r != 0)
        endpoint_fail_error(call, r, &err);
    else
        send_decided(&d);
}
