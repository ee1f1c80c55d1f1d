/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "base/error.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* atomic, relaxed: written by tests only */
static _Atomic int64_t wall_shift_us;

struct mono clock_mono(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (struct mono){.us = (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000};
}

struct wall clock_wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t us = (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
    return (struct wall){.us = us + atomic_load_explicit(&wall_shift_us, memory_order_relaxed)};
}

void clock_shift_wall(int64_t us)
{
    atomic_store_explicit(&wall_shift_us, us, memory_order_relaxed);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/*
 * Days since 1970-01-01 of a date in the Gregorian calendar. Years are counted from March, so that
 * the leap day comes last and the lengths of the months before it follow one formula; 400 years are
 * 146,097 days exactly.
 */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct civil wall_to_civil(struct wall t)
{
    int64_t days = floor_div(t.us, US_PER_DAY);
    int64_t rest = t.us - days * US_PER_DAY;
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct civil c;
    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year = (int)(yoe + era * 400 + (c.month <= 2));
    c.hour = (int)(rest / US_PER_HOUR);
    c.minute = (int)(rest / US_PER_MINUTE % 60);
    c.second = (int)(rest / US_PER_S % 60);
    c.us = (int)(rest % US_PER_S);
    /* 1970-01-01 was a Thursday, day 3 of a week that begins on Monday */
    c.weekday = (int)(((days + 3) % 7 + 7) % 7);
    return c;
}

struct wall wall_from_civil(int year, int month, int day)
{
    return (struct wall){.us = days_from_civil(year, month, day) * US_PER_DAY};
}

struct wall wall_floor(struct wall t, enum calendar unit)
{
    struct civil c;
    switch (unit) {
    case CAL_MINUTE:
        return (struct wall){.us = floor_div(t.us, US_PER_MINUTE) * US_PER_MINUTE};
    case CAL_HOUR:
        return (struct wall){.us = floor_div(t.us, US_PER_HOUR) * US_PER_HOUR};
    case CAL_DAY:
        return (struct wall){.us = floor_div(t.us, US_PER_DAY) * US_PER_DAY};
    case CAL_WEEK:
        c = wall_to_civil(t);
        return (struct wall){.us = (floor_div(t.us, US_PER_DAY) - c.weekday) * US_PER_DAY};
    case CAL_MONTH:
        c = wall_to_civil(t);
        return wall_from_civil(c.year, c.month, 1);
    }
    CHECK(!"calendar unit");
    return t;
}

struct wall wall_next(struct wall t, enum calendar unit)
{
    struct wall start = wall_floor(t, unit);
    struct civil c;
    switch (unit) {
    case CAL_MINUTE:
        return (struct wall){.us = start.us + US_PER_MINUTE};
    case CAL_HOUR:
        return (struct wall){.us = start.us + US_PER_HOUR};
    case CAL_DAY:
        return (struct wall){.us = start.us + US_PER_DAY};
    case CAL_WEEK:
        return (struct wall){.us = start.us + 7 * US_PER_DAY};
    case CAL_MONTH:
        c = wall_to_civil(start);
        return c.month == 12 ? wall_from_civil(c.year + 1, 1, 1)
                             : wall_from_civil(c.year, c.month + 1, 1);
    }
    CHECK(!"calendar unit");
    return t;
}

size_t wall_format(struct wall t, char out[static CLOCK_TEXT_MAX])
{
    struct civil c = wall_to_civil(t);
    int n = snprintf(out, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", c.year, c.month,
                     c.day, c.hour, c.minute, c.second, c.us);
    return (size_t)n;
}

size_t wall_format_day(struct wall t, char out[static CLOCK_TEXT_MAX])
{
    struct civil c = wall_to_civil(t);
    return (size_t)snprintf(out, CLOCK_TEXT_MAX, "%04d-%02d-%02d", c.year, c.month, c.day);
}

size_t wall_format_http(struct wall t, char out[static CLOCK_TEXT_MAX])
{
    static const char days[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = wall_to_civil(t);
    int n = snprintf(out, CLOCK_TEXT_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[c.weekday],
                     c.day, months[c.month - 1], c.year, c.hour, c.minute, c.second);
    return (size_t)n;
}

/* Takes `digits` digits off the front of *s; -1 where they are not there. */
static int take_number(struct str *s, size_t digits)
{
    uint64_t v;
    if (s->n < digits || str_to_u64(str_slice(*s, 0, digits), 0, 9999, &v) != 0)
        return -1;
    *s = str_slice(*s, digits, s->n);
    return (int)v;
}

static bool take_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_slice(*s, 1, s->n);
    return true;
}

static int days_in_month(int year, int month)
{
    struct wall first = wall_from_civil(year, month, 1);
    return (int)((wall_next(first, CAL_MONTH).us - first.us) / US_PER_DAY);
}

/* "Z" or "+01:00", in microseconds east; 0 or E_INVALID. */
static int take_offset(struct str *s, int64_t *ret_us)
{
    if (take_char(s, 'Z')) {
        *ret_us = 0;
        return 0;
    }
    int sign = take_char(s, '+') ? 1 : take_char(s, '-') ? -1 : 0;
    int h = take_number(s, 2);
    if (sign == 0 || h < 0 || h > 23 || !take_char(s, ':'))
        return E_INVALID;
    int m = take_number(s, 2);
    if (m < 0 || m > 59)
        return E_INVALID;
    *ret_us = sign * (h * US_PER_HOUR + m * US_PER_MINUTE);
    return 0;
}

/* ".123", up to six digits count; 0 where there is none. */
static int64_t take_fraction(struct str *s)
{
    int64_t us = 0, unit = US_PER_S / 10;
    if (!take_char(s, '.'))
        return 0;
    while (s->n > 0 && s->p[0] >= '0' && s->p[0] <= '9') {
        us += (s->p[0] - '0') * unit;
        unit /= 10;
        *s = str_slice(*s, 1, s->n);
    }
    return us;
}

/* "2026-11-23". */
static int take_date(struct str *s, struct wall *ret_t)
{
    int year = take_number(s, 4);
    if (year < 0 || !take_char(s, '-'))
        return E_INVALID;
    int month = take_number(s, 2);
    if (month < 1 || month > 12 || !take_char(s, '-'))
        return E_INVALID;
    int day = take_number(s, 2);
    if (day < 1 || day > days_in_month(year, month))
        return E_INVALID;
    *ret_t = wall_from_civil(year, month, day);
    return 0;
}

/* "18:04:05.123456", in microseconds of the day. A leap second counts as the one after. */
static int take_time(struct str *s, int64_t *ret_us)
{
    int h = take_number(s, 2);
    if (h < 0 || h > 23 || !take_char(s, ':'))
        return E_INVALID;
    int m = take_number(s, 2);
    if (m < 0 || m > 59 || !take_char(s, ':'))
        return E_INVALID;
    int second = take_number(s, 2);
    if (second < 0 || second > 60)
        return E_INVALID;
    *ret_us = h * US_PER_HOUR + m * US_PER_MINUTE + second * US_PER_S + take_fraction(s);
    return 0;
}

int wall_parse(struct str s, struct wall *ret_t)
{
    struct wall t;
    int64_t of_day = 0, offset = 0;
    if (take_date(&s, &t) != 0)
        return E_INVALID;
    if (s.n > 0) {
        if (!take_char(&s, 'T') && !take_char(&s, 't') && !take_char(&s, ' '))
            return E_INVALID;
        if (take_time(&s, &of_day) != 0 || take_offset(&s, &offset) != 0 || s.n > 0)
            return E_INVALID;
    }
    *ret_t = (struct wall){.us = t.us + of_day - offset};
    return 0;
}

static const struct {
    struct str name;
    int64_t us;
} UNITS[] = {
    /* from the largest to the smallest, for duration_format() */
    {STR_INIT("d"), US_PER_DAY}, {STR_INIT("h"), US_PER_HOUR}, {STR_INIT("m"), US_PER_MINUTE},
    {STR_INIT("s"), US_PER_S},   {STR_INIT("ms"), US_PER_MS},  {STR_INIT("us"), 1},
};

int duration_parse(struct str s, int64_t *ret_us)
{
    size_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    struct str unit = str_slice(s, digits, s.n);
    uint64_t value;
    int r = str_to_u64(str_slice(s, 0, digits), 0, INT64_MAX, &value);
    if (r != 0)
        return r;
    if (unit.n == 0 && value == 0) {
        *ret_us = 0;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(UNITS); i++) {
        int64_t us;
        if (!str_eq(unit, UNITS[i].name))
            continue;
        if (__builtin_mul_overflow((int64_t)value, UNITS[i].us, &us))
            return E_RANGE;
        *ret_us = us;
        return 0;
    }
    return E_INVALID;
}

size_t duration_format(int64_t us, char out[static CLOCK_TEXT_MAX])
{
    if (us == 0)
        return (size_t)snprintf(out, CLOCK_TEXT_MAX, "0s");
    for (size_t i = 0; i < ARRAY_LEN(UNITS); i++) {
        if (us % UNITS[i].us == 0)
            return (size_t)snprintf(out, CLOCK_TEXT_MAX, "%lld%s", (long long)(us / UNITS[i].us),
                                    UNITS[i].name.p);
    }
    return 0;
}
