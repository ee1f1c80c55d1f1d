/* SPDX-License-Identifier: Apache-2.0 */
/* Apps and the plans they ask for. */
#include "portal/dev.h"
#include "portal/store_people.h"
#include "portal/store_subscriptions.h"

/* --- audit --- */

int dev_audit(const struct endpoint_call *call, struct registry_write *write, const char *action,
              struct str object, const struct uuid *team, struct str detail, struct error *err)
{
    struct audit_row row = {
        .action = str_from(action), .object = object, .team = *team, .detail = detail};
    return session_audit_row(call, write, &row, err);
}

/* --- as the gateway has them --- */

struct app_search {
    struct arena *arena;
    struct dev_app app;
};

static void take_app(void *ctx, const struct access_app *app)
{
    struct app_search *search = ctx;
    search->app = (struct dev_app){.there = true,
                                   .declared = app->origin == APP_FROM_FILE,
                                   .plan = arena_dup(search->arena, app->plan)};
}

struct dev_app dev_app_find(const struct endpoint_call *call, struct str name)
{
    struct app_search search = {.arena = http_arena(call->conn)};
    access_show_app(registry_access(call->portal->registry), name, take_app, &search);
    return search.app;
}

/* --- telling --- */

void dev_tell_or_null(struct jsonw *w, const char *key, struct str s)
{
    jsonw_key(w, key);
    if (s.n > 0)
        jsonw_str(w, s);
    else
        jsonw_null(w);
}

static void tell_fields(struct jsonw *w, const struct dev_app *app, const struct app_row *row)
{
    jsonw_key(w, "name"), jsonw_str(w, row->name);
    jsonw_key(w, "title"), jsonw_str(w, row->title);
    jsonw_key(w, "description"), jsonw_str(w, row->description);
    jsonw_key(w, "state"), jsonw_str(w, app_state_name(row->state));
    jsonw_key(w, "state_note"), jsonw_str(w, row->state_note);
    jsonw_key(w, "team"), jsonw_str(w, row->team_name);
    dev_tell_or_null(w, "plan", app->declared ? app->plan : row->plan);
    dev_tell_or_null(w, "pending_plan", row->pending_plan);
    jsonw_key(w, "keys_active"), jsonw_u64(w, row->active_keys);
    jsonw_key(w, "declared"), jsonw_bool(w, app->declared);
    endpoint_time(w, "created", row->created);
}

void dev_tell_app(struct jsonw *w, const struct endpoint_call *call, const struct app_row *row)
{
    struct dev_app app = dev_app_find(call, row->name);
    tell_fields(w, &app, row);
}

static const char *member_name(enum member member)
{
    switch (member) {
    case MEMBER_OWNER:
        return "owner";
    case MEMBER_ADMIN:
        return "admin";
    case MEMBER_DEVELOPER:
        return "developer";
    case MEMBER_VIEWER:
        return "viewer";
    case MEMBER_NONE:
        break;
    }
    return NULL;
}

static void tell_subscription(struct jsonw *w, const struct endpoint_call *call,
                              const struct dev_app *app, const struct app_row *row)
{
    struct str plan = app->declared ? app->plan : row->plan;
    struct wall since = app->declared ? (struct wall){.us = 0} : row->plan_since;
    jsonw_key(w, "subscription");
    if (plan.n == 0) {
        jsonw_null(w);
        return;
    }
    struct dev_plan conf = dev_plan_find(call, plan);
    jsonw_object(w);
    jsonw_key(w, "plan"), jsonw_str(w, plan);
    jsonw_key(w, "title"), jsonw_str(w, conf.title.n > 0 ? conf.title : plan);
    jsonw_key(w, "state"), jsonw_cstr(w, "active");
    endpoint_time(w, "since", since);
    jsonw_key(w, "note"), jsonw_str(w, app->declared ? STR("") : row->plan_note);
    jsonw_key(w, "offered"), jsonw_bool(w, conf.there);
    jsonw_end(w);
}

void dev_tell_granted(struct jsonw *w, const struct endpoint_call *call, struct str name)
{
    struct dev_app app = dev_app_find(call, name);
    struct app_row row = {.name = name};
    tell_subscription(w, call, &app, &row);
}

static void tell_pending(struct jsonw *w, const struct endpoint_call *call,
                         const struct app_row *row)
{
    jsonw_key(w, "pending");
    if (row->pending_plan.n == 0) {
        jsonw_null(w);
        return;
    }
    struct dev_plan conf = dev_plan_find(call, row->pending_plan);
    jsonw_object(w);
    jsonw_key(w, "plan"), jsonw_str(w, row->pending_plan);
    jsonw_key(w, "title"), jsonw_str(w, conf.title.n > 0 ? conf.title : row->pending_plan);
    endpoint_time(w, "asked", row->asked);
    jsonw_end(w);
}

/* One app, to its end. */
struct telling {
    const struct endpoint_call *call;
    struct jsonw *w;
};

static int tell_rejected(void *ctx, const struct subscription_row *row)
{
    struct jsonw *w = ctx;
    if (row->state != SUBSCRIPTION_REJECTED)
        return 0;
    jsonw_key(w, "rejected"), jsonw_object(w);
    jsonw_key(w, "plan"), jsonw_str(w, row->plan);
    endpoint_time(w, "decided", row->decided);
    jsonw_key(w, "note"), jsonw_str(w, row->note);
    jsonw_end(w);
    return E_CANCELED; /* told */
}

static int tell_whole(void *ctx, const struct app_row *row)
{
    struct telling *t = ctx;
    struct dev_app app = dev_app_find(t->call, row->name);
    const char *role = member_name(t->call->member);
    jsonw_object(t->w);
    tell_fields(t->w, &app, row);
    dev_tell_or_null(t->w, "role", role != NULL ? str_from(role) : STR_EMPTY);
    tell_subscription(t->w, t->call, &app, row);
    tell_pending(t->w, t->call, row);
    return 0;
}

static int tell_by_name(struct telling *t, struct db *db, struct str name, struct error *err)
{
    int r = store_apps_find(db, name, tell_whole, t, err);
    if (r != 0)
        return r;
    r = store_subscriptions_last(db, name, tell_rejected, t->w, err);
    if (r == 0)
        jsonw_key(t->w, "rejected"), jsonw_null(t->w);
    jsonw_end(t->w);
    return r == E_CANCELED ? 0 : r;
}

void dev_send_app(struct endpoint_call *call, unsigned status, struct str name)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct jsonw w;
    struct db *db;
    struct telling t = {.call = call, .w = &w};
    int r = registry_read(call->portal->registry, &db, &err);
    endpoint_json(&json, &w);
    if (r == 0) {
        r = tell_by_name(&t, db, name, &err);
        registry_read_done(call->portal->registry, db);
    }
    if (r == 0) {
        endpoint_send_json(call, status, &json);
        return;
    }
    buf_free(&json);
    endpoint_fail_error(call, r, &err);
}

void app_get(struct endpoint_call *call)
{
    dev_send_app(call, 200, call->params[0]);
}

/* --- the list --- */

struct listing {
    const struct endpoint_call *call;
    struct jsonw *w;
    uint32_t told, limit;
    struct str last; /* the name told last */
    bool more;
};

static int tell_item(void *ctx, const struct app_row *row)
{
    struct listing *l = ctx;
    if (l->told == l->limit) {
        l->more = true;
        return 0;
    }
    l->told++;
    l->last = arena_dup(http_arena(l->call->conn), row->name);
    jsonw_object(l->w);
    dev_tell_app(l->w, l->call, row);
    jsonw_end(l->w);
    return 0;
}

void apps_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct jsonw w;
    struct db *db;
    struct listing l = {.call = call, .w = &w};
    struct app_page page = {.after = STR_EMPTY};
    if (!endpoint_limit(call, &l.limit))
        return;
    endpoint_query(call, STR("after"), &page.after);
    page.limit = l.limit + 1;
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "items"), jsonw_array(&w);
    int r = registry_read(call->portal->registry, &db, &err);
    if (r == 0) {
        r = store_apps_of_person(db, &call->person->id, &page, tell_item, &l, &err);
        registry_read_done(call->portal->registry, db);
    }
    jsonw_end(&w);
    dev_tell_or_null(&w, "next", l.more ? l.last : STR_EMPTY);
    jsonw_end(&w);
    if (r == 0) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    endpoint_fail_error(call, r, &err);
}

/* --- asking for a plan --- */

static struct str pick(bool first, const char *a, const char *b)
{
    return str_from(first ? a : b);
}

/* Within a write. */
static int ask(const struct endpoint_call *call, struct registry_write *write, struct str app,
               const struct uuid *team, const struct dev_plan *plan, struct error *err)
{
    enum subscription_outcome outcome;
    struct subscription_wish wish = {.id = registry_id(write),
                                     .app = app,
                                     .plan = input_text(&call->input, "plan"),
                                     .person = call->person->id,
                                     .automatic = plan->automatic,
                                     .now = write->now};
    int r = store_subscriptions_ask(write->db, &wish, &outcome, err);
    registry_touch_app(write, app);
    if (r != 0 || outcome == SUBSCRIPTION_UNCHANGED)
        return r;
    struct str action =
        pick(outcome == SUBSCRIPTION_BEGUN, "subscription.begun", "subscription.asked");
    return dev_audit(call, write, action.p, app, team, wish.plan, err);
}

/* Looks the plan up, and faults the field where it is none. */
static struct dev_plan wanted_plan(struct endpoint_call *call)
{
    struct str name = input_text(&call->input, "plan");
    struct dev_plan plan = {.there = false};
    if (name.n > 0)
        plan = dev_plan_find(call, name);
    if (name.n > 0 && !plan.there)
        input_fault(&call->input, STR("plan"), "unknown", "There is no such plan.");
    return plan;
}

/* --- changing --- */

static int take_team(void *ctx, const struct app_row *row)
{
    struct uuid *team = ctx;
    *team = row->team;
    return 0;
}

/* False, and told, where the configuration has the app. */
static bool may_change(struct endpoint_call *call)
{
    if (!dev_app_find(call, call->params[0]).declared)
        return true;
    endpoint_fail(call, 409,
                  STR("This app is declared in the configuration of the gateway. Only its operator "
                      "can change it there."));
    return false;
}

struct change {
    struct endpoint_call *call;
    struct uuid team;
    struct dev_plan plan;
    char name[APP_NAME_MAX + 1]; /* of a new app */
};

static void send_change(struct change *change, int r, const struct error *err)
{
    if (r != 0)
        endpoint_fail_error(change->call, r, err);
    else
        dev_send_app(change->call, 200, change->call->params[0]);
}

/* Runs the work on the app of the path, and sends it as it is then. */
static void run(struct change *change, registry_work *work)
{
    struct error err = ERROR_INIT;
    int r = registry_write(change->call->portal->registry, work, change, &err);
    send_change(change, r, &err);
}

static int check_room(struct registry_write *write, const struct uuid *team, struct error *err)
{
    uint64_t there, ever;
    int r = store_apps_count(write->db, team, &there, &ever, err);
    if (r == 0 && there >= DEV_APPS_MAX)
        return error_set(err, E_INVALID, "A team has at most %d apps: delete one first.",
                         DEV_APPS_MAX);
    if (r == 0 && ever >= DEV_APPS_EVER_MAX)
        return error_set(
            err, E_INVALID,
            "A team makes at most %d apps, deleted ones included: use those there are.",
            DEV_APPS_EVER_MAX);
    return r;
}

static int create(struct registry_write *write, void *ctx, struct error *err)
{
    struct change *change = ctx;
    const struct endpoint_call *call = change->call;
    int r = store_people_team(write->db, &call->person->id, &change->team, err);
    if (r == 0)
        r = check_room(write, &change->team, err);
    struct app_wish wish = {.team = change->team,
                            .person = call->person->id,
                            .title = input_text(&call->input, "title"),
                            .description = input_text(&call->input, "description"),
                            .now = write->now};
    if (r == 0)
        r = store_apps_create(write->db, &wish, change->name, err);
    if (r != 0)
        return r;
    struct str name = str_from(change->name);
    registry_touch_app(write, name);
    r = dev_audit(call, write, "app.created", name, &change->team, wish.title, err);
    if (r == 0 && change->plan.there)
        r = ask(call, write, name, &change->team, &change->plan, err);
    return r;
}

void apps_post(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct change change = {.call = call, .plan = wanted_plan(call)};
    if (call->input.fault_count > 0) {
        endpoint_fail_input(call);
        return;
    }
    int r = registry_write(call->portal->registry, create, &change, &err);
    if (r != 0) {
        endpoint_fail_error(call, r, &err);
        return;
    }
    call->member = MEMBER_OWNER;
    dev_send_app(call, 201, str_from(change.name));
}

/* The text of a field that was sent, or the view of nothing that leaves things as they are. */
static struct str sent(const struct input *input, const char *field)
{
    struct str text = input_text(input, field);
    if (!input_has(input, field))
        return STR_EMPTY;
    return text.p != NULL ? text : STR("");
}

static int describe(struct registry_write *write, void *ctx, struct error *err)
{
    struct change *change = ctx;
    const struct endpoint_call *call = change->call;
    struct str name = call->params[0], title = sent(&call->input, "title");
    struct str description = sent(&call->input, "description");
    int r = store_apps_find(write->db, name, take_team, &change->team, err);
    if (r != 0 || (title.p == NULL && description.p == NULL))
        return r;
    r = store_apps_describe(write->db, name, title, description, err);
    return r == 0 ? dev_audit(call, write, "app.changed", name, &change->team, title, err) : r;
}

void app_patch(struct endpoint_call *call)
{
    struct change change = {.call = call};
    if (may_change(call))
        run(&change, describe);
}

static int delete_app(struct registry_write *write, void *ctx, struct error *err)
{
    struct change *change = ctx;
    struct str name = change->call->params[0];
    int r = store_apps_find(write->db, name, take_team, &change->team, err);
    if (r == 0)
        r = store_apps_delete(write->db, name, write->now, err);
    registry_touch_app_keys(write, name);
    return r == 0
               ? dev_audit(change->call, write, "app.deleted", name, &change->team, STR_EMPTY, err)
               : r;
}

void app_delete(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct change change = {.call = call};
    if (!may_change(call))
        return;
    int r = registry_write(call->portal->registry, delete_app, &change, &err);
    if (r != 0)
        endpoint_fail_error(call, r, &err);
    else
        endpoint_send_done(call, STR("/apps"));
}

static int subscribe(struct registry_write *write, void *ctx, struct error *err)
{
    struct change *change = ctx;
    struct str name = change->call->params[0];
    int r = store_apps_find(write->db, name, take_team, &change->team, err);
    return r == 0 ? ask(change->call, write, name, &change->team, &change->plan, err) : r;
}

void subscription_post(struct endpoint_call *call)
{
    if (!may_change(call))
        return;
    struct change change = {.call = call, .plan = wanted_plan(call)};
    if (call->input.fault_count > 0)
        endpoint_fail_input(call);
    else
        run(&change, subscribe);
}

static int withdraw(struct registry_write *write, void *ctx, struct error *err)
{
    struct change *change = ctx;
    struct str name = change->call->params[0];
    bool done = false;
    int r = store_apps_find(write->db, name, take_team, &change->team, err);
    if (r == 0)
        r = store_subscriptions_withdraw(write->db, name, write->now, &done, err);
    registry_touch_app(write, name);
    return r == 0 && done ? dev_audit(change->call, write, "subscription.withdrawn", name,
                                      &change->team, STR_EMPTY, err)
                          : r;
}

void subscription_withdraw(struct endpoint_call *call)
{
    struct change change = {.call = call};
    run(&change, withdraw);
}
