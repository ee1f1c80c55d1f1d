/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain.h -- inside of portal/: forms and their parts, for pages that work without a script.
 *
 * Threads: a page belongs to its request.
 * Memory:  appends to the page's buffer.
 * Errors:  the buffer's sticky error.
 */
#ifndef PORTAL_PLAIN_H
#define PORTAL_PLAIN_H

#include "portal/page.h"
#include "portal/words.h"

/* Begins a form that is posted to `action`, with the session's token where there is one. */
void plain_form(struct buf *html, const struct endpoint_call *call, struct str action);

struct plain_field {
    const char *name, *type;  /* of the input: "email", "email" */
    const char *autocomplete; /* a token of HTML's: "username" */
    struct str label;         /* words */
    struct str hint;          /* words; may be empty */
    struct str value;         /* what it holds; never a secret's */
    bool optional;
};

/* A field with its label, its hint, and its fault where call->input has one. */
void plain_field(struct buf *html, const struct endpoint_call *call,
                 const struct plain_field *field);

/* A value that is sent along. */
void plain_hidden(struct buf *html, struct str name, struct str value);

/* The button that sends, and the end of the form. */
void plain_submit(struct buf *html, struct str label);

/* A message above a form: "good" or "bad" as its tone. Nothing where it is empty. */
void plain_alert(struct buf *html, const char *tone, struct str text);

/* The same text as in the fields, when a form comes back; empty where it was not sent. */
struct str plain_sent(const struct endpoint_call *call, const char *field);

/* `return` of the query where it is a path of ours, else `otherwise`. */
struct str plain_return(const struct endpoint_call *call, struct str otherwise);

#endif
