/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/buf.h"
#include "base/error.h"

#include <stdlib.h>

static void bytes_come_one_behind_the_other(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    assert_null(b.p);
    assert_string_equal(buf_cstr(&b), "");
    buf_add(&b, NULL, 0);
    buf_add_lit(&b, "a\0b");
    buf_add_char(&b, '!');
    buf_add_cstr(&b, "c");
    buf_add_str(&b, STR("de"));
    buf_add_str(&b, STR_EMPTY);
    buf_printf(&b, "%d%s", 12, "x");
    assert_int_equal(b.n, 10);
    assert_memory_equal(b.p, "a\0b!cde12x", 10);
    assert_int_equal(buf_finish(&b), 0);
    assert_int_equal(buf_cstr(&b)[10], '\0');
    assert_int_equal(b.n, 10);
    buf_free(&b);
    assert_int_equal(b.n, 0);
    buf_add_lit(&b, "again");
    assert_str_equal(buf_str(&b), "again");
    buf_free(&b);
}

static void numbers_are_written_whole(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *want;
    } cases[] = {
        {0, "0"},
        {7, "7"},
        {-7, "-7"},
        {10, "10"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
        {INT64_MIN + 1, "-9223372036854775807"},
    };
    struct buf b;
    buf_init(&b, 1000);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(&b);
        buf_add_i64(&b, cases[i].value);
        assert_str_equal(buf_str(&b), cases[i].want);
    }
    buf_clear(&b);
    buf_add_u64(&b, UINT64_MAX);
    assert_str_equal(buf_str(&b), "18446744073709551615");
    buf_clear(&b);
    buf_add_le32(&b, 0x01020304);
    buf_add_le64(&b, 0x1112131415161718);
    assert_int_equal(b.n, 12);
    assert_memory_equal(b.p, "\x04\x03\x02\x01\x18\x17\x16\x15\x14\x13\x12\x11", 12);
    buf_free(&b);
}

static void the_ceiling_holds_to_the_byte(void **state)
{
    (void)state;
    for (size_t max = 1; max < 1200; max += max < 300 ? 1 : 97) {
        struct buf b;
        buf_init(&b, max);
        for (size_t i = 0; i < max; i++)
            buf_add_char(&b, (char)i);
        assert_int_equal(buf_finish(&b), 0);
        assert_int_equal(b.n, max);
        assert_null(buf_cstr(&b)); /* the terminator does not fit, and that is an error as well */
        assert_int_equal(buf_finish(&b), E_TOO_LARGE);
        buf_clear(&b);
        buf_add_char(&b, 'x');
        buf_add(&b, "0123456789", 10);
        assert_int_equal(buf_finish(&b), max < 11 ? E_TOO_LARGE : 0);
        assert_int_equal(b.n, max < 11 ? 1 : 11); /* all of a piece or nothing of it */
        buf_free(&b);
    }
}

static void an_error_stays_until_the_buffer_is_cleared(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4);
    buf_add_lit(&b, "abc");
    buf_add_lit(&b, "de");
    buf_add_char(&b, 'f'); /* it would fit, but a hole would be worse */
    assert_str_equal(buf_str(&b), "abc");
    assert_null(buf_reserve(&b, 1));
    assert_int_equal(buf_finish(&b), E_TOO_LARGE);
    buf_clear(&b);
    assert_int_equal(buf_finish(&b), 0);
    buf_add_lit(&b, "wxyz");
    assert_str_equal(buf_str(&b), "wxyz");
    buf_printf(&b, "%s", "");
    assert_int_equal(buf_finish(&b), E_TOO_LARGE); /* printf wants room for its terminator */
    buf_free(&b);
}

static void sizes_near_the_end_of_numbers_do_not_wrap(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_add_char(&b, 'a');
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_int_equal(buf_finish(&b), E_TOO_LARGE);
    buf_free(&b);
}

static void memory_of_the_caller_is_neither_grown_nor_freed(void **state)
{
    (void)state;
    char mem[4];
    struct buf b;
    buf_init_fixed(&b, mem, sizeof(mem));
    buf_add_lit(&b, "abc");
    assert_ptr_equal(b.p, mem);
    assert_string_equal(buf_cstr(&b), "abc");
    buf_add_lit(&b, "d");
    assert_int_equal(buf_finish(&b), 0);
    buf_add_lit(&b, "e");
    assert_int_equal(buf_finish(&b), E_TOO_LARGE);
    assert_memory_equal(mem, "abcd", 4);
    buf_free(&b);
    assert_int_equal(buf_finish(&b), 0);
    assert_int_equal(b.n, 0);
    buf_add_lit(&b, "z");
    assert_int_equal(mem[0], 'z');
}

static void room_may_be_filled_by_others(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100000);
    buf_add_lit(&b, "a");
    char *to = buf_reserve(&b, 5000);
    assert_non_null(to);
    memset(to, 'b', 5000);
    buf_advance(&b, 4000);
    assert_int_equal(b.n, 4001);
    buf_add_lit(&b, "c");
    assert_int_equal(b.p[4000], 'b');
    assert_int_equal(b.p[4001], 'c');
    buf_free(&b);
}

static void the_front_is_dropped(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_consume(&b, 0);
    buf_add_lit(&b, "abcdef");
    buf_consume(&b, 0);
    buf_consume(&b, 2);
    assert_str_equal(buf_str(&b), "cdef");
    buf_consume(&b, 4);
    assert_int_equal(b.n, 0);
    buf_add_lit(&b, "g");
    assert_str_equal(buf_str(&b), "g");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_one_behind_the_other),
        cmocka_unit_test(numbers_are_written_whole),
        cmocka_unit_test(the_ceiling_holds_to_the_byte),
        cmocka_unit_test(an_error_stays_until_the_buffer_is_cleared),
        cmocka_unit_test(sizes_near_the_end_of_numbers_do_not_wrap),
        cmocka_unit_test(memory_of_the_caller_is_neither_grown_nor_freed),
        cmocka_unit_test(room_may_be_filled_by_others),
        cmocka_unit_test(the_front_is_dropped),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
