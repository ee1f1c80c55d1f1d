/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/clock.h"
#include "base/error.h"

static void formats_as_rfc3339_and_back(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "1970-01-01T00:00:00.000000Z", "2026-11-23T18:04:05.123456Z", "2024-02-29T23:59:59.999999Z",
        "2000-03-01T00:00:00.000000Z", "1969-12-31T23:59:59.999999Z", "2400-02-29T12:00:00.000001Z",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wall t;
        char out[CLOCK_TEXT_MAX];
        assert_int_equal(wall_parse(str_from(cases[i]), &t), 0);
        wall_format(t, out);
        assert_string_equal(out, cases[i]);
    }
}

static void parses_offsets_and_days(void **state)
{
    (void)state;
    struct wall a, b;
    assert_int_equal(wall_parse(STR("2026-11-23T01:30:00+02:00"), &a), 0);
    assert_int_equal(wall_parse(STR("2026-11-22T23:30:00Z"), &b), 0);
    assert_int_equal(a.us, b.us);
    assert_int_equal(wall_parse(STR("2026-11-22"), &a), 0);
    assert_int_equal(a.us, wall_from_civil(2026, 11, 22).us);
}

static void refuses_what_is_no_date(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "2026",
        "2026-13-01",
        "2026-02-29",
        "2026-11-23T24:00:00Z",
        "2026-11-23T10:00:00",
        "2026-11-23T10:00:00Zx",
        "2026-11-23T10:60:00Z",
        "0x26-01-01",
        "2026-11-23T10:00:00+25:00",
    };
    struct wall t = {.us = 7};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(wall_parse(str_from(cases[i]), &t), E_INVALID);
    assert_int_equal(t.us, 7);
}

static void cuts_to_calendar_units(void **state)
{
    (void)state;
    static const struct {
        enum calendar unit;
        const char *floor, *next;
    } cases[] = {
        {CAL_MINUTE, "2026-12-31T23:59:00Z", "2027-01-01T00:00:00Z"},
        {CAL_HOUR, "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z"},
        {CAL_DAY, "2026-12-31", "2027-01-01"},
        {CAL_WEEK, "2026-12-28", "2027-01-04"},
        {CAL_MONTH, "2026-12-01", "2027-01-01"},
    };
    struct wall t, want;
    assert_int_equal(wall_parse(STR("2026-12-31T23:59:59.5Z"), &t), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(wall_parse(str_from(cases[i].floor), &want), 0);
        assert_int_equal(wall_floor(t, cases[i].unit).us, want.us);
        assert_int_equal(wall_parse(str_from(cases[i].next), &want), 0);
        assert_int_equal(wall_next(t, cases[i].unit).us, want.us);
    }
}

static void formats_http_dates(void **state)
{
    (void)state;
    struct wall t;
    char out[CLOCK_TEXT_MAX];
    assert_int_equal(wall_parse(STR("1994-11-06T08:49:37Z"), &t), 0);
    wall_format_http(t, out);
    assert_string_equal(out, "Sun, 06 Nov 1994 08:49:37 GMT");
}

static void durations_need_a_known_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        int64_t us;
    } cases[] = {
        {"250ms", 0, 250000},      {"10s", 0, 10000000},  {"5m", 0, 300000000},
        {"7d", 0, 7 * US_PER_DAY}, {"0", 0, 0},           {"10", E_INVALID, 0},
        {"s", E_INVALID, 0},       {"1 s", E_INVALID, 0}, {"-1s", E_INVALID, 0},
        {"1w", E_INVALID, 0},      {"", E_INVALID, 0},    {"99999999999999d", E_RANGE, 0},
        {"1.5s", E_INVALID, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = -1;
        assert_int_equal(duration_parse(str_from(cases[i].text), &us), cases[i].result);
        if (cases[i].result == 0)
            assert_int_equal(us, cases[i].us);
    }
    char out[CLOCK_TEXT_MAX];
    duration_format(90 * US_PER_S, out);
    assert_string_equal(out, "90s");
    duration_format(2 * US_PER_HOUR, out);
    assert_string_equal(out, "2h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_as_rfc3339_and_back),
        cmocka_unit_test(parses_offsets_and_days),
        cmocka_unit_test(refuses_what_is_no_date),
        cmocka_unit_test(cuts_to_calendar_units),
        cmocka_unit_test(formats_http_dates),
        cmocka_unit_test(durations_need_a_known_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
