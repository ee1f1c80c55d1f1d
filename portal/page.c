/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/page.h"

#include "portal/locale.h"

#define PAGE_BYTES_MAX (256U << 10)

/* The mark, as web/status.html and web/src/ui/icons.tsx have it. */
#define MARK_PATH "M3 8h8c3 0 3 8 6 8h4M3 12h6c3 0 3 8 6 8h6"

void page_text(struct buf *html, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '&':
            buf_add_lit(html, "&amp;");
            break;
        case '<':
            buf_add_lit(html, "&lt;");
            break;
        case '>':
            buf_add_lit(html, "&gt;");
            break;
        case '"':
            buf_add_lit(html, "&quot;");
            break;
        case '\'':
            buf_add_lit(html, "&#39;");
            break;
        default:
            buf_add_char(html, text.p[i]);
        }
    }
}

void page_head(struct buf *html, const struct endpoint_call *call, struct str title)
{
    buf_init(html, PAGE_BYTES_MAX);
    buf_add_lit(html, "<!doctype html>\n<html lang=\"");
    page_text(html, locale_name(locale_of(call)));
    buf_add_lit(html, "\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    page_text(html, title);
    buf_add_lit(html, " · ");
    page_text(html, call->conf->title);
    buf_add_lit(html, "</title>\n<link rel=\"icon\" href=\"data:image/svg+xml,"
                      "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E"
                      "%3Crect width='24' height='24' rx='6' fill='%230b6e8f'/%3E"
                      "%3Cpath d='" MARK_PATH "' fill='none' stroke='%23fff' stroke-width='2' "
                      "stroke-linecap='round'/%3E%3C/svg%3E\">\n");
}

void page_begin(struct buf *html, const struct endpoint_call *call, struct str title)
{
    page_head(html, call, title);
    if (call->portal->stylesheet.n > 0) {
        buf_add_lit(html, "<link rel=\"stylesheet\" href=\"/assets/");
        page_text(html, call->portal->stylesheet);
        buf_add_lit(html, "\">\n");
    }
    buf_add_lit(html,
                "</head>\n<body>\n<header class=\"masthead\"><a class=\"brand\" href=\"/\">"
                "<svg class=\"mark\" viewBox=\"0 0 24 24\" aria-hidden=\"true\">"
                "<rect width=\"24\" height=\"24\" rx=\"6\"/><path d=\"" MARK_PATH "\"/></svg>");
    page_text(html, call->conf->title);
    buf_add_lit(html, "</a></header>\n<main>\n");
}

void page_end(struct buf *html, const struct endpoint_call *call)
{
    buf_add_lit(html, "\n</main>\n<footer><nav aria-label=\"Pages\">");
    if (call->listener == ENDPOINT_PORTAL)
        buf_add_lit(html, "<a href=\"/\">Start</a> "
                          "<a href=\"/problems/\">Answers of the gateway</a>");
    else
        buf_add_lit(html, "<a href=\"/\">Status</a>");
    buf_add_lit(html, "</nav></footer>\n</body>\n</html>\n");
}
