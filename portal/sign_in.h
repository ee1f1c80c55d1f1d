/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign_in.h -- inside of portal/: a password tried, for the JSON API and for the plain form.
 *
 * Threads: a call belongs to its worker.
 * Memory:  results lie in the request's arena.
 * Errors:  outcomes a person can bring about are enum sign_in; codes with `err` are for what
 * failed.
 */
#ifndef PORTAL_SIGN_IN_H
#define PORTAL_SIGN_IN_H

#include "portal/endpoint.h"

enum sign_in {
    SIGN_IN_DONE,
    SIGN_IN_WRONG, /* unknown account or wrong password: nobody is told which */
    /* only told to who has the right password: */
    SIGN_IN_UNCONFIRMED,
    SIGN_IN_SUSPENDED,
    SIGN_IN_NO_OPERATOR, /* the console is for operators */
    SIGN_IN_THROTTLED
};

struct sign_in_result {
    enum sign_in outcome;
    unsigned seconds; /* of THROTTLED: when to try again */
    struct person person;
};

/* Tries a password. With SIGN_IN_DONE call->person is set and the cookie goes out with the answer.
 */
must_check int sign_in_try(struct endpoint_call *call, struct str email, struct str password,
                           struct sign_in_result *ret_result, struct error *err);

/* One sentence, and the status, for an outcome. */
struct str sign_in_sentence(enum sign_in outcome);
unsigned sign_in_status(enum sign_in outcome);

/* The answer of GET /api/v1/session, and the person of it. */
void sign_in_tell(struct endpoint_call *call, struct jsonw *w);
void sign_in_tell_person(struct jsonw *w, const struct person *person);

#endif
