/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/story.h"

#include "appliance/table.h"
#include "analytics/record_trail.h"
#include "base/jsonw.h"
#include "gateway/policy.h"

#define LABEL_WIDTH 10

static const char *policy_doc(struct str name)
{
    for (unsigned i = 0; policies_all[i] != NULL; i++) {
        if (str_eq(str_from(policies_all[i]->name), name))
            return policies_all[i]->doc;
    }
    return "";
}

/* --- as text --- */

static void add_label(struct buf *out, const char *label)
{
    buf_printf(out, "  %-*s  ", LABEL_WIDTH, label);
}

/* " name value", where there is one. */
static void add_if(struct buf *out, const char *name, struct str value)
{
    if (value.n == 0)
        return;
    buf_add_cstr(out, name);
    table_clean(out, value);
}

static void add_time(struct buf *out, struct wall t)
{
    char text[CLOCK_TEXT_MAX];
    buf_add(out, text, wall_format(t, text));
}

static void add_asked(const struct record *r, struct buf *out)
{
    char ip[IP_TEXT_MAX];
    add_label(out, "asked");
    buf_add_str(out, http_method_name(r->method));
    buf_add_char(out, ' ');
    table_clean(out, r->path);
    add_if(out, "?", r->query);
    add_if(out, "  ", r->protocol);
    add_if(out, " over ", r->tls);
    buf_add_char(out, '\n');
    add_label(out, "by");
    buf_add(out, ip, ip_format(r->client_ip, ip));
    add_if(out, ", app ", r->app);
    add_if(out, ", key ", r->key);
    add_if(out, ", plan ", r->plan);
    buf_add_char(out, '\n');
    if (r->user_agent.n > 0) {
        add_label(out, "with");
        table_clean(out, r->user_agent);
        add_if(out, ", from ", r->referer);
        buf_add_char(out, '\n');
    }
    add_label(out, "route");
    table_clean(out, r->api.n > 0 ? r->api : STR("none"));
    add_if(out, " / ", r->route);
    buf_add_char(out, '\n');
}

static void add_answer(const struct record *r, struct buf *out)
{
    const struct reason_row *reason = reason_row(r->reason);
    struct trail_note note;
    add_label(out, "answered");
    buf_printf(out, "%u", (unsigned)r->status);
    if (r->reason == REASON_NONE) {
        buf_add_lit(out, ", by the upstream\n");
        return;
    }
    buf_printf(out, " %" STR_FMT ": %s\n", STR_ARG(reason->code), reason->title);
    add_label(out, "means");
    buf_printf(out, "%s\n", reason->meaning);
    add_label(out, "to do");
    buf_printf(out, "%s\n", reason->advice);
    add_label(out, "decided by");
    if (record_refusal(r, &note)) {
        table_clean(out, note.policy);
        buf_add_lit(out, ": ");
        struct buf words;
        char text[2 * RECORD_TRAIL_MAX];
        buf_init_fixed(&words, text, sizeof(text));
        trail_words(note.numbers, &words);
        table_clean(out, buf_str(&words));
        buf_add_char(out, '\n');
        return;
    }
    struct str who = record_decider(r);
    buf_printf(out, "the %" STR_FMT "%s\n", STR_ARG(who),
               r->upstream.n > 0 ? ", after it was let through, on the way to the upstream" : "");
}

static void add_decisions(const struct record *r, struct buf *out)
{
    struct trail_note note;
    struct str rest = r->trail;
    unsigned n = 0;
    if (r->trail.n == 0)
        return;
    buf_add_lit(out, "\n  decisions, in order\n");
    while (trail_next(&rest, &note)) {
        struct buf words;
        char text[2 * RECORD_TRAIL_MAX];
        buf_init_fixed(&words, text, sizeof(text));
        trail_words(note.numbers, &words);
        if (words.n == 0)
            buf_add_cstr(&words, policy_doc(note.policy));
        buf_printf(out, "    %u. ", ++n);
        size_t at = out->n;
        table_clean(out, note.policy);
        while (out->n < at + 13)
            buf_add_char(out, ' ');
        buf_printf(out, " %-8.*s ", (int)note.verdict.n, note.verdict.n > 0 ? note.verdict.p : "");
        table_clean(out, buf_str(&words));
        buf_add_char(out, '\n');
    }
}

static void add_timing(struct buf *out, const char *what, uint64_t us, const char *note)
{
    buf_printf(out, "    %-10s %7llu.%03llu ms  %s\n", what, (unsigned long long)(us / 1000),
               (unsigned long long)(us % 1000), note);
}

static void add_timings(const struct record *r, struct buf *out)
{
    struct wall began = {.us = r->time.us - (int64_t)r->duration_us};
    buf_add_lit(out, "\n  timings\n");
    add_timing(out, "whole", r->duration_us, "from the first byte asked to the last answered");
    if (r->queue_us > 0)
        add_timing(out, "queue", r->queue_us, "waiting for a turn");
    if (r->upstream.n > 0)
        add_timing(out, "upstream", r->upstream_us, "from connecting to the end of its answer");
    add_timing(out, "gateway", record_gateway_us(r), "what Weir itself took");
    buf_add_lit(out, "    began  ");
    add_time(out, began);
    buf_add_lit(out, "\n    ended  ");
    add_time(out, r->time);
    buf_add_char(out, '\n');
}

static void add_rest(const struct record *r, struct buf *out)
{
    buf_add_char(out, '\n');
    if (r->upstream.n > 0) {
        add_label(out, "upstream");
        table_clean(out, r->upstream);
        add_if(out, ", target ", r->target);
        buf_printf(out, ", %u %s\n", (unsigned)r->attempts, r->attempts == 1 ? "try" : "tries");
    }
    add_label(out, "bytes");
    buf_printf(out, "%llu in, %llu out\n", (unsigned long long)r->bytes_in,
               (unsigned long long)r->bytes_out);
    add_label(out, "bill");
    buf_add_cstr(out, r->metered ? "it counts for its app\n" : "it counts for nobody\n");
    if (r->client_request_id.n > 0) {
        add_label(out, "client's id");
        table_clean(out, r->client_request_id);
        buf_add_char(out, '\n');
    }
    add_label(out, "trace");
    for (size_t i = 0; i < sizeof(r->trace_id); i++)
        buf_printf(out, "%02x", r->trace_id[i]);
    buf_add_char(out, '\n');
}

void story_text(const struct record *record, struct buf *out)
{
    char id[UUID_TEXT_LEN];
    uuid_format(record->request_id, id);
    buf_printf(out, "request %.*s\n\n", UUID_TEXT_LEN, id);
    add_asked(record, out);
    add_answer(record, out);
    add_decisions(record, out);
    add_timings(record, out);
    add_rest(record, out);
}

/* --- as JSON --- */

static void put_decisions(struct jsonw *w, struct str trail)
{
    struct trail_note note;
    struct trail_pair pair;
    jsonw_key(w, "decisions");
    jsonw_array(w);
    while (trail_next(&trail, &note)) {
        jsonw_object(w);
        jsonw_key(w, "policy"), jsonw_str(w, note.policy);
        jsonw_key(w, "verdict"), jsonw_str(w, note.verdict);
        jsonw_key(w, "numbers");
        jsonw_object(w);
        while (trail_pair_next(&note.numbers, &pair))
            jsonw_key_str(w, pair.name), jsonw_str(w, pair.value);
        jsonw_end(w);
        jsonw_end(w);
    }
    jsonw_end(w);
}

void story_json(const struct record *record, struct buf *out)
{
    const struct reason_row *reason = reason_row(record->reason);
    struct jsonw w;
    record_json(out, record);
    if (out->failed)
        return;
    CHECK(out->n > 0 && out->p[out->n - 1] == '}');
    out->p[out->n - 1] = ','; /* what follows belongs to the same object */
    size_t at = out->n;
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_key(&w, "title"), jsonw_cstr(&w, reason->title);
    jsonw_key(&w, "meaning"), jsonw_cstr(&w, reason->meaning);
    jsonw_key(&w, "advice"), jsonw_cstr(&w, reason->advice);
    jsonw_key(&w, "decided_by"), jsonw_str(&w, record_decider(record));
    jsonw_key(&w, "gateway_us"), jsonw_u64(&w, record_gateway_us(record));
    put_decisions(&w, record->trail);
    jsonw_end(&w);
    if (out->failed)
        return;
    out->p[at] = ' ';
    buf_add_char(out, '\n');
}
