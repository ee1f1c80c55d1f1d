/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int stderr_fd, log_fd;
static char text[1 << 20];

/* From here on the log goes to a file that end_capture() reads. */
static void begin_capture(void)
{
    char name[] = "/tmp/log_test.XXXXXX";
    log_fd = mkstemp(name);
    stderr_fd = dup(STDERR_FILENO);
    CHECK(log_fd >= 0 && stderr_fd >= 0);
    unlink(name);
    CHECK(dup2(log_fd, STDERR_FILENO) == STDERR_FILENO);
}

static struct str end_capture(void)
{
    CHECK(dup2(stderr_fd, STDERR_FILENO) == STDERR_FILENO);
    ssize_t n = pread(log_fd, text, sizeof(text), 0);
    CHECK(n >= 0);
    close(stderr_fd);
    close(log_fd);
    return str_make(text, (size_t)n);
}

/* The line behind its time, which must be of the right form. */
static struct str behind_time(struct str line, const char *before)
{
    struct wall t;
    size_t at = strlen(before);
    assert_true(str_starts(line, str_from(before)));
    assert_int_equal(wall_parse(str_slice(line, at, at + 27), &t), 0);
    return str_slice(line, at + 27, line.n);
}

static void fields_are_written_as_logfmt(void **state)
{
    (void)state;
    begin_capture();
    log_info("it works", kv_str("plain", "a-b/c:1"), kv_str("spaced", "a b"), kv_str("empty", ""),
             kv_str("none", NULL), kv_str("quoted", "say \"hi\""), kv_str("equals", "a=b"),
             kv_str("lines", "a\nb\r\x01\x7f"), kv_str("utf8", "gr\xc3\xbc\xc3\x9f"),
             kv_str("not_utf8", "\xff"), kv_u64("most", UINT64_MAX), kv_i64("least", INT64_MIN),
             kv_double("half", 0.5), kv_bool("yes", true), kv_bool("no", false));
    struct str line = end_capture();
    assert_str_equal(behind_time(line, "time="),
                     " level=info msg=\"it works\" plain=a-b/c:1 spaced=\"a b\" empty=\"\" "
                     "none=\"\" quoted=\"say \\\"hi\\\"\" equals=\"a=b\" "
                     "lines=\"a\\nb\\r\\u0001\\u007f\" utf8=gr\xc3\xbc\xc3\x9f "
                     "not_utf8=\"\\ufffd\" most=18446744073709551615 least=-9223372036854775808 "
                     "half=0.5 yes=true no=false\n");
}

static void fields_are_written_as_json(void **state)
{
    (void)state;
    log_configure(LOG_INFO, LOG_JSON);
    begin_capture();
    log_warn("it \"works\"", kv_str("a", "b\n\xff"), kv_u64("n", 7), kv_double("half", 0.5),
             kv_double("nan", (double)NAN), kv_double("inf", (double)INFINITY),
             kv_bool("yes", true));
    struct str line = end_capture();
    log_configure(LOG_INFO, LOG_LOGFMT);
    assert_str_equal(behind_time(line, "{\"time\":\""),
                     "\",\"level\":\"warn\",\"msg\":\"it \\\"works\\\"\",\"a\":\"b\\n\\ufffd\","
                     "\"n\":7,\"half\":0.5,\"nan\":null,\"inf\":null,\"yes\":true}\n");
}

static void only_what_is_loud_enough_is_written(void **state)
{
    (void)state;
    static const enum log_level levels[] = {LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG};
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        log_configure(levels[i], LOG_LOGFMT);
        begin_capture();
        log_error("e");
        log_warn("w");
        log_info("i");
        log_debug("d");
        struct str all = end_capture();
        size_t lines = 0;
        for (size_t k = 0; k < all.n; k++)
            lines += all.p[k] == '\n';
        assert_int_equal(lines, i + 1);
        assert_int_equal(str_find(all, STR("level=debug")) < all.n, levels[i] == LOG_DEBUG);
    }
    log_configure(LOG_INFO, LOG_LOGFMT);
}

static void what_does_not_fit_is_left_out_and_the_line_stays_whole(void **state)
{
    (void)state;
    char *value = calloc(1, 2 * LOG_LINE_MAX);
    for (int json = 0; json < 2; json++) {
        log_configure(LOG_INFO, json ? LOG_JSON : LOG_LOGFMT);
        /* around the border, each length there is */
        for (size_t n = LOG_LINE_MAX - 120; n < LOG_LINE_MAX + 20; n++) {
            memset(value, 'x', n);
            begin_capture();
            log_info("m", kv_str("first", "1"), kv_view("large", str_make(value, n)),
                     kv_str("last", "2"));
            struct str line = end_capture();
            assert_true(line.n <= LOG_LINE_MAX);
            assert_int_equal(line.p[line.n - 1], '\n');
            assert_true(str_find(line, STR("first")) < line.n);
            size_t x = 0;
            for (size_t i = 0; i < line.n; i++)
                x += line.p[i] == 'x';
            assert_true(x == 0 || x == n);
            assert_true(x == n || n > LOG_LINE_MAX - 100);
            if (!json)
                continue;
            json_t *parsed = json_loadb(line.p, line.n, 0, NULL);
            assert_non_null(parsed);
            json_decref(parsed);
        }
    }
    log_configure(LOG_INFO, LOG_LOGFMT);
    free(value);
}

static void *logs_much(void *arg)
{
    for (unsigned i = 0; i < 500; i++)
        log_info("line", kv_str("who", arg), kv_u64("n", i));
    return NULL;
}

static void lines_of_several_threads_never_mix(void **state)
{
    (void)state;
    static char names[4][8] = {"a", "b", "c", "d"};
    pthread_t threads[ARRAY_LEN(names)];
    begin_capture();
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, logs_much, names[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        pthread_join(threads[i], NULL);
    struct str all = end_capture();
    unsigned lines = 0;
    while (all.n > 0) {
        struct str rest = behind_time(str_cut(&all, '\n'), "time=");
        assert_true(str_starts(rest, STR(" level=info msg=line who=")));
        assert_true(rest.n < 40);
        lines++;
    }
    assert_int_equal(lines, ARRAY_LEN(names) * 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_written_as_logfmt),
        cmocka_unit_test(fields_are_written_as_json),
        cmocka_unit_test(only_what_is_loud_enough_is_written),
        cmocka_unit_test(what_does_not_fit_is_left_out_and_the_line_stays_whole),
        cmocka_unit_test(lines_of_several_threads_never_mix),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
