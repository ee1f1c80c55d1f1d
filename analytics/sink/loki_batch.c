/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/sink/loki_batch.h"

#include "analytics/record_wire.h"
#include "base/jsonw.h"

#include <stdlib.h>

/*
 * Bytes kept of each text of a record whose line would be too long: the line stays JSON. There are
 * some 20 texts, and escaping can make six bytes of one.
 */
#define TEXT_WHEN_LONG 256
#define LABELS_BYTES_MAX (1 << 20)

void loki_batch_init(struct loki_batch *batch, const struct loki_config *config, unsigned count_max)
{
    *batch = (struct loki_batch){.bytes_max = config->batch_bytes, .count_max = count_max};
    buf_init(&batch->fixed, LABELS_BYTES_MAX);
    /* a line is written before it is known whether it fits */
    buf_init(&batch->text, config->batch_bytes + RECORD_WIRE_MAX * 6 + LOKI_LINE_MAX);
    batch->lines = calloc(count_max, sizeof(*batch->lines));
    CHECK(batch->lines != NULL);
    for (size_t i = 0; i < config->label_count; i++) {
        buf_add_char(&batch->fixed, ',');
        jsonw_quote(&batch->fixed, config->labels[i].name);
        buf_add_char(&batch->fixed, ':');
        jsonw_quote(&batch->fixed, config->labels[i].value);
    }
    CHECK(buf_finish(&batch->fixed) == 0);
}

static void free_str(struct str s)
{
    free((void *)(uintptr_t)s.p);
}

void loki_batch_clear(struct loki_batch *batch)
{
    for (unsigned i = 0; i < batch->stream_count; i++) {
        free_str(batch->streams[i].api);
        free_str(batch->streams[i].labels);
    }
    batch->stream_count = 0;
    batch->count = 0;
    batch->sorted = false;
    buf_clear(&batch->text);
}

void loki_batch_finish(struct loki_batch *batch)
{
    loki_batch_clear(batch);
    free(batch->streams);
    free(batch->lines);
    buf_free(&batch->text);
    buf_free(&batch->fixed);
}

static struct str copy_str(struct str s)
{
    char *p = malloc(s.n + 1);
    CHECK(p != NULL);
    str_copy(s, p, s.n + 1);
    return str_make(p, s.n);
}

/* {"job":"weir","api":"users","status_class":"2xx","env":"prod"} */
static struct str make_labels(const struct loki_batch *batch, struct str api, char status_class)
{
    struct buf b;
    struct jsonw w;
    const char class[] = {status_class, 'x', 'x'};
    buf_init(&b, LABELS_BYTES_MAX + 4096);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_key(&w, "job"), jsonw_cstr(&w, "weir");
    if (api.n > 0) /* an empty label is the same as none, and some receivers refuse it */
        jsonw_key(&w, "api"), jsonw_str(&w, api);
    jsonw_key(&w, "status_class"), jsonw_str(&w, str_make(class, sizeof(class)));
    jsonw_end(&w);
    b.n--; /* the bracket: the configured labels come before it */
    buf_add_str(&b, buf_str(&batch->fixed));
    buf_add_char(&b, '}');
    CHECK(buf_finish(&b) == 0);
    struct str labels = copy_str(buf_str(&b));
    buf_free(&b);
    return labels;
}

static unsigned stream_of(struct loki_batch *batch, const struct record *record)
{
    unsigned hundreds = record->status / 100;
    char status_class = hundreds >= 1 && hundreds <= 5 ? (char)('0' + hundreds) : '0';
    for (unsigned i = 0; i < batch->stream_count; i++) {
        if (batch->streams[i].status_class == status_class &&
            str_eq(batch->streams[i].api, record->api))
            return i;
    }
    struct loki_stream *more =
        realloc(batch->streams, (batch->stream_count + 1) * sizeof(*batch->streams));
    CHECK(more != NULL);
    batch->streams = more;
    batch->streams[batch->stream_count] =
        (struct loki_stream){.status_class = status_class,
                             .api = copy_str(record->api),
                             .labels = make_labels(batch, record->api, status_class)};
    return batch->stream_count++;
}

#define CUT_TIME(field)
#define CUT_UUID(field)
#define CUT_TEXT(field) cut.field = record_cut_text(cut.field, TEXT_WHEN_LONG);
#define CUT_UINT(field)
#define CUT_IP(field)
#define CUT_HEX(field)
#define CUT_METHOD(field)
#define CUT_REASON(field)

static void add_line(struct buf *text, const struct record *record)
{
    size_t before = text->n;
    record_json(text, record);
    if (text->n - before <= LOKI_LINE_MAX)
        return;
    struct record cut = *record;
#define X(name, TYPE, doc) CUT_##TYPE(name)
#include "analytics/record_fields.def"
#undef X
    text->n = before;
    record_json(text, &cut);
    CHECK(text->n - before <= LOKI_LINE_MAX);
}

bool loki_batch_add(struct loki_batch *batch, const struct record *record)
{
    CHECK(!batch->sorted);
    size_t before = batch->text.n;
    if (batch->count == batch->count_max)
        return false;
    add_line(&batch->text, record);
    CHECK(buf_finish(&batch->text) == 0);
    if (batch->count > 0 && batch->text.n > batch->bytes_max) {
        batch->text.n = before;
        return false;
    }
    batch->lines[batch->count] = (struct loki_line){.time_us = record->time.us,
                                                    .at = before,
                                                    .n = batch->text.n - before,
                                                    .stream = stream_of(batch, record),
                                                    .order = batch->count};
    batch->count++;
    return true;
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_lines(const void *a, const void *b)
{
    const struct loki_line *x = a, *y = b;
    int by_stream = compare(x->stream, y->stream);
    int by_time = compare(x->time_us, y->time_us);
    return by_stream != 0 ? by_stream : by_time != 0 ? by_time : compare(x->order, y->order);
}

/* ["1764000000000000000","{...}"], the time in nanoseconds as text */
static void write_line(struct jsonw *w, const struct loki_batch *batch,
                       const struct loki_line *line)
{
    char text[32];
    struct buf time;
    buf_init_fixed(&time, text, sizeof(text));
    buf_add_u64(&time, line->time_us > 0 ? (uint64_t)line->time_us : 0);
    buf_add_lit(&time, "000");
    jsonw_array(w);
    jsonw_str(w, buf_str(&time));
    jsonw_str(w, str_make(batch->text.p + line->at, line->n));
    jsonw_end(w);
}

void loki_batch_write(struct loki_batch *batch, unsigned first, unsigned count, struct buf *out)
{
    struct jsonw w;
    if (!batch->sorted)
        qsort(batch->lines, batch->count, sizeof(*batch->lines), compare_lines);
    batch->sorted = true;
    CHECK(first + count <= batch->count);
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_key(&w, "streams"), jsonw_array(&w);
    for (unsigned i = first; i < first + count; i++) {
        const struct loki_line *line = &batch->lines[i];
        if (i == first || line->stream != batch->lines[i - 1].stream) {
            jsonw_object(&w);
            jsonw_key(&w, "stream"), jsonw_raw(&w, batch->streams[line->stream].labels);
            jsonw_key(&w, "values"), jsonw_array(&w);
        }
        write_line(&w, batch, line);
        if (i + 1 == first + count || line->stream != batch->lines[i + 1].stream) {
            jsonw_end(&w);
            jsonw_end(&w);
        }
    }
    jsonw_end(&w);
    jsonw_end(&w);
}
