/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/registry.h"

#include "portal/control.h"
#include "portal/store_apps.h"
#include "portal/store_keys.h"

#include <pthread.h>
#include <stdlib.h>

#define READERS_MAX 8

struct registry {
    char *data_dir; /* const after open, like all that is not marked */
    struct access *access;
    const struct pepper *pepper;
    pthread_mutex_t write_mtx;
    struct db *db;             /* guarded by write_mtx */
    struct wall last_id;       /* guarded by write_mtx; the moment that the newest id carries */
    struct uuid_source ids;    /* guarded by write_mtx */
    registry_tell *tell_mails; /* guarded by write_mtx; NULL for nobody */
    void *tell_ctx;            /* guarded by write_mtx */
    pthread_mutex_t read_mtx;
    pthread_cond_t reader_free;
    struct db *readers[READERS_MAX]; /* guarded by read_mtx; those nobody uses */
    unsigned spare, open;            /* guarded by read_mtx; of them in `readers`, and in all */
};

int registry_open(struct registry **ret_registry, const struct registry_options *options,
                  struct error *err)
{
    struct db *db;
    int r = control_open(&db, options->data_dir, CONTROL_WRITE, err);
    if (r != 0)
        return r;
    struct registry *registry = calloc(1, sizeof(*registry));
    CHECK(registry != NULL);
    registry->data_dir = strdup(options->data_dir);
    CHECK(registry->data_dir != NULL);
    registry->access = options->access;
    registry->pepper = options->pepper;
    registry->db = db;
    CHECK(pthread_mutex_init(&registry->write_mtx, NULL) == 0);
    CHECK(pthread_mutex_init(&registry->read_mtx, NULL) == 0);
    CHECK(pthread_cond_init(&registry->reader_free, NULL) == 0);
    *ret_registry = registry;
    return 0;
}

void registry_close(struct registry *registry)
{
    if (registry == NULL)
        return;
    CHECK(registry->spare == registry->open);
    for (unsigned i = 0; i < registry->spare; i++)
        db_close(registry->readers[i]);
    db_close(registry->db);
    pthread_cond_destroy(&registry->reader_free);
    pthread_mutex_destroy(&registry->read_mtx);
    pthread_mutex_destroy(&registry->write_mtx);
    free(registry->data_dir);
    free(registry);
}

const struct pepper *registry_pepper(const struct registry *registry)
{
    return registry->pepper;
}

struct access *registry_access(const struct registry *registry)
{
    return registry->access;
}

/* --- reading --- */

int registry_read(struct registry *registry, struct db **ret_db, struct error *err)
{
    struct db *db = NULL;
    CHECK(pthread_mutex_lock(&registry->read_mtx) == 0);
    while (registry->spare == 0 && registry->open == READERS_MAX)
        CHECK(pthread_cond_wait(&registry->reader_free, &registry->read_mtx) == 0);
    if (registry->spare > 0)
        db = registry->readers[--registry->spare];
    else
        registry->open++;
    CHECK(pthread_mutex_unlock(&registry->read_mtx) == 0);
    int r = db == NULL ? control_open(&db, registry->data_dir, CONTROL_READ, err) : 0;
    if (r == 0) {
        *ret_db = db;
        return 0;
    }
    CHECK(pthread_mutex_lock(&registry->read_mtx) == 0);
    registry->open--;
    CHECK(pthread_cond_signal(&registry->reader_free) == 0);
    CHECK(pthread_mutex_unlock(&registry->read_mtx) == 0);
    return r;
}

void registry_read_done(struct registry *registry, struct db *db)
{
    if (db == NULL)
        return;
    CHECK(pthread_mutex_lock(&registry->read_mtx) == 0);
    registry->readers[registry->spare++] = db;
    CHECK(pthread_cond_signal(&registry->reader_free) == 0);
    CHECK(pthread_mutex_unlock(&registry->read_mtx) == 0);
}

/* --- what was written, put in force --- */

static int put_key(void *ctx, const struct key_row *row)
{
    struct registry *registry = ctx;
    struct access_key_spec spec = key_row_spec(row);
    return access_put_key(registry->access, &spec);
}

static int put_app(void *ctx, const struct app_row *row)
{
    struct registry *registry = ctx;
    struct access_app_spec spec = app_row_spec(row);
    if (row->state == APP_DELETED)
        access_remove_app(registry->access, row->name);
    else
        access_put_app(registry->access, &spec, clock_mono());
    return 0;
}

static int put_touched_key(struct registry *registry, struct str kid, struct error *err)
{
    int r = store_keys_find(registry->db, kid, put_key, registry, err);
    if (r == E_EXISTS)
        return error_set(err, r,
                         "the key %" STR_FMT " is changed, but its secret is also written in the "
                         "configuration and goes on working until it is taken out there",
                         STR_ARG(kid));
    return r;
}

static int load_key(void *ctx, const struct key_row *row)
{
    int r = put_key(ctx, row);
    return r == E_EXISTS ? 0 : r; /* the file's key of that secret goes on */
}

/* Under the mutex, after the commit. */
static int publish(struct registry *registry, const struct registry_write *write, struct error *err)
{
    int r = 0;
    if (write->app[0] != '\0') {
        r = store_apps_find(registry->db, str_from(write->app), put_app, registry, err);
        if (r == E_NOT_FOUND)
            r = 0; /* one of the file, whose keys were changed */
    }
    struct key_page page = {.app = str_from(write->app)};
    if (r == 0 && write->app_keys)
        r = store_keys_list(registry->db, &page, load_key, registry, err);
    for (unsigned i = 0; i < write->kid_count && r == 0; i++)
        r = put_touched_key(registry, str_make(write->kids[i], KEY_KID_LEN), err);
    return r;
}

int registry_load(struct registry *registry, struct error *err)
{
    struct key_page all = {.limit = 0};
    CHECK(pthread_mutex_lock(&registry->write_mtx) == 0);
    int r = store_apps_each(registry->db, put_app, registry, err);
    if (r == 0)
        r = store_keys_list(registry->db, &all, load_key, registry, err);
    CHECK(pthread_mutex_unlock(&registry->write_mtx) == 0);
    return r;
}

/* --- writing --- */

static int in_transaction(struct registry_write *write, registry_work *work, void *ctx,
                          struct error *err)
{
    int r = db_begin(write->db, err);
    if (r != 0)
        return r;
    r = work(write, ctx, err);
    if (r == 0)
        r = db_commit(write->db, err);
    if (r != 0)
        db_rollback(write->db);
    return r;
}

int registry_write(struct registry *registry, registry_work *work, void *ctx, struct error *err)
{
    CHECK(pthread_mutex_lock(&registry->write_mtx) == 0);
    struct registry_write write = {.db = registry->db,
                                   .now = clock_wall(),
                                   .pepper = registry->pepper,
                                   .ids = &registry->ids,
                                   .last_id = &registry->last_id,
                                   .access = registry->access};
    int r = in_transaction(&write, work, ctx, err);
    if (r == 0)
        r = publish(registry, &write, err);
    if (write.mails && registry->tell_mails != NULL)
        registry->tell_mails(registry->tell_ctx);
    CHECK(pthread_mutex_unlock(&registry->write_mtx) == 0);
    return r;
}

void registry_touch_mails(struct registry_write *write)
{
    write->mails = true;
}

void registry_watch_mails(struct registry *registry, registry_tell *tell, void *ctx)
{
    CHECK(pthread_mutex_lock(&registry->write_mtx) == 0);
    registry->tell_mails = tell;
    registry->tell_ctx = ctx;
    CHECK(pthread_mutex_unlock(&registry->write_mtx) == 0);
}

void registry_touch_key(struct registry_write *write, struct str kid)
{
    CHECK(write->kid_count < REGISTRY_TOUCH_MAX);
    if (kid.n == KEY_KID_LEN) /* what is no kid is no key's */
        memcpy(write->kids[write->kid_count++], kid.p, KEY_KID_LEN);
}

void registry_touch_app(struct registry_write *write, struct str app)
{
    CHECK(str_copy(app, write->app, sizeof(write->app)));
}

void registry_touch_app_keys(struct registry_write *write, struct str app)
{
    registry_touch_app(write, app);
    write->app_keys = true;
}

struct uuid registry_id(struct registry_write *write)
{
    /* ids of one millisecond have no order: one that would fall into it carries the next */
    struct wall t = write->now;
    if (t.us / US_PER_MS <= write->last_id->us / US_PER_MS)
        t.us = write->last_id->us + US_PER_MS;
    *write->last_id = t;
    return uuid7_make(write->ids, t);
}
