/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h -- what is done to files by their path.
 *
 * Threads: any.
 * Memory:  none.
 * Errors:  an errno, for the sentence of the caller.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/compiler.h"

/* Puts a file, or the names in a folder, on the disk. 0 or an errno. */
must_check int file_sync(const char *path);

#endif
