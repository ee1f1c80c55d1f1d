/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.h -- who may call: keys, apps and what their plans grant, in memory, for millions of keys.
 *
 * Not part of the configuration's snapshot, but one table changed in place: what is issued or
 * revoked is in force for the next request and costs no rebuild. An entry never changes: a change
 * puts a new one in its place and retires the old one. So a request sees each entry whole, and what
 * it holds stays until it ends.
 *
 * Apps are the configuration's or the store's. An app of the store names its plan by text; what the
 * plan grants is taken from the configuration in force, and taken again when that changes. Where
 * both have an app of the same name, the configuration's counts while it is there.
 *
 * An app's limiter belongs to its name and stays where it is through every reload, also while the
 * app is away. APIs are known here by number: access_api_number() gives each name one, for as long
 * as the process lives; so an app's grants and a request's route need not come from the same
 * snapshot to be compared.
 *
 * Threads: a reader is inside an epoch (base/epoch.h) from before access_find() until it no longer
 *          touches what it found; it takes no lock. Changes and iterations take a mutex; never call
 *          them on a carrier.
 * Memory:  the table owns everything it shows, and copies whatever it is given. A name of an app
 *          keeps its limiter for as long as the table lives, also when the app is removed.
 * Errors:  access_apply_config() reports to `struct error` and then has changed nothing. Running
 *          out of memory aborts: requests size nothing here, and how many apps and keys people may
 *          make is the portal's to limit.
 */
#ifndef GATEWAY_ACCESS_H
#define GATEWAY_ACCESS_H

#include "base/epoch.h"
#include "base/secret.h"
#include "gateway/config.h"
#include "gateway/limiter.h"

struct access;
struct access_slot;

enum key_state { KEY_ACTIVE, KEY_DISABLED, KEY_REVOKED };

enum key_origin {
    KEY_FROM_FILE, /* of weir.yaml; comes and goes with it */
    KEY_FROM_STORE
};

enum app_origin {
    APP_FROM_FILE, /* of weir.yaml; comes and goes with it */
    APP_FROM_STORE
};

/* An app as it is now. */
struct access_app {
    struct str name;
    struct str plan; /* "" where it has none that the configuration knows: then no API is granted */
    bool suspended;
    bool pending; /* a subscription waits for approval */
    enum app_origin origin;
    struct access_conf access, plan_access; /* two levels, both must let the call through */
    struct limiter *limiter;
    struct limiter_rules rules; /* what the limiter applies; for readers of a plan's numbers */
    const uint64_t *api_bits;   /* by API number */
    uint32_t api_words;
};

/* A plan of the configuration in force. */
struct access_plan {
    struct str name, title;
    enum plan_approval approval;
    struct access_conf access;
    struct limiter_rules rules;
    const uint64_t *api_bits; /* by API number */
    uint32_t api_words;
};

struct access_key {
    struct secret_hash hash;
    struct str kid; /* of a key of the file "APP/NAME" */
    struct str name;
    struct wall expires; /* 0 for never; good before this moment */
    struct access_conf access;
    struct access_slot *slot; /* its app, as it is at any moment: access_key_app() */
    enum key_state state;
    enum key_origin origin;
};

/* An empty table whose readers enter `epoch`, which must outlive it; the pepper is copied. */
struct access *access_create(struct epoch *epoch, const struct pepper *pepper);

/* No reader may be inside, and the epoch must still be there. NULL is accepted. */
void access_destroy(struct access *access);

/* ---- for requests ---- */

/* The keyed hash of what a client sent. */
struct secret_hash access_hash(const struct access *access, struct str secret);

/* The key with this hash, whatever its state, or NULL. Inside an epoch. */
const struct access_key *access_find(const struct access *access, const struct secret_hash *hash);

/* The key's app, or NULL where no app of that name exists (any more): then refuse the key. Inside
 * an epoch. */
const struct access_app *access_key_app(const struct access_key *key);

/* Whether the app's plan contains the API of this number. */
static inline bool access_app_has(const struct access_app *app, uint32_t api_number)
{
    return api_number / 64 < app->api_words &&
           (app->api_bits[api_number / 64] >> api_number % 64 & 1) != 0;
}

struct access_decision {
    bool allowed;
    const struct cidr *cidr; /* the network that decided; NULL where no list named the address */
};

/*
 * One level's answer to an address: deny wins, then an allow list that exists must hold it. Denied
 * without a network means: the allow list does not hold it. Every level must allow.
 */
static inline struct access_decision access_decide(const struct access_conf *conf, struct ip ip)
{
    const struct cidr *cidr = conf->deny.count > 0 ? cidr_set_find(&conf->deny, ip) : NULL;
    if (cidr != NULL)
        return (struct access_decision){.allowed = false, .cidr = cidr};
    if (conf->allow.count == 0)
        return (struct access_decision){.allowed = true, .cidr = NULL};
    cidr = cidr_set_find(&conf->allow, ip);
    return (struct access_decision){.allowed = cidr != NULL, .cidr = cidr};
}

/* ---- for the owner ---- */

/* The number of an API's name; to be kept with the snapshot that names it. */
uint32_t access_api_number(struct access *access, struct str api);

/*
 * Makes the apps, plans and file keys what the configuration says; what the last one had and this
 * one lacks goes. Apps of the store stay, and get what their plans grant now; keys of the store
 * stay, also those of an app that is gone. Then the secrets in
 * the configuration are zeroed, and it may be freed. 0, or E_CONFIG with nothing changed: a damaged
 * or repeated secret, a limit that cannot be.
 */
must_check int access_apply_config(struct access *access, struct gateway_config *config,
                                   struct mono now, struct error *err);

/* An app of the store. */
struct access_app_spec {
    struct str name;
    struct str plan; /* "" for none; one that the configuration does not know grants nothing */
    bool suspended;
    bool pending; /* a subscription waits for approval */
    struct access_conf access;
};

/*
 * Adds the app, or puts it in place of the store's one of this name; in force for every request
 * that begins from now on. While the file has an app of this name, that one stays in force. What
 * the limiter counted stays, as at a reload.
 */
void access_put_app(struct access *access, const struct access_app_spec *spec, struct mono now);

/* Takes the store's app out, if it is there; its keys are refused from now on. Whether it was. */
bool access_remove_app(struct access *access, struct str name);

/* A key of the store. */
struct access_key_spec {
    struct secret_hash hash;
    struct str kid, name, app;
    enum key_state state;
    struct wall expires; /* 0 for never */
    struct access_conf access;
};

/* Adds the key, or puts it in place of the one with this hash. E_EXISTS where the file has that
 * secret. */
must_check int access_put_key(struct access *access, const struct access_key_spec *spec);

/*
 * 0; E_NOT_FOUND; E_DENIED for a key of the file, which only the file changes. In force for every
 * request that looks the key up from now on.
 */
must_check int access_set_state(struct access *access, const struct secret_hash *hash,
                                enum key_state state);
must_check int access_remove_key(struct access *access, const struct secret_hash *hash);

/* The limiter of an app that is, was or may yet be there: for limiter_restore(). */
struct limiter *access_limiter(struct access *access, struct str app);

/*
 * Shows every key, every app that is there, or every plan; plans by name, the others in no
 * particular order. What is shown is valid during the call; the visitor must not change the table.
 */
void access_each_key(struct access *access, void (*visit)(void *ctx, const struct access_key *key),
                     void *ctx);
void access_each_app(struct access *access, void (*visit)(void *ctx, const struct access_app *app),
                     void *ctx);
void access_each_plan(struct access *access,
                      void (*visit)(void *ctx, const struct access_plan *plan), void *ctx);

/* Shows one app in the same way. False, and nothing is shown, where it is not there. */
bool access_show_app(struct access *access, struct str name,
                     void (*visit)(void *ctx, const struct access_app *app), void *ctx);

#endif
