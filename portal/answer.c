/* SPDX-License-Identifier: Apache-2.0 */
/* How answers go out: headers that all of them have, pages and JSON, failures, captures. */
#include "base/http/accept.h"
#include "base/log.h"
#include "portal/endpoint_rows.h"
#include "portal/form.h"
#include "portal/page.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

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
    if (call->capture != NULL) {
        call->capture->status = reply->status;
        return; /* only JSON is captured, and that by endpoint_send_json() */
    }
    if (call->set_cookie.n > 0)
        reply_add(reply, STR("Set-Cookie"), call->set_cookie);
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
    if (call->wipe)
        buf_wipe(text);
    else
        buf_free(text);
}

void endpoint_json(struct buf *json, struct jsonw *w)
{
    buf_init(json, ENDPOINT_JSON_MAX);
    jsonw_init(w, json);
}

void endpoint_send_json(struct endpoint_call *call, unsigned status, struct buf *json)
{
    if (call->capture != NULL) {
        call->capture->status = buf_finish(json) == 0 ? status : 503;
        buf_init(&call->capture->body, ENDPOINT_JSON_MAX);
        buf_add_str(&call->capture->body, buf_str(json)); /* `json` may be in memory of a handler */
        buf_free(json);
        return;
    }
    struct reply reply = {.status = status, .type = STR("application/json")};
    buf_add_char(json, '\n');
    send_text(call, &reply, json, ENDPOINT_NO_STORE);
}

void endpoint_send_page(struct endpoint_call *call, unsigned status, struct buf *html)
{
    struct reply reply = {.status = status, .type = STR("text/html; charset=utf-8")};
    /* what a page tells a person is not kept for who comes after them at the same browser */
    bool kept = status == 200 && call->person == NULL;
    reply_add(&reply, STR("Vary"), STR("Accept, Accept-Language, Cookie"));
    send_text(call, &reply, html, kept ? ENDPOINT_REVALIDATE : ENDPOINT_NO_STORE);
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

static void fail_with(struct endpoint_call *call, struct reply *reply, struct str detail)
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
    fail_with(call, &reply, detail);
}

void endpoint_fail_later(struct endpoint_call *call, unsigned status, struct str detail,
                         unsigned seconds)
{
    char text[16];
    struct reply reply = {.status = status};
    snprintf(text, sizeof(text), "%u", seconds);
    reply_add(&reply, STR("Retry-After"), str_from(text));
    fail_with(call, &reply, detail);
}

void endpoint_fail_input(struct endpoint_call *call)
{
    struct buf json;
    struct jsonw w;
    struct reply reply = {.status = 422, .type = STR("application/problem+json")};
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "type"), jsonw_cstr(&w, "about:blank");
    jsonw_key(&w, "title"), jsonw_str(&w, http_status_phrase(422));
    jsonw_key(&w, "status"), jsonw_u64(&w, 422);
    jsonw_key(&w, "detail"), jsonw_cstr(&w, "Some fields cannot be taken as they are.");
    jsonw_key(&w, "errors"), jsonw_array(&w);
    for (unsigned i = 0; i < call->input.fault_count; i++) {
        const struct input_fault *fault = &call->input.faults[i];
        jsonw_object(&w);
        jsonw_key(&w, "field"), jsonw_str(&w, fault->field);
        jsonw_key(&w, "code"), jsonw_cstr(&w, fault->code);
        jsonw_key(&w, "detail"), jsonw_cstr(&w, fault->detail);
        jsonw_end(&w);
    }
    jsonw_end(&w);
    jsonw_end(&w);
    send_text(call, &reply, &json, ENDPOINT_NO_STORE);
}

void endpoint_fail_error(struct endpoint_call *call, int code, const struct error *err)
{
    switch (code) {
    case E_NOT_FOUND:
        endpoint_fail(call, 404, str_from(err->text));
        break;
    case E_EXISTS:
        endpoint_fail(call, 409, str_from(err->text));
        break;
    case E_DENIED:
        endpoint_fail(call, 403, str_from(err->text));
        break;
    case E_INVALID:
    case E_RANGE:
        endpoint_fail(call, 422, str_from(err->text));
        break;
    case E_BUSY:
    case E_TIMEOUT:
        log_warn("a request of a person found the database in use", kv_str("why", err->text));
        endpoint_fail_later(call, 503, STR("The database is in use. Nothing was changed."), 5);
        break;
    case E_NO_SPACE:
        log_error("the database has no space left", kv_str("why", err->text));
        endpoint_fail_later(call, 503,
                            STR("The disk of this installation is full. Nothing was changed; its "
                                "operator must make room."),
                            60);
        break;
    default:
        log_error("a request of a person failed", kv_view("path", call->row->path),
                  kv_str("why", err->text));
        endpoint_fail(call, 500, STR("This failed. Its cause is in the log."));
    }
}

void endpoint_redirect(struct endpoint_call *call, struct str path)
{
    struct reply reply = {.status = 303};
    reply_add(&reply, STR("Location"), path);
    endpoint_send(call, &reply, ENDPOINT_NO_STORE);
}

void endpoint_send_done(struct endpoint_call *call, struct str page)
{
    struct reply reply = {.status = 204};
    if (call->input.form)
        endpoint_redirect(call, page);
    else
        endpoint_send(call, &reply, ENDPOINT_NO_STORE);
}

void endpoint_capture(struct endpoint_call *call, struct str path, struct capture *capture)
{
    struct str rest = path;
    struct str bare = str_cut(&rest, '?');
    struct endpoint_match match = endpoint_find(call->listener, bare, METHOD_GET);
    struct endpoint_call inner = *call;
    *capture = (struct capture){.status = 404};
    if (match.row == NULL)
        return;
    inner.row = match.row;
    inner.params[0] = match.params[0];
    inner.params[1] = match.params[1];
    inner.target.query = rest;
    inner.capture = capture;
    inner.input = (struct input){.schema = SCHEMA_NONE};
    match.row->handle(&inner);
    if (capture->status != 200)
        buf_free(&capture->body);
}

/* --- what was asked --- */

bool endpoint_query(const struct endpoint_call *call, struct str name, struct str *ret_value)
{
    struct str rest = call->target.query, key, value;
    int r;
    while ((r = form_next(http_arena(call->conn), &rest, &key, &value)) > 0) {
        if (!str_eq(key, name))
            continue;
        for (size_t i = 0; i < value.n; i++) {
            if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
                return false;
        }
        *ret_value = value;
        return true;
    }
    return false;
}

struct str endpoint_header(const struct endpoint_call *call, struct str name)
{
    const struct head *head = call->conn->head;
    for (unsigned i = 0; i < head->count; i++) {
        if (str_eq_nocase(head->fields[i].name, name))
            return head->fields[i].value;
    }
    return STR_EMPTY;
}

struct str endpoint_address(const struct endpoint_call *call)
{
    char text[IP_TEXT_MAX];
    ip_format(call->client, text);
    return arena_dup(http_arena(call->conn), str_from(text));
}

struct str endpoint_origin(const struct endpoint_call *call)
{
    char text[CIDR_TEXT_MAX];
    cidr_format(cidr_make(call->client, ip_is_v4(call->client) ? 128 : 64), text);
    return arena_printf(http_arena(call->conn), "%d %s", (int)call->listener, text);
}

bool endpoint_limit(struct endpoint_call *call, uint32_t *ret_limit)
{
    struct str text;
    uint64_t limit = ENDPOINT_PAGE_DEFAULT;
    if (endpoint_query(call, STR("limit"), &text) &&
        str_to_u64(text, 1, ENDPOINT_PAGE_MAX, &limit) != 0) {
        endpoint_fail(call, 422, STR("`limit` is a number from 1 to 200."));
        return false;
    }
    *ret_limit = (uint32_t)limit;
    return true;
}

void endpoint_time(struct jsonw *w, const char *key, struct wall t)
{
    char text[CLOCK_TEXT_MAX];
    jsonw_key(w, key);
    if (t.us == 0) {
        jsonw_null(w);
        return;
    }
    size_t n = wall_format(t, text); /* with microseconds, of which three digits are enough */
    text[n - 4] = 'Z';
    jsonw_str(w, str_make(text, n - 3));
}

void endpoint_uuid(struct jsonw *w, const char *key, const struct uuid *id)
{
    char text[UUID_TEXT_LEN];
    uuid_format(*id, text);
    jsonw_key(w, key), jsonw_str(w, str_make(text, sizeof(text)));
}
