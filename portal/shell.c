/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/shell.h"

#include "portal/endpoint_rows.h"
#include "portal/locale.h"
#include "portal/page.h"
#include "portal/sign_in.h"
#include "portal/words.h"

/* The path with its {params} replaced by those of the call. */
static struct str fill_path(const struct endpoint_call *call, struct str path)
{
    struct arena *arena = http_arena(call->conn);
    struct str filled = STR_EMPTY;
    unsigned n = 0;
    while (path.p != NULL) {
        struct str segment = str_cut(&path, '/');
        size_t end = str_find_char(segment, '}', 0);
        bool is_param = str_starts(segment, STR("{")) && end < segment.n && n < 2;
        struct str value = is_param ? call->params[n++] : segment;
        struct str tail = is_param ? str_slice(segment, end + 1, segment.n) : STR_EMPTY;
        filled = arena_printf(arena, "%" STR_FMT "%s%" STR_FMT "%" STR_FMT, STR_ARG(filled),
                              filled.p != NULL ? "/" : "", STR_ARG(value), STR_ARG(tail));
    }
    return filled;
}

static void tell_data(struct endpoint_call *call, struct jsonw *w)
{
    const struct page_row *page = &call->row->page;
    jsonw_key(w, "data"), jsonw_object(w);
    for (size_t i = 0; i < SHELL_DATA_MAX && page->data[i].n > 0; i++) {
        struct capture capture;
        struct str path = fill_path(call, page->data[i]);
        endpoint_capture(call, path, &capture);
        if (capture.status == 200) /* what failed is asked for again by the script, which tells */
            jsonw_key_str(w, path), jsonw_raw(w, str_trim(buf_str(&capture.body)));
        buf_free(&capture.body);
    }
    jsonw_end(w);
}

/* JSON may stand in a script element where it has no `<`: none of it can end the element. */
static void add_boot(struct buf *html, struct endpoint_call *call)
{
    struct buf json;
    struct jsonw w;
    endpoint_json(&json, &w);
    jsonw_object(&w);
    jsonw_key(&w, "session"), sign_in_tell(call, &w);
    tell_data(call, &w);
    jsonw_end(&w);
    buf_add_lit(html, "<script type=\"application/json\" id=\"boot\">");
    struct str text = buf_finish(&json) == 0 ? buf_str(&json) : STR("{}");
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '<')
            buf_add_lit(html, "\\u003c");
        else
            buf_add_char(html, text.p[i]);
    }
    buf_add_lit(html, "</script>\n");
    buf_free(&json);
}

static const struct http_file *bundle_file(const struct endpoint_call *call, const char *suffix)
{
    struct str prefix =
        arena_printf(http_arena(call->conn), "%" STR_FMT "-", STR_ARG(call->row->page.bundle));
    return http_files_match(call->portal->files, prefix, str_from(suffix));
}

/* What the bundle imports, and its words: asked for with the page, not one after the other. */
static void add_preloads(struct buf *html, const struct endpoint_call *call)
{
    struct str name =
        arena_printf(http_arena(call->conn), "%" STR_FMT ".%" STR_FMT ".preload",
                     STR_ARG(call->row->page.bundle), STR_ARG(locale_name(locale_of(call))));
    const struct embedded_file *list = embedded_find(call->portal->sources.web_files, name);
    struct str rest = list != NULL ? list->data : STR_EMPTY;
    while (rest.n > 0) {
        buf_add_lit(html, "<link rel=\"modulepreload\" href=\"/assets/");
        page_text(html, str_cut(&rest, '\n'));
        buf_add_lit(html, "\">\n");
    }
}

static void add_bundle(struct buf *html, const struct endpoint_call *call)
{
    const struct http_file *css = bundle_file(call, ".css"), *js = bundle_file(call, ".js");
    if (css != NULL) {
        buf_add_lit(html, "<link rel=\"stylesheet\" href=\"/assets/");
        page_text(html, css->name);
        buf_add_lit(html, "\">\n");
    }
    if (js != NULL) {
        buf_add_lit(html, "<script type=\"module\" src=\"/assets/");
        page_text(html, js->name);
        buf_add_lit(html, "\"></script>\n");
        add_preloads(html, call);
    }
}

void shell_page(struct endpoint_call *call)
{
    struct buf html;
    page_head(&html, call, words(call, call->row->page.title));
    add_bundle(&html, call);
    page_theme(&html, call);
    buf_add_lit(&html, "</head>\n<body>\n<div id=\"app\"><noscript><main>\n");
    call->row->page.plain(&html, call);
    buf_add_lit(&html, "</main></noscript></div>\n");
    add_boot(&html, call);
    buf_add_lit(&html, "</body>\n</html>\n");
    endpoint_send_page(call, 200, &html);
}
