/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance.h -- a running Weir: everything started in order, reloaded, and stopped in the reverse
 * order.
 *
 * The order of the start is the order of need: the lock of the data directory, the control
 * database, the journal and the store with what an earlier run left, keys and limits as they were,
 * then the inner listeners, and the gateway last: it answers nothing before it can count.
 *
 * Threads: started, run and stopped by the main thread.
 * Memory:  owns all of it.
 * Errors:  start reports in one sentence and leaves nothing behind.
 */
#ifndef APPLIANCE_INSTANCE_H
#define APPLIANCE_INSTANCE_H

#include "appliance/config.h"
#include "base/http/server.h"

struct instance;

/*
 * Starts with the configuration, which is taken over (also on failure). `config_path` is the file
 * that a reload reads again; NULL for none.
 */
must_check int instance_start(struct instance **ret_instance, struct config *config,
                              const char *config_path, struct error *err);

/*
 * Works until SIGTERM or SIGINT, or until `until`, or until instance_quit(): reloads on SIGHUP and
 * when the file changes, ticks each second. The signals must be blocked in all threads before
 * instance_start() (instance_block_signals()).
 */
void instance_run(struct instance *instance, struct mono until);
void instance_block_signals(void);

/* Makes instance_run() return. Any thread. */
void instance_quit(struct instance *instance);

/* Drains, stops, closes, frees. NULL is accepted. */
void instance_stop(struct instance *instance);

/* "127.0.0.1:8080": where the gateway, the portal, the admin listener are. */
enum instance_listener { LISTENER_GATEWAY, LISTENER_PORTAL, LISTENER_ADMIN };
struct str instance_address(const struct instance *instance, enum instance_listener listener);

/*
 * Issues a key of an app, by the same code as `weir key create`. The secret is written to `out` (of
 * KEY_TEXT_LEN + 1 bytes); the caller wipes it.
 */
must_check int instance_create_key(struct instance *instance, const char *app, const char *name,
                                   char *out, struct error *err);

#endif
