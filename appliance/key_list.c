/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/key_list.h"

#include "analytics/store_totals.h"
#include "appliance/ask.h"
#include "appliance/command.h"
#include "portal/control.h"
#include "portal/store_keys.h"

#include <limits.h>
#include <stdlib.h>

static const char *const COLUMNS[] = {"kid",     "app",     "name",      "env",    "state",
                                      "created", "expires", "last_used", "last_ip"};

#define KEY_ID_MAX 256 /* of a key of the file: "APP/NAME" */

struct use {
    char kid[KEY_ID_MAX], ip[IP_TEXT_MAX];
    struct wall time;
};

struct listing {
    struct table *table;
    struct str app;
    struct use *uses; /* by kid */
    size_t use_count, use_cap;
};

static int cmp_uses(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    return strcmp(x->kid, y->kid);
}

static void take_use(void *ctx, const struct key_use *use)
{
    struct listing *l = ctx;
    if (l->use_count == l->use_cap) {
        l->use_cap = l->use_cap > 0 ? l->use_cap * 2 : 64;
        l->uses = reallocarray(l->uses, l->use_cap, sizeof(*l->uses));
        CHECK(l->uses != NULL);
    }
    struct use *to = &l->uses[l->use_count++];
    str_copy(use->key, to->kid, sizeof(to->kid));
    str_copy(use->ip, to->ip, sizeof(to->ip));
    to->time = use->time;
}

/* None where nothing was ever recorded. */
static int load_uses(struct listing *l, const struct config *config, struct error *err)
{
    char dir[PATH_MAX];
    struct store *store;
    struct error why = ERROR_INIT;
    command_path(config, "analytics", dir, sizeof(dir));
    int r = store_open(&store, dir, STORE_READ, &why);
    if (r == E_NOT_FOUND)
        return 0;
    if (r != 0)
        return error_set(err, r, "%s", why.text);
    r = store_keys_used(store_totals(store), take_use, l, err);
    store_close(store);
    if (l->use_count > 0)
        qsort(l->uses, l->use_count, sizeof(*l->uses), cmp_uses);
    return r;
}

static void show_use(const struct listing *l, struct str kid)
{
    struct use wanted;
    str_copy(kid, wanted.kid, sizeof(wanted.kid));
    const struct use *use =
        l->use_count > 0 ? bsearch(&wanted, l->uses, l->use_count, sizeof(*use), cmp_uses) : NULL;
    table_time(l->table, use != NULL ? use->time : (struct wall){.us = 0});
    if (use != NULL)
        table_str(l->table, str_from(use->ip));
    else
        table_null(l->table);
}

static int show_key(void *ctx, const struct key_row *row)
{
    const struct listing *l = ctx;
    bool expired =
        row->state == KEY_ACTIVE && row->expires.us != 0 && row->expires.us <= clock_wall().us;
    table_str(l->table, row->kid);
    table_str(l->table, row->app);
    table_str(l->table, row->name);
    table_str(l->table, key_env_name(row->env));
    table_str(l->table, expired ? STR("expired") : key_state_name(row->state));
    table_time(l->table, row->created);
    table_time(l->table, row->expires);
    show_use(l, row->kid);
    return 0;
}

/* None where none was ever issued. */
static int show_issued(struct listing *l, const struct config *config, struct error *err)
{
    char dir[PATH_MAX];
    struct db *db;
    struct error why = ERROR_INIT;
    struct key_page page = {.app = l->app};
    CHECK(str_copy(config->data_dir, dir, sizeof(dir)));
    int r = control_open(&db, dir, CONTROL_READ, &why);
    if (r == E_NOT_FOUND)
        return 0;
    if (r != 0)
        return error_set(err, r, "%s", why.text);
    r = store_keys_list(db, &page, show_key, l, err);
    db_close(db);
    return r;
}

static void show_file_key(const struct listing *l, const struct app_conf *app,
                          const struct file_key_conf *key)
{
    char kid[KEY_ID_MAX];
    snprintf(kid, sizeof(kid), "%" STR_FMT "/%" STR_FMT, STR_ARG(app->name), STR_ARG(key->name));
    table_str(l->table, str_from(kid));
    table_str(l->table, app->name);
    table_str(l->table, key->name);
    table_null(l->table);
    table_str(l->table, key_state_name(KEY_ACTIVE));
    table_null(l->table);
    table_null(l->table);
    show_use(l, str_from(kid));
}

static void show_of_file(const struct listing *l, const struct gateway_config *gateway)
{
    for (size_t i = 0; i < gateway->app_count; i++) {
        const struct app_conf *app = &gateway->apps[i];
        for (size_t k = 0; k < app->key_count && (l->app.n == 0 || str_eq(l->app, app->name)); k++)
            show_file_key(l, app, &app->keys[k]);
    }
}

int key_list(const struct config *config, struct str app, enum table_format format,
             struct error *err)
{
    struct listing l = {.app = app};
    ask_flush(config);
    l.table = table_create(stdout, format);
    for (size_t i = 0; i < ARRAY_LEN(COLUMNS); i++)
        table_column(l.table, str_from(COLUMNS[i]));
    int r = load_uses(&l, config, err);
    if (r == 0)
        r = show_issued(&l, config, err);
    if (r == 0) {
        show_of_file(&l, &config->gateway);
        r = table_finish(l.table, err);
    } else {
        table_destroy(l.table);
    }
    free(l.uses);
    return r;
}
