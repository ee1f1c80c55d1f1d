/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dev.h -- inside of portal/: what the endpoints on plans, apps, keys and quotas share, developers'
 * and operators' alike.
 *
 * Threads: a call belongs to its worker.
 * Memory:  what is found lies in the request's arena.
 * Errors:  as said at each.
 */
#ifndef PORTAL_DEV_H
#define PORTAL_DEV_H

#include "portal/first_call.h"
#include "portal/session.h"
#include "portal/store_apps.h"
#include "portal/store_keys.h"

/* A field with a text, or with null for an empty one. */
void dev_tell_or_null(struct jsonw *w, const char *key, struct str s);

/* --- plans (dev_catalog.c) --- */

/* Shows the gateway as it is configured; false where it is still starting. */
bool dev_show_gateway(const struct endpoint_call *call, portal_gateway_visit *visit, void *ctx);

/* What the configuration in force says of a plan. */
struct dev_plan {
    bool there, automatic;
    struct str title;
};

struct dev_plan dev_plan_find(const struct endpoint_call *call, struct str name);

/* Writes the fields that the catalog has of an API or a plan, into an object that is open. What the
 * arena is used for may be forgotten afterwards. */
void dev_tell_api(struct jsonw *w, struct arena *arena, const struct portal_gateway *gateway,
                  const struct api_conf *api);
void dev_tell_plan(struct jsonw *w, const struct plan_conf *plan);

/* --- apps (dev_apps.c) --- */

#define DEV_APPS_MAX 100       /* of a team */
#define DEV_APPS_EVER_MAX 1000 /* of a team, deleted ones included: their names are kept */

/* An app as the gateway has it: the configuration's where both have one of its name. */
struct dev_app {
    bool there;
    bool declared;   /* the configuration has it, so that nobody changes it here */
    struct str plan; /* what is granted; "" for none */
};

struct dev_app dev_app_find(const struct endpoint_call *call, struct str name);

/* Writes the fields that lists and single apps have in common, into an object that is open. */
void dev_tell_app(struct jsonw *w, const struct endpoint_call *call, const struct app_row *row);

/* Writes the field `subscription` of an app that the configuration declares. */
void dev_tell_granted(struct jsonw *w, const struct endpoint_call *call, struct str name);

/* Sends an app, with what it asked for. */
void dev_send_app(struct endpoint_call *call, unsigned status, struct str name);

/* --- keys (dev_keys.c) --- */

#define DEV_KEYS_MAX 50 /* of an app, neither revoked nor expired */

/* Writes a key as an object; with its last use where `uses` says so. */
void dev_tell_key(struct jsonw *w, const struct endpoint_call *call, const struct key_row *row,
                  bool uses);

/* What a write on keys looks at before. */
struct dev_key {
    struct str app;
    struct uuid team;
    enum key_state state;
    struct wall expires;
    char successor[KEY_KID_LEN + 1]; /* "" for none */
};

/* Looks at a key of that app, or with kid "" at the app alone. E_NOT_FOUND, also for a key of
 * another app. */
must_check int dev_key_look(struct registry_write *write, struct str app, struct str kid,
                            struct dev_key *ret_key, struct error *err);

/* E_INVALID where the app has as many keys in force as it may. */
must_check int dev_check_room(struct registry_write *write, struct str app, struct error *err);

/* The field `allow` as a set, in the request's arena; false where it was faulted. */
must_check bool dev_read_allow(struct endpoint_call *call, struct cidr_set *ret_allow);

/* --- audit --- */

/* Writes that the call's person did `action` to `object`, so that the team can read it. */
must_check int dev_audit(const struct endpoint_call *call, struct registry_write *write,
                         const char *action, struct str object, const struct uuid *team,
                         struct str detail, struct error *err);

#endif
