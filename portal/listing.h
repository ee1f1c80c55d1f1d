/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h -- inside of portal/: a page of a list as JSON, {"items": [...], "next": ...}.
 *
 *     if (!listing_begin(call, &l))
 *         return;
 *     ... for each row: if (listing_take(&l, row->name)) { an object into &l.w }
 *     listing_send(&l, r, &err);
 *
 * A page goes on behind a key, not at a number: what is added meanwhile neither repeats a row nor
 * hides one.
 *
 * Threads: a call belongs to its worker.
 * Memory:  the answer is the listing's until it is sent.
 * Errors:  as said.
 */
#ifndef PORTAL_LISTING_H
#define PORTAL_LISTING_H

#include "portal/endpoint.h"

#define LISTING_KEY_MAX 254 /* bytes: an address */

struct listing {
    struct endpoint_call *call;
    struct buf json;
    struct jsonw w;
    struct str after;  /* of the query: the key of the row told last; "" to begin */
    struct str search; /* of the query, `q`; "" for all */
    uint32_t limit;    /* rows of the page; ask the store for one more */
    uint32_t told;
    char last[LISTING_KEY_MAX + 1]; /* the key of the row told last */
    bool more;                      /* there is a row behind the page */
};

/* Reads `limit`, `after` and `q`, and opens the answer. False where it was sent: 422. */
must_check bool listing_begin(struct endpoint_call *call, struct listing *listing);

/* Whether this row is of the page, and so to be written now; `key` is copied, and fits
 * LISTING_KEY_MAX. */
must_check bool listing_take(struct listing *listing, struct str key);

/* The same for rows whose key is an id: `after` of the query, zeros to begin. False where it is
 * none: 422 was sent. To be called before listing_begin(). */
must_check bool listing_after_id(struct endpoint_call *call, struct uuid *ret_after);
must_check bool listing_take_id(struct listing *listing, struct uuid id);

/* Ends and sends the page; with a code below 0 the failure instead. */
void listing_send(struct listing *listing, int code, const struct error *err);

#endif
