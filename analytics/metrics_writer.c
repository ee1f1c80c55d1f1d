/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/metrics_sources.h"

#include "analytics/writer.h"

static void visit_cell(void *ctx, const struct metric_cell *cell)
{
    metrics_cell(ctx, cell);
}

void writer_collect(struct metrics_out *out, void *ctx)
{
    struct writer_source *source = ctx;
    struct writer_stats stats;
    struct store_sizes sizes = store_measure(source->store);
    metric_cells_visit(source->writer, visit_cell, out);
    writer_stats(source->writer, &stats);
    metrics_u64(out, METRIC_JOURNAL_BACKLOG, METRIC_NO_LABELS, stats.backlog);
    metrics_u64(out, METRIC_JOURNAL_DROPPED, METRIC_NO_LABELS, stats.dropped);
    metrics_u64(out, METRIC_JOURNAL_LATE, METRIC_NO_LABELS, stats.late_amendments);
    metrics_u64(out, METRIC_JOURNAL_TORN, METRIC_NO_LABELS, stats.torn);
    metrics_u64(out, METRIC_STORE_BYTES, METRIC_LABELS(STR("requests")), sizes.requests);
    metrics_u64(out, METRIC_STORE_BYTES, METRIC_LABELS(STR("totals")), sizes.totals);
    metrics_u64(out, METRIC_STORE_SKIPPED, METRIC_NO_LABELS, stats.rows_skipped);
    metrics_u64(out, METRIC_STORE_FAILURES, METRIC_NO_LABELS, stats.failures);
    metrics_u64(out, METRIC_STORE_FAILING, METRIC_LABELS(STR("rows")), stats.rows_failing);
    metrics_u64(out, METRIC_STORE_FAILING, METRIC_LABELS(STR("totals")), stats.totals_failing);
}
