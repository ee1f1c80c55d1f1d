/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "appliance/table.h"

#include <stdio.h>
#include <stdlib.h>

static struct {
    FILE *file;
    char *text;
    size_t size;
} out;

static struct table *begin(enum table_format format)
{
    out.file = open_memstream(&out.text, &out.size);
    assert_non_null(out.file);
    return table_create(out.file, format);
}

static void finish_is(struct table *t, const char *expected)
{
    struct error err = ERROR_INIT;
    assert_int_equal(table_finish(t, &err), 0);
    fclose(out.file);
    assert_string_equal(out.text, expected);
    free(out.text);
}

/* Two columns, three rows with what is troublesome. */
static void fill(struct table *t)
{
    table_column(t, STR("name"));
    table_column(t, STR("n"));
    table_str(t, STR("a, \"b\""));
    table_u64(t, 7);
    table_str(t, STR("ü"));
    table_number(t, STR("-12.5"));
    table_null(t);
    table_null(t);
}

static void text_aligns_words_to_the_left_and_numbers_to_the_right(void **state)
{
    (void)state;
    struct table *t = begin(TABLE_TEXT);
    fill(t);
    finish_is(t, "name        n\n"
                 "a, \"b\"      7\n"
                 "ü       -12.5\n"
                 "-           -\n");
}

static void csv_quotes_what_needs_it_and_nothing_else(void **state)
{
    (void)state;
    struct table *t = begin(TABLE_CSV);
    fill(t);
    table_str(t, STR("two\nlines"));
    table_str(t, STR("cr\r"));
    finish_is(t, "name,n\n\"a, \"\"b\"\"\",7\nü,-12.5\n,\n\"two\nlines\",\"cr\r\"\n");
}

static void a_lone_empty_field_of_csv_is_not_an_empty_line(void **state)
{
    (void)state;
    struct table *t = begin(TABLE_CSV);
    table_column(t, STR("x"));
    table_null(t);
    finish_is(t, "x\n\"\"\n");
}

static void json_is_an_array_of_objects(void **state)
{
    (void)state;
    struct table *t = begin(TABLE_JSON);
    fill(t);
    table_blob(t, STR("\x01\xff"));
    table_number(t, STR("Inf"));
    finish_is(t, "[\n"
                 "{\"name\":\"a, \\\"b\\\"\",\"n\":7},\n"
                 "{\"name\":\"ü\",\"n\":-12.5},\n"
                 "{\"name\":null,\"n\":null},\n"
                 "{\"name\":\"01ff\",\"n\":null}\n"
                 "]\n");
}

static void a_table_without_rows_is_its_header(void **state)
{
    static const char *const expected[] = {
        [TABLE_TEXT] = "name  n\n", [TABLE_CSV] = "name,n\n", [TABLE_JSON] = "[]\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        struct table *t = begin((enum table_format)i);
        table_column(t, STR("name"));
        table_column(t, STR("n"));
        finish_is(t, expected[i]);
    }
}

static void times_are_told_to_the_second_and_zero_is_nothing(void **state)
{
    (void)state;
    struct table *t = begin(TABLE_CSV);
    table_column(t, STR("a"));
    table_column(t, STR("b"));
    table_time(t, (struct wall){.us = INT64_C(1795456800123456)});
    table_time(t, (struct wall){.us = 0});
    finish_is(t, "a,b\n2026-11-23T18:00:00Z,\n");
}

/* More rows than are held back: the later ones flow with the widths of the first. */
static void a_long_text_flows_with_the_widths_of_its_first_rows(void **state)
{
    (void)state;
    struct table *t = begin(TABLE_TEXT);
    table_column(t, STR("x"));
    table_column(t, STR("y"));
    for (unsigned i = 0; i < 5000; i++) {
        table_u64(t, i);
        table_str(t, STR("y"));
    }
    struct error err = ERROR_INIT;
    assert_int_equal(table_finish(t, &err), 0);
    fclose(out.file);
    size_t lines = 0;
    for (size_t i = 0; i < out.size; i++)
        lines += out.text[i] == '\n';
    assert_int_equal(lines, 5001);
    assert_int_equal(strncmp(out.text, "  x  y\n  0  y\n", 14), 0);
    assert_non_null(strstr(out.text, "\n999  y\n1000  y\n"));
    assert_non_null(strstr(out.text, "\n4999  y\n"));
    free(out.text);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    struct table *t = table_create(full, TABLE_CSV);
    table_column(t, STR("x"));
    assert_int_equal(table_finish(t, &err), E_IO);
    assert_non_null(strstr(err.text, "No space left"));
    fclose(full);
}

static void nothing_reaches_a_terminal_that_could_move_its_cursor(void **state)
{
    static const struct {
        struct str in;
        const char *out;
    } cases[] = {
        {STR_INIT(""), ""},
        {STR_INIT("plain ü € 😀"), "plain ü € 😀"},
        {STR_INIT("a\x1b[2Jb"), "a?[2Jb"},
        {STR_INIT("a\nb\tc\rd\0e\x7f"), "a?b?c?d?e?"},
        {STR_INIT("\xc2\x9b"
                  "2J"),
         "?2J"},
        {STR_INIT("\xff\xfe"), "??"},
        {STR_INIT("\xe2\x82"), "??"},
        {STR_INIT("\xc3"), "?"},
        {STR_INIT("\xed\xa0\x80x"), "???x"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[64];
        struct buf b;
        buf_init_fixed(&b, text, sizeof(text));
        table_clean(&b, cases[i].in);
        assert_str_equal(buf_str(&b), cases[i].out);
    }
}

static void formats_have_names(void **state)
{
    enum table_format format = TABLE_TEXT;
    (void)state;
    assert_int_equal(table_format_find(STR("json"), &format), 0);
    assert_int_equal(format, TABLE_JSON);
    assert_int_equal(table_format_find(STR("JSON"), &format), E_INVALID);
    assert_int_equal(table_format_find(STR(""), &format), E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_aligns_words_to_the_left_and_numbers_to_the_right),
        cmocka_unit_test(csv_quotes_what_needs_it_and_nothing_else),
        cmocka_unit_test(a_lone_empty_field_of_csv_is_not_an_empty_line),
        cmocka_unit_test(json_is_an_array_of_objects),
        cmocka_unit_test(a_table_without_rows_is_its_header),
        cmocka_unit_test(times_are_told_to_the_second_and_zero_is_nothing),
        cmocka_unit_test(a_long_text_flows_with_the_widths_of_its_first_rows),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(nothing_reaches_a_terminal_that_could_move_its_cursor),
        cmocka_unit_test(formats_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
