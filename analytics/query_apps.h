/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query_apps.h -- what an app's people, or the operator, see of its calls: a series over a time,
 * the apps that call most, when keys were last used.
 *
 * `refused`, `errors` and `gone` are the outcomes of record.h, each call in at most one of them; a
 * 501 or 505 to a request that is wrong is an error by its status. Latencies are out of merged
 * histograms, so those of the whole are as exact as those of a minute. A series of one app counts
 * from the version on that has the roll-up `apps`; `metered` and keys are older.
 *
 * A series costs at most USAGE_STATEMENTS statements, whatever the time, and reads the app's own
 * cells only.
 *
 * Threads: a query belongs to one thread.
 * Memory:  a series is the caller's, until app_usage_finish().
 * Errors:  an E_ code and a sentence: E_INVALID for a time that ends before it begins or has more
 *          than USAGE_POINTS_MAX units, E_TIMEOUT past query_limit().
 */
#ifndef ANALYTICS_QUERY_APPS_H
#define ANALYTICS_QUERY_APPS_H

#include "analytics/query.h"
#include "analytics/rollup.h"

#define USAGE_POINTS_MAX 5000
#define USAGE_STATEMENTS 3

struct usage_ask {
    struct str app;           /* "" for all calls of the gateway, those of no app too */
    enum level unit;          /* of the points; how far back each is kept: analytics.retention */
    struct wall since, until; /* widened to whole units; until.us 0: up to now */
};

struct usage_point {
    struct wall begin; /* of the unit; in totals of the whole time */
    uint64_t requests, metered, errors, refused, gone;
    uint64_t bytes_in, bytes_out;
    uint64_t p50_us, p95_us, p99_us; /* of all requests' durations */
};

struct usage_part {
    struct str name; /* "" for none: a request without a reason, before its API was known */
    uint64_t requests;
};

struct usage_parts {
    struct usage_part *parts; /* most requests first, then by name */
    size_t count;
};

struct app_usage {
    struct wall begin, end;     /* what `since` and `until` became */
    struct wall first;          /* the oldest unit of any time that there is; 0 for none */
    struct usage_point *points; /* ascending; units without calls are left out */
    size_t point_count;
    struct usage_point totals;
    struct usage_parts reasons, apis; /* requests */
    struct usage_parts keys;          /* metered requests, of one app only */
};

/* 0 or a negative code, with nothing to finish then. */
must_check int query_app_usage(struct query *query, const struct usage_ask *ask,
                               struct app_usage *ret_usage, struct error *err);
void app_usage_finish(struct app_usage *usage); /* zeroed memory is accepted */

struct top_app {
    struct str app;
    uint64_t requests, errors, refused, gone, bytes_in, bytes_out;
};

/* 0 goes on; a negative code ends the visit and is passed on. */
typedef int top_visit(void *ctx, const struct top_app *app);

/*
 * The apps with the most requests in a time, at most `max`, most first, then by name. ask->app does
 * not matter. One statement, which reads the cells of all apps in that time.
 */
must_check int query_top_apps(struct query *query, const struct usage_ask *ask, unsigned max,
                              top_visit *visit, void *ctx, struct error *err);

struct key_last {
    struct wall time; /* 0: it never was used */
    struct ip ip;     /* all zero where that is not known */
};

/* The last use of each of the keys, by their public ids, in ret_uses[0..count). */
must_check int query_keys_used(struct query *query, const struct str *kids, size_t count,
                               struct key_last *ret_uses, struct error *err);

#endif
