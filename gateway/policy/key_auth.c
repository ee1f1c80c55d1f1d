/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who calls: finds the key in the request and the key in the table.
 *
 * A key is looked up by its keyed hash, so what is told about it (expired, revoked, disabled) is
 * told only to one who holds the whole secret; everybody else learns `key_invalid`.
 */
#include "gateway/access.h"
#include "gateway/inside.h"
#include "gateway/policy.h"

static bool applies(const struct route_conf *route)
{
    return route->api->auth.kind == AUTH_KEY;
}

/* The value of a query parameter, not decoded: keys have no character that needs an escape. */
static struct str query_value(struct str query, struct str name)
{
    struct str rest = query;
    while (rest.p != NULL) {
        struct str pair = str_cut(&rest, '&');
        size_t eq = str_find_char(pair, '=', 0);
        if (str_eq(str_slice(pair, 0, eq), name))
            return str_slice(pair, eq + 1, pair.n);
    }
    return STR_EMPTY;
}

static struct str find_secret(struct req *req)
{
    struct str s = head_value(req->head, FIELD_X_API_KEY);
    req->key_source = KEY_FROM_HEADER;
    if (s.n > 0)
        return s;
    s = head_value(req->head, FIELD_AUTHORIZATION);
    req->key_source = KEY_FROM_BEARER;
    if (str_starts_nocase(s, STR("Bearer ")))
        return str_trim(str_slice(s, sizeof("Bearer ") - 1, s.n));
    req->key_source = KEY_FROM_QUERY;
    struct str param = req->route->api->auth.query_param;
    if (param.n > 0 && req->target.has_query) {
        s = query_value(req->target.query, param);
        if (s.n > 0)
            return s;
    }
    req->key_source = KEY_FROM_NOWHERE;
    return STR_EMPTY;
}

static enum verdict refuse(struct req *req, enum reason reason)
{
    note_begin(req, "key_auth refused");
    note_str(req, "why", reason_row(reason)->code);
    if (req->key != NULL)
        note_str(req, "key", req->key->kid);
    note_end(req);
    req_refuse(req, reason, NULL);
    return REPLY;
}

/* What a found key's own state says; REASON_NONE where it is good. */
static enum reason judge(const struct req *req)
{
    switch (req->key->state) {
    case KEY_ACTIVE:
        break;
    case KEY_DISABLED:
        return REASON_KEY_DISABLED;
    case KEY_REVOKED:
        return REASON_KEY_REVOKED;
    }
    if (req->key->expires.us != 0 && clock_wall().us >= req->key->expires.us)
        return REASON_KEY_EXPIRED;
    if (req->app == NULL)
        return REASON_KEY_INVALID;
    return req->app->suspended ? REASON_APP_SUSPENDED : REASON_NONE;
}

/* Decides by the key that was found. */
static enum verdict decide(struct req *req)
{
    req->app = access_key_app(req->key);
    enum reason reason = judge(req);
    if (reason != REASON_NONE)
        return refuse(req, reason);
    note_begin(req, "key_auth pass");
    note_str(req, "key", req->key->kid);
    note_str(req, "app", req->app->name);
    note_end(req);
    return NEXT;
}

static enum verdict enter(struct req *req)
{
    struct str secret = find_secret(req);
    if (secret.n == 0)
        return refuse(req, REASON_KEY_MISSING);
    if (key_parse(secret, NULL) == KEY_OURS_BROKEN)
        return refuse(req, REASON_KEY_MALFORMED);
    const struct access *access = req->gateway->options.access;
    struct secret_hash hash = access_hash(access, secret);
    req->key = access_find(access, &hash);
    if (req->key == NULL)
        return refuse(req, REASON_KEY_INVALID);
    return decide(req);
}

static enum verdict preview(struct req *req)
{
    return req->key != NULL ? decide(req) : refuse(req, REASON_KEY_MISSING);
}

const struct policy policy_key_auth = {
    .name = "key_auth",
    .doc = "Wants a key of an app that is neither expired, revoked, disabled nor suspended.",
    .applies = applies,
    .enter = enter,
    .preview = preview,
};
