/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the admin listener tells of the instance: for people, for Prometheus, for load balancers and
 * supervisors.
 */
#include "base/gzip.h"
#include "base/http/accept.h"
#include "base/jsonw.h"
#include "portal/facts.h"

#include <math.h>

#define FACTS_BYTES_MAX (16U << 20)
#define STATUS_BYTES_MAX (16U << 20)
#define METRICS_BYTES_MAX (256U << 20)
#define WORTH_COMPRESSING 1400 /* bytes that do not fit one packet */

void asset(struct endpoint_call *call)
{
    const struct http_file *file = http_files_find(call->portal->files, call->params[0]);
    struct reply reply = {.status = 0};
    /* pages are served where they belong, with the headers of a page */
    if (file == NULL || str_starts(file->type, STR("text/html"))) {
        endpoint_fail(call, 404,
                      STR("There is no such file. A page from before an upgrade may ask "
                          "for it: load the page again."));
        return;
    }
    reply_file(&reply, call->conn->head, file);
    endpoint_send(call, &reply, ENDPOINT_FOREVER);
}

void console_redirect(struct endpoint_call *call)
{
    struct reply reply = {.status = 303};
    reply_add(&reply, STR("Location"), STR("/overview"));
    endpoint_send(call, &reply, ENDPOINT_NO_STORE);
}

void status_page(struct endpoint_call *call)
{
    const struct http_file *file = http_files_find(call->portal->files, STR("status.html"));
    struct reply reply = {.status = 0};
    if (file == NULL) {
        endpoint_fail(call, 404,
                      STR("This build has no status page; /readyz and /metrics are here."));
        return;
    }
    reply_file(&reply, call->conn->head, file);
    endpoint_send(call, &reply, ENDPOINT_REVALIDATE);
}

void liveness(struct endpoint_call *call)
{
    struct reply reply = {
        .status = 200, .type = STR("text/plain; charset=utf-8"), .body = STR("ok\n")};
    endpoint_send(call, &reply, ENDPOINT_NO_STORE);
}

/* A text that repeats itself as much as metrics do shrinks to a tenth. */
static void send_metrics(struct endpoint_call *call, struct str type, struct str text)
{
    struct reply reply = {.status = 200, .type = type, .body = text};
    struct buf small;
    buf_init(&small, METRICS_BYTES_MAX);
    if (text.n > WORTH_COMPRESSING && http_accept_coding(call->conn->head, STR("gzip")) > 0 &&
        gzip_add(&small, text) == 0) {
        reply.coding = STR("gzip");
        reply.body = buf_str(&small);
    }
    reply_add(&reply, STR("Vary"), STR("Accept, Accept-Encoding"));
    endpoint_send(call, &reply, ENDPOINT_NO_STORE);
    buf_free(&small);
}

void metrics_text(struct endpoint_call *call)
{
    const struct portal_sources *s = &call->portal->sources;
    const struct head *head = call->conn->head;
    /* a client without a wish (curl: any type) gets the older form, which every tool reads */
    bool openmetrics = http_accept_type(head, STR("application/openmetrics-text")) >
                       http_accept_type(head, STR("text/plain"));
    struct buf text;
    buf_init(&text, METRICS_BYTES_MAX);
    int r = s->metrics(s->ctx, openmetrics, &text);
    if (r == 0)
        r = buf_finish(&text);
    if (r != 0)
        endpoint_fail(call, 503, STR("The metrics cannot be told now; see the log."));
    else if (openmetrics)
        send_metrics(call, STR("application/openmetrics-text; version=1.0.0; charset=utf-8"),
                     buf_str(&text));
    else
        send_metrics(call, STR("text/plain; version=0.0.4; charset=utf-8"), buf_str(&text));
    buf_free(&text);
}

/* --- JSON --- */

static void write_check(struct jsonw *w, struct str name, bool ok, struct str detail)
{
    jsonw_object(w);
    jsonw_key(w, "check"), jsonw_str(w, name);
    jsonw_key(w, "ok"), jsonw_bool(w, ok);
    jsonw_key(w, "detail"), jsonw_str(w, detail);
    jsonw_end(w);
}

static bool is_ready(const struct portal_facts *facts)
{
    for (size_t i = 0; i < facts->check_count; i++) {
        if (facts->checks[i].vital && !facts->checks[i].ok)
            return false;
    }
    return true;
}

static void write_readiness(struct jsonw *w, const struct portal_facts *facts)
{
    jsonw_object(w);
    jsonw_key(w, "ready"), jsonw_bool(w, is_ready(facts));
    jsonw_key(w, "checks"), jsonw_array(w);
    for (size_t i = 0; i < facts->check_count; i++)
        write_check(w, facts->checks[i].name, facts->checks[i].ok, facts->checks[i].detail);
    write_check(w, STR("config"), facts->config_fault.n == 0, facts->config_fault);
    jsonw_end(w);
    jsonw_end(w);
}

static void write_listeners(struct jsonw *w, const struct portal_facts *facts)
{
    jsonw_array(w);
    for (size_t i = 0; i < facts->listener_count; i++) {
        const struct portal_listener *l = &facts->listeners[i];
        jsonw_object(w);
        jsonw_key(w, "name"), jsonw_str(w, l->name);
        jsonw_key(w, "address"), jsonw_str(w, l->address);
        jsonw_key(w, "connections"), jsonw_u64(w, l->connections);
        jsonw_end(w);
    }
    jsonw_end(w);
}

static void write_health(struct jsonw *w, const struct portal_facts *facts)
{
    jsonw_array(w);
    for (size_t i = 0; i < facts->check_count; i++)
        write_check(w, facts->checks[i].name, facts->checks[i].ok, facts->checks[i].detail);
    jsonw_end(w);
}

static void write_config(struct jsonw *w, const struct portal_facts *facts)
{
    char loaded[CLOCK_TEXT_MAX];
    wall_format(facts->config_loaded, loaded);
    jsonw_object(w);
    jsonw_key(w, "file"), jsonw_str(w, facts->config_file);
    jsonw_key(w, "loaded_at"), jsonw_cstr(w, loaded);
    jsonw_key(w, "apis"), jsonw_u64(w, facts->api_count);
    jsonw_key(w, "routes"), jsonw_u64(w, facts->route_count);
    jsonw_key(w, "error"), jsonw_str(w, facts->config_fault);
    jsonw_end(w);
}

/* Three decimals: more would say what was not measured. */
static void write_number(struct jsonw *w, const char *key, double value)
{
    jsonw_key(w, key);
    jsonw_double(w, round(value * 1000) / 1000);
}

static void write_rate(void *ctx, const struct rate *rate)
{
    struct jsonw *w = ctx;
    jsonw_object(w);
    jsonw_key(w, "api"), jsonw_str(w, rate->api.n > 0 ? rate->api : STR("(no API)"));
    write_number(w, "requests_per_s", rate->requests_per_s);
    write_number(w, "errors_per_s", rate->errors_per_s);
    write_number(w, "refused_per_s", rate->refused_per_s);
    write_number(w, "p50_ms", rate->p50_ms);
    write_number(w, "p99_ms", rate->p99_ms);
    jsonw_end(w);
}

static void write_sinks(struct jsonw *w, const struct portal_facts *facts)
{
    jsonw_array(w);
    for (size_t i = 0; i < facts->sink_count; i++) {
        const struct portal_sink *s = &facts->sinks[i];
        jsonw_object(w);
        jsonw_key(w, "name"), jsonw_str(w, s->name);
        jsonw_key(w, "backlog"), jsonw_u64(w, s->backlog);
        jsonw_key(w, "sent"), jsonw_u64(w, s->sent);
        jsonw_key(w, "errors"), jsonw_u64(w, s->errors);
        jsonw_end(w);
    }
    jsonw_end(w);
}

static void write_stores(struct jsonw *w, const struct portal_facts *facts)
{
    jsonw_array(w);
    for (size_t i = 0; i < facts->store_count; i++) {
        jsonw_object(w);
        jsonw_key(w, "name"), jsonw_str(w, facts->stores[i].name);
        jsonw_key(w, "bytes"), jsonw_u64(w, facts->stores[i].bytes);
        jsonw_end(w);
    }
    jsonw_end(w);
}

/* web/src/status/model.ts reads this. */
void facts_tell(struct jsonw *w, struct portal *portal, const struct portal_facts *facts)
{
    int64_t uptime_us = mono_since(clock_mono(), portal->sources.started);
    jsonw_key(w, "version"), jsonw_cstr(w, portal->sources.version);
    jsonw_key(w, "uptime_s"), jsonw_i64(w, uptime_us / US_PER_S);
    jsonw_key(w, "listeners"), write_listeners(w, facts);
    jsonw_key(w, "health"), write_health(w, facts);
    jsonw_key(w, "config"), write_config(w, facts);
    jsonw_key(w, "rates"), jsonw_array(w);
    rates_visit(portal->rates, facts->apis, facts->api_count, write_rate, w);
    jsonw_end(w);
    jsonw_key(w, "journal"), jsonw_object(w);
    jsonw_key(w, "backlog"), jsonw_u64(w, facts->journal_backlog);
    jsonw_key(w, "records_total"), jsonw_u64(w, rates_records(portal->rates));
    jsonw_end(w);
    jsonw_key(w, "sinks"), write_sinks(w, facts);
    jsonw_key(w, "stores"), write_stores(w, facts);
}

bool facts_look(struct endpoint_call *call, struct arena *arena, struct portal_facts *ret_facts)
{
    const struct portal_sources *s = &call->portal->sources;
    arena_init(arena, 8192, FACTS_BYTES_MAX);
    *ret_facts = (struct portal_facts){.api_count = 0};
    if (s->look(s->ctx, arena, ret_facts) == 0)
        return true;
    arena_finish(arena);
    endpoint_fail(call, 503, STR("How the instance stands cannot be told now; see the log."));
    return false;
}

void status_json(struct endpoint_call *call)
{
    struct portal_facts facts;
    struct arena arena;
    struct buf json;
    struct jsonw w;
    if (!facts_look(call, &arena, &facts))
        return;
    buf_init(&json, STATUS_BYTES_MAX);
    jsonw_init(&w, &json);
    jsonw_object(&w);
    facts_tell(&w, call->portal, &facts);
    jsonw_end(&w);
    arena_finish(&arena);
    endpoint_send_json(call, 200, &json);
}

void readiness(struct endpoint_call *call)
{
    struct portal_facts facts;
    struct arena arena;
    struct buf json;
    struct jsonw w;
    if (!facts_look(call, &arena, &facts))
        return;
    buf_init(&json, STATUS_BYTES_MAX);
    jsonw_init(&w, &json);
    write_readiness(&w, &facts);
    unsigned status = is_ready(&facts) ? 200 : 503;
    arena_finish(&arena);
    endpoint_send_json(call, status, &json);
}
