/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer.h"

#include "base/http/reply.h"
#include "base/jsonw.h"
#include "gateway/inside.h"
#include "gateway/record.h"

#include <stdio.h>

/* a detail and a base of nothing but what HTML or JSON escapes, and what is fixed around them */
#define PROBLEM_BODY_MAX (6 * REQ_DETAIL_MAX + 5 * GATEWAY_PROBLEM_BASE_MAX + 1024)
#define PROBLEM_URL_MAX (GATEWAY_PROBLEM_BASE_MAX + 64)
#define CLOSED_STATUS 499

static void leave_policies(struct req *req)
{
    if (req->route == NULL)
        return;
    const struct route_plan *plan = &req->snapshot->plans[req->match.route->index];
    while (req->entered > 0) {
        const struct policy *p = plan->policies[--req->entered];
        if (p->leave != NULL)
            p->leave(req);
    }
}

void answer_common_fields(struct req *req, struct buf *out)
{
    leave_policies(req);
    buf_add_lit(out, "X-Request-Id: ");
    buf_add(out, req->id_text, sizeof(req->id_text));
    buf_add_lit(out, "\r\n");
    buf_add_str(out, buf_str(&req->extra));
    if (req->reason != REASON_NONE) {
        buf_add_lit(out, "Weir-Reason: ");
        buf_add_str(out, reason_row(req->reason)->code);
        buf_add_lit(out, "\r\n");
    }
    if (http_wants_back(req->conn) || (req->head != NULL && req->head->close))
        req->conn->close = true;
    if (req->conn->close)
        buf_add_lit(out, "Connection: close\r\n");
    else if (req->head->minor == 0)
        buf_add_lit(out, "Connection: keep-alive\r\n");
}

/* --- the record --- */

static void commit(struct req *req, const struct record *record)
{
    struct ring *ring = req->lane->ring;
    size_t room = req->room;
    req->room = 0;
    req->sequence = room > 0 ? ring_commit_reserved(ring, record, room) : ring_commit(ring, record);
}

/* The answer was to be complete and is not. */
static void amend(struct req *req, struct record *record)
{
    record->time = clock_wall();
    record->status = CLOSED_STATUS;
    record->reason = REASON_CLIENT_CLOSED;
    record->bytes_out = req->conn->bytes_out;
    record->duration_us = (uint64_t)mono_since(clock_mono(), req->conn->began);
    ring_amend(req->lane->ring, req->sequence, record);
}

void answer_complete(struct req *req, struct iovec *iov, unsigned count, size_t pending)
{
    struct record record;
    record_fill(req, &record);
    record.bytes_out += pending;
    commit(req, &record);
    int r = http_send(req->conn, iov, count);
    if (req->sequence == 0)
        return; /* the ring was full: counted there */
    if (r != 0)
        amend(req, &record);
    ring_settle(req->lane->ring, req->sequence);
}

void answer_broken_off(struct req *req)
{
    struct record record;
    req->conn->close = true;
    if (req->sequence != 0)
        return;
    record_fill(req, &record);
    commit(req, &record);
    if (req->sequence != 0)
        ring_settle(req->lane->ring, req->sequence);
}

/* --- problems --- */

static bool wants_html(const struct req *req)
{
    struct str rest = req->conn->fault == 0 ? head_value(req->head, FIELD_ACCEPT) : STR_EMPTY;
    struct str element;
    /* a browser names text/html first; what a program sends does not begin with it */
    return http_list_next(&rest, &element) && str_starts_nocase(element, STR("text/html"));
}

static void add_hex(struct buf *b, const unsigned char *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        buf_add_char(b, digits[p[i] >> 4]);
        buf_add_char(b, digits[p[i] & 15]);
    }
}

static struct str detail_of(const struct req *req)
{
    return str_from(req->detail[0] != '\0' ? req->detail : reason_row(req->reason)->meaning);
}

static void add_json(struct req *req, struct buf *b)
{
    const struct reason_row *row = reason_row(req->reason);
    struct str base = req->gateway->options.problem_base;
    char url[PROBLEM_URL_MAX], trace[33];
    struct buf hex;
    struct jsonw w;
    jsonw_init(&w, b);
    jsonw_object(&w);
    snprintf(url, sizeof(url), "%" STR_FMT "/problems/%" STR_FMT, STR_ARG(base),
             STR_ARG(row->code));
    jsonw_key(&w, "type"), jsonw_cstr(&w, url);
    jsonw_key(&w, "title"), jsonw_cstr(&w, row->title);
    jsonw_key(&w, "status"), jsonw_u64(&w, req->status);
    jsonw_key(&w, "detail"), jsonw_str(&w, detail_of(req));
    snprintf(url, sizeof(url), "%" STR_FMT "/requests/%.*s", STR_ARG(base), UUID_TEXT_LEN,
             req->id_text);
    jsonw_key(&w, "instance"), jsonw_cstr(&w, url);
    jsonw_key(&w, "code"), jsonw_str(&w, row->code);
    jsonw_key(&w, "request_id"), jsonw_str(&w, str_make(req->id_text, UUID_TEXT_LEN));
    buf_init_fixed(&hex, trace, sizeof(trace));
    add_hex(&hex, req->trace_id, sizeof(req->trace_id));
    jsonw_key(&w, "trace_id"), jsonw_str(&w, buf_str(&hex));
    jsonw_end(&w);
    buf_add_char(b, '\n');
}

static void add_escaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '<':
            buf_add_lit(b, "&lt;");
            break;
        case '>':
            buf_add_lit(b, "&gt;");
            break;
        case '&':
            buf_add_lit(b, "&amp;");
            break;
        case '"':
            buf_add_lit(b, "&quot;");
            break;
        default:
            buf_add_char(b, s.p[i]);
        }
    }
}

static void add_html(struct req *req, struct buf *b)
{
    const struct reason_row *row = reason_row(req->reason);
    buf_printf(b,
               "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
               "content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">"
               "<title>%u %s</title><h1>%s</h1><p>",
               req->status, row->title, row->title);
    add_escaped(b, detail_of(req));
    buf_printf(b, "<p>%s<p><a href=\"", row->advice);
    add_escaped(b, req->gateway->options.problem_base);
    buf_printf(b, "/problems/%" STR_FMT "\">%" STR_FMT "</a> &middot; request <code>%.*s</code>\n",
               STR_ARG(row->code), STR_ARG(row->code), UUID_TEXT_LEN, req->id_text);
}

/* "GET, HEAD" of a set of methods. */
static void add_methods(struct buf *b, uint32_t methods)
{
    bool first = true;
    for (int m = METHOD_GET; m < METHOD_COUNT; m++) {
        if (!(methods & (UINT32_C(1) << m)))
            continue;
        if (!first)
            buf_add_lit(b, ", ");
        buf_add_str(b, http_method_name((enum http_method)m));
        first = false;
    }
}

static void add_problem_fields(struct req *req, struct buf *out)
{
    if (req->status == 401)
        buf_add_lit(out, "WWW-Authenticate: Bearer realm=\"weir\"\r\n");
    if (req->status == 405) {
        buf_add_lit(out, "Allow: ");
        add_methods(out, req->allow);
        buf_add_lit(out, "\r\n");
    }
    if (req->retry_after_s > 0)
        buf_printf(out, "Retry-After: %u\r\n", req->retry_after_s);
}

void answer_problem(struct req *req)
{
    char body_text[PROBLEM_BODY_MAX];
    struct buf out, body;
    bool html = wants_html(req);
    buf_init_fixed(&body, body_text, sizeof(body_text));
    buf_init_fixed(&out, req->out, req->out_cap);
    if (html)
        add_html(req, &body);
    else
        add_json(req, &body);
    CHECK(buf_finish(&body) == 0);
    if (req->conn->fault != 0)
        req->conn->close = true;
    http_settle_body(req->conn);

    struct str phrase = http_status_phrase(req->status);
    char date[HTTP_DATE_SIZE];
    http_date(date);
    buf_add_lit(&out, "HTTP/1.1 ");
    buf_add_u64(&out, req->status);
    buf_add_char(&out, ' ');
    buf_add_str(&out, phrase);
    buf_add_lit(&out, "\r\nDate: ");
    buf_add_cstr(&out, date);
    buf_add_cstr(&out,
                 html ? "\r\nContent-Type: text/html; charset=utf-8\r\nContent-Security-Policy: "
                        "default-src 'none'\r\nContent-Length: "
                      : "\r\nContent-Type: application/problem+json\r\nContent-Length: ");
    buf_add_u64(&out, body.n);
    buf_add_lit(&out, "\r\nCache-Control: no-store\r\n");
    add_problem_fields(req, &out);
    answer_common_fields(req, &out);
    buf_add_lit(&out, "\r\n");
    CHECK(buf_finish(&out) == 0);
    bool no_body = req->method == METHOD_HEAD;
    struct iovec iov[2] = {{.iov_base = out.p, .iov_len = out.n},
                           {.iov_base = body.p, .iov_len = no_body ? 0 : body.n}};
    answer_complete(req, iov, 2, iov[0].iov_len + iov[1].iov_len);
}

void answer_overloaded(struct buf *out, struct str problem_base)
{
    const struct reason_row *row = reason_row(REASON_OVERLOADED);
    char text[512];
    struct buf body;
    buf_init_fixed(&body, text, sizeof(text));
    buf_printf(&body,
               "{\"type\":\"%" STR_FMT "/problems/%" STR_FMT
               "\",\"title\":\"%s\",\"status\":503,\"code\":\"%" STR_FMT "\"}\n",
               STR_ARG(problem_base), STR_ARG(row->code), row->title, STR_ARG(row->code));
    CHECK(buf_finish(&body) == 0);
    buf_printf(out,
               "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
               "Content-Length: %zu\r\nRetry-After: 1\r\nWeir-Reason: %" STR_FMT
               "\r\nConnection: close\r\n\r\n",
               body.n, STR_ARG(row->code));
    buf_add_str(out, buf_str(&body));
}
