/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/endpoint.h"

#include "base/http/accept.h"
#include "portal/page.h"
#include "portal/settings.h"

#include <inttypes.h>

static const struct endpoint {
    enum endpoint_listener listener;
    enum http_method method;
    struct str path;
    endpoint_handler *handle;
} ENDPOINTS[] = {
#define X(listener, method, path, handler, doc)                                                    \
    {ENDPOINT_##listener, METHOD_##method, STR_INIT(path), handler},
#include "portal/endpoints.def"
#undef X
};

/* --- finding the row --- */

/* Whether the path is the row's, segment by segment; *ret_param is what stands for {param}. */
static bool path_matches(struct str row, struct str path, struct str *ret_param)
{
    *ret_param = STR_EMPTY;
    while (row.p != NULL && path.p != NULL) {
        struct str want = str_cut(&row, '/'), got = str_cut(&path, '/');
        bool is_param = str_starts(want, STR("{"));
        if (is_param ? got.n == 0 : !str_eq(want, got))
            return false;
        if (is_param)
            *ret_param = got;
    }
    return row.p == NULL && path.p == NULL;
}

struct match {
    const struct endpoint *row; /* NULL where no row takes path and method */
    struct str param;
    uint32_t methods; /* of all rows of that path: bit 1 << enum http_method */
};

/* Rows without a {param} win over those with one. */
static struct match find_row(enum endpoint_listener listener, struct str path,
                             enum http_method method)
{
    struct match match = {.row = NULL};
    if (method == METHOD_HEAD)
        method = METHOD_GET;
    for (size_t i = 0; i < ARRAY_LEN(ENDPOINTS); i++) {
        const struct endpoint *row = &ENDPOINTS[i];
        struct str param;
        if (row->listener != listener || !path_matches(row->path, path, &param))
            continue;
        match.methods |= UINT32_C(1) << row->method;
        if (row->method == method && (match.row == NULL || param.n == 0)) {
            match.row = row;
            match.param = param;
        }
    }
    return match;
}

/* --- answers --- */

bool endpoint_wants_page(const struct endpoint_call *call, bool otherwise)
{
    const struct head *head = call->conn->head;
    if (call->conn->fault != 0)
        return false; /* its fields were not read to their end */
    unsigned page = http_accept_type(head, STR("text/html"));
    unsigned json = http_accept_type(head, STR("application/json"));
    unsigned problem = http_accept_type(head, STR("application/problem+json"));
    unsigned data = json > problem ? json : problem;
    return page == data ? otherwise : page > data;
}

#define CONTENT_SECURITY_POLICY                                                                    \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "                   \
    "frame-ancestors 'none'; require-trusted-types-for 'script'"

void endpoint_send(struct endpoint_call *call, struct reply *reply, struct str cache)
{
    reply_add(reply, STR("Cache-Control"), cache);
    reply_add(reply, STR("X-Content-Type-Options"), STR("nosniff"));
    reply_add(reply, STR("Cross-Origin-Resource-Policy"), STR("same-origin"));
    if (str_starts(reply->type, STR("text/html"))) {
        reply_add(reply, STR("Content-Security-Policy"), STR(CONTENT_SECURITY_POLICY));
        reply_add(reply, STR("Cross-Origin-Opener-Policy"), STR("same-origin"));
        reply_add(reply, STR("Referrer-Policy"), STR("same-origin"));
    }
    if (reply_send(call->conn, reply) != 0)
        call->conn->close = true; /* the client left; there is nobody to tell */
}

/* Sends a text that was composed, and frees it. One that did not fit is a failure of ours. */
static void send_text(struct endpoint_call *call, struct reply *reply, struct buf *text,
                      struct str cache)
{
    char etag[24];
    if (buf_finish(text) != 0) {
        reply_problem(reply, http_arena(call->conn), 503, STR("The answer is too large."));
    } else {
        reply->body = buf_str(text);
        snprintf(etag, sizeof(etag), "\"%016" PRIx64 "\"", str_hash(reply->body));
        if (str_eq(cache, ENDPOINT_REVALIDATE))
            reply->etag = str_from(etag);
    }
    endpoint_send(call, reply, cache);
    buf_free(text);
}

void endpoint_send_json(struct endpoint_call *call, unsigned status, struct buf *json)
{
    struct reply reply = {.status = status, .type = STR("application/json")};
    buf_add_char(json, '\n');
    send_text(call, &reply, json, ENDPOINT_NO_STORE);
}

void endpoint_send_page(struct endpoint_call *call, unsigned status, struct buf *html)
{
    struct reply reply = {.status = status, .type = STR("text/html; charset=utf-8")};
    reply_add(&reply, STR("Vary"), STR("Accept"));
    send_text(call, &reply, html, status == 200 ? ENDPOINT_REVALIDATE : ENDPOINT_NO_STORE);
}

/* The same facts as a problem document holds, as a page. */
static void fail_with_page(struct endpoint_call *call, struct reply *reply, struct str detail)
{
    struct buf html;
    char title[64];
    snprintf(title, sizeof(title), "%u %" STR_FMT, reply->status,
             STR_ARG(http_status_phrase(reply->status)));
    page_begin(&html, call, str_from(title));
    buf_add_lit(&html, "<h1>");
    page_text(&html, str_from(title));
    buf_add_lit(&html, "</h1><p class=\"lead\">");
    page_text(&html, detail);
    buf_add_lit(&html, "</p>");
    page_end(&html, call);
    reply->type = STR("text/html; charset=utf-8");
    send_text(call, reply, &html, ENDPOINT_NO_STORE);
}

static void fail(struct endpoint_call *call, struct reply *reply, struct str detail)
{
    reply_add(reply, STR("Vary"), STR("Accept"));
    if (endpoint_wants_page(call, false)) {
        fail_with_page(call, reply, detail);
        return;
    }
    reply_problem(reply, http_arena(call->conn), reply->status, detail);
    endpoint_send(call, reply, ENDPOINT_NO_STORE);
}

void endpoint_fail(struct endpoint_call *call, unsigned status, struct str detail)
{
    struct reply reply = {.status = status};
    fail(call, &reply, detail);
}

static void fail_method(struct endpoint_call *call, uint32_t methods)
{
    struct reply reply = {.status = 405};
    struct arena *arena = http_arena(call->conn);
    struct str allow = STR_EMPTY;
    if (methods & UINT32_C(1) << METHOD_GET)
        methods |= UINT32_C(1) << METHOD_HEAD;
    for (enum http_method m = 0; m < METHOD_COUNT; m++) {
        if (methods & UINT32_C(1) << m)
            allow = arena_printf(arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(allow),
                                 allow.n > 0 ? ", " : "", STR_ARG(http_method_name(m)));
    }
    reply_add(&reply, STR("Allow"), allow);
    fail(call, &reply, arena_printf(arena, "This path takes %" STR_FMT ".", STR_ARG(allow)));
}

/* --- who may ask --- */

static bool is_local_name(struct str host)
{
    return str_eq(host, STR("localhost")) || str_ends(host, STR(".localhost"));
}

static bool is_address(struct str host)
{
    struct ip ip;
    if (str_starts(host, STR("[")))
        host = str_slice(host, 1, host.n - 1);
    return ip_parse(host, &ip) == 0;
}

/* The host of "https://admin.example.com:8443/x", in lower case into `out`. */
static struct str host_of_url(struct str url, char out[static 256])
{
    struct str host = STR_EMPTY;
    uint16_t port;
    size_t scheme = str_find(url, STR("://"));
    url = str_slice(url, scheme + 3, url.n);
    url = str_slice(url, 0, str_find_char(url, '/', 0));
    return target_host(url, out, &host, &port) == NULL ? host : STR_EMPTY;
}

/* A client that names no host (HTTP/1.0) is no browser, and so nobody's tool against another. */
static bool host_is_known(const struct endpoint_call *call)
{
    char name[256], own[256];
    struct str host;
    uint16_t port;
    struct str text = call->target.authority;
    if (text.n == 0)
        text = head_value(call->conn->head, FIELD_HOST);
    if (text.n == 0)
        return call->conn->head->minor == 0;
    if (target_host(text, name, &host, &port) != NULL)
        return false;
    return is_address(host) || is_local_name(host) ||
           str_eq(host, host_of_url(call->conf->admin_url, own));
}

static bool peer_is_admitted(const struct endpoint_call *call)
{
    return call->listener != ENDPOINT_ADMIN ||
           cidr_set_find(&call->conf->admin_allow, call->conn->peer) != NULL;
}

static void refuse_peer(struct endpoint_call *call)
{
    char ip[IP_TEXT_MAX];
    struct reply reply = {.status = 403};
    struct arena *arena = http_arena(call->conn);
    ip_format(call->conn->peer, ip);
    reply_problem(&reply, arena, 403,
                  arena_printf(arena, "The address %s is not in admin.allow.", ip));
    call->conn->close = true;
    endpoint_send(call, &reply, ENDPOINT_NO_STORE);
}

/* --- one request --- */

static void dispatch(struct endpoint_call *call)
{
    const struct head *head = call->conn->head;
    struct str path;
    const char *why = target_parse(&call->target, head->method, head->target);
    char *room = arena_alloc(http_arena(call->conn), head->target.n + 1);
    CHECK(room != NULL); /* the target is far below the arena's budget */
    if (why == NULL)
        why = target_normalize(call->target.path, room, &path);
    if (why != NULL) {
        endpoint_fail(call, 400, str_from(why));
        return;
    }
    if (call->listener == ENDPOINT_ADMIN && !host_is_known(call)) {
        endpoint_fail(call, 421,
                      STR("This listener answers under an address, localhost, or the host of "
                          "admin.url in the configuration."));
        return;
    }
    struct match match = find_row(call->listener, path, http_method_find(head->method));
    call->param = match.param;
    if (match.row != NULL)
        match.row->handle(call);
    else if (match.methods != 0)
        fail_method(call, match.methods);
    else
        endpoint_fail(call, 404, STR("There is nothing at this path."));
}

void endpoint_serve(struct portal *portal, enum endpoint_listener listener, struct http_conn *conn)
{
    struct settings *settings = settings_get(portal);
    struct endpoint_call call = {
        .conn = conn, .portal = portal, .conf = &settings->conf, .listener = listener};
    if (!peer_is_admitted(&call))
        refuse_peer(&call);
    else if (conn->fault != 0)
        endpoint_fail(&call, conn->fault, str_from(conn->why));
    else
        dispatch(&call);
    settings_put(portal, settings);
}

/* --- the query --- */

/* Decodes a name or value into `out`, which holds s.n bytes. False for what is no text. */
static bool decode(struct str s, char *out, struct str *ret_text)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint64_t c = (unsigned char)s.p[i];
        if (c == '%') {
            if (s.n - i < 3 || str_hex_to_u64(str_slice(s, i + 1, i + 3), 255, &c) != 0)
                return false;
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        if (c < ' ' || c == 0x7f)
            return false;
        out[n++] = (char)c;
    }
    *ret_text = str_make(out, n);
    return true;
}

bool endpoint_query(const struct endpoint_call *call, struct str name, struct str *ret_value)
{
    struct str rest = call->target.query, text;
    while (rest.p != NULL) {
        struct str value = str_cut(&rest, '&');
        struct str raw = str_cut(&value, '=');
        char *room = arena_alloc(http_arena(call->conn), raw.n + value.n + 1);
        if (room == NULL)
            return false;
        if (decode(raw, room, &text) && str_eq(text, name))
            return decode(value, room, ret_value);
    }
    return false;
}
