/* SPDX-License-Identifier: Apache-2.0 */
/* What the portal tells of the gateway as it is configured, and of the use of keys. */
#include "analytics/store_totals.h"
#include "appliance/inside.h"
#include "base/log.h"

#include <stdio.h>

#define URL_MAX 128

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
