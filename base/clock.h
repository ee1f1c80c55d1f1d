/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h -- the two clocks, as two types so that they cannot be mixed, and the calendar in UTC.
 *
 * struct mono never jumps and measures durations; struct wall is the time of day and names moments.
 * Both count microseconds. Tests may shift the wall clock to show what a jump does.
 *
 * Threads: all functions may be called from any thread.
 * Memory:  none.
 * Errors:  parsers return a negative code.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/compiler.h"
#include "base/str.h"

struct mono {
    int64_t us; /* since some moment before the process */
};

struct wall {
    int64_t us; /* since 1970-01-01T00:00:00Z */
};

#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_S)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define US_PER_DAY (24 * US_PER_HOUR)

struct mono clock_mono(void);
struct wall clock_wall(void);

/* A moment that never comes; for deadlines. */
#define MONO_NEVER ((struct mono){.us = INT64_MAX})

static inline struct mono mono_after(struct mono t, int64_t us)
{
    return (struct mono){.us = t.us > INT64_MAX - us ? INT64_MAX : t.us + us};
}

static inline int64_t mono_since(struct mono later, struct mono earlier)
{
    return later.us - earlier.us;
}

static inline struct mono mono_min(struct mono a, struct mono b)
{
    return a.us < b.us ? a : b;
}

/* Moves the wall clock that clock_wall() tells by `us` (tests of clock jumps only). */
void clock_shift_wall(int64_t us);

struct civil {
    int year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
    int hour, minute, second;
    int us;
    int weekday; /* 0 Monday .. 6 Sunday */
};

struct civil wall_to_civil(struct wall t);
struct wall wall_from_civil(int year, int month, int day);

/* Calendar units a moment can be cut down to; all in UTC, a week begins on Monday. */
enum calendar { CAL_MINUTE, CAL_HOUR, CAL_DAY, CAL_WEEK, CAL_MONTH };

/* The beginning of the unit that t falls in, and of the one after. */
struct wall wall_floor(struct wall t, enum calendar unit);
struct wall wall_next(struct wall t, enum calendar unit);

#define CLOCK_TEXT_MAX 40

/* "2026-11-23T18:04:05.123456Z", always with six decimals: sorts as text. Returns its length. */
size_t wall_format(struct wall t, char out[static CLOCK_TEXT_MAX]);

/* "2026-11-23". */
size_t wall_format_day(struct wall t, char out[static CLOCK_TEXT_MAX]);

/* "Mon, 23 Nov 2026 18:04:05 GMT" (RFC 9110 §5.6.7, IMF-fixdate). */
size_t wall_format_http(struct wall t, char out[static CLOCK_TEXT_MAX]);

/*
 * RFC 3339 "2026-11-23T18:04:05Z" (fraction and offset allowed), or a day "2026-11-23".
 * 0 or E_INVALID.
 */
must_check int wall_parse(struct str s, struct wall *ret_t);

/*
 * A duration with its unit: 250ms, 10s, 5m, 1h, 7d. In microseconds. "0" needs no unit.
 * 0, E_INVALID or E_RANGE.
 */
must_check int duration_parse(struct str s, int64_t *ret_us);

/* The shortest exact form, "90s", "1h30m" as "90m"; up to 24 bytes. Returns its length. */
size_t duration_format(int64_t us, char out[static CLOCK_TEXT_MAX]);

#endif
