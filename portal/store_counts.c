/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/store_counts.h"

static const char SQL_ALL[] = "SELECT (SELECT count(*) FROM people),"
                              " (SELECT count(*) FROM people WHERE operator = 1),"
                              " (SELECT count(*) FROM apps WHERE state <> 'deleted'),"
                              " (SELECT count(*) FROM keys WHERE state <> 'revoked'),"
                              " (SELECT count(*) FROM subscriptions WHERE state = 'pending')";
static const char SQL_OF_PLANS[] = "SELECT plan, count(*) FILTER (WHERE state = 'active'),"
                                   " count(*) FILTER (WHERE state = 'pending')"
                                   " FROM subscriptions WHERE state = 'active' OR state = 'pending'"
                                   " GROUP BY plan";

int store_counts(struct db *db, struct store_counts *ret_counts, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_ALL, &st, err);
    if (r != 0)
        return r;
    r = db_step(st, err);
    if (r != DB_ROW)
        return r;
    *ret_counts = (struct store_counts){.people = db_u64(st, 0),
                                        .operators = db_u64(st, 1),
                                        .apps = db_u64(st, 2),
                                        .keys = db_u64(st, 3),
                                        .waiting = db_u64(st, 4)};
    db_stmt_done(st);
    return 0;
}

int store_counts_of_plans(struct db *db, plan_count_visit *visit, void *ctx, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_OF_PLANS, &st, err);
    if (r != 0)
        return r;
    while ((r = db_step(st, err)) == DB_ROW)
        visit(ctx, db_text(st, 0), db_u64(st, 1), db_u64(st, 2));
    db_stmt_done(st);
    return r;
}
