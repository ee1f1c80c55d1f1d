/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/explain.h"

#include "analytics/query.h"
#include "analytics/record_trail.h"
#include "portal/queries.h"
#include "portal/store_people.h"

#define WORDS_MAX 1024

/* --- one request --- */

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

static void tell_upstream(struct jsonw *w, const struct record *record)
{
    tell_text_or_null(w, "upstream", record->upstream);
    tell_text_or_null(w, "target", record->target);
}

void explain_tell_request(struct jsonw *w, const struct record *record, bool whole)
{
    char ip[IP_TEXT_MAX];
    ip_format(record->client_ip, ip);
    jsonw_object(w);
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
    if (whole)
        tell_upstream(w, record);
    jsonw_end(w);
}

/* --- who may know --- */

struct finding {
    struct endpoint_call *call;
    explain_visit *visit;
    void *ctx;
};

/* Whether the person is a member of the app's team, or an operator. */
static int may_know(struct endpoint_call *call, struct str app, bool *ret_may, struct error *err)
{
    enum member member = MEMBER_NONE;
    struct db *db;
    *ret_may = call->person != NULL && call->person->is_operator;
    if (*ret_may || call->person == NULL || app.n == 0)
        return 0;
    int r = registry_read(call->portal->registry, &db, err);
    if (r != 0)
        return r;
    r = store_people_member(db, &call->person->id, app, &member, err);
    registry_read_done(call->portal->registry, db);
    *ret_may = member > MEMBER_NONE;
    return r;
}

static int show_row(void *ctx, const struct row *row)
{
    struct finding *finding = ctx;
    struct error err = ERROR_INIT;
    bool may = false;
    int r = may_know(finding->call, row->record.app, &may, &err);
    if (r == 0 && may)
        finding->visit(finding->ctx, &row->record, finding->call->person->is_operator);
    return r;
}

int explain_find(struct endpoint_call *call, struct uuid id, explain_visit *visit, void *ctx,
                 struct error *err)
{
    struct finding finding = {.call = call, .visit = visit, .ctx = ctx};
    struct query_loan *loan;
    if (call->person == NULL)
        return 0; /* nobody's question costs nothing */
    int r = queries_take(call->portal->queries, &loan, err);
    if (r != 0)
        return r;
    r = query_request(loan->query, id, show_row, &finding, err);
    queries_give(call->portal->queries, loan, r);
    return r == E_NOT_FOUND ? 0 : r;
}

/* --- as JSON --- */

struct telling {
    struct jsonw *w;
    bool told;
};

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

static void tell_steps(struct jsonw *w, struct str trail)
{
    struct trail_note note;
    jsonw_key(w, "steps"), jsonw_array(w);
    while (trail_next(&trail, &note)) {
        char room[WORDS_MAX];
        struct buf words;
        buf_init_fixed(&words, room, sizeof(room));
        trail_words(note.numbers, &words);
        jsonw_object(w);
        jsonw_key(w, "policy"), jsonw_str(w, note.policy);
        jsonw_key(w, "verdict"), jsonw_str(w, note.verdict);
        jsonw_key(w, "refused"), jsonw_bool(w, trail_refused(&note));
        jsonw_key(w, "detail"), jsonw_str(w, buf_str(&words));
        jsonw_end(w);
    }
    jsonw_end(w);
}

static void tell_explanation(void *ctx, const struct record *record, bool whole)
{
    struct telling *telling = ctx;
    struct jsonw *w = telling->w;
    telling->told = true;
    jsonw_key(w, "general"), jsonw_bool(w, false);
    jsonw_key(w, "request");
    explain_tell_request(w, record, whole);
    tell_reason(w, record->reason);
    tell_steps(w, record->trail);
}

void request_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct jsonw w;
    struct telling telling = {.w = &w};
    struct uuid id;
    if (uuid_parse(call->params[0], &id) != 0) {
        endpoint_fail(call, 404, STR("This is not the id of a request."));
        return;
    }
    endpoint_json(&json, &w);
    jsonw_object(&w);
    endpoint_uuid(&w, "request_id", &id);
    int r = explain_find(call, id, tell_explanation, &telling, &err);
    if (r != 0) {
        buf_free(&json);
        queries_fail(call, r, &err);
        return;
    }
    if (!telling.told) {
        jsonw_key(&w, "general"), jsonw_bool(&w, true);
        jsonw_key(&w, "request"), jsonw_null(&w);
        jsonw_key(&w, "reason"), jsonw_null(&w);
        jsonw_key(&w, "steps"), jsonw_array(&w), jsonw_end(&w);
    }
    jsonw_end(&w);
    endpoint_send_json(call, 200, &json);
}
