/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/guard.h"

#include "portal/endpoint_rows.h"
#include "portal/form.h"
#include "portal/store_people.h"

#include <sodium.h>

/* --- from where --- */

static bool is_local_name(struct str host)
{
    return str_eq(host, STR("localhost")) || str_ends(host, STR(".localhost"));
}

static bool is_address(struct str host)
{
    struct ip ip;
    if (str_starts(host, STR("[")))
        host = str_slice(host, 1, host.n - 1);
    return ip_parse(host, &ip) == 0;
}

/* The host of "https://admin.example.com:8443/x", in lower case into `out`. */
static struct str host_of_url(struct str url, char out[static 256])
{
    struct str host = STR_EMPTY;
    uint16_t port;
    size_t scheme = str_find(url, STR("://"));
    url = str_slice(url, scheme + 3, url.n);
    url = str_slice(url, 0, str_find_char(url, '/', 0));
    return target_host(url, out, &host, &port) == NULL ? host : STR_EMPTY;
}

/* A client that names no host (HTTP/1.0) is no browser, and so nobody's tool against another. */
static bool host_is_known(const struct endpoint_call *call)
{
    char name[256], own[256];
    struct str host;
    uint16_t port;
    struct str text = call->target.authority;
    if (text.n == 0)
        text = head_value(call->conn->head, FIELD_HOST);
    if (text.n == 0)
        return call->conn->head->minor == 0;
    if (target_host(text, name, &host, &port) != NULL)
        return false;
    return is_address(host) || is_local_name(host) ||
           str_eq(host, host_of_url(call->conf->admin_url, own));
}

bool guard_host(struct endpoint_call *call)
{
    if (call->listener != ENDPOINT_ADMIN || host_is_known(call))
        return true;
    endpoint_fail(call, 421,
                  STR("This listener answers under an address, localhost, or the host of "
                      "admin.url in the configuration."));
    return false;
}

static void refuse_peer(struct endpoint_call *call)
{
    char ip[IP_TEXT_MAX];
    struct reply reply = {.status = 403};
    struct arena *arena = http_arena(call->conn);
    ip_format(call->conn->peer, ip);
    reply_problem(&reply, arena, 403,
                  arena_printf(arena, "The address %s is not in admin.allow.", ip));
    call->conn->close = true;
    endpoint_send(call, &reply, ENDPOINT_NO_STORE);
}

bool guard_peer(struct endpoint_call *call)
{
    if (call->listener != ENDPOINT_ADMIN ||
        cidr_set_find(&call->conf->admin_allow, call->conn->peer) != NULL)
        return true;
    refuse_peer(call);
    return false;
}

/* --- who --- */

/* A person at a page is shown where to sign in; it leads back. */
static void ask_to_sign_in(struct endpoint_call *call)
{
    if (call->conn->head->body == BODY_NONE && endpoint_wants_page(call, false)) {
        struct buf to;
        buf_init(&to, 2048);
        buf_add_lit(&to, "/sign-in?return=");
        form_encode(&to, call->path);
        struct str path = buf_finish(&to) == 0 ? buf_str(&to) : STR("/sign-in");
        endpoint_redirect(call, arena_dup(http_arena(call->conn), path));
        buf_free(&to);
        return;
    }
    endpoint_fail(call, 401, STR("Sign in first: nobody is, or the session has ended."));
}

static enum member member_needed(enum role role)
{
    switch (role) {
    case ROLE_APP_READ:
        return MEMBER_VIEWER;
    case ROLE_APP_WRITE:
        return MEMBER_DEVELOPER;
    case ROLE_APP_OWN:
        return MEMBER_ADMIN;
    case ROLE_MACHINE:
    case ROLE_ANYONE:
    case ROLE_PERSON:
    case ROLE_OPERATOR:
        return MEMBER_NONE;
    }
    return MEMBER_OWNER;
}

static bool guard_app(struct endpoint_call *call)
{
    struct error err = ERROR_INIT;
    struct db *db;
    int r = registry_read(call->portal->registry, &db, &err);
    if (r == 0) {
        r = store_people_member(db, &call->person->id, call->params[0], &call->member, &err);
        registry_read_done(call->portal->registry, db);
    }
    if (r != 0) {
        endpoint_fail_error(call, r, &err);
        return false;
    }
    if (call->member >= member_needed(call->row->role))
        return true;
    if (call->member == MEMBER_NONE)
        endpoint_fail(call, 404, STR("There is no such app."));
    else
        endpoint_fail(call, 403, STR("Your role in this team does not allow this."));
    return false;
}

bool guard_role(struct endpoint_call *call)
{
    enum role role = call->row->role;
    if (role == ROLE_MACHINE || role == ROLE_ANYONE)
        return true;
    if (call->person == NULL) {
        ask_to_sign_in(call);
        return false;
    }
    if (role == ROLE_PERSON)
        return true;
    if (role != ROLE_OPERATOR)
        return guard_app(call);
    if (call->person->is_operator)
        return true;
    endpoint_fail(call, 403, STR("This is for operators."));
    return false;
}

/* --- by whose hand --- */

/* Whether an Origin is the one this request was sent to, or the one it is published under. */
static bool origin_is_ours(const struct endpoint_call *call, struct str origin)
{
    size_t scheme = str_find(origin, STR("://"));
    struct str own =
        call->listener == ENDPOINT_ADMIN ? call->conf->admin_url : call->conf->portal_url;
    if (scheme == origin.n)
        return false; /* "null" */
    return str_eq_nocase(str_slice(origin, scheme + 3, origin.n),
                         head_value(call->conn->head, FIELD_HOST)) ||
           (own.n > 0 && str_eq_nocase(origin, own));
}

bool guard_origin(struct endpoint_call *call)
{
    struct str site = endpoint_header(call, STR("Sec-Fetch-Site"));
    struct str origin = endpoint_header(call, STR("Origin"));
    bool ours = site.n > 0     ? str_eq(site, STR("same-origin")) || str_eq(site, STR("none"))
                : origin.n > 0 ? origin_is_ours(call, origin)
                               : true; /* no browser that could be used against somebody */
    if (!ours)
        endpoint_fail(call, 403, STR("This was sent by a page of another site. Nothing was done."));
    return ours;
}

bool guard_token(struct endpoint_call *call)
{
    struct str token =
        call->input.form ? call->input.csrf : endpoint_header(call, STR("X-CSRF-Token"));
    struct str want = str_from(call->csrf);
    if (call->person == NULL || call->row->role == ROLE_ANYONE)
        return true;
    if (token.n == want.n && sodium_memcmp(token.p, want.p, want.n) == 0)
        return true;
    endpoint_fail(call, 403,
                  STR("The token of your session is missing or of another session: load the page "
                      "again. Nothing was done."));
    return false;
}
