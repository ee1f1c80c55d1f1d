/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include "analytics/retain.h"

static const struct retention SHORT = {.requests_us = 2 * US_PER_DAY,
                                       .minutes_us = 3 * US_PER_HOUR,
                                       .hours_us = 3 * US_PER_DAY,
                                       .usage_us = 40 * US_PER_DAY};

/* One call each hour for `hours` hours before noon of the day. */
static void store_hours(int64_t hours)
{
    struct pipeline p = pipeline_start(1);
    for (int64_t h = 0; h < hours; h++)
        commit(journal_ring(p.journal, 0), 2, (struct wall){.us = a_day().us - h * US_PER_HOUR});
    flush(&p);
    pipeline_close(&p);
}

static void run_until_done(struct store *store, struct wall now)
{
    struct error err = ERROR_INIT;
    /* a step is small by intent */
    for (int i = 0; i < 100; i++) {
        if (retain_run(store, &SHORT, now, &err) != 0)
            fail_msg("%s", err.text);
    }
}

static struct store *open_for_writing(void)
{
    struct error err = ERROR_INIT;
    struct store *store = NULL;
    if (store_open(&store, store_path(), STORE_WRITE, &err) != 0)
        fail_msg("%s", err.text);
    return store;
}

static void each_level_keeps_its_own_time(void **state)
{
    (void)state;
    store_hours(24 * 10);
    assert_int_equal(store_number("SELECT count(*) FROM traffic_minute"), 240);
    struct store *store = open_for_writing();
    run_until_done(store, a_day());
    store_close(store);
    /* noon, 11, 10, 9: what began or ended exactly at the border is kept */
    assert_int_equal(store_number("SELECT count(*) FROM traffic_minute"), 4);
    assert_int_equal(store_number("SELECT count(*) FROM usage_minute"), 4);
    assert_int_equal(store_number("SELECT count(*) FROM upstreams_minute"), 4);
    assert_int_equal(store_number("SELECT count(*) FROM traffic_hour"), 3 * 24 + 2);
    assert_int_equal(store_number("SELECT count(*) FROM traffic_day"), 11);
    assert_int_equal(store_number("SELECT sum(requests) FROM usage_day"), 240);
    /* the counters of /metrics never go back */
    assert_int_equal(
        store_number("SELECT sum(value) FROM metric_cells WHERE metric = 'weir_requests_total'"),
        240);
}

static void a_step_is_small(void **state)
{
    (void)state;
    store_hours(24 * 10);
    struct store *store = open_for_writing();
    assert_int_equal(retain_run(store, &SHORT, a_day(), NULL), 0);
    store_close(store);
    assert_int_equal(store_number("SELECT count(*) FROM traffic_minute"), 240 - 16);
}

static void a_day_goes_when_all_of_it_is_too_old(void **state)
{
    (void)state;
    store_hours(24 * 5);
    struct store *store = open_for_writing();
    run_until_done(store, a_day());
    /* noon of the 21st is the border: the 21st still has rows to keep, the 20th has none */
    assert_int_equal(access(tempdir_path("analytics/requests-2026-11-21.db"), F_OK), 0);
    assert_int_not_equal(access(tempdir_path("analytics/requests-2026-11-20.db"), F_OK), 0);
    assert_int_not_equal(access(tempdir_path("analytics/requests-2026-11-20.db-wal"), F_OK), 0);
    store_close(store);
    assert_int_equal(store_number("SELECT count(*) FROM totals.days"), 3);
    assert_int_equal(store_number("SELECT count(*) FROM requests"), 12 + 24 + 24 + 1);
}

static void a_deleted_day_can_be_written_to_again(void **state)
{
    (void)state;
    /* a record that lay in the journal for long comes late, and goes again the next time */
    store_hours(1);
    struct store *store = open_for_writing();
    run_until_done(store, (struct wall){.us = a_day().us + 30 * US_PER_DAY});
    store_close(store);
    assert_int_equal(store_number("SELECT count(*) FROM requests"), 0);
    store_hours(2);
    assert_int_equal(store_number("SELECT count(*) FROM requests"), 2);
    assert_int_equal(store_number("SELECT sum(requests) FROM traffic_day"), 3);
}

static void nothing_old_is_nothing_done(void **state)
{
    (void)state;
    store_hours(2);
    struct store *store = open_for_writing();
    run_until_done(store, a_day());
    /* nor with a clock that stands at its beginning */
    run_until_done(store, (struct wall){.us = 0});
    store_close(store);
    assert_counted(2, 2);
}

static void windows_of_limits_are_forgotten_with_usage(void **state)
{
    (void)state;
    store_hours(1);
    struct store *store = open_for_writing();
    assert_int_equal(retain_run(store, &SHORT, a_day(), NULL), 0);
    assert_int_equal(store_number("SELECT count(*) FROM quota_usage"), 1);
    struct wall later = {.us = a_day().us + 60 * US_PER_DAY};
    assert_int_equal(retain_run(store, &SHORT, later, NULL), 0);
    assert_int_equal(store_number("SELECT count(*) FROM quota_usage"), 0);
    store_close(store);
}

static struct mono at(int64_t us)
{
    return (struct mono){.us = 5 * US_PER_DAY + us};
}

static struct wall day_and(int64_t us)
{
    return (struct wall){.us = a_day().us + us};
}

static void a_clock_that_leaps_is_doubted_for_a_day(void **state)
{
    (void)state;
    const int64_t leap = 400 * US_PER_DAY;
    const struct {
        int64_t wall_us, mono_us, leap_us;
        bool trusted;
    } looks[] = {
        {0, 0, 0, true},
        {US_PER_MINUTE, US_PER_MINUTE, 0, true},
        /* drift, small steps and a step back delete nothing that is not old */
        {US_PER_HOUR, US_PER_MINUTE * 2, 0, true},
        {-US_PER_HOUR, US_PER_MINUTE * 3, 0, true},
        {leap, US_PER_MINUTE * 3, leap + US_PER_HOUR, false},
        {leap + US_PER_MINUTE, US_PER_MINUTE * 4, 0, false},
        {0, US_PER_HOUR, 0, false},
        {US_PER_DAY - US_PER_HOUR, US_PER_DAY, 0, false},
        {US_PER_DAY, US_PER_DAY + US_PER_MINUTE * 3, 0, true},
        /* as after a time in which nothing ran */
        {US_PER_DAY * 3, US_PER_DAY + US_PER_HOUR, US_PER_DAY * 2 - US_PER_MINUTE * 57, false},
    };
    struct retain_clock clock = {.wall = {.us = 0}};
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        int64_t leap_us;
        bool trusted =
            retain_clock_trust(&clock, day_and(looks[i].wall_us), at(looks[i].mono_us), &leap_us);
        if (trusted != looks[i].trusted || leap_us != looks[i].leap_us)
            fail_msg("look %zu: trusted %d, leap of %lld s", i, trusted,
                     (long long)(leap_us / US_PER_S));
    }
}

static void the_newest_day_tells_where_the_clock_was(void **state)
{
    (void)state;
    struct retain_clock clock;
    int64_t leap_us;
    struct store *store = open_for_writing();
    assert_int_equal(retain_clock_begin(&clock, store, at(0), NULL), 0);
    assert_true(retain_clock_trust(&clock, a_day(), at(0), &leap_us)); /* nothing to lose */
    store_close(store);
    store_hours(30);
    store = open_for_writing();
    assert_int_equal(retain_clock_begin(&clock, store, at(0), NULL), 0);
    assert_true(retain_clock_trust(&clock, day_and(US_PER_DAY), at(0), &leap_us));
    assert_int_equal(retain_clock_begin(&clock, store, at(0), NULL), 0);
    assert_false(retain_clock_trust(&clock, day_and(3 * US_PER_DAY), at(0), &leap_us));
    assert_true(leap_us > 0);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(each_level_keeps_its_own_time),
        unit_test_in_tempdir(a_step_is_small),
        unit_test_in_tempdir(a_day_goes_when_all_of_it_is_too_old),
        unit_test_in_tempdir(a_deleted_day_can_be_written_to_again),
        unit_test_in_tempdir(nothing_old_is_nothing_done),
        unit_test_in_tempdir(windows_of_limits_are_forgotten_with_usage),
        cmocka_unit_test(a_clock_that_leaps_is_doubted_for_a_day),
        unit_test_in_tempdir(the_newest_day_tells_where_the_clock_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
