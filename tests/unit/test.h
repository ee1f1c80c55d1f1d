/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test.h -- what every unit test includes: cmocka with the headers it wants before itself.
 *
 * Threads: one.
 * Memory:  none.
 * Errors:  a failed assertion ends the test.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

/* The view is exactly this text. */
#define assert_str_equal(s, text)                                                                  \
    do {                                                                                           \
        struct str got_ = (s);                                                                     \
        struct str want_ = str_from(text);                                                         \
        if (!str_eq(got_, want_))                                                                  \
            fail_msg("got \"%" STR_FMT "\", want \"%" STR_FMT "\"", STR_ARG(got_),                 \
                     STR_ARG(want_));                                                              \
    } while (0)

#endif
