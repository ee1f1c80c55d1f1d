/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/http/conn.h"

#include <stdio.h>
#include <stdlib.h>

static struct ip address(unsigned i)
{
    struct ip ip;
    char text[IP_TEXT_MAX];
    /* both families */
    if (i % 2)
        snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
    else
        snprintf(text, sizeof(text), "2001:db8::%x", i);
    assert_int_equal(ip_parse(str_from(text), &ip), 0);
    return ip;
}

static void an_address_has_its_share(void **state)
{
    (void)state;
    struct client_table *t = clients_create(2);
    assert_true(clients_enter(t, address(1)));
    assert_true(clients_enter(t, address(1)));
    assert_false(clients_enter(t, address(1)));
    assert_true(clients_enter(t, address(3)));
    clients_leave(t, address(1));
    assert_true(clients_enter(t, address(1)));
    assert_false(clients_enter(t, address(1)));
    clients_destroy(t);
    clients_destroy(NULL);
}

#define ADDRESSES 2000

static void the_table_agrees_with_a_plain_count(void **state)
{
    (void)state;
    const unsigned max = 3;
    static unsigned counts[ADDRESSES];
    struct client_table *t = clients_create(max);
    uint32_t seed = 5;
    for (unsigned round = 0; round < 200000; round++) {
        seed = seed * 1664525U + 1013904223U;
        /* at times only few addresses, so that the table fills and empties */
        unsigned i = (seed >> 8) % (round / 20000 % 2 ? ADDRESSES : 40);
        bool enter = (seed >> 28) > 7;
        if (enter) {
            assert_int_equal(clients_enter(t, address(i)), counts[i] < max);
            counts[i] += counts[i] < max;
        } else if (counts[i] > 0) {
            clients_leave(t, address(i));
            counts[i]--;
        }
    }
    /* all of them are found once more, and then each has its share again */
    for (unsigned i = 0; i < ADDRESSES; i++) {
        for (; counts[i] > 0; counts[i]--)
            clients_leave(t, address(i));
    }
    for (unsigned i = 0; i < ADDRESSES; i++) {
        for (unsigned k = 0; k <= max; k++)
            assert_int_equal(clients_enter(t, address(i)), k < max);
    }
    clients_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_its_share),
        cmocka_unit_test(the_table_agrees_with_a_plain_count),
    };
    return cmocka_run_group_tests_name("connections by address", tests, NULL, NULL);
}
