/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libraries.h -- which versions of its libraries the program runs with, as they say themselves.
 *
 * Threads: any.
 * Memory:  names are static; versions are the caller's.
 * Errors:  none.
 */
#ifndef BASE_LIBRARIES_H
#define BASE_LIBRARIES_H

#include <stddef.h>

#define LIBRARY_VERSION_MAX 64

size_t library_count(void);

/* The name of library `index`; its version is written to `out`, NUL-terminated. */
const char *library_version(size_t index, char out[static LIBRARY_VERSION_MAX]);

/* Of those whose headers only one place may include. */
void yaml_library_version(char out[static LIBRARY_VERSION_MAX]);
void http_library_version(char out[static LIBRARY_VERSION_MAX]);

#endif
