/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/reply.h"

#include "base/http/accept.h"
#include "base/jsonw.h"

/* One row a status; the index is what follows the hundreds. */
#define PHRASES_PER_CLASS 52
static const char *const PHRASES[][PHRASES_PER_CLASS] = {
    {[0] = "Continue", [1] = "Switching Protocols", [3] = "Early Hints"},
    {[0] = "OK",
     [1] = "Created",
     [2] = "Accepted",
     [3] = "Non-Authoritative Information",
     [4] = "No Content",
     [5] = "Reset Content",
     [6] = "Partial Content"},
    {[0] = "Multiple Choices",
     [1] = "Moved Permanently",
     [2] = "Found",
     [3] = "See Other",
     [4] = "Not Modified",
     [5] = "Use Proxy",
     [7] = "Temporary Redirect",
     [8] = "Permanent Redirect"},
    {[0] = "Bad Request",
     [1] = "Unauthorized",
     [2] = "Payment Required",
     [3] = "Forbidden",
     [4] = "Not Found",
     [5] = "Method Not Allowed",
     [6] = "Not Acceptable",
     [7] = "Proxy Authentication Required",
     [8] = "Request Timeout",
     [9] = "Conflict",
     [10] = "Gone",
     [11] = "Length Required",
     [12] = "Precondition Failed",
     [13] = "Content Too Large",
     [14] = "URI Too Long",
     [15] = "Unsupported Media Type",
     [16] = "Range Not Satisfiable",
     [17] = "Expectation Failed",
     [21] = "Misdirected Request",
     [22] = "Unprocessable Content",
     [25] = "Too Early",
     [26] = "Upgrade Required",
     [28] = "Precondition Required",
     [29] = "Too Many Requests",
     [31] = "Request Header Fields Too Large",
     [51] = "Unavailable For Legal Reasons"},
    {[0] = "Internal Server Error",
     [1] = "Not Implemented",
     [2] = "Bad Gateway",
     [3] = "Service Unavailable",
     [4] = "Gateway Timeout",
     [5] = "HTTP Version Not Supported",
     [11] = "Network Authentication Required"},
};

struct str http_status_phrase(unsigned status)
{
    unsigned class = status / 100, rest = status % 100;
    if (class < 1 || class > ARRAY_LEN(PHRASES) || rest >= PHRASES_PER_CLASS)
        return STR_EMPTY;
    return str_from(PHRASES[class - 1][rest]);
}

void http_date(char out[static HTTP_DATE_SIZE])
{
    static _Thread_local int64_t second = INT64_MIN;
    static _Thread_local char text[CLOCK_TEXT_MAX];
    struct wall now = clock_wall();
    if (now.us / US_PER_S != second) {
        second = now.us / US_PER_S;
        wall_format_http(now, text);
    }
    memcpy(out, text, HTTP_DATE_SIZE);
    out[HTTP_DATE_SIZE - 1] = '\0';
}

void reply_add(struct reply *reply, struct str name, struct str value)
{
    CHECK(reply->field_count < REPLY_FIELDS_MAX);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c < ' ' || c == 0x7f)
            return;
    }
    reply->fields[reply->field_count++] = (struct reply_field){.name = name, .value = value};
}

static void add_field(struct buf *head, struct str name, struct str value)
{
    buf_add_str(head, name);
    buf_add_lit(head, ": ");
    buf_add_str(head, value);
    buf_add_lit(head, "\r\n");
}

/* Whether the answer to this status has no body by definition (RFC 9112 §6.3). */
static bool is_bodiless(unsigned status)
{
    return status < 200 || status == 204 || status == 304;
}

static void add_connection(struct buf *head, const struct http_conn *conn)
{
    if (conn->close)
        buf_add_lit(head, "Connection: close\r\n");
    else if (conn->head->minor == 0)
        buf_add_lit(head, "Connection: keep-alive\r\n"); /* it asked for it: head->close is false */
}

static void compose_head(struct buf *head, const struct http_conn *conn, const struct reply *reply,
                         unsigned status)
{
    char date[HTTP_DATE_SIZE];
    http_date(date);
    buf_printf(head, "HTTP/1.1 %u %" STR_FMT "\r\n", status, STR_ARG(http_status_phrase(status)));
    add_field(head, STR("Date"), str_from(date));
    if (!is_bodiless(status)) {
        buf_printf(head, "Content-Length: %zu\r\n", reply->body.n);
        if (reply->type.n > 0)
            add_field(head, STR("Content-Type"), reply->type);
        if (reply->coding.n > 0)
            add_field(head, STR("Content-Encoding"), reply->coding);
    }
    if (reply->etag.n > 0)
        add_field(head, STR("ETag"), reply->etag);
    for (unsigned i = 0; i < reply->field_count; i++)
        add_field(head, reply->fields[i].name, reply->fields[i].value);
    add_connection(head, conn);
    buf_add_lit(head, "\r\n");
}

/* A refused head was not parsed to its end: only its method may be looked at. */
static bool asks_for_head_only(const struct http_conn *conn)
{
    return str_eq(conn->head->method, STR("HEAD"));
}

/* Whether the client has this representation already (RFC 9110 §13.1.2). */
static bool is_fresh(const struct http_conn *conn, const struct reply *reply)
{
    bool reads = asks_for_head_only(conn) || str_eq(conn->head->method, STR("GET"));
    return conn->fault == 0 && reply->status == 200 && reply->etag.n > 0 && reads &&
           http_etag_matches(conn->head, reply->etag);
}

int reply_send(struct http_conn *conn, const struct reply *reply)
{
    char room[REPLY_HEAD_MAX];
    struct buf head;
    if (conn->fault != 0 || http_wants_back(conn) || conn->head->close)
        conn->close = true;
    http_settle_body(conn);
    unsigned status = is_fresh(conn, reply) ? 304 : reply->status;
    buf_init_fixed(&head, room, sizeof(room));
    compose_head(&head, conn, reply, status);
    int r = buf_finish(&head);
    if (r != 0) {
        conn->close = true;
        return r;
    }
    struct iovec iov[2] = {
        {.iov_base = head.p, .iov_len = head.n},
        {.iov_base = (void *)(uintptr_t)reply->body.p, .iov_len = reply->body.n},
    };
    bool has_body = reply->body.n > 0 && !is_bodiless(status) && !asks_for_head_only(conn);
    return http_send(conn, iov, has_body ? 2 : 1);
}

void reply_problem(struct reply *reply, struct arena *arena, unsigned status, struct str detail)
{
    struct buf text;
    struct jsonw w;
    buf_init(&text, HTTP_ARENA_BYTES);
    jsonw_init(&w, &text);
    jsonw_object(&w);
    jsonw_key(&w, "type"), jsonw_cstr(&w, "about:blank");
    jsonw_key(&w, "title"), jsonw_str(&w, http_status_phrase(status));
    jsonw_key(&w, "status"), jsonw_u64(&w, status);
    if (detail.n > 0)
        jsonw_key(&w, "detail"), jsonw_str(&w, detail);
    jsonw_end(&w);
    buf_add_char(&text, '\n');
    reply->status = status;
    reply->type = STR("application/problem+json");
    reply->body = buf_finish(&text) == 0 ? arena_dup(arena, buf_str(&text)) : STR_EMPTY;
    buf_free(&text);
}

int reply_fault(struct http_conn *conn)
{
    struct reply reply = {.status = conn->fault};
    reply_problem(&reply, http_arena(conn), conn->fault, str_from(conn->why));
    return reply_send(conn, &reply);
}
