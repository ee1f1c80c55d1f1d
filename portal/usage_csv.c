/* SPDX-License-Identifier: Apache-2.0 */
/* Usage as CSV (RFC 4180): the points of the same view that is told as JSON, one a line. */
#include "portal/usage.h"

#define CSV_BYTES_MAX (2U << 20) /* some 120 bytes a point, USAGE_POINTS_MAX of them */

static void add_point(void *ctx, const struct usage_point *p)
{
    struct buf *csv = ctx;
    char at[CLOCK_TEXT_MAX];
    size_t n = wall_format(p->begin, at);
    buf_add(csv, at, n);
    const uint64_t counts[] = {p->requests, p->metered,  p->errors,   p->refused,
                               p->gone,     p->bytes_in, p->bytes_out};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        buf_add_char(csv, ',');
        buf_add_u64(csv, counts[i]);
    }
    buf_printf(csv, ",%.3f,%.3f,%.3f\r\n", (double)p->p50_us / US_PER_MS,
               (double)p->p95_us / US_PER_MS, (double)p->p99_us / US_PER_MS);
}

void usage_csv_get(struct endpoint_call *call)
{
    struct usage_view view;
    struct buf csv;
    struct reply reply = {.status = 200, .type = STR("text/csv; charset=utf-8")};
    if (!usage_view_make(call, &view))
        return;
    buf_init(&csv, CSV_BYTES_MAX);
    buf_add_lit(&csv, "time,requests,metered,errors,refused,gone,bytes_in,bytes_out,p50_ms,p95_ms,"
                      "p99_ms\r\n");
    usage_view_each(&view, add_point, &csv);
    usage_view_finish(&view);
    if (buf_finish(&csv) == 0) {
        reply.body = buf_str(&csv);
        reply_add(&reply, STR("Content-Disposition"), STR("attachment; filename=\"usage.csv\""));
        endpoint_send(call, &reply, ENDPOINT_NO_STORE);
    } else {
        endpoint_fail(call, 503, STR("The answer is too large."));
    }
    buf_free(&csv);
}
