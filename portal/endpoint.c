/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/endpoint.h"

#include "base/http/forwarded.h"
#include "portal/endpoint_rows.h"
#include "portal/guard.h"
#include "portal/session.h"
#include "portal/settings.h"

static void fail_method(struct endpoint_call *call, uint32_t methods)
{
    struct reply reply = {.status = 405};
    struct arena *arena = http_arena(call->conn);
    struct str allow = STR_EMPTY;
    if (methods & UINT32_C(1) << METHOD_GET)
        methods |= UINT32_C(1) << METHOD_HEAD;
    for (enum http_method m = 0; m < METHOD_COUNT; m++) {
        if (methods & UINT32_C(1) << m)
            allow = arena_printf(arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(allow),
                                 allow.n > 0 ? ", " : "", STR_ARG(http_method_name(m)));
    }
    reply_add(&reply, STR("Allow"), allow);
    reply_problem(&reply, arena, 405,
                  arena_printf(arena, "This path takes %" STR_FMT ".", STR_ARG(allow)));
    endpoint_send(call, &reply, ENDPOINT_NO_STORE);
}

static bool changes_something(const struct endpoint_call *call)
{
    return call->row->method != METHOD_GET;
}

/* The body, by the row's schema. False where the answer was sent. */
static bool read_input(struct endpoint_call *call)
{
    const char *why;
    enum input_kind kind = input_kind(call->conn->head);
    if (kind == INPUT_UNKNOWN) {
        endpoint_fail(call, 415, STR("Send JSON as application/json."));
        return false;
    }
    int r = input_read(call->conn, call->row->in, &call->input, &why);
    if (r == 0)
        return true;
    endpoint_fail(call, r == E_TOO_LARGE ? 413 : r == E_TIMEOUT ? 408 : 400, str_from(why));
    return false;
}

/* A form without script is shown its faults by its own page, so its handler gets them. */
static bool input_is_good(struct endpoint_call *call)
{
    if (call->input.fault_count == 0 || call->input.form)
        return true;
    endpoint_fail_input(call);
    return false;
}

static void serve_row(struct endpoint_call *call)
{
    struct person person;
    if (call->row->role != ROLE_MACHINE && !session_find(call, &person))
        return;
    if (!guard_role(call))
        return;
    if (changes_something(call) &&
        (!guard_origin(call) || !read_input(call) || !guard_token(call) || !input_is_good(call)))
        return;
    call->row->handle(call);
    input_clear(&call->input);
}

static void dispatch(struct endpoint_call *call)
{
    const struct head *head = call->conn->head;
    const char *why = target_parse(&call->target, head->method, head->target);
    char *room = arena_alloc(http_arena(call->conn), head->target.n + 1);
    CHECK(room != NULL); /* the target is far below the arena's budget */
    if (why == NULL)
        why = target_normalize(call->target.path, room, &call->path);
    if (why != NULL) {
        endpoint_fail(call, 400, str_from(why));
        return;
    }
    if (!guard_host(call))
        return;
    struct endpoint_match match =
        endpoint_find(call->listener, call->path, http_method_find(head->method));
    call->row = match.row;
    call->params[0] = match.params[0];
    call->params[1] = match.params[1];
    if (match.row != NULL)
        serve_row(call);
    else if (match.methods != 0)
        fail_method(call, match.methods);
    else
        endpoint_fail(call, 404, STR("There is nothing at this path."));
}

static void look_for_client(void *ctx, const struct portal_gateway *gateway)
{
    struct endpoint_call *call = ctx;
    const struct gateway_config *config = gateway->config;
    call->client = forwarded_client(
        &config->trusted_proxies,
        config->client_header == CLIENT_FORWARDED ? FIELD_FORWARDED : FIELD_X_FORWARDED_FOR,
        call->conn->head, call->conn->peer);
}

/* Once, before anything is locked: throttles, audit and log mean whoever stands behind the proxy
 * that ends TLS. */
static void find_client(struct endpoint_call *call)
{
    const struct portal_sources *s = &call->portal->sources;
    call->client = call->conn->peer;
    if (call->conn->fault == 0 && s->show_gateway != NULL)
        s->show_gateway(s->ctx, look_for_client, call);
}

void endpoint_serve(struct portal *portal, enum endpoint_listener listener, struct http_conn *conn)
{
    struct settings *settings = settings_get(portal);
    struct endpoint_call call = {
        .conn = conn, .portal = portal, .conf = &settings->conf, .listener = listener};
    find_client(&call);
    if (!guard_peer(&call))
        ; /* it was told */
    else if (conn->fault != 0)
        endpoint_fail(&call, conn->fault, str_from(conn->why));
    else
        dispatch(&call);
    settings_put(portal, settings);
}
