/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of requests as CSV (RFC 4180), the newest first, narrowed like the list. What is longer
 * than CSV_ROWS_MAX is left at the end of a page, and the next one is named (RFC 8288), so that
 * whoever follows the links has every row once.
 */
#include "portal/queries.h"
#include "portal/request_log.h"

#define CSV_PAGE 500
#define CSV_ROWS_MAX 10000
#define CSV_BYTES_FULL (8U << 20) /* no page is begun beyond this */
#define CSV_BYTES_MAX (CSV_BYTES_FULL + CSV_PAGE * (size_t)(16U << 10))
#define CSV_LOOKS_MAX 20 /* pages that may be short or empty: a filter of what is rare */

/*
 * A spreadsheet takes what begins with one of these for a formula and runs it: clients choose their
 * paths and methods, so an apostrophe goes before it, as OWASP advises.
 */
static bool is_formula(struct str s)
{
    const struct str firsts = STR("=+-@\t\r");
    return s.n > 0 && str_find_char(firsts, s.p[0], 0) < firsts.n;
}

static void add_text(struct buf *csv, struct str s)
{
    buf_add_lit(csv, ",\"");
    if (is_formula(s))
        buf_add_char(csv, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_add_char(csv, '"');
        buf_add_char(csv, s.p[i]);
    }
    buf_add_char(csv, '"');
}

static int add_row(void *ctx, const struct row *row)
{
    struct buf *csv = ctx;
    const struct record *record = &row->record;
    char at[CLOCK_TEXT_MAX], id[UUID_TEXT_LEN], ip[IP_TEXT_MAX];
    buf_add(csv, at, wall_format(record->time, at));
    uuid_format(record->request_id, id);
    ip_format(record->client_ip, ip);
    const struct str texts[] = {str_make(id, sizeof(id)),
                                record->app,
                                record->api,
                                record->route,
                                http_method_name(record->method),
                                record->path,
                                reason_row(record->reason)->code,
                                record->key,
                                record->plan,
                                str_from(ip)};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        add_text(csv, texts[i]);
    buf_printf(csv, ",%u,%d,%llu,%llu,%.3f,%.3f\r\n", record->status, record->metered,
               (unsigned long long)record->bytes_in, (unsigned long long)record->bytes_out,
               (double)record->duration_us / US_PER_MS, (double)record->upstream_us / US_PER_MS);
    return 0;
}

/* Fills `csv`; *ret_next is the place to go on from, or 0. */
static int add_rows(struct endpoint_call *call, struct log_ask *ask, struct buf *csv,
                    uint64_t *ret_next, struct error *err)
{
    struct log_page page;
    unsigned rows = 0, looks = 0;
    do {
        ask->limit = CSV_PAGE;
        int r = request_log_page(call, ask, add_row, csv, &page, err);
        if (r != 0)
            return r;
        rows += page.rows;
        ask->place = *ret_next = page.next;
    } while (page.next != 0 && rows + CSV_PAGE <= CSV_ROWS_MAX && ++looks < CSV_LOOKS_MAX &&
             buf_str(csv).n < CSV_BYTES_FULL);
    return 0;
}

/* The same address from another place on. */
static void add_next(struct endpoint_call *call, struct reply *reply, uint64_t next)
{
    struct arena *arena = http_arena(call->conn);
    struct str rest = call->target.query, kept = STR_EMPTY;
    while (rest.n > 0) {
        struct str part = str_cut(&rest, '&');
        if (part.n > 0 && !str_starts(part, STR("after=")) && str_find_char(part, '>', 0) == part.n)
            kept = arena_printf(arena, "%" STR_FMT "&%" STR_FMT, STR_ARG(kept), STR_ARG(part));
    }
    reply_add(reply, STR("Link"),
              arena_printf(arena, "<requests.csv?after=%llu%" STR_FMT ">; rel=\"next\"",
                           (unsigned long long)next, STR_ARG(kept)));
}

void requests_csv_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct log_ask ask;
    struct buf csv;
    struct reply reply = {.status = 200, .type = STR("text/csv; charset=utf-8")};
    uint64_t next = 0;
    if (!request_log_read(call, &ask))
        return;
    buf_init(&csv, CSV_BYTES_MAX);
    buf_add_lit(&csv, "time,id,app,api,route,method,path,reason,key,plan,client_ip,status,metered,"
                      "bytes_in,bytes_out,duration_ms,upstream_ms\r\n");
    int r = add_rows(call, &ask, &csv, &next, &err);
    if (r == 0)
        r = buf_finish(&csv);
    if (r != 0) {
        buf_free(&csv);
        queries_fail(call, r, &err);
        return;
    }
    reply.body = buf_str(&csv);
    reply_add(&reply, STR("Content-Disposition"), STR("attachment; filename=\"requests.csv\""));
    if (next != 0)
        add_next(call, &reply, next);
    endpoint_send(call, &reply, ENDPOINT_NO_STORE);
    buf_free(&csv);
}
