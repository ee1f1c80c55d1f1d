/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.h -- how a command gets at an installation, whether or not an instance runs on it.
 *
 * Threads: the main thread of a command.
 * Memory:  answers are given to the caller.
 * Errors:  one sentence.
 */
#ifndef APPLIANCE_ASK_H
#define APPLIANCE_ASK_H

#include "appliance/config.h"
#include "base/error.h"

#include <jansson.h>

/*
 * Makes a request of control_keys.h or control_people.h: of the instance that runs, or, where none
 * does, of weir.db itself under the directory's lock. The secrets in `config` are zeroed.
 */
must_check int ask_keys(struct config *config, const json_t *request, json_t **ret_answer,
                        struct error *err);

/*
 * Sees to it that what was answered before is in the store: asks the instance that runs, or, where
 * none does, counts what a killed one left in its journal. True where an instance runs. Says on
 * stderr where that was not possible.
 */
bool ask_flush(const struct config *config);

/* Whether an instance runs. */
bool ask_running(const struct config *config);

#endif
