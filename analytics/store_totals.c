/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/store_totals.h"

#include "base/buf.h"

static const char SQL_POSITION_GET[] = "SELECT seq FROM positions WHERE ring = ?1";
static const char SQL_POSITION_SET[] = "INSERT INTO positions (ring, seq) VALUES (?1, ?2)"
                                       " ON CONFLICT (ring) DO UPDATE SET seq = excluded.seq";
static const char SQL_POSITIONS[] = "SELECT ring FROM positions";
static const char SQL_POSITION_REMOVE[] = "DELETE FROM positions WHERE ring = ?1";
static const char SQL_FACT_GET[] = "SELECT value FROM facts WHERE name = ?1";
static const char SQL_FACT_SET[] = "INSERT INTO facts (name, value) VALUES (?1, ?2)"
                                   " ON CONFLICT (name) DO UPDATE SET value = excluded.value";
static const char SQL_DAY_ADD[] =
    "INSERT INTO days (begin_us, first_seq, last_seq) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (begin_us) DO UPDATE SET first_seq = min(first_seq, excluded.first_seq),"
    " last_seq = max(last_seq, excluded.last_seq)";
static const char SQL_DAY_REMOVE[] = "DELETE FROM days WHERE begin_us = ?1";
static const char SQL_DAYS_AFTER[] = "SELECT begin_us, first_seq, last_seq FROM days"
                                     " WHERE last_seq > ?1 ORDER BY begin_us LIMIT ?2";
static const char SQL_QUOTA_ADD[] =
    "INSERT INTO quota_usage (app, limit_name, window_us, used) VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT (app, limit_name, window_us) DO UPDATE SET used = used + excluded.used";
static const char SQL_QUOTA_LOAD[] = "SELECT app, limit_name, window_us, used FROM quota_usage"
                                     " WHERE window_us >= ?1 ORDER BY window_us";
static const char SQL_QUOTA_FORGET[] = "DELETE FROM quota_usage WHERE window_us < ?1";
static const char SQL_KEY_USED[] =
    "INSERT INTO key_last_used (key, time_us, ip) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (key) DO UPDATE SET time_us = excluded.time_us, ip = excluded.ip"
    " WHERE excluded.time_us >= time_us";
static const char SQL_KEYS_USED[] = "SELECT key, time_us, ip FROM key_last_used ORDER BY key";
static const char SQL_KEY_USE[] = "SELECT key, time_us, ip FROM key_last_used WHERE key = ?1";
static const char SQL_CELLS_LOAD[] = "SELECT metric, labels, value, sum_us, buckets"
                                     " FROM metric_cells";
static const char SQL_CELL_SET[] =
    "INSERT INTO metric_cells (metric, labels, value, sum_us, buckets)"
    " VALUES (?1, ?2, ?3, ?4, ?5)"
    " ON CONFLICT (metric, labels) DO UPDATE SET value = excluded.value,"
    " sum_us = excluded.sum_us, buckets = excluded.buckets";

/* The number in the first column of the first row; 0 where there is no row. */
static int read_number(struct db_stmt *st, uint64_t *ret_value, struct error *err)
{
    int r = db_step(st, err);
    if (r < 0)
        return r;
    *ret_value = r == DB_ROW ? db_u64(st, 0) : 0;
    db_stmt_done(st);
    return 0;
}

int store_position_get(struct db *db, uint64_t ring, uint64_t *ret_seq, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_POSITION_GET, &st, err);
    if (r != 0)
        return r;
    db_bind_u64(st, 1, ring);
    return read_number(st, ret_seq, err);
}

int store_position_set(struct db *db, uint64_t ring, uint64_t seq, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_POSITION_SET, &st, err);
    if (r != 0)
        return r;
    db_bind_u64(st, 1, ring);
    db_bind_u64(st, 2, seq);
    return db_run(st, err);
}

static bool is_among(uint64_t ring, const uint64_t *rings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rings[i] == ring)
            return true;
    }
    return false;
}

int store_positions_keep(struct db *db, const uint64_t *rings, size_t count, struct error *err)
{
    struct db_stmt *all, *del;
    int r = db_stmt_get(db, SQL_POSITIONS, &all, err);
    if (r == 0)
        r = db_stmt_get(db, SQL_POSITION_REMOVE, &del, err);
    if (r != 0)
        return r;
    while ((r = db_step(all, err)) == DB_ROW) {
        uint64_t ring = db_u64(all, 0);
        if (is_among(ring, rings, count))
            continue;
        db_bind_u64(del, 1, ring);
        r = db_run(del, err);
        if (r != 0)
            break;
    }
    db_stmt_done(all);
    return r;
}

static int get_fact(struct db *totals, struct str name, uint64_t *ret_value, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_FACT_GET, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, name);
    return read_number(st, ret_value, err);
}

static int set_fact(struct db *totals, struct str name, uint64_t value, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_FACT_SET, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, name);
    db_bind_u64(st, 2, value);
    return db_run(st, err);
}

int store_last_seq_get(struct db *totals, uint64_t *ret_seq, struct error *err)
{
    return get_fact(totals, STR("last_seq"), ret_seq, err);
}

int store_last_seq_set(struct db *totals, uint64_t seq, struct error *err)
{
    return set_fact(totals, STR("last_seq"), seq, err);
}

int store_boot_get(struct db *totals, uint64_t *ret_boot, struct error *err)
{
    return get_fact(totals, STR("boot"), ret_boot, err);
}

int store_boot_set(struct db *totals, uint64_t boot, struct error *err)
{
    return set_fact(totals, STR("boot"), boot, err);
}

int store_day_range_add(struct db *totals, struct day_range range, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_DAY_ADD, &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, range.day * US_PER_DAY);
    db_bind_u64(st, 2, range.first_seq);
    db_bind_u64(st, 3, range.last_seq);
    return db_run(st, err);
}

int store_day_range_remove(struct db *totals, int64_t day, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_DAY_REMOVE, &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, day * US_PER_DAY);
    return db_run(st, err);
}

int store_days_after(struct db *totals, uint64_t after, struct day_range *ranges, size_t max,
                     size_t *ret_count, struct error *err)
{
    struct db_stmt *st;
    size_t count = 0;
    int r = db_stmt_get(totals, SQL_DAYS_AFTER, &st, err);
    if (r != 0)
        return r;
    db_bind_u64(st, 1, after);
    db_bind_i64(st, 2, (int64_t)max);
    while ((r = db_step(st, err)) == DB_ROW)
        ranges[count++] = (struct day_range){.day = db_i64(st, 0) / US_PER_DAY,
                                             .first_seq = db_u64(st, 1),
                                             .last_seq = db_u64(st, 2)};
    if (r == 0)
        *ret_count = count;
    return r;
}

int store_quota_add(struct db *totals, const struct quota_usage *usage, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_QUOTA_ADD, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, usage->app);
    db_bind_text(st, 2, usage->limit);
    db_bind_i64(st, 3, usage->window.us);
    db_bind_u64(st, 4, usage->used);
    return db_run(st, err);
}

int store_quota_load(struct db *totals, struct wall since, quota_visit *visit, void *ctx,
                     struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_QUOTA_LOAD, &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, since.us);
    while ((r = db_step(st, err)) == DB_ROW) {
        struct quota_usage usage = {.app = db_text(st, 0),
                                    .limit = db_text(st, 1),
                                    .window = {.us = db_i64(st, 2)},
                                    .used = db_u64(st, 3)};
        visit(ctx, &usage);
    }
    return r;
}

int store_quota_forget(struct db *totals, struct wall before, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_QUOTA_FORGET, &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, before.us);
    return db_run(st, err);
}

int store_key_used(struct db *totals, struct str key, struct wall time, struct ip ip,
                   struct error *err)
{
    struct db_stmt *st;
    char text[IP_TEXT_MAX];
    int r = db_stmt_get(totals, SQL_KEY_USED, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, key);
    db_bind_i64(st, 2, time.us);
    db_bind_text(st, 3, str_make(text, ip_format(ip, text)));
    return db_run(st, err);
}

int store_keys_used(struct db *totals, key_use_visit *visit, void *ctx, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_KEYS_USED, &st, err);
    if (r != 0)
        return r;
    while ((r = db_step(st, err)) == DB_ROW) {
        struct key_use use = {
            .key = db_text(st, 0), .time = {.us = db_i64(st, 1)}, .ip = db_text(st, 2)};
        visit(ctx, &use);
    }
    return r;
}

int store_key_use_find(struct db *totals, struct str key, key_use_visit *visit, void *ctx,
                       struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_KEY_USE, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, key);
    r = db_step(st, err);
    if (r != DB_ROW)
        return r == 0 ? E_NOT_FOUND : r;
    struct key_use use = {
        .key = db_text(st, 0), .time = {.us = db_i64(st, 1)}, .ip = db_text(st, 2)};
    visit(ctx, &use);
    db_stmt_done(st);
    return 0;
}

int store_cells_load(struct db *totals, cell_row_visit *visit, void *ctx, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_CELLS_LOAD, &st, err);
    if (r != 0)
        return r;
    while ((r = db_step(st, err)) == DB_ROW) {
        struct cell_row row = {.metric = db_text(st, 0),
                               .labels = db_text(st, 1),
                               .value = db_u64(st, 2),
                               .sum_us = db_u64(st, 3),
                               .buckets = db_blob(st, 4)};
        r = visit(ctx, &row);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r;
}

int store_cell_set(struct db *totals, const struct cell_row *row, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, SQL_CELL_SET, &st, err);
    if (r != 0)
        return r;
    db_bind_text(st, 1, row->metric);
    db_bind_text(st, 2, row->labels);
    db_bind_u64(st, 3, row->value);
    db_bind_u64(st, 4, row->sum_us);
    db_bind_blob(st, 5, row->buckets);
    return db_run(st, err);
}
