/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/metrics.h"

#include "analytics/metrics_sources.h"
#include "base/buf.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* clang-format off */
#define LABELS(...) .labels = (const char *const[]){__VA_ARGS__, NULL},                            \
                    .label_count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)
#define NO_LABELS .labels = (const char *const[]){NULL}, .label_count = 0
#define ROW(name_, type_, unit_, help_, ...)                                                       \
    {.name = STR_INIT(name_), .type = METRIC_TYPE_##type_, .unit = unit_, .help = help_, __VA_ARGS__},
#define CELL(NAME, name, type, unit, labels_, help_) ROW(name, type, unit, help_, labels_)
#define METER(NAME, name, type, unit, names, labels_, help_) ROW(name, type, unit, help_, labels_)
#define GIVEN(NAME, name, type, unit, labels_, help_) ROW(name, type, unit, help_, labels_)
static const struct metric_row ROWS[METRICS_COUNT] = {
#include "analytics/metrics.def"
};
#undef CELL
#undef METER
#undef GIVEN

/* Each METRIC of rollups.def is a CELL of metrics.def by the same name. */
static const enum metric_id OF_CELL[CELL_METRICS] = {
#define ROLLUP(...)
#define METRIC(NAME, ...) [CELL_##NAME##_INDEX] = METRIC_##NAME,
#include "analytics/rollups.def"
#undef ROLLUP
#undef METRIC
};
/* clang-format on */

static const char *const TYPES[] = {
    [METRIC_TYPE_COUNTER] = "counter",
    [METRIC_TYPE_GAUGE] = "gauge",
    [METRIC_TYPE_HISTOGRAM] = "histogram",
    [METRIC_TYPE_INFO] = "info",
};

struct metrics_out {
    struct buf samples[METRICS_COUNT]; /* lines of each metric */
};

struct collector {
    metrics_collect *collect;
    void *ctx;
};

struct metrics {
    int64_t max_age_us;                                  /* const after init */
    struct wall started;                                 /* const after init */
    struct collector collectors[METRICS_COLLECTORS_MAX]; /* const after the first scrape */
    unsigned collector_count;                            /* const after the first scrape */

    /* Held while a text is made: whoever else wants one is to wait for it. */
    pthread_mutex_t mtx;
    struct metrics_text *texts[METRICS_FORMATS]; /* guarded by mtx */
    struct mono made[METRICS_FORMATS];           /* guarded by mtx */
};

const struct metric_row *metric_row(enum metric_id id)
{
    CHECK((unsigned)id < METRICS_COUNT);
    return &ROWS[id];
}

/* ---- samples ---- */

/*
 * A label's value in quotes. Both formats escape alike; one byte that is not UTF-8 would cost the
 * whole scrape.
 */
static void add_value_quoted(struct buf *b, struct str value)
{
    bool utf8 = str_is_utf8(value);
    buf_add_char(b, '"');
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c == '\\' || c == '"') {
            buf_add_char(b, '\\');
            buf_add_char(b, c);
        } else if (c == '\n') {
            buf_add_lit(b, "\\n");
        } else {
            buf_add_char(b, utf8 || (unsigned char)c < 0x80 ? c : '?');
        }
    }
    buf_add_char(b, '"');
}

/* Up to the space before the value. `le` is the bound of a bucket, or empty. */
static struct buf *begin_sample(struct metrics_out *out, enum metric_id id, const char *suffix,
                                struct metric_labels labels, struct str le)
{
    struct buf *b = &out->samples[id];
    const struct metric_row *row = metric_row(id);
    CHECK(labels.count == row->label_count);
    buf_add_str(b, row->name);
    buf_add_cstr(b, suffix);
    if (labels.count > 0 || le.n > 0)
        buf_add_char(b, '{');
    for (unsigned i = 0; i < labels.count; i++) {
        if (i > 0)
            buf_add_char(b, ',');
        buf_add_cstr(b, row->labels[i]);
        buf_add_char(b, '=');
        add_value_quoted(b, labels.values[i]);
    }
    if (le.n > 0) {
        buf_add_cstr(b, labels.count > 0 ? ",le=" : "le=");
        add_value_quoted(b, le);
    }
    if (labels.count > 0 || le.n > 0)
        buf_add_char(b, '}');
    buf_add_char(b, ' ');
    return b;
}

void metrics_u64(struct metrics_out *out, enum metric_id id, struct metric_labels labels,
                 uint64_t value)
{
    struct buf *b = begin_sample(out, id, "", labels, STR_EMPTY);
    buf_add_u64(b, value);
    buf_add_char(b, '\n');
}

void metrics_i64(struct metrics_out *out, enum metric_id id, struct metric_labels labels,
                 int64_t value)
{
    struct buf *b = begin_sample(out, id, "", labels, STR_EMPTY);
    buf_add_i64(b, value);
    buf_add_char(b, '\n');
}

void metrics_double(struct metrics_out *out, enum metric_id id, struct metric_labels labels,
                    double value)
{
    struct buf *b = begin_sample(out, id, "", labels, STR_EMPTY);
    buf_printf(b, "%.12g\n", value);
}

/* 1500000 as "1.5", 1000000 as "1.0": the one form that OpenMetrics has for a bound. */
static struct str seconds_text(uint64_t us, char out[static 32])
{
    int n = snprintf(out, 32, "%llu.%06llu", (unsigned long long)(us / (uint64_t)US_PER_S),
                     (unsigned long long)(us % (uint64_t)US_PER_S));
    while (out[n - 1] == '0' && out[n - 2] != '.')
        n--;
    return str_make(out, (size_t)n);
}

void metrics_us(struct metrics_out *out, enum metric_id id, struct metric_labels labels,
                uint64_t us)
{
    char text[32];
    struct buf *b = begin_sample(out, id, "", labels, STR_EMPTY);
    buf_add_str(b, seconds_text(us, text));
    buf_add_char(b, '\n');
}

static void add_histogram(struct metrics_out *out, enum metric_id id, struct metric_labels labels,
                          const struct metric_cell *cell)
{
    char text[32];
    struct buf *b;
    uint64_t below = 0;
    unsigned bounds = cell_bound_count(cell->def);
    for (unsigned i = 0; i <= bounds; i++) {
        struct str le = i < bounds ? seconds_text(cell->def->bounds_us[i], text) : STR("+Inf");
        below += cell->buckets[i];
        b = begin_sample(out, id, "_bucket", labels, le);
        buf_add_u64(b, below);
        buf_add_char(b, '\n');
    }
    b = begin_sample(out, id, "_sum", labels, STR_EMPTY);
    buf_add_str(b, seconds_text(cell->sum_us, text));
    buf_add_char(b, '\n');
    /* the buckets' own sum: count and +Inf must be equal */
    b = begin_sample(out, id, "_count", labels, STR_EMPTY);
    buf_add_u64(b, below);
    buf_add_char(b, '\n');
}

void metrics_cell(struct metrics_out *out, const struct metric_cell *cell)
{
    enum metric_id id = OF_CELL[cell->def - CELL_DEFS];
    struct metric_labels labels = {.values = cell->labels, .count = cell->label_count};
    if (cell->def->kind == CELL_HISTOGRAM)
        add_histogram(out, id, labels, cell);
    else
        metrics_u64(out, id, labels, cell->value);
}

/* ---- the text ---- */

/* What OpenMetrics calls the family: the name without what its type adds to samples. */
static struct str family_name(const struct metric_row *row, enum metrics_format format)
{
    struct str end = row->type == METRIC_TYPE_COUNTER ? STR("_total")
                     : row->type == METRIC_TYPE_INFO  ? STR("_info")
                                                      : STR_EMPTY;
    if (format == METRICS_PROMETHEUS || !str_ends(row->name, end))
        return row->name;
    return str_slice(row->name, 0, row->name.n - end.n);
}

static void add_head(struct buf *b, const struct metric_row *row, enum metrics_format format)
{
    struct str name = family_name(row, format);
    bool open = format == METRICS_OPENMETRICS;
    const char *type = row->type == METRIC_TYPE_INFO && !open ? "gauge" : TYPES[row->type];
    buf_printf(b, "# HELP %" STR_FMT " %s\n", STR_ARG(name), row->help);
    buf_printf(b, "# TYPE %" STR_FMT " %s\n", STR_ARG(name), type);
    if (open && row->unit[0] != '\0')
        buf_printf(b, "# UNIT %" STR_FMT " %s\n", STR_ARG(name), row->unit);
}

static struct metrics_text *render(struct metrics *metrics, enum metrics_format format)
{
    struct metrics_out out;
    struct buf text;
    bool failed = false;
    for (unsigned i = 0; i < METRICS_COUNT; i++)
        buf_init(&out.samples[i], METRICS_TEXT_MAX);
    process_collect(&out, metrics->started);
    for (unsigned i = 0; i < metrics->collector_count; i++)
        metrics->collectors[i].collect(&out, metrics->collectors[i].ctx);

    buf_init(&text, METRICS_TEXT_MAX);
    for (unsigned i = 0; i < METRICS_COUNT; i++) {
        struct buf *samples = &out.samples[i];
        failed = failed || buf_finish(samples) != 0;
        if (samples->n > 0) {
            add_head(&text, &ROWS[i], format);
            buf_add_str(&text, buf_str(samples));
        }
        buf_free(samples);
    }
    if (format == METRICS_OPENMETRICS)
        buf_add_lit(&text, "# EOF\n");
    if (failed || buf_finish(&text) != 0) {
        buf_free(&text);
        return NULL;
    }
    struct metrics_text *made = malloc(sizeof(*made));
    CHECK(made != NULL);
    atomic_init(&made->refs, 1);
    /* takes the buffer's memory, less what doubling left over */
    char *fitting = realloc(text.p, text.n);
    made->text = str_make(fitting != NULL ? fitting : text.p, text.n);
    return made;
}

void metrics_text_unref(struct metrics_text *text)
{
    /* release what this holder read; the acquire is for the one that frees */
    if (text == NULL || atomic_fetch_sub_explicit(&text->refs, 1, memory_order_acq_rel) > 1)
        return;
    free((void *)(uintptr_t)text->text.p);
    free(text);
}

int metrics_get(struct metrics *metrics, enum metrics_format format, struct metrics_text **ret_text)
{
    int r = 0;
    struct mono asked = clock_mono();
    pthread_mutex_lock(&metrics->mtx);
    struct metrics_text **kept = &metrics->texts[format];
    if (*kept == NULL || mono_since(asked, metrics->made[format]) >= metrics->max_age_us) {
        metrics_text_unref(*kept);
        metrics->made[format] = clock_mono();
        *kept = render(metrics, format);
    }
    if (*kept != NULL) {
        atomic_fetch_add_explicit(&(*kept)->refs, 1, memory_order_relaxed);
        *ret_text = *kept;
    } else {
        r = E_TOO_LARGE;
    }
    pthread_mutex_unlock(&metrics->mtx);
    return r;
}

struct metrics *metrics_create(int64_t max_age_us)
{
    struct metrics *metrics = calloc(1, sizeof(*metrics));
    CHECK(metrics != NULL);
    metrics->max_age_us = max_age_us;
    metrics->started = clock_wall();
    CHECK(pthread_mutex_init(&metrics->mtx, NULL) == 0);
    return metrics;
}

void metrics_destroy(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (unsigned i = 0; i < METRICS_FORMATS; i++)
        metrics_text_unref(metrics->texts[i]);
    pthread_mutex_destroy(&metrics->mtx);
    free(metrics);
}

void metrics_register(struct metrics *metrics, metrics_collect *collect, void *ctx)
{
    CHECK(metrics->collector_count < METRICS_COLLECTORS_MAX);
    metrics->collectors[metrics->collector_count++] =
        (struct collector){.collect = collect, .ctx = ctx};
}

const char *metrics_content_type(enum metrics_format format)
{
    return format == METRICS_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}
