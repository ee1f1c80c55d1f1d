/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages that the `type` of a problem body points to: every answer the gateway makes itself,
 * from the rows of analytics/reasons.def, for people and for programs.
 */
#include "analytics/record.h"
#include "base/jsonw.h"
#include "portal/page.h"

#define PROBLEMS_JSON_MAX (256U << 10)

static void write_problem(struct jsonw *w, const struct endpoint_call *call,
                          const struct reason_row *row)
{
    struct str url = call->conf->portal_url;
    struct str type = arena_printf(http_arena(call->conn), "%" STR_FMT "/problems/%" STR_FMT,
                                   STR_ARG(url), STR_ARG(row->code));
    jsonw_object(w);
    jsonw_key(w, "type"), jsonw_str(w, type);
    jsonw_key(w, "code"), jsonw_str(w, row->code);
    jsonw_key(w, "title"), jsonw_cstr(w, row->title);
    jsonw_key(w, "status"), jsonw_u64(w, row->status);
    jsonw_key(w, "meaning"), jsonw_cstr(w, row->meaning);
    jsonw_key(w, "advice"), jsonw_cstr(w, row->advice);
    jsonw_end(w);
}

/* The status as people know it: "429 Too Many Requests". */
static void add_status(struct buf *html, unsigned status)
{
    buf_add_u64(html, status);
    struct str phrase = http_status_phrase(status);
    if (phrase.n > 0)
        buf_add_char(html, ' ');
    page_text(html, phrase);
}

static void list_as_json(struct endpoint_call *call)
{
    struct buf json;
    struct jsonw w;
    buf_init(&json, PROBLEMS_JSON_MAX);
    jsonw_init(&w, &json);
    jsonw_object(&w);
    jsonw_key(&w, "problems"), jsonw_array(&w);
    for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
        write_problem(&w, call, reason_row(r));
    jsonw_end(&w);
    jsonw_end(&w);
    endpoint_send_json(call, 200, &json);
}

/* One card a status; the rows of a status follow each other in the table. */
static void add_status_heading(struct buf *html, unsigned status)
{
    buf_printf(html, "<section class=\"card\" aria-labelledby=\"s%u\"><header><h2 id=\"s%u\">",
               status, status);
    add_status(html, status);
    buf_add_lit(html, "</h2></header><ul class=\"rows\">");
}

static void list_as_page(struct endpoint_call *call)
{
    struct buf html;
    unsigned status = 0;
    page_begin(&html, call, STR("Answers of the gateway"));
    buf_add_lit(&html, "<h1>Answers of the gateway</h1><p class=\"lead\">What the gateway answers "
                       "itself, in place of the API behind it. The code is in the header "
                       "<code>Weir-Reason</code> and in the body.</p>");
    for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++) {
        const struct reason_row *row = reason_row(r);
        if (row->status != status) {
            if (status != 0)
                buf_add_lit(&html, "</ul></section>");
            add_status_heading(&html, row->status);
        }
        status = row->status;
        buf_add_lit(&html, "<li><a class=\"entry\" href=\"/problems/");
        page_text(&html, row->code);
        buf_add_lit(&html, "\"><span class=\"name\">");
        page_text(&html, str_from(row->title));
        buf_add_lit(&html, "</span> <code>");
        page_text(&html, row->code);
        buf_add_lit(&html, "</code></a></li>");
    }
    buf_add_lit(&html, "</ul></section>");
    page_end(&html, call);
    endpoint_send_page(call, 200, &html);
}

void problem_list(struct endpoint_call *call)
{
    if (endpoint_wants_page(call, true))
        list_as_page(call);
    else
        list_as_json(call);
}

void problem_redirect(struct endpoint_call *call)
{
    struct reply reply = {.status = 308};
    reply_add(&reply, STR("Location"), STR("/problems/"));
    endpoint_send(call, &reply, ENDPOINT_REVALIDATE);
}

/* What a client sees of it. One that is only recorded is never seen. */
static void add_sample(struct buf *html, const struct reason_row *row)
{
    buf_add_lit(html, "<section class=\"card\" aria-labelledby=\"sample\"><header>"
                      "<h2 id=\"sample\">How to recognize it</h2></header>"
                      "<div class=\"text\"><pre><code>HTTP/1.1 ");
    add_status(html, row->status);
    buf_add_lit(html, "\nContent-Type: application/problem+json\nWeir-Reason: ");
    page_text(html, row->code);
    buf_add_lit(html,
                "\nX-Request-Id: …</code></pre><p class=\"note\">Keep the request id: with it "
                "the operator finds this very call.</p></div></section>");
}

static void add_card(struct buf *html, const char *id, const char *heading, const char *text)
{
    buf_printf(html,
               "<section class=\"card\" aria-labelledby=\"%s\"><header><h2 id=\"%s\">%s</h2>"
               "</header><div class=\"text\"><p>",
               id, id, heading);
    page_text(html, str_from(text));
    buf_add_lit(html, "</p></div></section>");
}

static void one_as_page(struct endpoint_call *call, enum reason reason)
{
    const struct reason_row *row = reason_row(reason);
    struct buf html;
    page_begin(&html, call, str_from(row->title));
    buf_printf(&html, "<p class=\"badges\"><span class=\"badge %s\">",
               row->status >= 500 ? "bad" : "warn");
    add_status(&html, row->status);
    buf_add_lit(&html, "</span> <code>");
    page_text(&html, row->code);
    buf_add_lit(&html, "</code></p><h1>");
    page_text(&html, str_from(row->title));
    buf_add_lit(&html, "</h1>");
    add_card(&html, "meaning", "What it means", row->meaning);
    add_card(&html, "advice", "What to do next", row->advice);
    if (reason != REASON_CLIENT_CLOSED)
        add_sample(&html, row);
    page_end(&html, call);
    endpoint_send_page(call, 200, &html);
}

static void one_as_json(struct endpoint_call *call, enum reason reason)
{
    struct buf json;
    struct jsonw w;
    buf_init(&json, PROBLEMS_JSON_MAX);
    jsonw_init(&w, &json);
    write_problem(&w, call, reason_row(reason));
    endpoint_send_json(call, 200, &json);
}

void problem_page(struct endpoint_call *call)
{
    enum reason reason = reason_find(call->params[0]);
    if (reason == REASON_NONE)
        endpoint_fail(call, 404,
                      STR("No answer of the gateway has this code; /problems/ lists all."));
    else if (endpoint_wants_page(call, true))
        one_as_page(call, reason);
    else
        one_as_json(call, reason);
}
