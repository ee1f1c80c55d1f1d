/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/error.h"
#include "base/uuid.h"

#include <stdlib.h>

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

static void a_fresh_id_is_of_version_7_and_tells_its_moment(void **state)
{
    (void)state;
    static struct uuid_source source;
    static const int64_t moments[] = {0, 1700000000123999, 281474976710655999};
    for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
        struct uuid id = uuid7_make(&source, (struct wall){.us = moments[i]});
        assert_int_equal(id.b[6] >> 4, 7);
        assert_int_equal(id.b[8] >> 6, 2);
        assert_int_equal(uuid7_time(id).us, moments[i] / 1000 * 1000);
    }
}

#define MANY 100000

static void no_two_are_the_same(void **state)
{
    (void)state;
    static struct uuid_source source, other;
    struct uuid *ids = calloc(MANY, sizeof(*ids));
    struct wall now = {.us = 1700000000000000};
    unsigned char every_one = 0xff, any = 0;
    for (size_t i = 0; i < MANY; i++) {
        ids[i] = uuid7_make(i % 2 ? &source : &other, now);
        every_one &= ids[i].b[15];
        any |= ids[i].b[15];
    }
    assert_int_equal(every_one, 0);
    assert_int_equal(any, 0xff);
    qsort(ids, MANY, sizeof(*ids), by_bytes);
    for (size_t i = 1; i < MANY; i++)
        assert_true(by_bytes(&ids[i - 1], &ids[i]) < 0);
    free(ids);
}

static void ids_sort_by_their_millisecond(void **state)
{
    (void)state;
    static struct uuid_source source;
    char before[UUID_TEXT_LEN] = "", after[UUID_TEXT_LEN];
    for (int64_t ms = 1; ms < 1000000; ms = ms * 3 + 1) {
        uuid_format(uuid7_make(&source, (struct wall){.us = ms * 1000}), after);
        assert_true(memcmp(before, after, UUID_TEXT_LEN) < 0);
        memcpy(before, after, UUID_TEXT_LEN);
    }
}

static void text_and_bytes_are_the_same_id(void **state)
{
    (void)state;
    struct str text = STR("0193551e-89ab-7cde-8f01-23456789abcd");
    char out[UUID_TEXT_LEN + 1];
    struct uuid id;
    assert_int_equal(uuid_parse(text, &id), 0);
    assert_memory_equal(id.b, "\x01\x93\x55\x1e\x89\xab\x7c\xde\x8f\x01\x23\x45\x67\x89\xab\xcd",
                        16);
    out[UUID_TEXT_LEN] = '!'; /* no terminator is written */
    uuid_format(id, out);
    assert_memory_equal(out, text.p, UUID_TEXT_LEN);
    assert_int_equal(out[UUID_TEXT_LEN], '!');
    struct uuid upper;
    assert_int_equal(uuid_parse(STR("0193551E-89AB-7CDE-8F01-23456789ABCD"), &upper), 0);
    assert_memory_equal(&upper, &id, sizeof(id));
}

static void what_is_no_id_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "0193551e-89ab-7cde-8f01-23456789abc",
        "0193551e-89ab-7cde-8f01-23456789abcde",
        "0193551e89ab7cde8f0123456789abcd",
        "0193551e089ab-7cde-8f01-23456789abcd",
        "0193551-e89ab-7cde-8f01-23456789abcd",
        "0193551e-89ab-7cde-8f01 23456789abcd",
        "g193551e-89ab-7cde-8f01-23456789abcd",
        "0193551e-89ab-7cde-8f01-23456789abcg",
        "-193551e-89ab-7cde-8f01-23456789abcd",
        "+193551e-89ab-7cde-8f01-23456789abcd",
        "{193551e-89ab-7cde-8f01-23456789abc}",
    };
    struct uuid id = {.b = {42}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(uuid_parse(str_from(cases[i]), &id), E_INVALID);
    assert_int_equal(uuid_parse(STR_EMPTY, &id), E_INVALID);
    assert_int_equal(id.b[0], 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_id_is_of_version_7_and_tells_its_moment),
        cmocka_unit_test(no_two_are_the_same),
        cmocka_unit_test(ids_sort_by_their_millisecond),
        cmocka_unit_test(text_and_bytes_are_the_same_id),
        cmocka_unit_test(what_is_no_id_is_refused),
    };
    return cmocka_run_group_tests_name("uuid", tests, NULL, NULL);
}
