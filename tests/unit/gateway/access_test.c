/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "gateway/access_rig.h"
#include "gateway/intern.h"

#include <pthread.h>
#include <stdlib.h>

static struct access_key_spec spec_of(struct fixture *f, const char *secret, const char *kid,
                                      const char *app)
{
    return (struct access_key_spec){.hash = access_hash(f->access, str_from(secret)),
                                    .kid = str_from(kid),
                                    .name = STR("a key"),
                                    .app = str_from(app)};
}

static void finds_the_keys_of_the_file(void **state)
{
    (void)state;
    struct fixture f;
    struct file file;
    begin(&f);
    file_init(&file);
    struct api_conf *users = add_api(&file, "users"), *orders = add_api(&file, "orders");
    struct plan_conf *free_plan = add_plan(&file, "free", 5);
    grant(free_plan, users);
    struct app_conf *acme = add_app(&file, "acme", free_plan);
    add_key(&file, acme, "ci", SECRET_A);
    apply(&f, &file);

    const struct access_key *key = find(&f, SECRET_A);
    assert_non_null(key);
    assert_str_equal(key->kid, "acme/ci");
    assert_str_equal(key->name, "ci");
    assert_int_equal(key->state, KEY_ACTIVE);
    assert_int_equal(key->origin, KEY_FROM_FILE);
    assert_int_equal(key->expires.us, 0);
    const struct access_app *app = access_key_app(key);
    assert_str_equal(app->name, "acme");
    assert_str_equal(app->plan, "free");
    assert_false(app->suspended);
    assert_true(access_app_has(app, access_api_number(f.access, users->name)));
    assert_false(access_app_has(app, access_api_number(f.access, orders->name)));
    assert_false(access_app_has(app, 1000000));
    assert_int_equal(app->rules.count, 1);
    assert_null(find(&f, SECRET_B));
    assert_null(find(&f, ""));
    end(&f);
}

static void secrets_of_the_configuration_are_zeroed(void **state)
{
    (void)state;
    struct fixture f;
    struct file file;
    begin(&f);
    file_init(&file);
    add_key(&file, add_app(&file, "acme", NULL), "ci", SECRET_A);
    apply(&f, &file);
    assert_true(sodium_is_zero((unsigned char *)file.secrets[0][0], strlen(SECRET_A)));
    assert_int_equal(file.keys[0][0].secret.n, 0);
    end(&f);
}

static void what_the_file_no_longer_has_goes(void **state)
{
    (void)state;
    struct fixture f;
    struct file file;
    begin(&f);
    file_init(&file);
    struct app_conf *acme = add_app(&file, "acme", add_plan(&file, "free", 5));
    add_key(&file, acme, "one", SECRET_A);
    add_key(&file, acme, "two", SECRET_B);
    apply(&f, &file);
    struct access_key_spec issued = spec_of(&f, "issued", "kid00001", "acme");
    assert_int_equal(access_put_key(f.access, &issued), 0);
    const struct access_key *held = find(&f, SECRET_B);

    file_init(&file);
    acme = add_app(&file, "acme", add_plan(&file, "free", 5));
    add_key(&file, acme, "one", SECRET_A);
    apply(&f, &file);
    assert_non_null(find(&f, SECRET_A));
    assert_null(find(&f, SECRET_B));
    assert_str_equal(held->kid, "acme/two"); /* this request still sees it */

    file_init(&file);
    apply(&f, &file);
    assert_null(find(&f, SECRET_A));
    /* a key of the store stays, without an app until that comes back */
    assert_non_null(find(&f, "issued"));
    assert_null(access_key_app(find(&f, "issued")));
    file_init(&file);
    add_app(&file, "acme", NULL);
    apply(&f, &file);
    assert_str_equal(access_key_app(find(&f, "issued"))->name, "acme");
    assert_str_equal(access_key_app(find(&f, "issued"))->plan, "");
    end(&f);
}

static void an_entry_outlives_the_configuration_it_came_from(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct file *file = malloc(sizeof(*file));
    assert_non_null(file);
    struct cidr *nets = malloc(3 * sizeof(*nets));
    assert_non_null(nets);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(
            cidr_parse((struct str[]){STR("10.0.0.0/8"), STR("10.6.6.6"), STR("192.0.2.0/24")}[i],
                       &nets[i]),
            0);
    file_init(file);
    struct plan_conf *plan = add_plan(file, "free", 5);
    grant(plan, add_api(file, "users"));
    plan->access.allow = (struct cidr_set){&nets[0], 1};
    struct app_conf *app = add_app(file, "acme", plan);
    app->access.deny = (struct cidr_set){&nets[1], 1};
    add_key(file, app, "ci", SECRET_A);
    app->keys[0].access.allow = (struct cidr_set){&nets[2], 1};
    apply(&f, file);
    memset(file, 0xee, sizeof(*file));
    memset(nets, 0xee, 3 * sizeof(*nets));
    free(file);
    free(nets);

    const struct access_key *key = find(&f, SECRET_A);
    const struct access_app *now = access_key_app(key);
    struct ip ip;
    assert_str_equal(now->name, "acme");
    assert_str_equal(now->plan, "free");
    assert_true(access_app_has(now, access_api_number(f.access, STR("users"))));
    assert_int_equal(ip_parse(STR("10.6.6.6"), &ip), 0);
    assert_true(access_decide(&now->plan_access, ip).allowed);
    assert_false(access_decide(&now->access, ip).allowed);
    assert_false(access_decide(&key->access, ip).allowed);
    assert_str_equal(limit_rule_name(&now->rules.items[0]), "day");
    end(&f);
}

static void limits_go_on_through_reloads(void **state)
{
    (void)state;
    static const char *const plans[] = {"free", "large", NULL, "free"};
    static const uint64_t quotas[] = {5, 8, 0, 5};
    static const unsigned passes[] = {4, 4, 0, 0}; /* of 4 tries each */
    struct fixture f;
    struct limiter *limiter = NULL;
    begin(&f);
    limiter = access_limiter(f.access, STR("acme")); /* before there is such an app */
    for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
        struct file file;
        file_init(&file);
        if (plans[i] != NULL)
            add_app(&file, "acme", add_plan(&file, plans[i], quotas[i]));
        apply(&f, &file);
        struct limiter *now = access_limiter(f.access, STR("acme"));
        assert_non_null(now);
        assert_true(limiter == NULL || now == limiter);
        limiter = now;
        unsigned passed = 0;
        struct limiter_answer a;
        for (unsigned k = 0; k < 4; k++)
            passed += limiter_take(limiter, (struct mono){.us = 0}, (struct wall){.us = 0}, &a);
        assert_int_equal(passed, passes[i]);
        /* whoever held nothing over the reload: old entries really go */
        epoch_leave(f.epoch, 0, f.token);
        epoch_collect(f.epoch);
        f.token = epoch_enter(f.epoch, 0);
    }
    end(&f);
}

static void numbers_of_apis_stay_with_their_names(void **state)
{
    (void)state;
    struct fixture f;
    struct file file;
    begin(&f);
    uint32_t b = access_api_number(f.access, STR("b"));
    file_init(&file);
    struct plan_conf *plan = add_plan(&file, "p", 0);
    add_api(&file, "a");
    grant(plan, add_api(&file, "b"));
    add_key(&file, add_app(&file, "acme", plan), "ci", SECRET_A);
    apply(&f, &file);
    uint32_t a = access_api_number(f.access, STR("a"));
    assert_int_not_equal(a, b);
    assert_int_equal(access_api_number(f.access, STR("b")), b);
    assert_true(access_app_has(access_key_app(find(&f, SECRET_A)), b));
    assert_false(access_app_has(access_key_app(find(&f, SECRET_A)), a));
    /* beyond one word of bits */
    char name[16];
    for (unsigned i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "api-%u", i);
        access_api_number(f.access, str_from(name));
    }
    file_init(&file);
    plan = add_plan(&file, "p", 0);
    grant(plan, add_api(&file, name));
    add_key(&file, add_app(&file, "acme", plan), "ci", SECRET_A);
    apply(&f, &file);
    const struct access_app *app = access_key_app(find(&f, SECRET_A));
    assert_true(access_app_has(app, access_api_number(f.access, str_from(name))));
    assert_false(access_app_has(app, b));
    end(&f);
}

static void a_faulty_configuration_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *app, *key, *secret, *says;
        bool bad_limit;
    } cases[] = {
        {"other", "x", "too short", "apps.other.keys.x: the secret has less than 16", false},
        {"other", "x", "weir_live_00000000_damaged", "checksum", false},
        {"other", "x", SECRET_A, "same secret", false},
        {"other", "x", "issued by the store", "already issued", false},
        {"other", "x", "a secret that is fine", "plans.new: the limit", true},
    };
    struct fixture f;
    struct file file;
    begin(&f);
    file_init(&file);
    struct app_conf *acme = add_app(&file, "acme", add_plan(&file, "free", 5));
    add_key(&file, acme, "one", SECRET_B);
    apply(&f, &file);
    struct access_key_spec issued = spec_of(&f, "issued by the store", "kid00001", "acme");
    assert_int_equal(access_put_key(f.access, &issued), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        file_init(&file);
        struct plan_conf *plan = add_plan(&file, "new", 7);
        if (cases[i].bad_limit)
            plan->limits[0].name = STR("no name");
        add_key(&file, add_app(&file, "acme", plan), "new", SECRET_A);
        add_key(&file, add_app(&file, cases[i].app, plan), cases[i].key, cases[i].secret);
        int r = access_apply_config(f.access, &file.config, (struct mono){.us = 0}, &err);
        assert_true(r < 0);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("case %zu: %s", i, err.text);
        assert_string_equal(file.secrets[0][0], SECRET_A); /* not zeroed: not taken */
        assert_null(find(&f, SECRET_A));
        assert_str_equal(access_key_app(find(&f, SECRET_B))->plan, "free");
        assert_non_null(find(&f, "issued by the store"));
    }
    end(&f);
}

static void a_change_of_a_key_is_in_force_for_the_next_look(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct access_key_spec spec = spec_of(&f, "issued", "kid00001", "acme");
    assert_int_equal(access_set_state(f.access, &spec.hash, KEY_REVOKED), E_NOT_FOUND);
    assert_int_equal(access_remove_key(f.access, &spec.hash), E_NOT_FOUND);
    assert_int_equal(access_put_key(f.access, &spec), 0);
    const struct access_key *before = find(&f, "issued");
    assert_int_equal(before->state, KEY_ACTIVE);
    assert_int_equal(before->origin, KEY_FROM_STORE);

    assert_int_equal(access_set_state(f.access, &spec.hash, KEY_REVOKED), 0);
    assert_int_equal(find(&f, "issued")->state, KEY_REVOKED);
    assert_str_equal(find(&f, "issued")->kid, "kid00001");
    assert_ptr_equal(find(&f, "issued")->slot, before->slot);
    assert_int_equal(before->state, KEY_ACTIVE); /* an entry never changes */

    struct cidr net;
    assert_int_equal(cidr_parse(STR("192.0.2.0/24"), &net), 0);
    spec.name = STR("another name");
    spec.expires = (struct wall){.us = 77};
    spec.state = KEY_DISABLED;
    spec.access.allow = (struct cidr_set){&net, 1};
    assert_int_equal(access_put_key(f.access, &spec), 0);
    const struct access_key *edited = find(&f, "issued");
    assert_str_equal(edited->name, "another name");
    assert_int_equal(edited->expires.us, 77);
    assert_int_equal(edited->state, KEY_DISABLED);
    assert_int_equal(edited->access.allow.count, 1);
    assert_true(ip_eq(edited->access.allow.items[0].ip, net.ip));
    assert_str_equal(before->name, "a key");

    assert_int_equal(access_remove_key(f.access, &spec.hash), 0);
    assert_null(find(&f, "issued"));
    assert_int_equal(access_put_key(f.access, &spec), 0);
    assert_non_null(find(&f, "issued"));
    end(&f);
}

static void only_the_file_changes_its_keys(void **state)
{
    (void)state;
    struct fixture f;
    struct file file;
    begin(&f);
    file_init(&file);
    add_key(&file, add_app(&file, "acme", NULL), "ci", SECRET_A);
    apply(&f, &file);
    struct access_key_spec spec = spec_of(&f, SECRET_A, "kid00001", "acme");
    assert_int_equal(access_put_key(f.access, &spec), E_EXISTS);
    assert_int_equal(access_set_state(f.access, &spec.hash, KEY_REVOKED), E_DENIED);
    assert_int_equal(access_remove_key(f.access, &spec.hash), E_DENIED);
    assert_int_equal(find(&f, SECRET_A)->state, KEY_ACTIVE);
    end(&f);
}

static void count_key(void *ctx, const struct access_key *key)
{
    unsigned *count = ctx;
    assert_int_equal(key->kid.n, 8);
    ++*count;
}

static void count_app(void *ctx, const struct access_app *app)
{
    unsigned *count = ctx;
    assert_str_equal(app->name, "acme");
    ++*count;
}

static void the_table_grows_and_forgets(void **state)
{
    (void)state;
    enum { KEYS = 20000 };
    struct fixture f;
    begin(&f);
    char secret[32], kid[16];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < KEYS; i++) {
            snprintf(secret, sizeof(secret), "secret %u", i);
            snprintf(kid, sizeof(kid), "k%07u", i);
            struct access_key_spec spec = spec_of(&f, secret, kid, "acme");
            assert_int_equal(access_put_key(f.access, &spec), 0);
        }
        for (unsigned i = 0; i < KEYS; i++) {
            snprintf(secret, sizeof(secret), "secret %u", i);
            snprintf(kid, sizeof(kid), "k%07u", i);
            const struct access_key *key = find(&f, secret);
            assert_non_null(key);
            assert_str_equal(key->kid, kid);
            if (i % 4 == round) {
                struct secret_hash hash = key->hash;
                assert_int_equal(access_remove_key(f.access, &hash), 0);
                assert_null(find(&f, secret));
            }
        }
        unsigned count = 0;
        access_each_key(f.access, count_key, &count);
        assert_int_equal(count, KEYS / 4 * 3);
    }
    struct file file;
    file_init(&file);
    unsigned apps = 0;
    access_each_app(f.access, count_app, &apps);
    assert_int_equal(apps, 0); /* keys name the app, the file does not have it */
    add_app(&file, "acme", NULL);
    apply(&f, &file);
    access_each_app(f.access, count_app, &apps);
    assert_int_equal(apps, 1);
    end(&f);
}

static void deny_wins_and_an_allow_list_must_hold_the_address(void **state)
{
    (void)state;
    static const struct {
        const char *allow, *deny, *ip;
        bool allowed;
        const char *cidr;
    } cases[] = {
        {NULL, NULL, "203.0.113.1", true, NULL},
        {"203.0.113.0/24", NULL, "203.0.113.1", true, "203.0.113.0/24"},
        {"203.0.113.0/24", NULL, "203.0.114.1", false, NULL},
        {NULL, "203.0.113.0/24", "203.0.113.1", false, "203.0.113.0/24"},
        {NULL, "203.0.113.0/24", "203.0.114.1", true, NULL},
        {"203.0.113.0/24", "203.0.113.1", "203.0.113.1", false, "203.0.113.1/32"},
        {"203.0.113.0/24", "203.0.113.1", "203.0.113.2", true, "203.0.113.0/24"},
        {"2001:db8::/32", NULL, "203.0.113.2", false, NULL},
        {"2001:db8::/32", NULL, "2001:db8::7", true, "2001:db8::/32"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cidr allow, deny;
        struct access_conf conf = {.allow = {.count = 0}};
        struct ip ip;
        if (cases[i].allow != NULL) {
            assert_int_equal(cidr_parse(str_from(cases[i].allow), &allow), 0);
            conf.allow = cidr_set_build(&allow, 1);
        }
        if (cases[i].deny != NULL) {
            assert_int_equal(cidr_parse(str_from(cases[i].deny), &deny), 0);
            conf.deny = cidr_set_build(&deny, 1);
        }
        assert_int_equal(ip_parse(str_from(cases[i].ip), &ip), 0);
        struct access_decision d = access_decide(&conf, ip);
        assert_int_equal(d.allowed, cases[i].allowed);
        assert_int_equal(d.cidr != NULL, cases[i].cidr != NULL);
        if (d.cidr != NULL) {
            struct cidr want;
            assert_int_equal(cidr_parse(str_from(cases[i].cidr), &want), 0);
            assert_true(ip_eq(want.ip, d.cidr->ip) && want.prefix == d.cidr->prefix);
        }
    }
}

/*
 * Carriers look keys up while the table grows, changes and is reloaded: a key that was never
 * removed is always found, whole, and a key keeps its kid.
 */
#define READERS 3
#define FIXED 64

struct load {
    struct access *access;
    struct epoch *epoch;
    struct secret_hash fixed[FIXED], churned[FIXED];
    _Atomic bool stop;
    _Atomic unsigned ready, bad, found;
};

struct reader {
    struct load *load;
    unsigned slot;
};

static void check_key(struct load *load, const struct access_key *key, const char *prefix)
{
    const struct access_app *app = access_key_app(key);
    struct limiter_answer a;
    bool bad = !str_starts(key->kid, str_from(prefix)) || key->name.n != 5;
    if (app != NULL) {
        bad |= !str_eq(app->name, STR("acme"));
        limiter_take(app->limiter, (struct mono){.us = 0}, (struct wall){.us = 0}, &a);
        bad |= a.count > 0 && !str_eq(limit_rule_name(a.limits[0].rule), STR("day"));
    }
    if (bad)
        atomic_fetch_add(&load->bad, 1);
}

static void *look_up(void *arg)
{
    struct reader *reader = arg;
    struct load *load = reader->load;
    atomic_fetch_add(&load->ready, 1);
    for (unsigned i = 0; !atomic_load_explicit(&load->stop, memory_order_relaxed); i++) {
        unsigned token = epoch_enter(load->epoch, reader->slot);
        const struct access_key *key = access_find(load->access, &load->fixed[i % FIXED]);
        if (key == NULL)
            atomic_fetch_add(&load->bad, 1);
        else
            check_key(load, key, "fixed");
        key = access_find(load->access, &load->churned[i % FIXED]);
        if (key != NULL) {
            atomic_fetch_add_explicit(&load->found, 1, memory_order_relaxed);
            check_key(load, key, "churn");
        }
        epoch_leave(load->epoch, reader->slot, token);
    }
    return NULL;
}

static void put_named(struct load *load, const struct secret_hash *hash, const char *kid)
{
    struct access_key_spec spec = {
        .hash = *hash, .kid = str_from(kid), .name = STR("a key"), .app = STR("acme")};
    assert_int_equal(access_put_key(load->access, &spec), 0);
}

static void change_everything(struct load *load, unsigned i)
{
    char text[32];
    const struct secret_hash *churned = &load->churned[i % FIXED];
    snprintf(text, sizeof(text), "churn%u", i);
    put_named(load, churned, text);
    assert_int_equal(
        access_set_state(load->access, &load->fixed[i % FIXED], (enum key_state)(i % 3)), 0);
    if (i % 3 == 0)
        assert_int_equal(access_remove_key(load->access, churned), 0);
    struct secret_hash other = access_hash(load->access, str_from(text));
    put_named(load, &other, text); /* grows the table */
    if (i % 16 == 0) {
        struct file file;
        file_init(&file);
        if (i % 64 != 0)
            add_app(&file, "acme", add_plan(&file, "p", i + 1));
        struct error err = ERROR_INIT;
        assert_int_equal(
            access_apply_config(load->access, &file.config, (struct mono){.us = 0}, &err), 0);
    }
}

static void readers_see_whole_entries_under_change(void **state)
{
    (void)state;
    static struct load load;
    struct pepper pepper = {.b = {9}};
    load.epoch = epoch_create(READERS);
    load.access = access_create(load.epoch, &pepper);
    for (unsigned i = 0; i < FIXED; i++) {
        char text[32];
        snprintf(text, sizeof(text), "fixed%u", i);
        load.fixed[i] = access_hash(load.access, str_from(text));
        put_named(&load, &load.fixed[i], text);
        snprintf(text, sizeof(text), "churned%u", i);
        load.churned[i] = access_hash(load.access, str_from(text));
    }
    struct reader readers[READERS];
    pthread_t threads[READERS];
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.load = &load, .slot = i};
        assert_int_equal(pthread_create(&threads[i], NULL, look_up, &readers[i]), 0);
    }
    while (atomic_load(&load.ready) < READERS)
        ;
    for (unsigned i = 1; i < 5000 || atomic_load(&load.found) == 0; i++)
        change_everything(&load, i);
    atomic_store(&load.stop, true);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&load.bad), 0);
    access_destroy(load.access);
    epoch_destroy(load.epoch);
}

static void interned_names_keep_their_numbers(void **state)
{
    (void)state;
    struct intern in;
    char name[16];
    intern_init(&in);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 1000; i++) {
            snprintf(name, sizeof(name), "n%u", i);
            assert_int_equal(intern_get(&in, str_from(name)), i);
        }
    }
    assert_int_equal(intern_get(&in, STR("")), 1000);
    assert_int_equal(intern_get(&in, STR("n1000")), 1001);
    intern_finish(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_keys_of_the_file),
        cmocka_unit_test(secrets_of_the_configuration_are_zeroed),
        cmocka_unit_test(what_the_file_no_longer_has_goes),
        cmocka_unit_test(an_entry_outlives_the_configuration_it_came_from),
        cmocka_unit_test(limits_go_on_through_reloads),
        cmocka_unit_test(numbers_of_apis_stay_with_their_names),
        cmocka_unit_test(a_faulty_configuration_changes_nothing),
        cmocka_unit_test(a_change_of_a_key_is_in_force_for_the_next_look),
        cmocka_unit_test(only_the_file_changes_its_keys),
        cmocka_unit_test(the_table_grows_and_forgets),
        cmocka_unit_test(deny_wins_and_an_allow_list_must_hold_the_address),
        cmocka_unit_test(readers_see_whole_entries_under_change),
        cmocka_unit_test(interned_names_keep_their_numbers),
    };
    return cmocka_run_group_tests(tests, start_sodium, NULL);
}
