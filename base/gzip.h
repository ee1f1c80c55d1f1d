/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip.h -- compresses bytes into the gzip format (RFC 1952).
 *
 * Threads: pure function.
 * Memory:  some 270 KB while it runs; the result is the caller's buffer.
 * Errors:  the buffer's ceiling.
 */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include "base/buf.h"
#include "base/error.h"

/* Appends the compressed form of `in`, fast rather than small. 0 or E_TOO_LARGE. */
must_check int gzip_add(struct buf *out, struct str in);

#endif
