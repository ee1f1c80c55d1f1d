/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accounts.h -- inside of portal/: how accounts come about and how people get back in, for the JSON
 * API and for plain forms.
 *
 * Where mails are sent nobody learns from an answer whether an address has an account: signing up
 * and asking for a reset look the same either way, and the mail tells its owner. Without mails an
 * account is made at once or not at all, which tells; so such an installation is `invite` or
 * `closed` unless its operator decides otherwise.
 *
 * Threads: a call belongs to its worker.
 * Memory:  results lie in the request's arena.
 * Errors:  what a person can bring about are outcomes; codes with `err` are for what failed.
 */
#ifndef PORTAL_ACCOUNTS_H
#define PORTAL_ACCOUNTS_H

#include "portal/endpoint.h"

enum sign_up {
    SIGN_UP_DONE,      /* signed in */
    SIGN_UP_CONFIRM,   /* a mail is on its way, if the address was free */
    SIGN_UP_CLOSED,    /* nobody may */
    SIGN_UP_INVITED,   /* only with an invitation; there was none, or it is used up or another's */
    SIGN_UP_TAKEN,     /* the address has an account; told only where no mails are sent */
    SIGN_UP_THROTTLED, /* too many from one address */
};

struct sign_up_result {
    enum sign_up outcome;
    unsigned seconds; /* of THROTTLED */
};

/* Makes an account from call->input (schema SIGN_UP, without faults). */
must_check int accounts_sign_up(struct endpoint_call *call, struct sign_up_result *ret_result,
                                struct error *err);

/* Confirms the address of a link, and signs in. E_NOT_FOUND, or E_FULL where too many links were
 * tried that are none: *ret_seconds is when to try again, else 0. */
must_check int accounts_confirm(struct endpoint_call *call, struct str token, unsigned *ret_seconds,
                                struct error *err);

/* Whether a link to set a new password may be asked for now, which counts as one; else *ret_seconds
 * is when. */
must_check bool accounts_may_ask_reset(struct endpoint_call *call, unsigned *ret_seconds);

/* Sends that link, if the address has an account. To be called after the answer was sent: neither
 * what it says nor when it comes may tell whether there is one. */
void accounts_ask_reset(struct endpoint_call *call, struct str email);

/* Sets a new password by a link: it is used up, all sessions end, the address counts as confirmed.
 * Fails as accounts_confirm() does. */
must_check int accounts_reset(struct endpoint_call *call, struct str token, struct str password,
                              unsigned *ret_seconds, struct error *err);

/* One sentence, and the status, for an outcome. */
struct str sign_up_sentence(enum sign_up outcome);
unsigned sign_up_status(enum sign_up outcome);

#endif
