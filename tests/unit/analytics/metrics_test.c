/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "analytics/metrics.h"
#include "analytics/metrics_sources.h"
#include "base/buf.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct str text_of(struct metrics *metrics, enum metrics_format format,
                          struct metrics_text **ret_text)
{
    assert_int_equal(metrics_get(metrics, format, ret_text), 0);
    return (*ret_text)->text;
}

/* The value of a series as it stands in the text; "" where it does not. */
static struct str value_of(struct str text, const char *series)
{
    struct str rest = text;
    while (rest.p != NULL) {
        struct str line = str_cut(&rest, '\n');
        if (str_starts(line, str_from(series)) && line.n > strlen(series) &&
            line.p[strlen(series)] == ' ')
            return str_slice(line, strlen(series) + 1, line.n);
    }
    return STR_EMPTY;
}

/* ---- a strict reader of both formats ---- */

struct reader {
    enum metrics_format format;
    struct str family;     /* of the last HELP */
    struct str type;       /* of the last TYPE */
    struct str series[64]; /* names and labels seen in this family */
    unsigned series_count;
    struct str families[METRICS_COUNT];
    unsigned family_count;
    double last_bucket; /* of the histogram that is being read */
    bool in_buckets, ended;
};

static void must(bool holds, struct str line, const char *what)
{
    if (!holds)
        fail_msg("%s: %" STR_FMT, what, STR_ARG(line));
}

static bool is_name_char(char c, bool first)
{
    char l = str_lower_char(c);
    return (l >= 'a' && l <= 'z') || c == '_' || c == ':' || (!first && c >= '0' && c <= '9');
}

static size_t name_length(struct str s)
{
    size_t n = 0;
    while (n < s.n && is_name_char(s.p[n], n == 0))
        n++;
    return n;
}

/* The length of {a="x",b="y"} at the front of s; 0 where there is none. */
static size_t labels_length(struct str s, struct str line)
{
    size_t i = 1;
    if (s.n == 0 || s.p[0] != '{')
        return 0;
    for (;;) {
        size_t n = name_length(str_slice(s, i, s.n));
        must(n > 0, line, "a label has no name");
        i += n;
        must(i + 1 < s.n && s.p[i] == '=' && s.p[i + 1] == '"', line, "a label has no value");
        for (i += 2; i < s.n && s.p[i] != '"'; i++) {
            if (s.p[i] != '\\')
                continue;
            i++;
            must(i < s.n && strchr("\\\"n", s.p[i]) != NULL, line, "an escape is unknown");
        }
        must(i + 1 < s.n, line, "a label's value has no end");
        i++;
        if (s.p[i] == '}')
            return i + 1;
        must(s.p[i++] == ',', line, "labels are not separated");
    }
}

static void read_head(struct reader *r, struct str line)
{
    struct str rest = line;
    str_cut(&rest, ' ');
    struct str what = str_cut(&rest, ' ');
    struct str name = str_cut(&rest, ' ');
    must(name_length(name) == name.n, line, "a family's name is wrong");
    if (str_eq(what, STR("HELP"))) {
        for (unsigned i = 0; i < r->family_count; i++)
            must(!str_eq(r->families[i], name), line, "a family comes twice");
        r->families[r->family_count++] = name;
        r->family = name;
        r->type = STR_EMPTY;
        r->series_count = 0;
        must(rest.n > 0, line, "there is no help");
        return;
    }
    must(str_eq(name, r->family), line, "a head is of another family");
    if (str_eq(what, STR("TYPE"))) {
        r->type = rest;
        return;
    }
    must(str_eq(what, STR("UNIT")) && r->format == METRICS_OPENMETRICS, line,
         "a comment is unknown");
    must(str_ends(name, rest), line, "the unit is not the end of the name");
}

/* What the name of a sample has after the family's. */
static void check_suffix(const struct reader *r, struct str name, struct str line)
{
    must(str_starts(name, r->family), line, "a sample is of another family");
    struct str suffix = str_slice(name, r->family.n, name.n);
    bool open = r->format == METRICS_OPENMETRICS;
    if (str_eq(r->type, STR("histogram")))
        must(str_eq(suffix, STR("_bucket")) || str_eq(suffix, STR("_sum")) ||
                 str_eq(suffix, STR("_count")),
             line, "a histogram has another sample");
    else if (open && str_eq(r->type, STR("counter")))
        must(str_eq(suffix, STR("_total")), line, "a counter does not end with _total");
    else if (open && str_eq(r->type, STR("info")))
        must(str_eq(suffix, STR("_info")), line, "an info does not end with _info");
    else
        must(suffix.n == 0, line, "the name is not its family's");
}

static void check_bucket(struct reader *r, struct str name, struct str labels, double value,
                         struct str line)
{
    if (str_ends(name, STR("_bucket"))) {
        must(!r->in_buckets || value >= r->last_bucket, line, "buckets are not cumulative");
        r->in_buckets = !str_ends(labels, STR("le=\"+Inf\"}"));
        r->last_bucket = value;
    } else if (str_ends(name, STR("_count"))) {
        must(value == r->last_bucket, line, "the count is not the last bucket");
        must(!r->in_buckets, line, "there is no bucket +Inf");
    }
}

static void read_sample(struct reader *r, struct str line)
{
    struct str name = str_slice(line, 0, name_length(line));
    struct str rest = str_slice(line, name.n, line.n);
    struct str labels = str_slice(rest, 0, labels_length(rest, line));
    struct str series = str_slice(line, 0, name.n + labels.n);
    rest = str_slice(rest, labels.n, rest.n);
    must(r->type.n > 0, line, "a sample comes before its type");
    check_suffix(r, name, line);
    for (unsigned i = 0; i < r->series_count; i++)
        must(!str_eq(r->series[i], series), line, "a series comes twice");
    assert_true(r->series_count < ARRAY_LEN(r->series));
    r->series[r->series_count++] = series;
    must(rest.n > 1 && rest.p[0] == ' ', line, "there is no value");
    char number[64], *end;
    must(str_copy(str_slice(rest, 1, rest.n), number, sizeof(number)), line, "the value is long");
    double value = strtod(number, &end);
    must(*end == '\0', line, "the value is no number");
    if (str_eq(r->type, STR("histogram")))
        check_bucket(r, name, labels, value, line);
}

static void check_text(struct str text, enum metrics_format format)
{
    struct reader r = {.format = format};
    must(str_is_utf8(text), text, "not UTF-8");
    must(str_ends(text, STR("\n")), text, "the last line has no end");
    text.n--;
    while (text.p != NULL) {
        struct str line = str_cut(&text, '\n');
        must(!r.ended, line, "something follows the end");
        if (str_eq(line, STR("# EOF")))
            r.ended = true;
        else if (str_starts(line, STR("#")))
            read_head(&r, line);
        else
            read_sample(&r, line);
    }
    assert_int_equal(r.ended, format == METRICS_OPENMETRICS);
}

/* ---- values ---- */

static const uint64_t SOME_BUCKETS[] = {1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 3};

static void give_cells(struct metrics_out *out, void *ctx)
{
    (void)ctx;
    struct metric_cell requests = {
        .def = &CELL_DEFS[CELL_REQUESTS_INDEX],
        .labels = {STR("users"), STR("default"), STR("GET"), STR("200"), STR("")},
        .label_count = 5,
        .value = UINT64_C(18446744073709551615)};
    struct metric_cell duration = {.def = &CELL_DEFS[CELL_DURATION_INDEX],
                                   .labels = {STR("users"), STR("default")},
                                   .label_count = 2,
                                   .value = 11,
                                   .sum_us = 61000001,
                                   .buckets = SOME_BUCKETS};
    struct metric_cell records = {.def = &CELL_DEFS[CELL_RECORDS_INDEX], .value = 12};
    metrics_cell(out, &requests);
    metrics_cell(out, &duration);
    requests.labels[3] = STR("404");
    requests.value = 0;
    /* after another metric's samples: they are put together all the same */
    metrics_cell(out, &requests);
    metrics_cell(out, &records);
}

static void give_odd_labels(struct metrics_out *out, void *ctx)
{
    (void)ctx;
    metrics_u64(out, METRIC_CONNECTIONS, METRIC_LABELS(STR("a\"b\\c\nd"), STR("\xc3\xa9")), 1);
    metrics_u64(out, METRIC_CONNECTIONS, METRIC_LABELS(STR("\xff\xc3"), STR("")), 2);
    metrics_double(out, METRIC_QUOTA_USED, METRIC_LABELS(STR("a"), STR("b"), STR("c")), 0.125);
    metrics_i64(out, METRIC_UPSTREAM_IDLE, METRIC_NO_LABELS, -3);
    metrics_us(out, METRIC_LONGEST_TURN, METRIC_NO_LABELS, 1);
    metrics_us(out, METRIC_CONFIG_LAST_RELOAD, METRIC_NO_LABELS, UINT64_C(1764000000000000));
}

static struct metrics *with_everything(void)
{
    struct metrics *metrics = metrics_create(0);
    metrics_register(metrics, give_cells, NULL);
    metrics_register(metrics, give_odd_labels, NULL);
    return metrics;
}

static void both_formats_are_read_by_a_strict_reader(void **state)
{
    (void)state;
    struct metrics *metrics = with_everything();
    for (int f = 0; f < METRICS_FORMATS; f++) {
        struct metrics_text *text;
        check_text(text_of(metrics, (enum metrics_format)f, &text), (enum metrics_format)f);
        metrics_text_unref(text);
    }
    metrics_destroy(metrics);
}

static void values_and_labels_are_exact(void **state)
{
    static const struct {
        const char *series, *value;
    } cases[] = {
        {"weir_requests_total{api=\"users\",route=\"default\",method=\"GET\",code=\"200\",reason="
         "\"\"}",
         "18446744073709551615"},
        {"weir_requests_total{api=\"users\",route=\"default\",method=\"GET\",code=\"404\",reason="
         "\"\"}",
         "0"},
        {"weir_request_duration_seconds_bucket{api=\"users\",route=\"default\",le=\"0.001\"}", "1"},
        {"weir_request_duration_seconds_bucket{api=\"users\",route=\"default\",le=\"0.0025\"}",
         "1"},
        {"weir_request_duration_seconds_bucket{api=\"users\",route=\"default\",le=\"1.0\"}", "3"},
        {"weir_request_duration_seconds_bucket{api=\"users\",route=\"default\",le=\"10.0\"}", "8"},
        {"weir_request_duration_seconds_bucket{api=\"users\",route=\"default\",le=\"+Inf\"}", "11"},
        {"weir_request_duration_seconds_sum{api=\"users\",route=\"default\"}", "61.000001"},
        {"weir_request_duration_seconds_count{api=\"users\",route=\"default\"}", "11"},
        {"weir_journal_records_total", "12"},
        {"weir_connections{listener=\"a\\\"b\\\\c\\nd\",state=\"\xc3\xa9\"}", "1"},
        {"weir_connections{listener=\"??\",state=\"\"}", "2"},
        {"weir_quota_used_ratio{app=\"a\",plan=\"b\",limit=\"c\"}", "0.125"},
        {"weir_upstream_idle_connections", "-3"},
        {"weir_carrier_longest_turn_seconds", "0.000001"},
        {"weir_config_last_reload_timestamp_seconds", "1764000000.0"},
        {"weir_build_info{version=\"" WEIR_VERSION "\"}", "1"},
    };
    (void)state;
    struct metrics *metrics = with_everything();
    for (int f = 0; f < METRICS_FORMATS; f++) {
        struct metrics_text *text;
        struct str all = text_of(metrics, (enum metrics_format)f, &text);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct str got = value_of(all, cases[i].series);
            if (!str_eq(got, str_from(cases[i].value)))
                fail_msg("%s is \"%" STR_FMT "\"", cases[i].series, STR_ARG(got));
        }
        metrics_text_unref(text);
    }
    metrics_destroy(metrics);
}

static void the_process_tells_of_itself(void **state)
{
    static const char *const names[] = {"process_cpu_seconds_total",
                                        "process_resident_memory_bytes",
                                        "process_virtual_memory_bytes",
                                        "process_open_fds",
                                        "process_max_fds",
                                        "process_start_time_seconds"};
    (void)state;
    struct metrics_text *before, *after;
    struct metrics *metrics = metrics_create(0);
    struct str all = text_of(metrics, METRICS_PROMETHEUS, &before);
    uint64_t fds, more;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_true(value_of(all, names[i]).n > 0);
    int fd = dup(STDOUT_FILENO);
    assert_true(fd >= 0);
    assert_int_equal(str_to_u64(value_of(all, "process_open_fds"), 1, 1000, &fds), 0);
    all = text_of(metrics, METRICS_PROMETHEUS, &after);
    assert_int_equal(str_to_u64(value_of(all, "process_open_fds"), 1, 1000, &more), 0);
    assert_int_equal(more, fds + 1);
    close(fd);
    metrics_text_unref(before);
    metrics_text_unref(after);
    metrics_destroy(metrics);
}

static void meters_are_shown_with_every_name_they_know(void **state)
{
    (void)state;
    struct metrics_text *text;
    struct meters *meters = meters_create(2);
    struct metrics *metrics = metrics_create(0);
    metrics_register(metrics, meters_collect, meters);
    unsigned users = meter_slot(meters, METER_OF_APIS, STR("users"));
    meter_slot(meters, METER_OF_APIS, STR("orders"));
    meter_add(meters_get(meters, 0), METER_IN_FLIGHT, users, 2);
    meter_add(meters_get(meters, 1), METER_IN_FLIGHT, users, 1);

    struct str all = text_of(metrics, METRICS_PROMETHEUS, &text);
    assert_str_equal(value_of(all, "weir_requests_in_flight{api=\"users\"}"), "3");
    assert_str_equal(value_of(all, "weir_requests_in_flight{api=\"orders\"}"), "0");
    assert_str_equal(value_of(all, "weir_requests_in_flight{api=\"__other__\"}"), "");
    assert_str_equal(value_of(all, "weir_upstream_idle_connections"), "0");
    metrics_text_unref(text);

    meter_add(meters_get(meters, 1), METER_IN_FLIGHT, 0, 9);
    all = text_of(metrics, METRICS_PROMETHEUS, &text);
    assert_str_equal(value_of(all, "weir_requests_in_flight{api=\"__other__\"}"), "9");
    metrics_text_unref(text);
    metrics_destroy(metrics);
    meters_destroy(meters);
}

static void count_calls(struct metrics_out *out, void *ctx)
{
    unsigned *calls = ctx;
    metrics_u64(out, METRIC_FIBERS, METRIC_NO_LABELS, ++*calls);
}

static void a_fresh_text_is_not_rendered_again(void **state)
{
    (void)state;
    unsigned calls = 0;
    struct metrics_text *a, *b, *c;
    struct metrics *metrics = metrics_create(INT64_MAX);
    metrics_register(metrics, count_calls, &calls);
    text_of(metrics, METRICS_PROMETHEUS, &a);
    text_of(metrics, METRICS_PROMETHEUS, &b);
    assert_ptr_equal(a, b);
    assert_int_equal(calls, 1);
    text_of(metrics, METRICS_OPENMETRICS, &c);
    assert_int_equal(calls, 2);
    metrics_destroy(metrics);
    /* a text outlives everything but its holders */
    assert_str_equal(value_of(a->text, "weir_fibers"), "1");
    metrics_text_unref(a);
    assert_str_equal(value_of(b->text, "weir_fibers"), "1");
    metrics_text_unref(b);
    metrics_text_unref(c);
    metrics_text_unref(NULL);
}

static void an_old_text_is_rendered_anew(void **state)
{
    (void)state;
    unsigned calls = 0;
    struct metrics_text *a, *b;
    struct metrics *metrics = metrics_create(0);
    metrics_register(metrics, count_calls, &calls);
    text_of(metrics, METRICS_PROMETHEUS, &a);
    text_of(metrics, METRICS_PROMETHEUS, &b);
    assert_str_equal(value_of(a->text, "weir_fibers"), "1");
    assert_str_equal(value_of(b->text, "weir_fibers"), "2");
    metrics_text_unref(a);
    metrics_text_unref(b);
    metrics_destroy(metrics);
}

static void *scrape(void *arg)
{
    for (unsigned i = 0; i < 200; i++) {
        struct metrics_text *text;
        if (metrics_get(arg, METRICS_PROMETHEUS, &text) != 0 ||
            value_of(text->text, "weir_fibers").n == 0)
            return arg;
        metrics_text_unref(text);
    }
    return NULL;
}

static void scrapes_at_the_same_time_do_not_disturb_each_other(void **state)
{
    (void)state;
    unsigned calls = 0; /* without an atomic: two renderings at once would be a race */
    pthread_t threads[4];
    struct metrics *metrics = metrics_create(0);
    metrics_register(metrics, count_calls, &calls);
    for (unsigned i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, scrape, metrics), 0);
    for (unsigned i = 0; i < ARRAY_LEN(threads); i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    metrics_destroy(metrics);
}

static void the_table_fits_the_conventions_and_the_roll_ups(void **state)
{
    (void)state;
    for (unsigned i = 0; i < METRICS_COUNT; i++) {
        const struct metric_row *row = metric_row((enum metric_id)i);
        struct str end = row->type == METRIC_TYPE_COUNTER ? STR("_total")
                         : row->type == METRIC_TYPE_INFO  ? STR("_info")
                                                          : STR_EMPTY;
        must(str_ends(row->name, end), row->name, "does not end as its type wants");
        struct str stem = str_slice(row->name, 0, row->name.n - end.n);
        must(str_ends(stem, str_from(row->unit)), row->name, "does not name its unit");
        must(row->label_count <= METRIC_LABELS_MAX, row->name, "has too many labels");
        must(row->help[0] != '\0' && strpbrk(row->help, "\\\n\"") == NULL, row->name,
             "has help that would need escaping");
        for (unsigned other = 0; other < i; other++)
            must(!str_eq(metric_row((enum metric_id)other)->name, row->name), row->name,
                 "is twice");
    }
}

static void each_kept_series_has_the_name_and_labels_of_its_row(void **state)
{
    static const enum metric_id rows[CELL_METRICS] = {
#define ROLLUP(...)
#define METRIC(NAME, ...) METRIC_##NAME,
#include "analytics/rollups.def"
#undef ROLLUP
#undef METRIC
    };
    (void)state;
    for (unsigned i = 0; i < CELL_METRICS; i++) {
        const struct cell_def *def = &CELL_DEFS[i];
        const struct metric_row *row = metric_row(rows[i]);
        unsigned n = 0;
        assert_str_equal(row->name, def->metric);
        assert_int_equal(def->kind == CELL_HISTOGRAM, row->type == METRIC_TYPE_HISTOGRAM);
        for (; def->dims[n] != DIM_NONE; n++)
            assert_string_equal(row->labels[n], dim_label(def->dims[n]));
        assert_int_equal(row->label_count, n);
    }
}

static void promtool_finds_nothing_to_object_to(void **state)
{
    (void)state;
    struct metrics_text *text;
    if (access("/usr/bin/promtool", X_OK) != 0)
        skip(); /* it comes with Debian's package prometheus */
    struct metrics *metrics = with_everything();
    struct str all = text_of(metrics, METRICS_PROMETHEUS, &text);
    FILE *promtool = popen("/usr/bin/promtool check metrics", "w");
    assert_non_null(promtool);
    assert_int_equal(fwrite(all.p, 1, all.n, promtool), all.n);
    assert_int_equal(pclose(promtool), 0);
    metrics_text_unref(text);
    metrics_destroy(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_fits_the_conventions_and_the_roll_ups),
        cmocka_unit_test(each_kept_series_has_the_name_and_labels_of_its_row),
        cmocka_unit_test(both_formats_are_read_by_a_strict_reader),
        cmocka_unit_test(values_and_labels_are_exact),
        cmocka_unit_test(the_process_tells_of_itself),
        cmocka_unit_test(meters_are_shown_with_every_name_they_know),
        cmocka_unit_test(a_fresh_text_is_not_rendered_again),
        cmocka_unit_test(an_old_text_is_rendered_anew),
        cmocka_unit_test(scrapes_at_the_same_time_do_not_disturb_each_other),
        cmocka_unit_test(promtool_finds_nothing_to_object_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
