/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/explain.h"

#define SENTENCE_MAX 2048
#define PAIRS_MAX 12

/* --- decisions --- */

/* The networks of an operator's lists are the operator's. */
static bool is_inside(struct str name)
{
    return str_eq(name, STR("network"));
}

bool explain_pair_next(struct str *numbers, bool whole, struct trail_pair *ret_pair)
{
    while (trail_pair_next(numbers, ret_pair)) {
        if (whole || !is_inside(ret_pair->name))
            return true;
    }
    return false;
}

/* "burst 0/3, month 97/100": what is left of each limit. */
static void add_left(struct buf *out, const struct trail_pair *pair)
{
    if (str_find_char(pair->value, '/', 0) == pair->value.n)
        return;
    if (out->n > 0)
        buf_add_lit(out, ", ");
    buf_add_str(out, pair->name);
    buf_add_char(out, ' ');
    buf_add_str(out, pair->value);
}

/* The numbers under their names, and `left`; those that are empty are none. Returns how many. */
static size_t take_params(struct str numbers, struct buf *left, struct words_param *params)
{
    struct trail_pair pair;
    size_t count = 0;
    while (count < PAIRS_MAX && explain_pair_next(&numbers, false, &pair)) {
        if (pair.value.n == 0)
            continue;
        params[count++] = (struct words_param){.name = pair.name, .value = pair.value};
        add_left(left, &pair);
    }
    if (left->n > 0)
        params[count++] = (struct words_param){.name = STR("left"), .value = buf_str(left)};
    return count;
}

/* Whether there is something for each {name} of the text. */
static bool fits_params(struct str text, const struct words_param *params, size_t count)
{
    while (text.n > 0) {
        size_t open = str_find_char(text, '{', 0), close = str_find_char(text, '}', open);
        struct str name = str_slice(text, open + 1, close);
        bool found = open == text.n;
        for (size_t i = 0; i < count && !found; i++)
            found = str_eq(params[i].name, name);
        if (!found)
            return false;
        text = str_slice(text, close + 1, text.n);
    }
    return true;
}

/* Where there are no words, or a trail was cut in the middle: the numbers themselves. */
static void add_numbers(struct buf *out, struct str numbers)
{
    char room[SENTENCE_MAX];
    struct buf known;
    struct trail_pair pair;
    buf_init_fixed(&known, room, sizeof(room));
    while (explain_pair_next(&numbers, false, &pair))
        buf_printf(&known, " %" STR_FMT "=%" STR_FMT, STR_ARG(pair.name), STR_ARG(pair.value));
    trail_words(buf_str(&known), out);
}

/* The words for a decision; empty where there are none for it, as for a policy of tomorrow. */
static struct str find_words(const struct words *words, enum locale locale,
                             const struct trail_note *note, bool has_numbers)
{
    char text[96];
    int n = snprintf(text, sizeof(text), "page.step.%" STR_FMT ".%" STR_FMT "%s",
                     STR_ARG(note->policy), STR_ARG(note->verdict), has_numbers ? "" : ".bare");
    if (n < 0 || (size_t)n >= sizeof(text))
        return STR_EMPTY;
    struct str key = str_make(text, (size_t)n), found = words_in(words, locale, key);
    return str_eq(found, key) ? STR_EMPTY : found;
}

void explain_sentence(struct buf *out, const struct words *words, enum locale locale,
                      const struct trail_note *note)
{
    char room[SENTENCE_MAX];
    struct buf left;
    struct words_param params[PAIRS_MAX + 1];
    buf_init_fixed(&left, room, sizeof(room));
    size_t count = take_params(note->numbers, &left, params);
    struct str text = find_words(words, locale, note, count > 0);
    if (text.n > 0 && fits_params(text, params, count))
        words_format(out, text, params, count);
    else
        add_numbers(out, note->numbers);
}

unsigned explain_times(const struct record *record, struct explain_time out[EXPLAIN_TIMES_MAX])
{
    unsigned count = 0;
    out[count++] = (struct explain_time){"total", record->duration_us};
    if (record->queue_us > 0)
        out[count++] = (struct explain_time){"queue", record->queue_us};
    out[count++] = (struct explain_time){"gateway", record_gateway_us(record)};
    if (record->upstream.n > 0)
        out[count++] = (struct explain_time){"upstream", record->upstream_us};
    return count;
}

/* --- as JSON --- */

static void tell_text_or_null(struct jsonw *w, const char *key, struct str s)
{
    jsonw_key(w, key);
    if (s.n > 0)
        jsonw_str(w, s);
    else
        jsonw_null(w);
}

static void tell_ms(struct jsonw *w, const char *key, uint64_t us)
{
    jsonw_key(w, key), jsonw_double(w, (double)us / US_PER_MS);
}

static void tell_request_fields(struct jsonw *w, const struct record *record, bool whole)
{
    char ip[IP_TEXT_MAX];
    ip_format(record->client_ip, ip);
    endpoint_uuid(w, "id", &record->request_id);
    endpoint_time(w, "time", record->time);
    tell_text_or_null(w, "app", record->app);
    tell_text_or_null(w, "api", record->api);
    tell_text_or_null(w, "route", record->route);
    jsonw_key(w, "method"), jsonw_str(w, http_method_name(record->method));
    jsonw_key(w, "path"), jsonw_str(w, record->path);
    jsonw_key(w, "status"), jsonw_u64(w, record->status);
    tell_text_or_null(w, "reason", reason_row(record->reason)->code);
    tell_text_or_null(w, "key", record->key);
    tell_text_or_null(w, "plan", record->plan);
    jsonw_key(w, "client_ip"), jsonw_cstr(w, ip);
    jsonw_key(w, "metered"), jsonw_bool(w, record->metered);
    jsonw_key(w, "bytes_in"), jsonw_u64(w, record->bytes_in);
    jsonw_key(w, "bytes_out"), jsonw_u64(w, record->bytes_out);
    tell_ms(w, "duration_ms", record->duration_us);
    tell_ms(w, "upstream_ms", record->upstream_us);
    if (!whole)
        return;
    if (record->upstream.n > 0)
        jsonw_key(w, "upstream"), jsonw_str(w, record->upstream);
    if (record->target.n > 0)
        jsonw_key(w, "target"), jsonw_str(w, record->target);
    jsonw_key(w, "attempts"), jsonw_u64(w, record->attempts);
}

/* What a list has no room for. */
static void tell_more_fields(struct jsonw *w, const struct record *record)
{
    char trace[2 * sizeof(record->trace_id) + 1];
    for (size_t i = 0; i < sizeof(record->trace_id); i++)
        snprintf(trace + 2 * i, 3, "%02x", record->trace_id[i]);
    tell_text_or_null(w, "query", record->query);
    tell_text_or_null(w, "protocol", record->protocol);
    tell_text_or_null(w, "tls", record->tls);
    tell_text_or_null(w, "user_agent", record->user_agent);
    tell_text_or_null(w, "referer", record->referer);
    tell_text_or_null(w, "client_request_id", record->client_request_id);
    jsonw_key(w, "trace_id"), jsonw_cstr(w, trace);
}

void explain_tell_request(struct jsonw *w, const struct record *record, bool whole)
{
    jsonw_object(w);
    tell_request_fields(w, record, whole);
    jsonw_end(w);
}

static void tell_reason(struct jsonw *w, enum reason reason)
{
    const struct reason_row *row = reason_row(reason);
    jsonw_key(w, "reason");
    if (reason == REASON_NONE) {
        jsonw_null(w);
        return;
    }
    jsonw_object(w);
    jsonw_key(w, "code"), jsonw_str(w, row->code);
    jsonw_key(w, "title"), jsonw_cstr(w, row->title);
    jsonw_key(w, "means"), jsonw_cstr(w, row->meaning);
    jsonw_key(w, "next"), jsonw_cstr(w, row->advice);
    jsonw_end(w);
}

static void tell_step(struct explain_telling *telling, const struct trail_note *note)
{
    struct jsonw *w = telling->w;
    char room[SENTENCE_MAX];
    struct buf sentence;
    struct trail_pair pair;
    struct str numbers = note->numbers;
    buf_init_fixed(&sentence, room, sizeof(room));
    explain_sentence(&sentence, telling->words, telling->locale, note);
    jsonw_object(w);
    jsonw_key(w, "policy"), jsonw_str(w, note->policy);
    jsonw_key(w, "verdict"), jsonw_str(w, note->verdict);
    jsonw_key(w, "refused"), jsonw_bool(w, trail_refused(note));
    jsonw_key(w, "detail"), jsonw_str(w, buf_str(&sentence));
    jsonw_key(w, "numbers"), jsonw_object(w);
    while (explain_pair_next(&numbers, telling->whole, &pair))
        jsonw_key_str(w, pair.name), jsonw_str(w, pair.value);
    jsonw_end(w);
    jsonw_end(w);
}

static void tell_times(struct jsonw *w, const struct record *record)
{
    struct explain_time times[EXPLAIN_TIMES_MAX];
    unsigned count = explain_times(record, times);
    jsonw_key(w, "timings"), jsonw_array(w);
    for (unsigned i = 0; i < count; i++) {
        jsonw_object(w);
        jsonw_key(w, "name"), jsonw_cstr(w, times[i].name);
        tell_ms(w, "ms", times[i].us);
        jsonw_end(w);
    }
    jsonw_end(w);
}

void explain_tell(struct explain_telling *telling, const struct record *record)
{
    struct jsonw *w = telling->w;
    struct trail_note note;
    struct str trail = record->trail;
    jsonw_key(w, "request"), jsonw_object(w);
    tell_request_fields(w, record, telling->whole);
    tell_more_fields(w, record);
    jsonw_end(w);
    tell_reason(w, record->reason);
    tell_text_or_null(w, "decided_by", record_decider(record));
    endpoint_time(w, "try_again_at", record_try_again(record));
    jsonw_key(w, "steps"), jsonw_array(w);
    while (trail_next(&trail, &note))
        tell_step(telling, &note);
    jsonw_end(w);
    tell_times(w, record);
}
