/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "gateway/access_rig.h"
#include "gateway/preview.h"

#include <pthread.h>
#include <stdlib.h>

#define SECRET "issued by the store"

static const struct mono START = {.us = 0};

static void put_key(struct fixture *f, const char *secret, const char *app)
{
    struct access_key_spec spec = {.hash = access_hash(f->access, str_from(secret)),
                                   .kid = STR("kid00001"),
                                   .name = STR("a key"),
                                   .app = str_from(app)};
    assert_int_equal(access_put_key(f->access, &spec), 0);
}

static void put_app(struct fixture *f, const char *name, const char *plan)
{
    struct access_app_spec spec = {.name = str_from(name), .plan = str_from(plan)};
    access_put_app(f->access, &spec, START);
}

/* The app of the one key, or NULL. */
static const struct access_app *app_now(struct fixture *f)
{
    return access_key_app(find(f, SECRET));
}

static bool has(struct fixture *f, const char *api)
{
    return access_app_has(app_now(f), access_api_number(f->access, str_from(api)));
}

/* Plans `free` (users, 5 a day) and `gold` (users and orders, 50 a day). */
static void two_plans(struct file *file)
{
    file_init(file);
    struct api_conf *users = add_api(file, "users"), *orders = add_api(file, "orders");
    grant(add_plan(file, "gold", 50), users); /* not in the order of their names */
    grant(&file->plans[0], orders);
    grant(add_plan(file, "free", 5), users);
}

static void start(struct fixture *f)
{
    struct file file;
    begin(f);
    two_plans(&file);
    apply(f, &file);
    put_key(f, SECRET, "orders-k3f9");
}

static void an_app_of_the_store_is_in_force_for_the_next_request(void **state)
{
    (void)state;
    struct fixture f;
    start(&f);
    assert_null(app_now(&f));
    put_app(&f, "orders-k3f9", "free");
    const struct access_app *first = app_now(&f);
    assert_str_equal(first->name, "orders-k3f9");
    assert_str_equal(first->plan, "free");
    assert_int_equal(first->origin, APP_FROM_STORE);
    assert_false(first->suspended);
    assert_false(first->pending);
    assert_int_equal(first->rules.items[0].quota, 5);
    assert_true(has(&f, "users"));
    assert_false(has(&f, "orders"));

    put_app(&f, "orders-k3f9", "gold");
    assert_str_equal(app_now(&f)->plan, "gold");
    assert_int_equal(app_now(&f)->rules.items[0].quota, 50);
    assert_true(has(&f, "orders"));
    assert_str_equal(first->plan, "free"); /* an entry never changes */

    assert_true(access_remove_app(f.access, STR("orders-k3f9")));
    assert_null(app_now(&f));
    assert_false(access_remove_app(f.access, STR("orders-k3f9")));
    assert_false(access_remove_app(f.access, STR("never there")));
    put_app(&f, "orders-k3f9", "free");
    assert_true(has(&f, "users"));
    end(&f);
}

static void a_plan_that_nobody_knows_grants_nothing(void **state)
{
    (void)state;
    static const char *const plans[] = {"", "fre", "freed", "Free", "zzz", "aaa"};
    struct fixture f;
    start(&f);
    for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
        put_app(&f, "orders-k3f9", "gold");
        assert_true(has(&f, "users"));
        put_app(&f, "orders-k3f9", plans[i]);
        assert_str_equal(app_now(&f)->plan, "");
        assert_int_equal(app_now(&f)->rules.count, 0);
        assert_false(has(&f, "users"));
        assert_false(has(&f, "orders"));
    }
    end(&f);
}

static void what_is_said_of_an_app_is_copied(void **state)
{
    (void)state;
    struct fixture f;
    struct file file;
    char name[] = "orders-k3f9", plan[] = "free";
    struct cidr net;
    struct ip inside, outside;
    start(&f);
    assert_int_equal(cidr_parse(STR("192.0.2.0/24"), &net), 0);
    assert_int_equal(ip_parse(STR("192.0.2.7"), &inside), 0);
    assert_int_equal(ip_parse(STR("198.51.100.7"), &outside), 0);
    struct access_app_spec spec = {.name = str_from(name),
                                   .plan = str_from(plan),
                                   .suspended = true,
                                   .pending = true,
                                   .access = {.allow = {&net, 1}}};
    access_put_app(f.access, &spec, START);
    memset(name, 'x', strlen(name));
    memset(plan, 'x', strlen(plan));
    memset(&net, 0xee, sizeof(net));
    for (unsigned i = 0; i < 2; i++) { /* as it was put, and as a reload makes it again */
        const struct access_app *app = app_now(&f);
        assert_str_equal(app->name, "orders-k3f9");
        assert_str_equal(app->plan, "free");
        assert_true(app->suspended);
        assert_true(app->pending);
        assert_true(access_decide(&app->access, inside).allowed);
        assert_false(access_decide(&app->access, outside).allowed);
        assert_true(access_decide(&app->plan_access, outside).allowed);
        two_plans(&file);
        apply(&f, &file);
    }
    end(&f);
}

static void a_reload_gives_the_apps_of_the_store_what_their_plan_is_now(void **state)
{
    (void)state;
    struct fixture f;
    struct file file;
    struct cidr net;
    struct ip ip;
    start(&f);
    put_app(&f, "orders-k3f9", "free");
    struct limiter *limiter = app_now(&f)->limiter;
    struct limiter_answer a;
    for (unsigned i = 0; i < 4; i++)
        assert_true(limiter_take(limiter, START, (struct wall){.us = 0}, &a));

    /* the plan is larger, contains another API, and only some may use it */
    assert_int_equal(cidr_parse(STR("192.0.2.0/24"), &net), 0);
    assert_int_equal(ip_parse(STR("198.51.100.7"), &ip), 0);
    file_init(&file);
    struct plan_conf *plan = add_plan(&file, "free", 6);
    grant(plan, add_api(&file, "orders"));
    plan->access.allow = (struct cidr_set){&net, 1};
    apply(&f, &file);
    assert_ptr_equal(app_now(&f)->limiter, limiter);
    assert_int_equal(app_now(&f)->rules.items[0].quota, 6);
    assert_true(has(&f, "orders"));
    assert_false(has(&f, "users"));
    assert_false(access_decide(&app_now(&f)->plan_access, ip).allowed);
    assert_true(limiter_take(limiter, START, (struct wall){.us = 0}, &a));
    assert_int_equal(a.limits[0].remaining, 1);

    /* it is gone: the app is there and may call nothing */
    file_init(&file);
    apply(&f, &file);
    assert_str_equal(app_now(&f)->plan, "");
    assert_false(has(&f, "orders"));

    /* it is back: what was used is used */
    two_plans(&file);
    apply(&f, &file);
    assert_str_equal(app_now(&f)->plan, "free");
    assert_true(has(&f, "users"));
    assert_true(access_decide(&app_now(&f)->plan_access, ip).allowed);
    assert_false(limiter_take(limiter, START, (struct wall){.us = 0}, &a));
    end(&f);
}

static void a_refused_configuration_leaves_the_apps_of_the_store(void **state)
{
    (void)state;
    struct fixture f;
    struct file file;
    struct error err = ERROR_INIT;
    start(&f);
    put_app(&f, "orders-k3f9", "free");
    const struct access_app *before = app_now(&f);
    two_plans(&file);
    add_plan(&file, "broken", 1)->limits[0].name = STR("no name");
    file.plans[1].limits[0].requests = 99;
    assert_int_equal(access_apply_config(f.access, &file.config, START, &err), E_INVALID);
    assert_ptr_equal(app_now(&f), before);
    put_app(&f, "orders-k3f9", "free"); /* still by the plans that are in force */
    assert_int_equal(app_now(&f)->rules.items[0].quota, 5);
    put_app(&f, "orders-k3f9", "broken");
    assert_str_equal(app_now(&f)->plan, "");
    end(&f);
}

/* A configuration with an app of that name and the larger plan. */
static void file_with_app(struct fixture *f, const char *name)
{
    struct file file;
    two_plans(&file);
    add_app(&file, name, &file.plans[0]);
    apply(f, &file);
}

static void the_app_of_the_file_wins_and_gives_the_name_back(void **state)
{
    (void)state;
    struct fixture f;
    struct file file;
    start(&f);
    struct access_app_spec spec = {
        .name = STR("orders-k3f9"), .plan = STR("free"), .suspended = true, .pending = true};
    access_put_app(f.access, &spec, START);
    file_with_app(&f, "orders-k3f9");
    const struct access_app *app = app_now(&f);
    assert_int_equal(app->origin, APP_FROM_FILE);
    assert_str_equal(app->plan, "gold");
    assert_false(app->suspended);
    assert_false(app->pending);

    two_plans(&file);
    apply(&f, &file);
    app = app_now(&f);
    assert_int_equal(app->origin, APP_FROM_STORE);
    assert_str_equal(app->plan, "free");
    assert_true(app->suspended);
    assert_true(app->pending);
    end(&f);
}

static void what_the_store_says_meanwhile_waits_for_the_file(void **state)
{
    (void)state;
    struct fixture f;
    struct file file;
    start(&f);
    file_with_app(&f, "orders-k3f9");
    put_app(&f, "orders-k3f9", "free"); /* put while the file has the name */
    assert_int_equal(app_now(&f)->origin, APP_FROM_FILE);
    assert_str_equal(app_now(&f)->plan, "gold");
    two_plans(&file);
    apply(&f, &file);
    assert_str_equal(app_now(&f)->plan, "free");

    file_with_app(&f, "orders-k3f9");
    assert_true(access_remove_app(f.access, STR("orders-k3f9")));
    assert_int_equal(app_now(&f)->origin,
                     APP_FROM_FILE); /* the file's is not the store's to take */
    assert_false(access_remove_app(f.access, STR("orders-k3f9")));
    two_plans(&file);
    apply(&f, &file);
    assert_null(app_now(&f));
    end(&f);
}

static void apps_may_be_put_before_the_first_configuration(void **state)
{
    (void)state;
    struct fixture f;
    struct file file;
    begin(&f);
    put_key(&f, SECRET, "orders-k3f9");
    put_app(&f, "orders-k3f9", "free");
    assert_str_equal(app_now(&f)->plan, "");
    two_plans(&file);
    apply(&f, &file);
    assert_str_equal(app_now(&f)->plan, "free");
    assert_true(has(&f, "users"));
    end(&f);
}

struct shown {
    unsigned of_file, of_store;
    char plans[64];
};

static void show_app(void *ctx, const struct access_app *app)
{
    struct shown *shown = ctx;
    bool of_file = str_eq(app->name, STR("acme"));
    assert_int_equal(app->origin, of_file ? APP_FROM_FILE : APP_FROM_STORE);
    ++*(of_file ? &shown->of_file : &shown->of_store);
}

static void show_plan(void *ctx, const struct access_plan *plan)
{
    struct shown *shown = ctx;
    size_t n = strlen(shown->plans);
    snprintf(shown->plans + n, sizeof(shown->plans) - n, "%" STR_FMT " %" STR_FMT " %d %u;",
             STR_ARG(plan->name), STR_ARG(plan->title), (int)plan->approval, plan->rules.count);
}

static void shows_where_apps_come_from_and_which_plans_there_are(void **state)
{
    (void)state;
    struct fixture f;
    struct file file;
    struct shown shown = {.of_file = 0};
    begin(&f);
    two_plans(&file);
    file.plans[0].title = STR("Gold");
    file.plans[0].approval = APPROVAL_MANUAL;
    add_app(&file, "acme", &file.plans[0]);
    apply(&f, &file);
    memset(&file, 0xee, sizeof(file)); /* nothing is borrowed from it */
    put_app(&f, "acme", "free");
    put_app(&f, "one", "free");
    put_app(&f, "two", "");
    put_app(&f, "three", "");
    access_remove_app(f.access, STR("three"));
    access_each_app(f.access, show_app, &shown);
    assert_int_equal(shown.of_file, 1);
    assert_int_equal(shown.of_store, 2);
    access_each_plan(f.access, show_plan, &shown);
    assert_string_equal(shown.plans, "free  0 1;gold Gold 1 1;");
    shown = (struct shown){.of_file = 0};
    assert_true(access_show_app(f.access, STR("acme"), show_app, &shown));
    assert_true(access_show_app(f.access, STR("two"), show_app, &shown));
    assert_false(access_show_app(f.access, STR("three"), show_app, &shown));
    assert_false(access_show_app(f.access, STR("never there"), show_app, &shown));
    assert_int_equal(shown.of_file, 1);
    assert_int_equal(shown.of_store, 1);
    end(&f);
}

static void count_gold(void *ctx, const struct access_app *app)
{
    unsigned *count = ctx;
    *count += str_eq(app->plan, STR("gold"));
}

/* As many as an installation may have when it starts: a scan for each of them would take minutes.
 */
static void takes_a_hundred_thousand_apps(void **state)
{
    (void)state;
    enum { APPS = 100000 };
    struct fixture f;
    struct file file;
    char name[32];
    unsigned gold = 0;
    begin(&f);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < APPS; i++) {
            snprintf(name, sizeof(name), "app-%u", i);
            put_app(&f, name, i % 4 == 0 ? "gold" : "free");
        }
        two_plans(&file);
        apply(&f, &file);
    }
    access_each_app(f.access, count_gold, &gold);
    assert_int_equal(gold, APPS / 4);
    for (unsigned i = 0; i < APPS; i++) {
        snprintf(name, sizeof(name), "app-%u", i);
        assert_true(access_remove_app(f.access, str_from(name)));
    }
    gold = 0;
    access_each_app(f.access, count_gold, &gold);
    assert_int_equal(gold, 0);
    end(&f);
}

/* ---- what a call is told ---- */

static void a_waiting_subscription_is_told_only_where_the_plan_lacks_the_api(void **state)
{
    (void)state;
    static const struct {
        const char *plan;
        bool pending, suspended;
        const char *path;
        enum reason reason;
    } cases[] = {
        {"", false, false, "/users", REASON_NOT_SUBSCRIBED},
        {"", true, false, "/users", REASON_SUBSCRIPTION_PENDING},
        {"gone", true, false, "/users", REASON_SUBSCRIPTION_PENDING},
        {"free", true, false, "/users", REASON_NONE},
        {"free", true, false, "/orders", REASON_SUBSCRIPTION_PENDING},
        {"free", false, false, "/orders", REASON_NOT_SUBSCRIBED},
        {"gold", false, false, "/orders", REASON_NONE},
        {"", true, true, "/users", REASON_APP_SUSPENDED},
        {"gold", false, true, "/users", REASON_APP_SUSPENDED},
    };
    struct str paths[] = {STR("/users"), STR("/orders")};
    struct route_conf routes[ARRAY_LEN(paths)];
    struct file file;
    struct preview *preview;
    struct preview_result result;
    struct error err = ERROR_INIT;
    two_plans(&file);
    file.config.max_head = file.config.max_target = 1000;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        routes[i] = (struct route_conf){
            .name = STR("default"), .api = &file.apis[i], .match = {.paths = &paths[i]}};
        routes[i].match.path_count = 1;
        file.apis[i].routes = &routes[i];
        file.apis[i].route_count = 1;
    }
    if (preview_create(&preview, &file.config, &err) != 0)
        fail_msg("%s", err.text);
    struct access_key_spec key = {.kid = STR("kid00001"), .app = STR("orders-k3f9")};
    assert_int_equal(access_put_key(preview_access(preview), &key), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct access_app_spec spec = {.name = STR("orders-k3f9"),
                                       .plan = str_from(cases[i].plan),
                                       .suspended = cases[i].suspended,
                                       .pending = cases[i].pending};
        access_put_app(preview_access(preview), &spec, START);
        struct preview_query query = {.method = STR("GET"), .url = str_from(cases[i].path)};
        query.key = preview_key(preview, STR("kid00001"));
        preview_ask(preview, &query, &result);
        if (result.reason != cases[i].reason)
            fail_msg("case %zu: %u, %s", i, result.reason, result.detail);
        if (result.reason != REASON_NONE)
            assert_int_equal(result.status, 403);
    }
    preview_destroy(preview);
}

/* ---- under change ---- */

#define READERS 3

struct load {
    struct access *access;
    struct epoch *epoch;
    struct secret_hash hash;
    uint32_t users, orders;
    _Atomic bool stop;
    _Atomic unsigned ready, bad, found;
};

struct reader {
    struct load *load;
    unsigned slot;
};

/* Whether all of it is of one kind: the plan's name, APIs and rules, and whose it is. */
static bool is_whole(const struct load *load, const struct access_app *app)
{
    struct limiter_answer a;
    bool gold = str_eq(app->plan, STR("gold")), none = app->plan.n == 0;
    bool good = str_eq(app->name, STR("orders-k3f9")) &&
                access_app_has(app, load->users) == !none &&
                access_app_has(app, load->orders) == gold && app->rules.count == (none ? 0 : 1) &&
                app->suspended == app->pending &&
                (app->origin == APP_FROM_STORE || (gold && !app->pending));
    limiter_take(app->limiter, START, (struct wall){.us = 0}, &a);
    return good && (a.count == 0 || str_eq(limit_rule_name(a.limits[0].rule), STR("day")));
}

static void *look_up(void *arg)
{
    struct reader *reader = arg;
    struct load *load = reader->load;
    atomic_fetch_add(&load->ready, 1);
    while (!atomic_load_explicit(&load->stop, memory_order_relaxed)) {
        unsigned token = epoch_enter(load->epoch, reader->slot);
        const struct access_key *key = access_find(load->access, &load->hash);
        const struct access_app *app = key != NULL ? access_key_app(key) : NULL;
        if (app != NULL) {
            atomic_fetch_add_explicit(&load->found, 1, memory_order_relaxed);
            if (!is_whole(load, app))
                atomic_fetch_add(&load->bad, 1);
        }
        if (key == NULL)
            atomic_fetch_add(&load->bad, 1);
        epoch_leave(load->epoch, reader->slot, token);
    }
    return NULL;
}

static void change_app(struct load *load, unsigned i)
{
    static const struct str plans[] = {STR_INIT("free"), STR_INIT("gold"), STR_INIT("")};
    struct access_app_spec spec = {.name = STR("orders-k3f9"),
                                   .plan = plans[i % 3],
                                   .suspended = i % 2 == 0,
                                   .pending = i % 2 == 0};
    if (i % 7 == 0)
        access_remove_app(load->access, spec.name);
    else
        access_put_app(load->access, &spec, START);
    if (i % 16 == 0) {
        struct file file;
        struct error err = ERROR_INIT;
        two_plans(&file);
        if (i % 32 == 0)
            add_app(&file, "orders-k3f9", &file.plans[0]);
        assert_int_equal(access_apply_config(load->access, &file.config, START, &err), 0);
    }
}

static void readers_see_whole_apps_under_change(void **state)
{
    (void)state;
    static struct load load;
    struct pepper pepper = {.b = {9}};
    load.epoch = epoch_create(READERS);
    load.access = access_create(load.epoch, &pepper);
    load.hash = access_hash(load.access, STR(SECRET));
    load.users = access_api_number(load.access, STR("users"));
    load.orders = access_api_number(load.access, STR("orders"));
    struct access_key_spec key = {.hash = load.hash, .app = STR("orders-k3f9")};
    assert_int_equal(access_put_key(load.access, &key), 0);
    struct reader readers[READERS];
    pthread_t threads[READERS];
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.load = &load, .slot = i};
        assert_int_equal(pthread_create(&threads[i], NULL, look_up, &readers[i]), 0);
    }
    while (atomic_load(&load.ready) < READERS)
        ;
    for (unsigned i = 1; i < 5000 || atomic_load(&load.found) == 0; i++)
        change_app(&load, i);
    atomic_store(&load.stop, true);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&load.bad), 0);
    access_destroy(load.access);
    epoch_destroy(load.epoch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_app_of_the_store_is_in_force_for_the_next_request),
        cmocka_unit_test(a_plan_that_nobody_knows_grants_nothing),
        cmocka_unit_test(what_is_said_of_an_app_is_copied),
        cmocka_unit_test(a_reload_gives_the_apps_of_the_store_what_their_plan_is_now),
        cmocka_unit_test(a_refused_configuration_leaves_the_apps_of_the_store),
        cmocka_unit_test(the_app_of_the_file_wins_and_gives_the_name_back),
        cmocka_unit_test(what_the_store_says_meanwhile_waits_for_the_file),
        cmocka_unit_test(apps_may_be_put_before_the_first_configuration),
        cmocka_unit_test(shows_where_apps_come_from_and_which_plans_there_are),
        cmocka_unit_test(takes_a_hundred_thousand_apps),
        cmocka_unit_test(a_waiting_subscription_is_told_only_where_the_plan_lacks_the_api),
        cmocka_unit_test(readers_see_whole_apps_under_change),
    };
    return cmocka_run_group_tests(tests, start_sodium, NULL);
}
