/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "analytics/meter.h"

#include <pthread.h>
#include <stdio.h>

static void what_carriers_add_is_summed(void **state)
{
    (void)state;
    struct meters *meters = meters_create(3);
    unsigned users = meter_slot(meters, METER_OF_APIS, STR("users"));
    unsigned orders = meter_slot(meters, METER_OF_APIS, STR("orders"));
    for (unsigned i = 0; i < 3; i++)
        meter_add(meters_get(meters, i), METER_IN_FLIGHT, users, 2);
    meter_add(meters_get(meters, 1), METER_IN_FLIGHT, users, -1);
    meter_add(meters_get(meters, 2), METER_IN_FLIGHT, orders, 7);
    meter_add(meters_get(meters, 2), METER_UPSTREAM_IDLE, 0, 4);
    assert_int_equal(meters_sum(meters, METER_IN_FLIGHT, users), 5);
    assert_int_equal(meters_sum(meters, METER_IN_FLIGHT, orders), 7);
    assert_int_equal(meters_sum(meters, METER_IN_FLIGHT, 0), 0);
    assert_int_equal(meters_sum(meters, METER_UPSTREAM_IDLE, 0), 4);
    assert_int_equal(meters_sum(meters, METER_UPSTREAM_RETRIES, users), 0);
    meters_destroy(meters);
    meters_destroy(NULL);
}

static void a_name_keeps_its_slot(void **state)
{
    (void)state;
    struct meters *meters = meters_create(1);
    char name[] = "users";
    unsigned users = meter_slot(meters, METER_OF_APIS, str_from(name));
    name[0] = 'x'; /* the name was copied */
    assert_int_equal(meter_slot(meters, METER_OF_APIS, STR("orders")), users + 1);
    assert_int_equal(meter_slot(meters, METER_OF_APIS, STR("users")), users);
    assert_str_equal(meters_slot_name(meters, METER_OF_APIS, users), "users");
    assert_str_equal(meters_slot_name(meters, METER_OF_APIS, 0), "__other__");
    assert_int_equal(meters_slot_count(meters, METER_OF_APIS), 3);
    /* names of one kind are not those of another */
    assert_int_equal(meters_slot_count(meters, METER_OF_UPSTREAMS), 1);
    meters_destroy(meters);
}

static void names_beyond_the_cap_share_slot_0(void **state)
{
    (void)state;
    struct meters *meters = meters_create(1);
    char name[16];
    for (unsigned i = 1; i < METER_SLOTS_MAX; i++) {
        int n = snprintf(name, sizeof(name), "api%u", i);
        assert_int_equal(meter_slot(meters, METER_OF_APIS, str_make(name, (size_t)n)), i);
    }
    assert_int_equal(meter_slot(meters, METER_OF_APIS, STR("one too many")), 0);
    assert_int_equal(meter_slot(meters, METER_OF_APIS, STR("api7")), 7);
    /* the last slot is its own: the next metric's values do not lie there */
    meter_add(meters_get(meters, 0), METER_IN_FLIGHT, METER_SLOTS_MAX - 1, 3);
    assert_int_equal(meters_sum(meters, METER_UPSTREAM_RETRIES, 0), 0);
    assert_int_equal(meters_sum(meters, METER_IN_FLIGHT, METER_SLOTS_MAX - 1), 3);
    meters_destroy(meters);
}

#define ROUNDS 20000
#define NAMES 200

struct carrier_of_test {
    struct meters *meters;
    unsigned index;
};

static void *count_on_carrier(void *arg)
{
    struct carrier_of_test *c = arg;
    for (unsigned i = 0; i < ROUNDS; i++)
        meter_add(meters_get(c->meters, c->index), METER_IN_FLIGHT, i % NAMES, 1);
    return NULL;
}

static void a_reader_sees_whole_names_while_others_count(void **state)
{
    (void)state;
    struct meters *meters = meters_create(2);
    struct carrier_of_test carriers[2] = {{meters, 0}, {meters, 1}};
    pthread_t threads[2];
    int64_t sum = 0;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_on_carrier, &carriers[i]), 0);
    for (unsigned i = 1; i < NAMES; i++) {
        char name[16];
        int n = snprintf(name, sizeof(name), "api%u", i);
        meter_slot(meters, METER_OF_APIS, str_make(name, (size_t)n));
        meters_sum(meters, METER_IN_FLIGHT, i);
    }
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < NAMES; i++)
        sum += meters_sum(meters, METER_IN_FLIGHT, i);
    assert_int_equal(sum, 2 * ROUNDS);
    meters_destroy(meters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_carriers_add_is_summed),
        cmocka_unit_test(a_name_keeps_its_slot),
        cmocka_unit_test(names_beyond_the_cap_share_slot_0),
        cmocka_unit_test(a_reader_sees_whole_names_while_others_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
