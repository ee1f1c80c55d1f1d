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

static void mails_go_unencrypted_only_where_that_is_said_or_nobody_listens(void **state)
{
    (void)state;
    static const struct {
        const char *mail;
        bool must_encrypt;
    } cases[] = {
        {"url: \"smtp://mail.example.com\"", true},
        {"url: \"SMTP://mail.example.com\"", true},
        {"url: \"smtp://localhost.example.com\"", true},
        {"url: \"smtp://mail.example.com\", insecure: true", false},
        {"url: \"smtp://127.0.0.1:25\"", false},
        {"url: \"smtp://[::1]\"", false},
        {"url: \"smtp://localhost\"", false},
        {"url: \"smtps://mail.example.com\"", false}, /* encrypted from the start */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        snprintf(text, sizeof(text), "version: 1\nmail: { from: a@example.com, %s }\n",
                 cases[i].mail);
        struct config *config = load(text);
        if (config->mail.must_encrypt != cases[i].must_encrypt)
            fail_msg("%s", cases[i].mail);
        assert_true(config->portal.verify_email);
        config_destroy(config);
    }
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
             "mail: { url: \"smtp://mail.example.com:587\", from: weir@example.com, "
             "timeout: 5s }\n"
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
    assert_true(config->mail.there);
    assert_int_equal(config->mail.mode, MAIL_SMTP);
    assert_str_equal(config->mail.url, "smtp://mail.example.com:587");
    assert_true(config->mail.must_encrypt);
    assert_int_equal(config->mail.timeout_us, 5 * US_PER_S);
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

static void equal_routes_are_a_fault(void **state)
{
    (void)state;
    struct config *config = NULL;
    const char *file = BASE "  orders: { upstream: users, match: { paths: [/users] } }\n";
    assert_int_equal(config_load_text("weir.yaml", str_from(file), &config, &errors), E_CONFIG);
    assert_int_equal(errors.count, 1);
    assert_string_equal(
        errors.items[0].text,
        "weir.yaml:10:3: error: the routes \"default\" of API \"users\" and \"default\" "
        "of API \"orders\" match the same requests (host any, path /users); give one of "
        "them another host, path or methods");
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
        {"version: 1\ngateway: { max_head: 8KiB, listen: [127.0.0.1:8080] }\n", "gateway.max_head",
         1},
        {"version: 1\ndata_dir: other\n", "data_dir", 1},
        {"version: 1\ngateway: { workers: 8 }\nadmin: { listen: 127.0.0.1:1 }\n",
         "gateway.workers, admin.listen", 2},
        {"version: 1\ngateway: { listen: [127.0.0.1:8080, 127.0.0.1:2] }\n", "gateway.listen", 1},
        {"version: 1\nportal: { listen: 127.0.0.1:3 }\nmetrics: { listen: 127.0.0.1:4 }\n"
         "analytics: { journal_size: 32MiB }\n",
         "portal.listen, portal.url, metrics.listen, analytics.journal_size", 4},
        {"version: 1\nanalytics: { loki: { url: \"http://127.0.0.1:3100\" }, retention: { usage: "
         "90d } }\n",
         "analytics.retention, analytics.loki", 2},
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
        "or [`upstreams.NAME.targets`](#upstreamsnametargets) | required |",
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
        cmocka_unit_test(mails_go_unencrypted_only_where_that_is_said_or_nobody_listens),
        cmocka_unit_test(the_url_follows_the_first_listener),
        cmocka_unit_test(listeners_of_tests_may_share_port_0),
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
