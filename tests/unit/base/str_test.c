/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

static void an_empty_view_needs_no_bytes(void **state)
{
    (void)state;
    struct str none = STR_EMPTY;
    assert_true(str_eq(none, STR("")));
    assert_true(str_eq(str_from(NULL), none));
    assert_true(str_eq_nocase(none, STR("")));
    assert_true(str_starts(STR("a"), none) && str_starts(none, none));
    assert_true(str_ends(STR("a"), none) && str_ends(none, none));
    assert_false(str_starts(none, STR("a")));
    assert_int_equal(str_cmp(none, none), 0);
    assert_int_equal(str_find_char(none, 'a', 0), 0);
    assert_int_equal(str_find(none, STR("a")), 0);
    assert_int_equal(str_trim(none).n, 0);
    assert_null(str_slice(none, 0, 5).p);
    assert_true(str_is_utf8(none));
}

static void slices_are_clamped(void **state)
{
    (void)state;
    struct str s = STR("abcde");
    assert_str_equal(str_slice(s, 0, 5), "abcde");
    assert_str_equal(str_slice(s, 1, 3), "bc");
    assert_str_equal(str_slice(s, 3, 99), "de");
    assert_str_equal(str_slice(s, 5, 5), "");
    assert_str_equal(str_slice(s, 4, 2), "");
    assert_str_equal(str_slice(s, 99, 99), "");
    assert_str_equal(str_slice(s, SIZE_MAX, SIZE_MAX), "");
}

static void comparisons_know_case_and_order(void **state)
{
    (void)state;
    assert_false(str_eq(STR("a"), STR("A")));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
    assert_true(str_eq_nocase(STR("Content-Type"), STR("cONTENT-tYPE")));
    /* only letters have a case */
    assert_false(str_eq_nocase(STR("["), STR("{")));
    assert_false(str_eq_nocase(STR("@"), STR("`")));
    assert_false(str_eq_nocase(STR("\xc4"), STR("\xe4")));
    assert_false(str_eq_nocase(STR("ab"), STR("abc")));
    assert_true(str_starts_nocase(STR("HTTP://x"), STR("http://")));
    assert_false(str_starts_nocase(STR("http"), STR("http:")));
    assert_true(str_ends(STR("a.tar.gz"), STR(".gz")));
    assert_false(str_ends(STR("gz"), STR(".gz")));
    static const char *const sorted[] = {"", "A", "a", "a\x01", "aa", "b", "\x80", "\xff"};
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
        for (size_t k = 0; k < ARRAY_LEN(sorted); k++)
            assert_int_equal(str_cmp(str_from(sorted[i]), str_from(sorted[k])), (i > k) - (i < k));
    }
}

static void bytes_and_needles_are_found(void **state)
{
    (void)state;
    struct str s = STR("a,b,c");
    assert_int_equal(str_find_char(s, ',', 0), 1);
    assert_int_equal(str_find_char(s, ',', 1), 1);
    assert_int_equal(str_find_char(s, ',', 2), 3);
    assert_int_equal(str_find_char(s, ',', 4), 5);
    assert_int_equal(str_find_char(s, 'a', 99), 5);
    assert_int_equal(str_find(s, STR("b,")), 2);
    assert_int_equal(str_find(s, STR("c,")), 5);
    assert_int_equal(str_find(s, STR("")), 0);
    assert_int_equal(str_find(STR("aab"), STR("ab")), 1);
}

static void only_spaces_and_tabs_are_trimmed(void **state)
{
    (void)state;
    assert_str_equal(str_trim(STR(" \t a b\t ")), "a b");
    assert_str_equal(str_trim(STR("\na\r")), "\na\r");
    assert_str_equal(str_trim(STR(" \t ")), "");
}

static void parts_are_cut_off_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *parts[5];
    } cases[] = {
        {"", {""}},        {"a", {"a"}},      {",", {"", ""}},
        {"a,", {"a", ""}}, {",a", {"", "a"}}, {"a,b,,c", {"a", "b", "", "c"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str rest = str_from(cases[i].text);
        for (size_t k = 0; cases[i].parts[k] != NULL; k++) {
            assert_non_null(rest.p);
            assert_str_equal(str_cut(&rest, ','), cases[i].parts[k]);
        }
        assert_null(rest.p);
        assert_str_equal(str_cut(&rest, ','), "");
    }
}

static void decimal_numbers_are_whole_and_in_range(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t min, max;
        int result;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0, 0, 0},
        {"007", 0, 10, 0, 7},
        {"18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX},
        {"00000000000000000000000000001", 0, 1, 0, 1},
        {"18446744073709551616", 0, UINT64_MAX, E_RANGE, 0},
        {"99999999999999999999999999", 0, UINT64_MAX, E_RANGE, 0},
        {"55340232221128654848", 0, UINT64_MAX, E_RANGE, 0}, /* 3 * 2^64: 0 where it wraps */
        {"5", 6, 10, E_RANGE, 0},
        {"11", 6, 10, E_RANGE, 0},
        {"6", 6, 10, 0, 6},
        {"10", 6, 10, 0, 10},
        {"", 0, 10, E_INVALID, 0},
        {"+1", 0, 10, E_INVALID, 0},
        {"-1", 0, 10, E_INVALID, 0},
        {" 1", 0, 10, E_INVALID, 0},
        {"1 ", 0, 10, E_INVALID, 0},
        {"0x1", 0, 10, E_INVALID, 0},
        {"1e1", 0, 10, E_INVALID, 0},
        {"\xb1", 0, 10, E_INVALID, 0},
        {"99999999999999999999999999x", 0, UINT64_MAX, E_INVALID, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t v = 77;
        int r = str_to_u64(str_from(cases[i].text), cases[i].min, cases[i].max, &v);
        if (r != cases[i].result || v != (r == 0 ? cases[i].value : 77))
            fail_msg("%s: %d, %llu", cases[i].text, r, (unsigned long long)v);
    }
}

static void hexadecimal_numbers_too(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        int result;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0, 0},
        {"aF09", UINT64_MAX, 0, 0xaf09},
        {"ffffffffffffffff", UINT64_MAX, 0, UINT64_MAX},
        {"0000000000000000000ff", 255, 0, 255},
        {"10000000000000000", UINT64_MAX, E_RANGE, 0},
        {"100", 255, E_RANGE, 0},
        {"", 255, E_INVALID, 0},
        {"0x1", 255, E_INVALID, 0},
        {"g", 255, E_INVALID, 0},
        {"-1", 255, E_INVALID, 0},
        {" 1", 255, E_INVALID, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t v = 77;
        int r = str_hex_to_u64(str_from(cases[i].text), cases[i].max, &v);
        if (r != cases[i].result || v != (r == 0 ? cases[i].value : 77))
            fail_msg("%s: %d, %llu", cases[i].text, r, (unsigned long long)v);
    }
}

/* Encodes as RFC 3629 does, in `length` bytes, whether that is the right length or not. */
static struct str encode(uint32_t cp, unsigned length, char out[static 4])
{
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (unsigned i = length; i > 1; i--, cp >>= 6)
        out[i - 1] = (char)(0x80 | (cp & 0x3f));
    out[0] = (char)(first[length] | cp);
    return str_make(out, length);
}

static void utf8_is_every_scalar_value_in_its_shortest_form(void **state)
{
    (void)state;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000},
                          most[] = {0, 0x7f, 0x7ff, 0xffff, 0x1fffff};
    for (unsigned length = 1; length <= 4; length++) {
        for (uint32_t cp = 0; cp <= most[length]; cp++) {
            char out[4];
            bool surrogate = cp >= 0xd800 && cp <= 0xdfff;
            bool want = cp >= least[length] && cp <= 0x10ffff && !surrogate;
            if (str_is_utf8(encode(cp, length, out)) != want)
                fail_msg("U+%04X in %u bytes", cp, length);
        }
    }
}

static void broken_utf8_is_seen_wherever_it_stands(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "\x80",     "\xbf",      "\xc3",         "\xc3z",
        "\xe2\x82", "\xe2\x82z", "\xf0\x9f\x98", "\xf8\x88\x80\x80\x80",
        "\xfe",     "\xff",      "\xc3\xa9\xa9", "\xf5\x80\x80\x80",
    };
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        char text[32];
        assert_false(str_is_utf8(str_from(broken[i])));
        snprintf(text, sizeof(text), "caf\xc3\xa9%s", broken[i]);
        assert_false(str_is_utf8(str_from(text)));
        snprintf(text, sizeof(text), "%s!", broken[i]);
        assert_false(str_is_utf8(str_from(text)));
    }
    assert_true(str_is_utf8(STR("a\0b \xe2\x82\xac \xf0\x9f\x98\x80")));
}

static void hashes_are_even_and_stable(void **state)
{
    (void)state;
    unsigned buckets[16] = {0};
    for (unsigned i = 0; i < 16000; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%u", i);
        uint64_t h = str_hash(str_from(text));
        assert_true(h == str_hash(str_from(text)));
        buckets[h % 16]++;
    }
    for (unsigned i = 0; i < 16; i++)
        assert_in_range(buckets[i], 700, 1300);
    assert_true(str_hash(STR_EMPTY) == str_hash(STR("")));
    assert_true(str_hash(STR("a")) != str_hash(STR("a\0")));
}

static void copies_are_terminated_and_cut(void **state)
{
    (void)state;
    char out[4] = "zzz";
    assert_true(str_copy(STR("abc"), out, sizeof(out)));
    assert_string_equal(out, "abc");
    assert_false(str_copy(STR("abcd"), out, sizeof(out)));
    assert_string_equal(out, "abc");
    assert_true(str_copy(STR_EMPTY, out, sizeof(out)));
    assert_string_equal(out, "");
    assert_false(str_copy(STR("a"), out, 1));
    assert_string_equal(out, "");
}

static void distances_count_the_slips_of_a_typist(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned want;
    } cases[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"timeout", "timeout", 0},
        {"TimeOut", "timeout", 0},
        {"timeot", "timeout", 1},
        {"timeouts", "timeout", 1},
        {"tineout", "timeout", 1},
        {"tiemout", "timeout", 1}, /* two neighbours changed places */
        {"itmeuot", "timeout", 2},
        {"abc", "xyz", 3},
        {"kitten", "sitting", 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str a = str_from(cases[i].a), b = str_from(cases[i].b);
        assert_int_equal(str_distance(a, b), cases[i].want);
        assert_int_equal(str_distance(b, a), cases[i].want);
    }
    char longest[66];
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(str_distance(str_make(longest, 64), str_make(longest, 63)), 1);
    assert_int_equal(str_distance(str_make(longest, 65), str_make(longest, 64)), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_view_needs_no_bytes),
        cmocka_unit_test(slices_are_clamped),
        cmocka_unit_test(comparisons_know_case_and_order),
        cmocka_unit_test(bytes_and_needles_are_found),
        cmocka_unit_test(only_spaces_and_tabs_are_trimmed),
        cmocka_unit_test(parts_are_cut_off_one_by_one),
        cmocka_unit_test(decimal_numbers_are_whole_and_in_range),
        cmocka_unit_test(hexadecimal_numbers_too),
        cmocka_unit_test(utf8_is_every_scalar_value_in_its_shortest_form),
        cmocka_unit_test(broken_utf8_is_seen_wherever_it_stands),
        cmocka_unit_test(hashes_are_even_and_stable),
        cmocka_unit_test(copies_are_terminated_and_cut),
        cmocka_unit_test(distances_count_the_slips_of_a_typist),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
