/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The apps of the table and the plans they are resolved against. Of the store's apps the table
 * keeps what it was told, so that it can make their entries again when the plans change, or when
 * the file lets go of the name.
 */
#include "gateway/access_table.h"

#include <stdlib.h>

/* ---- texts behind an entry ---- */

static struct str put_text(struct str s, char **at)
{
    char *to = *at;
    str_copy(s, to, s.n + 1);
    *at += s.n + 1;
    return str_make(to, s.n);
}

static const uint64_t *put_bits(const uint64_t *bits, uint32_t words, char **at)
{
    uint64_t *to = (uint64_t *)(void *)*at; /* first behind the entry, so aligned */
    if (words > 0)
        memcpy(to, bits, words * sizeof(*to));
    *at += words * sizeof(*to);
    return to;
}

/* ---- plans ---- */

static uint32_t words_of(struct access *access, const struct plan_conf *conf)
{
    uint32_t largest = 0;
    for (size_t i = 0; i < conf->api_count; i++) {
        uint32_t number = intern_get(&access->apis, conf->apis[i]->name);
        largest = number > largest ? number : largest;
    }
    return conf->api_count > 0 ? largest / 64 + 1 : 0;
}

int access_make_plan(struct access *access, const struct plan_conf *conf,
                     struct access_plan **ret_plan, struct error *err)
{
    struct limiter_rules rules;
    int r = limiter_rules_init(&rules, conf->limits, conf->limit_count, err);
    if (r != 0) {
        if (err != NULL)
            error_prefix(err, "plans.%" STR_FMT, STR_ARG(conf->name));
        return r;
    }
    uint32_t words = words_of(access, conf);
    struct access_plan *plan = calloc(1, sizeof(*plan) + words * sizeof(uint64_t) + conf->name.n +
                                             conf->title.n + 2 + access_conf_size(&conf->access));
    CHECK(plan != NULL);
    uint64_t *bits = (uint64_t *)(void *)(plan + 1);
    char *at = (char *)(bits + words);
    *plan = (struct access_plan){
        .approval = conf->approval, .rules = rules, .api_bits = bits, .api_words = words};
    for (size_t i = 0; i < conf->api_count; i++) {
        uint32_t number = intern_get(&access->apis, conf->apis[i]->name);
        bits[number / 64] |= UINT64_C(1) << number % 64;
    }
    plan->name = put_text(conf->name, &at);
    plan->title = put_text(conf->title, &at);
    plan->access = access_copy_conf(&conf->access, &at);
    *ret_plan = plan;
    return 0;
}

static int cmp_plans(const void *a, const void *b)
{
    const struct access_plan *const *x = a, *const *y = b;
    return str_cmp((*x)->name, (*y)->name);
}

void access_plans_sort(struct plan_list *plans)
{
    if (plans->count > 0)
        qsort(plans->items, plans->count, sizeof(struct access_plan *), cmp_plans);
}

const struct access_plan *access_plan_find(const struct plan_list *plans, struct str name)
{
    struct access_plan wanted = {.name = name};
    const struct access_plan *key = &wanted;
    if (name.n == 0 || plans->count == 0)
        return NULL;
    struct access_plan *const *found =
        bsearch(&key, plans->items, plans->count, sizeof(struct access_plan *), cmp_plans);
    return found != NULL ? *found : NULL;
}

void access_plans_finish(struct plan_list *plans)
{
    for (size_t i = 0; i < plans->count; i++)
        free(plans->items[i]);
    free(plans->items);
    *plans = (struct plan_list){.count = 0};
}

/* ---- entries ---- */

struct access_app *access_make_app(const struct access_app_spec *spec, enum app_origin origin,
                                   const struct plan_list *plans, struct limiter *limiter)
{
    static const struct access_plan nothing;
    const struct access_plan *plan = access_plan_find(plans, spec->plan);
    if (plan == NULL)
        plan = &nothing;
    size_t size = plan->api_words * sizeof(uint64_t) + spec->name.n + plan->name.n + 2 +
                  access_conf_size(&spec->access) + access_conf_size(&plan->access);
    struct access_app *app = malloc(sizeof(*app) + size);
    CHECK(app != NULL);
    char *at = (char *)(app + 1);
    *app = (struct access_app){
        .suspended = spec->suspended,
        .pending = spec->pending,
        .origin = origin,
        .limiter = limiter,
        .rules = plan->rules,
        .api_words = plan->api_words,
    };
    app->api_bits = put_bits(plan->api_bits, plan->api_words, &at);
    app->name = put_text(spec->name, &at);
    app->plan = put_text(plan->name, &at);
    app->access = access_copy_conf(&spec->access, &at);
    app->plan_access = access_copy_conf(&plan->access, &at);
    return app;
}

void access_publish_app(struct access *access, struct access_slot *slot, struct access_app *app,
                        struct mono now)
{
    struct access_app *before = slot->last;
    slot->last = app;
    limiter_configure(&slot->limiter, app->rules.count > 0 ? &app->rules : NULL, now);
    atomic_store_explicit(&slot->app, app, memory_order_release); /* pairs with access_key_app() */
    epoch_retire(access->epoch, before, free);
}

/* Its limiter goes on by the rules of the last entry, which therefore stays. */
static void withdraw_app(struct access_slot *slot)
{
    atomic_store_explicit(&slot->app, NULL, memory_order_release); /* pairs with access_key_app() */
}

void access_give_back_app(struct access *access, struct access_slot *slot, struct mono now)
{
    if (slot->spec == NULL)
        withdraw_app(slot);
    else
        access_publish_app(
            access, slot,
            access_make_app(slot->spec, APP_FROM_STORE, &access->plans, &slot->limiter), now);
}

/* ---- for the owner ---- */

static struct access_app_spec *copy_spec(const struct access_app_spec *spec)
{
    size_t size = spec->name.n + spec->plan.n + 2 + access_conf_size(&spec->access);
    struct access_app_spec *copy = malloc(sizeof(*copy) + size);
    CHECK(copy != NULL);
    char *at = (char *)(copy + 1);
    *copy = *spec;
    copy->name = put_text(spec->name, &at);
    copy->plan = put_text(spec->plan, &at);
    copy->access = access_copy_conf(&spec->access, &at);
    return copy;
}

/* Whether the configuration in force has the app: then the store's entry waits. */
static bool in_file(const struct access *access, const struct access_slot *slot)
{
    return slot->generation == access->generation && access->generation > 0;
}

void access_put_app(struct access *access, const struct access_app_spec *spec, struct mono now)
{
    access_hold(access);
    struct access_slot *slot = access_slot_get(access, spec->name);
    free(slot->spec);
    slot->spec = copy_spec(spec);
    if (!in_file(access, slot))
        access_give_back_app(access, slot, now);
    access_let_go(access);
}

bool access_remove_app(struct access *access, struct str name)
{
    access_hold(access);
    struct access_slot *slot = access_slot_get(access, name);
    bool there = slot->spec != NULL;
    free(slot->spec);
    slot->spec = NULL;
    if (!in_file(access, slot))
        withdraw_app(slot);
    access_let_go(access);
    return there;
}

void access_each_app(struct access *access, void (*visit)(void *ctx, const struct access_app *app),
                     void *ctx)
{
    access_hold(access);
    for (uint32_t i = 0; i < access->apps.count; i++) {
        const struct access_app *app =
            atomic_load_explicit(&access->app_slots[i]->app, memory_order_relaxed);
        if (app != NULL)
            visit(ctx, app);
    }
    access_let_go(access);
}

bool access_show_app(struct access *access, struct str name,
                     void (*visit)(void *ctx, const struct access_app *app), void *ctx)
{
    const struct access_app *app = NULL;
    access_hold(access);
    uint32_t number = intern_find(&access->apps, name);
    if (number != INTERN_NONE)
        app = atomic_load_explicit(&access->app_slots[number]->app, memory_order_relaxed);
    if (app != NULL)
        visit(ctx, app);
    access_let_go(access);
    return app != NULL;
}

void access_each_plan(struct access *access,
                      void (*visit)(void *ctx, const struct access_plan *plan), void *ctx)
{
    access_hold(access);
    for (size_t i = 0; i < access->plans.count; i++)
        visit(ctx, access->plans.items[i]);
    access_let_go(access);
}
