/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_trail.h -- reads the decision trail of a record (gateway/req.h, note_begin()), puts its
 * numbers into words, and says who decided.
 *
 *     key_auth pass key=4fGh81Zq app=acme;limits refused by=burst retry_after_s=1 burst=0/10;
 *
 * Threads: pure functions.
 * Memory:  views into the trail.
 * Errors:  none: what does not look like a note is passed on as it is.
 */
#ifndef ANALYTICS_RECORD_TRAIL_H
#define ANALYTICS_RECORD_TRAIL_H

#include "analytics/record.h"

struct trail_note {
    struct str policy, verdict; /* "limits", "refused" */
    struct str numbers;         /* "by=burst retry_after_s=1 burst=0/10" */
};

/* The next note; false at the end. */
bool trail_next(struct str *rest, struct trail_note *ret_note);

/* Whether the note says that the policy ended the request. */
bool trail_refused(const struct trail_note *note);

struct trail_pair {
    struct str name, value;
};

/* The next pair of a note's numbers; false at the end. */
bool trail_pair_next(struct str *numbers, struct trail_pair *ret_pair);

/* Appends "by burst, retry after 1 s, burst 0 of 10 left". */
void trail_words(struct str numbers, struct buf *out);

/* --- what a record says, without saying it in a field --- */

/* The note of the policy that ended the request; false where none did. */
bool record_refusal(const struct record *record, struct trail_note *ret_note);

/* Who gave the answer: a policy, "router", "gateway", or "upstream". */
struct str record_decider(const struct record *record);

/* What the gateway itself took: all that was not spent on the upstream. */
uint64_t record_gateway_us(const struct record *record);

/* When the limit that refused the request would take one again; `us` 0 where none did. */
struct wall record_try_again(const struct record *record);

#endif
