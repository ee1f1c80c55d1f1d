/* SPDX-License-Identifier: Apache-2.0 */
/* Apps and subscriptions in weir.db, and how their queries find their rows. */
#include "test.h"

#include "portal/control.h"
#include "portal/store_people.h"

/* for the texts of its queries, whose plans are looked at */
#include "portal/store_subscriptions.c"

#include "portal/store_apps.h"
#include "portal/store_keys.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW ((struct wall){.us = INT64_C(1795435200) * US_PER_S})

struct fixture {
    char dir[64];
    struct db *db;
    struct uuid_source ids;
    struct uuid person, team;
    char app[APP_NAME_MAX + 1];
    struct wall now; /* of the next change */
};

static struct uuid make_id(struct fixture *f)
{
    return uuid7_make(&f->ids, f->now);
}

static struct uuid make_person(struct fixture *f, const char *email, struct uuid *ret_team)
{
    struct error err = ERROR_INIT;
    struct person_wish wish = {.id = make_id(f),
                               .team = make_id(f),
                               .email = str_from(email),
                               .name = STR("N"),
                               .password = STR("x"),
                               .state = PERSON_ACTIVE,
                               .now = NOW};
    if (store_people_create(f->db, &wish, &err) != 0)
        fail_msg("%s", err.text);
    *ret_team = wish.team;
    return wish.id;
}

static void make_app(struct fixture *f, const struct uuid *team, const char *title,
                     char out[static APP_NAME_MAX + 1])
{
    struct error err = ERROR_INIT;
    struct app_wish wish = {
        .team = *team, .person = f->person, .title = str_from(title), .now = NOW};
    if (store_apps_create(f->db, &wish, out, &err) != 0)
        fail_msg("%s", err.text);
}

static int begin(void **state)
{
    struct error err = ERROR_INIT;
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->now = NOW;
    snprintf(f->dir, sizeof(f->dir), "/tmp/weir-apps-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    if (control_open(&f->db, f->dir, CONTROL_WRITE, &err) != 0)
        fail_msg("%s", err.text);
    f->person = make_person(f, "a@example.com", &f->team);
    make_app(f, &f->team, "Orders", f->app);
    *state = f;
    return 0;
}

static int end(void **state)
{
    static const char *const files[] = {"weir.db", "weir.db-wal", "weir.db-shm"};
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

/* --- apps --- */

/* What was shown, joined by commas. */
struct seen {
    char text[512];
    struct uuid id; /* of the last subscription */
};

static void add(struct seen *seen, struct str a, struct str b)
{
    size_t n = strlen(seen->text);
    snprintf(seen->text + n, sizeof(seen->text) - n, "%s%" STR_FMT "%s%" STR_FMT, n > 0 ? "," : "",
             STR_ARG(a), b.n > 0 ? " " : "", STR_ARG(b));
}

static int see_app(void *ctx, const struct app_row *row)
{
    add(ctx, row->title, row->plan);
    return 0;
}

static void names_are_made_of_titles(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *title, *slug;
    } cases[] = {
        {"Orders & Returns", "orders-returns-"},
        {"  --x--  ", "x-"},
        {"注文", "app-"},
        {"a", "a-"},
        {"0123456789012345678901234567890123456789012345678901234567890",
         "0123456789012345678901234567890123456789012-"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char name[APP_NAME_MAX + 1];
        make_app(f, &f->team, cases[i].title, name);
        assert_true(str_starts(str_from(name), str_from(cases[i].slug)));
        assert_int_equal(strlen(name), strlen(cases[i].slug) + 4);
    }
}

static void a_person_is_shown_the_apps_of_their_teams_in_pages(void **state)
{
    struct fixture *f = *state;
    struct uuid team;
    char names[3][APP_NAME_MAX + 1], foreign[APP_NAME_MAX + 1];
    struct uuid other = make_person(f, "b@example.com", &team);
    make_app(f, &f->team, "b", names[0]);
    make_app(f, &f->team, "c", names[1]);
    make_app(f, &f->team, "d", names[2]);
    make_app(f, &team, "foreign", foreign);
    assert_int_equal(store_apps_delete(f->db, str_from(names[1]), NOW, NULL), 0);

    struct seen all = {.text = ""}, two = {.text = ""}, rest = {.text = ""}, theirs = {.text = ""};
    struct app_page page = {.limit = 10};
    assert_int_equal(store_apps_of_person(f->db, &f->person, &page, see_app, &all, NULL), 0);
    assert_string_equal(all.text, "b,d,Orders");
    page.limit = 2;
    assert_int_equal(store_apps_of_person(f->db, &f->person, &page, see_app, &two, NULL), 0);
    assert_string_equal(two.text, "b,d");
    page.after = str_from(names[2]);
    assert_int_equal(store_apps_of_person(f->db, &f->person, &page, see_app, &rest, NULL), 0);
    assert_string_equal(rest.text, "Orders");
    page = (struct app_page){.limit = 10};
    assert_int_equal(store_apps_of_person(f->db, &other, &page, see_app, &theirs, NULL), 0);
    assert_string_equal(theirs.text, "foreign");

    uint64_t there, ever;
    assert_int_equal(store_apps_count(f->db, &f->team, &there, &ever, NULL), 0);
    assert_int_equal(there, 3);
    assert_int_equal(ever, 4);
}

static int see_texts(void *ctx, const struct app_row *row)
{
    add(ctx, row->title, row->description);
    return 0;
}

static void what_is_not_sent_stays(void **state)
{
    struct fixture *f = *state;
    struct str name = str_from(f->app);
    const struct {
        struct str title, description;
        const char *expected;
    } cases[] = {
        {STR_EMPTY, STR("words"), "Orders words"},
        {STR("New"), STR_EMPTY, "New words"},
        {STR_EMPTY, STR(""), "New"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct seen seen = {.text = ""};
        assert_int_equal(
            store_apps_describe(f->db, name, cases[i].title, cases[i].description, NULL), 0);
        assert_int_equal(store_apps_find(f->db, name, see_texts, &seen, NULL), 0);
        assert_string_equal(seen.text, cases[i].expected);
    }
    struct error err = ERROR_INIT;
    assert_int_equal(store_apps_describe(f->db, STR("none"), STR("x"), STR_EMPTY, &err),
                     E_NOT_FOUND);
}

/* --- subscriptions --- */

static int see_subscription(void *ctx, const struct subscription_row *row)
{
    struct seen *seen = ctx;
    add(seen, row->plan, subscription_state_name(row->state));
    seen->id = row->id;
    return 0;
}

/* Every wish of the app, in the order they were asked. */
static struct seen history(struct fixture *f)
{
    struct seen seen = {.text = ""};
    struct db_stmt *st;
    struct error err = ERROR_INIT;
    if (db_stmt_get(f->db, SELECT " ORDER BY s.asked_us", &st, &err) != 0 ||
        visit_rows(st, see_subscription, &seen, &err) != 0)
        fail_msg("%s", err.text);
    return seen;
}

static enum subscription_outcome ask_for(struct fixture *f, const char *plan, bool automatic)
{
    struct error err = ERROR_INIT;
    enum subscription_outcome outcome;
    struct subscription_wish wish = {.id = make_id(f),
                                     .app = str_from(f->app),
                                     .plan = str_from(plan),
                                     .person = f->person,
                                     .automatic = automatic,
                                     .now = f->now};
    f->now.us += US_PER_S;
    if (store_subscriptions_ask(f->db, &wish, &outcome, &err) != 0)
        fail_msg("%s", err.text);
    return outcome;
}

static void an_app_has_one_plan_and_one_wish(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *plan;
        bool automatic;
        enum subscription_outcome outcome;
        const char *history;
    } steps[] = {
        {"gold", false, SUBSCRIPTION_ASKED, "gold pending"},
        {"gold", false, SUBSCRIPTION_UNCHANGED, "gold pending"},
        {"iron", false, SUBSCRIPTION_ASKED, "gold withdrawn,iron pending"},
        {"free", true, SUBSCRIPTION_BEGUN, "gold withdrawn,iron withdrawn,free active"},
        {"free", true, SUBSCRIPTION_UNCHANGED, "gold withdrawn,iron withdrawn,free active"},
        {"gold", false, SUBSCRIPTION_ASKED,
         "gold withdrawn,iron withdrawn,free active,gold pending"},
        /* to ask for what one has is to want nothing else */
        {"free", true, SUBSCRIPTION_UNCHANGED,
         "gold withdrawn,iron withdrawn,free active,gold withdrawn"},
        /* also where the plan needs approval by now */
        {"free", false, SUBSCRIPTION_UNCHANGED,
         "gold withdrawn,iron withdrawn,free active,gold withdrawn"},
        {"big", true, SUBSCRIPTION_BEGUN,
         "gold withdrawn,iron withdrawn,free ended,gold withdrawn,big active"},
    };
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        assert_int_equal(ask_for(f, steps[i].plan, steps[i].automatic), steps[i].outcome);
        assert_string_equal(history(f).text, steps[i].history);
    }
    struct seen app = {.text = ""};
    assert_int_equal(store_apps_find(f->db, str_from(f->app), see_app, &app, NULL), 0);
    assert_string_equal(app.text, "Orders big");
}

static void a_wish_whose_plan_needs_no_approval_any_more_is_granted(void **state)
{
    struct fixture *f = *state;
    ask_for(f, "gold", false);
    assert_int_equal(ask_for(f, "gold", true), SUBSCRIPTION_BEGUN);
    assert_string_equal(history(f).text, "gold withdrawn,gold active");
}

static void what_waits_can_be_withdrawn_once(void **state)
{
    struct fixture *f = *state;
    bool done;
    ask_for(f, "free", true);
    ask_for(f, "gold", false);
    assert_int_equal(store_subscriptions_withdraw(f->db, str_from(f->app), NOW, &done, NULL), 0);
    assert_true(done);
    assert_int_equal(store_subscriptions_withdraw(f->db, str_from(f->app), NOW, &done, NULL), 0);
    assert_false(done);
    assert_string_equal(history(f).text, "free active,gold withdrawn");
}

static int decide(struct fixture *f, const struct uuid *id, bool approved)
{
    struct error err = ERROR_INIT;
    struct subscription_decision decision = {
        .id = *id, .person = f->person, .approved = approved, .note = STR("words"), .now = f->now};
    return store_subscriptions_decide(f->db, &decision, &err);
}

static int see_decision(void *ctx, const struct subscription_row *row)
{
    struct seen *seen = ctx;
    assert_true(row->decided.us >= row->asked.us);
    assert_str_equal(row->asked_by, "a@example.com");
    assert_str_equal(row->decided_by, "a@example.com");
    add(seen, row->note, subscription_state_name(row->state));
    return 0;
}

static void an_operator_decides_what_waits_and_only_once(void **state)
{
    struct fixture *f = *state;
    struct uuid nobody = make_id(f);
    ask_for(f, "free", true);
    ask_for(f, "gold", false);
    struct uuid refused = history(f).id;
    assert_int_equal(decide(f, &refused, false), 0);
    assert_int_equal(decide(f, &refused, true), E_INVALID);
    assert_string_equal(history(f).text, "free active,gold rejected");
    struct seen last = {.text = ""};
    assert_int_equal(store_subscriptions_last(f->db, str_from(f->app), see_decision, &last, NULL),
                     0);
    assert_string_equal(last.text, "words rejected");

    ask_for(f, "gold", false);
    struct uuid approved = history(f).id;
    assert_int_equal(decide(f, &approved, true), 0);
    assert_int_equal(decide(f, &approved, false), E_INVALID);
    assert_string_equal(history(f).text, "free ended,gold rejected,gold active");
    assert_int_equal(decide(f, &nobody, true), E_NOT_FOUND);
}

static void what_waits_is_shown_in_the_order_it_was_asked(void **state)
{
    struct fixture *f = *state;
    char second[APP_NAME_MAX + 1];
    struct seen none = {.text = ""}, first = {.text = ""}, rest = {.text = ""};
    struct subscription_page page = {.limit = 1};
    assert_int_equal(store_subscriptions_waiting(f->db, &page, see_subscription, &none, NULL), 0);
    assert_string_equal(none.text, "");
    ask_for(f, "gold", false);
    make_app(f, &f->team, "Second", second);
    str_copy(str_from(second), f->app, sizeof(f->app));
    ask_for(f, "iron", false);
    assert_int_equal(store_subscriptions_waiting(f->db, &page, see_subscription, &first, NULL), 0);
    assert_string_equal(first.text, "gold pending");
    page.after = first.id;
    assert_int_equal(store_subscriptions_waiting(f->db, &page, see_subscription, &rest, NULL), 0);
    assert_string_equal(rest.text, "iron pending");
}

static void no_query_walks_the_whole_table(void **state)
{
    struct fixture *f = *state;
    static const char *const queries[] = {SQL_FIND,    SQL_LAST,  SQL_WAITING,
                                          SQL_CURRENT, SQL_CLOSE, SQL_DECIDE};
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        static char sql[ARRAY_LEN(queries)][1024];
        struct db_stmt *st;
        snprintf(sql[i], sizeof(sql[i]), "EXPLAIN QUERY PLAN %s", queries[i]);
        assert_int_equal(db_stmt_get(f->db, sql[i], &st, NULL), 0);
        unsigned steps = 0;
        while (db_step(st, NULL) == DB_ROW) {
            struct str step = db_text(st, 3);
            steps++;
            if (!str_starts(step, STR("SEARCH")))
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
        TEST(names_are_made_of_titles),
        TEST(a_person_is_shown_the_apps_of_their_teams_in_pages),
        TEST(what_is_not_sent_stays),
        TEST(an_app_has_one_plan_and_one_wish),
        TEST(a_wish_whose_plan_needs_no_approval_any_more_is_granted),
        TEST(what_waits_can_be_withdrawn_once),
        TEST(an_operator_decides_what_waits_and_only_once),
        TEST(what_waits_is_shown_in_the_order_it_was_asked),
        TEST(no_query_walks_the_whole_table),
    };
    return cmocka_run_group_tests(tests, start_sodium, NULL);
}
