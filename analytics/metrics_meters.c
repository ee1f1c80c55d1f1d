/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/metrics_sources.h"

/* The METER rows: which metric, the first of its slots, and whose names these have. */
static const struct {
    enum metric_id metric;
    enum meter_id meter;
    enum meter_names names;
} METERS[] = {
#define CELL(...)
#define GIVEN(...)
#define METER(NAME, name, type, unit, names_, labels, help)                                        \
    {.metric = METRIC_##NAME, .meter = METER_##NAME, .names = names_},
#include "analytics/metrics.def"
#undef CELL
#undef GIVEN
#undef METER
};

void meters_collect(struct metrics_out *out, void *meters)
{
    for (size_t i = 0; i < ARRAY_LEN(METERS); i++) {
        unsigned count = meters_slot_count(meters, METERS[i].names);
        for (unsigned slot = 0; slot < count; slot++) {
            struct str name = meters_slot_name(meters, METERS[i].names, slot);
            int64_t sum = meters_sum(meters, METERS[i].meter, slot);
            if (METERS[i].names == METER_ALONE)
                metrics_i64(out, METERS[i].metric, METRIC_NO_LABELS, sum);
            else if (slot > 0 || sum != 0) /* `__other__` is shown once it is used */
                metrics_i64(out, METERS[i].metric, METRIC_LABELS(name), sum);
        }
    }
}
