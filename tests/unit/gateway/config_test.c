/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/error.h"
#include "gateway/config.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena tree, arena;
static struct config_errors errors;
static struct gateway_config config;

static const struct conf_field ROOT[] = {
    {.name = "", .type = CONF_GROUP, .fields = gateway_config_fields},
    {.name = NULL},
};

static void clear(void)
{
    arena_finish(&tree);
    arena_finish(&arena);
}

static int finish(void **state)
{
    (void)state;
    clear();
    return 0;
}

/* Reads the text; what was read before is gone. Faults are in `errors`. */
static void read_text(const char *text)
{
    struct yaml_node *root;
    struct conf conf;
    clear();
    arena_init(&tree, 4096, 1 << 20);
    arena_init(&arena, 4096, 1 << 20);
    config_errors_init(&errors, "weir.yaml");
    config = (struct gateway_config){.workers = 0};
    if (yaml_parse(&tree, str_from(text), &root, &errors) != 0)
        fail_msg("%s", errors.items[0].text);
    conf_init(&conf, &arena, &errors, ".");
    conf_read(&conf, ROOT, root, &config);
}

static void read_good(const char *text)
{
    read_text(text);
    if (errors.count > 0)
        fail_msg("%s", errors.items[0].text);
}

#define UPSTREAM "upstreams: { u: { targets: http://u } }\n"

static void a_target_is_a_url_or_a_map(void **state)
{
    (void)state;
    read_good("upstreams:\n"
              "  users:\n"
              "    targets:\n"
              "      - http://127.0.0.1:9001\n"
              "      - { url: \"http://[::1]:9002/v1/\", weight: 3 }\n"
              "    connect_timeout: 500ms\n"
              "  orders: { targets: HTTP://orders.internal/base/path, max_idle: 0 }\n"
              "  slash: { targets: { url: http://h:1/ } }\n");
    assert_int_equal(config.upstream_count, 3);
    const struct upstream_conf *users = &config.upstreams[0], *orders = &config.upstreams[1];
    assert_str_equal(users->name, "users");
    assert_int_equal(users->target_count, 2);
    assert_str_equal(users->targets[0].url, "http://127.0.0.1:9001");
    assert_str_equal(users->targets[0].host, "127.0.0.1");
    assert_int_equal(users->targets[0].port, 9001);
    assert_str_equal(users->targets[0].prefix, "");
    assert_int_equal(users->targets[0].weight, 1);
    assert_str_equal(users->targets[1].host, "::1");
    assert_int_equal(users->targets[1].port, 9002);
    assert_str_equal(users->targets[1].prefix, "/v1");
    assert_int_equal(users->targets[1].weight, 3);
    assert_int_equal(users->connect_timeout_us, 500 * US_PER_MS);
    assert_int_equal(users->idle_timeout_us, 55 * US_PER_S);
    assert_int_equal(users->max_idle, 512);
    assert_str_equal(orders->targets[0].host, "orders.internal");
    assert_int_equal(orders->targets[0].port, 80);
    assert_str_equal(orders->targets[0].prefix, "/base/path");
    assert_int_equal(orders->connect_timeout_us, 2 * US_PER_S);
    assert_int_equal(orders->max_idle, 0);
    assert_str_equal(config.upstreams[2].targets[0].prefix, "");
}

static void a_url_that_cannot_be_called_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *url, *message;
    } cases[] = {
        {"http://", "has no host"},
        {"http:///x", "has no host"},
        {"http://:80", "has no host"},
        {"http://h:", "has a port that is not from 1 to 65535"},
        {"http://h:0", "has a port that is not from 1 to 65535"},
        {"http://h:8o", "has a port that is not from 1 to 65535"},
        {"http://[::1", "must have an IPv6 address between the brackets"},
        {"http://[10.0.0.1]:1", "must have an IPv6 address between the brackets"},
        {"http://[::1]9", "has a port that is not from 1 to 65535"},
        {"http://::1:80", "has no host"},
        {"http://10.0.0.256", "has a host that is neither a name nor an address"},
        {"http://a_b-.$", "has a host that is neither a name nor an address"},
        {"http://h/?x=1", "must end with its path: a query or fragment cannot be put before "
                          "others"},
        {"http://h/#x", "must end with its path: a query or fragment cannot be put before others"},
        {"http://h/a b", "has a character that a URL cannot have"},
        {"HTTPS://h", "asks for TLS to the upstream, which is not available yet; use http://"},
        {"h2c://h", "must begin with http://"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256], want[512];
        snprintf(text, sizeof(text), "upstreams: { u: { targets: '%s' } }\n", cases[i].url);
        snprintf(want, sizeof(want),
                 "weir.yaml:1:28: error: `url` in target 1 of upstream `u`: `\"%s\"` %s",
                 cases[i].url, cases[i].message);
        read_text(text);
        assert_int_equal(errors.count, 1);
        assert_string_equal(errors.items[0].text, want);
    }
}

static void an_api_has_a_route_of_its_own_with_defaults(void **state)
{
    (void)state;
    read_good(UPSTREAM "apis:\n"
                       "  a: { upstream: u }\n"
                       "  b:\n"
                       "    upstream: u\n"
                       "    title: The B\n"
                       "    auth: none\n"
                       "  c:\n"
                       "    upstream: u\n"
                       "    auth: { query_param: api_key, forward_key: true }\n");
    assert_int_equal(config.api_count, 3);
    const struct api_conf *a = &config.apis[0], *b = &config.apis[1], *c = &config.apis[2];
    assert_ptr_equal(a->upstream, &config.upstreams[0]);
    assert_str_equal(a->title, "a");
    assert_int_equal(a->auth.kind, AUTH_KEY);
    assert_int_equal(a->auth.query_param.n, 0);
    assert_false(a->auth.forward_key);
    assert_int_equal(a->route_count, 1);
    assert_str_equal(a->routes[0].name, "default");
    assert_ptr_equal(a->routes[0].api, a);
    assert_int_equal(a->routes[0].line, 3);
    assert_int_equal(a->routes[0].column, 3);
    assert_int_equal(a->routes[0].timeout_us, 60 * US_PER_S);
    assert_int_equal(a->routes[0].max_body, 10 << 20);
    assert_false(a->routes[0].strip_path);
    assert_int_equal(a->routes[0].match.path_count, 0);
    assert_int_equal(a->routes[0].match.methods, 0);
    assert_str_equal(b->title, "The B");
    assert_int_equal(b->auth.kind, AUTH_NONE);
    assert_int_equal(b->id, 1);
    assert_int_equal(c->auth.kind, AUTH_KEY);
    assert_str_equal(c->auth.query_param, "api_key");
    assert_true(c->auth.forward_key);
}

static void a_named_route_takes_from_its_api_what_it_leaves_out(void **state)
{
    (void)state;
    read_good(UPSTREAM "apis:\n"
                       "  a:\n"
                       "    routes:\n"
                       "      search: { match: { paths: [/users/search] }, timeout: 2s }\n"
                       "      write:\n"
                       "        match: { methods: [POST, PUT] }\n"
                       "        access: { deny: 10.6.6.6 }\n"
                       "        max_body: 0\n"
                       "        strip_path: false\n"
                       "    timeout: 5s\n"
                       "    max_body: 1MiB\n"
                       "    strip_path: true\n"
                       "    access: { allow: 10.0.0.0/8 }\n"
                       "    match: { hosts: [API.Example.com, \"*.Example.org\"], paths: /users,\n"
                       "             methods: GET }\n"
                       "    upstream: u\n");
    const struct api_conf *api = &config.apis[0];
    assert_int_equal(api->route_count, 3);
    const struct route_conf *own = &api->routes[0], *search = &api->routes[1],
                            *write = &api->routes[2];
    assert_str_equal(own->match.hosts[0], "api.example.com");
    assert_str_equal(own->match.hosts[1], "*.example.org");
    assert_str_equal(own->match.paths[0], "/users");
    assert_int_equal(own->match.methods, 1 << METHOD_GET);
    assert_int_equal(own->access.allow.count, 0);
    assert_int_equal(api->access.allow.count, 1);

    assert_str_equal(search->name, "search");
    assert_ptr_equal(search->api, api);
    assert_int_equal(search->line, 5);
    assert_str_equal(search->match.hosts[0], "api.example.com");
    assert_int_equal(search->match.path_count, 1);
    assert_str_equal(search->match.paths[0], "/users/search");
    assert_int_equal(search->match.methods, 1 << METHOD_GET);
    assert_int_equal(search->timeout_us, 2 * US_PER_S);
    assert_int_equal(search->max_body, 1 << 20);
    assert_true(search->strip_path);

    assert_str_equal(write->match.paths[0], "/users");
    assert_int_equal(write->match.methods, 1 << METHOD_POST | 1 << METHOD_PUT);
    assert_int_equal(write->timeout_us, 5 * US_PER_S);
    assert_int_equal(write->max_body, 0);
    assert_false(write->strip_path);
    assert_int_equal(write->access.deny.count, 1);
}

/* NULL: the form is good. */
static void the_form_of_hosts_and_paths_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *message;
    } cases[] = {
        {"hosts", "localhost", NULL},
        {"hosts", "a-b.c_d.example", NULL},
        {"hosts", "*.example.com", NULL},
        {"hosts", "10.0.0.1", NULL},
        {"hosts", "[::1]", NULL},
        {"hosts", "", "must not be empty"},
        {"hosts", "*", "`\"*\"` may have `*` only in front, as in *.example.com"},
        {"hosts", "*.", "`\"*.\"` is no host name"},
        {"hosts", "*example.com",
         "`\"*example.com\"` may have `*` only in front, as in "
         "*.example.com"},
        {"hosts", "a..b", "`\"a..b\"` is no host name"},
        {"hosts", "a.example.", "`\"a.example.\"` is no host name"},
        {"hosts", "-a.example", "`\"-a.example\"` is no host name"},
        {"hosts", "a b", "`\"a b\"` is no host name"},
        {"hosts", "[::1]:80", "`\"[::1]:80\"` must be without a port"},
        {"hosts", "[::g]", "`\"[::g]\"` is no IPv6 address"},
        {"hosts", "http://a", "`\"http://a\"` must be a host alone, without http://"},
        {"paths", "/", NULL},
        {"paths", "=/", NULL},
        {"paths", "/users/", NULL},
        {"paths", "/users/{id}/orders/{order_id}", NULL},
        {"paths", "=/users/{id}", NULL},
        {"paths", "~^/v[0-9]+/", NULL},
        {"paths", "/a%20b", NULL},
        {"paths", "", "must not be empty"},
        {"paths", "~", "`\"~\"` needs a regular expression after the ~"},
        {"paths", "=users",
         "`\"=users\"` must begin with / for a prefix, =/ for an exact path, or "
         "~ for a regular expression"},
        {"paths", "/a?b", "`\"/a?b\"` must be a path alone: a query or fragment is not matched"},
        {"paths", "/a b", "`\"/a b\"` must not contain a space"},
        {"paths", "/a//b", "`\"/a//b\"` must not contain // : such a path is never asked for"},
        {"paths", "/a/../b",
         "`\"/a/../b\"` must not contain . or .. as a segment: such a path is "
         "never asked for"},
        {"paths", "/a/x{id}",
         "`\"/a/x{id}\"` may have a parameter only as a whole segment with a "
         "plain name, as in /users/{id}"},
        {"paths", "/a/{}",
         "`\"/a/{}\"` may have a parameter only as a whole segment with a plain "
         "name, as in /users/{id}"},
        {"paths", "/a/{1}",
         "`\"/a/{1}\"` may have a parameter only as a whole segment with a plain "
         "name, as in /users/{id}"},
        {"paths", "/{a}/{a}", "`\"/{a}/{a}\"` has two parameters of one name"},
        {"paths", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}",
         "`\"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}\"` has too many parameters"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256], want[512];
        snprintf(text, sizeof(text), UPSTREAM "apis: { a: { upstream: u, match: { %s: '%s' } } }\n",
                 cases[i].key, cases[i].value);
        read_text(text);
        if (cases[i].message == NULL) {
            if (errors.count > 0)
                fail_msg("%s", errors.items[0].text);
            continue;
        }
        snprintf(want, sizeof(want), "weir.yaml:2:43: error: `%s` in `match` of api `a`: %s",
                 cases[i].key, cases[i].message);
        if (errors.count != 1)
            fail_msg("%s gives %u faults", cases[i].value, errors.count);
        assert_string_equal(errors.items[0].text, want);
    }
}

#define API UPSTREAM "apis: { a: { upstream: u }, b: { upstream: u } }\n"

static void a_plan_holds_its_rate_first_and_its_quotas_by_period(void **state)
{
    (void)state;
    read_good(API "plans:\n"
                  "  free:\n"
                  "    apis: a\n"
                  "    quota:\n"
                  "      - { requests: 10000, per: month }\n"
                  "      - { requests: 500, per: day }\n"
                  "    rate: { requests: 10, per: 2s }\n"
                  "    approval: manual\n"
                  "  paid:\n"
                  "    title: Paid\n"
                  "    apis: [b, a]\n"
                  "    rate: { requests: 100, burst: 250 }\n"
                  "  own: { apis: [] }\n");
    const struct plan_conf *free_plan = &config.plans[0], *paid = &config.plans[1];
    assert_int_equal(config.plan_count, 3);
    assert_str_equal(free_plan->title, "free");
    assert_int_equal(free_plan->api_count, 1);
    assert_ptr_equal(free_plan->apis[0], &config.apis[0]);
    assert_int_equal(free_plan->approval, APPROVAL_MANUAL);
    assert_int_equal(free_plan->limit_count, 3);
    assert_int_equal(free_plan->limits[0].kind, LIMIT_RATE);
    assert_str_equal(free_plan->limits[0].name, "burst");
    assert_int_equal(free_plan->limits[0].requests, 10);
    assert_int_equal(free_plan->limits[0].per_us, 2 * US_PER_S);
    assert_int_equal(free_plan->limits[0].burst, 10);
    assert_int_equal(free_plan->limits[1].kind, LIMIT_QUOTA);
    assert_str_equal(free_plan->limits[1].name, "month");
    assert_int_equal(free_plan->limits[1].window, CAL_MONTH);
    assert_int_equal(free_plan->limits[1].requests, 10000);
    assert_str_equal(free_plan->limits[2].name, "day");
    assert_str_equal(paid->title, "Paid");
    assert_ptr_equal(paid->apis[0], &config.apis[1]);
    assert_int_equal(paid->approval, APPROVAL_AUTOMATIC);
    assert_int_equal(paid->limit_count, 1);
    assert_int_equal(paid->limits[0].per_us, US_PER_S);
    assert_int_equal(paid->limits[0].burst, 250);
    assert_int_equal(config.plans[2].api_count, 0);
}

static void a_plan_has_room_for_four_limits(void **state)
{
    (void)state;
    read_text(API "plans:\n"
                  "  free:\n"
                  "    apis: a\n"
                  "    rate: { requests: 10 }\n"
                  "    quota:\n"
                  "      - { requests: 1, per: minute }\n"
                  "      - { requests: 2, per: hour }\n"
                  "      - { requests: 3, per: day }\n"
                  "      - { requests: 4, per: week }\n");
    assert_int_equal(errors.count, 1);
    assert_string_equal(errors.items[0].text,
                        "weir.yaml:11:9: error: `quota` in plan `free`: a plan has at most 4 "
                        "limits, its rate included");
    assert_int_equal(config.plans[0].limit_count, PLAN_LIMITS_MAX);
}

static void an_app_has_a_plan_and_keys(void **state)
{
    (void)state;
    setenv("WEIR_TEST_KEY", "from-the-environment", 1);
    read_good(API "apps:\n"
                  "  acme:\n"
                  "    plan: free\n"
                  "    title: Acme\n"
                  "    suspended: true\n"
                  "    access: { allow: [10.0.0.0/8, \"2001:db8::/32\"] }\n"
                  "    keys:\n"
                  "      ci: { secret: \"${env:WEIR_TEST_KEY}\", access: { deny: [10.6.6.6] } }\n"
                  "      short: 0123456789abcdef\n"
                  "      odd: { secret: \"$${not inserted} \xc3\xa9\" }\n"
                  "  other: { plan: free }\n"
                  "plans: { free: { apis: a } }\n");
    const struct app_conf *acme = &config.apps[0];
    assert_int_equal(config.app_count, 2);
    assert_str_equal(acme->name, "acme");
    assert_str_equal(acme->title, "Acme");
    assert_ptr_equal(acme->plan, &config.plans[0]);
    assert_true(acme->suspended);
    assert_int_equal(acme->access.allow.count, 2);
    assert_int_equal(acme->key_count, 3);
    assert_str_equal(acme->keys[0].name, "ci");
    assert_str_equal(acme->keys[0].secret, "from-the-environment");
    assert_int_equal(acme->keys[0].access.deny.count, 1);
    assert_str_equal(acme->keys[1].secret, "0123456789abcdef");
    assert_str_equal(acme->keys[2].secret, "${not inserted} \xc3\xa9");
    assert_str_equal(config.apps[1].title, "other");
    assert_false(config.apps[1].suspended);
}

static void what_is_faulty_harms_nothing_that_refers_to_it(void **state)
{
    (void)state;
    read_text(
        "upstreams: { u: { targets: ftp://u } }\n"
        "apis: { a: { upstream: nope, routes: { r: { match: 5 }, s: 7 } }, b: [], c: 5 }\n"
        "plans: { p: { apis: [a, nope, { x: y }], rate: 5, quota: [5, { per: day }] } }\n"
        "apps: { x: { plan: p, keys: { a: 5, b: { secret: 5 } } }, y: { plan: { a: b } } }\n");
    assert_int_equal(errors.count, 14);
}

static void equal_secrets_of_many_keys_are_found(void **state)
{
    (void)state;
    read_text(API "plans: { p: { apis: a } }\n"
                  "apps:\n"
                  "  a: { plan: p, keys: { k1: aaaaaaaaaaaaaaaa, k2: bbbbbbbbbbbbbbbb } }\n"
                  "  b: { plan: p, keys: { k3: cccccccccccccccc, k4: aaaaaaaaaaaaaaaa } }\n"
                  "  c: { plan: p, keys: { k5: bbbbbbbbbbbbbbbbb, k6: aaaaaaaaaaaaaaaa } }\n");
    assert_int_equal(errors.count, 2);
    assert_string_equal(errors.items[0].text,
                        "weir.yaml:6:51: error: `secret` in key `k4` of app `b`: key `k1` of app "
                        "`a` has the same; each needs its own");
    assert_string_equal(errors.items[1].text,
                        "weir.yaml:7:52: error: `secret` in key `k6` of app `c`: key `k4` of app "
                        "`b` has the same; each needs its own");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_a_url_or_a_map),
        cmocka_unit_test(a_url_that_cannot_be_called_is_refused),
        cmocka_unit_test(an_api_has_a_route_of_its_own_with_defaults),
        cmocka_unit_test(a_named_route_takes_from_its_api_what_it_leaves_out),
        cmocka_unit_test(the_form_of_hosts_and_paths_is_checked),
        cmocka_unit_test(a_plan_holds_its_rate_first_and_its_quotas_by_period),
        cmocka_unit_test(a_plan_has_room_for_four_limits),
        cmocka_unit_test(an_app_has_a_plan_and_keys),
        cmocka_unit_test(what_is_faulty_harms_nothing_that_refers_to_it),
        cmocka_unit_test(equal_secrets_of_many_keys_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
