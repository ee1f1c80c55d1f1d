/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/http/target.h"
#include "gateway/readings.h"
#include "gateway/router_tables.h"

/* An open API beside one that wants keys, a part of it with rules of its own, and the rest. */
static const struct row rows[] = {
    {.api = "open", .route = "default", .paths = {"/open"}},
    {.api = "users", .route = "default", .paths = {"/users"}},
    {.api = "users", .route = "admin", .paths = {"/users/admin"}},
    {.api = "posts", .route = "default", .paths = {"/only"}, .methods = POST},
    {.api = "rest", .route = "default", .paths = {"/"}},
};

/* What the edge does with the path of a request. NULL where it is let through. */
static const char *ask(struct tables *t, struct str sent)
{
    char normal[256], mem[READINGS_BYTES(256)];
    struct route_query query = {.host = STR("h"), .method = METHOD_GET};
    struct route_match m;
    assert_null(target_normalize(sent, normal, &query.path));
    assert_int_equal(look(t, query, &m), ROUTER_FOUND);
    struct readings r = {.router = t->router,
                         .scratch = t->scratch,
                         .query = &query,
                         .found = m.route,
                         .sent = sent,
                         .mem = mem};
    const char *why = readings_check(&r);
    if (why != NULL && !readings_differ(sent))
        fail_msg("%" STR_FMT ": not looked at, but \"%s\"", STR_ARG(sent), why);
    return why;
}

static void run(const char *const *paths, size_t count, bool refused)
{
    struct tables t;
    assert_int_equal(tables_make(&t, rows, ARRAY_LEN(rows), NULL), 0);
    for (size_t i = 0; i < count; i++) {
        /* on the heap, cut to its size, so that a byte too far is noticed */
        struct str given = str_from(paths[i]);
        char *copy = malloc(given.n);
        assert_non_null(copy);
        memcpy(copy, given.p, given.n);
        if ((ask(&t, str_make(copy, given.n)) != NULL) != refused)
            fail_msg("%s: %s", paths[i], refused ? "let through" : "refused");
        free(copy);
    }
    tables_free(&t);
}

static void a_path_that_is_anothers_to_some_server_is_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {
        /* where dot segments are left as they are */
        "/users/../open",
        "/users/a/../../open/x",
        "/users/%2e%2E/open",
        "/users/./../open",
        "/users/admin/../x",
        "/x/../open",
        /* where an encoded slash is one, or \ */
        "/open/..%2fusers",
        "/open/..%2Fusers%2Fx",
        "/open%2f..%2fusers",
        "/open%2F%2e%2e/users",
        "/open/..%5cusers",
        "/open/..\\users",
        "/open/x/..%2f..%2fusers",
        "/users%2f7",
        "/users%5C7",
        "/users\\7",
        "/%2fusers",
        /* where slashes are merged, or what follows a semicolon does not count */
        "//users",
        "///users/7",
        "/open/..;/users",
        "/open/..;a=b/users",
        "/open/..%3B/users",
        "/users;v=1",
        "/;x/users",
    };
    run(paths, ARRAY_LEN(paths), true);
}

static void a_path_that_stays_within_its_api_passes(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/open",
        "/open/",
        "/open/.hidden",
        "/open/a/../b",
        "/open/%2e/b",
        "/open/a%2Fb",
        "/open/a%2fusers",
        "/open//users",
        "/open/a;v=1/b;w=2",
        "/open/a\\b",
        "/open/%25%2e%2e",
        "/open/%252e%252e/users",
        "/%75sers/7",
        "/users/7%2F8",
        "/users/admin%2Fx",
        "/caf%c3%a9",
        "/a/b/../c",
        "/only%2fx", /* that one does not take the method */
        "/",
        "//",
        "/..",
        "/;",
    };
    run(paths, ARRAY_LEN(paths), false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_that_is_anothers_to_some_server_is_refused),
        cmocka_unit_test(a_path_that_stays_within_its_api_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
