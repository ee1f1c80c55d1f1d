/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/error.h"

#include <errno.h>
#include <stdio.h>

static void a_failure_is_written_and_its_code_returned(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    assert_int_equal(error_set(&err, E_INVALID, "%s has %d heads", "it", 3), E_INVALID);
    assert_int_equal(err.code, E_INVALID);
    assert_string_equal(err.text, "it has 3 heads");
}

static void the_first_cause_is_kept(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    error_set(&err, E_IO, "first");
    assert_int_equal(error_set(&err, E_RANGE, "second"), E_RANGE);
    assert_int_equal(error_set_errno(&err, E_BUSY, EBUSY, "third"), E_BUSY);
    assert_int_equal(err.code, E_IO);
    assert_string_equal(err.text, "first");
}

static void nobody_needs_to_listen(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, E_IO, "lost"), E_IO);
    assert_int_equal(error_set_errno(NULL, E_IO, EIO, "lost"), E_IO);
    error_prefix(NULL, "nowhere");
}

static void a_prefix_tells_where(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    error_prefix(&err, "a.yaml");
    assert_string_equal(err.text, "");
    error_set(&err, E_INVALID, "unknown key");
    error_prefix(&err, "line %d", 7);
    error_prefix(&err, "a.yaml");
    assert_string_equal(err.text, "a.yaml: line 7: unknown key");
    assert_int_equal(err.code, E_INVALID);
}

static void the_text_of_errno_is_appended(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    assert_int_equal(error_set_errno(&err, E_NO_SPACE, ENOSPC, "cannot write %s", "x"), E_NO_SPACE);
    assert_string_equal(err.text, "cannot write x: No space left on device");
}

static void long_texts_are_cut_and_terminated(void **state)
{
    (void)state;
    static char longer[2 * ERROR_TEXT_MAX];
    memset(longer, 'x', sizeof(longer) - 1);
    struct error err = ERROR_INIT;
    error_set(&err, E_IO, "%s", longer);
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
    error_prefix(&err, "here");
    assert_in_range(strlen(err.text), ERROR_TEXT_MAX - 4, ERROR_TEXT_MAX - 1);
    assert_true(str_starts(str_from(err.text), STR("here: xxx")));
    error_prefix(&err, "%s", longer);
    assert_true(strlen(err.text) < ERROR_TEXT_MAX);
    assert_non_null(strstr(err.text, ": here: xxx"));
    err = (struct error)ERROR_INIT;
    error_set_errno(&err, E_IO, EIO, "%s", longer);
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
    /* around the border, where only a part of errno's text fits */
    for (size_t n = ERROR_TEXT_MAX - 40; n < ERROR_TEXT_MAX + 5; n++) {
        err = (struct error)ERROR_INIT;
        error_set_errno(&err, E_IO, EIO, "%.*s", (int)n, longer);
        assert_true(strlen(err.text) < ERROR_TEXT_MAX && strlen(err.text) >= ERROR_TEXT_MAX - 40);
    }
}

static void each_code_has_its_own_text_and_is_no_errno(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *text;
    } codes[] = {
#define X(name, text) {name, text},
#include "base/errors.def"
#undef X
    };
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        assert_true(codes[i].code < -100);
        assert_string_equal(error_text(codes[i].code), codes[i].text);
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(codes[i].code, codes[k].code);
            assert_string_not_equal(codes[i].text, codes[k].text);
        }
    }
    static const int unknown[] = {1,         -1,       -100, -100 - (int)ARRAY_LEN(codes) - 1,
                                  INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        assert_string_equal(error_text(unknown[i]), "unknown error");
    assert_string_equal(error_text(0), "no error");
}

static void errno_is_translated(void **state)
{
    (void)state;
    static const struct {
        int saved_errno, code;
    } cases[] = {
        {ENOMEM, E_NOMEM},       {ENOENT, E_NOT_FOUND},
        {EEXIST, E_EXISTS},      {EADDRINUSE, E_BUSY},
        {ETIMEDOUT, E_TIMEOUT},  {EPIPE, E_CLOSED},
        {ECONNRESET, E_RESET},   {ECONNREFUSED, E_REFUSED},
        {EACCES, E_DENIED},      {EPERM, E_DENIED},
        {EROFS, E_DENIED},       {ENOSPC, E_NO_SPACE},
        {EDQUOT, E_NO_SPACE},    {EIO, E_IO},
        {EBADF, E_IO},           {0, E_IO},
        {ECANCELED, E_CANCELED}, {EINVAL, E_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(error_from_errno(cases[i].saved_errno), cases[i].code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_written_and_its_code_returned),
        cmocka_unit_test(the_first_cause_is_kept),
        cmocka_unit_test(nobody_needs_to_listen),
        cmocka_unit_test(a_prefix_tells_where),
        cmocka_unit_test(the_text_of_errno_is_appended),
        cmocka_unit_test(long_texts_are_cut_and_terminated),
        cmocka_unit_test(each_code_has_its_own_text_and_is_no_errno),
        cmocka_unit_test(errno_is_translated),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
