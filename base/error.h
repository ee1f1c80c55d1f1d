/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h -- failures: a negative code for the program, a sentence for the human.
 *
 * A function that can fail returns 0 or a negative E_ code of errors.def. One whose failure a human
 * must read (configuration, start-up, commands) also takes a `struct error *`, which it writes
 * once, on failure only. A function either logs or returns an error, never both; only the owner at
 * the top logs.
 *
 * Threads: a struct error belongs to one thread.
 * Memory:  fixed size, no allocation; a text that does not fit is cut.
 * Errors:  none of its own.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/compiler.h"

enum error_code {
    E_OK = 0,
    E_BEFORE_FIRST = -100, /* codes stay clear of errno's range, so the two cannot be mistaken */
#define X(name, text) name##_INDEX_,
    E_INDEX_BASE_ = 0,
#include "base/errors.def"
#undef X
    E_COUNT_
};

enum {
#define X(name, text) name = E_BEFORE_FIRST - (int)name##_INDEX_,
#include "base/errors.def"
#undef X
};

#define ERROR_TEXT_MAX 1024

struct error {
    int code;                  /* 0 while nothing failed */
    unsigned line, column;     /* of the configuration file, from 1; 0 where it is about no place */
    char text[ERROR_TEXT_MAX]; /* one sentence: what, where, what to do; no newline */
};

#define ERROR_INIT                                                                                 \
    {                                                                                              \
        .code = 0, .text = ""                                                                      \
    }

/*
 * Writes the failure and returns `code`, so that `return error_set(err, E_X, "...")` reads as one
 * step. `err` may be NULL: then only the code is passed on. An error that is already set is kept:
 * the first cause is the one to report.
 */
attr_printf(3, 4) int error_set(struct error *err, int code, const char *fmt, ...);

/* Puts "prefix: " before the text of a set error; for the caller that knows the context. */
attr_printf(2, 3) void error_prefix(struct error *err, const char *fmt, ...);

/* Says where in the configuration file a set error has its cause, unless that is said already. */
void error_place(struct error *err, unsigned line, unsigned column);

/* Like error_set(), with ": " and the text of errno `saved_errno` appended. */
attr_printf(4, 5) int error_set_errno(struct error *err, int code, int saved_errno, const char *fmt,
                                      ...);

/* The E_ code nearest to an errno value. */
int error_from_errno(int saved_errno);

/* The text of an E_ code; never NULL. */
const char *error_text(int code);

#endif
