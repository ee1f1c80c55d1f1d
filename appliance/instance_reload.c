/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/inside.h"
#include "base/log.h"

#include <stdlib.h>
#include <sys/stat.h>

static void release_config(void *owner)
{
    config_destroy(owner);
}

/* Notes why the file was not taken; the old configuration goes on. */
static int failed(struct instance *in, int code, const char *text, struct error *err)
{
    pthread_mutex_lock(&in->mtx);
    str_copy(str_from(text), in->fault, sizeof(in->fault));
    in->reloads_failed++;
    pthread_mutex_unlock(&in->mtx);
    log_error("configuration not loaded, the old one goes on", kv_str("fault", text));
    return error_set(err, code, "%s", text);
}

/* Also what an earlier reload has said, as long as it waits. */
static void say_restart(const struct config *started, const struct config *next)
{
    struct buf names;
    buf_init(&names, 4096);
    if (config_needs_restart(started, next, &names) > 0)
        log_warn("some changes wait for a restart", kv_view("settings", buf_str(&names)));
    buf_free(&names);
}

bool instance_config_replaced(struct instance *instance)
{
    struct stat there;
    if (instance->config_path == NULL || stat(instance->config_path, &there) != 0)
        return false; /* it may be on its way */
    pthread_mutex_lock(&instance->mtx);
    bool same = there.st_dev == instance->config_dev && there.st_ino == instance->config_ino;
    pthread_mutex_unlock(&instance->mtx);
    return !same;
}

void instance_config_seen(struct instance *instance)
{
    struct stat there;
    if (instance->config_path == NULL || stat(instance->config_path, &there) != 0)
        return;
    pthread_mutex_lock(&instance->mtx);
    instance->config_dev = there.st_dev;
    instance->config_ino = there.st_ino;
    pthread_mutex_unlock(&instance->mtx);
}

/* Under reload_mtx: of two at once, one would note as in force what the other has taken out. */
static int reload(struct instance *in, struct error *err)
{
    struct error why = ERROR_INIT;
    struct portal_conf portal;
    struct config *next;
    struct config_errors *errors = malloc(sizeof(*errors));
    CHECK(errors != NULL);
    /* before it is read: one that comes meanwhile is another */
    instance_config_seen(in);
    int r = config_load(in->config_path, &next, errors);
    if (r != 0) {
        r = failed(in, r, errors->items[0].text, err);
        free(errors);
        return r;
    }
    free(errors);
    say_restart(in->first_config, next);
    instance_portal_conf(next, &portal);
    enum log_level level = next->log.level;
    enum log_format format = next->log.format;
    size_t apis = next->gateway.api_count;
    r = gateway_apply(in->gateway, &next->gateway, release_config, next, &why);
    if (r != 0) {
        config_destroy(next);
        return failed(in, r, why.text, err);
    }
    portal_configure(in->portal, &portal);
    log_configure(level, format);
    in->config = next;
    pthread_mutex_lock(&in->mtx);
    in->config_loaded = clock_wall();
    in->fault[0] = '\0';
    in->reloads_done++;
    pthread_mutex_unlock(&in->mtx);
    log_info("configuration loaded", kv_str("file", in->config_path), kv_u64("apis", apis));
    return 0;
}

int instance_reload(struct instance *instance, struct error *err)
{
    if (instance->config_path == NULL)
        return error_set(err, E_UNAVAILABLE, "this instance was started without a file");
    pthread_mutex_lock(&instance->reload_mtx);
    int r = reload(instance, err);
    pthread_mutex_unlock(&instance->reload_mtx);
    return r;
}
