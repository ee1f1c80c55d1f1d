/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h -- inside of portal/: a copy of the configuration that lives as long as a request uses
 * it.
 *
 * Threads: any; the count of users is guarded by the portal's mutex.
 * Memory:  one arena a copy, freed with its last user.
 * Errors:  none; running out of memory aborts.
 */
#ifndef PORTAL_SETTINGS_H
#define PORTAL_SETTINGS_H

#include "portal/portal.h"

struct settings {
    struct portal_conf conf; /* const after creation; points into the arena */
    struct arena arena;
    unsigned users; /* guarded by portal.mtx */
};

/* A copy with one user: whoever puts it into the portal. */
struct settings *settings_create(const struct portal_conf *conf);

/* What is in force now, with one user more. */
struct settings *settings_get(struct portal *portal);

/* One user less. */
void settings_put(struct portal *portal, struct settings *settings);

#endif
