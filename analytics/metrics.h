/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.h -- the text of /metrics: the rows of metrics.def with the values of the moment.
 *
 * Whoever knows a value registers a function that gives it; metrics_get() asks all of them, at most
 * once in METRICS_MAX_AGE_US however many scrape. None of it is on a request's path: what carriers
 * know is read from their meters, what the writer knows from its last snapshot.
 *
 * Two formats: the Prometheus text format 0.0.4 and OpenMetrics 1.0. The same samples are in both.
 *
 * Threads: registering by one thread, before the first scrape; metrics_get() by any that may block.
 * Memory:  the last text of each format is kept; a text lives as long as someone holds it.
 * Errors:  E_TOO_LARGE where a text would pass METRICS_TEXT_MAX.
 */
#ifndef ANALYTICS_METRICS_H
#define ANALYTICS_METRICS_H

#include "analytics/meter.h"
#include "analytics/metric_cells.h"
#include "base/clock.h"
#include "base/error.h"

#define METRICS_MAX_AGE_US US_PER_S
#define METRICS_TEXT_MAX ((size_t)256 << 20)
#define METRICS_COLLECTORS_MAX 16
#define METRIC_LABELS_MAX 5

enum metric_id {
#define CELL(NAME, ...) METRIC_##NAME,
#define METER(NAME, ...) METRIC_##NAME,
#define GIVEN(NAME, ...) METRIC_##NAME,
#include "analytics/metrics.def"
#undef CELL
#undef METER
#undef GIVEN
    METRICS_COUNT
};

enum metric_type {
    METRIC_TYPE_COUNTER,
    METRIC_TYPE_GAUGE,
    METRIC_TYPE_HISTOGRAM,
    METRIC_TYPE_INFO /* a gauge that is always 1, where there is no such type */
};

/* A row of metrics.def. */
struct metric_row {
    struct str name;
    enum metric_type type;
    const char *unit;          /* "" for none */
    const char *const *labels; /* NULL ends them */
    unsigned label_count;
    const char *help;
};

const struct metric_row *metric_row(enum metric_id id);

/* ---- for those who give values ---- */

struct metrics_out;

struct metric_labels {
    const struct str *values; /* in the order of the row's labels */
    unsigned count;
};

#define METRIC_LABELS(...)                                                                         \
    ((struct metric_labels){.values = (const struct str[]){__VA_ARGS__},                           \
                            .count =                                                               \
                                sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str)})
#define METRIC_NO_LABELS ((struct metric_labels){.values = NULL, .count = 0})

/*
 * One sample each. The order of calls does not matter: samples of a metric are put together. There
 * must be one value for each label of the row, and no two samples with the same.
 */
void metrics_u64(struct metrics_out *out, enum metric_id id, struct metric_labels labels,
                 uint64_t value);
void metrics_i64(struct metrics_out *out, enum metric_id id, struct metric_labels labels,
                 int64_t value);
void metrics_double(struct metrics_out *out, enum metric_id id, struct metric_labels labels,
                    double value);
/* Microseconds, shown as seconds without rounding. */
void metrics_us(struct metrics_out *out, enum metric_id id, struct metric_labels labels,
                uint64_t us);
/* A series that is kept in the store: its counter, or all samples of its histogram. */
void metrics_cell(struct metrics_out *out, const struct metric_cell *cell);

/* Gives the values that `ctx` knows. Must not wait for anything a request may hold. */
typedef void metrics_collect(struct metrics_out *out, void *ctx);

/* ---- for those who own and serve them ---- */

struct metrics;

/* With the metrics of the process and the build. `max_age_us` is METRICS_MAX_AGE_US but in tests.
 */
struct metrics *metrics_create(int64_t max_age_us);
void metrics_destroy(struct metrics *metrics); /* NULL is accepted */

/* `ctx` must outlive the last metrics_get(). */
void metrics_register(struct metrics *metrics, metrics_collect *collect, void *ctx);

enum metrics_format { METRICS_PROMETHEUS, METRICS_OPENMETRICS, METRICS_FORMATS };

/* The value of Content-Type. */
const char *metrics_content_type(enum metrics_format format);

struct metrics_text {
    _Atomic unsigned refs; /* atomic */
    struct str text;       /* const while there is a reference */
};

/*
 * A text that is at most max_age_us old when this is called, with a reference that the caller gives
 * back. Where another thread is rendering, waits for its text instead of making a second one.
 */
must_check int metrics_get(struct metrics *metrics, enum metrics_format format,
                           struct metrics_text **ret_text);
void metrics_text_unref(struct metrics_text *text);

#endif
