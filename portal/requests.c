/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the `instance` of a problem leads. What happened to a request is for the app's own people
 * and for operators; nobody is signed in here, so every id gets the same answer, known or not: how
 * to have it explained.
 */
#include "base/jsonw.h"
#include "base/uuid.h"
#include "portal/page.h"

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

void request_page(struct endpoint_call *call)
{
    struct uuid id;
    if (uuid_parse(call->params[0], &id) != 0)
        endpoint_fail(call, 404, STR("This is not the id of a request."));
    else if (endpoint_wants_page(call, true))
        as_page(call, call->params[0]);
    else
        as_json(call, call->params[0]);
}
