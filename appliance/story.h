/* SPDX-License-Identifier: Apache-2.0 */
/*
 * story.h -- one request's life in words, out of its record: for `weir explain`, and for whoever
 * reads it at two in the morning.
 *
 * Threads: pure functions.
 * Memory:  borrows the record.
 * Errors:  the buffer's.
 */
#ifndef APPLIANCE_STORY_H
#define APPLIANCE_STORY_H

#include "analytics/record.h"

/* Appends the story as lines of text, safe for a terminal. */
void story_text(const struct record *record, struct buf *out);

/*
 * Appends a JSON object and a newline: the record's fields and besides "title", "meaning", "advice"
 * (of the reason; "" where the upstream answered), "decided_by" (a policy, "router", "gateway" or
 * "upstream"), "gateway_us", and "decisions": [{policy, verdict, numbers: {name: text}}].
 */
void story_json(const struct record *record, struct buf *out);

#endif
