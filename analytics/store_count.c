/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/store_count.h"

#include "analytics/store_totals.h"

#define DAYS_COUNTED_MAX 1024

/* Spans follow each other: those that matter begin with the one that ?1 may lie in. */
static const char SQL_COUNT[] =
    "SELECT sum(min(last_seq, ?2) - max(first_seq - 1, ?1)) FROM spans"
    " WHERE first_seq >= coalesce((SELECT max(first_seq) FROM spans WHERE first_seq <= ?1), 0)"
    " AND first_seq <= ?2 AND last_seq > ?1";

static int count_day(struct store *store, int64_t day, uint64_t after, uint64_t up_to,
                     uint64_t *count, struct error *err)
{
    struct db *db;
    struct db_stmt *st;
    int r = store_day(store, day, &db, err);
    if (r != 0)
        return r == E_NOT_FOUND ? 0 : r; /* just deleted */
    r = db_stmt_get(db, SQL_COUNT, &st, err);
    if (r != 0)
        return r;
    db_bind_u64(st, 1, after);
    db_bind_u64(st, 2, up_to);
    r = db_step(st, err);
    if (r < 0)
        return r;
    *count += db_u64(st, 0);
    db_stmt_done(st);
    return 0;
}

int store_rows_count(struct store *store, uint64_t after, uint64_t up_to, uint64_t *ret_count,
                     struct error *err)
{
    struct day_range days[DAYS_COUNTED_MAX];
    size_t day_count = 0;
    uint64_t count = 0;
    int r = 0;
    if (after < up_to)
        r = store_days_after(store_totals(store), after, days, DAYS_COUNTED_MAX, &day_count, err);
    for (size_t i = 0; i < day_count && r == 0; i++) {
        if (days[i].first_seq <= up_to)
            r = count_day(store, days[i].day, after, up_to, &count, err);
    }
    if (r == 0)
        *ret_count = count;
    return r;
}
