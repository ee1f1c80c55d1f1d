/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_keys.h -- what commands ask about keys and limits, answered by a running instance on its
 * control socket, or by the command itself where none runs (ask.h): the same code in both.
 *
 *     key.create   app, name?, env? ("live"), expires_us? (0: never), allow? ["10.0.0.0/8", ...]
 *                  -> kid, app, expires_us, secret
 *     key.rotate   kid, overlap_us?
 *                  -> kid, app, expires_us, secret, old, old_expires_us
 *     key.revoke, key.enable, key.disable   kid -> kid, app, state
 *     limits       app
 *                  -> admitted, refused_by, retry_after_s, limits [{name, quota, remaining,
 * reset_s}]
 *
 * A change is first on the disk, then in force: when the answer comes, it is both.
 *
 * Threads: the control thread, or the command's; within an epoch of the table's.
 * Memory:  an answer is given to the caller; one with a secret is to be wiped by control_wipe().
 * Errors:  one sentence. Never E_NOT_FOUND, which to a command means that no instance runs.
 */
#ifndef APPLIANCE_CONTROL_KEYS_H
#define APPLIANCE_CONTROL_KEYS_H

#include "base/error.h"
#include "gateway/access.h"
#include "portal/registry.h"

#include <jansson.h>

struct control_keys {
    struct registry *registry; /* weir.db */
    struct access *access;     /* with the apps of the configuration in force and of weir.db */
};

/* The answer, or NULL with `err` set. `request` is borrowed. */
json_t *control_keys_answer(const struct control_keys *keys, const char *command,
                            const json_t *request, struct error *err);

#endif
