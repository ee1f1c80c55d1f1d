/* SPDX-License-Identifier: Apache-2.0 */
/* How the whole stands: for the status page, for /readyz, for /metrics. */
#include "appliance/inside.h"

#include <sys/stat.h>

extern const struct embedded_file web_files[];

#define CHECKS_MAX 8

struct look {
    struct arena *arena;
    struct portal_facts *facts;
    struct portal_check checks[CHECKS_MAX];
    unsigned check_count;
    unsigned targets, unhealthy;
};

static void add_check(struct look *l, const char *name, bool vital, bool ok, const char *detail)
{
    CHECK(l->check_count < CHECKS_MAX);
    l->checks[l->check_count++] = (struct portal_check){
        .name = str_from(name), .ok = ok, .vital = vital, .detail = str_from(detail)};
}

static void count_target(void *ctx, struct str upstream, struct str target, bool healthy)
{
    struct look *l = ctx;
    (void)upstream;
    (void)target;
    l->targets++;
    l->unhealthy += !healthy;
}

static void look_at_checks(struct instance *in, struct look *l)
{
    struct writer_stats w;
    writer_stats(in->writer, &w);
    bool draining = http_server_draining(gateway_server(in->gateway));
    add_check(l, "gateway", true, !draining,
              draining ? "stopping: no new connections are taken" : "");
    add_check(l, "store", true, !w.totals_failing,
              w.totals_failing ? "calls cannot be counted now; they wait in the journal" : "");
    add_check(l, "rows", false, !w.rows_failing,
              w.rows_failing ? "requests are counted, but their rows cannot be stored" : "");
    bool stands = dir_lock_stands(&in->lock, in->data_dir);
    add_check(l, "data_dir", true, stands,
              stands ? "" : "it was removed or replaced while weir runs; put it back and restart");
    gateway_visit_targets(in->gateway, count_target, l);
    struct str detail = STR_EMPTY;
    if (l->unhealthy > 0)
        detail =
            arena_printf(l->arena, "%u of %u targets cannot be reached", l->unhealthy, l->targets);
    add_check(l, "upstreams", false, l->unhealthy == 0, detail.p != NULL ? detail.p : "");
}

static void look_at_listeners(struct instance *in, struct look *l)
{
    struct portal_listener *all = arena_array(l->arena, 3, sizeof(*all));
    const struct {
        const char *name;
        struct http_server *server;
    } rows[] = {{"gateway", gateway_server(in->gateway)},
                {"portal", in->portal_server},
                {"admin", in->admin_server}};
    for (unsigned i = 0; all != NULL && i < ARRAY_LEN(rows); i++) {
        if (rows[i].server == NULL)
            continue;
        all[l->facts->listener_count++] =
            (struct portal_listener){.name = str_from(rows[i].name),
                                     .address = http_server_address(rows[i].server, 0),
                                     .connections = http_server_open(rows[i].server)};
    }
    l->facts->listeners = all;
}

static void look_at_config(struct instance *in, struct look *l)
{
    struct portal_facts *f = l->facts;
    const struct snapshot *s = gateway_pin(in->gateway);
    const struct gateway_config *c = snapshot_config(s);
    struct str *apis = arena_array(l->arena, c->api_count, sizeof(*apis));
    for (size_t i = 0; apis != NULL && i < c->api_count; i++)
        apis[i] = arena_dup(l->arena, c->apis[i].name);
    f->apis = apis;
    f->api_count = apis != NULL ? c->api_count : 0;
    f->route_count = router_route_count(snapshot_router(s));
    gateway_unpin(in->gateway, s);
    pthread_mutex_lock(&in->mtx);
    f->config_loaded = in->config_loaded;
    f->config_fault = arena_dup(l->arena, str_from(in->fault));
    pthread_mutex_unlock(&in->mtx);
    f->config_file = str_from(in->config_path);
}

static void look_at_store(struct instance *in, struct look *l)
{
    struct portal_store *stores = arena_array(l->arena, 3, sizeof(*stores));
    struct store_sizes sizes = store_measure(in->writer_source.store);
    struct stat st;
    char path[DIR_MAX + 16];
    snprintf(path, sizeof(path), "%s/weir.db", in->data_dir);
    if (stores == NULL)
        return;
    stores[0] = (struct portal_store){.name = STR("requests"), .bytes = sizes.requests};
    stores[1] = (struct portal_store){.name = STR("totals"), .bytes = sizes.totals};
    stores[2] = (struct portal_store){.name = STR("control"),
                                      .bytes = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0};
    l->facts->stores = stores;
    l->facts->store_count = 3;
}

/* While the parts are still being started, by the main thread, that is all that may be told. */
static bool is_ready(const struct instance *in)
{
    return atomic_load_explicit(&in->ready, memory_order_acquire);
}

static int look(void *ctx, struct arena *arena, struct portal_facts *ret_facts)
{
    static const struct portal_check starting = {
        .name = STR_INIT("gateway"), .vital = true, .detail = STR_INIT("starting")};
    struct instance *in = ctx;
    struct writer_stats w;
    *ret_facts = (struct portal_facts){.checks = &starting, .check_count = 1};
    if (!is_ready(in))
        return 0;
    struct look l = {.arena = arena, .facts = ret_facts};
    writer_stats(in->writer, &w);
    ret_facts->journal_backlog = w.backlog;
    look_at_checks(in, &l);
    look_at_listeners(in, &l);
    look_at_config(in, &l);
    look_at_store(in, &l);
    struct portal_check *checks = arena_array(arena, l.check_count, sizeof(*checks));
    if (checks != NULL) {
        memcpy(checks, l.checks, l.check_count * sizeof(*checks));
        ret_facts->checks = checks;
        ret_facts->check_count = l.check_count;
    }
    return arena->overflow ? E_NOMEM : 0;
}

static void visit_cells(void *ctx, metric_cell_visit *visit, void *visit_ctx)
{
    const struct instance *in = ctx;
    metric_cells_visit(in->writer, visit, visit_ctx);
}

static int metrics_text(void *ctx, bool openmetrics, struct buf *out)
{
    const struct instance *in = ctx;
    struct metrics_text *text;
    int r = metrics_get(in->metrics, openmetrics ? METRICS_OPENMETRICS : METRICS_PROMETHEUS, &text);
    if (r != 0)
        return r;
    buf_add_str(out, text->text);
    metrics_text_unref(text);
    return buf_finish(out);
}

void instance_facts_init(struct instance *instance, struct portal_sources *ret_sources)
{
    *ret_sources = (struct portal_sources){
        .version = WEIR_VERSION,
        .started = instance->started,
        .web_files = web_files,
        .registry = instance->registry,
        .store_dir = instance->store_dir,
        .ctx = instance,
        .look = look,
        .visit_cells = visit_cells,
        .metrics = metrics_text,
        .show_gateway = instance_show_gateway,
        .key_use = instance_key_use,
        .visit_targets = instance_visit_targets,
        .visit_settings = instance_visit_settings,
    };
}

void instance_portal_conf(const struct config *config, struct portal_conf *ret_conf)
{
    *ret_conf = (struct portal_conf){
        .title = config->portal.title,
        .tagline = config->portal.tagline,
        .logo = config->portal.logo,
        .theme = config->portal.theme,
        .registration = (enum portal_registration)config->portal.registration,
        .verify_email = config->portal.verify_email,
        .mail = config->mail.there,
        .mailing = {.console = config->mail.mode == MAIL_CONSOLE,
                    .url = config->mail.url,
                    .from = config->mail.from,
                    .username = config->mail.username,
                    .password = config->mail.password,
                    .must_encrypt = config->mail.must_encrypt,
                    .timeout_us = config->mail.timeout_us},
        .gateway_url = config->gateway.url,
        .portal_url = config->portal.url,
        .admin_url = config->admin.url,
        .admin_allow = config->admin.allow,
    };
}

/* --- /metrics --- */

static void collect_server(struct metrics_out *out, const char *name,
                           const struct http_server *server)
{
    if (server == NULL)
        return;
    struct http_server_stats s = http_server_stats(server);
    struct str listener = str_from(name);
    metrics_u64(out, METRIC_CONNECTIONS, METRIC_LABELS(listener, STR("active")), s.active);
    metrics_u64(out, METRIC_CONNECTIONS, METRIC_LABELS(listener, STR("idle")), s.idle);
    metrics_u64(out, METRIC_CONNECTIONS_TOTAL, METRIC_LABELS(listener), s.accepted);
    metrics_u64(out, METRIC_CONNECTIONS_REFUSED, METRIC_LABELS(listener), s.refused);
}

static void collect_target(void *ctx, struct str upstream, struct str target, bool healthy)
{
    metrics_u64(ctx, METRIC_TARGET_HEALTHY, METRIC_LABELS(upstream, target), healthy);
}

static void collect_app(void *ctx, const struct access_app *app)
{
    struct limiter_answer now;
    limiter_look(app->limiter, clock_mono(), clock_wall(), &now);
    for (unsigned i = 0; i < now.count; i++) {
        const struct limit_now *l = &now.limits[i];
        if (l->rule->kind != LIMIT_QUOTA || l->rule->quota == 0)
            continue;
        double used = 1.0 - (double)l->remaining / (double)l->rule->quota;
        metrics_double(ctx, METRIC_QUOTA_USED,
                       METRIC_LABELS(app->name, app->plan, limit_rule_name(l->rule)), used);
    }
}

void instance_collect(struct metrics_out *out, void *instance)
{
    struct instance *in = instance;
    if (!is_ready(in))
        return;
    collect_server(out, "gateway", gateway_server(in->gateway));
    collect_server(out, "portal", in->portal_server);
    collect_server(out, "admin", in->admin_server);
    collect_server(out, "metrics", scrape_server(in->scrape));
    gateway_visit_targets(in->gateway, collect_target, out);
    access_each_app(in->access, collect_app, out);
    for (unsigned i = 0; i < in->sink_count; i++)
        sink_collect(out, in->sinks[i]);
    struct carriers_stats c = carriers_stats(in->carriers);
    metrics_u64(out, METRIC_CARRIERS, METRIC_NO_LABELS, carriers_count(in->carriers));
    metrics_u64(out, METRIC_FIBERS, METRIC_NO_LABELS, c.fibers);
    metrics_u64(out, METRIC_FIBER_TURNS, METRIC_NO_LABELS, c.switches);
    metrics_us(out, METRIC_LONGEST_TURN, METRIC_NO_LABELS, c.longest_turn_us);
    pthread_mutex_lock(&in->mtx);
    metrics_u64(out, METRIC_CONFIG_RELOADS, METRIC_LABELS(STR("success")), in->reloads_done);
    metrics_u64(out, METRIC_CONFIG_RELOADS, METRIC_LABELS(STR("failure")), in->reloads_failed);
    metrics_u64(out, METRIC_CONFIG_GOOD, METRIC_NO_LABELS, in->fault[0] == '\0');
    metrics_u64(out, METRIC_CONFIG_LAST_RELOAD, METRIC_NO_LABELS,
                (uint64_t)(in->config_loaded.us / US_PER_S));
    pthread_mutex_unlock(&in->mtx);
}
