/* SPDX-License-Identifier: Apache-2.0 */
/* Who may know what became of a request, and the answer as JSON. */
#include "analytics/query.h"
#include "portal/explain.h"
#include "portal/queries.h"
#include "portal/store_people.h"

/* --- who may know --- */

struct finding {
    struct endpoint_call *call;
    explain_visit *visit;
    void *ctx;
    struct error *err;
};

/* Whether the person is a member of the app's team, or an operator. */
static int may_know(struct endpoint_call *call, struct str app, bool *ret_may, struct error *err)
{
    enum member member = MEMBER_NONE;
    struct db *db;
    *ret_may = call->person->is_operator;
    if (*ret_may || app.n == 0)
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
    const struct endpoint_call *call = finding->call;
    bool may = false;
    int r = may_know(finding->call, row->record.app, &may, finding->err);
    if (r == 0 && may)
        finding->visit(finding->ctx, &row->record,
                       call->listener == ENDPOINT_ADMIN && call->person->is_operator);
    return r;
}

int explain_find(struct endpoint_call *call, struct uuid id, explain_visit *visit, void *ctx,
                 struct error *err)
{
    struct finding finding = {.call = call, .visit = visit, .ctx = ctx, .err = err};
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

/* --- the answer --- */

struct telling {
    struct explain_telling how;
    bool told;
};

static void tell(void *ctx, const struct record *record, bool whole)
{
    struct telling *telling = ctx;
    telling->told = true;
    telling->how.whole = whole;
    jsonw_key(telling->how.w, "general"), jsonw_bool(telling->how.w, false);
    explain_tell(&telling->how, record);
}

static void tell_general(struct jsonw *w)
{
    static const char *const NONE[] = {"request", "reason", "decided_by", "try_again_at"};
    jsonw_key(w, "general"), jsonw_bool(w, true);
    for (size_t i = 0; i < ARRAY_LEN(NONE); i++)
        jsonw_key(w, NONE[i]), jsonw_null(w);
    jsonw_key(w, "steps"), jsonw_array(w), jsonw_end(w);
    jsonw_key(w, "timings"), jsonw_array(w), jsonw_end(w);
}

void request_get(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct buf json;
    struct jsonw w;
    struct telling telling = {
        .how = {.w = &w, .words = call->portal->words, .locale = locale_of(call)}};
    struct uuid id;
    if (uuid_parse(call->params[0], &id) != 0) {
        endpoint_fail(call, 404, STR("This is not the id of a request."));
        return;
    }
    endpoint_json(&json, &w);
    jsonw_object(&w);
    endpoint_uuid(&w, "request_id", &id);
    int r = explain_find(call, id, tell, &telling, &err);
    if (r != 0) {
        buf_free(&json);
        queries_fail(call, r, &err);
        return;
    }
    if (!telling.told)
        tell_general(&w);
    jsonw_end(&w);
    endpoint_send_json(call, 200, &json);
}
