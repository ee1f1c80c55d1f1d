/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.h -- inside of portal/: what a question for usage asks, and the series that answers it; as
 * JSON and as CSV alike.
 *
 * Threads: a view belongs to its call.
 * Memory:  a view is the caller's, until usage_view_finish().
 * Errors:  where a function is false, the answer was sent.
 */
#ifndef PORTAL_USAGE_H
#define PORTAL_USAGE_H

#include "analytics/query_apps.h"
#include "portal/endpoint.h"

struct usage_view {
    struct str range;        /* "24h"; "" where since and until were given */
    struct usage_ask ask;    /* its app: that of the path, or of the query, or all */
    struct wall since;       /* the later of the time asked for and the first data there is */
    struct wall until;       /* not after now */
    struct app_usage series; /* what there is */
};

/* Reads what is asked, and answers it from the store. */
must_check bool usage_view_make(struct endpoint_call *call, struct usage_view *ret_view);
void usage_view_finish(struct usage_view *view);

typedef void usage_point_visit(void *ctx, const struct usage_point *point);

/* Visits each unit of the time, those without calls as well, in order. */
void usage_view_each(const struct usage_view *view, usage_point_visit *visit, void *ctx);

#endif
