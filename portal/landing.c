/* SPDX-License-Identifier: Apache-2.0 */
/* The first page of the portal listener: what is here, and where calls go. */
#include "portal/page.h"

static void add_first_call(struct buf *html, struct str gateway_url)
{
    buf_add_lit(html, "<section class=\"card\" aria-labelledby=\"calls\"><header>"
                      "<h2 id=\"calls\">Where calls go</h2></header><div class=\"text\"><p>"
                      "Send them to <code>");
    page_text(html, gateway_url);
    buf_add_lit(html, "</code>, with your key in the header <code>X-API-Key</code>:</p>"
                      "<pre><code>curl -H &quot;X-API-Key: $KEY&quot; ");
    page_text(html, gateway_url);
    buf_add_lit(html, "/…</code></pre></div></section>");
}

void landing_page(struct endpoint_call *call)
{
    struct buf html;
    page_begin(&html, call, STR("Developer portal"));
    buf_add_lit(&html, "<h1>");
    page_text(&html, call->conf->title);
    buf_add_lit(&html, "</h1><p class=\"lead\">The developer portal of this installation: for "
                       "people whose programs call its APIs.</p>");
    if (call->conf->gateway_url.n > 0)
        add_first_call(&html, call->conf->gateway_url);
    buf_add_lit(&html, "<section class=\"card\" aria-labelledby=\"refused\"><header>"
                       "<h2 id=\"refused\">When a call is refused</h2></header>"
                       "<div class=\"text\"><p>The gateway says why in the header "
                       "<code>Weir-Reason</code> and in the body. Each reason has a page with what "
                       "it means and what to do next.</p><p><a class=\"button\" "
                       "href=\"/problems/\">See all answers</a></p></div></section>");
    page_end(&html, call);
    endpoint_send_page(call, 200, &html);
}
