/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the reference pages of this folder from the tables that the program is made from:
 *
 *     generate NAME > docs/reference/NAME.md
 *
 * The test docs/NAME compares each page with what this prints, so that no page can grow old.
 */
#include "analytics/metrics.h"
#include "analytics/record.h"
#include "appliance/command.h"
#include "gateway/policy.h"

#include <stdio.h>

static const char NOTE[] =
    "<!-- Generated from the tables in the source; see generate.c beside this page. -->\n\n";

static void put_configuration(struct buf *b)
{
    buf_add_lit(
        b,
        "# Configuration\n\n"
        "`weir.yaml` is YAML (JSON is YAML too). Unknown keys, repeated keys and wrong types are\n"
        "errors, told with file, line, column and a suggestion. `${env:NAME}` and `${file:PATH}` "
        "put\n"
        "secrets in; `$${` is a literal `${`. Durations are written `250ms 10s 5m 1h 7d`, sizes\n"
        "`64KiB 10MiB` or bytes. `weir check -c FILE` tells what is wrong, or what it amounts "
        "to.\n\n");
    config_document(b);
}

static void put_metrics(struct buf *b)
{
    static const char *const types[] = {"counter", "gauge", "histogram", "info"};
    buf_add_lit(b, "# Metrics\n\n"
                   "At `/metrics` of the admin listener, as Prometheus text or OpenMetrics. What "
                   "counts calls is\n"
                   "counted from the same records as usage and rows, in the same transaction, and "
                   "goes on after\n"
                   "a restart. A scrape is at most 1 s behind and blocks no request.\n\n"
                   "| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n");
    for (int id = 0; id < METRICS_COUNT; id++) {
        const struct metric_row *row = metric_row((enum metric_id)id);
        buf_printf(b, "| `%" STR_FMT "` | %s | ", STR_ARG(row->name), types[row->type]);
        for (unsigned i = 0; i < row->label_count; i++)
            buf_printf(b, "%s`%s`", i > 0 ? " " : "", row->labels[i]);
        buf_printf(b, " | %s |\n", row->help);
    }
}

static void put_fields(struct buf *b)
{
    static const struct {
        const char *name, *type, *doc;
    } rows[] = {
#define X(name, type, doc) {#name, #type, doc},
#include "analytics/record_fields.def"
#undef X
    };
    buf_add_lit(b, "# The access record\n\n"
                   "One record for each request, the same fields in the store (`weir sql`, view "
                   "`requests`), in\n"
                   "Loki, in `weir tail` and `weir explain`.\n\n"
                   "| field | kind | meaning |\n| --- | --- | --- |\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        buf_printf(b, "| `%s` | %s | %s |\n", rows[i].name, rows[i].type, rows[i].doc);
}

static void put_problems(struct buf *b)
{
    buf_add_lit(b, "# Problem codes\n\n"
                   "Every answer that the gateway makes itself is `application/problem+json` (RFC "
                   "9457) with one of\n"
                   "these codes in `code`, in the header `Weir-Reason`, in the record and in the "
                   "metric label\n"
                   "`reason`. The portal has a page for each under `/problems/`.\n\n"
                   "| code | status | meaning | what to do |\n| --- | --- | --- | --- |\n");
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
        const struct reason_row *row = reason_row((enum reason)r);
        buf_printf(b, "| `%" STR_FMT "` | %u | %s | %s |\n", STR_ARG(row->code), row->status,
                   row->meaning, row->advice);
    }
}

static void put_policies(struct buf *b)
{
    buf_add_lit(b, "# Policies\n\n"
                   "What a request meets between its route and its upstream, in this order. A "
                   "refusal ends it;\n"
                   "policies that were entered see the answer on its way back, in reverse.\n\n"
                   "| policy | what it does |\n| --- | --- |\n");
    for (unsigned i = 0; policies_all[i] != NULL; i++)
        buf_printf(b, "| `%s` | %s |\n", policies_all[i]->name, policies_all[i]->doc);
}

static void put_commands(struct buf *b)
{
    buf_add_lit(b, "# Commands\n\n"
                   "One executable, `weir`. Results go to stdout, errors to stderr. Exit code 0: "
                   "done; 1: failed;\n"
                   "2: misuse.\n");
    for (size_t i = 0; commands_all[i] != NULL; i++) {
        const struct command *c = commands_all[i];
        buf_printf(b, "\n## weir %s\n\n%s\n\n```\nweir %s %s\n", c->name, c->brief, c->name,
                   c->synopsis);
        if (c->help != NULL)
            buf_printf(b, "\n%s", c->help);
        buf_add_lit(b, "```\n");
    }
}

static const struct {
    const char *name;
    void (*put)(struct buf *b);
} PAGES[] = {
    {"commands", put_commands}, {"configuration", put_configuration}, {"metrics", put_metrics},
    {"policies", put_policies}, {"problems", put_problems},           {"record", put_fields},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < ARRAY_LEN(PAGES); i++) {
        if (!str_eq(str_from(argv[1]), str_from(PAGES[i].name)))
            continue;
        struct buf b;
        buf_init(&b, 4UL << 20);
        PAGES[i].put(&b);
        printf("%s%" STR_FMT, NOTE, STR_ARG(buf_str(&b)));
        int r = buf_finish(&b);
        buf_free(&b);
        return r == 0 ? 0 : 1;
    }
    fprintf(stderr, "usage: generate NAME, one of:");
    for (size_t i = 0; i < ARRAY_LEN(PAGES); i++)
        fprintf(stderr, " %s", PAGES[i].name);
    fprintf(stderr, "\n");
    return 2;
}
