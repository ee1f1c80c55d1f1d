/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h -- inside of portal/: the frame of the HTML pages that are written here, without scripts.
 *
 * Threads: a page belongs to its request.
 * Memory:  a page is a buffer; endpoint_send_page() frees it.
 * Errors:  the buffer's sticky error.
 */
#ifndef PORTAL_PAGE_H
#define PORTAL_PAGE_H

#include "base/buf.h"
#include "portal/endpoint.h"

/* Begins a page up to what else goes into <head>. `title` is plain text. */
void page_head(struct buf *html, const struct endpoint_call *call, struct str title);

/* Links the operator's theme, where there is one: after our own style, in the head. */
void page_theme(struct buf *html, const struct endpoint_call *call);

/* Begins a page up to the inside of <main>. `title` is plain text. */
void page_begin(struct buf *html, const struct endpoint_call *call, struct str title);

/* Text from anywhere: what HTML would read as markup is escaped, in attributes as well. */
void page_text(struct buf *html, struct str text);

void page_end(struct buf *html, const struct endpoint_call *call);

#endif
