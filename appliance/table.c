/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/table.h"

#include "base/jsonw.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* How much of a text is held back to find the columns' widths. */
#define HOLD_ROWS 1000
#define HOLD_BYTES (1UL << 20)
#define TEXT_MAX ((size_t)256 << 20) /* one row, and what is held */
#define WRITE_AT (64UL * 1024)

enum cell_kind { CELL_STR, CELL_NUMBER, CELL_NULL };

struct cell {
    size_t at, n; /* its bytes in `held` */
    enum cell_kind kind;
};

struct column {
    size_t width; /* in characters */
    bool words;   /* to the left: it has no number, or a cell that is none */
    bool numbers; /* it has a number */
    size_t name_at, name_n;
};

struct table {
    FILE *out;
    enum table_format format;
    bool clean; /* somebody looks at it: nothing may move the cursor */
    struct column *columns;
    size_t column_count, column_cap;
    struct buf names;
    struct cell *cells; /* of a text's rows that are held back; else of the row that is made */
    size_t cell_count, cell_cap;
    struct buf held; /* the bytes of the cells */
    struct buf line; /* what is ready to be written */
    bool flowing;    /* the header is written */
    uint64_t rows;   /* written */
    int failed;      /* errno of a write that failed */
};

int table_format_find(struct str name, enum table_format *ret_format)
{
    static const struct str names[] = {[TABLE_TEXT] = STR_INIT("table"),
                                       [TABLE_CSV] = STR_INIT("csv"),
                                       [TABLE_JSON] = STR_INIT("json")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq(names[i], name)) {
            *ret_format = (enum table_format)i;
            return 0;
        }
    }
    return E_INVALID;
}

struct table *table_create(FILE *out, enum table_format format)
{
    struct table *t = calloc(1, sizeof(*t));
    CHECK(t != NULL);
    t->out = out;
    t->format = format;
    t->clean = format == TABLE_TEXT || isatty(fileno(out));
    buf_init(&t->names, TEXT_MAX);
    buf_init(&t->held, TEXT_MAX);
    buf_init(&t->line, TEXT_MAX);
    return t;
}

void table_destroy(struct table *table)
{
    if (table == NULL)
        return;
    buf_free(&table->names);
    buf_free(&table->held);
    buf_free(&table->line);
    free(table->columns);
    free(table->cells);
    free(table);
}

static void *grown(void *items, size_t *cap, size_t size)
{
    *cap = *cap > 0 ? *cap * 2 : 16;
    items = reallocarray(items, *cap, size);
    CHECK(items != NULL);
    return items;
}

void table_clean(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        struct str one = str_slice(s, i, i + n);
        bool control = c < 0x20 || c == 0x7f;
        /* U+0080 to U+009F control as well */
        control |= c == 0xc2 && one.n == 2 && (unsigned char)one.p[1] < 0xa0;
        if (control || !str_is_utf8(one)) {
            buf_add_char(out, '?');
            i += control ? n : 1;
            continue;
        }
        buf_add_str(out, one);
        i += n;
    }
}

/* In characters, each taken as one column wide. */
static size_t width_of(struct str s)
{
    size_t width = 0;
    for (size_t i = 0; i < s.n; i++)
        width += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return width;
}

static struct str column_name(const struct table *t, size_t i)
{
    return str_slice(buf_str(&t->names), t->columns[i].name_at,
                     t->columns[i].name_at + t->columns[i].name_n);
}

static struct str cell_text(const struct table *t, const struct cell *cell)
{
    return str_slice(buf_str(&t->held), cell->at, cell->at + cell->n);
}

void table_column(struct table *table, struct str name)
{
    struct table *t = table;
    if (t->column_count == t->column_cap)
        t->columns = grown(t->columns, &t->column_cap, sizeof(*t->columns));
    struct column *c = &t->columns[t->column_count++];
    *c = (struct column){.name_at = t->names.n};
    if (t->format == TABLE_TEXT)
        table_clean(&t->names, name);
    else
        buf_add_str(&t->names, name);
    c->name_n = t->names.n - c->name_at;
    c->width = width_of(column_name(t, t->column_count - 1));
}

/* --- writing --- */

static void write_line(struct table *t)
{
    if (t->line.n > 0 && t->failed == 0 && fwrite(t->line.p, 1, t->line.n, t->out) != t->line.n)
        t->failed = errno != 0 ? errno : EIO;
    buf_clear(&t->line);
}

static void pad(struct buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_char(out, ' ');
}

static void add_text(struct table *t, size_t column, struct str s)
{
    const struct column *c = &t->columns[column];
    size_t width = width_of(s);
    size_t space = c->width > width ? c->width - width : 0;
    bool last = column + 1 == t->column_count;
    if (column > 0)
        buf_add_lit(&t->line, "  ");
    if (!c->words)
        pad(&t->line, space);
    buf_add_str(&t->line, s);
    if (c->words && !last)
        pad(&t->line, space);
    if (last)
        buf_add_char(&t->line, '\n');
}

static void add_csv(struct table *t, size_t column, struct str s)
{
    bool quote = s.n == 0 && t->column_count == 1; /* else a line of nothing */
    for (size_t i = 0; i < s.n && !quote; i++)
        quote = s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r';
    if (column > 0)
        buf_add_char(&t->line, ',');
    if (quote)
        buf_add_char(&t->line, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_add_char(&t->line, '"');
        buf_add_char(&t->line, s.p[i]);
    }
    if (quote)
        buf_add_char(&t->line, '"');
    if (column + 1 == t->column_count)
        buf_add_char(&t->line, '\n');
}

/* Whether JSON has this form of a number: SQLite also says Inf and -Inf. */
static bool is_json_number(struct str s)
{
    struct str digits = str_starts(s, STR("-")) ? str_slice(s, 1, s.n) : s;
    return digits.n > 0 && digits.p[0] >= '0' && digits.p[0] <= '9';
}

static void add_json(struct table *t, size_t column, const struct cell *cell)
{
    struct str s = cell_text(t, cell);
    if (column == 0)
        buf_add_cstr(&t->line, t->rows > 0 ? ",\n{" : "\n{");
    else
        buf_add_char(&t->line, ',');
    jsonw_quote(&t->line, column_name(t, column));
    buf_add_char(&t->line, ':');
    if (cell->kind == CELL_STR)
        jsonw_quote(&t->line, s);
    else if (cell->kind == CELL_NUMBER && is_json_number(s))
        buf_add_str(&t->line, s);
    else
        buf_add_lit(&t->line, "null");
    if (column + 1 == t->column_count)
        buf_add_char(&t->line, '}');
}

static void add_header(struct table *t)
{
    t->flowing = true;
    if (t->format == TABLE_JSON)
        buf_add_char(&t->line, '[');
    for (size_t i = 0; i < t->column_count && t->format != TABLE_JSON; i++) {
        if (t->format == TABLE_CSV)
            add_csv(t, i, column_name(t, i));
        else
            add_text(t, i, column_name(t, i));
    }
}

static void add_row(struct table *t, const struct cell *cells)
{
    for (size_t i = 0; i < t->column_count; i++) {
        struct str s = cell_text(t, &cells[i]);
        switch (t->format) {
        case TABLE_TEXT:
            add_text(t, i, s.n == 0 ? STR("-") : s);
            break;
        case TABLE_CSV:
            add_csv(t, i, s);
            break;
        case TABLE_JSON:
            add_json(t, i, &cells[i]);
            break;
        }
    }
    t->rows++;
}

static void find_widths(struct table *t)
{
    for (size_t i = 0; i < t->column_count; i++)
        t->columns[i].words = t->columns[i].numbers = false;
    for (size_t i = 0; i < t->cell_count && t->column_count > 0; i++) {
        struct column *c = &t->columns[i % t->column_count];
        size_t width = width_of(cell_text(t, &t->cells[i]));
        if (width > c->width)
            c->width = width;
        c->words |= t->cells[i].kind == CELL_STR;
        c->numbers |= t->cells[i].kind == CELL_NUMBER;
    }
    for (size_t i = 0; i < t->column_count; i++)
        t->columns[i].words |= !t->columns[i].numbers;
}

/* Writes all rows that are held. */
static void release(struct table *t)
{
    if (!t->flowing) {
        if (t->format == TABLE_TEXT)
            find_widths(t);
        add_header(t);
    }
    for (size_t i = 0; i + t->column_count <= t->cell_count; i += t->column_count) {
        add_row(t, &t->cells[i]);
        if (t->line.n >= WRITE_AT)
            write_line(t);
    }
    t->cell_count = 0;
    buf_clear(&t->held);
}

/* The cell whose bytes were appended to `held` from `at` on. */
static void add_cell(struct table *t, size_t at, enum cell_kind kind)
{
    CHECK(t->column_count > 0);
    if (t->cell_count == t->cell_cap)
        t->cells = grown(t->cells, &t->cell_cap, sizeof(*t->cells));
    t->cells[t->cell_count++] = (struct cell){.at = at, .n = t->held.n - at, .kind = kind};
    if (t->cell_count % t->column_count != 0)
        return;
    bool hold = t->format == TABLE_TEXT && !t->flowing &&
                t->cell_count / t->column_count < HOLD_ROWS && t->held.n < HOLD_BYTES;
    if (!hold)
        release(t);
}

/* --- cells --- */

void table_str(struct table *table, struct str value)
{
    size_t at = table->held.n;
    if (table->clean)
        table_clean(&table->held, value);
    else
        buf_add_str(&table->held, value);
    add_cell(table, at, CELL_STR);
}

void table_u64(struct table *table, uint64_t value)
{
    size_t at = table->held.n;
    buf_add_u64(&table->held, value);
    add_cell(table, at, CELL_NUMBER);
}

void table_number(struct table *table, struct str text)
{
    size_t at = table->held.n;
    buf_add_str(&table->held, text);
    add_cell(table, at, CELL_NUMBER);
}

void table_blob(struct table *table, struct str value)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = table->held.n;
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        buf_add_char(&table->held, digits[c >> 4]);
        buf_add_char(&table->held, digits[c & 15]);
    }
    add_cell(table, at, CELL_STR);
}

void table_null(struct table *table)
{
    add_cell(table, table->held.n, CELL_NULL);
}

void table_time(struct table *table, struct wall t)
{
    char text[CLOCK_TEXT_MAX];
    if (t.us == 0) {
        table_null(table);
        return;
    }
    size_t at = table->held.n;
    struct str s = str_make(text, wall_format(t, text));
    buf_add_str(&table->held, str_slice(s, 0, str_find_char(s, '.', 0)));
    buf_add_char(&table->held, 'Z');
    add_cell(table, at, CELL_STR);
}

int table_finish(struct table *table, struct error *err)
{
    struct table *t = table;
    release(t);
    if (t->format == TABLE_JSON)
        buf_add_cstr(&t->line, t->rows > 0 ? "\n]\n" : "]\n");
    bool cut = buf_finish(&t->line) != 0 || buf_finish(&t->held) != 0;
    write_line(t);
    if (fflush(t->out) != 0 && t->failed == 0)
        t->failed = errno;
    int e = t->failed;
    table_destroy(t);
    if (e != 0)
        return error_set_errno(err, E_IO, e, "the rows could not be written");
    if (cut)
        return error_set(err, E_TOO_LARGE, "a row is too large to be shown");
    return 0;
}
