/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gateway.h"

#include "base/log.h"
#include "gateway/answer.h"
#include "gateway/inside.h"

#include <stdlib.h>

#define JANITOR_US (5 * US_PER_S)
#define RESOLVE_PATIENCE_US (2 * US_PER_S) /* names of a new configuration, before it goes on */
#define OVERLOADED_TEXT_MAX 2048

/* Closes idle upstream connections that are too old; on its lane's carrier until it is canceled. */
static void *janitor_main(void *arg)
{
    struct lane *lane = arg;
    while (fiber_sleep(mono_after(clock_mono(), JANITOR_US)) == 0)
        pools_sweep(&lane->pools);
    pools_close(&lane->pools);
    return NULL;
}

static int lanes_start(struct gateway *g, struct error *err)
{
    for (unsigned i = 0; i < g->lane_count; i++) {
        struct lane *lane = &g->lanes[i];
        lane->index = i;
        lane->gateway = g;
        lane->ring = journal_ring(g->options.journal, i);
        lane->meter = meters_get(g->options.meters, i);
        lane->pools.meter = lane->meter;
        lane->scratch = router_scratch_create();
        lane->janitor = fiber_start(g->options.carriers, i, janitor_main, lane);
        if (lane->janitor == NULL)
            return error_set(err, E_NOMEM, "no memory for a fiber");
    }
    return 0;
}

int gateway_create(struct gateway **ret_gateway, const struct gateway_options *options,
                   struct error *err)
{
    struct gateway *g = calloc(1, sizeof(*g));
    CHECK(g != NULL && options->problem_base.n <= GATEWAY_PROBLEM_BASE_MAX);
    g->options = *options;
    g->lane_count = carriers_count(options->carriers);
    g->lanes = calloc(g->lane_count, sizeof(*g->lanes));
    CHECK(g->lanes != NULL);
    intern_init(&g->pools);
    pthread_mutex_init(&g->apply_mtx, NULL);
    pthread_mutex_init(&g->addresses_mtx, NULL);
    resolver_init(&g->resolver);
    int r = lanes_start(g, err);
    if (r == 0)
        r = resolver_start(g, err);
    if (r != 0) {
        gateway_destroy(g);
        return r;
    }
    *ret_gateway = g;
    return 0;
}

/* A snapshot that no request uses any more. */
static void free_snapshot(void *p)
{
    struct snapshot *s = p;
    void (*release)(void *) = s->release;
    void *owner = s->owner;
    snapshot_destroy(s);
    if (release != NULL)
        release(owner);
}

int gateway_apply(struct gateway *gateway, struct gateway_config *config,
                  void (*release)(void *owner), void *owner, struct error *err)
{
    struct snapshot *s;
    pthread_mutex_lock(&gateway->apply_mtx);
    int r = snapshot_create(&s, gateway, config, err);
    if (r == 0) {
        r = access_apply_config(gateway->options.access, config, clock_mono(), err);
        if (r != 0)
            snapshot_destroy(s);
    }
    if (r == 0) {
        s->release = release;
        s->owner = owner;
        /* release: pairs with the acquire of edge_handle() */
        struct snapshot *old =
            atomic_exchange_explicit(&gateway->snapshot, s, memory_order_acq_rel);
        if (old != NULL)
            epoch_retire(gateway->options.epoch, old, free_snapshot);
    }
    bool missing = r == 0 && upstreams_missing(s->upstreams, config->upstream_count) > 0;
    pthread_mutex_unlock(&gateway->apply_mtx);
    if (missing)
        resolver_ask(gateway, RESOLVE_PATIENCE_US);
    return r;
}

int gateway_start(struct gateway *gateway, struct error *err)
{
    const struct gateway_config *c =
        atomic_load_explicit(&gateway->snapshot, memory_order_relaxed)->config;
    struct buf text;
    buf_init(&text, OVERLOADED_TEXT_MAX);
    answer_overloaded(&text, gateway->options.problem_base);
    CHECK(buf_finish(&text) == 0);
    gateway->overloaded_text = text.p;
    gateway->max_head = c->max_head;
    for (unsigned i = 0; i < gateway->lane_count; i++)
        gateway->lanes[i].pools.max_idle =
            (c->workers + gateway->lane_count - 1) / gateway->lane_count;
    struct http_options o = {
        .name = "gateway",
        .listen = c->listen,
        .listen_count = c->listen_count,
        .carriers = gateway->options.carriers,
        .workers = c->workers,
        .max_per_client = c->max_connections_per_client,
        .limits = {.head = c->max_head, .target = c->max_target},
        .head_timeout_us = c->head_timeout_us,
        .body_timeout_us = c->body_timeout_us,
        .send_timeout_us = c->send_timeout_us,
        .keep_alive_us = c->keep_alive_us,
        .overloaded = buf_str(&text),
        .handle = edge_handle,
        .arg = gateway,
    };
    struct http_server *server;
    int r = http_server_start(&server, &o, err);
    if (r == 0)
        atomic_store_explicit(&gateway->server, server, memory_order_release);
    return r;
}

struct http_server *gateway_server(const struct gateway *gateway)
{
    return atomic_load_explicit(&gateway->server, memory_order_acquire);
}

void gateway_finish(struct gateway *gateway, int64_t patience_us)
{
    struct http_server *server = gateway_server(gateway);
    if (server != NULL)
        http_server_finish(server, patience_us);
}

static void lane_finish(struct lane *lane)
{
    if (lane->janitor != NULL) {
        fiber_cancel(lane->janitor);
        fiber_join(lane->janitor);
    }
    pools_free(&lane->pools);
    router_scratch_destroy(lane->scratch);
    while (lane->spare != NULL) {
        struct req *next = lane->spare->next;
        free(lane->spare);
        lane->spare = next;
    }
}

void gateway_destroy(struct gateway *gateway)
{
    if (gateway == NULL)
        return;
    http_server_stop(gateway_server(gateway), 0);
    resolver_finish(&gateway->resolver);
    for (unsigned i = 0; i < gateway->lane_count; i++)
        lane_finish(&gateway->lanes[i]);
    struct snapshot *s = atomic_load_explicit(&gateway->snapshot, memory_order_relaxed);
    if (s != NULL)
        free_snapshot(s);
    epoch_collect(gateway->options.epoch);
    intern_finish(&gateway->pools);
    pthread_mutex_destroy(&gateway->apply_mtx);
    pthread_mutex_destroy(&gateway->addresses_mtx);
    free(gateway->overloaded_text);
    free(gateway->lanes);
    free(gateway);
}

/* A pin holds apply_mtx: commands that look at the router are short and rare. */
const struct snapshot *gateway_pin(struct gateway *gateway)
{
    pthread_mutex_lock(&gateway->apply_mtx);
    return atomic_load_explicit(&gateway->snapshot, memory_order_relaxed);
}

void gateway_unpin(struct gateway *gateway, const struct snapshot *snapshot)
{
    (void)snapshot;
    pthread_mutex_unlock(&gateway->apply_mtx);
}

void gateway_visit_targets(struct gateway *gateway,
                           void (*visit)(void *ctx, struct str upstream, struct str target,
                                         bool healthy),
                           void *ctx)
{
    const struct snapshot *s = gateway_pin(gateway);
    for (size_t i = 0; s != NULL && i < s->config->upstream_count; i++) {
        for (unsigned k = 0; k < s->upstreams[i].count; k++) {
            const struct target *t = &s->upstreams[i].targets[k];
            bool known = atomic_load_explicit(&t->addresses, memory_order_relaxed) != NULL;
            unsigned failing = atomic_load_explicit(&t->failing_lanes, memory_order_relaxed);
            visit(ctx, s->config->upstreams[i].name, t->name, known && failing == 0);
        }
    }
    gateway_unpin(gateway, s);
}
