/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_people.h -- what commands ask about accounts, answered like control_keys.h: by a running
 * instance, or by the command itself where none runs.
 *
 *     admin.create      email, name, password  -> email
 *     admin.passwd      email, password        -> email
 *     admin.reset_link  email                  -> email, operator, token
 *
 * A `password` is Argon2id's text: the command has hashed it, so it is never on the socket. A new
 * password ends all sessions of its account.
 *
 * Threads: the control thread, or the command's.
 * Memory:  an answer is given to the caller; one with a token is to be wiped by control_wipe().
 * Errors:  one sentence. Never E_NOT_FOUND, which to a command means that no instance runs.
 */
#ifndef APPLIANCE_CONTROL_PEOPLE_H
#define APPLIANCE_CONTROL_PEOPLE_H

#include "base/error.h"
#include "portal/registry.h"

#include <jansson.h>

/* The answer, or NULL with `err` set. `request` is borrowed. */
json_t *control_people_answer(struct registry *registry, const char *command, const json_t *request,
                              struct error *err);

/* Whether it is one of these commands. */
bool control_people_knows(const char *command);

#endif
