/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start and stop: one function a part, in the order of need. A part that fails stops those before
 * it.
 */
#include "appliance/instance.h"

#include "appliance/inside.h"
#include "base/log.h"
#include "portal/control.h"

#include <errno.h>
#include <sodium.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define FILES_BESIDE_CONNECTIONS 256
#define PORTAL_WORKERS 64    /* a browser keeps up to six connections */
#define PORTAL_PER_CLIENT 48 /* so that no one client takes them all; a proxy stands for many */
#define FLUSH_US (5 * US_PER_S)
#define PORTAL_DRAIN_US US_PER_S
#define QUOTA_WINDOW_MAX_US (32 * US_PER_DAY)

/* --- the parts, in the order of the start --- */

static int start_lock(struct instance *in, struct error *err)
{
    return dir_lock_take(&in->lock, in->data_dir, err);
}

/*
 * As many descriptors as the machine grants; each connection needs one, and one to its upstream,
 * and as many again are idle ones to upstreams (pool.h).
 */
static int start_limits(struct instance *in, struct error *err)
{
    struct rlimit limit;
    unsigned workers = in->config->gateway.workers;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return fiber_limits_check(workers, 3 * workers + FILES_BESIDE_CONNECTIONS, err);
}

static int start_pepper(struct instance *in, struct error *err)
{
    return pepper_load_beside(in->data_dir, CONTROL_FILE, &in->pepper, err);
}

static int start_carriers(struct instance *in, struct error *err)
{
    const char *mode = getenv("WEIR_FIBERS");
    struct carriers_options options = {.real_threads =
                                           mode != NULL && strcmp(mode, "threads") == 0};
    int r = carriers_start(&in->carriers, &options, err);
    if (r != 0)
        return r;
    unsigned count = carriers_count(in->carriers);
    in->meters = meters_create(count);
    /* two slots more: for commands that look at keys from the control thread, and for the resolver
     */
    in->epoch = epoch_create(count + 2);
    in->access = access_create(in->epoch, &in->pepper);
    return 0;
}

static int start_store(struct instance *in, struct error *err)
{
    char dir[DIR_MAX + 16];
    const struct analytics_config *a = &in->config->analytics;
    snprintf(dir, sizeof(dir), "%s/journal", in->data_dir);
    int r = journal_open(&in->journal, dir, carriers_count(in->carriers), a->journal_bytes, err);
    if (r != 0)
        return r;
    struct writer_options options = {
        .dir = in->store_dir,
        .journal = in->journal,
        .retention = a->retention,
        .max_series = a->max_series,
    };
    return writer_create(&in->writer, &options, err);
}

static int start_registry(struct instance *in, struct error *err)
{
    struct registry_options options = {
        .data_dir = in->data_dir, .access = in->access, .pepper = &in->pepper};
    int r = registry_open(&in->registry, &options, err);
    return r == 0 ? registry_load(in->registry, err) : r;
}

static int start_gateway(struct instance *in, struct error *err)
{
    struct gateway_options options = {
        .carriers = in->carriers,
        .journal = in->journal,
        .meters = in->meters,
        .access = in->access,
        .epoch = in->epoch,
        .resolver_slot = carriers_count(in->carriers) + 1,
        .problem_base = str_from(in->problem_base),
    };
    return gateway_create(&in->gateway, &options, err);
}

static int start_config(struct instance *in, struct error *err)
{
    int r = gateway_apply(in->gateway, &in->config->gateway, NULL, NULL, err);
    if (r == 0)
        in->config_loaded = clock_wall();
    return r;
}

struct restoring {
    struct access *access;
    struct wall latest; /* no window that begins later is open */
};

static void restore_quota(void *ctx, const struct quota_usage *usage)
{
    const struct restoring *restoring = ctx;
    enum calendar unit;
    if (usage->window.us > restoring->latest.us)
        return; /* of a clock that was wrong: the window we are in was counted apart from it */
    if (quota_unit_find(usage->limit, &unit) != 0)
        return; /* of a version that has other units */
    /* also where plan or app are gone: both may come back */
    int r = limiter_restore(access_limiter(restoring->access, usage->app), usage->limit, unit,
                            usage->window, usage->used);
    (void)r; /* a window that does not begin with its unit is nobody's */
}

/* Counting starts from what was counted: the journal has been replayed, nothing is served yet. */
static int start_writer(struct instance *in, struct error *err)
{
    struct wall now = clock_wall(), since = {.us = now.us - QUOTA_WINDOW_MAX_US};
    /* a clock set back by a little goes on in the window that was reached: see limiter.h */
    struct restoring restoring = {.access = in->access,
                                  .latest = {.us = now.us + LIMITER_BACK_MAX_US}};
    int r = writer_quotas(in->writer, since, restore_quota, &restoring, err);
    if (r == 0)
        r = writer_start(in->writer, err);
    in->writing = r == 0;
    return r;
}

static uint64_t committed(void *ctx)
{
    const struct instance *in = ctx;
    return writer_committed(in->writer);
}

static int start_sink(struct instance *in, const struct sink_type *type, struct error *err)
{
    struct sink_options options = {.dir = in->store_dir, .committed = committed, .ctx = in};
    void *state = NULL;
    int64_t wait_us = 0;
    int r = type->create(&in->config->analytics, &state, &wait_us, err);
    if (r != 0 || state == NULL)
        return r;
    r = sink_start(&in->sinks[in->sink_count], type, state, wait_us, &options, err);
    if (r == 0)
        in->sink_count++;
    return r;
}

/* Before the writer's thread, which begins with deleting what is too old: a sink that was away is
 * at it by then, and what is deleted first is counted. */
static int start_sinks(struct instance *in, struct error *err)
{
    int r = 0;
#define X(name)                                                                                    \
    if (r == 0)                                                                                    \
        r = start_sink(in, &sink_##name, err);
#include "analytics/sinks.def"
#undef X
    return r;
}

static int start_metrics(struct instance *in, struct error *err)
{
    int r = store_open(&in->writer_source.store, in->store_dir, STORE_READ, err);
    if (r != 0)
        return r;
    in->writer_source.writer = in->writer;
    in->metrics = metrics_create(METRICS_MAX_AGE_US);
    metrics_register(in->metrics, meters_collect, in->meters);
    metrics_register(in->metrics, writer_collect, &in->writer_source);
    metrics_register(in->metrics, instance_collect, in);
    return 0;
}

static int start_listener(struct http_server **ret_server, const char *name,
                          const struct str *listen, size_t count,
                          void (*handle)(struct http_conn *, void *), struct instance *in,
                          struct error *err)
{
    if (count == 0)
        return 0;
    struct http_options options = {
        .name = name,
        .listen = listen,
        .listen_count = count,
        .workers = PORTAL_WORKERS,
        .max_per_client = in->config->gateway.trusted_proxies.count > 0 ? 0 : PORTAL_PER_CLIENT,
        .limits = {.head = 32 * 1024, .target = 8 * 1024},
        .head_timeout_us = 10 * US_PER_S,
        .body_timeout_us = 10 * US_PER_S,
        .send_timeout_us = 30 * US_PER_S,
        .keep_alive_us = 5 * US_PER_S,
        .overloaded =
            STR("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
                "Connection: close\r\n\r\n"),
        .handle = handle,
        .arg = in->portal,
    };
    return http_server_start(ret_server, &options, err);
}

static int start_portal(struct instance *in, struct error *err)
{
    struct portal_sources sources;
    struct portal_conf conf;
    const struct config *c = in->config;
    instance_facts_init(in, &sources);
    instance_portal_conf(c, &conf);
    in->portal = portal_create(&sources, &conf);
    int r = start_listener(&in->admin_server, "admin", c->admin.listen, c->admin.listen_count,
                           portal_serve_admin, in, err);
    if (r == 0)
        r = start_listener(&in->portal_server, "portal", c->portal.listen, c->portal.listen_count,
                           portal_serve_developers, in, err);
    return r;
}

static int start_scrape(struct instance *in, struct error *err)
{
    return scrape_start(&in->scrape, &in->config->metrics, in->metrics, err);
}

static int start_control(struct instance *in, struct error *err)
{
    return control_start(&in->control, in->data_dir, instance_control, in, err);
}

static int start_edge(struct instance *in, struct error *err)
{
    return gateway_start(in->gateway, err);
}

static int (*const PARTS[])(struct instance *, struct error *) = {
    start_lock,    start_limits,  start_pepper, start_carriers, start_registry,
    start_store,   start_gateway, start_config, start_sinks,    start_writer,
    start_metrics, start_portal,  start_scrape, start_control,  start_edge,
};

/* --- the whole --- */

static void set_problem_base(struct instance *in)
{
    struct str url = in->config->portal.url, base = url.n > 0 ? url : STR("about:blank#");
    /* its length is bounded where the file is read */
    CHECK(str_copy(base, in->problem_base, sizeof(in->problem_base)));
}

int instance_start(struct instance **ret_instance, struct config *config, const char *config_path,
                   struct error *err)
{
    struct instance *in = calloc(1, sizeof(*in));
    CHECK(in != NULL);
    in->config = in->first_config = config;
    in->started = clock_mono();
    in->lock.fd = in->signal_fd = in->watch_fd = in->quit_fd = -1;
    in->config_path = config_path != NULL ? strdup(config_path) : NULL;
    pthread_mutex_init(&in->mtx, NULL);
    pthread_mutex_init(&in->reload_mtx, NULL);
    pthread_mutex_init(&in->uses_mtx, NULL);
    str_copy(config->data_dir, in->data_dir, sizeof(in->data_dir) - 16);
    snprintf(in->store_dir, sizeof(in->store_dir), "%.1000s/analytics", in->data_dir);
    set_problem_base(in);
    instance_config_seen(in);
    log_configure(config->log.level, config->log.format);
    for (size_t i = 0; i < ARRAY_LEN(PARTS); i++) {
        int r = PARTS[i](in, err);
        if (r != 0) {
            instance_stop(in);
            return r;
        }
    }
    in->quit_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* release: the inner listeners answer already, and may look at the parts from now on */
    atomic_store_explicit(&in->ready, true, memory_order_release);
    log_info("weir is ready", kv_view("gateway", instance_address(in, LISTENER_GATEWAY)),
             kv_view("portal", instance_address(in, LISTENER_PORTAL)),
             kv_view("admin", instance_address(in, LISTENER_ADMIN)),
             kv_u64("carriers", carriers_count(in->carriers)), kv_str("data_dir", in->data_dir));
    *ret_instance = in;
    return 0;
}

/* The control thread may be reloading still. */
static int64_t drain_patience(struct instance *in)
{
    pthread_mutex_lock(&in->reload_mtx);
    int64_t us = in->config->gateway.drain_timeout_us;
    pthread_mutex_unlock(&in->reload_mtx);
    return us;
}

void instance_stop(struct instance *instance)
{
    struct instance *in = instance;
    if (in == NULL)
        return;
    int64_t patience = drain_patience(in);
    if (in->gateway != NULL && gateway_server(in->gateway) != NULL) {
        log_info("draining", kv_u64("connections", http_server_open(gateway_server(in->gateway))));
        gateway_finish(in->gateway, patience);
    }
    control_stop(in->control);
    http_server_stop(in->portal_server, PORTAL_DRAIN_US);
    http_server_stop(in->admin_server, PORTAL_DRAIN_US);
    scrape_stop(in->scrape);
    portal_destroy(in->portal);
    metrics_destroy(in->metrics);
    gateway_destroy(in->gateway);
    if (in->writing) {
        int r = writer_flush(in->writer, FLUSH_US);
        (void)r; /* what is not stored stays in the journal */
    }
    for (unsigned i = 0; i < in->sink_count; i++)
        sink_stop(in->sinks[i]);
    store_close(in->uses);
    store_close(in->writer_source.store);
    writer_destroy(in->writer);
    journal_close(in->journal);
    registry_close(in->registry);
    access_destroy(in->access);
    epoch_destroy(in->epoch);
    carriers_stop(in->carriers);
    meters_destroy(in->meters);
    sodium_memzero(&in->pepper, sizeof(in->pepper));
    dir_lock_release(&in->lock);
    for (int *fd = (int[]){in->signal_fd, in->watch_fd, in->quit_fd, -2}; *fd != -2; fd++) {
        if (*fd >= 0)
            close(*fd);
    }
    pthread_mutex_destroy(&in->uses_mtx);
    pthread_mutex_destroy(&in->reload_mtx);
    pthread_mutex_destroy(&in->mtx);
    config_destroy(in->first_config);
    free(in->config_path);
    free(in);
}

struct str instance_address(const struct instance *instance, enum instance_listener listener)
{
    const struct http_server *server = NULL;
    switch (listener) {
    case LISTENER_GATEWAY:
        server = gateway_server(instance->gateway);
        break;
    case LISTENER_PORTAL:
        server = instance->portal_server;
        break;
    case LISTENER_ADMIN:
        server = instance->admin_server;
        break;
    }
    return server != NULL ? http_server_address(server, 0) : STR_EMPTY;
}
