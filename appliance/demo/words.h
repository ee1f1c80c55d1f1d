/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h -- commands for somebody else's shell: what this program is called there, quoting, the
 * way through SSH.
 *
 * Threads: the main thread.
 * Memory:  the caller's buffers.
 * Errors:  the buffer's.
 */
#ifndef APPLIANCE_DEMO_WORDS_H
#define APPLIANCE_DEMO_WORDS_H

#include "base/buf.h"

/* Appends the text as one word of a shell, in quotes where it needs them. */
void words_quote(struct buf *out, const char *text);

/*
 * Appends this program as a command: `weir` where the PATH finds it, the way from the current
 * folder where it lies below that, else its whole path. True for the second.
 */
bool words_program(struct buf *out);

/* Appends " --noproxy '*'" where the environment would send curl's call to a proxy. */
void words_proxy(struct buf *out);

/*
 * Appends "user@host" of this machine as the SSH client knows it, with "-p PORT " before it where
 * that is not 22. False where this is no SSH session.
 */
bool words_ssh(struct buf *out);

#endif
