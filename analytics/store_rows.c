/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/store_rows.h"

#include "analytics/store_totals.h"

#include <stdlib.h>

#define SPAN_ROWS 4096
#define DAYS_READ_MAX 1024

#define COLUMN_TIME(name) #name "_us"
#define COLUMN_UUID(name) #name
#define COLUMN_TEXT(name) #name
#define COLUMN_UINT(name) #name
#define COLUMN_IP(name) #name
#define COLUMN_HEX(name) #name
#define COLUMN_METHOD(name) #name
#define COLUMN_REASON(name) #name

/* clang-format off */
#define X(name, TYPE, text) ", " COLUMN_##TYPE(name)
#define COLUMNS "seq"
static const char SQL_INSERT[] =
    "INSERT INTO requests (seq"
#include "analytics/record_fields.def"
    ") VALUES (?"
#undef X
#define X(name, TYPE, text) ", ?"
#include "analytics/record_fields.def"
    ")";
#undef X
#define X(name, TYPE, text) ", " COLUMN_##TYPE(name)
static const char SQL_RANGE[] =
    "SELECT seq"
#include "analytics/record_fields.def"
    " FROM requests WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";
static const char SQL_FIND[] =
    "SELECT seq"
#include "analytics/record_fields.def"
    " FROM requests WHERE seq BETWEEN ?1 AND ?2 AND request_id = ?3";
#undef X
/* clang-format on */
static const char SQL_NEXT[] = "SELECT min(seq) FROM requests WHERE seq > ?1";
/* two statements: min() and max() in one would read the whole table */
static const char SQL_BOUNDS[] = "SELECT (SELECT min(seq) FROM requests),"
                                 " (SELECT max(seq) FROM requests)";
static const char SQL_SPAN_ADD[] = "INSERT INTO spans (first_seq, last_seq, born_min_us,"
                                   " born_max_us, time_min_us, time_max_us)"
                                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
static const char SQL_SPANS_BORN[] = "SELECT first_seq, last_seq FROM spans"
                                     " WHERE born_min_us <= ?1 AND born_max_us >= ?1";

/* ---- writing ---- */

int rows_begin(struct rows_writer *w, struct db *db, struct error *err)
{
    *w = (struct rows_writer){.db = db};
    return db_stmt_get(db, SQL_INSERT, &w->insert, err);
}

static bool all_zero(const unsigned char *p, size_t n)
{
    unsigned char any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

/* An id that is all zero is none. */
static void bind_bytes(struct db_stmt *st, int index, const unsigned char *p, size_t n)
{
    db_bind_blob(st, index, all_zero(p, n) ? STR_EMPTY : str_make((const char *)p, n));
}

static struct str ip_text(struct ip ip, char out[static IP_TEXT_MAX])
{
    return all_zero(ip.b, sizeof(ip.b)) ? STR_EMPTY : str_make(out, ip_format(ip, out));
}

#define BIND_TIME(field) db_bind_i64(st, i, record->field.us)
#define BIND_UUID(field) bind_bytes(st, i, record->field.b, sizeof(record->field.b))
#define BIND_TEXT(field) db_bind_text(st, i, record->field)
#define BIND_UINT(field) db_bind_u64(st, i, record->field)
#define BIND_IP(field) db_bind_text(st, i, ip_text(record->field, ip))
#define BIND_HEX(field) bind_bytes(st, i, record->field, sizeof(record->field))
#define BIND_METHOD(field) db_bind_text(st, i, http_method_name(record->field))
#define BIND_REASON(field) db_bind_text(st, i, reason_row(record->field)->code)

static int insert(struct db_stmt *st, uint64_t seq, const struct record *record, struct error *err)
{
    char ip[IP_TEXT_MAX]; /* there is one address in a record */
    int i = 1;
    db_bind_u64(st, i++, seq);
#define X(name, TYPE, text) BIND_##TYPE(name), i++;
#include "analytics/record_fields.def"
#undef X
    return db_run(st, err);
}

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int close_span(struct rows_writer *w, struct error *err)
{
    struct db_stmt *st;
    if (w->first_seq == 0)
        return 0;
    int r = db_stmt_get(w->db, SQL_SPAN_ADD, &st, err);
    if (r != 0)
        return r;
    db_bind_u64(st, 1, w->first_seq);
    db_bind_u64(st, 2, w->last_seq);
    db_bind_i64(st, 3, w->born_min);
    db_bind_i64(st, 4, w->born_max);
    db_bind_i64(st, 5, w->time_min);
    db_bind_i64(st, 6, w->time_max);
    w->first_seq = 0;
    w->count = 0;
    return db_run(st, err);
}

int rows_add(struct rows_writer *w, const struct row *row, struct error *err)
{
    int64_t born = uuid7_time(row->record.request_id).us, time = row->record.time.us;
    int r = insert(w->insert, row->seq, &row->record, err);
    if (r != 0)
        return r;
    if (w->first_seq == 0) {
        w->first_seq = row->seq;
        w->born_min = w->born_max = born;
        w->time_min = w->time_max = time;
    }
    w->last_seq = row->seq;
    w->born_min = min_i64(w->born_min, born);
    w->born_max = max_i64(w->born_max, born);
    w->time_min = min_i64(w->time_min, time);
    w->time_max = max_i64(w->time_max, time);
    return ++w->count < SPAN_ROWS ? 0 : close_span(w, err);
}

int rows_end(struct rows_writer *w, struct error *err)
{
    return close_span(w, err);
}

int rows_bounds(struct db *db, uint64_t *ret_first, uint64_t *ret_last, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(db, SQL_BOUNDS, &st, err);
    if (r != 0 || (r = db_step(st, err)) < 0)
        return r;
    *ret_first = db_u64(st, 0);
    *ret_last = db_u64(st, 1);
    db_stmt_done(st);
    return 0;
}

/* ---- reading ---- */

static void read_bytes(struct db_stmt *st, int column, unsigned char *to, size_t n)
{
    struct str blob = db_blob(st, column);
    memset(to, 0, n);
    if (blob.n == n)
        memcpy(to, blob.p, n);
}

static struct ip read_ip(struct db_stmt *st, int column)
{
    struct ip ip;
    if (ip_parse(db_text(st, column), &ip) != 0)
        memset(&ip, 0, sizeof(ip));
    return ip;
}

#define READ_TIME(field) record->field.us = db_i64(st, i)
#define READ_UUID(field) read_bytes(st, i, record->field.b, sizeof(record->field.b))
#define READ_TEXT(field) record->field = db_text(st, i)
#define READ_UINT(field) record->field = (__typeof__(record->field))db_u64(st, i)
#define READ_IP(field) record->field = read_ip(st, i)
#define READ_HEX(field) read_bytes(st, i, record->field, sizeof(record->field))
#define READ_METHOD(field) record->field = http_method_find(db_text(st, i))
#define READ_REASON(field) record->field = reason_find(db_text(st, i))

static void read_row(struct db_stmt *st, struct row *ret_row)
{
    struct record *record = &ret_row->record;
    int i = 0;
    *ret_row = (struct row){.seq = db_u64(st, i++)};
#define X(name, TYPE, text) READ_##TYPE(name), i++;
#include "analytics/record_fields.def"
#undef X
}

/* Visits the rows of one day. Returns how many, or what ended it. */
static int visit_day(struct db *db, struct rows_range range, row_visit *visit, void *ctx,
                     struct error *err)
{
    struct db_stmt *st;
    int count = 0;
    int r = db_stmt_get(db, SQL_RANGE, &st, err);
    if (r != 0)
        return r;
    db_bind_u64(st, 1, range.after);
    db_bind_u64(st, 2, range.up_to);
    db_bind_u64(st, 3, range.max);
    while ((r = db_step(st, err)) == DB_ROW) {
        struct row row;
        read_row(st, &row);
        count++;
        r = visit(ctx, &row);
        if (r != 0)
            break;
    }
    db_stmt_done(st);
    return r != 0 ? r : count;
}

int rows_visit_one(struct db *day, uint64_t seq, row_visit *visit, void *ctx, struct error *err)
{
    struct rows_range one = {.after = seq - 1, .up_to = seq, .max = 1};
    return visit_day(day, one, visit, ctx, err);
}

/*
 * The number of a day's first row after `after`, as far as it can be known without opening the file
 * of a day that is all ahead. UINT64_MAX where there is none, or the file is gone.
 */
static int next_of_day(struct store *store, const struct day_range *day, uint64_t after,
                       uint64_t *ret_next, struct error *err)
{
    struct db *db;
    struct db_stmt *st;
    *ret_next = UINT64_MAX;
    if (day->first_seq > after) {
        *ret_next = day->first_seq;
        return 0;
    }
    int r = store_day(store, day->day, &db, err);
    if (r != 0)
        return r == E_NOT_FOUND ? 0 : r;
    r = db_stmt_get(db, SQL_NEXT, &st, err);
    if (r != 0)
        return r;
    db_bind_u64(st, 1, after);
    r = db_step(st, err);
    if (r == DB_ROW && !db_is_null(st, 0))
        *ret_next = db_u64(st, 0);
    db_stmt_done(st);
    return r < 0 ? r : 0;
}

/*
 * One run: the day whose next row is the oldest, as far as its rows come before the next row of any
 * other day. Around midnight rows of two days alternate. *ret_reached is the last number that can
 * have been visited. Returns how many were.
 */
static int visit_run(struct store *store, struct rows_range range, uint64_t *ret_reached,
                     row_visit *visit, void *ctx, struct error *err)
{
    struct day_range days[DAYS_READ_MAX];
    size_t count, first = 0;
    uint64_t oldest = UINT64_MAX, other = UINT64_MAX;
    int r = store_days_after(store_totals(store), range.after, days, DAYS_READ_MAX, &count, err);
    for (size_t i = 0; r == 0 && i < count; i++) {
        uint64_t next;
        r = next_of_day(store, &days[i], range.after, &next, err);
        if (r == 0 && next < oldest) {
            other = oldest;
            oldest = next;
            first = i;
        } else if (r == 0 && next < other) {
            other = next;
        }
    }
    if (r != 0)
        return r;
    if (oldest > range.up_to) {
        *ret_reached = range.up_to;
        return 0;
    }
    struct db *db;
    if (other <= range.up_to)
        range.up_to = other - 1;
    *ret_reached = range.up_to;
    r = store_day(store, days[first].day, &db, err);
    if (r != 0)
        return r == E_NOT_FOUND ? 0 : r; /* just deleted: its rows are passed over */
    return visit_day(db, range, visit, ctx, err);
}

int store_rows_read(struct store *store, struct rows_range range, row_visit *visit, void *ctx,
                    struct error *err)
{
    unsigned total = 0, max = range.max;
    while (total < max && range.after < range.up_to) {
        uint64_t reached;
        range.max = max - total;
        int r = visit_run(store, range, &reached, visit, ctx, err);
        if (r < 0)
            return r;
        total += (unsigned)r;
        range.after = reached;
    }
    return (int)total;
}

/* The row of the id among those with numbers of one span. 1, 0, or what ended it. */
static int find_in_span(struct db *db, uint64_t first, uint64_t last, struct uuid id,
                        row_visit *visit, void *ctx, struct error *err)
{
    struct db_stmt *st;
    struct row row;
    int r = db_stmt_get(db, SQL_FIND, &st, err);
    if (r != 0)
        return r;
    db_bind_u64(st, 1, first);
    db_bind_u64(st, 2, last);
    db_bind_blob(st, 3, str_make((const char *)id.b, sizeof(id.b)));
    r = db_step(st, err);
    if (r != DB_ROW)
        return r;
    read_row(st, &row);
    r = visit(ctx, &row);
    db_stmt_done(st);
    return r != 0 ? r : 1;
}

static int find_in_day(struct db *db, struct uuid id, row_visit *visit, void *ctx,
                       struct error *err)
{
    struct db_stmt *spans;
    int r = db_stmt_get(db, SQL_SPANS_BORN, &spans, err);
    if (r != 0)
        return r;
    db_bind_i64(spans, 1, uuid7_time(id).us);
    while ((r = db_step(spans, err)) == DB_ROW) {
        r = find_in_span(db, db_u64(spans, 0), db_u64(spans, 1), id, visit, ctx, err);
        if (r != 0)
            break;
    }
    db_stmt_done(spans);
    return r;
}

int store_rows_find(struct store *store, struct uuid id, row_visit *visit, void *ctx,
                    struct error *err)
{
    int64_t *days;
    size_t count;
    /* a clock that was set back can have put the end before the beginning */
    int64_t from = store_day_of(uuid7_time(id)) - 1;
    int r = store_days(store, &days, &count, err);
    if (r != 0)
        return r;
    for (size_t i = 0; i < count && r == 0; i++) {
        struct db *db;
        if (days[i] < from)
            continue;
        r = store_day(store, days[i], &db, err);
        if (r == 0)
            r = find_in_day(db, id, visit, ctx, err);
        else if (r == E_NOT_FOUND)
            r = 0; /* deleted since it was listed */
    }
    free(days);
    return r;
}
