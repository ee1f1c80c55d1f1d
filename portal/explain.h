/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain.h -- inside of portal/: what became of one request, for those who may know.
 *
 * Details are for the members of the app that made the call, and for operators. Anyone else, and an
 * id that nothing has, get the same general answer: an id tells nothing. What only operators may
 * know -- where a call was forwarded to, which network of theirs refused it -- is told in the
 * console alone, whoever is signed in at the portal.
 *
 * Threads: a call belongs to its worker.
 * Memory:  nothing is kept.
 * Errors:  as said.
 */
#ifndef PORTAL_EXPLAIN_H
#define PORTAL_EXPLAIN_H

#include "analytics/record_trail.h"
#include "portal/words.h"

/* A visitor of the request's record, called where the person may know of it. */
typedef void explain_visit(void *ctx, const struct record *record, bool whole);

/*
 * Shows the request's record to whoever may know of it; `whole` where that is all of it. 0 also
 * where nothing was shown: it is not there, or not theirs.
 */
must_check int explain_find(struct endpoint_call *call, struct uuid id, explain_visit *visit,
                            void *ctx, struct error *err);

/* The next pair of a note's numbers that may be told; false at the end. */
bool explain_pair_next(struct str *numbers, bool whole, struct trail_pair *ret_pair);

/* Appends one policy's decision as a sentence with its numbers. */
void explain_sentence(struct buf *out, const struct words *words, enum locale locale,
                      const struct trail_note *note);

/* Parts of what a request took, in the order to show. */
#define EXPLAIN_TIMES_MAX 4

struct explain_time {
    const char *name; /* total, queue, gateway, upstream */
    uint64_t us;
};

unsigned explain_times(const struct record *record, struct explain_time out[EXPLAIN_TIMES_MAX]);

/* Writes the fields of a request as an object, as lists have them. */
void explain_tell_request(struct jsonw *w, const struct record *record, bool whole);

/* How a request is told: into an object that is open, in a language. */
struct explain_telling {
    struct jsonw *w;
    const struct words *words;
    enum locale locale;
    bool whole; /* also what only operators may know */
};

/* Writes what became of a request: its fields, why, each decision, what took how long. */
void explain_tell(struct explain_telling *telling, const struct record *record);

#endif
