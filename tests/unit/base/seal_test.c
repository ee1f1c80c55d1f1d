/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/error.h"
#include "base/seal.h"

#include <sodium.h>

static const struct pepper PEPPER = {.b = {1, 2, 3}};

static void what_was_sealed_opens_and_shows_nothing_before(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "x", "https://example.com/reset?token=abc", "ığüşöç"};
    struct seal_key key = seal_key_make(&PEPPER, STR("mails"));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct str text = str_from(texts[i]);
        struct buf sealed, again, opened;
        buf_init(&sealed, 1024), buf_init(&again, 1024), buf_init(&opened, 1024);
        seal(&sealed, &key, text, STR("row 1"));
        seal(&again, &key, text, STR("row 1"));
        assert_false(str_eq(buf_str(&sealed), buf_str(&again)));
        assert_true(text.n < 2 || str_find(buf_str(&sealed), text) == sealed.n);
        assert_int_equal(seal_open(&opened, &key, buf_str(&sealed), STR("row 1")), 0);
        assert_true(str_eq(buf_str(&opened), text));
        buf_free(&sealed), buf_free(&again), buf_free(&opened);
    }
}

static void what_was_changed_or_moved_does_not_open(void **state)
{
    (void)state;
    struct seal_key key = seal_key_make(&PEPPER, STR("mails"));
    struct seal_key other = seal_key_make(&PEPPER, STR("other"));
    struct buf sealed, opened;
    buf_init(&sealed, 1024), buf_init(&opened, 1024);
    seal(&sealed, &key, STR("text"), STR("row 1"));
    assert_int_equal(seal_open(&opened, &key, buf_str(&sealed), STR("row 2")), E_CORRUPT);
    assert_int_equal(seal_open(&opened, &other, buf_str(&sealed), STR("row 1")), E_CORRUPT);
    for (size_t n = 0; n < sealed.n; n++) {
        struct str cut = str_slice(buf_str(&sealed), 0, n);
        assert_int_equal(seal_open(&opened, &key, cut, STR("row 1")), E_CORRUPT);
        sealed.p[n] ^= 1;
        assert_int_equal(seal_open(&opened, &key, buf_str(&sealed), STR("row 1")), E_CORRUPT);
        sealed.p[n] ^= 1;
    }
    assert_int_equal(opened.n, 0);
    buf_free(&sealed), buf_free(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_opens_and_shows_nothing_before),
        cmocka_unit_test(what_was_changed_or_moved_does_not_open),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
