/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h -- the weir.yaml of the demo: three APIs, three plans, the apps of apps.def.
 *
 * Threads: constant.
 * Memory:  the caller's buffer.
 * Errors:  the buffer's.
 */
#ifndef APPLIANCE_DEMO_SETTINGS_H
#define APPLIANCE_DEMO_SETTINGS_H

#include "base/buf.h"

struct demo_addresses {
    const char *gateway, *portal, *admin; /* "127.0.0.1:8080" */
    struct str sample;                    /* where the bookshop serves */
};

/* Writes the text of the file. */
void demo_settings(const struct demo_addresses *addresses, struct buf *out);

#endif
