/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embedded.h -- files that are part of the binary: migrations, the web assets.
 *
 * cmake/Embed.cmake makes one table a set: rows in the order given there, the last with a NULL
 * name.
 *
 * Threads: constant.
 * Memory:  static; the bytes are followed by a NUL that is not counted.
 * Errors:  none.
 */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include "base/str.h"

struct embedded_file {
    const char *name; /* file name without folder */
    struct str data;
};

/* The row of that name; NULL where there is none. */
const struct embedded_file *embedded_find(const struct embedded_file *table, struct str name);

#endif
