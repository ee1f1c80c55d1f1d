/* SPDX-License-Identifier: Apache-2.0 */
/* The heads that go on: what is passed, what is ours, what stays behind. */
#include "gateway/answer.h"
#include "gateway/forward.h"
#include "gateway/inside.h"

#include "base/http/reply.h"
#include "base/secret.h"

static void add_field(struct buf *out, struct str name, struct str value)
{
    buf_add_str(out, name);
    buf_add_lit(out, ": ");
    buf_add_str(out, value);
    buf_add_lit(out, "\r\n");
}

/* The query without the parameter that carried the key. */
static void add_query_without(struct buf *out, struct str query, struct str param)
{
    struct str rest = query;
    bool first = true;
    while (rest.p != NULL) {
        struct str pair = str_cut(&rest, '&');
        if (str_eq(str_slice(pair, 0, str_find_char(pair, '=', 0)), param))
            continue;
        buf_add_char(out, first ? '?' : '&');
        buf_add_str(out, pair);
        first = false;
    }
}

void forward_target(struct req *req, struct buf *out, struct str prefix)
{
    struct str path = req->target.path;
    if (req->route->strip_path) {
        /* what was matched can be cut off the original only where the two are the same bytes */
        if (!str_eq(path, req->path))
            path = req->path;
        path = str_slice(path, req->match.prefix_len, path.n);
    }
    buf_add_str(out, prefix);
    if (path.n == 0 || path.p[0] != '/')
        buf_add_char(out, '/');
    buf_add_str(out, path);
    if (!req->target.has_query)
        return;
    const struct auth_conf *auth = &req->route->api->auth;
    /* also where the key was found elsewhere: what stands there is a key as well */
    if (auth->kind == AUTH_KEY && auth->query_param.n > 0 && !auth->forward_key) {
        add_query_without(out, req->target.query, auth->query_param);
        return;
    }
    buf_add_char(out, '?');
    buf_add_str(out, req->target.query);
}

/* Whether the field brings a key of our form, be it one that nobody asked for. */
static bool bears_our_key(struct str authorization)
{
    if (!str_starts_nocase(authorization, STR("Bearer ")))
        return false;
    struct str token = str_trim(str_slice(authorization, sizeof("Bearer ") - 1, authorization.n));
    return key_parse(token, NULL) != KEY_FOREIGN;
}

/* Fields that are not copied: they are this connection's, or ours, or the key. */
static bool stays_behind(const struct req *req, const struct head_field *f)
{
    if (f->hop_by_hop)
        return true;
    bool hide_key = !req->route->api->auth.forward_key;
    switch ((int)f->id) {
    case FIELD_HOST:
    case FIELD_CONTENT_LENGTH:
    case FIELD_EXPECT:
    case FIELD_X_REQUEST_ID:
    case FIELD_X_FORWARDED_FOR:
    case FIELD_X_FORWARDED_PROTO:
    case FIELD_X_FORWARDED_HOST:
    case FIELD_FORWARDED:
    case FIELD_VIA:
    case FIELD_TRACEPARENT:
        return true;
    case FIELD_X_API_KEY:
        return hide_key && req->route->api->auth.kind == AUTH_KEY;
    case FIELD_AUTHORIZATION:
        return hide_key && (req->key_source == KEY_FROM_BEARER || bears_our_key(f->value));
    default:
        return false;
    }
}

/* The values of all fields of that id, joined by commas, each followed by one: what ours is
 * appended to. */
static void add_existing(const struct req *req, struct buf *out, enum http_field id)
{
    if (head_find(req->head, id) == NULL)
        return;
    for (unsigned i = 0; i < req->head->count; i++) {
        if (req->head->fields[i].id == id && req->head->fields[i].value.n > 0) {
            buf_add_str(out, req->head->fields[i].value);
            buf_add_lit(out, ", ");
        }
    }
}

static void add_or_pass(struct req *req, struct buf *out, const char *name, enum http_field id,
                        struct str ours)
{
    struct str theirs = req->via_proxy ? head_value(req->head, id) : STR_EMPTY;
    if (theirs.n > 0 || ours.n > 0)
        add_field(out, str_from(name), theirs.n > 0 ? theirs : ours);
}

static void add_forwarded(struct req *req, struct buf *out)
{
    char ip[IP_TEXT_MAX];
    struct str peer = str_make(ip, ip_format(req->conn->peer, ip));
    /* of the two only the one that was routed by is known to be a host (RFC 9112 §3.2.2) */
    struct str host = req->target.authority;
    if (host.n == 0)
        host = head_value(req->head, FIELD_HOST);
    bool v6 = str_find_char(peer, ':', 0) < peer.n;
    buf_add_lit(out, "X-Forwarded-For: ");
    if (req->via_proxy)
        add_existing(req, out, FIELD_X_FORWARDED_FOR);
    buf_add_str(out, peer);
    buf_add_lit(out, "\r\n");
    add_or_pass(req, out, "X-Forwarded-Proto", FIELD_X_FORWARDED_PROTO, STR("http"));
    add_or_pass(req, out, "X-Forwarded-Host", FIELD_X_FORWARDED_HOST, host);
    buf_add_lit(out, "Forwarded: ");
    if (req->via_proxy)
        add_existing(req, out, FIELD_FORWARDED);
    buf_add_cstr(out, v6 ? "for=\"[" : "for=");
    buf_add_str(out, peer);
    buf_add_cstr(out, v6 ? "]\"" : "");
    if (host.n > 0) {
        /* quoted: a port's colon is no token character (RFC 7239 §4) */
        buf_add_lit(out, ";host=\"");
        buf_add_str(out, host);
        buf_add_char(out, '"');
    }
    buf_add_lit(out, ";proto=http\r\nVia: ");
    add_existing(req, out, FIELD_VIA);
    buf_add_cstr(out, req->head->minor == 0 ? "1.0 weir\r\n" : "1.1 weir\r\n");
}

static void add_hex(struct buf *out, const unsigned char *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char *to = buf_reserve(out, 2 * n);
    if (to == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        to[2 * i] = digits[p[i] >> 4];
        to[2 * i + 1] = digits[p[i] & 15];
    }
    buf_advance(out, 2 * n);
}

static void add_ids(struct req *req, struct buf *out)
{
    struct str theirs = req->via_proxy ? head_value(req->head, FIELD_X_REQUEST_ID) : STR_EMPTY;
    if (theirs.n > 128 || !http_is_token(theirs))
        theirs = STR_EMPTY;
    add_field(out, STR("X-Request-Id"),
              theirs.n > 0 ? theirs : str_make(req->id_text, UUID_TEXT_LEN));
    buf_add_lit(out, "traceparent: 00-");
    add_hex(out, req->trace_id, sizeof(req->trace_id));
    buf_add_char(out, '-');
    add_hex(out, req->span_id, sizeof(req->span_id));
    buf_add_lit(out, "-01\r\n");
}

void forward_request_head(struct req *req, struct buf *out, struct str prefix, struct str host)
{
    const struct head *head = req->head;
    buf_add_str(out, head->method);
    buf_add_char(out, ' ');
    forward_target(req, out, prefix);
    buf_add_lit(out, " HTTP/1.1\r\n");
    add_field(out, STR("Host"), host);
    for (unsigned i = 0; i < head->count; i++) {
        if (!stays_behind(req, &head->fields[i]))
            add_field(out, head->fields[i].name, head->fields[i].value);
    }
    if (head->body == BODY_CHUNKED) {
        buf_add_lit(out, "Transfer-Encoding: chunked\r\n");
    } else if (head->has_length) {
        buf_add_lit(out, "Content-Length: ");
        buf_add_u64(out, head->content_length);
        buf_add_lit(out, "\r\n");
    }
    add_forwarded(req, out);
    add_ids(req, out);
    buf_add_lit(out, "\r\n");
}

/* Weir-Reason says why the gateway refused: an answer that was not refused has none, whatever the
 * upstream says. */
static bool answer_field_stays_behind(const struct head_field *f)
{
    return f->hop_by_hop || f->id == FIELD_CONTENT_LENGTH || f->id == FIELD_X_REQUEST_ID ||
           str_eq_nocase(f->name, STR("Weir-Reason"));
}

void forward_answer_head(struct req *req, const struct head *answer, bool chunked, struct buf *out)
{
    buf_add_lit(out, "HTTP/1.1 ");
    buf_add_u64(out, answer->status);
    buf_add_char(out, ' ');
    buf_add_str(out, answer->phrase);
    buf_add_lit(out, "\r\n");
    for (unsigned i = 0; i < answer->count; i++) {
        if (!answer_field_stays_behind(&answer->fields[i]))
            add_field(out, answer->fields[i].name, answer->fields[i].value);
    }
    if (head_find(answer, FIELD_DATE) == NULL) {
        char date[HTTP_DATE_SIZE];
        http_date(date);
        add_field(out, STR("Date"), str_from(date));
    }
    if (chunked) {
        buf_add_lit(out, "Transfer-Encoding: chunked\r\n");
    } else if (answer->has_length && answer->status != 204) { /* RFC 9110 §8.6 */
        buf_add_lit(out, "Content-Length: ");
        buf_add_u64(out, answer->content_length);
        buf_add_lit(out, "\r\n");
    }
    answer_common_fields(req, out);
    buf_add_lit(out, "\r\n");
}
