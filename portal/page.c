/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/page.h"

#include "portal/words.h"

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

static void add_link(struct buf *html, const struct endpoint_call *call, const char *path,
                     const char *key)
{
    buf_printf(html, "<a href=\"%s\">", path);
    page_text(html, words(call, str_from(key)));
    buf_add_lit(html, "</a>");
}

static void add_account_links(struct buf *html, const struct endpoint_call *call)
{
    buf_add_lit(html, "<nav class=\"account\" aria-label=\"");
    page_text(html, words(call, STR("page.account")));
    buf_add_lit(html, "\">");
    if (call->person != NULL && call->listener == ENDPOINT_PORTAL) {
        add_link(html, call, "/apps", "page.apps");
        add_link(html, call, "/account", "page.account");
    } else if (call->person == NULL && call->listener == ENDPOINT_PORTAL) {
        add_link(html, call, "/sign-in", "page.sign_in.do");
        if (call->conf->registration == PORTAL_OPEN)
            add_link(html, call, "/sign-up", "page.sign_up.link");
    }
    buf_add_lit(html, "</nav>");
}

/* The name stands beside it: it needs no words of its own. */
static void add_mark(struct buf *html, const struct endpoint_call *call)
{
    if (call->conf->logo.n > 0)
        buf_add_lit(html, "<img class=\"mark\" src=\"/logo.svg\" alt=\"\">");
    else
        buf_add_lit(html,
                    "<svg class=\"mark\" viewBox=\"0 0 24 24\" aria-hidden=\"true\">"
                    "<rect width=\"24\" height=\"24\" rx=\"6\"/><path d=\"" MARK_PATH "\"/></svg>");
}

void page_begin(struct buf *html, const struct endpoint_call *call, struct str title)
{
    page_head(html, call, title);
    if (call->portal->stylesheet.n > 0) {
        buf_add_lit(html, "<link rel=\"stylesheet\" href=\"/assets/");
        page_text(html, call->portal->stylesheet);
        buf_add_lit(html, "\">\n");
    }
    page_theme(html, call);
    buf_add_lit(html, "</head>\n<body>\n<header class=\"masthead\"><a class=\"brand\" href=\"/\">");
    add_mark(html, call);
    page_text(html, call->conf->title);
    buf_add_lit(html, "</a>");
    add_account_links(html, call);
    buf_add_lit(html, "</header>\n<main>\n");
}

/* A choice of language is a form: it works without a script, and a link that is followed by a robot
 * changes nothing. */
static void add_languages(struct buf *html, const struct endpoint_call *call)
{
    static const struct str NAMES[LOCALE_COUNT] = {
        [LOCALE_EN] = STR_INIT("English"),
        [LOCALE_TR] = STR_INIT("Türkçe"),
    };
    buf_add_lit(html, "<form class=\"languages\" method=\"post\" action=\"/language?return=");
    page_text(html, call->path.n > 0 ? call->path : STR("/"));
    buf_add_lit(html, "\">");
    for (enum locale l = 0; l < LOCALE_COUNT; l++) {
        if (l == locale_of(call))
            continue;
        buf_printf(html,
                   "<button class=\"link\" name=\"language\" value=\"%" STR_FMT
                   "\" lang=\"%" STR_FMT "\">%" STR_FMT "</button>",
                   STR_ARG(locale_name(l)), STR_ARG(locale_name(l)), STR_ARG(NAMES[l]));
    }
    buf_add_lit(html, "</form>");
}

void page_end(struct buf *html, const struct endpoint_call *call)
{
    buf_add_lit(html, "\n</main>\n<footer><nav aria-label=\"");
    page_text(html, words(call, STR("page.pages")));
    buf_add_lit(html, "\">");
    add_link(html, call, "/", "page.start");
    if (call->listener == ENDPOINT_PORTAL)
        add_link(html, call, "/problems/", "page.problems");
    buf_add_lit(html, "</nav>");
    add_languages(html, call);
    buf_add_lit(html, "</footer>\n</body>\n</html>\n");
}
