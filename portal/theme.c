/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator makes the pages look like: a logo, and values for the tokens of their style. */
#include "portal/page.h"

#include <inttypes.h>
#include <stdio.h>

static void send_file(struct endpoint_call *call, struct str type, struct str text)
{
    char etag[24];
    struct reply reply = {.status = 200, .type = type, .body = text};
    if (text.n == 0) {
        endpoint_fail(call, 404, STR("This installation has none."));
        return;
    }
    snprintf(etag, sizeof(etag), "\"%016" PRIx64 "\"", str_hash(text));
    reply.etag = str_from(etag);
    /* opened by itself a picture is a document: it may do nothing */
    reply_add(&reply, STR("Content-Security-Policy"),
              STR("default-src 'none'; style-src 'unsafe-inline'; sandbox"));
    endpoint_send(call, &reply, ENDPOINT_REVALIDATE);
}

void logo_file(struct endpoint_call *call)
{
    send_file(call, STR("image/svg+xml"), call->conf->logo);
}

void theme_file(struct endpoint_call *call)
{
    send_file(call, STR("text/css; charset=utf-8"), call->conf->theme);
}

void page_theme(struct buf *html, const struct endpoint_call *call)
{
    if (call->conf->theme.n > 0)
        buf_add_lit(html, "<link rel=\"stylesheet\" href=\"/theme.css\">\n");
}
