/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line.h -- one request as one line, for `weir tail`.
 *
 * Threads: pure functions.
 * Memory:  borrows the record.
 * Errors:  the buffer's.
 */
#ifndef APPLIANCE_LINE_H
#define APPLIANCE_LINE_H

#include "analytics/record.h"

struct line_style {
    bool color; /* the status in the color of its class */
};

/* The names of the columns, aligned as the lines are. */
void line_header(struct buf *out);

/* Appends the line with its newline, safe for a terminal. */
void line_request(const struct record *record, struct line_style style, struct buf *out);

#endif
