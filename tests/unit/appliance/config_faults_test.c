/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator reads at night: faulty files, and the exact lines that `weir check` shows.
 */
#include "test.h"

#include "appliance/config.h"
#include "base/error.h"

#include <stdlib.h>

static struct config_errors errors;

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

#define TEXT_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

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
    {"version: 1\nportal: { logo: '<html></html>' }\n",
     "weir.yaml:2:17: error: `logo` in `portal`: must be an SVG document"},
    {"version: 1\nportal: { logo: '<!-- no end' }\n",
     "weir.yaml:2:17: error: `logo` in `portal`: must be an SVG document"},
    {"version: 1\nportal: { theme: 'body { color: red; }' }\n",
     "weir.yaml:2:18: error: `theme` in `portal`: must be one `:root { --name: value; ... }` and "
     "nothing else but comments"},
    {"version: 1\nportal: { theme: ':root { --a: 1; } p { }' }\n",
     "weir.yaml:2:18: error: `theme` in `portal`: must be one `:root { --name: value; ... }` and "
     "nothing else but comments"},
    {"version: 1\nportal: { theme: ':root { --a: 1' }\n",
     "weir.yaml:2:18: error: `theme` in `portal`: must have `--name: value;` between its braces, "
     "each with its `;`"},
    {"version: 1\nportal: { theme: ':root { /* --a: 1; }' }\n",
     "weir.yaml:2:18: error: `theme` in `portal`: must be one `:root { --name: value; ... }` and "
     "nothing else but comments"},
    {"version: 1\nportal: { theme: ':root { color: red; }' }\n",
     "weir.yaml:2:18: error: `theme` in `portal`: must set tokens only, whose names begin with "
     "`--`, in lower case"},
    {"version: 1\nportal: { theme: ':root { --a: URL(x); }' }\n",
     "weir.yaml:2:18: error: `theme` in `portal`: must have plain values: no url(), no braces, no "
     "`@`, no `\\`, no `<`"},
    {"version: 1\nportal: { theme: ':root { --a: x{y; }' }\n",
     "weir.yaml:2:18: error: `theme` in `portal`: must have plain values: no url(), no braces, no "
     "`@`, no `\\`, no `<`"},
    {"version: 1\nportal: { theme: ':root { --a: ; }' }\n",
     "weir.yaml:2:18: error: `theme` in `portal`: must have plain values: no url(), no braces, no "
     "`@`, no `\\`, no `<`"},
    {"version: 1\nupstreams: { o: { targets: [\"http://a\"] } }\n"
     "apis: { a: { upstream: o, match: { paths: [/] }, example: users } }\n",
     "weir.yaml:3:59: error: `example` in api `a`: `users` must begin with /"},
    {"version: 1\nportal: { verify_email: yes }\n",
     "weir.yaml:2:25: error: `verify_email` in `portal`: expected true or false, found `yes`"},
    {"version: 1\nportal: { verify_email: true }\n",
     "weir.yaml:2:11: error: `verify_email` needs `mail`: without it nobody could confirm an "
     "address"},
    {"version: 1\nmail: {}\n",
     "weir.yaml:2:1: error: `mail` needs `url`, the mail server, and `from`, the address of the "
     "sender; or `mode: console`, which sends nothing and shows mails in the console"},
    {"version: 1\nmail: { url: \"http://x\", from: a@b }\n",
     "weir.yaml:2:14: error: `url` in `mail`: `\"http://x\"` must begin with smtp:// (STARTTLS) or "
     "smtps:// (TLS from the start)"},
    {"version: 1\nmail: { url: \"smtp://u:p@x\", from: a@b }\n",
     "weir.yaml:2:14: error: `url` in `mail`: a value that is not shown must be a host and its "
     "port, "
     "as in smtp://mail.example.com:587; a name and password have keys of their own"},
    {"version: 1\nmail: { url: \"smtp://\", from: a@b }\n",
     "weir.yaml:2:14: error: `url` in `mail`: `\"smtp://\"` must name a host"},
    {"version: 1\nmail: { url: \"smtp://x\", from: Weir <a@b> }\n",
     "weir.yaml:2:32: error: `from` in `mail`: `Weir <a@b>` must be an address, as in "
     "weir@example.com"},
    {"version: 1\nmail: { url: \"smtp://x\", from: a@b, username: u }\n",
     "weir.yaml:2:1: error: `mail` needs both `username` and `password`, or neither"},
    {"version: 1\nportal: { listen: 127.0.0.1:0 }\nmail: { mode: console }\n",
     "weir.yaml:3:1: error: `mail` needs `portal.url`: links in mails begin with it"},
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
    {"version: 1\ngateway: { listen: [127.0.0.1:1, 127.0.0.1:2, 127.0.0.1:3, 127.0.0.1:4, "
     "127.0.0.1:5, 127.0.0.1:6, 127.0.0.1:7, 127.0.0.1:8, 127.0.0.1:9, 127.0.0.1:10, "
     "127.0.0.1:11, 127.0.0.1:12, 127.0.0.1:13, 127.0.0.1:14, 127.0.0.1:15, 127.0.0.1:16, "
     "127.0.0.1:17] }\n",
     "weir.yaml:2:20: error: `listen` in `gateway` has 17 addresses; at most 16 are possible"},
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
    {"version: 1\nportal: { url: http://a/" TEXT_64 TEXT_64 TEXT_64 " }\n",
     "weir.yaml:2:16: error: `url` in `portal`: must have at most 200 characters, and has 201"},
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
    {BASE "    routes: { a: { match: { paths: [/a, \"~^/(x\"] } } }\n",
     "weir.yaml:10:41: error: `paths` in `match` of route `a` of api `users`: the path \"~^/(x\" "
     "is "
     "no valid regular expression: missing closing parenthesis at character 5"},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_is_one_line_that_says_where_and_what_to_do),
        cmocka_unit_test(all_faults_are_told_at_once_in_the_order_of_the_file),
        cmocka_unit_test(a_secret_is_in_no_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
