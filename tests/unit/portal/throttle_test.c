/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "portal/throttle.h"

#include <stdio.h>

static const struct mono START = {.us = INT64_C(5000000)};

static bool is_full(struct throttle *t, const char *name, struct mono now)
{
    unsigned seconds = 0;
    bool full = throttle_is_full(t, THROTTLE_ACCOUNT, str_from(name), now, &seconds);
    assert_true(!full || seconds > 0);
    return full;
}

static void ten_failures_are_enough_for_a_quarter_of_an_hour(void **state)
{
    struct throttle *t = throttle_create();
    unsigned seconds;
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        assert_false(is_full(t, "a", START));
        throttle_count(t, THROTTLE_ACCOUNT, STR("a"), START);
    }
    assert_true(throttle_is_full(t, THROTTLE_ACCOUNT, STR("a"), START, &seconds));
    assert_int_equal(seconds, 15 * 60);
    assert_true(is_full(t, "a", mono_after(START, 15 * US_PER_MINUTE - 1)));
    assert_false(is_full(t, "a", mono_after(START, 15 * US_PER_MINUTE)));
    /* others are none of its business, nor is the same name of another kind */
    assert_false(is_full(t, "b", START));
    assert_false(throttle_is_full(t, THROTTLE_ADDRESS, STR("a"), START, &seconds));
    throttle_destroy(t);
}

static void the_right_password_begins_anew(void **state)
{
    struct throttle *t = throttle_create();
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        throttle_count(t, THROTTLE_ACCOUNT, STR("a"), START);
    assert_true(is_full(t, "a", START));
    throttle_forget(t, THROTTLE_ACCOUNT, STR("a"));
    assert_false(is_full(t, "a", START));
    throttle_forget(t, THROTTLE_ACCOUNT, STR("never seen"));
    throttle_destroy(t);
}

static void a_table_that_is_full_lets_the_oldest_go(void **state)
{
    struct throttle *t = throttle_create();
    unsigned kept = 0;
    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%u", i);
        for (unsigned k = 0; k < 10; k++)
            throttle_count(t, THROTTLE_ACCOUNT, str_from(name), mono_after(START, i));
    }
    for (unsigned i = 0; i < 100000; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%u", i);
        kept += is_full(t, name, mono_after(START, 100000));
    }
    assert_true(is_full(t, "n99999", mono_after(START, 100000)));
    assert_in_range(kept, 3500, 4096);
    throttle_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_failures_are_enough_for_a_quarter_of_an_hour),
        cmocka_unit_test(the_right_password_begins_anew),
        cmocka_unit_test(a_table_that_is_full_lets_the_oldest_go),
    };
    return cmocka_run_group_tests_name("throttle", tests, NULL, NULL);
}
