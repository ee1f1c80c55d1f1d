/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/access_table.h"

#include <sodium.h>
#include <stdlib.h>

#define TABLE_MIN 64

/* Stands where a key was removed. Never looked into. */
static struct access_key removed;

static uint64_t tag_of(const struct secret_hash *hash)
{
    uint64_t tag;
    memcpy(&tag, hash->b, sizeof(tag));
    return tag;
}

/* ---- for requests ---- */

struct secret_hash access_hash(const struct access *access, struct str secret)
{
    return secret_hash_make(&access->pepper, secret);
}

/* The slot that has the key, or NULL. */
static const struct key_slot *table_find(const struct key_table *table,
                                         const struct secret_hash *hash)
{
    uint64_t tag = tag_of(hash);
    for (size_t i = tag & table->mask;; i = (i + 1) & table->mask) {
        const struct key_slot *slot = &table->slots[i];
        /* pairs with the release in table_put() and in access_publish_key(): the entry is whole */
        const struct access_key *key = atomic_load_explicit(&slot->key, memory_order_acquire);
        if (key == NULL)
            return NULL;
        if (atomic_load_explicit(&slot->tag, memory_order_relaxed) == tag && key != &removed &&
            secret_hash_eq(&key->hash, hash))
            return slot;
    }
}

const struct access_key *access_find(const struct access *access, const struct secret_hash *hash)
{
    /* pairs with the release in replace_table() */
    const struct key_table *table = atomic_load_explicit(&access->table, memory_order_acquire);
    const struct key_slot *slot = table_find(table, hash);
    if (slot == NULL)
        return NULL;
    const struct access_key *key = atomic_load_explicit(&slot->key, memory_order_acquire);
    return key != &removed ? key : NULL;
}

const struct access_app *access_key_app(const struct access_key *key)
{
    /* pairs with the release of access_publish_app() */
    return atomic_load_explicit(&key->slot->app, memory_order_acquire);
}

/* ---- the table; under the mutex ---- */

static struct key_table *make_table(size_t size)
{
    struct key_table *table = calloc(1, sizeof(*table) + size * sizeof(struct key_slot));
    CHECK(table != NULL);
    table->mask = size - 1;
    return table;
}

/* Into the next empty slot: the hash is not in the table. */
static void table_put(struct key_table *table, struct access_key *key)
{
    uint64_t tag = tag_of(&key->hash);
    size_t i = tag & table->mask;
    while (atomic_load_explicit(&table->slots[i].key, memory_order_relaxed) != NULL)
        i = (i + 1) & table->mask;
    atomic_store_explicit(&table->slots[i].tag, tag, memory_order_relaxed);
    /* pairs with the acquire in table_find(): entry and tag are seen whole */
    atomic_store_explicit(&table->slots[i].key, key, memory_order_release);
    table->used++;
}

static struct key_table *table_locked(const struct access *access)
{
    return atomic_load_explicit(&access->table, memory_order_relaxed); /* only we change it */
}

/* Copies the keys to a table of the right size, without the marks. */
static void replace_table(struct access *access)
{
    struct key_table *old = table_locked(access);
    size_t size = TABLE_MIN;
    while (size < access->key_count * 2 + 2)
        size *= 2;
    struct key_table *table = make_table(size);
    for (size_t i = 0; i <= old->mask; i++) {
        struct access_key *key = atomic_load_explicit(&old->slots[i].key, memory_order_relaxed);
        if (key != NULL && key != &removed)
            table_put(table, key);
    }
    atomic_store_explicit(&access->table, table,
                          memory_order_release); /* pairs with access_find() */
    epoch_retire(access->epoch, old, free);
}

struct access_key *access_find_locked(struct access *access, const struct secret_hash *hash)
{
    const struct key_slot *slot = table_find(table_locked(access), hash);
    return slot != NULL ? atomic_load_explicit(&slot->key, memory_order_relaxed) : NULL;
}

/* Puts `key` (or the mark) where the hash is now, and retires what was there. Whether it was. */
static bool exchange_key(struct access *access, const struct secret_hash *hash,
                         struct access_key *key)
{
    const struct key_slot *found = table_find(table_locked(access), hash);
    if (found == NULL)
        return false;
    struct key_table *table = table_locked(access);
    struct key_slot *slot = &table->slots[found - table->slots];
    struct access_key *old = atomic_load_explicit(&slot->key, memory_order_relaxed);
    atomic_store_explicit(&slot->key, key, memory_order_release); /* pairs with table_find() */
    epoch_retire(access->epoch, old, free);
    return true;
}

void access_publish_key(struct access *access, struct access_key *key)
{
    if (exchange_key(access, &key->hash, key))
        return;
    struct key_table *table = table_locked(access);
    if (table->used + 1 > (table->mask + 1) / 4 * 3)
        replace_table(access);
    table_put(table_locked(access), key);
    access->key_count++;
}

bool access_drop_key(struct access *access, const struct secret_hash *hash)
{
    if (!exchange_key(access, hash, &removed))
        return false;
    access->key_count--;
    return true;
}

/* ---- entries ---- */

static struct str copy_str(struct str s, char **at)
{
    char *to = *at;
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    *at += s.n;
    return str_make(to, s.n);
}

static struct cidr_set copy_set(const struct cidr_set *set, char **at)
{
    _Static_assert(_Alignof(struct cidr) == 1, "may lie between strings");
    char *to = *at;
    size_t size = set->count * sizeof(*set->items);
    if (size > 0)
        memcpy(to, set->items, size);
    *at += size;
    return (struct cidr_set){.items = (const struct cidr *)(const void *)to, .count = set->count};
}

size_t access_conf_size(const struct access_conf *conf)
{
    return (conf->allow.count + conf->deny.count) * sizeof(struct cidr);
}

struct access_conf access_copy_conf(const struct access_conf *conf, char **at)
{
    struct access_conf copy;
    copy.allow = copy_set(&conf->allow, at);
    copy.deny = copy_set(&conf->deny, at);
    return copy;
}

struct access_key *access_make_key(const struct access_key_spec *spec, enum key_origin origin,
                                   struct access_slot *slot)
{
    size_t size = spec->kid.n + spec->name.n + access_conf_size(&spec->access);
    struct access_key *key = malloc(sizeof(*key) + size);
    CHECK(key != NULL);
    char *at = (char *)(key + 1);
    *key = (struct access_key){
        .hash = spec->hash,
        .kid = copy_str(spec->kid, &at),
        .name = copy_str(spec->name, &at),
        .expires = spec->expires,
        .slot = slot,
        .state = spec->state,
        .origin = origin,
    };
    key->access = access_copy_conf(&spec->access, &at);
    return key;
}

struct access_slot *access_slot_get(struct access *access, struct str app)
{
    uint32_t number = intern_get(&access->apps, app);
    if (number >= access->app_cap) {
        uint32_t cap = access->apps.cap;
        access->app_slots = reallocarray(access->app_slots, cap, sizeof(*access->app_slots));
        CHECK(access->app_slots != NULL);
        memset(access->app_slots + access->app_cap, 0,
               (cap - access->app_cap) * sizeof(*access->app_slots));
        access->app_cap = cap;
    }
    if (access->app_slots[number] == NULL) {
        struct access_slot *slot = aligned_alloc(CACHE_LINE, sizeof(*slot));
        CHECK(slot != NULL);
        limiter_init(&slot->limiter);
        atomic_init(&slot->app, NULL);
        slot->last = NULL;
        slot->spec = NULL;
        slot->generation = 0;
        access->app_slots[number] = slot;
    }
    return access->app_slots[number];
}

/* ---- for the owner ---- */

struct access *access_create(struct epoch *epoch, const struct pepper *pepper)
{
    struct access *access = calloc(1, sizeof(*access));
    CHECK(access != NULL);
    access->epoch = epoch;
    access->pepper = *pepper;
    CHECK(pthread_mutex_init(&access->mtx, NULL) == 0);
    intern_init(&access->apis);
    intern_init(&access->apps);
    atomic_init(&access->table, make_table(TABLE_MIN));
    return access;
}

void access_destroy(struct access *access)
{
    if (access == NULL)
        return;
    struct key_table *table = table_locked(access);
    for (size_t i = 0; i <= table->mask; i++) {
        struct access_key *key = atomic_load_explicit(&table->slots[i].key, memory_order_relaxed);
        if (key != &removed)
            free(key);
    }
    free(table);
    for (uint32_t i = 0; i < access->apps.count; i++) {
        free(access->app_slots[i]->last);
        free(access->app_slots[i]->spec);
        free(access->app_slots[i]);
    }
    free(access->app_slots);
    free(access->file_keys);
    access_plans_finish(&access->plans);
    intern_finish(&access->apis);
    intern_finish(&access->apps);
    pthread_mutex_destroy(&access->mtx);
    sodium_memzero(&access->pepper, sizeof(access->pepper));
    free(access);
}

uint32_t access_api_number(struct access *access, struct str api)
{
    access_hold(access);
    uint32_t number = intern_get(&access->apis, api);
    access_let_go(access);
    return number;
}

int access_put_key(struct access *access, const struct access_key_spec *spec)
{
    int r = E_EXISTS;
    access_hold(access);
    const struct access_key *there = access_find_locked(access, &spec->hash);
    if (there == NULL || there->origin == KEY_FROM_STORE) {
        struct access_slot *slot = access_slot_get(access, spec->app);
        access_publish_key(access, access_make_key(spec, KEY_FROM_STORE, slot));
        r = 0;
    }
    access_let_go(access);
    return r;
}

/* The key of the store with this hash; 0, E_NOT_FOUND or E_DENIED. */
static int find_of_store(struct access *access, const struct secret_hash *hash,
                         const struct access_key **ret_key)
{
    const struct access_key *key = access_find_locked(access, hash);
    if (key == NULL)
        return E_NOT_FOUND;
    *ret_key = key;
    return key->origin == KEY_FROM_STORE ? 0 : E_DENIED;
}

int access_set_state(struct access *access, const struct secret_hash *hash, enum key_state state)
{
    const struct access_key *key;
    access_hold(access);
    int r = find_of_store(access, hash, &key);
    if (r == 0) {
        struct access_key_spec spec = {.hash = key->hash,
                                       .kid = key->kid,
                                       .name = key->name,
                                       .state = state,
                                       .expires = key->expires,
                                       .access = key->access};
        access_publish_key(access, access_make_key(&spec, key->origin, key->slot));
    }
    access_let_go(access);
    return r;
}

int access_remove_key(struct access *access, const struct secret_hash *hash)
{
    const struct access_key *key;
    access_hold(access);
    int r = find_of_store(access, hash, &key);
    if (r == 0)
        access_drop_key(access, hash);
    access_let_go(access);
    return r;
}

struct limiter *access_limiter(struct access *access, struct str app)
{
    access_hold(access);
    struct limiter *limiter = &access_slot_get(access, app)->limiter;
    access_let_go(access);
    return limiter;
}

void access_each_key(struct access *access, void (*visit)(void *ctx, const struct access_key *key),
                     void *ctx)
{
    access_hold(access);
    const struct key_table *table = table_locked(access);
    for (size_t i = 0; i <= table->mask; i++) {
        const struct access_key *key =
            atomic_load_explicit(&table->slots[i].key, memory_order_relaxed);
        if (key != NULL && key != &removed)
            visit(ctx, key);
    }
    access_let_go(access);
}
