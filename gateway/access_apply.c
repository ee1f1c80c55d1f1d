/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a configuration makes of the table: its apps, plans and keys, and what its plans are to the
 * apps of the store. First everything is checked and made, then it is published; so a configuration
 * that cannot be changes nothing.
 */
#include "gateway/access_table.h"

#include <sodium.h>
#include <stdlib.h>

#define SECRET_MIN 16

struct app_ready {
    struct access_app *app;
    struct access_slot *slot;
};

/* What a configuration will become. */
struct change {
    struct access *access;
    struct gateway_config *config;
    struct plan_list plans;
    struct app_ready *apps;
    size_t app_count; /* how many of them are made */
    struct access_key **keys;
    size_t key_count, key_made;
};

static void *make_array(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size);
    CHECK(p != NULL);
    return p;
}

/* ---- making ---- */

static int make_plans(struct change *change, struct error *err)
{
    for (size_t i = 0; i < change->config->plan_count; i++) {
        int r = access_make_plan(change->access, &change->config->plans[i], &change->plans.items[i],
                                 err);
        if (r != 0)
            return r;
        change->plans.count++;
    }
    access_plans_sort(&change->plans);
    return 0;
}

static struct access_app *make_app(const struct change *change, const struct app_conf *conf,
                                   struct limiter *limiter)
{
    struct access_app_spec spec = {
        .name = conf->name,
        .plan = conf->plan != NULL ? conf->plan->name : STR_EMPTY,
        .suspended = conf->suspended,
        .access = conf->access,
    };
    return access_make_app(&spec, APP_FROM_FILE, &change->plans, limiter);
}

static int key_fault(const struct app_conf *app, const struct file_key_conf *key, struct error *err,
                     const char *what)
{
    return error_set(err, E_CONFIG, "apps.%" STR_FMT ".keys.%" STR_FMT ": the secret %s",
                     STR_ARG(app->name), STR_ARG(key->name), what);
}

static int make_key(struct change *change, const struct app_conf *app,
                    const struct file_key_conf *conf, struct access_slot *slot, struct error *err)
{
    if (conf->secret.n < SECRET_MIN)
        return key_fault(app, conf, err, "has less than 16 characters");
    if (key_parse(conf->secret, NULL) == KEY_OURS_BROKEN)
        return key_fault(app, conf, err,
                         "looks like a key of Weir but its checksum is wrong: copy it again, or "
                         "choose one that does not begin with weir_live_ or weir_test_");
    struct buf kid;
    buf_init(&kid, app->name.n + conf->name.n + 1);
    buf_add_str(&kid, app->name);
    buf_add_char(&kid, '/');
    buf_add_str(&kid, conf->name);
    CHECK(buf_finish(&kid) == 0);
    struct access_key_spec spec = {
        .hash = secret_hash_make(&change->access->pepper, conf->secret),
        .kid = buf_str(&kid),
        .name = conf->name,
        .state = KEY_ACTIVE,
        .access = conf->access,
    };
    change->keys[change->key_made++] = access_make_key(&spec, KEY_FROM_FILE, slot);
    buf_free(&kid);
    const struct access_key *there = access_find_locked(change->access, &spec.hash);
    if (there != NULL && there->origin == KEY_FROM_STORE)
        return key_fault(app, conf, err, "is that of a key already issued: take another one");
    return 0;
}

static int make_apps(struct change *change, struct error *err)
{
    const struct gateway_config *config = change->config;
    for (size_t i = 0; i < config->app_count; i++) {
        const struct app_conf *conf = &config->apps[i];
        struct app_ready *ready = &change->apps[change->app_count++];
        ready->slot = access_slot_get(change->access, conf->name);
        ready->app = make_app(change, conf, &ready->slot->limiter);
        for (size_t k = 0; k < conf->key_count; k++) {
            int r = make_key(change, conf, &conf->keys[k], ready->slot, err);
            if (r != 0)
                return r;
        }
    }
    return 0;
}

static int cmp_keys(const void *a, const void *b)
{
    const struct access_key *const *x = a, *const *y = b;
    return memcmp((*x)->hash.b, (*y)->hash.b, SECRET_HASH_LEN);
}

static int refuse_repeated_secrets(struct change *change, struct error *err)
{
    qsort(change->keys, change->key_made, sizeof(struct access_key *), cmp_keys);
    for (size_t i = 1; i < change->key_made; i++) {
        const struct access_key *a = change->keys[i - 1], *b = change->keys[i];
        if (secret_hash_eq(&a->hash, &b->hash))
            return error_set(err, E_CONFIG,
                             "the keys %" STR_FMT " and %" STR_FMT
                             " have the same secret: give each its own",
                             STR_ARG(a->kid), STR_ARG(b->kid));
    }
    return 0;
}

/* ---- publishing; nothing can fail any more ---- */

static void publish_apps(struct change *change, struct mono now)
{
    struct access *access = change->access;
    for (size_t i = 0; i < change->app_count; i++) {
        struct app_ready *ready = &change->apps[i];
        ready->slot->generation = access->generation;
        access_publish_app(access, ready->slot, ready->app, now);
    }
    for (uint32_t i = 0; i < access->apps.count; i++) {
        if (access->app_slots[i]->generation != access->generation)
            access_give_back_app(access, access->app_slots[i], now);
    }
}

static bool has_key(const struct change *change, const struct secret_hash *hash)
{
    struct access_key wanted = {.hash = *hash};
    const struct access_key *key = &wanted;
    return change->key_made > 0 && bsearch(&key, change->keys, change->key_made,
                                           sizeof(struct access_key *), cmp_keys) != NULL;
}

static void publish_keys(struct change *change)
{
    struct access *access = change->access;
    struct secret_hash *hashes = make_array(change->key_made, sizeof(*hashes));
    for (size_t i = 0; i < access->file_key_count; i++) {
        if (!has_key(change, &access->file_keys[i]))
            access_drop_key(access, &access->file_keys[i]);
    }
    for (size_t i = 0; i < change->key_made; i++) {
        hashes[i] = change->keys[i]->hash;
        access_publish_key(access, change->keys[i]);
    }
    free(access->file_keys);
    access->file_keys = hashes;
    access->file_key_count = change->key_made;
}

static void publish(struct change *change, struct mono now)
{
    struct access *access = change->access;
    access->generation++;
    struct plan_list before = access->plans;
    access->plans = change->plans;
    change->plans = before; /* freed with the change: no reader sees plans */
    publish_apps(change, now);
    publish_keys(change);
    change->app_count = change->key_made = 0; /* they are the table's now */
}

static void forget_secrets(struct gateway_config *config)
{
    for (size_t i = 0; i < config->app_count; i++) {
        for (size_t k = 0; k < config->apps[i].key_count; k++) {
            struct str *secret = &config->apps[i].keys[k].secret;
            /* the text is the configuration's own, in its arena; only its view is const */
            sodium_memzero((void *)(uintptr_t)secret->p, secret->n);
            *secret = STR_EMPTY;
        }
    }
}

/* Frees what was made and not published. */
static void change_finish(struct change *change)
{
    for (size_t i = 0; i < change->app_count; i++)
        free(change->apps[i].app);
    for (size_t i = 0; i < change->key_made; i++)
        free(change->keys[i]);
    access_plans_finish(&change->plans);
    free(change->apps);
    free(change->keys);
}

static int make_all(struct change *change, struct error *err)
{
    int r = make_plans(change, err);
    if (r == 0)
        r = make_apps(change, err);
    if (r == 0)
        r = refuse_repeated_secrets(change, err);
    return r;
}

int access_apply_config(struct access *access, struct gateway_config *config, struct mono now,
                        struct error *err)
{
    struct change change = {.access = access, .config = config};
    for (size_t i = 0; i < config->app_count; i++)
        change.key_count += config->apps[i].key_count;
    change.plans.items = make_array(config->plan_count, sizeof(struct access_plan *));
    change.apps = make_array(config->app_count, sizeof(*change.apps));
    change.keys = make_array(change.key_count, sizeof(*change.keys));
    access_hold(access);
    int r = make_all(&change, err);
    if (r == 0)
        publish(&change, now);
    access_let_go(access);
    if (r == 0)
        forget_secrets(config);
    change_finish(&change);
    return r;
}
