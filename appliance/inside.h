/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h -- the struct instance itself, for the files that make it up.
 *
 * Threads: started and stopped by the main thread; the rest is said at each field.
 * Memory:  see instance.h.
 * Errors:  none.
 */
#ifndef APPLIANCE_INSIDE_H
#define APPLIANCE_INSIDE_H

#include "analytics/journal.h"
#include "analytics/meter.h"
#include "analytics/metrics.h"
#include "analytics/metrics_sources.h"
#include "analytics/sink.h"
#include "analytics/store.h"
#include "analytics/writer.h"
#include "appliance/control.h"
#include "appliance/control_keys.h"
#include "appliance/instance.h"
#include "appliance/lock.h"
#include "appliance/scrape.h"
#include "base/epoch.h"
#include "base/fiber/fiber.h"
#include "base/secret.h"
#include "gateway/gateway.h"
#include "portal/portal.h"
#include "portal/registry.h"

#include <pthread.h>
#include <sys/types.h>

#define DIR_MAX 1024
#define SINKS_MAX 16

struct instance {
    char data_dir[DIR_MAX]; /* const after start, like all that is not marked */
    char store_dir[DIR_MAX];
    char *config_path; /* NULL for none */
    struct mono started;
    _Atomic bool
        ready; /* set when all parts have started, release; what comes before asks nothing */
    struct dir_lock lock;
    bool dir_gone; /* main thread: that it was removed has been logged */
    struct pepper pepper;
    struct registry *registry; /* weir.db */
    struct carriers *carriers;
    struct meters *meters;
    struct epoch *epoch;
    struct access *access;
    struct journal *journal;
    struct writer *writer;
    bool writing;                       /* main thread: the writer's thread runs */
    struct writer_source writer_source; /* what /metrics asks about the store */
    pthread_mutex_t uses_mtx;
    struct store *uses; /* guarded by uses_mtx: for the last use of keys; NULL until asked */
    struct sink *sinks[SINKS_MAX];
    unsigned sink_count;
    struct metrics *metrics;
    struct gateway *gateway;
    struct portal *portal;
    struct http_server *portal_server, *admin_server;
    struct scrape *scrape; /* NULL without a `metrics` listener */
    struct control *control;
    char problem_base[GATEWAY_PROBLEM_BASE_MAX + 1];

    int signal_fd, watch_fd, quit_fd;
    struct mono
        reload_at; /* main thread: a changed file is read when it has been quiet for a moment */

    /* held while a configuration is loaded and put in force: signals and commands ask for that */
    pthread_mutex_t reload_mtx;
    /* guarded by reload_mtx: in force; each but the first is given back by the gateway when no
     * request uses it */
    struct config *config;
    /* what was started with: what differs from it in a later one may wait for a restart */
    struct config *first_config;

    pthread_mutex_t mtx;
    struct wall config_loaded;         /* guarded by mtx, like what follows */
    dev_t config_dev;                  /* the file that was read last, behind all links, */
    ino_t config_ino;                  /* whether it could be taken or not */
    char fault[CONFIG_ERROR_TEXT_MAX]; /* why a newer file was not taken; "" */
    uint64_t reloads_done, reloads_failed;
};

/* Reads the file again and puts it in force; logs what came of it (instance_reload.c). Any thread.
 */
int instance_reload(struct instance *instance, struct error *err);

/*
 * Whether the path leads to another file than it did when it was last read, of which
 * instance_config_seen() is told before. Any thread.
 */
bool instance_config_replaced(struct instance *instance);
void instance_config_seen(struct instance *instance);

/* What the portal shows and /metrics tells of the whole (instance_facts.c). */
void instance_facts_init(struct instance *instance, struct portal_sources *ret_sources);
void instance_portal_conf(const struct config *config, struct portal_conf *ret_conf);
void instance_collect(struct metrics_out *out, void *instance);

/* Of struct portal_sources (instance_catalog.c). */
bool instance_show_gateway(void *instance, portal_gateway_visit *visit, void *visit_ctx);
int instance_key_use(void *instance, struct str key, struct portal_key_use *ret_use);
void instance_visit_targets(void *instance, portal_target_visit *visit, void *visit_ctx);
void instance_visit_settings(void *instance, portal_setting_visit *visit, void *visit_ctx);

/* The handler of the control socket (instance_control.c). */
json_t *instance_control(void *instance, const char *command, const json_t *request,
                         struct error *err);

#endif
