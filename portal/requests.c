/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the `instance` of a problem leads. What happened to a request is told to the app's own
 * people and to operators; for everyone else every id gets the same answer, known or not: how to
 * have it explained.
 */
#include "analytics/record_trail.h"
#include "base/jsonw.h"
#include "base/uuid.h"
#include "portal/explain.h"
#include "portal/page.h"
#include "portal/words.h"

#define REQUEST_JSON_MAX 4096
#define ADVICE                                                                                     \
    "What the gateway decided about this request, with its numbers at that moment, is told to "    \
    "operators."

static void as_page(struct endpoint_call *call, struct str id)
{
    struct buf html;
    page_begin(&html, call, STR("A request"));
    buf_add_lit(&html, "<p class=\"badges\"><code>");
    page_text(&html, id);
    buf_add_lit(&html,
                "</code></p><h1>About this request</h1><p class=\"lead\">" ADVICE "</p>"
                "<section class=\"card\" aria-labelledby=\"you\"><header><h2 id=\"you\">"
                "If you made the call</h2></header><div class=\"text\"><p>The code of the "
                "answer, in its header <code>Weir-Reason</code> and in its body, has a page "
                "with what it means and what to do next. If that does not help, give the "
                "operator the id above.</p><p><a class=\"button\" href=\"/problems/\">See "
                "all answers</a></p></div></section>"
                "<section class=\"card\" aria-labelledby=\"operator\"><header>"
                "<h2 id=\"operator\">If you are the operator</h2></header>"
                "<div class=\"text\"><p>On the gateway's machine:</p><pre><code>weir explain ");
    page_text(&html, id);
    buf_add_lit(&html, "</code></pre></div></section>");
    page_end(&html, call);
    endpoint_send_page(call, 200, &html);
}

static void as_json(struct endpoint_call *call, struct str id)
{
    struct buf json;
    struct jsonw w;
    buf_init(&json, REQUEST_JSON_MAX);
    jsonw_init(&w, &json);
    jsonw_object(&w);
    jsonw_key(&w, "request_id"), jsonw_str(&w, id);
    jsonw_key(&w, "detail"), jsonw_cstr(&w, ADVICE);
    jsonw_end(&w);
    endpoint_send_json(call, 200, &json);
}

/* --- for those who may know --- */

struct telling {
    struct endpoint_call *call;
    struct buf *html;
    bool told;
};

static void add_fact(const struct telling *t, const char *key, struct str value)
{
    buf_add_lit(t->html, "<div><dt>");
    page_text(t->html, words(t->call, str_from(key)));
    buf_add_lit(t->html, "</dt><dd>");
    page_text(t->html, value.n > 0 ? value : STR("–"));
    buf_add_lit(t->html, "</dd></div>\n");
}

static void add_facts(const struct telling *t, const struct record *record)
{
    struct arena *arena = http_arena(t->call->conn);
    char at[CLOCK_TEXT_MAX];
    size_t n = wall_format(record->time, at);
    buf_add_lit(t->html, "<section class=\"card\"><dl class=\"facts\">\n");
    add_fact(t, "page.request.time", str_make(at, n));
    add_fact(t, "page.request.asked",
             arena_printf(arena, "%" STR_FMT " %" STR_FMT,
                          STR_ARG(http_method_name(record->method)), STR_ARG(record->path)));
    add_fact(t, "page.request.status", arena_printf(arena, "%u", (unsigned)record->status));
    add_fact(t, "page.request.app", record->app);
    add_fact(t, "page.request.key", record->key);
    add_fact(t, "page.request.plan", record->plan);
    add_fact(t, "page.request.took",
             arena_printf(arena, "%.3f ms", (double)record->duration_us / US_PER_MS));
    buf_add_lit(t->html, "</dl></section>\n");
}

static void add_reason(const struct telling *t, enum reason reason)
{
    const struct reason_row *row = reason_row(reason);
    if (reason == REASON_NONE)
        return;
    buf_add_lit(t->html, "<section class=\"card\" aria-labelledby=\"why\"><header><h2 id=\"why\">");
    page_text(t->html, str_from(row->title));
    buf_add_lit(t->html, "</h2></header><div class=\"text\"><p>");
    page_text(t->html, str_from(row->meaning));
    buf_add_lit(t->html, "</p><p>");
    page_text(t->html, str_from(row->advice));
    buf_add_lit(t->html, "</p><p><a href=\"/problems/");
    page_text(t->html, row->code);
    buf_add_lit(t->html, "\"><code>");
    page_text(t->html, row->code);
    buf_add_lit(t->html, "</code></a></p></div></section>\n");
}

static void add_steps(const struct telling *t, struct str trail)
{
    struct trail_note note;
    buf_add_lit(t->html, "<section class=\"card\" aria-labelledby=\"steps\"><header>"
                         "<h2 id=\"steps\">");
    page_text(t->html, words(t->call, STR("page.request.steps")));
    buf_add_lit(t->html, "</h2></header><ul class=\"rows\">\n");
    while (trail_next(&trail, &note)) {
        buf_printf(t->html, "<li%s><span class=\"name\">",
                   trail_refused(&note) ? " class=\"bad\"" : "");
        page_text(t->html, note.policy);
        buf_add_lit(t->html, "</span> <b>");
        page_text(t->html, note.verdict);
        buf_add_lit(t->html, "</b> <span class=\"note\">");
        struct buf numbers;
        buf_init(&numbers, 2048);
        trail_words(note.numbers, &numbers);
        page_text(t->html, buf_str(&numbers));
        buf_free(&numbers);
        buf_add_lit(t->html, "</span></li>\n");
    }
    buf_add_lit(t->html, "</ul></section>\n");
}

static void add_explanation(void *ctx, const struct record *record, bool whole)
{
    struct telling *t = ctx;
    (void)whole;
    t->told = true;
    add_reason(t, record->reason);
    add_facts(t, record);
    add_steps(t, record->trail);
}

/* False where nothing was told. */
static bool explain_as_page(struct endpoint_call *call, struct uuid id)
{
    struct error err = ERROR_INIT;
    struct buf html;
    struct telling t = {.call = call, .html = &html};
    page_begin(&html, call, words(call, STR("page.request.title")));
    buf_add_lit(&html, "<p class=\"badges\"><code>");
    page_text(&html, call->params[0]);
    buf_add_lit(&html, "</code></p><h1>");
    page_text(&html, words(call, STR("page.request.title")));
    buf_add_lit(&html, "</h1>\n");
    int r = explain_find(call, id, add_explanation, &t, &err);
    if (r != 0 || !t.told) {
        buf_free(&html); /* what failed is told as generally as what is not theirs */
        return false;
    }
    page_end(&html, call);
    endpoint_send_page(call, 200, &html);
    return true;
}

void request_page(struct endpoint_call *call)
{
    struct uuid id;
    if (uuid_parse(call->params[0], &id) != 0)
        endpoint_fail(call, 404, STR("This is not the id of a request."));
    else if (!endpoint_wants_page(call, true))
        as_json(call, call->params[0]);
    else if (call->person == NULL || !explain_as_page(call, id))
        as_page(call, call->params[0]);
}
