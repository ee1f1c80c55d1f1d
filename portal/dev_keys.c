/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of an app: shown, changed, revoked. How they come into being: dev_issue.c. */
#include "portal/dev.h"

#define EXPIRING_US (14 * US_PER_DAY)
#define NO_KEY STR("There is no such key.")

/* --- telling --- */

static const char *state_shown(const struct key_row *row, struct wall now)
{
    if (row->state == KEY_REVOKED)
        return "revoked";
    if (row->state == KEY_DISABLED)
        return "disabled";
    if (row->expires.us == 0 || row->expires.us - now.us >= EXPIRING_US)
        return "active";
    return row->expires.us > now.us ? "expiring" : "expired";
}

static void tell_use(struct jsonw *w, const struct endpoint_call *call, struct str kid)
{
    const struct portal_sources *sources = &call->portal->sources;
    struct portal_key_use use;
    jsonw_key(w, "last_used");
    if (sources->key_use == NULL || sources->key_use(sources->ctx, kid, &use) != 0) {
        jsonw_null(w);
        return;
    }
    jsonw_object(w);
    endpoint_time(w, "time", use.time);
    jsonw_key(w, "address"), jsonw_cstr(w, use.address);
    jsonw_end(w);
}

static void tell_allow(struct jsonw *w, const struct cidr_set *allow)
{
    jsonw_key(w, "allow"), jsonw_array(w);
    for (size_t i = 0; i < allow->count; i++) {
        char text[CIDR_TEXT_MAX];
        size_t n = cidr_format(allow->items[i], text);
        jsonw_str(w, str_make(text, n));
    }
    jsonw_end(w);
}

void dev_tell_key(struct jsonw *w, const struct endpoint_call *call, const struct key_row *row,
                  bool uses)
{
    char hint[64];
    struct str env = key_env_name(row->env);
    snprintf(hint, sizeof(hint), "weir_%" STR_FMT "_%" STR_FMT "_…", STR_ARG(env),
             STR_ARG(row->kid));
    jsonw_object(w);
    jsonw_key(w, "kid"), jsonw_str(w, row->kid);
    jsonw_key(w, "hint"), jsonw_cstr(w, hint);
    jsonw_key(w, "name"), jsonw_str(w, row->name);
    jsonw_key(w, "app"), jsonw_str(w, row->app);
    jsonw_key(w, "env"), jsonw_str(w, env);
    jsonw_key(w, "state"), jsonw_cstr(w, state_shown(row, clock_wall()));
    jsonw_key(w, "held"), jsonw_bool(w, row->held);
    endpoint_time(w, "created", row->created);
    dev_tell_or_null(w, "created_by", row->created_by);
    endpoint_time(w, "expires", row->expires);
    endpoint_time(w, "revoked", row->revoked);
    dev_tell_or_null(w, "rotated_from", row->rotated_from);
    dev_tell_or_null(w, "successor", row->successor);
    tell_allow(w, &row->allow);
    if (uses)
        tell_use(w, call, row->kid);
    else
        jsonw_key(w, "last_used"), jsonw_null(w);
    jsonw_end(w);
}

/* --- one key, and the list --- */

struct telling {
    const struct endpoint_call *call;
    struct jsonw *w;
    uint32_t told, limit;
    char last[KEY_KID_LEN + 1]; /* the kid told last */
    bool more;
};

static int tell_item(void *ctx, const struct key_row *row)
{
    struct telling *t = ctx;
    if (t->told == t->limit) {
        t->more = true;
        return 0;
    }
    t->told++;
    str_copy(row->kid, t->last, sizeof(t->last));
    dev_tell_key(t->w, t->call, row, true);
    return 0;
}

void keys_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct jsonw w;
    struct db *db;
    struct telling t = {.call = call, .w = &w};
    struct key_page page = {.app = call->params[0]};
    if (!endpoint_limit(call, &t.limit))
        return;
    endpoint_query(call, STR("after"), &page.after);
    page.limit = t.limit + 1;
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "items"), jsonw_array(&w);
    int r = registry_read(call->portal->registry, &db, &err);
    if (r == 0) {
        r = store_keys_of_app(db, &page, tell_item, &t, &err);
        registry_read_done(call->portal->registry, db);
    }
    jsonw_end(&w);
    dev_tell_or_null(&w, "next", t.more ? str_from(t.last) : STR_EMPTY);
    jsonw_end(&w);
    if (r == 0) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    endpoint_fail_error(call, r, &err);
}

/* A key of another app is not there. */
static int tell_own(void *ctx, const struct key_row *row)
{
    struct telling *t = ctx;
    if (!str_eq(row->app, t->call->params[0]))
        return E_NOT_FOUND;
    dev_tell_key(t->w, t->call, row, true);
    return 0;
}

static void send_failure(struct endpoint_call *call, int r, const struct error *err)
{
    if (r == E_NOT_FOUND)
        endpoint_fail(call, 404, NO_KEY);
    else
        endpoint_fail_error(call, r, err);
}

void key_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct jsonw w;
    struct db *db;
    struct telling t = {.call = call, .w = &w};
    endpoint_json(&json, &w);
    int r = registry_read(call->portal->registry, &db, &err);
    if (r == 0) {
        r = store_keys_find(db, call->params[1], tell_own, &t, &err);
        registry_read_done(call->portal->registry, db);
    }
    if (r == 0) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    send_failure(call, r, &err);
}

/* --- what a write needs to know before --- */

static int take_fact(void *ctx, const struct key_row *row)
{
    struct dev_key *key = ctx;
    if (!str_eq(row->app, key->app))
        return E_NOT_FOUND;
    key->state = row->state;
    key->expires = row->expires;
    str_copy(row->successor, key->successor, sizeof(key->successor));
    return 0;
}

static int take_team(void *ctx, const struct app_row *row)
{
    struct dev_key *key = ctx;
    key->team = row->team;
    return row->state == APP_DELETED ? E_NOT_FOUND : 0;
}

int dev_key_look(struct registry_write *write, struct str app, struct str kid,
                 struct dev_key *ret_key, struct error *err)
{
    *ret_key = (struct dev_key){.app = app};
    int r = store_apps_find(write->db, app, take_team, ret_key, err);
    if (r == 0 && kid.n > 0)
        r = store_keys_find(write->db, kid, take_fact, ret_key, err);
    return r;
}

bool dev_read_allow(struct endpoint_call *call, struct cidr_set *ret_allow)
{
    const struct input_value *value = input_get(&call->input, "allow");
    struct arena *arena = http_arena(call->conn);
    struct cidr *items = arena_array(arena, KEY_ALLOW_MAX, sizeof(*items));
    if (items == NULL)
        return false;
    for (size_t i = 0; i < value->line_count; i++) {
        struct str text = str_trim(value->lines[i]);
        if (i < KEY_ALLOW_MAX && cidr_parse(text, &items[i]) == 0)
            continue;
        struct str detail =
            arena_printf(arena, "%" STR_FMT " is no address and no network like 192.0.2.0/24.",
                         STR_ARG(str_slice(text, 0, 64)));
        input_fault(&call->input, STR("allow"), "network", detail.p != NULL ? detail.p : "");
        return false;
    }
    *ret_allow = cidr_set_build(items, value->line_count);
    return true;
}

int dev_check_room(struct registry_write *write, struct str app, struct error *err)
{
    uint64_t count;
    int r = store_keys_count(write->db, app, write->now, &count, err);
    if (r == 0 && count >= DEV_KEYS_MAX)
        return error_set(err, E_INVALID, "An app has at most %d keys in force: revoke one first.",
                         DEV_KEYS_MAX);
    return r;
}

/* --- changing --- */

struct change {
    struct endpoint_call *call;
    struct key_change key;
    bool set_enabled, enabled;
};

static bool is_over(struct wall expires, struct wall now)
{
    return expires.us != 0 && expires.us <= now.us;
}

static int apply(struct registry_write *write, struct change *change, struct error *err)
{
    int r = 0;
    if (change->key.name.p != NULL || change->key.set_expires || change->key.set_allow)
        r = store_keys_change(write->db, &change->key, err);
    if (r == 0 && change->set_enabled)
        r = store_keys_enable(write->db, change->key.kid, change->enabled, KEY_BY_OWNER, err);
    return r;
}

static const char *action_of(const struct change *change)
{
    if (!change->set_enabled)
        return "key.changed";
    return change->enabled ? "key.enabled" : "key.disabled";
}

/* From when on it does not work any more. */
static void set_expires(struct change *change, struct wall now)
{
    const struct input *in = &change->call->input;
    int64_t days = input_number(in, "expires_days", 0), s = input_number(in, "expires_s", 0);
    if (input_has(in, "expires_s"))
        change->key.expires.us = now.us + s * US_PER_S;
    else if (days > 0)
        change->key.expires.us = now.us + days * US_PER_DAY;
}

static int change_key(struct registry_write *write, void *ctx, struct error *err)
{
    struct change *change = ctx;
    const struct endpoint_call *call = change->call;
    struct dev_key key;
    int r = dev_key_look(write, call->params[0], call->params[1], &key, err);
    if (r != 0)
        return r;
    set_expires(change, write->now);
    /* one that was over comes back among those in force */
    if (change->key.set_expires && is_over(key.expires, write->now) &&
        !is_over(change->key.expires, write->now))
        r = dev_check_room(write, key.app, err);
    if (r == 0)
        r = apply(write, change, err);
    registry_touch_key(write, change->key.kid);
    return r == 0
               ? dev_audit(call, write, action_of(change), change->key.kid, &key.team, key.app, err)
               : r;
}

void key_patch(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct input *in = &call->input;
    struct change change = {
        .call = call,
        .key = {.kid = call->params[1],
                .name = input_text(in, "name"),
                .set_allow = input_has(in, "allow"),
                .set_expires = input_has(in, "expires_days") || input_has(in, "expires_s")},
        .set_enabled = input_has(in, "enabled"),
        .enabled = input_number(in, "enabled", 0) != 0};
    if (input_has(in, "expires_days") && input_has(in, "expires_s"))
        input_fault(in, STR("expires_s"), "twice", "Say it in days or in seconds, not in both.");
    if (!dev_read_allow(call, &change.key.allow) || in->fault_count > 0) {
        endpoint_fail_input(call);
        return;
    }
    bool asked = change.key.name.n > 0 || change.key.set_allow || change.key.set_expires ||
                 change.set_enabled;
    int r = asked ? registry_write(call->portal->registry, change_key, &change, &err) : 0;
    if (r != 0)
        send_failure(call, r, &err);
    else
        key_get(call);
}

static int revoke(struct registry_write *write, void *ctx, struct error *err)
{
    struct endpoint_call *call = ctx;
    struct dev_key key;
    int r = dev_key_look(write, call->params[0], call->params[1], &key, err);
    registry_touch_key(write, call->params[1]); /* again too: whatever the first one came to */
    if (r != 0 || key.state == KEY_REVOKED)
        return r;
    r = store_keys_revoke(write->db, call->params[1], write->now, err);
    return r == 0 ? dev_audit(call, write, "key.revoked", call->params[1], &key.team, key.app, err)
                  : r;
}

void key_delete(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    int r = registry_write(call->portal->registry, revoke, call, &err);
    if (r != 0)
        send_failure(call, r, &err);
    else
        key_get(call);
}
