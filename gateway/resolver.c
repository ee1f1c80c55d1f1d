/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/resolver.h"

#include "base/cond.h"
#include "gateway/inside.h"

#define TICK_US US_PER_S
#define RESOLVE_US (30 * US_PER_S)
#define RESOLVE_MISSING_US (2 * US_PER_S)

void resolver_init(struct resolver *resolver)
{
    pthread_mutex_init(&resolver->mtx, NULL);
    cond_init(&resolver->wake);
    cond_init(&resolver->passed);
}

static void look_up(struct gateway *g, bool only_missing)
{
    struct epoch *epoch = g->options.epoch;
    unsigned token = epoch_enter(epoch, g->options.resolver_slot);
    struct snapshot *s = atomic_load_explicit(&g->snapshot, memory_order_acquire);
    if (s != NULL)
        upstreams_resolve(s->upstreams, s->config->upstream_count,
                          &(struct lookup){.epoch = epoch,
                                           .mtx = &g->addresses_mtx,
                                           .only_missing = only_missing,
                                           .stop = &g->resolver.stop});
    epoch_leave(epoch, g->options.resolver_slot, token);
}

/* Rests for a tick, or until a pass is asked for: its number, 0 for none. False to end. */
static bool rest(struct resolver *r, uint64_t *ret_pass)
{
    struct mono until = mono_after(clock_mono(), TICK_US);
    pthread_mutex_lock(&r->mtx);
    if (!r->stop && r->wanted == r->done)
        cond_wait_until(&r->wake, &r->mtx, until);
    *ret_pass = r->wanted > r->done ? r->wanted : 0;
    bool go_on = !r->stop;
    pthread_mutex_unlock(&r->mtx);
    return go_on;
}

static void tell(struct resolver *r, uint64_t pass)
{
    pthread_mutex_lock(&r->mtx);
    r->done = pass;
    pthread_cond_broadcast(&r->passed);
    pthread_mutex_unlock(&r->mtx);
}

static void *resolver_main(void *arg)
{
    struct gateway *g = arg;
    struct mono next_all = mono_after(clock_mono(), RESOLVE_US);
    struct mono next_missing = mono_after(clock_mono(), RESOLVE_MISSING_US);
    uint64_t pass;
    pthread_setname_np(pthread_self(), "resolver");
    while (rest(&g->resolver, &pass)) {
        struct mono now = clock_mono();
        epoch_collect(g->options.epoch);
        if (pass == 0 && now.us < next_missing.us)
            continue;
        bool all = now.us >= next_all.us;
        look_up(g, !all);
        now = clock_mono();
        next_missing = mono_after(now, RESOLVE_MISSING_US);
        if (all)
            next_all = mono_after(now, RESOLVE_US);
        if (pass > 0)
            tell(&g->resolver, pass);
    }
    return NULL;
}

int resolver_start(struct gateway *gateway, struct error *err)
{
    struct resolver *r = &gateway->resolver;
    int e = pthread_create(&r->thread, NULL, resolver_main, gateway);
    if (e != 0)
        return error_set_errno(err, E_NOMEM, e, "cannot start the resolver thread");
    r->started = true;
    return 0;
}

void resolver_ask(struct gateway *gateway, int64_t patience_us)
{
    struct resolver *r = &gateway->resolver;
    struct mono until = mono_after(clock_mono(), patience_us);
    pthread_mutex_lock(&r->mtx);
    uint64_t mine = ++r->wanted;
    pthread_cond_signal(&r->wake);
    while (r->done < mine && cond_wait_until(&r->passed, &r->mtx, until))
        ;
    pthread_mutex_unlock(&r->mtx);
}

void resolver_finish(struct resolver *resolver)
{
    if (resolver->started) {
        pthread_mutex_lock(&resolver->mtx);
        resolver->stop = true;
        pthread_cond_signal(&resolver->wake);
        pthread_mutex_unlock(&resolver->mtx);
        pthread_join(resolver->thread, NULL);
    }
    pthread_cond_destroy(&resolver->passed);
    pthread_cond_destroy(&resolver->wake);
    pthread_mutex_destroy(&resolver->mtx);
}
