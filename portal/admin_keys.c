/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of all apps. */
#include "portal/admin.h"

/* --- the list --- */

struct keys {
    struct listing l;
    struct key_page page;
};

static int tell_item(void *ctx, const struct key_row *row)
{
    struct keys *keys = ctx;
    if (listing_take(&keys->l, row->kid))
        dev_tell_key(&keys->l.w, keys->l.call, row, true);
    return 0;
}

/* Of one app the youngest first; else by kid, which goes on behind any key that is added. */
static int list(struct db *db, void *ctx, struct error *err)
{
    struct keys *keys = ctx;
    bool of_app = keys->page.app.n > 0 && keys->page.search.n == 0;
    return of_app ? store_keys_of_app(db, &keys->page, tell_item, keys, err)
                  : store_keys_search(db, &keys->page, tell_item, keys, err);
}

static void send_list(struct endpoint_call *call, struct str app)
{
    struct error err = ERROR_INIT;
    struct keys keys;
    if (!listing_begin(call, &keys.l))
        return;
    keys.page = (struct key_page){
        .app = app, .after = keys.l.after, .search = keys.l.search, .limit = keys.l.limit + 1};
    int r = admin_read(call, list, &keys, &err);
    listing_send(&keys.l, r, &err);
}

void admin_keys_get(struct endpoint_call *call)
{
    struct str app = STR("");
    endpoint_query(call, STR("app"), &app);
    if (str_is_utf8(app))
        send_list(call, app);
    else
        endpoint_fail(call, 422, STR("`app` is the name of an app."));
}

/* --- one --- */

struct one {
    struct endpoint_call *call;
    struct jsonw w;
};

static int tell_one(void *ctx, const struct key_row *row)
{
    struct one *one = ctx;
    dev_tell_key(&one->w, one->call, row, true);
    return 0;
}

static int find_one(struct db *db, void *ctx, struct error *err)
{
    struct one *one = ctx;
    return store_keys_find(db, one->call->params[0], tell_one, one, err);
}

static void send_failure(struct endpoint_call *call, int r, const struct error *err)
{
    if (r == E_NOT_FOUND)
        endpoint_fail(call, 404, STR("There is no such key."));
    else
        endpoint_fail_error(call, r, err);
}

void admin_key_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct one one = {.call = call};
    endpoint_json(&json, &one.w);
    int r = admin_read(call, find_one, &one, &err);
    if (r == 0) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    send_failure(call, r, &err);
}

/* --- changing one --- */

struct change {
    struct endpoint_call *call;
    bool enabled;

    /* as it was before */
    enum key_state state;
    bool held;
    struct str app;
    struct uuid team; /* zeros for an app of the file */
};

static int take_key(void *ctx, const struct key_row *row)
{
    struct change *change = ctx;
    change->state = row->state;
    change->held = row->held;
    change->app = arena_dup(http_arena(change->call->conn), row->app);
    return 0;
}

static int take_app(void *ctx, const struct app_row *row)
{
    struct change *change = ctx;
    change->team = row->team;
    return 0;
}

static int look(struct registry_write *write, struct change *change, struct error *err)
{
    struct error unknown = ERROR_INIT;
    int r = store_keys_find(write->db, change->call->params[0], take_key, change, err);
    if (r != 0)
        return r;
    r = store_apps_find(write->db, change->app, take_app, change, &unknown);
    if (r == E_NOT_FOUND)
        return 0;
    if (r != 0)
        *err = unknown;
    return r;
}

static int audit(struct registry_write *write, const struct change *change, const char *action,
                 struct error *err)
{
    struct str kid = change->call->params[0];
    registry_touch_key(write, kid);
    return admin_audit(change->call, write, action, kid, &change->team, change->app, err);
}

static int enable(struct registry_write *write, void *ctx, struct error *err)
{
    struct change *change = ctx;
    int r = look(write, change, err);
    bool as_wanted = change->enabled ? change->state == KEY_ACTIVE
                                     : change->state == KEY_DISABLED && change->held;
    if (r != 0 || as_wanted)
        return r;
    r = store_keys_enable(write->db, change->call->params[0], change->enabled, KEY_BY_OPERATOR,
                          err);
    return r == 0 ? audit(write, change, change->enabled ? "key.enabled" : "key.disabled", err) : r;
}

static int revoke(struct registry_write *write, void *ctx, struct error *err)
{
    struct change *change = ctx;
    int r = look(write, change, err);
    registry_touch_key(write, change->call->params[0]); /* again too, as at the portal */
    if (r != 0 || change->state == KEY_REVOKED)
        return r;
    r = store_keys_revoke(write->db, change->call->params[0], write->now, err);
    return r == 0 ? audit(write, change, "key.revoked", err) : r;
}

static void run(struct change *change, registry_work *work)
{
    struct error err = ERROR_INIT;
    int r = registry_write(change->call->portal->registry, work, change, &err);
    if (r != 0)
        send_failure(change->call, r, &err);
    else
        admin_key_get(change->call);
}

void admin_key_patch(struct endpoint_call *call)
{
    struct change change = {.call = call, .enabled = input_number(&call->input, "enabled", 0) != 0};
    run(&change, enable);
}

void admin_key_delete(struct endpoint_call *call)
{
    struct change change = {.call = call};
    run(&change, revoke);
}
