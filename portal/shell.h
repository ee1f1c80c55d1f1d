/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shell.h -- inside of portal/: the frame of pages that a script draws, with their first data.
 *
 * The first paint needs no round trip: who is signed in and what the page shows are in the page as
 * JSON (`<script type="application/json" id="boot">`, which no browser runs). Where there is no
 * script, a page may say something else within <noscript>.
 *
 * Threads: const after creation.
 * Memory:  names are views into the embedded manifest.
 * Errors:  a bundle that was not built is a page that says so.
 */
#ifndef PORTAL_SHELL_H
#define PORTAL_SHELL_H

#include "portal/plain_apps.h"

#define SHELL_DATA_MAX 2

/* What a row of pages.def has besides its endpoint. */
struct page_row {
    struct str bundle, title;
    plain_content *plain; /* within <noscript> */
    struct str data[SHELL_DATA_MAX];
};

/* The handler of all rows of pages.def. */
endpoint_handler shell_page;

#endif
