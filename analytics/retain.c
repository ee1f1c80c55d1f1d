/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/retain.h"

#include "analytics/store_rollups.h"
#include "analytics/store_totals.h"

#include <stdlib.h>

#define LEAP_US US_PER_HOUR
#define DOUBT_US US_PER_DAY
#define UNITS_A_STEP 16 /* minutes, hours or days of roll-ups deleted in one step */

/* The file's entry goes first: a reader then asks for no file that is not there. */
static int remove_day(struct store *store, int64_t day, struct error *err)
{
    int r = store_day_range_remove(store_totals(store), day, err);
    return r != 0 ? r : store_day_remove(store, day, err);
}

static int remove_old_days(struct store *store, struct wall before, struct error *err)
{
    int64_t *days = NULL;
    size_t count = 0;
    int r = store_days(store, &days, &count, err);
    for (size_t i = 0; r == 0 && i < count; i++) {
        if ((days[i] + 1) * US_PER_DAY <= before.us)
            r = remove_day(store, days[i], err);
    }
    free(days);
    return r;
}

static int remove_old_cells(struct db *totals, enum level level, struct wall before,
                            struct error *err)
{
    bool more = true;
    int r = 0;
    for (int i = 0; i < UNITS_A_STEP && more && r == 0; i++)
        r = store_cells_forget(totals, level, before, &more, err);
    return r;
}

static struct wall ago(struct wall now, int64_t us)
{
    return (struct wall){.us = now.us - us};
}

bool retain_clock_trust(struct retain_clock *clock, struct wall wall, struct mono mono,
                        int64_t *ret_leap_us)
{
    int64_t leap = wall.us - clock->wall.us - mono_since(mono, clock->mono);
    bool known = clock->wall.us != 0;
    *ret_leap_us = 0;
    if (known && leap > LEAP_US) {
        clock->doubted_until = mono_after(mono, DOUBT_US);
        *ret_leap_us = leap;
    }
    clock->wall = wall;
    clock->mono = mono;
    return mono_since(mono, clock->doubted_until) >= 0;
}

int retain_clock_begin(struct retain_clock *clock, struct store *store, struct mono mono,
                       struct error *err)
{
    int64_t *days = NULL;
    size_t count = 0;
    int r = store_days(store, &days, &count, err);
    *clock = (struct retain_clock){.mono = mono, .doubted_until = mono};
    /* a day without calls is nothing strange */
    if (count > 0)
        clock->wall.us = (days[count - 1] + 2) * US_PER_DAY;
    free(days);
    return r;
}

int retain_run(struct store *store, const struct retention *retention, struct wall now,
               struct error *err)
{
    struct db *totals = store_totals(store);
    /* a unit counts as old when it has ended before the border, hence one unit more */
    const struct {
        enum level level;
        struct wall before;
    } levels[] = {
        {LEVEL_MINUTE, ago(now, retention->minutes_us + US_PER_MINUTE)},
        {LEVEL_HOUR, ago(now, retention->hours_us + US_PER_HOUR)},
        {LEVEL_DAY, ago(now, retention->usage_us + US_PER_DAY)},
    };
    int r = remove_old_days(store, ago(now, retention->requests_us), err);
    for (size_t i = 0; i < ARRAY_LEN(levels) && r == 0; i++)
        r = remove_old_cells(totals, levels[i].level, levels[i].before, err);
    if (r == 0)
        r = store_quota_forget(totals, ago(now, retention->usage_us), err);
    return r;
}
