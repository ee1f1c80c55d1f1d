/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/config.h"

#define LINES_A_SECTION 12 /* so that the whole stays about a screen */
#define NAME_COLUMN 16

/* Begins a line of a section; false when the section has had its share. */
static bool begin_line(struct buf *out, struct str name, size_t index)
{
    if (index >= LINES_A_SECTION)
        return false;
    buf_printf(out, "  %-*.*s ", NAME_COLUMN, (int)name.n, name.p != NULL ? name.p : "");
    return true;
}

static void end_section(struct buf *out, size_t count)
{
    if (count > LINES_A_SECTION)
        buf_printf(out, "  and %zu more\n", count - LINES_A_SECTION);
}

static void add_texts(struct buf *out, const struct str *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%" STR_FMT, i > 0 ? ", " : "", STR_ARG(items[i]));
}

static void add_listener(struct buf *out, const char *name, const struct str *listen, size_t count)
{
    begin_line(out, str_from(name), 0);
    if (count == 0)
        buf_add_lit(out, "off");
    add_texts(out, listen, count);
    buf_add_char(out, '\n');
}

static void add_upstreams(struct buf *out, const struct gateway_config *gateway)
{
    buf_add_lit(out, "upstreams\n");
    for (size_t i = 0; i < gateway->upstream_count; i++) {
        const struct upstream_conf *upstream = &gateway->upstreams[i];
        if (!begin_line(out, upstream->name, i))
            break;
        for (size_t k = 0; k < upstream->target_count; k++) {
            const struct target_conf *target = &upstream->targets[k];
            buf_printf(out, "%s%" STR_FMT, k > 0 ? ", " : "", STR_ARG(target->url));
            if (target->weight != 1)
                buf_printf(out, " (weight %u)", target->weight);
        }
        buf_add_char(out, '\n');
    }
    end_section(out, gateway->upstream_count);
}

static void add_match(struct buf *out, const struct match_conf *match)
{
    const char *gap = "";
    for (unsigned m = METHOD_OTHER + 1; m < METHOD_COUNT; m++) {
        if ((match->methods >> m & 1) == 0)
            continue;
        buf_printf(out, "%s%" STR_FMT, gap, STR_ARG(http_method_name((enum http_method)m)));
        gap = ",";
    }
    if (match->methods != 0)
        buf_add_char(out, ' ');
    if (match->host_count > 0) {
        add_texts(out, match->hosts, match->host_count);
        buf_add_char(out, ' ');
    }
    if (match->path_count > 0)
        add_texts(out, match->paths, match->path_count);
    else
        buf_add_lit(out, "any path");
}

static void add_apis(struct buf *out, const struct gateway_config *gateway)
{
    buf_add_lit(out, "apis\n");
    for (size_t i = 0; i < gateway->api_count; i++) {
        const struct api_conf *api = &gateway->apis[i];
        if (!begin_line(out, api->name, i))
            break;
        add_match(out, &api->routes[0].match);
        buf_printf(out, " -> %" STR_FMT ", %s", STR_ARG(api->upstream->name),
                   api->auth.kind == AUTH_KEY ? "key" : "no key");
        for (size_t k = 1; k < api->route_count; k++)
            buf_printf(out, "%s%" STR_FMT, k == 1 ? ", routes " : " ",
                       STR_ARG(api->routes[k].name));
        buf_add_char(out, '\n');
    }
    end_section(out, gateway->api_count);
}

static void add_limit(struct buf *out, const struct limit_conf *limit)
{
    char per[CLOCK_TEXT_MAX];
    unsigned long long requests = limit->requests;
    if (limit->kind == LIMIT_QUOTA) {
        buf_printf(out, "; %llu a %" STR_FMT, requests, STR_ARG(limit->name));
        return;
    }
    duration_format(limit->per_us, per);
    buf_printf(out, "; %llu per %s, burst %llu", requests, per, (unsigned long long)limit->burst);
}

static void add_plans(struct buf *out, const struct gateway_config *gateway)
{
    buf_add_lit(out, "plans\n");
    for (size_t i = 0; i < gateway->plan_count; i++) {
        const struct plan_conf *plan = &gateway->plans[i];
        if (!begin_line(out, plan->name, i))
            break;
        for (size_t k = 0; k < plan->api_count; k++)
            buf_printf(out, "%s%" STR_FMT, k > 0 ? ", " : "", STR_ARG(plan->apis[k]->name));
        for (size_t k = 0; k < plan->limit_count; k++)
            add_limit(out, &plan->limits[k]);
        if (plan->limit_count == 0)
            buf_add_lit(out, "; no limits");
        buf_add_char(out, '\n');
    }
    end_section(out, gateway->plan_count);
}

static void add_apps(struct buf *out, const struct gateway_config *gateway)
{
    buf_add_lit(out, "apps\n");
    for (size_t i = 0; i < gateway->app_count; i++) {
        const struct app_conf *app = &gateway->apps[i];
        if (!begin_line(out, app->name, i))
            break;
        buf_printf(out, "plan %" STR_FMT ", %zu %s in the file%s\n", STR_ARG(app->plan->name),
                   app->key_count, app->key_count == 1 ? "key" : "keys",
                   app->suspended ? ", suspended" : "");
    }
    end_section(out, gateway->app_count);
}

void config_summary(const struct config *config, struct buf *out)
{
    const struct gateway_config *gateway = &config->gateway;
    buf_add_lit(out, "listeners\n");
    add_listener(out, "gateway", gateway->listen, gateway->listen_count);
    add_listener(out, "portal", config->portal.listen, config->portal.listen_count);
    add_listener(out, "admin", config->admin.listen, config->admin.listen_count);
    add_listener(out, "metrics", config->metrics.listen, config->metrics.listen_count);
    buf_add_lit(out, "data\n");
    begin_line(out, STR("directory"), 0);
    buf_printf(out, "%" STR_FMT "\n", STR_ARG(config->data_dir));
    if (config->analytics.loki.url.n > 0) {
        begin_line(out, STR("loki"), 0);
        buf_printf(out, "%" STR_FMT "\n", STR_ARG(config->analytics.loki.url));
    }
    add_upstreams(out, gateway);
    add_apis(out, gateway);
    add_plans(out, gateway);
    add_apps(out, gateway);
}

static bool same_texts(const struct str *a, size_t a_count, const struct str *b, size_t b_count)
{
    bool same = a_count == b_count;
    for (size_t i = 0; same && i < a_count; i++)
        same = str_eq(a[i], b[i]);
    return same;
}

static bool same_networks(const struct cidr_set *a, const struct cidr_set *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = a->items[i].prefix == b->items[i].prefix && ip_eq(a->items[i].ip, b->items[i].ip);
    return same;
}

static bool same_loki(const struct loki_config *a, const struct loki_config *b)
{
    bool same = str_eq(a->url, b->url) && str_eq(a->tenant, b->tenant) &&
                a->label_count == b->label_count && a->batch_bytes == b->batch_bytes &&
                a->batch_wait_us == b->batch_wait_us && a->timeout_us == b->timeout_us;
    for (size_t i = 0; same && i < a->label_count; i++)
        same = str_eq(a->labels[i].name, b->labels[i].name) &&
               str_eq(a->labels[i].value, b->labels[i].value);
    return same;
}

static bool same_retention(const struct retention *a, const struct retention *b)
{
    return a->requests_us == b->requests_us && a->minutes_us == b->minutes_us &&
           a->hours_us == b->hours_us && a->usage_us == b->usage_us;
}

unsigned config_needs_restart(const struct config *now, const struct config *next, struct buf *out)
{
#define SAME_LISTEN(section)                                                                       \
    same_texts(now->section.listen, now->section.listen_count, next->section.listen,               \
               next->section.listen_count)
#define SAME(field) (now->field == next->field)
    const struct {
        const char *name;
        bool same;
    } settings[] = {
        {"data_dir", str_eq(now->data_dir, next->data_dir)},
        {"gateway.listen", SAME_LISTEN(gateway)},
        {"gateway.workers", SAME(gateway.workers)},
        {"gateway.max_connections_per_client", SAME(gateway.max_connections_per_client)},
        {"gateway.max_head", SAME(gateway.max_head)},
        {"gateway.max_target", SAME(gateway.max_target)},
        {"gateway.head_timeout", SAME(gateway.head_timeout_us)},
        {"gateway.body_timeout", SAME(gateway.body_timeout_us)},
        {"gateway.send_timeout", SAME(gateway.send_timeout_us)},
        {"gateway.keep_alive", SAME(gateway.keep_alive_us)},
        {"portal.listen", SAME_LISTEN(portal)},
        {"portal.url", str_eq(now->portal.url, next->portal.url)},
        {"admin.listen", SAME_LISTEN(admin)},
        {"metrics.listen", SAME_LISTEN(metrics)},
        {"metrics.allow", same_networks(&now->metrics.allow, &next->metrics.allow)},
        {"metrics.token", str_eq(now->metrics.token, next->metrics.token)},
        {"analytics.retention",
         same_retention(&now->analytics.retention, &next->analytics.retention)},
        {"analytics.max_series", SAME(analytics.max_series)},
        {"analytics.journal_size", SAME(analytics.journal_bytes)},
        {"analytics.loki", same_loki(&now->analytics.loki, &next->analytics.loki)},
    };
#undef SAME_LISTEN
#undef SAME
    unsigned count = 0;
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        if (settings[i].same)
            continue;
        buf_printf(out, "%s%s", count > 0 ? ", " : "", settings[i].name);
        count++;
    }
    return count;
}
