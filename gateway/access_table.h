/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_table.h -- the inside of access.h, shared by access.c (the keys), access_apps.c (apps and
 * plans) and access_apply.c (what a configuration changes).
 *
 * Keys lie in an open-addressing table of pointers; hashes are keyed, so no client can aim at a
 * slot. A slot once used belongs to its hash until the table is replaced: removal leaves a mark,
 * and a table full of keys and marks is copied without the marks to a new one, which is published
 * whole.
 *
 * Threads: see access.h; all functions here want the mutex held.
 * Memory:  see access.h.
 * Errors:  none.
 */
#ifndef GATEWAY_ACCESS_TABLE_H
#define GATEWAY_ACCESS_TABLE_H

#include "gateway/access.h"
#include "gateway/intern.h"

#include <pthread.h>
#include <stdatomic.h>

/* The place of an app's name: never freed before the table is. */
struct access_slot {
    struct limiter limiter;           /* guards itself */
    _Atomic(struct access_app *) app; /* atomic; NULL while there is none */
    struct access_app
        *last; /* guarded by mtx; the app, or the last there was: owns the limiter's rules */
    struct access_app_spec *spec; /* guarded by mtx; of the store's app, in one block with what it
                                     names; NULL where the store has none */
    uint64_t generation;          /* guarded by mtx; of the configuration that had it last */
};

struct key_slot {
    _Atomic uint64_t tag; /* atomic, relaxed: written once, before `key` is */
    _Atomic(struct access_key *) key;
};

struct key_table {
    size_t mask; /* size - 1; const after init */
    size_t used; /* guarded by mtx; slots with a key or a mark */
    struct key_slot slots[];
};

/* Plans in the order of their names, each in one block with what it names. */
struct plan_list {
    struct access_plan **items;
    size_t count;
};

struct access {
    _Atomic(struct key_table *) table; /* atomic; published whole */
    struct epoch *epoch;               /* const after init */
    struct pepper pepper;              /* const after init */
    pthread_mutex_t mtx;
    size_t key_count;               /* guarded by mtx; without marks */
    struct intern apis, apps;       /* guarded by mtx */
    struct access_slot **app_slots; /* guarded by mtx; by number in `apps` */
    uint32_t app_cap;               /* guarded by mtx */
    uint64_t generation;            /* guarded by mtx; counts configurations */
    struct plan_list plans;         /* guarded by mtx; those of the configuration in force */
    struct secret_hash *file_keys;  /* guarded by mtx; those of the configuration in force */
    size_t file_key_count;          /* guarded by mtx */
};

static inline void access_hold(struct access *access)
{
    CHECK(pthread_mutex_lock(&access->mtx) == 0);
}

static inline void access_let_go(struct access *access)
{
    CHECK(pthread_mutex_unlock(&access->mtx) == 0);
}

/* ---- keys ---- */

/* A copy of the spec as an entry; to be published by access_publish_key(). */
struct access_key *access_make_key(const struct access_key_spec *spec, enum key_origin origin,
                                   struct access_slot *slot);

/* The key with this hash, or NULL. */
struct access_key *access_find_locked(struct access *access, const struct secret_hash *hash);

/* Puts the entry in place, retiring the one with its hash if there is one. */
void access_publish_key(struct access *access, struct access_key *key);

/* Takes the key out, if it is there. Whether it was. */
bool access_drop_key(struct access *access, const struct secret_hash *hash);

/* ---- apps and plans ---- */

/* A copy of the plan; to be freed by free(). 0, or E_INVALID for a limit that cannot be. */
must_check int access_make_plan(struct access *access, const struct plan_conf *conf,
                                struct access_plan **ret_plan, struct error *err);

/* Puts the plans in the order that access_plan_find() wants. */
void access_plans_sort(struct plan_list *plans);

/* The plan of this name, or NULL; NULL for "". */
const struct access_plan *access_plan_find(const struct plan_list *plans, struct str name);

/* Frees the plans and the list. */
void access_plans_finish(struct plan_list *plans);

/* The spec as an entry, with what its plan grants, if that is one of `plans`; to be published by
 * access_publish_app(). */
struct access_app *access_make_app(const struct access_app_spec *spec, enum app_origin origin,
                                   const struct plan_list *plans, struct limiter *limiter);

/* Puts the entry in place, and its limits in force; retires the one before. */
void access_publish_app(struct access *access, struct access_slot *slot, struct access_app *app,
                        struct mono now);

/* For a slot that no file has (any more): the store's app if there is one, resolved against the
 * plans in force, or none. */
void access_give_back_app(struct access *access, struct access_slot *slot, struct mono now);

/* The slot of the app's name, made if there is none. */
struct access_slot *access_slot_get(struct access *access, struct str app);

/* How many bytes access_copy_conf() needs, and a copy of the conf into them; moves *at behind it.
 */
size_t access_conf_size(const struct access_conf *conf);
struct access_conf access_copy_conf(const struct access_conf *conf, char **at);

#endif
