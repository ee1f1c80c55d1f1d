/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/jsonw.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static void values_and_containers_are_put_together(void **state)
{
    (void)state;
    struct buf b;
    struct jsonw w;
    buf_init(&b, 4096);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_key(&w, "empty"), jsonw_object(&w), jsonw_end(&w);
    jsonw_key(&w, "none"), jsonw_array(&w), jsonw_end(&w);
    jsonw_key(&w, "list"), jsonw_array(&w);
    jsonw_str(&w, STR("a"));
    jsonw_cstr(&w, "b\"");
    jsonw_array(&w), jsonw_u64(&w, 1), jsonw_i64(&w, -2), jsonw_end(&w);
    jsonw_object(&w), jsonw_key_str(&w, STR("k\n")), jsonw_null(&w), jsonw_end(&w);
    jsonw_bool(&w, true), jsonw_bool(&w, false);
    jsonw_end(&w);
    jsonw_key(&w, "raw"), jsonw_raw(&w, STR("{\"x\":1}"));
    jsonw_key(&w, "last"), jsonw_u64(&w, UINT64_MAX);
    jsonw_end(&w);
    assert_int_equal(buf_finish(&b), 0);
    assert_str_equal(buf_str(&b),
                     "{\"empty\":{},\"none\":[],\"list\":[\"a\",\"b\\\"\",[1,-2],{\"k\\n\":null},"
                     "true,false],\"raw\":{\"x\":1},\"last\":18446744073709551615}");
    buf_free(&b);
}

static void numbers_that_json_has_not_are_null(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *want;
    } cases[] = {
        {0, "0"},
        {0.1, "0.1"},
        {-1.5, "-1.5"},
        {1e300, "1e+300"},
        {123456789012345, "123456789012345"},
        {1.0 / 3, "0.333333333333333"},
        {(double)NAN, "null"},
        {(double)INFINITY, "null"},
        {-(double)INFINITY, "null"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b;
        struct jsonw w;
        buf_init(&b, 100);
        jsonw_init(&w, &b);
        jsonw_double(&w, cases[i].value);
        assert_str_equal(buf_str(&b), cases[i].want);
        buf_free(&b);
    }
}

static void the_deepest_nesting_is_closed_again(void **state)
{
    (void)state;
    struct buf b;
    struct jsonw w;
    buf_init(&b, 4096);
    jsonw_init(&w, &b);
    for (unsigned i = 0; i < JSONW_DEPTH_MAX; i++) {
        if (i % 2 == 0) {
            jsonw_array(&w);
            jsonw_u64(&w, i);
        } else {
            jsonw_object(&w);
            jsonw_key(&w, "k");
        }
    }
    for (unsigned i = 0; i < JSONW_DEPTH_MAX; i++)
        jsonw_end(&w);
    json_error_t error;
    json_t *parsed = json_loadb(b.p, b.n, 0, &error);
    if (parsed == NULL)
        fail_msg("%s: %" STR_FMT, error.text, STR_ARG(buf_str(&b)));
    json_decref(parsed);
    buf_free(&b);
}

static void strings_are_escaped(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *want;
    } cases[] = {
        {STR_INIT(""), "\"\""},
        {STR_INIT("plain / text"), "\"plain / text\""},
        {STR_INIT("\"\\\n\r\t\b\0\x1f\x7f"), "\"\\\"\\\\\\n\\r\\t\\u0008\\u0000\\u001f\\u007f\""},
        {STR_INIT("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
         "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\""},
        /* what is not UTF-8 is replaced, byte by byte */
        {STR_INIT("a\xff"
                  "b"),
         "\"a\\ufffdb\""},
        {STR_INIT("\xc3"), "\"\\ufffd\""},
        {STR_INIT("\xe2\x82"), "\"\\ufffd\\ufffd\""},
        {STR_INIT("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\""},
        {STR_INIT("\xc0\xaf"), "\"\\ufffd\\ufffd\""},
        {STR_INIT("\xff\xc3\xa9"), "\"\\ufffd\xc3\xa9\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b;
        buf_init(&b, 1000);
        jsonw_quote(&b, cases[i].text);
        assert_str_equal(buf_str(&b), cases[i].want);
        buf_free(&b);
    }
    struct buf b;
    buf_init(&b, 1000);
    jsonw_quote(&b, STR_EMPTY);
    assert_str_equal(buf_str(&b), "\"\"");
    buf_free(&b);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static void whatever_is_quoted_another_reader_understands(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "a",    "\"", "\\", "\n", "\x01", "\xc3\xa9", "\xff", "\xe2", "\xf0\x9f\x98\x80",
        "\x7f", "/",  "u"};
    uint32_t seed = 11;
    struct buf text, out;
    buf_init(&text, 1000);
    buf_init(&out, 10000);
    for (unsigned i = 0; i < 20000; i++) {
        buf_clear(&text);
        buf_clear(&out);
        for (unsigned n = next_random(&seed) % 12; n > 0; n--)
            buf_add_cstr(&text, pieces[next_random(&seed) % ARRAY_LEN(pieces)]);
        jsonw_quote(&out, buf_str(&text));
        json_t *parsed = json_loadb(out.p, out.n, JSON_DECODE_ANY, NULL);
        assert_non_null(parsed);
        struct str got = {.p = json_string_value(parsed), .n = json_string_length(parsed)};
        if (str_is_utf8(buf_str(&text)))
            assert_true(str_eq(got, buf_str(&text)));
        else
            assert_true(str_find(got, STR("\xef\xbf\xbd")) < got.n);
        json_decref(parsed);
    }
    buf_free(&text);
    buf_free(&out);
}

static void what_does_not_fit_is_the_buffers_error(void **state)
{
    (void)state;
    struct buf b;
    struct jsonw w;
    buf_init(&b, 8);
    jsonw_init(&w, &b);
    jsonw_array(&w);
    jsonw_str(&w, STR("0123456789"));
    jsonw_end(&w);
    assert_true(buf_finish(&b) != 0);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_containers_are_put_together),
        cmocka_unit_test(numbers_that_json_has_not_are_null),
        cmocka_unit_test(the_deepest_nesting_is_closed_again),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(whatever_is_quoted_another_reader_understands),
        cmocka_unit_test(what_does_not_fit_is_the_buffers_error),
    };
    return cmocka_run_group_tests_name("jsonw", tests, NULL, NULL);
}
