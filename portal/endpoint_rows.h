/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint_rows.h -- inside of portal/: the rows of endpoints.def and pages.def as a table, and
 * finding one.
 *
 * Threads: constants.
 * Memory:  constants; parameters are views of the path.
 * Errors:  none; what is not there is NULL.
 */
#ifndef PORTAL_ENDPOINT_ROWS_H
#define PORTAL_ENDPOINT_ROWS_H

#include "portal/shell.h"

struct endpoint {
    enum endpoint_listener listener;
    enum http_method method;
    struct str path;
    enum role role;
    endpoint_handler *handle;
    enum schema in, out;
    struct str doc;
    struct page_row page; /* of pages.def; else empty */
};

extern const struct endpoint ENDPOINTS[];
extern const size_t ENDPOINT_COUNT;

/* "MACHINE", "APP_READ", ... */
struct str role_name(enum role role);

struct endpoint_match {
    const struct endpoint *row; /* NULL where no row takes path and method */
    struct str params[2];
    uint32_t methods; /* of all rows of that path: bit 1 << enum http_method */
};

/* Rows without a {param} win over those with one. HEAD is looked for as GET. */
struct endpoint_match endpoint_find(enum endpoint_listener listener, struct str path,
                                    enum http_method method);

#endif
