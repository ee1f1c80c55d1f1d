/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: all of it for operators, and for a person what happened in their teams and to
 * their account. To the people of a team an operator is an operator: neither who nor from where.
 */
#include "portal/admin.h"

#define ACTION_MAX 64

struct auditing {
    struct listing l;
    struct audit_page page;
};

static int tell_item(void *ctx, const struct audit_row *row)
{
    struct auditing *a = ctx;
    struct jsonw *w = &a->l.w;
    if (!listing_take_id(&a->l, row->id))
        return 0;
    jsonw_object(w);
    endpoint_uuid(w, "id", &row->id);
    endpoint_time(w, "time", row->at);
    jsonw_key(w, "actor"), jsonw_str(w, row->is_foreign ? STR("operator") : row->actor_name);
    jsonw_key(w, "action"), jsonw_str(w, row->action);
    jsonw_key(w, "object"), jsonw_str(w, row->object);
    jsonw_key(w, "address"), jsonw_str(w, row->is_foreign ? STR("") : row->address);
    jsonw_key(w, "detail"), jsonw_str(w, row->detail);
    jsonw_end(w);
    return 0;
}

static int list(struct db *db, void *ctx, struct error *err)
{
    struct auditing *a = ctx;
    return store_audit_list(db, &a->page, tell_item, a, err);
}

static void send_page(struct endpoint_call *call, struct uuid person)
{
    struct error err = ERROR_INIT;
    struct auditing a = {.page = {.person = person, .action = STR("")}};
    if (!listing_after_id(call, &a.page.before))
        return;
    endpoint_query(call, STR("action"), &a.page.action);
    if (a.page.action.n > ACTION_MAX || !str_is_utf8(a.page.action)) {
        endpoint_fail(call, 422, STR("`action` is the name of one."));
        return;
    }
    if (!listing_begin(call, &a.l))
        return;
    a.page.limit = a.l.limit + 1;
    int r = admin_read(call, list, &a, &err);
    listing_send(&a.l, r, &err);
}

void admin_audit_get(struct endpoint_call *call)
{
    send_page(call, (struct uuid){.b = {0}});
}

void audit_get(struct endpoint_call *call)
{
    send_page(call, call->person->id);
}
