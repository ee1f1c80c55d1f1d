/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_errors.h -- the faults of one configuration file, each a line with its position.
 *
 *     weir.yaml:12:5: error: unknown key `upstrem` in api `users`; did you mean `upstream`?
 *
 * A reader goes on after a fault, so that one run of `check` shows all there is to mend. The lines
 * are kept in the order of the file.
 *
 * Threads: belongs to one thread.
 * Memory:  fixed size (about 20 KiB: keep it off a fiber's stack); nothing is allocated.
 * Errors:  none of its own; a line that is too long is cut.
 */
#ifndef BASE_CONFIG_ERRORS_H
#define BASE_CONFIG_ERRORS_H

#include "base/buf.h"

#include <stdarg.h>

#define CONFIG_ERRORS_MAX 20
#define CONFIG_ERROR_TEXT_MAX 1024

struct config_error {
    unsigned line, column;            /* from 1; 0 for the file as a whole */
    char text[CONFIG_ERROR_TEXT_MAX]; /* the whole line, printable, without its newline */
};

struct config_errors {
    const char *file; /* as it is named in the lines; borrowed */
    unsigned count;   /* faults found; only the first CONFIG_ERRORS_MAX of the file are kept */
    struct config_error items[CONFIG_ERRORS_MAX];
};

/* No faults yet. `file` is borrowed. */
void config_errors_init(struct config_errors *errors, const char *file);

/* How many items hold a line. */
unsigned config_errors_kept(const struct config_errors *errors);

/*
 * Adds a fault; the text needs no position and no newline. Control characters in it are shown as
 * `?`, since it may quote what the file holds. Always returns E_CONFIG.
 */
attr_printf(4, 5) int config_errors_add(struct config_errors *errors, unsigned line,
                                        unsigned column, const char *fmt, ...);
attr_printf(4, 0) int config_errors_vadd(struct config_errors *errors, unsigned line,
                                         unsigned column, const char *fmt, va_list ap);

/* All lines, each with its newline, and a last one about those that were not kept. */
void config_errors_print(const struct config_errors *errors, struct buf *out);

#endif
