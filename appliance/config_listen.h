/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_listen.h -- what holds for the addresses of all listeners together.
 *
 * Threads: one.
 * Memory:  what it needs for the check lies in the configuration's arena.
 * Errors:  reported through struct conf.
 */
#ifndef APPLIANCE_CONFIG_LISTEN_H
#define APPLIANCE_CONFIG_LISTEN_H

#include "appliance/config.h"

/*
 * Refuses two listeners on one address, people's listeners beyond loopback without TLS, and metrics
 * that anyone could read.
 */
void config_check_listeners(struct conf *conf, const struct yaml_node *root,
                            const struct config *config);

#endif
