/* SPDX-License-Identifier: Apache-2.0 */
/* All apps: those people made, and those the configuration declares. */
#include "portal/admin.h"
#include "portal/notify.h"

#include <stdlib.h>

#define NO_APP STR("There is no such app.")

/* --- apps of the configuration --- */

struct file_app {
    struct str name, title;
    uint64_t keys; /* that are in the file */
    bool suspended;
};

static void tell_fields_of_file(struct jsonw *w, const struct endpoint_call *call, struct db *db,
                                const struct file_app *app)
{
    struct error err = ERROR_INIT;
    uint64_t issued = 0;
    /* a count that cannot be read is told as none: the list itself comes from the same database */
    if (store_keys_count(db, app->name, clock_wall(), &issued, &err) != 0)
        issued = 0;
    struct app_row row = {.name = app->name,
                          .title = app->title.n > 0 ? app->title : app->name,
                          .description = STR(""),
                          .team_name = STR(""),
                          .state = app->suspended ? APP_SUSPENDED : APP_ACTIVE,
                          .state_note = STR(""),
                          .active_keys = issued + app->keys};
    dev_tell_app(w, call, &row);
}

/* --- the list --- */

/* Apps of the file stand among those of the store, by name; an app of both is told once. */
struct merging {
    struct listing l;
    struct db *db;
    struct arena arena;
    struct file_app *files; /* behind `after`, by name */
    size_t file_count, next;
};

static bool holds(struct str text, struct str what)
{
    for (size_t i = 0; i + what.n <= text.n; i++) {
        if (str_eq_nocase(str_slice(text, i, i + what.n), what))
            return true;
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct file_app *)a)->name, ((const struct file_app *)b)->name);
}

static void collect(void *ctx, const struct portal_gateway *gateway)
{
    struct merging *m = ctx;
    const struct gateway_config *config = gateway->config;
    m->files = arena_array(&m->arena, config->app_count + 1, sizeof(*m->files));
    for (size_t i = 0; m->files != NULL && i < config->app_count; i++) {
        const struct app_conf *app = &config->apps[i];
        bool wanted = str_cmp(app->name, m->l.after) > 0 &&
                      (holds(app->name, m->l.search) || holds(app->title, m->l.search));
        if (!wanted)
            continue;
        m->files[m->file_count++] = (struct file_app){.name = arena_dup(&m->arena, app->name),
                                                      .title = arena_dup(&m->arena, app->title),
                                                      .keys = app->key_count,
                                                      .suspended = app->suspended};
    }
}

static void tell_next_file(struct merging *m)
{
    const struct file_app *app = &m->files[m->next++];
    if (!listing_take(&m->l, app->name))
        return;
    jsonw_object(&m->l.w);
    tell_fields_of_file(&m->l.w, m->l.call, m->db, app);
    jsonw_end(&m->l.w);
}

static int tell_item(void *ctx, const struct app_row *row)
{
    struct merging *m = ctx;
    while (m->next < m->file_count && str_cmp(m->files[m->next].name, row->name) < 0)
        tell_next_file(m);
    if (m->next < m->file_count && str_eq(m->files[m->next].name, row->name))
        m->next++;
    if (!listing_take(&m->l, row->name))
        return 0;
    jsonw_object(&m->l.w);
    dev_tell_app(&m->l.w, m->l.call, row);
    jsonw_end(&m->l.w);
    return 0;
}

static int merge(struct db *db, void *ctx, struct error *err)
{
    struct merging *m = ctx;
    struct app_page page = {.search = m->l.search, .after = m->l.after, .limit = m->l.limit + 1};
    m->db = db;
    int r = store_apps_list(db, &page, tell_item, m, err);
    while (r == 0 && m->next < m->file_count && !m->l.more)
        tell_next_file(m);
    return r;
}

void admin_apps_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct merging m = {.next = 0};
    if (!listing_begin(call, &m.l))
        return;
    arena_init(&m.arena, 16384, ENDPOINT_JSON_MAX);
    dev_show_gateway(call, collect, &m);
    if (m.file_count > 0)
        qsort(m.files, m.file_count, sizeof(*m.files), by_name);
    int r = admin_read(call, merge, &m, &err);
    listing_send(&m.l, r, &err);
    arena_finish(&m.arena);
}

/* --- one --- */

struct one {
    struct endpoint_call *call;
    struct jsonw w;
    struct file_app app; /* of the file */
    bool in_file, in_store;
    struct uuid team;
    enum app_state state;
    struct str note; /* as of the store */
};

static void look_in_file(void *ctx, const struct portal_gateway *gateway)
{
    struct one *one = ctx;
    for (size_t i = 0; i < gateway->config->app_count; i++) {
        const struct app_conf *app = &gateway->config->apps[i];
        if (!str_eq(app->name, one->call->params[0]))
            continue;
        one->in_file = true;
        one->app = (struct file_app){.name = one->call->params[0],
                                     .title = arena_dup(http_arena(one->call->conn), app->title),
                                     .keys = app->key_count,
                                     .suspended = app->suspended};
    }
}

static int take_store(void *ctx, const struct app_row *row)
{
    struct one *one = ctx;
    one->in_store = row->state != APP_DELETED || !one->in_file;
    one->team = row->team;
    one->state = row->state;
    one->note = arena_dup(http_arena(one->call->conn), row->state_note);
    return 0;
}

static int look(struct db *db, void *ctx, struct error *err)
{
    struct one *one = ctx;
    int r = store_apps_find(db, one->call->params[0], take_store, one, err);
    return r == E_NOT_FOUND && one->in_file ? 0 : r;
}

/* Whether the app is there at all, in the file or in the store; else the answer was sent. */
static bool find(struct one *one, struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    *one = (struct one){.call = call};
    dev_show_gateway(call, look_in_file, one);
    int r = admin_read(call, look, one, &err);
    if (r == 0)
        return true;
    if (r == E_NOT_FOUND)
        endpoint_fail(call, 404, NO_APP);
    else
        endpoint_fail_error(call, r, &err);
    return false;
}

static int tell_file_app(struct db *db, void *ctx, struct error *err)
{
    struct one *one = ctx;
    struct jsonw *w = &one->w;
    (void)err;
    jsonw_object(w);
    tell_fields_of_file(w, one->call, db, &one->app);
    jsonw_key(w, "role"), jsonw_null(w);
    dev_tell_granted(w, one->call, one->app.name);
    jsonw_key(w, "pending"), jsonw_null(w);
    jsonw_key(w, "rejected"), jsonw_null(w);
    jsonw_end(w);
    return 0;
}

void admin_app_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct one one;
    if (!find(&one, call))
        return;
    if (one.in_store) {
        dev_send_app(call, 200, call->params[0]);
        return;
    }
    endpoint_json(&json, &one.w);
    int r = admin_read(call, tell_file_app, &one, &err);
    if (r == 0) {
        endpoint_send_json(call, 200, &json);
        return;
    }
    buf_free(&json);
    endpoint_fail_error(call, r, &err);
}

void admin_app_keys_get(struct endpoint_call *call)
{
    struct one one;
    if (find(&one, call))
        keys_get(call);
}

void admin_app_quotas_get(struct endpoint_call *call)
{
    struct one one;
    if (find(&one, call))
        quotas_get(call);
}

/* --- suspending one --- */

static int tell_people(struct registry_write *write, const struct endpoint_call *call,
                       bool suspended, struct error *err)
{
    struct str note = input_text(&call->input, "note");
    struct notice notice = {.template = suspended ? "app_suspended" : "app_resumed"};
    notice_add(&notice, STR("app"), call->params[0]);
    notice_add(&notice, STR("note"), note.n > 0 ? note : STR("–"));
    return notify_app(call->portal, call->conf, write, call->params[0], &notice, err);
}

static int suspend(struct registry_write *write, void *ctx, struct error *err)
{
    struct one *one = ctx;
    struct endpoint_call *call = one->call;
    struct str name = call->params[0], note = input_text(&call->input, "note");
    bool suspended = input_number(&call->input, "suspended", 0) != 0;
    int r = store_apps_find(write->db, name, take_store, one, err);
    bool same = suspended ? one->state == APP_SUSPENDED && str_eq(one->note, note)
                          : one->state == APP_ACTIVE;
    if (r != 0 || same)
        return r;
    r = store_apps_suspend(write->db, name, suspended, suspended ? note : STR_EMPTY, err);
    if (r != 0)
        return r;
    registry_touch_app(write, name);
    r = tell_people(write, call, suspended, err);
    if (r != 0)
        return r;
    return admin_audit(call, write, suspended ? "app.suspended" : "app.resumed", name, &one->team,
                       note, err);
}

void admin_app_patch(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct one one;
    if (!find(&one, call))
        return;
    if (one.in_file) {
        endpoint_fail(call, 409,
                      STR("This app is declared in the configuration: suspend it there, by "
                          "`suspended: true`."));
        return;
    }
    int r = registry_write(call->portal->registry, suspend, &one, &err);
    if (r == E_NOT_FOUND)
        endpoint_fail(call, 404, NO_APP);
    else if (r != 0)
        endpoint_fail_error(call, r, &err);
    else
        dev_send_app(call, 200, call->params[0]);
}
