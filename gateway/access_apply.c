/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file's part of the table: apps, plans and file keys. First everything is checked and made,
 * then it is published; so a configuration that cannot be changes nothing.
 */
#include "gateway/access_table.h"

#include <sodium.h>
#include <stdlib.h>

#define SECRET_MIN 16

/* A plan, ready to be copied into its apps. */
struct plan_ready {
    struct limiter_rules rules;
    uint64_t *api_bits;
    uint32_t api_words;
};

struct app_ready {
    struct access_app *app;
    struct access_slot *slot;
};

/* What a configuration will become. */
struct change {
    struct access *access;
    struct gateway_config *config;
    struct plan_ready *plans;
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

static int make_plan(struct change *change, size_t i, struct error *err)
{
    const struct plan_conf *conf = &change->config->plans[i];
    struct plan_ready *plan = &change->plans[i];
    int r = limiter_rules_init(&plan->rules, conf->limits, conf->limit_count, err);
    if (r != 0) {
        if (err != NULL)
            error_prefix(err, "plans.%" STR_FMT, STR_ARG(conf->name));
        return r;
    }
    uint32_t largest = 0;
    for (size_t a = 0; a < conf->api_count; a++) {
        uint32_t number = intern_get(&change->access->apis, conf->apis[a]->name);
        largest = number > largest ? number : largest;
    }
    plan->api_words = conf->api_count > 0 ? largest / 64 + 1 : 0;
    plan->api_bits = make_array(plan->api_words, sizeof(*plan->api_bits));
    for (size_t a = 0; a < conf->api_count; a++) {
        uint32_t number = intern_get(&change->access->apis, conf->apis[a]->name);
        plan->api_bits[number / 64] |= UINT64_C(1) << number % 64;
    }
    return 0;
}

static struct str put_text(struct str s, char **at)
{
    char *to = *at;
    str_copy(s, to, s.n + 1);
    *at += s.n + 1;
    return str_make(to, s.n);
}

static struct access_app *make_app(const struct app_conf *conf, const struct plan_ready *plan,
                                   struct limiter *limiter)
{
    static const struct access_conf everyone;
    struct str plan_name = conf->plan != NULL ? conf->plan->name : STR_EMPTY;
    const struct access_conf *plan_access = conf->plan != NULL ? &conf->plan->access : &everyone;
    uint32_t words = plan != NULL ? plan->api_words : 0;
    size_t size = words * sizeof(uint64_t) + conf->name.n + plan_name.n + 2 +
                  access_conf_size(&conf->access) + access_conf_size(plan_access);
    struct access_app *app = malloc(sizeof(*app) + size);
    CHECK(app != NULL);
    uint64_t *bits = (uint64_t *)(void *)(app + 1);
    char *at = (char *)(bits + words);
    if (words > 0)
        memcpy(bits, plan->api_bits, words * sizeof(*bits));
    *app = (struct access_app){
        .suspended = conf->suspended, .limiter = limiter, .api_bits = bits, .api_words = words};
    if (plan != NULL)
        app->rules = plan->rules;
    app->name = put_text(conf->name, &at);
    app->plan = put_text(plan_name, &at);
    app->access = access_copy_conf(&conf->access, &at);
    app->plan_access = access_copy_conf(plan_access, &at);
    return app;
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
        const struct plan_ready *plan =
            conf->plan != NULL ? &change->plans[conf->plan - config->plans] : NULL;
        struct app_ready *ready = &change->apps[change->app_count++];
        ready->slot = access_slot_get(change->access, conf->name);
        ready->app = make_app(conf, plan, &ready->slot->limiter);
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

static void publish_app(struct access *access, struct access_slot *slot, struct access_app *app,
                        struct mono now)
{
    struct access_app *before = slot->last;
    slot->last = app;
    slot->generation = access->generation;
    limiter_configure(&slot->limiter, app->rules.count > 0 ? &app->rules : NULL, now);
    atomic_store_explicit(&slot->app, app, memory_order_release); /* pairs with access_key_app() */
    epoch_retire(access->epoch, before, free);
}

/* Its limiter goes on by the rules of the last entry, which therefore stays. */
static void withdraw_apps(struct access *access)
{
    for (uint32_t i = 0; i < access->apps.count; i++) {
        struct access_slot *slot = access->app_slots[i];
        if (slot->generation != access->generation)
            atomic_store_explicit(&slot->app, NULL, memory_order_release); /* as above */
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
    for (size_t i = 0; i < change->app_count; i++)
        publish_app(access, change->apps[i].slot, change->apps[i].app, now);
    withdraw_apps(access);
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
    for (size_t i = 0; i < change->config->plan_count; i++)
        free(change->plans[i].api_bits);
    for (size_t i = 0; i < change->app_count; i++)
        free(change->apps[i].app);
    for (size_t i = 0; i < change->key_made; i++)
        free(change->keys[i]);
    free(change->plans);
    free(change->apps);
    free(change->keys);
}

static int make_all(struct change *change, struct error *err)
{
    int r = 0;
    for (size_t i = 0; i < change->config->plan_count && r == 0; i++)
        r = make_plan(change, i, err);
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
    change.plans = make_array(config->plan_count, sizeof(*change.plans));
    change.apps = make_array(config->app_count, sizeof(*change.apps));
    change.keys = make_array(change.key_count, sizeof(*change.keys));
    CHECK(pthread_mutex_lock(&access->mtx) == 0);
    int r = make_all(&change, err);
    if (r == 0)
        publish(&change, now);
    CHECK(pthread_mutex_unlock(&access->mtx) == 0);
    if (r == 0)
        forget_secrets(config);
    change_finish(&change);
    return r;
}
