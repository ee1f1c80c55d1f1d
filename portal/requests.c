/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the `instance` of a problem leads. What happened to a request is told to the app's own
 * people and to operators; for everyone else every id gets the same answer, known or not: how to
 * have it explained.
 */
#include "base/log.h"
#include "portal/explain.h"
#include "portal/page.h"

struct telling {
    struct endpoint_call *call;
    struct buf *html;
    bool told;
};

static void add_words(const struct telling *t, const char *key)
{
    page_text(t->html, words(t->call, str_from(key)));
}

/* A card with its heading, up to the inside of what follows that. */
static void begin_card(const struct telling *t, const char *id, const char *heading)
{
    buf_printf(t->html, "<section class=\"card\" aria-labelledby=\"%s\"><header><h2 id=\"%s\">", id,
               id);
    add_words(t, heading);
    buf_add_lit(t->html, "</h2></header>");
}

/* --- for everyone --- */

static void add_sign_in(const struct telling *t)
{
    if (t->call->person != NULL)
        return;
    buf_add_lit(t->html, "<p><a href=\"/sign-in?return=/requests/");
    page_text(t->html, t->call->params[0]);
    buf_add_lit(t->html, "\">");
    add_words(t, "page.request.you.sign_in");
    buf_add_lit(t->html, "</a></p>");
}

static void add_general(const struct telling *t)
{
    begin_card(t, "you", "page.request.you");
    buf_add_lit(t->html, "<div class=\"text\"><p>");
    add_words(t, "page.request.you.text");
    buf_add_lit(t->html, "</p>");
    add_sign_in(t);
    buf_add_lit(t->html, "<p><a class=\"button\" href=\"/problems/\">");
    add_words(t, "page.request.see_all");
    buf_add_lit(t->html, "</a></p></div></section>\n");
    begin_card(t, "operator", "page.request.operator");
    buf_add_lit(t->html, "<div class=\"text\"><p>");
    add_words(t, "page.request.operator.text");
    buf_add_lit(t->html, "</p><pre><code>weir explain ");
    page_text(t->html, t->call->params[0]);
    buf_add_lit(t->html, "</code></pre></div></section>\n");
}

/* --- for those who may know --- */

static void add_fact(const struct telling *t, const char *key, struct str value)
{
    buf_add_lit(t->html, "<div><dt>");
    add_words(t, key);
    buf_add_lit(t->html, "</dt><dd>");
    page_text(t->html, value.n > 0 ? value : STR("–"));
    buf_add_lit(t->html, "</dd></div>\n");
}

static void add_moment(const struct telling *t, const char *key, struct wall time)
{
    char text[CLOCK_TEXT_MAX];
    add_fact(t, key, str_make(text, wall_format(time, text)));
}

static void add_facts(const struct telling *t, const struct record *record)
{
    struct arena *arena = http_arena(t->call->conn);
    char ip[IP_TEXT_MAX];
    buf_add_lit(t->html, "<section class=\"card\"><dl class=\"facts\">\n");
    add_moment(t, "page.request.time", record->time);
    add_fact(t, "page.request.asked",
             arena_printf(arena, "%" STR_FMT " %" STR_FMT "%s%" STR_FMT,
                          STR_ARG(http_method_name(record->method)), STR_ARG(record->path),
                          record->query.n > 0 ? "?" : "", STR_ARG(record->query)));
    add_fact(t, "page.request.from", str_make(ip, ip_format(record->client_ip, ip)));
    add_fact(t, "page.request.status", arena_printf(arena, "%u", (unsigned)record->status));
    add_fact(t, "page.request.decided_by", record_decider(record));
    add_fact(t, "page.request.api", record->api);
    add_fact(t, "page.request.app", record->app);
    add_fact(t, "page.request.key", record->key);
    add_fact(t, "page.request.plan", record->plan);
    if (record_try_again(record).us > 0)
        add_moment(t, "page.request.try_again", record_try_again(record));
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
    if (trail.n == 0)
        return;
    begin_card(t, "steps", "page.request.steps");
    buf_add_lit(t->html, "<ul class=\"rows\">\n");
    while (trail_next(&trail, &note)) {
        buf_printf(t->html, "<li%s><span class=\"name\">",
                   trail_refused(&note) ? " class=\"bad\"" : "");
        page_text(t->html, note.policy);
        buf_add_lit(t->html, "</span> <b>");
        page_text(t->html, note.verdict);
        buf_add_lit(t->html, "</b> <span class=\"note\">");
        struct buf sentence;
        buf_init(&sentence, 2 * RECORD_TEXT_MAX);
        explain_sentence(&sentence, t->call->portal->words, locale_of(t->call), &note);
        page_text(t->html, buf_str(&sentence));
        buf_free(&sentence);
        buf_add_lit(t->html, "</span></li>\n");
    }
    buf_add_lit(t->html, "</ul></section>\n");
}

static void add_times(const struct telling *t, const struct record *record)
{
    struct explain_time times[EXPLAIN_TIMES_MAX];
    unsigned count = explain_times(record, times);
    struct arena *arena = http_arena(t->call->conn);
    begin_card(t, "times", "page.request.times");
    buf_add_lit(t->html, "<dl class=\"facts\">\n");
    for (unsigned i = 0; i < count; i++) {
        char key[32];
        snprintf(key, sizeof(key), "page.time.%s", times[i].name);
        add_fact(t, key, arena_printf(arena, "%.3f ms", (double)times[i].us / US_PER_MS));
    }
    buf_add_lit(t->html, "</dl></section>\n");
}

/* The page's head, with its heading. */
static void begin(const struct telling *t, const char *title)
{
    page_begin(t->html, t->call, words(t->call, str_from(title)));
    buf_add_lit(t->html, "<p class=\"badges\"><code>");
    page_text(t->html, t->call->params[0]);
    buf_add_lit(t->html, "</code></p><h1>");
    add_words(t, title);
    buf_add_lit(t->html, "</h1>\n");
}

static void add_explanation(void *ctx, const struct record *record, bool whole)
{
    struct telling *t = ctx;
    (void)whole; /* the console's page is another */
    t->told = true;
    begin(t, "page.request.title");
    add_reason(t, record->reason);
    add_facts(t, record);
    add_steps(t, record->trail);
    add_times(t, record);
}

static void as_page(struct endpoint_call *call, struct uuid id)
{
    struct error err = ERROR_INIT;
    struct buf html;
    struct telling t = {.call = call, .html = &html};
    int r = explain_find(call, id, add_explanation, &t, &err);
    if (r != 0) /* told as generally as what is not theirs */
        log_warn("a request could not be explained", kv_str("why", err.text));
    if (!t.told) {
        begin(&t, "page.request.general.title");
        buf_add_lit(&html, "<p class=\"lead\">");
        add_words(&t, "page.request.general");
        buf_add_lit(&html, "</p>\n");
        add_general(&t);
    }
    page_end(&html, call);
    endpoint_send_page(call, 200, &html);
}

void request_page(struct endpoint_call *call)
{
    struct uuid id;
    if (uuid_parse(call->params[0], &id) != 0)
        endpoint_fail(call, 404, STR("This is not the id of a request."));
    else if (endpoint_wants_page(call, true))
        as_page(call, id);
    else
        request_get(call);
}
