/* SPDX-License-Identifier: Apache-2.0 */
/* Usage as JSON: a series over a time, and what its requests were. */
#include "portal/usage.h"

/* Parts are as many as keys and apps were made; a page shows the largest. */
#define PARTS_MAX 100

static void tell_ms(struct jsonw *w, const char *key, uint64_t us)
{
    jsonw_key(w, key), jsonw_double(w, (double)us / US_PER_MS);
}

static void tell_count(struct jsonw *w, const char *key, uint64_t count)
{
    jsonw_key(w, key), jsonw_u64(w, count);
}

/* What points and totals have in common. */
static void tell_numbers(struct jsonw *w, const struct usage_point *point)
{
    tell_count(w, "requests", point->requests);
    tell_count(w, "metered", point->metered);
    tell_count(w, "errors", point->errors);
    tell_count(w, "refused", point->refused);
    tell_count(w, "gone", point->gone);
    tell_count(w, "bytes_in", point->bytes_in);
    tell_count(w, "bytes_out", point->bytes_out);
    tell_ms(w, "p50_ms", point->p50_us);
    tell_ms(w, "p95_ms", point->p95_us);
    tell_ms(w, "p99_ms", point->p99_us);
}

static void tell_point(void *ctx, const struct usage_point *point)
{
    struct jsonw *w = ctx;
    jsonw_object(w);
    endpoint_time(w, "t", point->begin);
    tell_numbers(w, point);
    jsonw_end(w);
}

static void tell_parts(struct jsonw *w, const char *key, const char *name,
                       const struct usage_parts *parts)
{
    jsonw_key(w, key), jsonw_array(w);
    for (size_t i = 0; i < parts->count && i < PARTS_MAX; i++) {
        if (parts->parts[i].name.n == 0)
            continue; /* of reasons: those that had none */
        jsonw_object(w);
        jsonw_key(w, name), jsonw_str(w, parts->parts[i].name);
        tell_count(w, "requests", parts->parts[i].requests);
        jsonw_end(w);
    }
    jsonw_end(w);
}

static void tell_view(struct jsonw *w, const struct usage_view *view)
{
    const struct app_usage *series = &view->series;
    jsonw_object(w);
    jsonw_key(w, "range"), jsonw_str(w, view->range);
    jsonw_key(w, "unit"), jsonw_cstr(w, level_name(view->ask.unit));
    endpoint_time(w, "since", view->since);
    endpoint_time(w, "until", view->until);
    endpoint_time(w, "first", series->first);
    jsonw_key(w, "points"), jsonw_array(w);
    usage_view_each(view, tell_point, w);
    jsonw_end(w);
    tell_parts(w, "reasons", "reason", &series->reasons);
    tell_parts(w, "apis", "api", &series->apis);
    tell_parts(w, "keys", "key", &series->keys);
    jsonw_key(w, "totals"), jsonw_object(w);
    tell_numbers(w, &series->totals);
    jsonw_end(w);
    jsonw_end(w);
}

void usage_get(struct endpoint_call *call)
{
    struct usage_view view;
    struct buf json;
    struct jsonw w;
    if (!usage_view_make(call, &view))
        return;
    endpoint_json(&json, &w);
    tell_view(&w, &view);
    usage_view_finish(&view);
    endpoint_send_json(call, 200, &json);
}
