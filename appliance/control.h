/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.h -- how a command speaks to the instance that runs: a Unix socket in the data directory.
 *
 * One request, one answer: the client sends a line of JSON, {"command": "key.create", ...}, and
 * reads one line back: a result, or {"error": "...", "code": N}. Only the user that runs the
 * instance (and root) can reach the socket.
 *
 * Threads: the server has one thread; handlers are called on it, one at a time.
 * Memory:  json_t results are given to the caller, who drops the reference. What may have held a
 *          secret on its way is overwritten.
 * Errors:  one sentence.
 */
#ifndef APPLIANCE_CONTROL_H
#define APPLIANCE_CONTROL_H

#include "base/error.h"

#include <jansson.h>

struct control;

/*
 * Answers one request: an object that is given to the caller, or NULL with `err` set. `request` is
 * borrowed.
 */
typedef json_t *control_handler(void *ctx, const char *command, const json_t *request,
                                struct error *err);

/* Listens on `data_dir`/control.sock. The directory's lock must be held. */
must_check int control_start(struct control **ret_control, const char *data_dir,
                             control_handler *handler, void *ctx, struct error *err);

/* NULL is accepted. */
void control_stop(struct control *control);

/*
 * Asks the running instance. E_NOT_FOUND where none runs; else the error it answered with.
 * `request` must hold "command"; it is borrowed.
 */
must_check int control_ask(const char *data_dir, const json_t *request, json_t **ret_answer,
                           struct error *err);

/* Overwrites the texts in an answer that had a secret and lets go of it. NULL is accepted. */
void control_wipe(json_t *answer);

#endif
