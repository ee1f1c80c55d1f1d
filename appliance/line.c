/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/line.h"

#include "appliance/table.h"

/* Widths in bytes; what is longer pushes the rest of its line to the right. */
#define TIME_WIDTH 12
#define METHOD_WIDTH 7
#define WHERE_WIDTH 20
#define APP_WIDTH 16
#define TOOK_WIDTH 9
#define PATH_WIDTH 32

static void add_column(struct buf *out, struct str s, size_t width)
{
    size_t from = out->n;
    table_clean(out, s.n > 0 ? s : STR("-"));
    while (out->n - from < width)
        buf_add_char(out, ' ');
    buf_add_char(out, ' ');
}

void line_header(struct buf *out)
{
    add_column(out, STR("TIME (UTC)"), TIME_WIDTH);
    add_column(out, STR("STATUS"), 6);
    buf_printf(out, "%*s ", TOOK_WIDTH + 3, "TOOK");
    add_column(out, STR("METHOD"), METHOD_WIDTH);
    add_column(out, STR("PATH"), PATH_WIDTH);
    add_column(out, STR("API/ROUTE"), WHERE_WIDTH);
    add_column(out, STR("APP"), APP_WIDTH);
    buf_add_lit(out, "REQUEST ID (weir explain), REASON\n");
}

/* Of the class of a status: green, cyan, yellow, red. */
static const char *color_of(uint32_t status)
{
    static const char *const colors[] = {"\x1b[32m", "\x1b[36m", "\x1b[33m", "\x1b[31m"};
    return status >= 200 && status < 600 ? colors[status / 100 - 2] : "";
}

static void add_where(const struct record *record, struct buf *out)
{
    char text[160];
    struct buf where;
    buf_init_fixed(&where, text, sizeof(text));
    buf_add_str(&where, record->api);
    if (record->route.n > 0 && !str_eq(record->route, STR("default"))) {
        buf_add_char(&where, '/');
        buf_add_str(&where, record->route);
    }
    add_column(out, buf_str(&where), WHERE_WIDTH);
}

void line_request(const struct record *record, struct line_style style, struct buf *out)
{
    char time[CLOCK_TEXT_MAX], id[UUID_TEXT_LEN];
    wall_format(record->time, time);
    uuid_format(record->request_id, id);
    add_column(out, str_make(time + 11, TIME_WIDTH), TIME_WIDTH); /* 18:04:05.123 */
    buf_printf(out, "%s%-6u%s ", style.color ? color_of(record->status) : "",
               (unsigned)record->status, style.color ? "\x1b[0m" : "");
    buf_printf(out, "%*.3f ms ", TOOK_WIDTH, (double)record->duration_us / 1000.0);
    add_column(out, http_method_name(record->method), METHOD_WIDTH);
    add_column(out, record->path, PATH_WIDTH);
    add_where(record, out);
    add_column(out, record->app, APP_WIDTH);
    buf_add(out, id, sizeof(id));
    if (record->reason != REASON_NONE) {
        buf_add_char(out, ' ');
        buf_add_str(out, reason_row(record->reason)->code);
    }
    buf_add_char(out, '\n');
}
