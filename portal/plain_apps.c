/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/plain_apps.h"

#include "portal/plain.h"

#include <jansson.h>
#include <sodium.h>

#define WORD(key) words(call, STR(key))

/* --- the JSON API, from inside --- */

static json_t *load(struct capture *capture)
{
    json_t *json = capture->status < 300 && capture->body.n > 0
                       ? json_loadb(capture->body.p, capture->body.n, 0, NULL)
                       : NULL;
    buf_wipe(&capture->body);
    return json;
}

/* Overwrites the texts of an answer that had a secret, and lets go of it. */
static void wipe(json_t *json)
{
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value)
    {
        if (json_is_string(value))
            sodium_memzero((void *)(uintptr_t)json_string_value(value), json_string_length(value));
    }
    json_decref(json);
}

static json_t *ask(struct endpoint_call *call, const char *format)
{
    struct capture capture;
    struct str path =
        arena_printf(http_arena(call->conn), "/api/v1/apps%s%" STR_FMT "%s",
                     call->params[0].n > 0 ? "/" : "", STR_ARG(call->params[0]), format);
    endpoint_capture(call, path, &capture);
    return load(&capture);
}

static struct str text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? str_make(json_string_value(value), json_string_length(value))
                                 : STR_EMPTY;
}

/* --- parts --- */

static void add_heading(struct buf *html, struct str title)
{
    buf_add_lit(html, "<h1>");
    page_text(html, title);
    buf_add_lit(html, "</h1>\n");
}

static void add_top(struct buf *html, struct endpoint_call *call)
{
    buf_add_lit(html, "<nav><a href=\"/apps\">");
    page_text(html, WORD("page.apps"));
    buf_add_lit(html, "</a></nav>\n");
    plain_form(html, call, STR("/sign-out"));
    plain_submit(html, WORD("page.sign_out"));
}

void plain_none(struct buf *html, struct endpoint_call *call)
{
    buf_add_lit(html, "<p class=\"plain\">");
    page_text(html, WORD("page.needs_script"));
    buf_add_lit(html, "</p>");
}

/* --- apps --- */

void plain_apps(struct buf *html, struct endpoint_call *call)
{
    size_t i;
    const json_t *app;
    json_t *apps = ask(call, "");
    const json_t *items = json_object_get(apps, "items");
    add_top(html, call);
    add_heading(html, WORD("page.apps"));
    if (json_array_size(items) == 0) {
        buf_add_lit(html, "<p>");
        page_text(html, WORD("page.plain.no_apps"));
        buf_add_lit(html, "</p>\n");
    }
    buf_add_lit(html, "<ul>\n");
    json_array_foreach(items, i, app)
    {
        buf_add_lit(html, "<li><a href=\"/apps/");
        page_text(html, text_of(app, "name"));
        buf_add_lit(html, "/keys\">");
        page_text(html, text_of(app, "title"));
        buf_add_lit(html, "</a></li>\n");
    }
    buf_add_lit(html, "</ul>\n");
    json_decref(apps);
}

/* --- keys --- */

static void add_revoke(struct buf *html, const struct endpoint_call *call, struct str kid)
{
    struct str action =
        arena_printf(http_arena(call->conn), "/apps/%" STR_FMT "/keys/%" STR_FMT "/revoke",
                     STR_ARG(call->params[0]), STR_ARG(kid));
    plain_form(html, call, action);
    plain_submit(html, WORD("page.plain.revoke"));
}

static void add_key(struct buf *html, const struct endpoint_call *call, const json_t *key)
{
    char word[64];
    struct str state = text_of(key, "state"), expires = text_of(key, "expires");
    snprintf(word, sizeof(word), "page.key.state.%" STR_FMT, STR_ARG(state));
    buf_add_lit(html, "<tr><td>");
    page_text(html, text_of(key, "name"));
    buf_add_lit(html, "</td><td><code>");
    page_text(html, text_of(key, "hint"));
    buf_add_lit(html, "</code></td><td>");
    page_text(html, words(call, str_from(word)));
    buf_add_lit(html, "</td><td>");
    page_text(html, expires.n > 0 ? str_slice(expires, 0, 10) : WORD("page.plain.never"));
    buf_add_lit(html, "</td><td>");
    if (call->member >= MEMBER_DEVELOPER && !str_eq(state, STR("revoked")))
        add_revoke(html, call, text_of(key, "kid"));
    buf_add_lit(html, "</td></tr>\n");
}

static void add_keys(struct buf *html, struct endpoint_call *call)
{
    size_t i;
    const json_t *key;
    json_t *keys = ask(call, "/keys?limit=200");
    buf_add_lit(html, "<table>\n<thead><tr>");
    static const struct str HEADS[] = {STR_INIT("page.plain.name"), STR_INIT("page.plain.key"),
                                       STR_INIT("page.plain.state"), STR_INIT("page.plain.expires"),
                                       STR_INIT("page.plain.revoke")};
    for (size_t h = 0; h < ARRAY_LEN(HEADS); h++) {
        buf_add_lit(html, "<th scope=\"col\">");
        page_text(html, words(call, HEADS[h]));
        buf_add_lit(html, "</th>");
    }
    buf_add_lit(html, "</tr></thead>\n<tbody>\n");
    json_array_foreach(json_object_get(keys, "items"), i, key)
    {
        add_key(html, call, key);
    }
    buf_add_lit(html, "</tbody></table>\n");
    json_decref(keys);
}

static struct str keys_path(const struct endpoint_call *call)
{
    return arena_printf(http_arena(call->conn), "/apps/%" STR_FMT "/keys",
                        STR_ARG(call->params[0]));
}

static void add_issue(struct buf *html, struct endpoint_call *call)
{
    struct uuid_source source = {.left = 0};
    char wish[UUID_TEXT_LEN];
    uuid_format(uuid7_make(&source, clock_wall()), wish);
    buf_add_lit(html, "<h2>");
    page_text(html, WORD("page.plain.issue"));
    buf_add_lit(html, "</h2>\n");
    plain_form(html, call, keys_path(call));
    plain_hidden(html, STR("wish"), str_make(wish, sizeof(wish))); /* pressed twice is once */
    plain_field(html, call,
                &(struct plain_field){.name = "name",
                                      .type = "text",
                                      .autocomplete = "off",
                                      .label = WORD("page.plain.name"),
                                      .value = plain_sent(call, "name")});
    plain_submit(html, WORD("page.plain.issue"));
}

void plain_keys(struct buf *html, struct endpoint_call *call)
{
    json_t *app = ask(call, "");
    add_top(html, call);
    add_heading(html, text_of(app, "title"));
    add_keys(html, call);
    if (call->member >= MEMBER_DEVELOPER)
        add_issue(html, call);
    json_decref(app);
}

/* --- what the forms do --- */

static void begin_page(struct buf *html, struct endpoint_call *call)
{
    page_begin(html, call, WORD("page.keys"));
    buf_add_lit(html, "<section class=\"card narrow\">");
}

static void end_page(struct buf *html, struct endpoint_call *call, unsigned status)
{
    buf_add_lit(html, "</section>");
    page_end(html, call);
    endpoint_send_page(call, status, html);
}

/* The one answer that shows the secret. */
static void show_secret(struct endpoint_call *call, const json_t *issued)
{
    struct buf html;
    struct str curl = text_of(issued, "curl");
    call->wipe = true;
    begin_page(&html, call);
    add_heading(&html, WORD("page.plain.issued"));
    plain_alert(&html, "good", WORD("page.plain.once"));
    buf_add_lit(&html, "<pre><code>");
    page_text(&html, text_of(issued, "secret"));
    buf_add_lit(&html, "</code></pre>\n");
    if (curl.n > 0) {
        buf_add_lit(&html, "<pre><code>");
        page_text(&html, curl);
        buf_add_lit(&html, "</code></pre>\n");
    }
    buf_add_lit(&html, "<p><a class=\"button\" href=\"");
    page_text(&html, keys_path(call));
    buf_add_lit(&html, "\">");
    page_text(&html, WORD("page.keys"));
    buf_add_lit(&html, "</a></p>");
    end_page(&html, call, 201);
}

static void show_failure(struct endpoint_call *call, unsigned status)
{
    struct buf html;
    begin_page(&html, call);
    plain_alert(&html, "bad", status == 409 ? WORD("page.plain.issued_before") : WORD("page.busy"));
    plain_keys(&html, call);
    end_page(&html, call, status);
}

void key_issue_submit(struct endpoint_call *call)
{
    struct capture capture = {.status = 500};
    struct endpoint_call inner = *call;
    if (call->input.fault_count > 0) {
        struct buf html;
        begin_page(&html, call);
        plain_keys(&html, call);
        end_page(&html, call, 422);
        return;
    }
    inner.capture = &capture;
    keys_post(&inner);
    json_t *issued = load(&capture);
    if (issued != NULL)
        show_secret(call, issued);
    else
        show_failure(call, capture.status);
    wipe(issued);
}

void key_revoke_submit(struct endpoint_call *call)
{
    struct capture capture = {.status = 500};
    struct endpoint_call inner = *call;
    inner.capture = &capture;
    key_delete(&inner);
    buf_free(&capture.body);
    if (capture.status < 300)
        endpoint_redirect(call, keys_path(call));
    else if (capture.status == 404)
        endpoint_fail(call, 404, STR("There is no such key."));
    else
        show_failure(call, capture.status);
}
