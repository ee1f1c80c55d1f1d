/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "appliance/config.h"
#include "appliance/starter.h"
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct config_errors errors;

static struct config *load(const char *text)
{
    struct config *config = NULL;
    if (config_load_text("/etc/weir/weir.yaml", str_from(text), &config, &errors) != 0)
        fail_msg("%s", errors.items[0].text);
    assert_int_equal(errors.count, 0);
    return config;
}

#define DEFAULTS "version: 1\n"

/* What the cases about APIs, plans and apps build on; it is 9 lines long. */
#define BASE                                                                                       \
    "version: 1\n"                                                                                 \
    "upstreams:\n"                                                                                 \
    "  users:\n"                                                                                   \
    "    targets: [\"http://127.0.0.1:9001\"]\n"                                                   \
    "apis:\n"                                                                                      \
    "  users:\n"                                                                                   \
    "    upstream: users\n"                                                                        \
    "    match: { paths: [/users] }\n"                                                             \
    "\n"
#define PLAN                                                                                       \
    BASE "plans:\n"                                                                                \
         "  free:\n"                                                                               \
         "    apis: [users]\n"

static void a_file_of_one_line_gives_safe_defaults(void **state)
{
    (void)state;
    struct config *config = load(DEFAULTS);
    const struct gateway_config *gateway = &config->gateway;
    assert_str_equal(config->data_dir, "/etc/weir/data");
    assert_int_equal(config->log.level, LOG_INFO);
    assert_int_equal(config->log.format, LOG_LOGFMT);
    assert_int_equal(gateway->listen_count, 1);
    assert_str_equal(gateway->listen[0], "127.0.0.1:8080");
    assert_str_equal(gateway->url, "http://127.0.0.1:8080");
    assert_int_equal(gateway->trusted_proxies.count, 0);
    assert_int_equal(gateway->workers, 1024);
    assert_int_equal(gateway->max_connections_per_client, 0);
    assert_int_equal(gateway->max_head, 32768);
    assert_int_equal(gateway->max_target, 8192);
    assert_int_equal(gateway->head_timeout_us, 10 * US_PER_S);
    assert_int_equal(gateway->body_timeout_us, 30 * US_PER_S);
    assert_int_equal(gateway->send_timeout_us, 30 * US_PER_S);
    assert_int_equal(gateway->keep_alive_us, 75 * US_PER_S);
    assert_int_equal(gateway->drain_timeout_us, 30 * US_PER_S);
    assert_str_equal(config->portal.listen[0], "127.0.0.1:8081");
    assert_int_equal(config->portal.registration, REGISTRATION_INVITE);
    assert_false(config->portal.insecure);
    assert_str_equal(config->admin.listen[0], "127.0.0.1:8082");
    assert_str_equal(config->admin.url, "http://127.0.0.1:8082");
    assert_int_equal(config->admin.allow.count, 2);
    assert_int_equal(config->metrics.listen_count, 0);
    assert_int_equal(config->analytics.retention.requests_us, 7 * US_PER_DAY);
    assert_int_equal(config->analytics.retention.minutes_us, 40 * US_PER_DAY);
    assert_int_equal(config->analytics.retention.hours_us, 400 * US_PER_DAY);
    assert_int_equal(config->analytics.retention.usage_us, 800 * US_PER_DAY);
    assert_int_equal(config->analytics.journal_bytes, 16 << 20);
    assert_int_equal(config->analytics.max_series, 10000);
    assert_int_equal(config->analytics.loki.url.n, 0);
    config_destroy(config);
    config_destroy(NULL);
}

static void all_sections_are_read(void **state)
{
    (void)state;
    setenv("WEIR_TEST_TOKEN", "0123456789abcdef", 1);
    struct config *config =
        load("version: 1\n"
             "data_dir: /var/lib/weir\n"
             "log: { level: debug, format: json }\n"
             "gateway: { listen: [\"0.0.0.0:80\", \"[::]:80\"], url: https://api.example.com/ }\n"
             "portal: { listen: 0.0.0.0:81, url: https://dev.example.com, registration: open,\n"
             "          verify_email: true }\n"
             "admin: { listen: 10.0.0.5:82, insecure: true, allow: [10.0.0.0/8, 10.1.0.0/16] }\n"
             "metrics: { listen: 10.0.0.5:9464, allow: 10.0.0.0/8, "
             "token: \"${env:WEIR_TEST_TOKEN}\" }\n"
             "analytics:\n"
             "  retention: { requests: 2d }\n"
             "  max_series: 500\n"
             "  journal_size: 1MiB\n"
             "  loki: { url: http://127.0.0.1:3100/, tenant: me, labels: { env: prod, n: 5 } }\n"
             "upstreams:\n");
    assert_str_equal(config->data_dir, "/var/lib/weir");
    assert_int_equal(config->log.level, LOG_DEBUG);
    assert_int_equal(config->log.format, LOG_JSON);
    assert_str_equal(config->gateway.listen[1], "[::]:80");
    assert_str_equal(config->gateway.url, "https://api.example.com");
    assert_int_equal(config->portal.registration, REGISTRATION_OPEN);
    assert_true(config->portal.verify_email);
    assert_str_equal(config->admin.url, "http://10.0.0.5:82");
    assert_int_equal(config->admin.allow.count, 1);
    assert_str_equal(config->metrics.token, "0123456789abcdef");
    assert_int_equal(config->analytics.retention.requests_us, 2 * US_PER_DAY);
    assert_int_equal(config->analytics.retention.minutes_us, 40 * US_PER_DAY);
    assert_int_equal(config->analytics.max_series, 500);
    assert_int_equal(config->analytics.journal_bytes, 1 << 20);
    const struct loki_config *loki = &config->analytics.loki;
    assert_str_equal(loki->url, "http://127.0.0.1:3100");
    assert_str_equal(loki->tenant, "me");
    assert_int_equal(loki->label_count, 2);
    assert_str_equal(loki->labels[1].name, "n");
    assert_str_equal(loki->labels[1].value, "5");
    assert_int_equal(loki->batch_bytes, 1 << 20);
    assert_int_equal(loki->batch_wait_us, US_PER_S);
    config_destroy(config);
}

static void the_url_follows_the_first_listener(void **state)
{
    (void)state;
    static const struct {
        const char *listen, *url;
    } cases[] = {
        {"127.0.0.1:8080", "http://127.0.0.1:8080"},
        {"0.0.0.0:80", "http://127.0.0.1:80"},
        {"\"[::]:80\"", "http://[::1]:80"},
        {"localhost:9000", "http://127.0.0.1:9000"},
        {"\"[2001:db8::1]:80\"", "http://[2001:db8::1]:80"},
        {"127.0.0.1:0", ""},
        {"[10.0.0.1:1, 10.0.0.2:2]", "http://10.0.0.1:1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        snprintf(text, sizeof(text), "version: 1\ngateway: { listen: %s }\n", cases[i].listen);
        struct config *config = load(text);
        assert_str_equal(config->gateway.url, cases[i].url);
        config_destroy(config);
    }
}

static void listeners_of_tests_may_share_port_0(void **state)
{
    (void)state;
    struct config *config = load("version: 1\n"
                                 "gateway: { listen: 127.0.0.1:0 }\n"
                                 "portal: { listen: 127.0.0.1:0 }\n"
                                 "admin: { listen: \"[::1]:0\" }\n");
    config_destroy(config);
}

/* One fault each; the whole line that `weir check` shows. */
static const struct fault {
    const char *text, *line;
} FAULTS[] = {
    /* the file as a whole */
    {"", "weir.yaml: error: the file is empty; `weir init` writes one to begin with"},
    {"# nothing yet\n",
     "weir.yaml: error: the file is empty; `weir init` writes one to begin with"},
    {"hello\n", "weir.yaml:1:1: error: expected sections such as `gateway:` and `apis:`, found "
                "`hello`"},
    {"- version: 1\n",
     "weir.yaml:1:1: error: expected sections such as `gateway:` and `apis:`, found a list"},
    {"gateway: {}\n",
     "weir.yaml:1:1: error: `version` is missing; begin the file with `version: 1`"},
    {"version: 2\n",
     "weir.yaml:1:10: error: `version`: expected 1, the only version there is, found `2`"},
    {"version: 1\nversion: 1\n",
     "weir.yaml:2:1: error: key `version` is there twice; it was first given at line 1, column 1"},

    /* keys and their types */
    {"version: 1\ngatewya: {}\n",
     "weir.yaml:2:1: error: unknown key `gatewya`; did you mean `gateway`?"},
    {"version: 1\nlog:\n  colour: blue\n",
     "weir.yaml:3:3: error: unknown key `colour` in `log`; known here: level, format"},
    {"version: 1\nlog: { Level: info }\n",
     "weir.yaml:2:8: error: unknown key `Level` in `log`; did you mean `level`?"},
    {"version: 1\nlog: info\n", "weir.yaml:2:6: error: `log`: expected a map, found `info`"},
    {"version: 1\nlog: { level: verbose }\n",
     "weir.yaml:2:15: error: `level` in `log`: expected error, warn, info or debug, found "
     "`verbose`"},
    {"version: 1\nlog: { level: infos }\n",
     "weir.yaml:2:15: error: `level` in `log`: expected error, warn, info or debug, found `infos`; "
     "did you mean `info`?"},
    {"version: 1\nlog: { format: [json] }\n",
     "weir.yaml:2:16: error: `format` in `log`: expected logfmt or json, found a list"},
    {"version: 1\ngateway: { workers: many }\n",
     "weir.yaml:2:21: error: `workers` in `gateway`: expected a whole number from 1 to 65536, "
     "found `many`"},
    {"version: 1\ngateway: { workers: \"8\" }\n",
     "weir.yaml:2:21: error: `workers` in `gateway`: expected a whole number from 1 to 65536, "
     "found `\"8\"`; remove the quotes"},
    {"version: 1\ngateway: { workers: 0 }\n",
     "weir.yaml:2:21: error: `workers` in `gateway`: `0` is out of range; allowed is 1 to 65536"},
    {"version: 1\ngateway: { workers: -1 }\n",
     "weir.yaml:2:21: error: `workers` in `gateway`: expected a whole number from 1 to 65536, "
     "found `-1`"},
    {"version: 1\ngateway:\n  workers:\n",
     "weir.yaml:3:11: error: `workers` in `gateway`: expected a whole number from 1 to 65536, "
     "found nothing"},
    {"version: 1\ngateway: { head_timeout: 10 }\n",
     "weir.yaml:2:26: error: `head_timeout` in `gateway`: expected a duration such as 250ms, 10s "
     "or 1h, found `10`; its unit is missing"},
    {"version: 1\ngateway: { head_timeout: 2h }\n",
     "weir.yaml:2:26: error: `head_timeout` in `gateway`: `2h` is out of range; allowed is 1ms to "
     "1h"},
    {"version: 1\ngateway: { max_head: 32KB }\n",
     "weir.yaml:2:22: error: `max_head` in `gateway`: expected a size such as 64KiB or 10MiB, "
     "found `32KB`"},
    {"version: 1\ngateway: { max_head: 2MiB }\n",
     "weir.yaml:2:22: error: `max_head` in `gateway`: `2MiB` is out of range; allowed is 1KiB to "
     "1MiB"},
    {"version: 1\nportal: { verify_email: yes }\n",
     "weir.yaml:2:25: error: `verify_email` in `portal`: expected true or false, found `yes`"},
    {"version: 1\ngateway: { trusted_proxies: [10.0.0.1/8] }\n",
     "weir.yaml:2:30: error: `trusted_proxies` in `gateway`: `10.0.0.1/8` has bits beyond its "
     "prefix; write 10.0.0.0/8 for the network or 10.0.0.1 for the one address"},
    {"version: 1\ngateway: { trusted_proxies: [10.0.0.0/40] }\n",
     "weir.yaml:2:30: error: `trusted_proxies` in `gateway`: expected an address or a network such "
     "as 10.0.0.0/8, found `10.0.0.0/40`"},

    /* listeners */
    {"version: 1\ngateway: { listen: 8080 }\n",
     "weir.yaml:2:20: error: `listen` in `gateway`: `8080` is no ADDRESS:PORT such as "
     "127.0.0.1:8080 or [::1]:8080; all interfaces are 0.0.0.0 and [::]"},
    {"version: 1\ngateway: { listen: [\"127.0.0.1:80\", \"*:81\"] }\n",
     "weir.yaml:2:37: error: `listen` in `gateway`: `\"*:81\"` is no ADDRESS:PORT such as "
     "127.0.0.1:8080 or [::1]:8080; all interfaces are 0.0.0.0 and [::]"},
    {"version: 1\ngateway: { listen: 127.0.0.1:8081 }\n",
     "weir.yaml:2:20: error: `listen` in `gateway`: `127.0.0.1:8081` is taken by `portal`, which "
     "listens on `127.0.0.1:8081` where its `listen` does not say otherwise"},
    {"version: 1\ngateway: { listen: 0.0.0.0:90 }\nadmin: { listen: 127.0.0.1:90 }\n",
     "weir.yaml:3:18: error: `listen` in `admin`: `127.0.0.1:90` is taken by `gateway`, which "
     "listens on `0.0.0.0:90`"},
    {"version: 1\nportal:\n  listen: 0.0.0.0:8081\n",
     "weir.yaml:3:11: error: `listen` in `portal`: `0.0.0.0:8081` can be reached from other "
     "machines, without TLS; listen on 127.0.0.1, or set `url: https://...` where a proxy ends "
     "TLS, or write `insecure: true` beside it"},
    {"version: 1\nadmin: { listen: \"[::]:8082\", url: http://a.example }\n",
     "weir.yaml:2:18: error: `listen` in `admin`: `[::]:8082` can be reached from other machines, "
     "without TLS; listen on 127.0.0.1, or set `url: https://...` where a proxy ends TLS, or write "
     "`insecure: true` beside it"},
    {"version: 1\nmetrics: { listen: 10.0.0.5:9464 }\n",
     "weir.yaml:2:20: error: `listen` in `metrics`: `10.0.0.5:9464` can be reached from other "
     "machines; set `allow` or `token` beside it"},
    {"version: 1\nportal: { url: dev.example.com }\n",
     "weir.yaml:2:16: error: `url` in `portal`: `dev.example.com` must begin with http:// or "
     "https://"},

    /* insertions */
    {"version: 1\ndata_dir: ${env:WEIR_TEST_UNSET}\n",
     "weir.yaml:2:11: error: `data_dir`: the environment variable `WEIR_TEST_UNSET` is not set"},
    {"version: 1\ndata_dir: ${WEIR_DATA}\n",
     "weir.yaml:2:11: error: `data_dir`: `${WEIR_DATA}` is unknown; write ${env:NAME} or "
     "${file:PATH}, or $${ for the characters themselves"},
    {"version: 1\ndata_dir: ${env:WEIR_DATA\n",
     "weir.yaml:2:11: error: `data_dir`: `${` without its `}`; write $${ for the characters "
     "themselves"},
    {"version: 1\ndata_dir: ${file:/nonexistent/weir}\n",
     "weir.yaml:2:11: error: `data_dir`: cannot read `/nonexistent/weir`: No such file or "
     "directory"},
    {"version: 1\nlog: { level: \"${env:WEIR_TEST_TOKEN}\" }\n",
     "weir.yaml:2:15: error: `level` in `log`: expected error, warn, info or debug, found the "
     "value of `${env:WEIR_TEST_TOKEN}`"},

    /* analytics */
    {"version: 1\nanalytics: { journal_size: 16 }\n",
     "weir.yaml:2:28: error: `journal_size` in `analytics`: `16` is out of range; allowed is 1MiB "
     "to 1GiB"},
    {"version: 1\nanalytics:\n  retention: { minutes: 1m }\n",
     "weir.yaml:3:25: error: `minutes` in `retention` of `analytics`: `1m` is out of range; "
     "allowed "
     "is 1h to 36500d"},
    {"version: 1\nanalytics: { loki: { labels: { env: prod } } }\n",
     "weir.yaml:2:14: error: `loki` of `analytics`: `url` is missing"},
    {"version: 1\nanalytics: { loki: { url: http://l, labels: { api: x } } }\n",
     "weir.yaml:2:47: error: label `api` is set by Weir itself"},
    {"version: 1\nanalytics: { loki: { url: http://me:pw@l } }\n",
     "weir.yaml:2:27: error: `url` in `loki` of `analytics`: a value that is not shown must be a "
     "URL of scheme, host, port and path only"},

    /* upstreams */
    {"version: 1\nupstreams: [http://127.0.0.1:9001]\n",
     "weir.yaml:2:12: error: `upstreams`: expected a map from the name of each upstream to its "
     "settings, found a list"},
    {"version: 1\nupstreams:\n  Users: { targets: http://h }\n",
     "weir.yaml:3:3: error: `Users` cannot be the name of an upstream; names are of a-z, 0-9, "
     "`.`, `_`, `-`, at most 63, the first a letter or digit"},
    {"version: 1\nupstreams:\n  users:\n",
     "weir.yaml:3:3: error: upstream `users`: `targets` is missing"},
    {"version: 1\nupstreams: { users: { targets: [] } }\n",
     "weir.yaml:2:32: error: `targets` in upstream `users`: an upstream needs at least one target"},
    {"version: 1\nupstreams: { users: { targets: \"https://h\" } }\n",
     "weir.yaml:2:32: error: `url` in target 1 of upstream `users`: `\"https://h\"` asks for TLS "
     "to "
     "the upstream, which is not available yet; use http://"},
    {"version: 1\nupstreams: { users: { targets: [http://a, 127.0.0.1:9001] } }\n",
     "weir.yaml:2:43: error: `url` in target 2 of upstream `users`: `127.0.0.1:9001` must begin "
     "with http://"},
    {"version: 1\nupstreams: { users: { targets: http://me:secret@h } }\n",
     "weir.yaml:2:32: error: `url` in target 1 of upstream `users`: a URL with a user or password "
     "is not supported"},
    {"version: 1\nupstreams: { users: { targets: http://h:99999 } }\n",
     "weir.yaml:2:32: error: `url` in target 1 of upstream `users`: `http://h:99999` has a port "
     "that is not from 1 to 65535"},
    {"version: 1\nupstreams: { users: { targets: { url: http://h, weigth: 3 } } }\n",
     "weir.yaml:2:49: error: unknown key `weigth` in target 1 of upstream `users`; did you mean "
     "`weight`?"},

    /* APIs */
    {BASE "  orders: { upstream: user }\n", "weir.yaml:10:23: error: `upstream` in api `orders`: "
                                            "there is no upstream `user`; did you mean "
                                            "`users`?"},
    {BASE "  orders: { upstream: [users] }\n",
     "weir.yaml:10:23: error: `upstream` in api `orders`: expected the name of an upstream, found "
     "a "
     "list"},
    {BASE "  orders: users\n", "weir.yaml:10:11: error: api `orders`: expected a map, found "
                               "`users`"},
    {BASE "    auth: kye\n",
     "weir.yaml:10:11: error: `type` in `auth` of api `users`: expected key "
     "or none, found `kye`; did you mean `key`?"},
    {BASE "    auth: [key]\n",
     "weir.yaml:10:11: error: `auth` of api `users`: expected a text or a "
     "map, found a list"},
    {BASE "    access: { countries: { allow: [TR] } }\n",
     "weir.yaml:10:15: error: unknown key `countries` in `access` of api `users`; known here: "
     "allow, deny"},
    {BASE "    access: { allow: [] }\n",
     "weir.yaml:10:22: error: `allow` in `access` of api `users`: an empty list would let everyone "
     "in; leave it out for that, or deny 0.0.0.0/0 and ::/0 to let nobody in"},
    {BASE "    max_body: 10M\n",
     "weir.yaml:10:15: error: `max_body` in api `users`: expected a size such as 64KiB or 10MiB, "
     "found `10M`"},
    {BASE "    routes: { default: { match: { paths: [/users/x] } } }\n",
     "weir.yaml:10:15: error: `default` is the name of the API's own route; choose another"},
    {BASE "    routes: { search: { timeout: 2s } }\n",
     "weir.yaml:10:15: error: route `search` of api `users`: `match` is missing"},
    {BASE "    routes:\n      search: { match: { path: [/users/x] } }\n",
     "weir.yaml:11:26: error: unknown key `path` in `match` of route `search` of api `users`; did "
     "you mean `paths`?"},
    {BASE "    routes: { a: { match: { paths: [users] } } }\n",
     "weir.yaml:10:37: error: `paths` in `match` of route `a` of api `users`: `users` must begin "
     "with / for a prefix, =/ for an exact path, or ~ for a regular expression"},
    {BASE "    routes: { a: { match: { paths: [\"/users/*\"] } } }\n",
     "weir.yaml:10:37: error: `paths` in `match` of route `a` of api `users`: `\"/users/*\"` must "
     "not contain `*`: a prefix matches all below it, {name} one segment, and ~ begins a regular "
     "expression"},
    {BASE "    routes: { a: { match: { methods: [get] } } }\n",
     "weir.yaml:10:39: error: `methods` in `match` of route `a` of api `users`: unknown method "
     "`get`; did you mean `GET`?"},
    {BASE "    routes: { a: { match: { hosts: [\"a.*.example\"] } } }\n",
     "weir.yaml:10:37: error: `hosts` in `match` of route `a` of api `users`: `\"a.*.example\"` "
     "may "
     "have `*` only in front, as in *.example.com"},
    {BASE "    routes: { a: { match: { hosts: [api.example.com:443] } } }\n",
     "weir.yaml:10:37: error: `hosts` in `match` of route `a` of api `users`: "
     "`api.example.com:443` must be without a port"},

    /* plans */
    {BASE "plans: { free: { apis: [users, orders] } }\n",
     "weir.yaml:10:32: error: `apis` in plan `free`: there is no api `orders`"},
    {BASE "plans: { free: { apis: [users, users] } }\n",
     "weir.yaml:10:32: error: `apis` in plan `free`: `users` is there twice"},
    {BASE "plans: { free: { rate: { requests: 1 } } }\n",
     "weir.yaml:10:10: error: plan `free`: `apis` is missing"},
    {PLAN "    rate: { per: 1s }\n", "weir.yaml:13:5: error: `rate` of plan `free`: `requests` is "
                                     "missing"},
    {PLAN "    rate: 10\n", "weir.yaml:13:11: error: `rate` of plan `free`: expected a map, found "
                            "`10`"},
    {PLAN "    quota: { requests: 5, per: year }\n",
     "weir.yaml:13:32: error: `per` in quota 1 of plan `free`: expected minute, hour, day, week or "
     "month, found `year`"},
    {PLAN "    quota:\n      - { requests: 5, per: day }\n      - { requests: 9, per: day }\n",
     "weir.yaml:15:9: error: `quota` in plan `free`: there are two quotas for each day; keep one"},
    {PLAN "    approval: auto\n",
     "weir.yaml:13:15: error: `approval` in plan `free`: expected automatic or manual, found "
     "`auto`; did you mean `automatic`?"},

    /* apps and their keys */
    {PLAN "apps: { a: { plan: fre } }\n",
     "weir.yaml:13:20: error: `plan` in app `a`: there is no plan `fre`; did you mean `free`?"},
    {PLAN "apps: { a: {} }\n", "weir.yaml:13:9: error: app `a`: `plan` is missing"},
    {PLAN "apps: { a: { plan: free, keys: { ci: {} } } }\n",
     "weir.yaml:13:34: error: key `ci` of app `a`: `secret` is missing"},
    {PLAN "apps: { a: { plan: free, keys: { ci: { secret: hunter2 } } } }\n",
     "weir.yaml:13:48: error: `secret` in key `ci` of app `a`: must have at least 16 characters, "
     "and has 7"},
    {PLAN "apps: { a: { plan: free, keys: { ci: { secret: { x: y } } } } }\n",
     "weir.yaml:13:48: error: `secret` in key `ci` of app `a`: expected a text, found a map"},
    {PLAN "apps:\n  a: { plan: free, keys: { x: { secret: 0123456789abcdef } } }\n"
          "  b: { plan: free, keys: { y: { secret: 0123456789abcdef } } }\n",
     "weir.yaml:15:41: error: `secret` in key `y` of app `b`: key `x` of app `a` has the same; "
     "each "
     "needs its own"},
    {PLAN "apps: { a: { plan: free, keys: { ci: { secret: 0123456789abcdef, access: { allow: [x] } "
          "} } } }\n",
     "weir.yaml:13:84: error: `allow` in `access` of key `ci` of app `a`: expected an address or a "
     "network such as 10.0.0.0/8, found `x`"},
};

static void a_fault_is_one_line_that_says_where_and_what_to_do(void **state)
{
    (void)state;
    unsigned wrong = 0;
    unsetenv("WEIR_TEST_UNSET");
    setenv("WEIR_TEST_TOKEN", "0123456789abcdef", 1);
    for (size_t i = 0; i < ARRAY_LEN(FAULTS); i++) {
        struct config *config = NULL;
        int r = config_load_text("weir.yaml", str_from(FAULTS[i].text), &config, &errors);
        const char *got = r == E_CONFIG ? errors.items[0].text : "no fault";
        bool good = r == E_CONFIG && errors.count == 1 && strcmp(got, FAULTS[i].line) == 0;
        assert_true(r == 0 || config == NULL);
        config_destroy(config);
        if (good)
            continue;
        print_error("got  %s (%u)\nwant %s\n", got, errors.count, FAULTS[i].line);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void all_faults_are_told_at_once_in_the_order_of_the_file(void **state)
{
    (void)state;
    struct config *config = NULL;
    char text[4096];
    struct buf out;
    const char *file = BASE "  orders: { upstrem: users, timeout: 5 }\n"
                            "log: { level: x }\n"
                            "apps: { a: { plan: b } }\n";
    assert_int_equal(config_load_text("weir.yaml", str_from(file), &config, &errors), E_CONFIG);
    buf_init_fixed(&out, text, sizeof(text));
    config_errors_print(&errors, &out);
    assert_str_equal(
        buf_str(&out),
        "weir.yaml:10:3: error: api `orders`: `upstream` is missing\n"
        "weir.yaml:10:13: error: unknown key `upstrem` in api `orders`; did you mean `upstream`?\n"
        "weir.yaml:10:38: error: `timeout` in api `orders`: expected a duration such as 250ms, 10s "
        "or 1h, found `5`; its unit is missing\n"
        "weir.yaml:11:15: error: `level` in `log`: expected error, warn, info or debug, found `x`\n"
        "weir.yaml:12:20: error: `plan` in app `a`: there is no plan `b`\n");
}

static void a_secret_is_in_no_message(void **state)
{
    (void)state;
    static const char *const cases[] = {
        PLAN "apps: { a: { plan: free, keys: { ci: { secret: hunter2hunter2\x7f } } } }\n",
        PLAN
        "apps: { a: { plan: free, keys: { ci: { secret: \"hunter2\\nhunter2hunter2\" } } } }\n",
        PLAN "apps: { a: { plan: free, keys: { ci: { secret: [hunter2] } } } }\n",
        PLAN "apps: { a: { plan: free, keys: { ci: hunter2 } } }\n",
        PLAN "apps: { a: { plan: free, keys: { ci: { secert: hunter2hunter2hunter2 } } } }\n",
        PLAN "apps: { a: { plan: free, keys: hunter2 } }\n",
        PLAN "apps: { a: { plan: free, keys: { ci: { secret: *hunter2 } } } }\n",
        PLAN "apps: { a: { plan: free, keys: { ci: { secret: &hunter2 x } } } }\n",
        PLAN "apps: { a: { plan: free, keys: { ci: { secret: !hunter2 x } } } }\n",
        PLAN "apps: { a: { plan: free, keys: { ci: { secret: hunter2: x } } } }\n",
        "version: 1\nmetrics: { listen: 127.0.0.1:1, token: hunter2 }\n",
        "version: 1\nportal: { url: \"http://me:hunter2@dev.example\" }\n",
        "version: 1\nupstreams: { u: { targets: [\"ftp://me:hunter2@h\"] } }\n",
        "version: 1\ngateway: { workers: \"${env:WEIR_TEST_SECRET}\" }\n",
        "version: 1\ngateway: { listen: \"${env:WEIR_TEST_SECRET}\" }\n",
        "version: 1\ngateway: { trusted_proxies: \"${env:WEIR_TEST_SECRET}\" }\n",
        BASE "    auth: \"${env:WEIR_TEST_SECRET}\"\n",
        BASE "    match: { methods: \"${env:WEIR_TEST_SECRET}\" }\n",
        PLAN "apps: { a: { plan: \"${env:WEIR_TEST_SECRET}\" } }\n",
    };
    setenv("WEIR_TEST_SECRET", "hunter2", 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config *config = NULL;
        if (config_load_text("weir.yaml", str_from(cases[i]), &config, &errors) != E_CONFIG)
            fail_msg("case %zu is taken", i);
        for (unsigned k = 0; k < config_errors_kept(&errors); k++) {
            if (strstr(errors.items[k].text, "hunter2") != NULL)
                fail_msg("%s", errors.items[k].text);
        }
    }
}

static void equal_routes_are_a_fault(void **state)
{
    (void)state;
    struct config *config = NULL;
    const char *file = BASE "  orders: { upstream: users, match: { paths: [/users] } }\n";
    assert_int_equal(config_load_text("weir.yaml", str_from(file), &config, &errors), E_CONFIG);
    assert_int_equal(errors.count, 1);
    assert_non_null(strstr(errors.items[0].text, "match the same requests"));
    file = BASE "  orders: { upstream: users, match: { paths: [\"~^/(\"] } }\n";
    assert_int_equal(config_load_text("weir.yaml", str_from(file), &config, &errors), E_CONFIG);
    assert_int_equal(errors.count, 1);
}

static void write_file(const char *folder, const char *name, const char *text, char *ret_path)
{
    snprintf(ret_path, 256, "%s/%s", folder, name);
    FILE *file = fopen(ret_path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static void paths_begin_at_the_folder_of_the_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/weir_config_XXXXXX", path[256], token[256], want[512], fifo[256];
    struct config *config = NULL;
    assert_non_null(mkdtemp(folder));
    write_file(folder, "token", "0123456789abcdef\n", token);
    write_file(folder, "weir.yaml",
               "version: 1\n"
               "data_dir: ./state\n"
               "metrics: { listen: 127.0.0.1:0, token: \"${file:token}\" }\n",
               path);
    assert_int_equal(config_load(path, &config, &errors), 0);
    snprintf(want, sizeof(want), "%s/./state", folder);
    assert_str_equal(config->data_dir, want);
    assert_str_equal(config->metrics.token, "0123456789abcdef");
    config_destroy(config);
    config = NULL;

    /* a named pipe would wait for a writer for ever */
    snprintf(fifo, sizeof(fifo), "%s/pipe", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    write_file(folder, "weir.yaml", "version: 1\ndata_dir: \"${file:pipe}\"\n", path);
    assert_int_equal(config_load(path, &config, &errors), E_CONFIG);
    assert_non_null(strstr(errors.items[0].text, "not a regular file"));

    assert_int_equal(unlink(fifo), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(config_load(path, &config, &errors), E_CONFIG);
    snprintf(
        want, sizeof(want),
        "%s: error: cannot read the file: No such file or directory; `weir init` writes one to "
        "begin with",
        path);
    assert_string_equal(errors.items[0].text, want);
    assert_int_equal(config_load(folder, &config, &errors), E_CONFIG);
    assert_non_null(strstr(errors.items[0].text, "Is a directory"));
    assert_int_equal(unlink(token), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_null(config);
}

static void a_data_dir_beside_a_bare_file_name_stays_short(void **state)
{
    (void)state;
    static const struct {
        const char *path, *data_dir;
    } cases[] = {{"weir.yaml", "data"}, {"etc/weir.yaml", "etc/data"}, {"/weir.yaml", "//data"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config *config;
        assert_int_equal(config_load_text(cases[i].path, STR(DEFAULTS), &config, &errors), 0);
        assert_str_equal(config->data_dir, cases[i].data_dir);
        config_destroy(config);
    }
}

static void the_starter_file_is_good_and_its_summary_fits_a_screen(void **state)
{
    (void)state;
    char text[4096];
    struct buf out;
    struct config *config = NULL;
    if (config_load_text("weir.yaml", starter_text, &config, &errors) != 0)
        fail_msg("%s", errors.items[0].text);
    buf_init_fixed(&out, text, sizeof(text));
    config_summary(config, &out);
    assert_str_equal(buf_str(&out), "listeners\n"
                                    "  gateway          127.0.0.1:8080\n"
                                    "  portal           127.0.0.1:8081\n"
                                    "  admin            127.0.0.1:8082\n"
                                    "  metrics          off\n"
                                    "data\n"
                                    "  directory        data\n"
                                    "upstreams\n"
                                    "  hello            http://127.0.0.1:9001\n"
                                    "apis\n"
                                    "  hello            /hello -> hello, key\n"
                                    "plans\n"
                                    "  free             hello; 10 per 1s, burst 20; 10000 a month\n"
                                    "apps\n"
                                    "  my-app           plan free, 0 keys in the file\n");
    config_destroy(config);
}

/* What is commented out in the starter file must be good too, once the # are removed. */
static void the_comments_of_the_starter_file_are_settings(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "# url: https", "# trusted_proxies:", "# hosts:",       "# methods:", "# access:",
        "#   allow:",   "# analytics:",       "#   retention:", "#   loki:"};
    char text[8192];
    struct config *config = NULL;
    assert_true(str_copy(starter_text, text, sizeof(text)));
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        char *at = strstr(text, settings[i]);
        if (at == NULL)
            fail_msg("%s is not there", settings[i]);
        memmove(at, at + 2, strlen(at + 2) + 1);
    }
    if (config_load_text("weir.yaml", str_from(text), &config, &errors) != 0)
        fail_msg("%s", errors.items[0].text);
    assert_str_equal(config->analytics.loki.url, "http://127.0.0.1:3100");
    assert_int_equal(config->gateway.apis[0].access.allow.count, 1);
    config_destroy(config);
}

static void a_summary_shows_the_beginning_of_long_sections(void **state)
{
    (void)state;
    char *text = calloc(1, 65536), *summary = calloc(1, 65536);
    struct buf file, out;
    buf_init_fixed(&file, text, 65535);
    buf_add_cstr(&file, PLAN "    quota: [{ requests: 5, per: day }]\n"
                             "apps:\n");
    for (unsigned i = 0; i < 100; i++)
        buf_printf(&file,
                   "  app-%u: { plan: free, suspended: true, keys: { k: { secret: "
                   "hunter2hunter2-%u } } }\n",
                   i, i);
    struct config *config = load(text);
    buf_init_fixed(&out, summary, 65535);
    config_summary(config, &out);
    assert_non_null(strstr(summary, "  free             users; 5 a day\n"));
    assert_non_null(strstr(summary, "  app-11           plan free, 1 key in the file, suspended\n"
                                    "  and 88 more\n"));
    assert_null(strstr(summary, "hunter2"));
    config_destroy(config);
    free(text);
    free(summary);
}

static void what_waits_for_a_restart_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *names;
        unsigned count;
    } cases[] = {
        {"version: 1\nlog: { level: debug }\nplans:\n", "", 0},
        {"version: 1\ngateway: { max_head: 8KiB, listen: [127.0.0.1:8080] }\n", "", 0},
        {"version: 1\ndata_dir: other\n", "data_dir", 1},
        {"version: 1\ngateway: { workers: 8 }\nadmin: { listen: 127.0.0.1:1 }\n",
         "gateway.workers, admin.listen", 2},
        {"version: 1\ngateway: { listen: [127.0.0.1:8080, 127.0.0.1:2] }\n", "gateway.listen", 1},
        {"version: 1\nportal: { listen: 127.0.0.1:3 }\nmetrics: { listen: 127.0.0.1:4 }\n"
         "analytics: { journal_size: 32MiB }\n",
         "portal.listen, metrics.listen, analytics.journal_size", 3},
    };
    struct config *now = load(DEFAULTS);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        struct buf names;
        struct config *next = load(cases[i].text);
        buf_init_fixed(&names, text, sizeof(text));
        assert_int_equal(config_needs_restart(now, next, &names), cases[i].count);
        assert_str_equal(buf_str(&names), cases[i].names);
        config_destroy(next);
    }
    config_destroy(now);
}

static void the_reference_describes_every_setting_once(void **state)
{
    (void)state;
    char *text = calloc(1, 65536);
    struct buf out;
    buf_init_fixed(&out, text, 65535);
    config_document(&out);
    assert_int_equal(buf_finish(&out), 0);
    static const char *const rows[] = {
        "| `data_dir` | text, 1 to 512 characters | `data` |",
        "| `gateway` | map: [`gateway`](#gateway) |",
        "| `apis` | map of names: [`apis.NAME`](#apisname) |",
        "\n## `apis.NAME`\n",
        "| `auth` | map: its `type` alone, or [`apis.NAME.auth`](#apisnameauth) |",
        "| `workers` | whole number, 1 to 65536 | `1024` |",
        "| `max_head` | size, 1KiB to 1MiB | `32KiB` |",
        "| `upstream` | name of an upstream | required |",
        "| `timeout` | duration, 1ms to 1d | the API's |",
        "| `level` | error, warn, info or debug | `info` |",
        "| `access` | map: [`apis.NAME.access`](#apisnameaccess) |",
        "| `targets` | map, or a list: its `url` alone, or "
        "[`upstreams.NAME.targets`](#upstreamsnametargets) | required |",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strstr(text, rows[i]) == NULL)
            fail_msg("no %s in\n%s", rows[i], text);
    }
    const char *once = strstr(text, "Only these addresses and networks may call.");
    assert_non_null(once);
    assert_null(strstr(once + 1, "Only these addresses and networks may call."));
    assert_null(strstr(text, "(null)"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_one_line_gives_safe_defaults),
        cmocka_unit_test(all_sections_are_read),
        cmocka_unit_test(the_url_follows_the_first_listener),
        cmocka_unit_test(listeners_of_tests_may_share_port_0),
        cmocka_unit_test(a_fault_is_one_line_that_says_where_and_what_to_do),
        cmocka_unit_test(all_faults_are_told_at_once_in_the_order_of_the_file),
        cmocka_unit_test(a_secret_is_in_no_message),
        cmocka_unit_test(equal_routes_are_a_fault),
        cmocka_unit_test(paths_begin_at_the_folder_of_the_file),
        cmocka_unit_test(a_data_dir_beside_a_bare_file_name_stays_short),
        cmocka_unit_test(the_starter_file_is_good_and_its_summary_fits_a_screen),
        cmocka_unit_test(the_comments_of_the_starter_file_are_settings),
        cmocka_unit_test(a_summary_shows_the_beginning_of_long_sections),
        cmocka_unit_test(what_waits_for_a_restart_is_named),
        cmocka_unit_test(the_reference_describes_every_setting_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
