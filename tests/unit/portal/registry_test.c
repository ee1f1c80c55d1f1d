/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "portal/registry.h"
#include "portal/store_apps.h"
#include "portal/store_keys.h"
#include "portal/store_people.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    char dir[64];
    struct pepper pepper;
    struct epoch *epoch;
    struct access *access;
    struct registry *registry;
    struct uuid person, team;
    char app[APP_NAME_MAX + 1];
    struct key_text key;
};

static void open_all(struct fixture *f)
{
    struct error err = ERROR_INIT;
    f->epoch = epoch_create(1);
    f->access = access_create(f->epoch, &f->pepper);
    struct registry_options options = {
        .data_dir = f->dir, .access = f->access, .pepper = &f->pepper};
    if (registry_open(&f->registry, &options, &err) != 0 || registry_load(f->registry, &err) != 0)
        fail_msg("%s", err.text);
}

static void close_all(struct fixture *f)
{
    registry_close(f->registry);
    access_destroy(f->access);
    epoch_destroy(f->epoch);
}

static int make_app(struct registry_write *w, void *ctx, struct error *err)
{
    struct fixture *f = ctx;
    struct person_wish person = {.id = registry_id(w),
                                 .team = registry_id(w),
                                 .email = STR("a@example.com"),
                                 .name = STR("A"),
                                 .password = STR("x"),
                                 .state = PERSON_ACTIVE,
                                 .now = w->now};
    f->person = person.id;
    f->team = person.team;
    int r = store_people_create(w->db, &person, err);
    struct app_wish wish = {
        .team = f->team, .person = f->person, .title = STR("Orders"), .now = w->now};
    if (r == 0)
        r = store_apps_create(w->db, &wish, f->app, err);
    registry_touch_app(w, str_from(f->app));
    return r;
}

static struct str kid_of(const struct key_text *text)
{
    struct key_parsed parsed;
    assert_int_equal(key_parse(key_text_str(text), &parsed), KEY_OURS);
    return parsed.kid;
}

static int issue(struct registry_write *w, void *ctx, struct error *err)
{
    struct fixture *f = ctx;
    struct key_wish wish = {.name = STR("k"), .app = str_from(f->app), .now = w->now};
    int r = store_keys_create(w->db, w->pepper, &wish, &f->key, err);
    if (r == 0)
        registry_touch_key(w, kid_of(&f->key));
    return r;
}

static void must(struct fixture *f, registry_work *work, void *ctx)
{
    struct error err = ERROR_INIT;
    if (registry_write(f->registry, work, ctx, &err) != 0)
        fail_msg("%s", err.text);
}

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    snprintf(f->dir, sizeof(f->dir), "/tmp/weir-registry-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    open_all(f);
    must(f, make_app, f);
    must(f, issue, f);
    *state = f;
    return 0;
}

static int end(void **state)
{
    static const char *const files[] = {"weir.db", "weir.db-wal", "weir.db-shm"};
    struct fixture *f = *state;
    close_all(f);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

/* The key as the gateway would find it, or NULL. */
static const struct access_key *in_force(const struct fixture *f)
{
    struct secret_hash hash = access_hash(f->access, key_text_str(&f->key));
    return access_find(f->access, &hash);
}

static void what_was_written_is_in_force_and_again_after_a_restart(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 2; i++) {
        const struct access_key *key = in_force(f);
        assert_non_null(key);
        assert_int_equal(key->state, KEY_ACTIVE);
        assert_non_null(access_key_app(key));
        assert_str_equal(access_key_app(key)->name, f->app);
        close_all(f);
        open_all(f);
    }
}

static int revoke_and_fail(struct registry_write *w, void *ctx, struct error *err)
{
    struct fixture *f = ctx;
    registry_touch_key(w, kid_of(&f->key));
    int r = store_keys_revoke(w->db, kid_of(&f->key), w->now, err);
    return r == 0 ? error_set(err, E_INVALID, "thought better of it") : r;
}

static void a_write_that_fails_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    assert_int_equal(registry_write(f->registry, revoke_and_fail, f, &err), E_INVALID);
    assert_int_equal(in_force(f)->state, KEY_ACTIVE);
    close_all(f);
    open_all(f);
    assert_int_equal(in_force(f)->state, KEY_ACTIVE);
}

static int delete_app(struct registry_write *w, void *ctx, struct error *err)
{
    struct fixture *f = ctx;
    registry_touch_app_keys(w, str_from(f->app));
    return store_apps_delete(w->db, str_from(f->app), w->now, err);
}

static void an_app_that_is_deleted_takes_its_keys_along(void **state)
{
    struct fixture *f = *state;
    must(f, delete_app, f);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(in_force(f)->state, KEY_REVOKED);
        assert_null(access_key_app(in_force(f)));
        close_all(f);
        open_all(f);
    }
}

static int draw_ids(struct registry_write *w, void *ctx, struct error *err)
{
    struct uuid *last = ctx;
    (void)err;
    for (unsigned i = 0; i < 100; i++) {
        struct uuid id = registry_id(w);
        assert_true(memcmp(&id, last, sizeof(id)) > 0);
        *last = id;
    }
    return 0;
}

static void ids_grow_within_a_millisecond_too(void **state)
{
    struct fixture *f = *state;
    struct uuid last = {.b = {0}};
    for (unsigned i = 0; i < 10; i++)
        must(f, draw_ids, &last);
}

/* --- many at once --- */

struct flip {
    struct fixture *f;
    bool enabled;
};

static int enable(struct registry_write *w, void *ctx, struct error *err)
{
    const struct flip *flip = ctx;
    registry_touch_key(w, kid_of(&flip->f->key));
    return store_keys_enable(w->db, kid_of(&flip->f->key), flip->enabled, KEY_BY_OWNER, err);
}

static void *flip_often(void *arg)
{
    struct flip *flip = arg;
    struct error err = ERROR_INIT;
    for (unsigned i = 0; i < 20; i++) {
        if (registry_write(flip->f->registry, enable, flip, &err) != 0)
            return err.text[0] != '\0' ? flip : NULL;
    }
    return NULL;
}

static int take_state(void *ctx, const struct key_row *row)
{
    *(enum key_state *)ctx = row->state;
    return 0;
}

static void *read_often(void *arg)
{
    struct fixture *f = arg;
    struct error err = ERROR_INIT;
    for (unsigned i = 0; i < 50; i++) {
        enum key_state state;
        struct db *db;
        if (registry_read(f->registry, &db, &err) != 0)
            return f;
        int r = store_keys_find(db, kid_of(&f->key), take_state, &state, &err);
        registry_read_done(f->registry, db);
        if (r != 0)
            return f;
    }
    return NULL;
}

/* Of two who disagree the last on the disk is the last in force. */
static void the_order_in_force_is_that_on_the_disk(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    pthread_t threads[16];
    struct flip flips[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        if (i < ARRAY_LEN(flips)) {
            flips[i] = (struct flip){.f = f, .enabled = i % 2 == 0};
            assert_int_equal(pthread_create(&threads[i], NULL, flip_often, &flips[i]), 0);
        } else {
            assert_int_equal(pthread_create(&threads[i], NULL, read_often, f), 0);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    enum key_state on_disk = KEY_REVOKED;
    struct db *db;
    assert_int_equal(registry_read(f->registry, &db, &err), 0);
    assert_int_equal(store_keys_find(db, kid_of(&f->key), take_state, &on_disk, &err), 0);
    registry_read_done(f->registry, db);
    assert_int_equal(in_force(f)->state, on_disk);
}

static int start_sodium(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_in_force_and_again_after_a_restart),
        TEST(a_write_that_fails_leaves_nothing_behind),
        TEST(an_app_that_is_deleted_takes_its_keys_along),
        TEST(ids_grow_within_a_millisecond_too),
        TEST(the_order_in_force_is_that_on_the_disk),
    };
    return cmocka_run_group_tests_name("registry", tests, start_sodium, NULL);
}
