/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain_apps.h -- inside of portal/: what pages that a script draws are without one.
 *
 * They ask the JSON API from inside, as the script does from outside: one code decides, one tells.
 *
 * Threads: a page belongs to its request.
 * Memory:  appends to the page's buffer.
 * Errors:  the buffer's sticky error; an answer that failed is told by its sentence.
 */
#ifndef PORTAL_PLAIN_APPS_H
#define PORTAL_PLAIN_APPS_H

#include "portal/endpoint.h"

/* Appends the page's content. */
typedef void plain_content(struct buf *html, struct endpoint_call *call);

plain_content plain_none; /* that a script is needed */
plain_content plain_apps; /* the list of apps */
plain_content plain_keys; /* an app's keys: issue, revoke */

#endif
