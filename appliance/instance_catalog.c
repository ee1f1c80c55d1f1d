/* SPDX-License-Identifier: Apache-2.0 */
/* What the portal tells of the gateway as it is configured, of its upstreams and of the use of
 * keys. */
#include "analytics/store_totals.h"
#include "appliance/inside.h"
#include "base/log.h"

#include <stdio.h>

#define URL_MAX 128
#define NAMES_MAX 4096

/* --- the configuration in force --- */

/* What the file says; where that is a port of the system's choice, what it chose. */
static struct str gateway_url(const struct instance *in, const struct gateway_config *config,
                              char room[static URL_MAX])
{
    const struct http_server *server = gateway_server(in->gateway);
    if (config->url.n > 0 || server == NULL)
        return config->url;
    struct str address = http_server_address(server, 0);
    snprintf(room, URL_MAX, "http://%" STR_FMT, STR_ARG(address));
    return str_from(room);
}

bool instance_show_gateway(void *instance, portal_gateway_visit *visit, void *visit_ctx)
{
    struct instance *in = instance;
    char room[URL_MAX];
    if (!atomic_load_explicit(&in->ready, memory_order_acquire))
        return false;
    const struct snapshot *snapshot = gateway_pin(in->gateway);
    const struct gateway_config *config = snapshot_config(snapshot);
    struct portal_gateway gateway = {.config = config, .url = gateway_url(in, config, room)};
    visit(visit_ctx, &gateway);
    gateway_unpin(in->gateway, snapshot);
    return true;
}

void instance_visit_targets(void *instance, portal_target_visit *visit, void *visit_ctx)
{
    struct instance *in = instance;
    if (atomic_load_explicit(&in->ready, memory_order_acquire))
        gateway_visit_targets(in->gateway, visit, visit_ctx);
}

struct showing {
    portal_setting_visit *visit;
    void *ctx;
    struct str waiting; /* "data_dir, analytics.retention": what a reload could not change */
};

/* Whether it is one of them, or lies in one. */
static bool waits(struct str waiting, struct str path)
{
    while (waiting.n > 0) {
        struct str name = str_trim(str_cut(&waiting, ','));
        if (str_starts(path, name) && (path.n == name.n || path.p[name.n] == '.'))
            return true;
    }
    return false;
}

static void show_setting(void *ctx, const struct conf_shown *shown)
{
    const struct showing *showing = ctx;
    const struct conf_field *field = shown->field;
    struct portal_setting setting = {
        .path = shown->path,
        .value = shown->value,
        .fallback = str_from(field->fallback != NULL ? field->fallback : ""),
        .doc = str_from(field->doc),
        .secret = shown->hidden,
        .waits = waits(showing->waiting, shown->path),
        .line = shown->line,
    };
    showing->visit(showing->ctx, &setting);
}

/* What is in force stays so while the mutex is held. */
void instance_visit_settings(void *instance, portal_setting_visit *visit, void *visit_ctx)
{
    struct instance *in = instance;
    struct showing showing = {.visit = visit, .ctx = visit_ctx};
    struct buf names;
    buf_init(&names, NAMES_MAX);
    CHECK(pthread_mutex_lock(&in->reload_mtx) == 0);
    if (config_needs_restart(in->first_config, in->config, &names) > 0)
        showing.waiting = buf_str(&names);
    config_show(in->config, show_setting, &showing);
    CHECK(pthread_mutex_unlock(&in->reload_mtx) == 0);
    buf_free(&names);
}

/* --- the use of keys --- */

static void take_use(void *ctx, const struct key_use *use)
{
    struct portal_key_use *to = ctx;
    to->time = use->time;
    str_copy(use->ip, to->address, sizeof(to->address));
}

/* Under uses_mtx. The store is opened when it is first asked. */
static int find_use(struct instance *in, struct str key, struct portal_key_use *ret_use,
                    struct error *err)
{
    int r = in->uses != NULL ? 0 : store_open(&in->uses, in->store_dir, STORE_READ, err);
    return r == 0 ? store_key_use_find(store_totals(in->uses), key, take_use, ret_use, err) : r;
}

int instance_key_use(void *instance, struct str key, struct portal_key_use *ret_use)
{
    struct instance *in = instance;
    struct error err = ERROR_INIT;
    CHECK(pthread_mutex_lock(&in->uses_mtx) == 0);
    int r = find_use(in, key, ret_use, &err);
    CHECK(pthread_mutex_unlock(&in->uses_mtx) == 0);
    if (r != 0 && r != E_NOT_FOUND)
        log_warn("the last use of a key could not be read", kv_str("why", err.text));
    return r == 0 ? 0 : E_NOT_FOUND;
}
