/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream.h"

#include "base/log.h"

#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>

#define LOOKUPS_AT_ONCE 8

struct upstream *upstreams_build(struct arena *arena, const struct gateway_config *config,
                                 unsigned lanes,
                                 unsigned (*pool_number)(void *ctx, struct str name), void *ctx)
{
    struct upstream *all = arena_array(arena, config->upstream_count, sizeof(*all));
    for (size_t i = 0; all != NULL && i < config->upstream_count; i++) {
        const struct upstream_conf *conf = &config->upstreams[i];
        struct upstream *u = &all[i];
        u->conf = conf;
        u->count = (unsigned)conf->target_count;
        u->targets = arena_array(arena, u->count, sizeof(*u->targets));
        u->states = arena_array(arena, (size_t)lanes * u->count, sizeof(*u->states));
        if (u->targets == NULL || u->states == NULL)
            return NULL;
        for (unsigned k = 0; k < u->count; k++) {
            struct target *t = &u->targets[k];
            t->conf = &conf->targets[k];
            bool v6 = str_find_char(t->conf->host, ':', 0) < t->conf->host.n;
            t->name = arena_printf(arena, v6 ? "[%" STR_FMT "]:%u" : "%" STR_FMT ":%u",
                                   STR_ARG(t->conf->host), t->conf->port);
            t->pool = pool_number(ctx, t->name);
        }
    }
    return all;
}

/* A host that stays unknown is told once, and when it is found again. */
static void tell_change(struct target *t, int error)
{
    if (error != 0 && !t->unknown)
        log_warn("upstream host not found", kv_view("host", t->conf->host),
                 kv_str("why", gai_strerror(error)));
    else if (error == 0 && t->unknown)
        log_info("upstream host found", kv_view("host", t->conf->host));
    t->unknown = error != 0;
}

static struct address_list *look_up(struct target *t)
{
    const struct target_conf *conf = t->conf;
    char host[256], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    if (!str_copy(conf->host, host, sizeof(host)))
        return NULL;
    /* an address needs no network to be configured */
    struct ip ip;
    if (ip_parse(conf->host, &ip) == 0)
        hints.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST;
    snprintf(port, sizeof(port), "%u", conf->port);
    int r = getaddrinfo(host, port, &hints, &found);
    tell_change(t, r);
    if (r != 0)
        return NULL;
    unsigned count = 0;
    for (struct addrinfo *a = found; a != NULL; a = a->ai_next)
        count++;
    struct address_list *list = calloc(1, sizeof(*list) + count * sizeof(list->items[0]));
    CHECK(list != NULL);
    for (struct addrinfo *a = found; a != NULL; a = a->ai_next) {
        memcpy(&list->items[list->count].sa, a->ai_addr, a->ai_addrlen);
        list->items[list->count++].length = a->ai_addrlen;
    }
    freeaddrinfo(found);
    return list;
}

static bool same_list(const struct address_list *a, const struct address_list *b)
{
    return a != NULL && a->count == b->count &&
           memcmp(a->items, b->items, a->count * sizeof(a->items[0])) == 0;
}

static bool is_name(const struct target_conf *conf)
{
    struct ip ip;
    return ip_parse(conf->host, &ip) != 0;
}

static struct address_list *copy_list(const struct address_list *list)
{
    if (list == NULL)
        return NULL;
    size_t size = sizeof(*list) + list->count * sizeof(list->items[0]);
    struct address_list *copy = malloc(size);
    CHECK(copy != NULL);
    memcpy(copy, list, size);
    return copy;
}

static struct address_list *addresses_of(const struct target *t)
{
    return atomic_load_explicit(&t->addresses, memory_order_relaxed);
}

void upstreams_adopt(struct upstream *upstreams, size_t count, const struct upstream *before,
                     size_t before_count)
{
    unsigned pools = 0;
    for (size_t i = 0; i < count; i++) {
        for (unsigned k = 0; k < upstreams[i].count; k++)
            pools =
                upstreams[i].targets[k].pool >= pools ? upstreams[i].targets[k].pool + 1 : pools;
    }
    /* a target's pool has the same number over reloads: what is known of it is found by that */
    const struct target **known = calloc(pools + 1, sizeof(struct target *));
    CHECK(known != NULL);
    for (size_t i = 0; i < before_count; i++) {
        for (unsigned k = 0; k < before[i].count; k++) {
            if (before[i].targets[k].pool < pools)
                known[before[i].targets[k].pool] = &before[i].targets[k];
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (unsigned k = 0; k < upstreams[i].count; k++) {
            struct target *t = &upstreams[i].targets[k];
            const struct target *same = known[t->pool];
            struct address_list *list = NULL;
            if (!is_name(t->conf))
                list = look_up(t);
            else if (same != NULL)
                list = copy_list(addresses_of(same));
            atomic_store_explicit(&t->addresses, list, memory_order_relaxed);
        }
    }
    free(known);
}

unsigned upstreams_missing(const struct upstream *upstreams, size_t count)
{
    unsigned missing = 0;
    for (size_t i = 0; i < count; i++) {
        for (unsigned k = 0; k < upstreams[i].count; k++)
            missing += addresses_of(&upstreams[i].targets[k]) == NULL;
    }
    return missing;
}

/* The names to be looked up, and how far the threads are with them. */
struct lookups {
    const struct lookup *how;
    struct target **targets;
    size_t count;
    _Atomic size_t next; /* atomic, relaxed: each is taken by one thread */
};

static void look_up_again(struct target *t, const struct lookup *how)
{
    struct address_list *list = look_up(t);
    pthread_mutex_lock(how->mtx);
    struct address_list *old = addresses_of(t);
    if (list == NULL || same_list(old, list)) {
        free(list); /* a name that fails for now keeps the addresses it had */
        old = NULL;
    } else {
        /* release: pairs with the acquire in upstream_address() */
        atomic_store_explicit(&t->addresses, list, memory_order_release);
    }
    pthread_mutex_unlock(how->mtx);
    epoch_retire(how->epoch, old, free);
}

static bool must_stop(const struct lookup *how)
{
    return how->stop != NULL && atomic_load_explicit(how->stop, memory_order_relaxed);
}

static void *lookups_main(void *arg)
{
    struct lookups *all = arg;
    while (!must_stop(all->how)) {
        size_t i = atomic_fetch_add_explicit(&all->next, 1, memory_order_relaxed);
        if (i >= all->count)
            break;
        look_up_again(all->targets[i], all->how);
    }
    return NULL;
}

static void lookups_run(struct lookups *all)
{
    pthread_t helpers[LOOKUPS_AT_ONCE - 1];
    unsigned started = 0;
    while (started < ARRAY_LEN(helpers) && started + 1 < all->count &&
           pthread_create(&helpers[started], NULL, lookups_main, all) == 0)
        started++;
    lookups_main(all);
    while (started > 0)
        pthread_join(helpers[--started], NULL);
}

void upstreams_resolve(struct upstream *upstreams, size_t count, const struct lookup *how)
{
    struct lookups all = {.how = how};
    size_t cap = 0;
    for (size_t i = 0; i < count; i++)
        cap += upstreams[i].count;
    all.targets = calloc(cap + 1, sizeof(struct target *));
    CHECK(all.targets != NULL);
    for (size_t i = 0; i < count; i++) {
        for (unsigned k = 0; k < upstreams[i].count; k++) {
            struct target *t = &upstreams[i].targets[k];
            if (is_name(t->conf) && (!how->only_missing || addresses_of(t) == NULL))
                all.targets[all.count++] = t;
        }
    }
    if (all.count > 0)
        lookups_run(&all);
    free(all.targets);
}

void upstreams_finish(struct upstream *upstreams, size_t count)
{
    for (size_t i = 0; upstreams != NULL && i < count; i++) {
        for (unsigned k = 0; k < upstreams[i].count; k++)
            free(atomic_load_explicit(&upstreams[i].targets[k].addresses, memory_order_relaxed));
    }
}

static struct target_state *states_of(const struct upstream *upstream, unsigned lane)
{
    return upstream->states + (size_t)lane * upstream->count;
}

static bool is_tried(uint64_t tried, unsigned index)
{
    return index < 64 && (tried >> index & 1) != 0;
}

/*
 * Smooth weighted round robin: everybody gains its weight, the richest is chosen and pays the sum.
 * The choices of one target are spread evenly between those of the others.
 */
static struct target *choose(const struct upstream *upstream, unsigned lane, uint64_t tried,
                             bool down_too)
{
    struct target_state *states = states_of(upstream, lane);
    struct mono now = {.us = 0};
    int64_t total = 0;
    unsigned best = upstream->count;
    for (unsigned i = 0; i < upstream->count; i++) {
        const struct target *t = &upstream->targets[i];
        if (is_tried(tried, i) || atomic_load_explicit(&t->addresses, memory_order_relaxed) == NULL)
            continue;
        if (states[i].down_until.us > 0 && !down_too) {
            if (now.us == 0)
                now = clock_mono();
            if (states[i].down_until.us > now.us)
                continue;
        }
        states[i].weight_now += t->conf->weight;
        total += t->conf->weight;
        if (best == upstream->count || states[i].weight_now > states[best].weight_now)
            best = i;
    }
    if (best == upstream->count)
        return NULL;
    states[best].weight_now -= total;
    return &upstream->targets[best];
}

struct target *upstream_next(const struct upstream *upstream, unsigned lane, uint64_t tried)
{
    struct target *t = choose(upstream, lane, tried, false);
    return t != NULL ? t : choose(upstream, lane, tried, true);
}

void upstream_note(const struct upstream *upstream, struct target *target, unsigned lane,
                   bool connected)
{
    struct target_state *s = &states_of(upstream, lane)[target - upstream->targets];
    bool was_down = s->down_until.us > 0;
    if (connected && was_down) {
        s->down_until = (struct mono){.us = 0};
        atomic_fetch_sub_explicit(&target->failing_lanes, 1, memory_order_relaxed);
    } else if (!connected) {
        s->down_until = mono_after(clock_mono(), TARGET_DOWN_US);
        if (!was_down)
            atomic_fetch_add_explicit(&target->failing_lanes, 1, memory_order_relaxed);
    }
}

bool upstream_address(const struct upstream *upstream, struct target *target, unsigned lane,
                      struct sockaddr_storage *ret_address, socklen_t *ret_length)
{
    struct target_state *s = &states_of(upstream, lane)[target - upstream->targets];
    const struct address_list *list =
        atomic_load_explicit(&target->addresses, memory_order_acquire);
    if (list == NULL)
        return false;
    unsigned i = s->next_address++ % list->count;
    *ret_address = list->items[i].sa;
    *ret_length = list->items[i].length;
    return true;
}
