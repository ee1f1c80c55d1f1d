/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/preview.h"

#include "gateway/forward.h"
#include "gateway/readings.h"
#include "gateway/snapshot.h"

#include <stdlib.h>

struct preview {
    const struct gateway_config *config;
    struct epoch *epoch;
    struct access *access;
    struct router_scratch *scratch;
    struct snapshot snapshot; /* configuration, router and plans of it are filled */
    struct head head;         /* a request's without a field */
    struct route_query query;
    char *text; /* the head as it would be sent */
    char *path; /* holds the path of the query */
    struct req req;
};

/* What a request learns from the snapshot about its route, but for upstreams and meters. */
static void plan_routes(struct preview *p)
{
    size_t count = router_route_count(p->snapshot.router);
    p->snapshot.plans = calloc(count > 0 ? count : 1, sizeof(*p->snapshot.plans));
    CHECK(p->snapshot.plans != NULL);
    for (size_t i = 0; i < count; i++) {
        const struct route_conf *route = router_route(p->snapshot.router, i)->conf;
        p->snapshot.plans[i].api_number = access_api_number(p->access, route->api->name);
    }
}

int preview_create(struct preview **ret_preview, struct gateway_config *config, struct error *err)
{
    /* keys are looked for by their ids here, never by their secrets: any pepper will do */
    static const struct pepper pepper;
    struct preview *p = calloc(1, sizeof(*p));
    CHECK(p != NULL);
    p->config = config;
    p->snapshot.config = config;
    p->epoch = epoch_create(1);
    p->access = access_create(p->epoch, &pepper);
    p->scratch = router_scratch_create();
    int r = router_create(config, &p->snapshot.router, err);
    if (r == 0)
        r = access_apply_config(p->access, config, clock_mono(), err);
    if (r != 0) {
        preview_destroy(p);
        return r;
    }
    plan_routes(p);
    *ret_preview = p;
    return 0;
}

void preview_destroy(struct preview *preview)
{
    if (preview == NULL)
        return;
    free(preview->path);
    free(preview->text);
    free(preview->snapshot.plans);
    router_destroy(preview->snapshot.router);
    router_scratch_destroy(preview->scratch);
    access_destroy(preview->access);
    epoch_destroy(preview->epoch);
    free(preview);
}

struct access *preview_access(struct preview *preview)
{
    return preview->access;
}

struct key_search {
    struct str kid;
    const struct access_key *key;
};

static void look_at_key(void *ctx, const struct access_key *key)
{
    struct key_search *search = ctx;
    if (str_eq(key->kid, search->kid))
        search->key = key;
}

const struct access_key *preview_key(struct preview *preview, struct str kid)
{
    struct key_search search = {.kid = kid};
    access_each_key(preview->access, look_at_key, &search);
    return search.key;
}

/* --- the steps of a request, as in edge.c --- */

static void begin(struct preview *p, const struct preview_query *query)
{
    struct req *req = &p->req;
    memset(req, 0, offsetof(struct req, next));
    head_clear(&p->head);
    req->head = &p->head;
    req->snapshot = &p->snapshot;
    req->method = http_method_find(query->method);
    req->client_ip = query->from;
    req->key = query->key;
    buf_init_fixed(&req->trail, req->trail_text, sizeof(req->trail_text));
    buf_init_fixed(&req->extra, req->extra_text, sizeof(req->extra_text));
}

static bool refuse_bad(struct req *req, const char *why)
{
    req_refuse(req, REASON_BAD_REQUEST, "The request is malformed: %s.", why);
    return false;
}

/*
 * Reads the request's first line as the listener would. HTTP/1.0 needs no Host: here, the host is
 * the one of the URL.
 */
static bool read_line(struct preview *p, const struct preview_query *query)
{
    const struct gateway_config *c = p->config;
    struct head_limits limits = {.head = c->max_head, .target = c->max_target};
    struct head_scan scan = {.at = 0};
    const char *why = NULL;
    struct buf text;
    buf_init(&text, query->method.n + query->url.n + 32);
    buf_printf(&text, "%" STR_FMT " %" STR_FMT " HTTP/1.0\r\n\r\n", STR_ARG(query->method),
               STR_ARG(query->url));
    CHECK(buf_finish(&text) == 0);
    free(p->text);
    p->text = text.p;
    enum head_status s = head_scan_request(&scan, text.p, text.n, &limits, &why);
    if (s == HEAD_OK)
        s = head_parse_request(&p->head, text.p, text.n, &limits, &why);
    if (s == HEAD_OK && str_eq(p->head.target, query->url))
        return true;
    if (s == HEAD_OK) { /* the URL has line ends of its own */
        s = HEAD_BAD;
        why = "the request target has a character that is not allowed";
    }
    req_refuse_fault(&p->req, head_fault_status(s), why);
    return false;
}

static bool read_target(struct preview *p)
{
    struct req *req = &p->req;
    uint16_t port;
    const char *why = target_parse(&req->target, p->head.method, p->head.target);
    if (why == NULL && req->target.authority.n > 0)
        why = target_host(req->target.authority, req->host_text, &req->host, &port);
    if (why != NULL)
        return refuse_bad(req, why);
    free(p->path);
    p->path = malloc(req->target.path.n + 1);
    CHECK(p->path != NULL);
    why = target_normalize(req->target.path, p->path, &req->path);
    return why == NULL || refuse_bad(req, why);
}

static bool reads_the_same(struct preview *p)
{
    struct req *req = &p->req;
    struct readings readings = {
        .router = p->snapshot.router,
        .scratch = p->scratch,
        .query = &p->query,
        .found = req->match.route,
        .sent = req->target.path,
        .mem = malloc(READINGS_BYTES(req->target.path.n)),
    };
    CHECK(readings.mem != NULL);
    const char *why = readings_check(&readings);
    free(readings.mem);
    return why == NULL || refuse_bad(req, why);
}

static bool find_route(struct preview *p)
{
    struct req *req = &p->req;
    p->query = (struct route_query){.host = req->host, .path = req->path, .method = req->method};
    switch (router_find(p->snapshot.router, &p->query, p->scratch, &req->match)) {
    case ROUTER_FOUND:
        if (!reads_the_same(p))
            return false;
        req->route = req->match.route->conf;
        return true;
    case ROUTER_NONE:
        req_refuse(req, REASON_NO_ROUTE, NULL);
        return false;
    case ROUTER_METHOD:
        req->allow = req->match.allow;
        req_refuse(req, REASON_METHOD_NOT_ALLOWED, NULL);
        return false;
    case ROUTER_TOO_HARD:
        return refuse_bad(req, "the path takes too long to match");
    }
    return false;
}

static enum preview_outcome ask_policy(struct req *req, const struct policy *policy)
{
    enum verdict verdict = policy->preview != NULL ? policy->preview(req) : policy->enter(req);
    return verdict == NEXT ? PREVIEW_PASS : PREVIEW_REFUSE;
}

static void ask_policies(struct preview *p, const struct preview_query *query,
                         struct preview_result *result)
{
    struct req *req = &p->req;
    for (unsigned i = 0; policies_all[i] != NULL; i++) {
        const struct policy *policy = policies_all[i];
        if (policy->applies != NULL && !policy->applies(req->route))
            continue;
        struct preview_step *step = &result->steps[result->step_count++];
        *step = (struct preview_step){.policy = policy, .outcome = PREVIEW_UNKNOWN};
        if (req->reason != REASON_NONE)
            continue;
        size_t from = req->trail.n;
        step->outcome = ask_policy(req, policy);
        step->note = str_slice(buf_str(&req->trail), from, req->trail.n);
        /* who asks is known from here on: the policy of the limits finds its answer ready */
        if (req->app != NULL && req->limits.rules == NULL && query->limits != NULL &&
            !query->limits(query->ctx, req->app, &req->limits))
            req->limits.rules = NULL;
    }
}

void preview_ask(struct preview *preview, const struct preview_query *query,
                 struct preview_result *ret_result)
{
    struct req *req = &preview->req;
    *ret_result = (struct preview_result){.step_count = 0};
    begin(preview, query);
    preview->query = (struct route_query){.method = req->method};
    if (read_line(preview, query) && read_target(preview) && find_route(preview))
        ask_policies(preview, query, ret_result);
    ret_result->method = req->method;
    ret_result->host = req->host;
    ret_result->path = req->path;
    ret_result->route = req->route;
    ret_result->match = &req->match;
    ret_result->app = req->app;
    ret_result->reason = req->reason;
    ret_result->status = req->status;
    ret_result->detail = req->detail;
    ret_result->allow = req->allow;
    ret_result->key_missing = req->reason == REASON_KEY_MISSING;
}

void preview_forward(struct preview *preview, const struct target_conf *target, struct buf *out)
{
    bool v6 = str_find_char(target->host, ':', 0) < target->host.n;
    buf_printf(out, "http://%s%" STR_FMT "%s", v6 ? "[" : "", STR_ARG(target->host), v6 ? "]" : "");
    if (target->port != 80)
        buf_printf(out, ":%u", (unsigned)target->port);
    forward_target(&preview->req, out, target->prefix);
}

void preview_candidates(struct preview *preview,
                        void (*visit)(void *ctx, const struct route_candidate *candidate),
                        void *ctx)
{
    if (preview->query.path.n > 0)
        router_explain(preview->snapshot.router, &preview->query, preview->scratch, visit, ctx);
}
