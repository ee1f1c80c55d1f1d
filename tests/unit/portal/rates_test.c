/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "portal/rates.h"

/* The cells of one look. */
struct cells {
    struct metric_cell items[16];
    unsigned count;
};

static void visit_cells(void *ctx, metric_cell_visit *visit, void *visit_ctx)
{
    const struct cells *cells = ctx;
    for (unsigned i = 0; i < cells->count; i++)
        visit(visit_ctx, &cells->items[i]);
}

/* Puts a value into the cell's place of that dimension. */
static void label(struct metric_cell *cell, enum dim dim, const char *value)
{
    for (unsigned i = 0; i < DIMS_MAX && cell->def->dims[i] != DIM_NONE; i++) {
        if (cell->def->dims[i] == dim)
            cell->labels[i] = str_from(value);
        cell->label_count = i + 1;
    }
}

static void add_requests(struct cells *cells, const char *api, const char *status,
                         const char *reason, uint64_t value)
{
    struct metric_cell *cell = &cells->items[cells->count++];
    *cell = (struct metric_cell){.def = &CELL_DEFS[CELL_REQUESTS_INDEX], .value = value};
    label(cell, DIM_API, api);
    label(cell, DIM_ROUTE, "default");
    label(cell, DIM_METHOD, "GET");
    label(cell, DIM_STATUS, status);
    label(cell, DIM_REASON, reason);
}

static void add_durations(struct cells *cells, const char *api, const uint64_t *buckets)
{
    struct metric_cell *cell = &cells->items[cells->count++];
    *cell = (struct metric_cell){.def = &CELL_DEFS[CELL_DURATION_INDEX], .buckets = buckets};
    label(cell, DIM_API, api);
    label(cell, DIM_ROUTE, "default");
}

static void look(struct rates *rates, int second, struct cells *cells)
{
    rates_sample(rates, (struct mono){.us = second * US_PER_S}, visit_cells, cells);
}

struct seen {
    struct rate rates[8];
    char names[8][32];
    unsigned count;
};

static void keep(void *ctx, const struct rate *rate)
{
    struct seen *seen = ctx;
    assert_in_range(seen->count, 0, 7);
    seen->rates[seen->count] = *rate;
    assert_true(str_copy(rate->api, seen->names[seen->count++], 32));
}

static const struct str NAMES[] = {STR_INIT("users"), STR_INIT("orders")};

static struct seen visit(struct rates *rates)
{
    struct seen seen = {.count = 0};
    rates_visit(rates, NAMES, ARRAY_LEN(NAMES), keep, &seen);
    return seen;
}

static void assert_rate(double got, double want)
{
    if (got < want - 1e-9 || got > want + 1e-9)
        fail_msg("got %f, want %f", got, want);
}

static void before_the_second_look_nothing_is_known(void **state)
{
    (void)state;
    struct rates *rates = rates_create();
    struct seen seen = visit(rates);
    assert_int_equal(seen.count, 2);
    assert_rate(seen.rates[0].requests_per_s, 0);
    struct cells cells = {.count = 0};
    add_requests(&cells, "users", "200", "", 1000000); /* of earlier runs */
    look(rates, 1, &cells);
    seen = visit(rates);
    assert_int_equal(seen.count, 2);
    assert_rate(seen.rates[0].requests_per_s, 0);
    assert_rate(seen.rates[0].p99_ms, 0);
    rates_destroy(rates);
    rates_destroy(NULL);
}

static void a_rate_is_the_gain_over_the_time_between(void **state)
{
    (void)state;
    struct rates *rates = rates_create();
    struct cells first = {.count = 0}, second = {.count = 0};
    add_requests(&first, "users", "200", "", 100);
    look(rates, 1, &first);
    add_requests(&second, "users", "200", "", 140);
    add_requests(&second, "users", "502", "upstream_connect", 8);
    add_requests(&second, "users", "500", "", 2); /* the upstream's own */
    add_requests(&second, "users", "429", "rate_limited", 6);
    add_requests(&second, "users", "404", "", 4);               /* the upstream's own */
    add_requests(&second, "users", "499", "client_closed", 10); /* nobody was refused */
    look(rates, 3, &second);
    struct seen seen = visit(rates);
    assert_string_equal(seen.names[0], "users");
    assert_rate(seen.rates[0].requests_per_s, 35);
    assert_rate(seen.rates[0].errors_per_s, 5);
    assert_rate(seen.rates[0].refused_per_s, 3);
    rates_destroy(rates);
}

static void only_the_last_ten_seconds_count(void **state)
{
    (void)state;
    struct rates *rates = rates_create();
    for (int second = 0; second <= 40; second++) {
        struct cells cells = {.count = 0};
        /* a thousand calls in the fifth second, then one each second up to the twentieth */
        uint64_t calls = second < 5 ? 0 : 1000 + (uint64_t)(second < 20 ? second : 20);
        add_requests(&cells, "users", "200", "", calls);
        look(rates, second, &cells);
        struct seen seen = visit(rates);
        if (second == 14)
            assert_rate(seen.rates[0].requests_per_s, 101.4);
        if (second == 15)
            assert_rate(seen.rates[0].requests_per_s, 1);
        if (second >= 30)
            assert_rate(seen.rates[0].requests_per_s, 0);
    }
    rates_destroy(rates);
}

static void apis_come_in_the_order_given_then_others_with_traffic(void **state)
{
    (void)state;
    struct rates *rates = rates_create();
    struct cells first = {.count = 0}, second = {.count = 0};
    add_requests(&first, "gone", "200", "", 7); /* of a configuration that is no more */
    look(rates, 1, &first);
    add_requests(&second, "gone", "200", "", 7);
    add_requests(&second, "", "404", "no_route", 5);
    add_requests(&second, "orders", "200", "", 3);
    look(rates, 2, &second);
    struct seen seen = visit(rates);
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.names[0], "users");
    assert_rate(seen.rates[0].requests_per_s, 0);
    assert_string_equal(seen.names[1], "orders");
    assert_rate(seen.rates[1].requests_per_s, 3);
    assert_string_equal(seen.names[2], "");
    assert_rate(seen.rates[2].requests_per_s, 5);
    assert_rate(seen.rates[2].refused_per_s, 5);
    rates_destroy(rates);
}

static void cells_that_fall_back_give_no_rate(void **state)
{
    (void)state;
    struct rates *rates = rates_create();
    struct cells first = {.count = 0}, second = {.count = 0};
    add_requests(&first, "users", "200", "", 100);
    look(rates, 1, &first);
    add_requests(&second, "users", "200", "", 90);
    look(rates, 2, &second);
    assert_rate(visit(rates).rates[0].requests_per_s, 0);
    look(rates, 2, &second); /* and no time between is no division by zero */
    assert_rate(visit(rates).rates[0].requests_per_s, 0);
    rates_destroy(rates);
}

static void quantiles_are_of_the_seconds_between(void **state)
{
    (void)state;
    /* bounds 1, 2.5, 5, 10, 25 ... ms, the last 10 s */
    static const uint64_t before[CELL_BOUNDS_MAX + 1] = {[15] = 5000};
    static const struct {
        uint64_t more[CELL_BOUNDS_MAX + 1];
        double p50, p99;
    } cases[] = {
        {{[0] = 0}, 0, 0},           {{[0] = 100}, 0.5, 0.99},
        {{[1] = 100}, 1.75, 2.485},  {{[0] = 50, [3] = 50}, 1, 9.9},
        {{[16] = 10}, 10000, 10000}, {{[2] = 98, [16] = 2}, 2.5 + 2.5 * 50 / 98, 10000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rates *rates = rates_create();
        struct cells first = {.count = 0}, second = {.count = 0};
        uint64_t after[CELL_BOUNDS_MAX + 1];
        for (unsigned b = 0; b <= CELL_BOUNDS_MAX; b++)
            after[b] = before[b] + cases[i].more[b];
        add_durations(&first, "users", before);
        look(rates, 1, &first);
        add_durations(&second, "users", after);
        look(rates, 2, &second);
        struct seen seen = visit(rates);
        assert_rate(seen.rates[0].p50_ms, cases[i].p50);
        assert_rate(seen.rates[0].p99_ms, cases[i].p99);
        rates_destroy(rates);
    }
}

static void the_records_of_the_newest_look_are_told(void **state)
{
    (void)state;
    struct rates *rates = rates_create();
    assert_int_equal(rates_records(rates), 0);
    struct cells cells = {.items = {{.def = &CELL_DEFS[CELL_RECORDS_INDEX], .value = 12}},
                          .count = 1};
    look(rates, 1, &cells);
    look(rates, 2, &cells);
    assert_int_equal(rates_records(rates), 12);
    rates_destroy(rates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_second_look_nothing_is_known),
        cmocka_unit_test(a_rate_is_the_gain_over_the_time_between),
        cmocka_unit_test(only_the_last_ten_seconds_count),
        cmocka_unit_test(apis_come_in_the_order_given_then_others_with_traffic),
        cmocka_unit_test(cells_that_fall_back_give_no_rate),
        cmocka_unit_test(quantiles_are_of_the_seconds_between),
        cmocka_unit_test(the_records_of_the_newest_look_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
