/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_list.h -- the table of `weir key list`: the keys of weir.db with their last use, and those
 * that the configuration names.
 *
 * Threads: the main thread of a command.
 * Memory:  a page of keys at a time; the last uses of all keys at once.
 * Errors:  one sentence.
 */
#ifndef APPLIANCE_KEY_LIST_H
#define APPLIANCE_KEY_LIST_H

#include "appliance/config.h"
#include "appliance/table.h"

/* Writes the keys of the app ("" for all) to stdout. */
must_check int key_list(const struct config *config, struct str app, enum table_format format,
                        struct error *err);

#endif
