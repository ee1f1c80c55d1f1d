/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "gateway/router_tables.h"

#include <stdio.h>

struct expectation {
    enum http_method method;
    const char *host, *path;
    const char *api, *route; /* NULL: none */
    uint32_t allow;          /* where none is found: 0 is 404 */
};

static void expect(struct tables *t, const struct expectation *want, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct route_match m;
        struct route_query q = {str_from(want[i].host), str_from(want[i].path), want[i].method};
        enum router_result r = look(t, q, &m);
        enum router_result expected = want[i].route != NULL ? ROUTER_FOUND
                                      : want[i].allow != 0  ? ROUTER_METHOD
                                                            : ROUTER_NONE;
        if (r != expected)
            fail_msg("%s%s: result %d, want %d", want[i].host, want[i].path, (int)r, (int)expected);
        if (r == ROUTER_METHOD)
            assert_int_equal(m.allow, want[i].allow);
        if (r != ROUTER_FOUND)
            continue;
        if (!str_eq(m.route->conf->name, str_from(want[i].route)) ||
            !str_eq(m.route->conf->api->name, str_from(want[i].api)))
            fail_msg("%s%s: got %" STR_FMT "/%" STR_FMT ", want %s/%s", want[i].host, want[i].path,
                     STR_ARG(m.route->conf->api->name), STR_ARG(m.route->conf->name), want[i].api,
                     want[i].route);
    }
}

static void run_cases(const struct row *rows, size_t row_count, const struct expectation *want,
                      size_t count)
{
    struct tables t;
    struct error err = ERROR_INIT;
    /* the answer never depends on the order of the APIs in the file: also backwards, API by API */
    struct row *back = calloc(row_count, sizeof(*back));
    assert_non_null(back);
    for (size_t end = row_count, at = 0; end > 0;) {
        size_t begin = end - 1;
        while (strcmp(rows[begin].route, "default") != 0)
            begin--;
        for (size_t i = begin; i < end; i++)
            back[at++] = rows[i];
        end = begin;
    }
    const struct row *const orders[] = {rows, back};
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        if (tables_make(&t, orders[i], row_count, &err) != 0)
            fail_msg("%s", err.text);
        expect(&t, want, count);
        tables_free(&t);
    }
    free(back);
}

#define RUN_CASES(rows, want) run_cases(rows, ARRAY_LEN(rows), want, ARRAY_LEN(want))

static void an_empty_table_finds_nothing(void **state)
{
    (void)state;
    struct tables t;
    struct route_match m;
    assert_int_equal(tables_make(&t, NULL, 0, NULL), 0);
    assert_int_equal(look(&t, (struct route_query){STR("h"), STR("/"), METHOD_GET}, &m),
                     ROUTER_NONE);
    assert_int_equal(router_route_count(t.router), 0);
    tables_free(&t);
}

static void an_api_without_match_takes_every_path(void **state)
{
    (void)state;
    static const struct row rows[] = {{"all", "default", {NULL}, {NULL}, 0}};
    static const struct expectation want[] = {
        {METHOD_GET, "", "/", "all", "default", 0},
        {METHOD_OTHER, "any.example", "/a/b//c/", "all", "default", 0},
        /* OPTIONS * and CONNECT have no path */
        {METHOD_OPTIONS, "any.example", "*", NULL, NULL, 0},
        {METHOD_CONNECT, "any.example", "any.example:443", NULL, NULL, 0},
        {METHOD_GET, "any.example", "", NULL, NULL, 0},
    };
    RUN_CASES(rows, want);
}

static void prefixes_end_on_a_segment_boundary(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"users", "default", {NULL}, {"/users"}, 0},
        {"slash", "default", {NULL}, {"/slash/"}, 0},
        {"deep", "default", {NULL}, {"/users/a/b"}, 0},
        {"exact", "default", {NULL}, {"=/users/exact"}, 0},
        {"root", "default", {NULL}, {"=/"}, 0},
    };
    static const struct expectation want[] = {
        {METHOD_GET, "", "/users", "users", "default", 0},
        {METHOD_GET, "", "/users/", "users", "default", 0},
        {METHOD_GET, "", "/users/7", "users", "default", 0},
        {METHOD_GET, "", "/users//", "users", "default", 0},
        {METHOD_GET, "", "/users-x", NULL, NULL, 0},
        {METHOD_GET, "", "/user", NULL, NULL, 0},
        {METHOD_GET, "", "/Users", NULL, NULL, 0},
        {METHOD_GET, "", "//users", NULL, NULL, 0},
        {METHOD_GET, "", "/slash", "slash", "default", 0},
        {METHOD_GET, "", "/slash/x", "slash", "default", 0},
        {METHOD_GET, "", "/slashx", NULL, NULL, 0},
        {METHOD_GET, "", "/users/a", "users", "default", 0},
        {METHOD_GET, "", "/users/a/b", "deep", "default", 0},
        {METHOD_GET, "", "/users/a/b/c/d/e/f", "deep", "default", 0},
        {METHOD_GET, "", "/users/a/bb", "users", "default", 0},
        {METHOD_GET, "", "/users/exact", "exact", "default", 0},
        {METHOD_GET, "", "/users/exact/", "users", "default", 0},
        {METHOD_GET, "", "/", "root", "default", 0},
        {METHOD_GET, "", "//", NULL, NULL, 0},
    };
    RUN_CASES(rows, want);
}

static void the_most_specific_host_wins(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"any", "default", {NULL}, {"=/only/here", "/"}, 0},
        {"wide", "default", {"*.example.com"}, {"/", "/wide"}, 0},
        {"near", "default", {"*.eu.example.com"}, {"/near", "/both"}, 0},
        {"exact", "default", {"api.eu.example.com", "example.com"}, {"/api"}, 0},
    };
    static const struct expectation want[] = {
        {METHOD_GET, "api.eu.example.com", "/api/1", "exact", "default", 0},
        {METHOD_GET, "api.eu.example.com", "/near", "near", "default", 0},
        {METHOD_GET, "api.eu.example.com", "/wide", "wide", "default", 0},
        {METHOD_GET, "api.eu.example.com", "/x", "wide", "default", 0},
        /* the host decides before the path does */
        {METHOD_GET, "api.eu.example.com", "/only/here", "wide", "default", 0},
        {METHOD_GET, "other.test", "/only/here", "any", "default", 0},
        {METHOD_GET, "eu.example.com", "/near", "wide", "default", 0},
        {METHOD_GET, "a.b.c.eu.example.com", "/near", "near", "default", 0},
        {METHOD_GET, "example.com", "/api", "exact", "default", 0},
        {METHOD_GET, "example.com", "/", "any", "default", 0},
        {METHOD_GET, "badexample.com", "/", "any", "default", 0},
        {METHOD_GET, ".example.com", "/", "any", "default", 0},
        {METHOD_GET, "", "/", "any", "default", 0},
    };
    RUN_CASES(rows, want);
}

static void exact_beats_regex_beats_prefix(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"prefix", "default", {NULL}, {"/v1/very/long/prefix/of/all"}, 0},
        {"regex", "default", {NULL}, {"~^/v[0-9]+/"}, 0},
        {"longer", "default", {NULL}, {"~^/v[0-9]+/very"}, 0},
        {"exact", "default", {NULL}, {"=/v1/users", "=/v1/{what}/list"}, 0},
        {"text", "default", {NULL}, {"=/v1/users/list"}, 0},
    };
    static const struct expectation want[] = {
        {METHOD_GET, "", "/v1/very/long/prefix/of/all", "longer", "default", 0},
        {METHOD_GET, "", "/v1/users", "exact", "default", 0},
        {METHOD_GET, "", "/v1/users/", "regex", "default", 0},
        {METHOD_GET, "", "/v1/users/list", "text", "default", 0},
        {METHOD_GET, "", "/v1/apps/list", "exact", "default", 0},
        {METHOD_GET, "", "/v1//list", "regex", "default", 0},
        {METHOD_GET, "", "/v12", NULL, NULL, 0},
        {METHOD_GET, "", "/x/v1/", NULL, NULL, 0},
    };
    RUN_CASES(rows, want);
}

static void text_beats_parameter_segment_by_segment(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"pp", "default", {NULL}, {"/{a}/{b}"}, 0},
        {"tp", "default", {NULL}, {"/users/{id}"}, 0},
        {"pt", "default", {NULL}, {"/{any}/list"}, 0},
        {"ppt", "default", {NULL}, {"/{a}/{b}/edit"}, 0},
        {"t", "default", {NULL}, {"/users"}, 0},
    };
    static const struct expectation want[] = {
        {METHOD_GET, "", "/users", "t", "default", 0},
        {METHOD_GET, "", "/users/", "t", "default", 0},
        {METHOD_GET, "", "/users/7", "tp", "default", 0},
        {METHOD_GET, "", "/users/list", "tp", "default", 0},
        {METHOD_GET, "", "/apps/list", "pt", "default", 0},
        {METHOD_GET, "", "/apps/7", "pp", "default", 0},
        /* more segments first, though its first one is a parameter */
        {METHOD_GET, "", "/users/7/edit", "ppt", "default", 0},
        {METHOD_GET, "", "/users/7/editor", "tp", "default", 0},
        {METHOD_GET, "", "/apps", NULL, NULL, 0},
        {METHOD_GET, "", "//7", NULL, NULL, 0},
    };
    RUN_CASES(rows, want);
}

static void a_request_falls_through_to_a_route_that_takes_its_method(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"read", "default", {NULL}, {"/users/{id}"}, GET},
        {"write", "default", {NULL}, {"/users"}, POST | PUT},
        {"regex", "default", {NULL}, {"~^/users/[0-9]+$"}, DELETE},
        {"host", "default", {"a.test"}, {"=/users/7"}, 1u << METHOD_PATCH},
    };
    static const struct expectation want[] = {
        {METHOD_GET, "", "/users/7", "read", "default", 0},
        {METHOD_HEAD, "", "/users/7", "read", "default", 0},
        {METHOD_POST, "", "/users/7", "write", "default", 0},
        {METHOD_DELETE, "", "/users/7", "regex", "default", 0},
        {METHOD_DELETE, "", "/users/x", NULL, NULL, GET | HEAD | POST | PUT},
        {METHOD_OPTIONS, "", "/users/7", NULL, NULL, GET | HEAD | POST | PUT | DELETE},
        {METHOD_OTHER, "", "/users", NULL, NULL, POST | PUT},
        {METHOD_PATCH, "a.test", "/users/7", "host", "default", 0},
        {METHOD_GET, "a.test", "/users/7", "read", "default", 0},
        {METHOD_TRACE, "a.test", "/users/7", NULL, NULL,
         GET | HEAD | POST | PUT | DELETE | 1u << METHOD_PATCH},
        {METHOD_GET, "", "/other", NULL, NULL, 0},
    };
    RUN_CASES(rows, want);
}

static void named_routes_inherit_what_they_leave_out(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"users", "default", {"a.test", "*.b.test"}, {"/users", "/people"}, GET | POST},
        {"users", "search", {NULL}, {"/users/search"}, 0},
        {"users", "write", {NULL}, {NULL}, POST},
        {"users", "other-host", {"c.test"}, {NULL}, 0},
    };
    static const struct expectation want[] = {
        {METHOD_GET, "a.test", "/users/1", "users", "default", 0},
        {METHOD_GET, "x.b.test", "/people", "users", "default", 0},
        {METHOD_POST, "a.test", "/people/1", "users", "write", 0},
        {METHOD_GET, "a.test", "/users/search", "users", "search", 0},
        {METHOD_POST, "a.test", "/users/search/x", "users", "search", 0},
        {METHOD_GET, "c.test", "/people", "users", "other-host", 0},
        {METHOD_POST, "c.test", "/users/search", "users", "other-host", 0},
        {METHOD_GET, "d.test", "/users", NULL, NULL, 0},
        {METHOD_PUT, "c.test", "/users", NULL, NULL, GET | HEAD | POST},
    };
    RUN_CASES(rows, want);
}

static void a_route_for_head_alone_takes_it_from_get(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"get", "default", {NULL}, {"/x"}, GET},
        {"head", "default", {NULL}, {"/x"}, HEAD},
    };
    static const struct expectation want[] = {
        {METHOD_GET, "", "/x", "get", "default", 0},
        {METHOD_HEAD, "", "/x", "head", "default", 0},
    };
    RUN_CASES(rows, want);
}

static void gives_parameters_and_the_length_of_the_prefix(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a", "default", {NULL}, {"/users/{id}/posts/{post}"}, 0},
        {"b", "default", {NULL}, {"~^/v(?<version>[0-9]+)(?<beta>b)?/", "~/tail$"}, 0},
        {"c", "default", {NULL}, {"=/exact/{it}"}, 0},
        {"d", "default", {NULL}, {"/"}, 0},
    };
    static const struct {
        const char *path, *api;
        size_t prefix_len;
        const char *params[4]; /* name, value, ... */
    } cases[] = {
        {"/users/7/posts/x%20y/more", "a", 20, {"id", "7", "post", "x%20y"}},
        {"/v12/things", "b", 5, {"beta", "", "version", "12"}},
        {"/v1b/things", "b", 5, {"beta", "b", "version", "1"}},
        {"/dog/tail", "b", 0, {NULL}},
        {"/exact/one", "c", 10, {"it", "one"}},
        {"/other", "d", 0, {NULL}},
    };
    struct tables t;
    assert_int_equal(tables_make(&t, rows, ARRAY_LEN(rows), NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct route_match m;
        struct route_query q = {STR("h"), str_from(cases[i].path), METHOD_GET};
        assert_int_equal(look(&t, q, &m), ROUTER_FOUND);
        assert_str_equal(m.route->conf->api->name, cases[i].api);
        assert_int_equal(m.prefix_len, cases[i].prefix_len);
        unsigned n = 0;
        for (; n < 2 && cases[i].params[2 * n] != NULL; n++) {
            assert_str_equal(m.params[n].name, cases[i].params[2 * n]);
            assert_str_equal(m.params[n].value, cases[i].params[2 * n + 1]);
        }
        assert_int_equal(m.param_count, n);
    }
    tables_free(&t);
}

static void routes_are_numbered_in_the_order_of_the_file(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"b", "default", {NULL}, {"/b"}, 0},
        {"b", "x", {NULL}, {"/b/x"}, 0},
        {"a", "default", {NULL}, {"/a", "/c"}, 0},
    };
    struct tables t;
    assert_int_equal(tables_make(&t, rows, ARRAY_LEN(rows), NULL), 0);
    assert_int_equal(router_route_count(t.router), 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(router_route(t.router, i)->index, i);
        assert_ptr_equal(router_route(t.router, i)->conf, &t.routes[i]);
    }
    tables_free(&t);
}

static void equal_routes_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        struct row rows[2];
        bool equal;
    } cases[] = {
        {{{"a", "default", {NULL}, {"/x"}, 0}, {"b", "default", {NULL}, {"/x"}, 0}}, true},
        {{{"a", "default", {NULL}, {"/x"}, 0}, {"b", "default", {NULL}, {"/x/"}, 0}}, true},
        {{{"a", "default", {NULL}, {"/{x}"}, 0}, {"b", "default", {NULL}, {"/{y}"}, 0}}, true},
        {{{"a", "default", {NULL}, {NULL}, 0}, {"b", "default", {NULL}, {"/"}, 0}}, true},
        {{{"a", "default", {"*.t"}, {"~x"}, 0}, {"b", "default", {"*.t"}, {"~x"}, 0}}, true},
        {{{"a", "default", {NULL}, {"/x"}, GET | POST},
          {"b", "default", {NULL}, {"/x"}, POST | PUT}},
         true},
        {{{"a", "default", {NULL}, {"/x"}, GET}, {"b", "default", {NULL}, {"/x"}, GET | HEAD}},
         true},
        {{{"a", "default", {NULL}, {"/x"}, 0}, {"a", "b", {NULL}, {NULL}, 0}}, true},
        {{{"a", "default", {NULL}, {"/x", "/x/", "/x"}, 0}, {"b", "default", {NULL}, {"/y"}, 0}},
         false},
        {{{"a", "default", {NULL}, {"/x"}, GET}, {"b", "default", {NULL}, {"/x"}, POST}}, false},
        {{{"a", "default", {NULL}, {"/x"}, 0}, {"b", "default", {NULL}, {"/x"}, POST}}, false},
        {{{"a", "default", {NULL}, {"/x"}, 0}, {"b", "default", {NULL}, {"=/x"}, 0}}, false},
        {{{"a", "default", {"h.t"}, {"/x"}, 0}, {"b", "default", {"*.t"}, {"/x"}, 0}}, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tables t;
        struct error err = ERROR_INIT;
        int r = tables_make(&t, cases[i].rows, 2, &err);
        assert_int_equal(r, cases[i].equal ? E_CONFIG : 0);
        assert_int_equal(err.code, r);
        if (cases[i].equal) {
            assert_non_null(strstr(err.text, "\"default\" of API \"a\""));
            assert_non_null(strstr(err.text, cases[i].rows[1].api));
            assert_non_null(strstr(err.text, cases[i].rows[1].route));
        }
        tables_free(&t);
    }
}

static void faulty_patterns_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *host, *path, *says;
    } cases[] = {
        {NULL, "", "begin with"},
        {NULL, "users", "begin with"},
        {NULL, "=", "begin with"},
        {NULL, "=users", "begin with"},
        {NULL, "~", "no regular expression"},
        {NULL, "~^/(", "missing closing parenthesis"},
        {NULL, "~(*UTF)x", "UTF"},
        {NULL, "/a/{id}.json", "whole segment"},
        {NULL, "/a/{", "whole segment"},
        {NULL, "/a/}", "whole segment"},
        {NULL, "/a/{}", "whole segment"},
        {NULL, "/a/{{x}}", "whole segment"},
        {NULL, "/{a}/{a}", "one name"},
        {NULL, "/{1}/{2}/{3}/{4}/{5}/{6}/{7}/{8}/{9}", "more than 8 parameters"},
        {NULL, "/../x", "dot segments"},
        {NULL, "/x/.", "dot segments"},
        {NULL, "/a b", "percent-encoded"},
        {NULL, "/a?b", "percent-encoded"},
        {NULL,
         "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30/"
         "31/32/33",
         "more than 32 segments"},
        {"*", "/", "neither"},
        {"*.", "/", "neither"},
        {"a.*.test", "/", "neither"},
        {"*.*.test", "/", "neither"},
        {".test", "/", "neither"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct row rows[] = {
            {"one", "default", {NULL}, {"/one"}, 0},
            {"users", "default", {NULL}, {"/fine"}, 0},
            {"users", "search", {cases[i].host}, {cases[i].path}, 0},
        };
        struct tables t;
        struct error err = ERROR_INIT;
        assert_int_equal(tables_make(&t, rows, ARRAY_LEN(rows), &err), E_CONFIG);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("\"%s\" says: %s", cases[i].path, err.text);
        assert_non_null(strstr(err.text, "apis.users.routes.search"));
        assert_null(t.router);
        tables_free(&t);
    }
}

/* A regex that would need forever must neither take forever nor let a laxer route have the request.
 */
static void a_regex_at_its_limits_refuses(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"hard", "default", {NULL}, {"~^/(a+)+$"}, 0},
        {"lax", "default", {NULL}, {"/"}, 0},
    };
    struct tables t;
    struct route_match m;
    char path[200];
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '!';
    assert_int_equal(tables_make(&t, rows, ARRAY_LEN(rows), NULL), 0);
    struct route_query q = {STR("h"), str_make(path, sizeof(path)), METHOD_GET};
    assert_int_equal(look(&t, q, &m), ROUTER_TOO_HARD);
    q.path = str_make(path, sizeof(path) - 1);
    assert_int_equal(look(&t, q, &m), ROUTER_FOUND);
    assert_str_equal(m.route->conf->api->name, "hard");
    tables_free(&t);
}

struct seen {
    char text[1024];
};

static void write_down(void *ctx, const struct route_candidate *c)
{
    static const char letters[] = {
        [ROUTE_WINS] = 'W',       [ROUTE_LESS_SPECIFIC] = 'L', [ROUTE_OTHER_METHOD] = 'M',
        [ROUTE_OTHER_PATH] = 'P', [ROUTE_OTHER_HOST] = 'H',    [ROUTE_TOO_HARD] = '!'};
    struct seen *seen = ctx;
    size_t n = strlen(seen->text);
    snprintf(seen->text + n, sizeof(seen->text) - n, "%c %" STR_FMT "%" STR_FMT " %" STR_FMT "\n",
             letters[c->standing], STR_ARG(c->host_pattern), STR_ARG(c->path_pattern),
             STR_ARG(c->route->conf->api->name));
}

static void explains_every_candidate_in_order(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a", "default", {NULL}, {"/", "/users/{id}"}, 0},
        {"b", "default", {"h.test", "*.x.test"}, {"/users"}, POST},
        {"c", "default", {NULL}, {"~^/users", "=/users/7"}, GET},
        {"d", "default", {NULL}, {"/users"}, DELETE},
    };
    struct tables t;
    assert_int_equal(tables_make(&t, rows, ARRAY_LEN(rows), NULL), 0);
    struct seen seen = {.text = ""};
    struct route_query q = {STR("h.test"), STR("/users/8"), METHOD_GET};
    router_explain(t.router, &q, t.scratch, write_down, &seen);
    assert_string_equal(seen.text, "M h.test/users b\n"
                                   "H *.x.test/users b\n"
                                   "P =/users/7 c\n"
                                   "W ~^/users c\n"
                                   "L /users/{id} a\n"
                                   "M /users d\n"
                                   "L / a\n");
    tables_free(&t);
}

static void five_thousand_routes_are_all_found(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    struct row *rows = calloc(COUNT, sizeof(*rows));
    char(*names)[16] = calloc(COUNT, sizeof(*names)), (*paths)[48] = calloc(COUNT, sizeof(*paths));
    assert_true(rows != NULL && names != NULL && paths != NULL);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "api-%u", i);
        snprintf(paths[i], sizeof(paths[i]), "/v%u/service-%u/{id}", i % 3, i);
        rows[i] = (struct row){names[i], "default", {i % 2 ? "api.test" : NULL}, {paths[i]}, 0};
    }
    struct tables t;
    assert_int_equal(tables_make(&t, rows, COUNT, NULL), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/v%u/service-%u/77/x", i % 3, i);
        struct route_match m;
        struct route_query q = {STR("api.test"), str_from(path), METHOD_GET};
        assert_int_equal(look(&t, q, &m), ROUTER_FOUND);
        assert_int_equal(m.route->index, i);
        assert_str_equal(m.params[0].value, "77");
        q.host = STR("b.test");
        assert_int_equal(look(&t, q, &m), i % 2 ? ROUTER_NONE : ROUTER_FOUND);
    }
    tables_free(&t);
    free(rows);
    free(names);
    free(paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(an_api_without_match_takes_every_path),
        cmocka_unit_test(prefixes_end_on_a_segment_boundary),
        cmocka_unit_test(the_most_specific_host_wins),
        cmocka_unit_test(exact_beats_regex_beats_prefix),
        cmocka_unit_test(text_beats_parameter_segment_by_segment),
        cmocka_unit_test(a_request_falls_through_to_a_route_that_takes_its_method),
        cmocka_unit_test(named_routes_inherit_what_they_leave_out),
        cmocka_unit_test(a_route_for_head_alone_takes_it_from_get),
        cmocka_unit_test(gives_parameters_and_the_length_of_the_prefix),
        cmocka_unit_test(routes_are_numbered_in_the_order_of_the_file),
        cmocka_unit_test(equal_routes_are_refused_by_name),
        cmocka_unit_test(faulty_patterns_are_refused_with_their_place),
        cmocka_unit_test(a_regex_at_its_limits_refuses),
        cmocka_unit_test(explains_every_candidate_in_order),
        cmocka_unit_test(five_thousand_routes_are_all_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
