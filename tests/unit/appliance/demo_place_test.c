/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "tempdir.h"

#include "appliance/config.h"
#include "appliance/demo/place.h"
#include "appliance/demo/settings.h"
#include "appliance/demo/traffic.h"
#include "appliance/demo/words.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* --- the folder --- */

static void removes_a_temporary_folder_with_what_is_in_it(void **state)
{
    struct place place;
    struct error err = ERROR_INIT;
    char inner[PLACE_PATH_MAX + 16];
    (void)state;
    setenv("TMPDIR", tempdir, 1);
    assert_int_equal(place_enter(&place, NULL, &err), 0);
    assert_true(str_starts(str_from(place.dir), str_from(tempdir)));
    assert_int_equal(place_write(&place, STR("version: 1\n"), &err), 0);
    snprintf(inner, sizeof(inner), "%s/data", place.dir);
    assert_int_equal(mkdir(inner, 0700), 0);
    /* a link is removed, not followed */
    const char *outside = tempdir_path("outside");
    assert_int_equal(mkdir(outside, 0700), 0);
    snprintf(inner, sizeof(inner), "%s/link", place.dir);
    assert_int_equal(symlink(outside, inner), 0);
    place_leave(&place);
    assert_int_equal(access(outside, F_OK), 0);
    unsetenv("TMPDIR");
    assert_int_equal(access(place.dir, F_OK), -1);
}

static void keeps_a_named_folder(void **state)
{
    struct place place;
    struct error err = ERROR_INIT;
    (void)state;
    assert_int_equal(place_enter(&place, tempdir_path("kept"), &err), 0);
    assert_int_equal(place_write(&place, STR(PLACE_MARK "\n"), &err), 0);
    place_leave(&place);
    assert_int_equal(access(place.config, F_OK), 0);
    /* and takes it again */
    assert_int_equal(place_enter(&place, tempdir_path("kept"), &err), 0);
}

static void leaves_a_file_of_somebody_else_alone(void **state)
{
    static const char *const texts[] = {"", "version: 1\n", "# Written by hand\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct place place;
        struct error err = ERROR_INIT;
        FILE *f = fopen(tempdir_path("weir.yaml"), "we");
        assert_non_null(f);
        fputs(texts[i], f);
        fclose(f);
        assert_int_equal(place_enter(&place, tempdir, &err), E_EXISTS);
        assert_non_null(strstr(err.text, "weir.yaml"));
    }
}

static void says_where_no_folder_can_be_made(void **state)
{
    struct place place;
    struct error err = ERROR_INIT;
    (void)state;
    assert_int_equal(place_enter(&place, tempdir_path("a/b"), &err), E_NOT_FOUND);
    assert_non_null(strstr(err.text, "a/b"));
}

/* --- the ports --- */

static void reads_where_to_listen(void **state)
{
    static const struct {
        const char *text, *address; /* NULL: refused */
        bool fixed;
    } rows[] = {
        {"", NULL, false},
        {"0.0.0.0", "0.0.0.0:8080", false},
        {"0.0.0.0:9000", "0.0.0.0:9000", true},
        {"localhost", "127.0.0.1:8080", false},
        {"localhost:81", "127.0.0.1:81", true},
        {"::1", "[::1]:8080", false},
        {"[::1]", "[::1]:8080", false},
        {"[::]:9000", "[::]:9000", true},
        {"127.0.0.1:0", "127.0.0.1:0", false},
        {"127.0.0.1:65536", NULL, false},
        {"example.com", NULL, false},
        {":8080", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct place_port port = {.port = 8080};
        char text[PLACE_ADDRESS_MAX];
        int r = place_port_parse(str_from(rows[i].text), &port);
        place_address(&port, text);
        if ((r == 0) != (rows[i].address != NULL) ||
            (r == 0 && (strcmp(text, rows[i].address) != 0 || port.fixed != rows[i].fixed)))
            fail_msg("%s: %d %s", rows[i].text, r, text);
    }
}

/* A listening socket at a free port of 127.0.0.1. */
static int listen_somewhere(uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static void replaces_ports_in_use_by_free_ones(void **state)
{
    struct place_port ports[3] = {{.port = 0}};
    uint16_t taken;
    int fd = listen_somewhere(&taken);
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ip_parse(STR("127.0.0.1"), &ports[i].ip), 0);
        ports[i].port = taken;
    }
    ports[2].fixed = true;
    place_ports(ports, 3);
    assert_true(ports[0].moved && ports[1].moved);
    assert_true(ports[0].port != taken && ports[1].port != taken && ports[0].port != 0);
    assert_true(ports[0].port != ports[1].port);
    assert_true(!ports[2].moved && ports[2].port == taken); /* asked for */
    close(fd);
}

static void keeps_a_port_that_is_free(void **state)
{
    struct place_port port = {.port = 0};
    uint16_t wanted;
    int fd = listen_somewhere(&wanted);
    (void)state;
    close(fd);
    assert_int_equal(ip_parse(STR("127.0.0.1"), &port.ip), 0);
    port.port = wanted;
    place_ports(&port, 1);
    assert_true(!port.moved && port.port == wanted);
    port.port = 0;
    place_ports(&port, 1);
    assert_true(!port.moved && port.port != 0);
}

/* --- the file --- */

static void writes_a_file_without_faults(void **state)
{
    struct demo_addresses addresses = {.gateway = "127.0.0.1:8080",
                                       .portal = "127.0.0.1:8081",
                                       .admin = "[::1]:8082",
                                       .sample = STR("127.0.0.1:9001")};
    struct config_errors errors;
    struct config *config;
    struct buf text;
    (void)state;
    buf_init(&text, 1U << 16);
    demo_settings(&addresses, &text);
    assert_true(str_starts(buf_str(&text), STR(PLACE_MARK)));
    if (config_load_text("/tmp/weir.yaml", buf_str(&text), &config, &errors) != 0)
        fail_msg("%s", errors.items[0].text);
    assert_int_equal(config->gateway.app_count, 0); /* they are made in the portal */
    assert_int_equal(config->gateway.plan_count, 3);
    for (size_t i = 0; i < DEMO_APPS; i++) {
        bool there = false;
        for (size_t k = 0; k < config->gateway.plan_count; k++) {
            const struct plan_conf *plan = &config->gateway.plans[k];
            there |= str_eq(plan->name, str_from(DEMO_APP_ROWS[i].plan)) &&
                     plan->approval == APPROVAL_AUTOMATIC;
        }
        assert_true(there);
    }
    config_destroy(config);
    buf_free(&text);
}

/* --- words for a shell --- */

static void quotes_what_a_shell_would_take_apart(void **state)
{
    static const struct {
        const char *text, *word;
    } rows[] = {
        {"", "''"},
        {"/tmp/weir-demo-aB3/weir.yaml", "/tmp/weir-demo-aB3/weir.yaml"},
        {"/srv/a b", "'/srv/a b'"},
        {"it's", "'it'\\''s'"},
        {"$HOME;`id`", "'$HOME;`id`'"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out;
        buf_init(&out, 256);
        words_quote(&out, rows[i].text);
        assert_str_equal(buf_str(&out), rows[i].word);
        buf_free(&out);
    }
}

static void knows_the_way_through_ssh(void **state)
{
    static const struct {
        const char *connection, *ends; /* NULL: none */
    } rows[] = {
        {NULL, NULL},
        {"", NULL},
        {"198.51.100.7 52000 192.0.2.10", NULL},
        {"198.51.100.7 52000 192.0.2.10 x", NULL},
        {"198.51.100.7 52000 192.0.2.10 22", "@192.0.2.10"},
        {"2001:db8::7 52000 2001:db8::1 22", "@2001:db8::1"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out;
        buf_init(&out, 256);
        if (rows[i].connection != NULL)
            setenv("SSH_CONNECTION", rows[i].connection, 1);
        else
            unsetenv("SSH_CONNECTION");
        assert_int_equal(words_ssh(&out), rows[i].ends != NULL);
        assert_true(rows[i].ends == NULL || str_ends(buf_str(&out), str_from(rows[i].ends)));
        assert_true(!str_starts(buf_str(&out), STR("-p")));
        buf_free(&out);
    }
    struct buf out;
    buf_init(&out, 256);
    setenv("SSH_CONNECTION", "198.51.100.7 52000 192.0.2.10 2222", 1);
    assert_true(words_ssh(&out));
    assert_true(str_starts(buf_str(&out), STR("-p 2222 ")));
    buf_free(&out);
    unsetenv("SSH_CONNECTION");
}

static void sends_curl_past_a_proxy(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 256);
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    setenv("http_proxy", "", 1);
    words_proxy(&out);
    assert_int_equal(out.n, 0);
    setenv("http_proxy", "http://192.0.2.1:3128", 1);
    words_proxy(&out);
    assert_str_equal(buf_str(&out), " --noproxy '*'");
    unsetenv("http_proxy");
    buf_free(&out);
}

/* Where this test lies below the current folder it is named from there. */
static void names_the_program_as_a_shell_here_would_find_it(void **state)
{
    char exe[PATH_MAX] = "";
    struct buf out;
    (void)state;
    assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
    char *name = strrchr(exe, '/');
    char *folder = strndup(exe, (size_t)(name - exe));
    setenv("PATH", "/nowhere", 1);
    buf_init(&out, PATH_MAX);
    assert_int_equal(chdir(folder), 0);
    assert_true(words_program(&out));
    assert_true(str_starts(buf_str(&out), STR("./")));
    assert_true(str_ends(buf_str(&out), str_from(name + 1)));
    buf_clear(&out);
    assert_int_equal(chdir(tempdir), 0);
    assert_false(words_program(&out));
    assert_str_equal(buf_str(&out), exe);
    buf_clear(&out);
    setenv("PATH", folder, 1);
    assert_false(words_program(&out));
    assert_str_equal(buf_str(&out), name + 1);
    buf_free(&out);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(removes_a_temporary_folder_with_what_is_in_it),
        unit_test_in_tempdir(keeps_a_named_folder),
        unit_test_in_tempdir(leaves_a_file_of_somebody_else_alone),
        unit_test_in_tempdir(says_where_no_folder_can_be_made),
        cmocka_unit_test(reads_where_to_listen),
        cmocka_unit_test(replaces_ports_in_use_by_free_ones),
        cmocka_unit_test(keeps_a_port_that_is_free),
        cmocka_unit_test(writes_a_file_without_faults),
        cmocka_unit_test(quotes_what_a_shell_would_take_apart),
        cmocka_unit_test(knows_the_way_through_ssh),
        cmocka_unit_test(sends_curl_past_a_proxy),
        unit_test_in_tempdir(names_the_program_as_a_shell_here_would_find_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
