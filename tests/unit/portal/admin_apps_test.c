/* SPDX-License-Identifier: Apache-2.0 */
/* What operators are shown of all apps and keys, and how its queries find their rows. */
#include "test.h"

#include "portal/control.h"
#include "portal/store_counts.h"
#include "portal/store_keys.h"
#include "portal/store_people.h"
#include "portal/store_subscriptions.h"

/* for the texts of its queries, whose plans are looked at */
#include "portal/store_apps.c"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW ((struct wall){.us = INT64_C(1795435200) * US_PER_S})

struct fixture {
    char dir[64];
    struct db *db;
    struct pepper pepper;
    struct uuid_source ids;
    struct uuid person, team;
};

static struct uuid make_id(struct fixture *f)
{
    return uuid7_make(&f->ids, NOW);
}

static void make_person(struct fixture *f, const char *email, const char *name, bool is_operator,
                        enum person_state state)
{
    struct error err = ERROR_INIT;
    struct person_wish wish = {.id = make_id(f),
                               .team = make_id(f),
                               .email = str_from(email),
                               .name = str_from(name),
                               .password = STR("x"),
                               .state = state,
                               .is_operator = is_operator,
                               .now = NOW};
    if (store_people_create(f->db, &wish, &err) != 0)
        fail_msg("%s", err.text);
    f->person = wish.id;
    f->team = wish.team;
}

static void make_app(struct fixture *f, const char *title, char out[static APP_NAME_MAX + 1])
{
    struct error err = ERROR_INIT;
    struct app_wish wish = {
        .team = f->team, .person = f->person, .title = str_from(title), .now = NOW};
    if (store_apps_create(f->db, &wish, out, &err) != 0)
        fail_msg("%s", err.text);
}

static struct str make_key(struct fixture *f, const char *app, const char *name,
                           struct key_text *out)
{
    struct error err = ERROR_INIT;
    struct key_parsed parsed;
    struct key_wish wish = {
        .env = KEY_LIVE, .name = str_from(name), .app = str_from(app), .now = NOW};
    if (store_keys_create(f->db, &f->pepper, &wish, out, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(key_parse(key_text_str(out), &parsed), KEY_OURS);
    return parsed.kid;
}

static enum subscription_outcome ask(struct fixture *f, const char *app, const char *plan,
                                     bool automatic)
{
    enum subscription_outcome outcome;
    struct subscription_wish wish = {.id = make_id(f),
                                     .app = str_from(app),
                                     .plan = str_from(plan),
                                     .person = f->person,
                                     .automatic = automatic,
                                     .now = NOW};
    assert_int_equal(store_subscriptions_ask(f->db, &wish, &outcome, NULL), 0);
    return outcome;
}

static int begin(void **state)
{
    struct error err = ERROR_INIT;
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    snprintf(f->dir, sizeof(f->dir), "/tmp/weir-admin-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(pepper_load(f->dir, &f->pepper, NULL), 0);
    if (control_open(&f->db, f->dir, CONTROL_WRITE, &err) != 0)
        fail_msg("%s", err.text);
    *state = f;
    return 0;
}

static int end(void **state)
{
    static const char *const files[] = {"weir.db", "weir.db-wal", "weir.db-shm", "pepper"};
    struct fixture *f = *state;
    db_close(f->db);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

/* What was shown, joined by commas. */
struct seen {
    char text[512];
};

static void add(struct seen *seen, struct str s)
{
    size_t n = strlen(seen->text);
    snprintf(seen->text + n, sizeof(seen->text) - n, "%s%" STR_FMT, n > 0 ? "," : "", STR_ARG(s));
}

static int see_app(void *ctx, const struct app_row *row)
{
    add(ctx, row->title);
    return 0;
}

static int see_key(void *ctx, const struct key_row *row)
{
    add(ctx, row->name);
    return 0;
}

static void apps_are_found_by_title_team_and_name_but_not_by_patterns(void **state)
{
    struct fixture *f = *state;
    char orders[APP_NAME_MAX + 1], gone[APP_NAME_MAX + 1], other[APP_NAME_MAX + 1];
    make_person(f, "a@example.com", "Anna", false, PERSON_ACTIVE);
    make_app(f, "Orders 100%", orders);
    make_app(f, "Orders too", gone);
    make_person(f, "b@example.com", "Bora", false, PERSON_ACTIVE);
    make_app(f, "Zoo_keeper", other);
    assert_int_equal(store_apps_delete(f->db, str_from(gone), NOW, NULL), 0);
    const struct {
        struct str search;
        const char *want;
    } cases[] = {
        {STR(""), "Orders 100%,Zoo_keeper"},
        {STR("oRDERS"), "Orders 100%"},
        {STR("anna"), "Orders 100%"},
        {STR("ORA"), "Zoo_keeper"},
        {STR("0%"), "Orders 100%"},
        {STR("%"), "Orders 100%"},
        {STR("_"), "Zoo_keeper"},
        {STR("\\"), ""},
        {STR("1%0"), ""},
        {str_from(other), "Zoo_keeper"},
        {STR("too"), ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct seen seen = {.text = ""};
        struct app_page page = {.search = cases[i].search, .limit = 10};
        assert_int_equal(store_apps_list(f->db, &page, see_app, &seen, NULL), 0);
        if (strcmp(seen.text, cases[i].want) != 0)
            fail_msg("%" STR_FMT ": %s", STR_ARG(cases[i].search), seen.text);
    }
}

static void keys_are_found_by_kid_name_and_app(void **state)
{
    struct fixture *f = *state;
    struct key_text texts[3];
    struct str kid = make_key(f, "orders", "Build server", &texts[0]);
    make_key(f, "orders", "laptop", &texts[1]);
    make_key(f, "zoo", "10_percent", &texts[2]);
    const struct {
        struct str search, app;
        unsigned want;
    } cases[] = {
        {STR(""), STR(""), 3},      {STR(""), STR("orders"), 2},        {STR("BUILD"), STR(""), 1},
        {kid, STR(""), 1},          {STR("order"), STR(""), 2},         {STR("_"), STR(""), 1},
        {STR("o"), STR("zoo"), 1},  {STR("laptop"), STR("zoo"), 0},     {STR("%"), STR(""), 0},
        {STR(""), STR("order"), 0}, {str_slice(kid, 0, 5), STR(""), 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct seen seen = {.text = ""};
        unsigned count = 0;
        struct key_page page = {.search = cases[i].search, .app = cases[i].app};
        assert_int_equal(store_keys_search(f->db, &page, see_key, &seen, NULL), 0);
        for (struct str rest = str_from(seen.text); rest.n > 0; str_cut(&rest, ','))
            count++;
        if (count != cases[i].want)
            fail_msg("%" STR_FMT " of %" STR_FMT ": %s", STR_ARG(cases[i].search),
                     STR_ARG(cases[i].app), seen.text);
    }
}

static void somebody_must_be_able_to_sign_in_to_the_console(void **state)
{
    struct fixture *f = *state;
    bool there = true;
    assert_int_equal(store_people_has_operator(f->db, &there, NULL), 0);
    assert_false(there);
    make_person(f, "a@example.com", "A", false, PERSON_ACTIVE);
    make_person(f, "s@example.com", "S", true, PERSON_SUSPENDED);
    make_person(f, "u@example.com", "U", true, PERSON_UNCONFIRMED);
    assert_int_equal(store_people_has_operator(f->db, &there, NULL), 0);
    assert_false(there);
    make_person(f, "o@example.com", "O", true, PERSON_ACTIVE);
    assert_int_equal(store_people_has_operator(f->db, &there, NULL), 0);
    assert_true(there);
}

struct plans {
    char text[256];
};

static void see_plan(void *ctx, struct str plan, uint64_t active, uint64_t waiting)
{
    struct plans *plans = ctx;
    size_t n = strlen(plans->text);
    snprintf(plans->text + n, sizeof(plans->text) - n, "%" STR_FMT " %llu %llu;", STR_ARG(plan),
             (unsigned long long)active, (unsigned long long)waiting);
}

static void counts_leave_out_what_is_deleted_revoked_and_over(void **state)
{
    struct fixture *f = *state;
    struct store_counts counts;
    struct plans plans = {.text = ""};
    char names[3][APP_NAME_MAX + 1];
    struct key_text text;
    assert_int_equal(store_counts(f->db, &counts, NULL), 0);
    assert_int_equal(counts.people + counts.apps + counts.keys + counts.waiting, 0);
    make_person(f, "a@example.com", "A", false, PERSON_ACTIVE);
    make_person(f, "o@example.com", "O", true, PERSON_SUSPENDED);
    for (unsigned i = 0; i < 3; i++) {
        make_app(f, "App", names[i]);
        make_key(f, names[i], "k", &text);
    }
    ask(f, names[0], "free", true);
    ask(f, names[0], "gold", true); /* `free` is over */
    ask(f, names[1], "free", true);
    ask(f, names[1], "gold", false);
    ask(f, names[2], "gold", false);
    assert_int_equal(store_apps_delete(f->db, str_from(names[2]), NOW, NULL), 0);
    assert_int_equal(store_counts(f->db, &counts, NULL), 0);
    assert_int_equal(counts.people, 2);
    assert_int_equal(counts.operators, 1);
    assert_int_equal(counts.apps, 2);
    assert_int_equal(counts.keys, 2);
    assert_int_equal(counts.waiting, 1);
    assert_int_equal(store_counts_of_plans(f->db, see_plan, &plans, NULL), 0);
    assert_string_equal(plans.text, "free 1 0;gold 1 1;");
}

static void no_list_of_apps_walks_the_whole_table(void **state)
{
    struct fixture *f = *state;
    static const char *const queries[] = {SQL_FIND, SQL_LIST, SQL_SEARCH};
    static char sql[ARRAY_LEN(queries)][2048]; /* a statement's text stays with its connection */
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct db_stmt *st;
        unsigned steps = 0;
        snprintf(sql[i], sizeof(sql[i]), "EXPLAIN QUERY PLAN %s", queries[i]);
        assert_int_equal(db_stmt_get(f->db, sql[i], &st, NULL), 0);
        while (db_step(st, NULL) == DB_ROW) {
            struct str step = db_text(st, 3);
            steps++;
            if (str_starts(step, STR("SCAN")) || str_find(step, STR("TEMP B-TREE")) < step.n)
                fail_msg("%s: %" STR_FMT, queries[i], STR_ARG(step));
        }
        assert_true(steps > 0);
    }
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
        TEST(apps_are_found_by_title_team_and_name_but_not_by_patterns),
        TEST(keys_are_found_by_kid_name_and_app),
        TEST(somebody_must_be_able_to_sign_in_to_the_console),
        TEST(counts_leave_out_what_is_deleted_revoked_and_over),
        TEST(no_list_of_apps_walks_the_whole_table),
    };
    return cmocka_run_group_tests(tests, start_sodium, NULL);
}
