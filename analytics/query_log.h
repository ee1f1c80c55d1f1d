/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query_log.h -- a list of requests out of the rows of all days, a page at a time: newest first, or
 * what came after a place.
 *
 * A place is the number of a row (`seq`), which grows over all days as rows are written; a row
 * comes at most about a second after its call. No list reaches beyond what is whole in all files,
 * so that who goes on from a place is given every row once, whichever rings and days they came
 * from.
 *
 * One page costs at most LOG_LOOK_MAX rows looked at (several times that while days overlap, as
 * after a clock was set back): of an app only its own rows are looked at, else all. A page can
 * therefore be short, or empty, and still have a next one.
 *
 * Threads: a query belongs to one thread.
 * Memory:  rows given to a visitor are borrowed until it returns.
 * Errors:  an E_ code and a sentence; E_TIMEOUT past query_limit().
 */
#ifndef ANALYTICS_QUERY_LOG_H
#define ANALYTICS_QUERY_LOG_H

#include "analytics/query.h"

#define LOG_LOOK_MAX 50000
#define LOG_LIMIT_MAX 1000

enum log_reasons {
    LOG_REASON_ANY,
    LOG_REASON_NONE, /* the upstream answered */
    LOG_REASON_SOME, /* Weir itself did, or the client went away */
    LOG_REASON_ONE,  /* `reason` */
};

/* What the rows have in common; zeroed: all rows. */
struct log_filter {
    struct str app;              /* "" for all; makes the list of a rare app's rows quick */
    struct str key, api, method; /* "" for all */
    int status_min, status_max;  /* 404 and 404, 200 and 299; 0 and 0 for all */
    enum log_reasons reasons;
    struct str reason;
    struct wall since, until; /* completed in [since, until); 0 for no bound */
};

struct log_ask {
    struct log_filter filter;
    bool oldest_first;
    uint64_t place; /* rows before it (oldest_first: after it) only; 0 from the end (beginning) */
    unsigned limit; /* 1..LOG_LIMIT_MAX */
};

struct log_page {
    unsigned rows;
    uint64_t next;   /* the place to go on from, in the same direction; 0 where nothing is left.
                        With oldest_first never 0: to be asked again for what comes later */
    uint64_t newest; /* the newest number there was: the place from which a live list begins */
};

/*
 * Visits the rows of a page, in order. 0, a negative code, or what the visitor returned. *ret_page
 * is good only after 0. A row whose day was deleted meanwhile is passed over.
 */
must_check int query_log(struct query *query, const struct log_ask *ask, row_visit *visit,
                         void *ctx, struct log_page *ret_page, struct error *err);

#endif
