/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/store_rollups.h"

#include "base/buf.h"

#include <stdlib.h>

#define SQL_MAX 2048

/* The statements of one roll-up; texts on the heap, as long as the connection. */
struct rollup_sql {
    char *count, *find, *add;
    char *load[LEVEL_COUNT], *write[LEVEL_COUNT];
};

struct store_rollups {
    struct db *totals;
    struct rollup_sql sql[ROLLUP_COUNT];
};

/* What buf holds as a text of its own; the buffer is empty again. */
static char *take_text(struct buf *b)
{
    const char *text = buf_cstr(b);
    CHECK(text != NULL);
    char *copy = strdup(text);
    CHECK(copy != NULL);
    buf_clear(b);
    return copy;
}

static void add_dims(struct buf *b, const struct rollup_def *def, const char *format,
                     const char *between)
{
    for (int i = 0; def->dims[i] != DIM_NONE; i++) {
        buf_add_cstr(b, i > 0 ? between : "");
        for (const char *f = format; *f != '\0'; f++) {
            if (*f == '$')
                buf_add_cstr(b, dim_column(def->dims[i]));
            else if (*f == '#')
                buf_printf(b, "?%d", i + 1);
            else
                buf_add_char(b, *f);
        }
    }
}

static void add_values(struct buf *b, const struct rollup_def *def)
{
    for (int i = 0; def->sums[i] != MEASURE_NONE; i++)
        buf_printf(b, ", %s", measure_column(def->sums[i]));
    for (int i = 0; def->hists[i] != MEASURE_NONE; i++)
        buf_printf(b, ", %s", measure_column(def->hists[i]));
}

/* A row that is there is changed in place: replacing it would write its indexes again. */
static void add_conflict(struct buf *b, const struct rollup_def *def)
{
    const char *between = " ON CONFLICT (begin_us, series) DO UPDATE SET";
    for (int i = 0; def->sums[i] != MEASURE_NONE; i++, between = ",") {
        const char *column = measure_column(def->sums[i]);
        buf_printf(b, "%s %s = excluded.%s", between, column, column);
    }
    for (int i = 0; def->hists[i] != MEASURE_NONE; i++, between = ",") {
        const char *column = measure_column(def->hists[i]);
        buf_printf(b, "%s %s = excluded.%s", between, column, column);
    }
}

static int value_count(const struct rollup_def *def)
{
    int n = 0;
    for (int i = 0; def->sums[i] != MEASURE_NONE; i++)
        n++;
    for (int i = 0; def->hists[i] != MEASURE_NONE; i++)
        n++;
    return n;
}

static void make_cell_sql(struct rollup_sql *sql, const struct rollup_def *def, enum level level,
                          struct buf *b)
{
    buf_add_cstr(b, "SELECT begin_us");
    add_values(b, def);
    buf_printf(b, " FROM %s_%s WHERE begin_us = ?1 AND series = ?2", def->name, level_name(level));
    sql->load[level] = take_text(b);
    buf_printf(b, "INSERT INTO %s_%s (begin_us, series", def->name, level_name(level));
    add_values(b, def);
    buf_add_cstr(b, ") VALUES (?1, ?2");
    for (int i = 0; i < value_count(def); i++)
        buf_printf(b, ", ?%d", i + 3);
    buf_add_char(b, ')');
    add_conflict(b, def);
    sql->write[level] = take_text(b);
}

static void make_sql(struct rollup_sql *sql, const struct rollup_def *def)
{
    char mem[SQL_MAX];
    struct buf b;
    buf_init_fixed(&b, mem, sizeof(mem));
    buf_printf(&b, "SELECT count(*) FROM %s_series", def->name);
    sql->count = take_text(&b);
    buf_printf(&b, "SELECT id FROM %s_series WHERE ", def->name);
    add_dims(&b, def, "$ = #", " AND ");
    sql->find = take_text(&b);
    buf_printf(&b, "INSERT INTO %s_series (", def->name);
    add_dims(&b, def, "$", ", ");
    buf_add_cstr(&b, ") VALUES (");
    add_dims(&b, def, "#", ", ");
    buf_add_char(&b, ')');
    sql->add = take_text(&b);
    for (int level = 0; level < LEVEL_COUNT; level++)
        make_cell_sql(sql, def, (enum level)level, &b);
}

int store_rollups_create(struct store_rollups **ret_tables, struct db *totals, struct error *err)
{
    struct store_rollups *tables = calloc(1, sizeof(*tables));
    if (tables == NULL)
        return error_set(err, E_NOMEM, "%s: out of memory", db_path(totals));
    tables->totals = totals;
    for (int i = 0; i < ROLLUP_COUNT; i++)
        make_sql(&tables->sql[i], &ROLLUPS[i]);
    *ret_tables = tables;
    return 0;
}

void store_rollups_destroy(struct store_rollups *tables)
{
    if (tables == NULL)
        return;
    for (int i = 0; i < ROLLUP_COUNT; i++) {
        struct rollup_sql *sql = &tables->sql[i];
        free(sql->count);
        free(sql->find);
        free(sql->add);
        for (int level = 0; level < LEVEL_COUNT; level++) {
            free(sql->load[level]);
            free(sql->write[level]);
        }
    }
    free(tables);
}

int store_series_count(struct store_rollups *tables, enum rollup_id rollup, uint64_t *ret_count,
                       struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(tables->totals, tables->sql[rollup].count, &st, err);
    if (r != 0 || (r = db_step(st, err)) < 0)
        return r;
    *ret_count = db_u64(st, 0);
    db_stmt_done(st);
    return 0;
}

static void bind_labels(struct db_stmt *st, struct str labels)
{
    struct str values[DIMS_MAX];
    unsigned n = labels_split(labels, values);
    for (unsigned i = 0; i < n; i++)
        db_bind_text(st, (int)i + 1, values[i]);
}

int store_series_find(struct store_rollups *tables, enum rollup_id rollup, struct str labels,
                      int64_t *ret_id, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(tables->totals, tables->sql[rollup].find, &st, err);
    if (r != 0)
        return r;
    bind_labels(st, labels);
    r = db_step(st, err);
    if (r < 0)
        return r;
    *ret_id = r == DB_ROW ? db_i64(st, 0) : 0;
    db_stmt_done(st);
    return 0;
}

int store_series_add(struct store_rollups *tables, enum rollup_id rollup, struct str labels,
                     int64_t *ret_id, struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(tables->totals, tables->sql[rollup].add, &st, err);
    if (r != 0)
        return r;
    bind_labels(st, labels);
    r = db_run(st, err);
    if (r == 0)
        *ret_id = db_last_rowid(tables->totals);
    return r;
}

int store_cell_load(struct store_rollups *tables, struct cell_key key, struct cell_values *values,
                    struct error *err)
{
    const struct rollup_def *def = &ROLLUPS[key.rollup];
    struct db_stmt *st;
    int r = db_stmt_get(tables->totals, tables->sql[key.rollup].load[key.level], &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, key.begin.us);
    db_bind_i64(st, 2, key.series);
    r = db_step(st, err);
    if (r != DB_ROW)
        return r;
    int column = 1;
    for (int i = 0; def->sums[i] != MEASURE_NONE; i++)
        values->sums[i] += db_u64(st, column++);
    r = 0;
    for (int i = 0; def->hists[i] != MEASURE_NONE && r == 0; i++)
        r = hist_decode_add(&values->hists[i], db_blob(st, column++));
    db_stmt_done(st);
    if (r != 0)
        return error_set(err, r, "%s: a histogram in %s_%s is damaged", db_path(tables->totals),
                         def->name, level_name(key.level));
    return 0;
}

int store_cell_write(struct store_rollups *tables, struct cell_key key,
                     const struct cell_values *values, struct error *err)
{
    const struct rollup_def *def = &ROLLUPS[key.rollup];
    char mem[HISTS_MAX][HIST_BLOB_MAX];
    struct db_stmt *st;
    int r = db_stmt_get(tables->totals, tables->sql[key.rollup].write[key.level], &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, key.begin.us);
    db_bind_i64(st, 2, key.series);
    int param = 3;
    for (int i = 0; def->sums[i] != MEASURE_NONE; i++)
        db_bind_u64(st, param++, values->sums[i]);
    for (int i = 0; def->hists[i] != MEASURE_NONE; i++) {
        struct buf blob;
        buf_init_fixed(&blob, mem[i], sizeof(mem[i]));
        hist_encode(&values->hists[i], &blob);
        CHECK(buf_finish(&blob) == 0);
        db_bind_blob(st, param++, buf_str(&blob));
    }
    return db_run(st, err);
}

/* One table: all cells of its oldest unit, where that is old enough. */
static int forget_oldest(struct db *totals, const char *sql, struct wall before, bool *ret_more,
                         struct error *err)
{
    struct db_stmt *st;
    int r = db_stmt_get(totals, sql, &st, err);
    if (r != 0)
        return r;
    db_bind_i64(st, 1, before.us);
    r = db_run(st, err);
    if (r == 0 && db_changes(totals) > 0)
        *ret_more = true;
    return r;
}

/* clang-format off: a row a roll-up and a column a level */
#define FORGET(name, level)                                                                        \
    "DELETE FROM " name "_" level " WHERE begin_us = (SELECT min(begin_us) FROM " name "_" level   \
    ") AND begin_us < ?1"
static const char *const SQL_FORGET[ROLLUP_COUNT][LEVEL_COUNT] = {
#define ROLLUP(name, ...) {FORGET(#name, "minute"), FORGET(#name, "hour"), FORGET(#name, "day")},
#define METRIC(...)
#include "analytics/rollups.def"
#undef ROLLUP
#undef METRIC
};
/* clang-format on */

int store_cells_forget(struct db *totals, enum level level, struct wall before, bool *ret_more,
                       struct error *err)
{
    bool more = false;
    int r = 0;
    for (int i = 0; i < ROLLUP_COUNT && r == 0; i++)
        r = forget_oldest(totals, SQL_FORGET[i][level], before, &more, err);
    if (r == 0)
        *ret_more = more;
    return r;
}
