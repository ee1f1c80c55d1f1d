/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a page of a list costs: as much among 100,000 rows as among 1,000. Counted in steps of
 * SQLite's virtual machine, which are the same on every machine.
 */
#include "test.h"

#include "portal/control.h"
#include "portal/store_apps.h"
#include "portal/store_audit.h"
#include "portal/store_keys.h"
#include "portal/store_links.h"
#include "portal/store_mails.h"
#include "portal/store_people.h"
#include "portal/store_sessions.h"
#include "portal/store_subscriptions.h"
#include "tempdir.h"

#include <sqlite3.h>

#define FEW 1000
#define MANY 100000
#define PAGE 50

static struct db *db;
static struct error err;
static uint64_t steps;
static unsigned rows;
static const struct uuid middle = {.b = "0000000000000500"}, person = {.b = "person0000000001"};

static int count_step(void *ctx)
{
    (void)ctx;
    steps++;
    return 0;
}

/* Every connection that is opened counts its steps. */
static int watch(sqlite3 *connection, char **fault, const struct sqlite3_api_routines *api)
{
    (void)fault;
    (void)api;
    sqlite3_progress_handler(connection, 1, count_step, NULL);
    return SQLITE_OK;
}

/* --- the rows --- */

#define ID "CAST(printf('%016d', i) AS BLOB)"

/* One team has one app and few of everything; another one has all the rest. */
static const char FILL[] =
    "BEGIN;"
    "INSERT INTO people VALUES (CAST('person0000000001' AS BLOB), 'me@example.com', 'Me', 'x',"
    " 'active', 0, '', '', 1, NULL), (CAST('person0000000002' AS BLOB), 'other@example.com', "
    "'Other',"
    " 'x', 'active', 0, '', '', 1, NULL);"
    "INSERT INTO teams VALUES (CAST('team000000000001' AS BLOB), 'Mine', 1),"
    " (CAST('team000000000002' AS BLOB), 'Theirs', 1);"
    "INSERT INTO members VALUES (CAST('team000000000001' AS BLOB), CAST('person0000000001' AS "
    "BLOB),"
    " 'owner', 1), (CAST('team000000000002' AS BLOB), CAST('person0000000002' AS BLOB), 'owner', "
    "1);"
    "INSERT INTO apps VALUES ('mine', CAST('team000000000001' AS BLOB), 'Mine', '', 'active', '', "
    "1,"
    " NULL);"
    "INSERT INTO people SELECT " ID ", printf('p%06d@example.com', i), 'Person', 'x', 'active', 0,"
    " '', '', i, NULL FROM n;"
    "INSERT INTO apps SELECT printf('app-%06d', i), CAST('team000000000002' AS BLOB), 'App', '',"
    " 'active', '', i, NULL FROM n;"
    "INSERT INTO subscriptions SELECT " ID ", printf('app-%06d', i), 'gold', 'pending', i, NULL,"
    " NULL, NULL, '' FROM n;"
    "INSERT INTO keys (kid, hash, env, name, app, created_us, expires_us, state, revoked_us, "
    "allow) SELECT"
    " printf('k%07d', i), randomblob(32), 'live', 'key', 'app-000001', i, 1000000000000 + i,"
    " iif(i < 20, 'active', 'revoked'), iif(i < 20, NULL, i), '' FROM n;"
    "INSERT INTO sessions SELECT " ID
    ", randomblob(32), CAST('person0000000002' AS BLOB), 'portal',"
    " 1, 1, i, '', '' FROM n;"
    "INSERT INTO links SELECT randomblob(32), " ID
    ", 'reset', CAST('person0000000002' AS BLOB), '',"
    " i, i, NULL FROM n;"
    "INSERT INTO audit SELECT " ID ", i, CAST('person0000000002' AS BLOB), 'other@example.com',"
    " iif(i % 500 = 0 AND i < 1000, 'rare', 'frequent'), i, CAST('team000000000002' AS BLOB), '',"
    " '' FROM n;"
    "INSERT INTO mails SELECT " ID ", 'confirm', 'a@example.com', NULL, 'sent', 1, i, i, i, ''"
    " FROM n;"
    "COMMIT";

/* --- what is asked --- */

static int see_row(void)
{
    rows++;
    return 0;
}

#define SEE(name, type)                                                                            \
    static int name(void *ctx, const struct type *row)                                             \
    {                                                                                              \
        (void)ctx;                                                                                 \
        (void)row;                                                                                 \
        return see_row();                                                                          \
    }
SEE(see_person, person_row)
SEE(see_app, app_row)
SEE(see_subscription, subscription_row)
SEE(see_key, key_row)
SEE(see_audit, audit_row)
SEE(see_mail, mail_row)
#undef SEE

static int people(bool later)
{
    struct people_page page = {.after = later ? STR("p000500@example.com") : STR_EMPTY,
                               .limit = PAGE};
    return store_people_list(db, &page, see_person, NULL, &err);
}

static int apps(bool later)
{
    struct app_page page = {.after = later ? STR("app-000500") : STR_EMPTY, .limit = PAGE};
    return store_apps_list(db, &page, see_app, NULL, &err);
}

static int apps_found(bool later)
{
    struct app_page page = {
        .after = later ? STR("app-000500") : STR_EMPTY, .limit = PAGE, .search = STR("app")};
    return store_apps_list(db, &page, see_app, NULL, &err);
}

static int apps_of_person(bool later)
{
    struct app_page page = {.after = later ? STR("app-000500") : STR_EMPTY, .limit = PAGE};
    return store_apps_of_person(db, &person, &page, see_app, NULL, &err);
}

static int waiting(bool later)
{
    struct subscription_page page = {.limit = PAGE};
    if (later)
        page.after = middle;
    return store_subscriptions_waiting(db, &page, see_subscription, NULL, &err);
}

static int keys(bool later)
{
    struct key_page page = {.after = later ? STR("k0000500") : STR_EMPTY, .limit = PAGE};
    return store_keys_search(db, &page, see_key, NULL, &err);
}

static int keys_of_app(bool later)
{
    struct key_page page = {
        .app = STR("app-000001"), .after = later ? STR("k0000500") : STR_EMPTY, .limit = PAGE};
    return store_keys_of_app(db, &page, see_key, NULL, &err);
}

static int audit(bool later)
{
    struct audit_page page = {.limit = PAGE};
    if (later)
        page.before = middle;
    return store_audit_list(db, &page, see_audit, NULL, &err);
}

static int audit_of_rare(bool later)
{
    struct audit_page page = {.limit = PAGE, .action = STR("rare")};
    if (later)
        page.before = middle;
    return store_audit_list(db, &page, see_audit, NULL, &err);
}

static int audit_of_person(bool later)
{
    struct audit_page page = {.limit = PAGE, .person = person};
    if (later)
        page.before = middle;
    return store_audit_list(db, &page, see_audit, NULL, &err);
}

static int mails(bool later)
{
    struct mail_page page = {.limit = PAGE};
    if (later)
        page.after = middle;
    return store_mails_list(db, &page, see_mail, NULL, &err);
}

static const struct {
    const char *name;
    int (*ask)(bool later);
} asks[] = {
    {"people", people},
    {"apps", apps},
    {"apps that are searched for", apps_found},
    {"apps of a person", apps_of_person},
    {"plans that wait", waiting},
    {"keys", keys},
    {"keys of an app", keys_of_app},
    {"the audit log", audit},
    {"the audit log of what is rare", audit_of_rare},
    {"the audit log of a person", audit_of_person},
    {"mails", mails},
};

struct cost {
    uint64_t steps[ARRAY_LEN(asks)][2];
    unsigned rows[ARRAY_LEN(asks)][2];
};

static void measure(int size, struct cost *ret_cost)
{
    char numbers[256];
    snprintf(numbers, sizeof(numbers),
             "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS"
             " (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d) SELECT i FROM n",
             size);
    assert_int_equal(control_open(&db, tempdir_path(""), CONTROL_WRITE, &err), 0);
    if (db_exec(db, numbers, &err) != 0 || db_exec(db, FILL, &err) != 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
        for (int later = 0; later < 2; later++) {
            steps = rows = 0;
            if (asks[i].ask(later) != 0)
                fail_msg("%s: %s", asks[i].name, err.text);
            ret_cost->steps[i][later] = steps;
            ret_cost->rows[i][later] = rows;
        }
    }
    db_close(db);
}

static void a_page_costs_as_much_among_many_as_among_few(void **state)
{
    struct cost few, many;
    tempdir_setup(state);
    measure(FEW, &few);
    tempdir_teardown(state);
    tempdir_setup(state);
    measure(MANY, &many);
    tempdir_teardown(state);
    for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
        for (int later = 0; later < 2; later++) {
            uint64_t a = few.steps[i][later], b = many.steps[i][later];
            assert_true(a > 0);
            if (b > a + a / 2)
                fail_msg("%s%s: %llu steps among %d rows, %llu among %d", asks[i].name,
                         later ? ", from the middle" : "", (unsigned long long)a, FEW,
                         (unsigned long long)b, MANY);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_costs_as_much_among_many_as_among_few),
    };
    sqlite3_auto_extension((void (*)(void))watch);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
