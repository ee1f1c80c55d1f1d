/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "portal/first_call.h"

#include "base/http/head.h"

#define GET (UINT32_C(1) << METHOD_GET)
#define POST (UINT32_C(1) << METHOD_POST)

/* An API with the paths, hosts and methods of one route. */
struct api {
    enum auth_kind auth;
    const char *paths[3], *hosts[2];
    uint32_t methods;
    const char *example;
};

struct made {
    struct str texts[12];
    unsigned text_count;
    struct route_conf routes[2];
    struct api_conf api;
};

static struct str *texts_of(struct made *made, const char *const *from, size_t max,
                            size_t *ret_count)
{
    struct str *first = &made->texts[made->text_count];
    for (*ret_count = 0; *ret_count < max && from[*ret_count] != NULL; (*ret_count)++)
        made->texts[made->text_count++] = str_from(from[*ret_count]);
    return first;
}

static void make(struct made *made, const char *name, const struct api *from)
{
    *made = (struct made){.api = {.name = str_from(name), .auth = {.kind = from->auth}}};
    struct match_conf *match = &made->routes[0].match;
    match->paths = texts_of(made, from->paths, 3, &match->path_count);
    match->hosts = texts_of(made, from->hosts, 2, &match->host_count);
    match->methods = from->methods;
    made->api.example = from->example != NULL ? str_from(from->example) : STR_EMPTY;
    made->api.routes = made->routes;
    made->api.route_count = 1;
}

/* The command for a plan `free` of these APIs; "" for none. */
static void command_for(struct made *apis, size_t count, const char *url, char out[static 512])
{
    struct api_conf *list[4];
    for (size_t i = 0; i < count; i++)
        list[i] = &apis[i].api;
    struct plan_conf plan = {.name = STR("free"), .apis = list, .api_count = count};
    struct gateway_config config = {.plans = &plan, .plan_count = 1};
    struct portal_gateway gateway = {.config = &config, .url = str_from(url)};
    struct arena arena;
    struct first_call call;
    struct buf command;
    arena_init(&arena, 1024, 8192);
    buf_init_fixed(&command, out, 511);
    if (first_call_find(&gateway, STR("free"), &arena, &call))
        first_call_curl(&command, &call, STR("SECRET"));
    assert_false(first_call_find(&gateway, STR("none"), &arena, &call));
    assert_int_equal(buf_finish(&command), 0);
    out[command.n] = '\0';
    arena_finish(&arena);
}

static void the_first_call_is_one_that_the_gateway_takes(void **state)
{
    (void)state;
    static const struct {
        struct api api;
        const char *url, *command;
    } cases[] = {
        {{.paths = {NULL}}, "http://gw:8080", "curl -H 'X-API-Key: SECRET' http://gw:8080/"},
        {{.paths = {"/"}}, "http://gw:8080", "curl -H 'X-API-Key: SECRET' http://gw:8080/"},
        {{.paths = {"/users"}}, "https://gw", "curl -H 'X-API-Key: SECRET' https://gw/users"},
        {{.paths = {"/users/"}}, "https://gw", "curl -H 'X-API-Key: SECRET' https://gw/users/"},
        {{.paths = {"=/users/{id}/x"}},
         "https://gw",
         "curl -H 'X-API-Key: SECRET' https://gw/users/1/x"},
        {{.paths = {"~^/v[0-9]", "/b"}}, "https://gw", "curl -H 'X-API-Key: SECRET' https://gw/b"},
        {{.paths = {"~^/v[0-9]"}}, "https://gw", ""},
        {{.paths = {"/a"}, .methods = GET | POST},
         "https://gw",
         "curl -H 'X-API-Key: SECRET' https://gw/a"},
        {{.paths = {"/a"}, .methods = POST},
         "https://gw",
         "curl -X POST -H 'X-API-Key: SECRET' https://gw/a"},
        {{.paths = {"/a"}, .hosts = {"gw"}},
         "https://gw:1",
         "curl -H 'X-API-Key: SECRET' https://gw:1/a"},
        {{.paths = {"/a"}, .hosts = {"api.example.com", "gw"}},
         "https://GW",
         "curl -H 'X-API-Key: SECRET' https://GW/a"},
        {{.paths = {"/a"}, .hosts = {"api.example.com"}},
         "http://127.0.0.1:8080",
         "curl -H 'X-API-Key: SECRET' -H 'Host: api.example.com' http://127.0.0.1:8080/a"},
        {{.paths = {"/a"}, .hosts = {"*.example.com"}},
         "http://[::1]:8080",
         "curl -H 'X-API-Key: SECRET' -H 'Host: api.example.com' -g 'http://[::1]:8080/a'"},
        {{.paths = {"~^/v[0-9]"}, .example = "/v1/a?b=c"},
         "https://gw",
         "curl -H 'X-API-Key: SECRET' -g 'https://gw/v1/a?b=c'"},
        {{.paths = {"/a"}, .methods = POST, .hosts = {"api.example.com"}, .example = "/a/1"},
         "http://127.0.0.1:8080",
         "curl -H 'X-API-Key: SECRET' -H 'Host: api.example.com' http://127.0.0.1:8080/a/1"},
        /* what a shell or curl would read as more */
        {{.paths = {"/it's$(x)"}},
         "https://gw",
         "curl -H 'X-API-Key: SECRET' -g 'https://gw/it'\\''s$(x)'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct made made;
        char command[512];
        make(&made, "one", &cases[i].api);
        command_for(&made, 1, cases[i].url, command);
        assert_string_equal(command, cases[i].command);
    }
}

static void an_api_that_wants_a_key_goes_before_one_that_does_not(void **state)
{
    (void)state;
    struct made apis[3];
    char command[512];
    make(&apis[0], "open", &(struct api){.auth = AUTH_NONE, .paths = {"/open"}});
    make(&apis[1], "odd", &(struct api){.paths = {"~x"}});
    make(&apis[2], "keyed", &(struct api){.paths = {"/keyed"}});
    command_for(apis, 3, "http://gw", command);
    assert_string_equal(command, "curl -H 'X-API-Key: SECRET' http://gw/keyed");
    command_for(apis, 2, "http://gw", command);
    assert_string_equal(command, "curl -H 'X-API-Key: SECRET' http://gw/open");
    command_for(apis, 0, "http://gw", command);
    assert_string_equal(command, "");
}

static void a_route_that_takes_get_goes_before_one_that_does_not(void **state)
{
    (void)state;
    struct made made;
    char command[512];
    struct str below = STR("/users/all");
    make(&made, "users", &(struct api){.paths = {"/users"}, .hosts = {"h"}, .methods = POST});
    made.routes[1].match = (struct match_conf){.paths = &below, .path_count = 1, .methods = GET};
    made.api.route_count = 2;
    command_for(&made, 1, "http://gw", command);
    assert_string_equal(command, "curl -H 'X-API-Key: SECRET' -H 'Host: h' http://gw/users/all");
    /* what a route leaves out is its API's */
    made.routes[1].match = (struct match_conf){.methods = GET};
    command_for(&made, 1, "http://gw", command);
    assert_string_equal(command, "curl -H 'X-API-Key: SECRET' -H 'Host: h' http://gw/users");
}

static void a_pattern_is_shown_as_the_url_it_answers_at(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *pattern, *shown;
    } cases[] = {
        {"http://gw:8080", "", "/users", "http://gw:8080/users"},
        {"http://gw:8080", "", "=/users/{id}", "http://gw:8080/users/{id}"},
        {"http://gw:8080", "*.example.com", "/", "http://*.example.com:8080/"},
        {"https://gw", "api.example.com", "/a", "https://api.example.com/a"},
        {"http://[::1]:8080", "h", "/a", "http://h:8080/a"},
        {"https://gw", "h", "~^/v[0-9]", "~^/v[0-9]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        struct portal_gateway gateway = {.url = str_from(cases[i].url)};
        arena_init(&arena, 1024, 8192);
        struct str shown =
            first_call_shown(&gateway, &arena, str_from(cases[i].host), str_from(cases[i].pattern));
        assert_str_equal(shown, cases[i].shown);
        arena_finish(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_call_is_one_that_the_gateway_takes),
        cmocka_unit_test(an_api_that_wants_a_key_goes_before_one_that_does_not),
        cmocka_unit_test(a_route_that_takes_get_goes_before_one_that_does_not),
        cmocka_unit_test(a_pattern_is_shown_as_the_url_it_answers_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
