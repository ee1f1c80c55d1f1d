/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_rig.h -- a table of keys and apps, and configurations for it, as the tests want them.
 *
 * Threads: one, which is inside an epoch from begin() to end().
 * Memory:  a file is the test's own; the table copies what it is given.
 * Errors:  a configuration that is refused ends the test.
 */
#ifndef TESTS_UNIT_GATEWAY_ACCESS_RIG_H
#define TESTS_UNIT_GATEWAY_ACCESS_RIG_H

#include "gateway/access.h"

#include <sodium.h>
#include <stdio.h>

#define LIST_MAX 3

#define SECRET_A "a secret of the file, A"
#define SECRET_B "a secret of the file, B"

/* A configuration in memory of its own, as the reader leaves it. */
struct file {
    struct gateway_config config;
    struct api_conf apis[LIST_MAX];
    struct api_conf *plan_apis[LIST_MAX][LIST_MAX];
    struct plan_conf plans[LIST_MAX];
    struct app_conf apps[LIST_MAX];
    struct file_key_conf keys[LIST_MAX][LIST_MAX];
    char secrets[LIST_MAX][LIST_MAX][64];
};

static inline void file_init(struct file *f)
{
    *f = (struct file){.config = {.apis = f->apis, .plans = f->plans, .apps = f->apps}};
}

static inline struct api_conf *add_api(struct file *f, const char *name)
{
    struct api_conf *api = &f->apis[f->config.api_count];
    *api = (struct api_conf){.name = str_from(name), .id = (uint32_t)f->config.api_count++};
    return api;
}

static inline struct plan_conf *add_plan(struct file *f, const char *name, uint64_t quota)
{
    struct plan_conf *plan = &f->plans[f->config.plan_count];
    *plan = (struct plan_conf){.name = str_from(name), .apis = f->plan_apis[f->config.plan_count]};
    f->config.plan_count++;
    if (quota > 0) {
        plan->limits[0] = (struct limit_conf){
            .kind = LIMIT_QUOTA, .name = STR("day"), .requests = quota, .window = CAL_DAY};
        plan->limit_count = 1;
    }
    return plan;
}

static inline void grant(struct plan_conf *plan, struct api_conf *api)
{
    plan->apis[plan->api_count++] = api;
}

static inline struct app_conf *add_app(struct file *f, const char *name, struct plan_conf *plan)
{
    struct app_conf *app = &f->apps[f->config.app_count];
    *app = (struct app_conf){.name = str_from(name), .plan = plan};
    app->keys = f->keys[f->config.app_count++];
    return app;
}

static inline void add_key(struct file *f, struct app_conf *app, const char *name,
                           const char *secret)
{
    char *text = f->secrets[app - f->apps][app->key_count];
    snprintf(text, 64, "%s", secret);
    app->keys[app->key_count++] =
        (struct file_key_conf){.name = str_from(name), .secret = str_from(text)};
}

struct fixture {
    struct epoch *epoch;
    struct access *access;
    unsigned token;
};

static inline void begin(struct fixture *f)
{
    struct pepper pepper = {.b = {1, 2, 3}};
    f->epoch = epoch_create(4);
    f->access = access_create(f->epoch, &pepper);
    f->token = epoch_enter(f->epoch, 0);
}

static inline void end(struct fixture *f)
{
    epoch_leave(f->epoch, 0, f->token);
    access_destroy(f->access);
    epoch_destroy(f->epoch);
}

static inline void apply(struct fixture *f, struct file *file)
{
    struct error err = ERROR_INIT;
    if (access_apply_config(f->access, &file->config, (struct mono){.us = 0}, &err) != 0)
        fail_msg("%s", err.text);
}

static inline const struct access_key *find(struct fixture *f, const char *secret)
{
    struct secret_hash hash = access_hash(f->access, str_from(secret));
    return access_find(f->access, &hash);
}

static inline int start_sodium(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

#endif
