/* SPDX-License-Identifier: Apache-2.0 */
/*
 * starter.h -- the file that `weir init` writes: commented, and good as it stands.
 *
 * Threads: constant.
 * Memory:  static.
 * Errors:  none.
 */
#ifndef APPLIANCE_STARTER_H
#define APPLIANCE_STARTER_H

#include "base/str.h"

/* The text of the file; it names no secret and needs nothing of the machine to be loaded. */
extern const struct str starter_text;

#endif
