/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_links.h -- links that work once, in weir.db: to confirm an address, to set a forgotten
 * password, to accept an invitation.
 *
 * A link holds 256 random bits; the database has their keyed hash.
 *
 * Threads: by the thread of the connection; what changes runs in the caller's transaction.
 * Memory:  rows borrow from the connection; a token is the caller's, who wipes it.
 * Errors:  E_NOT_FOUND with a sentence, and those of base/db.h.
 */
#ifndef PORTAL_STORE_LINKS_H
#define PORTAL_STORE_LINKS_H

#include "base/db.h"
#include "base/secret.h"
#include "base/uuid.h"

enum link_kind { LINK_CONFIRM, LINK_RESET, LINK_INVITE };

#define LINK_TOKEN_LEN 43

struct link_token {
    char p[LINK_TOKEN_LEN + 1]; /* NUL-terminated */
};

struct link_row {
    struct uuid id;
    enum link_kind kind;
    struct uuid person; /* zeros for an invitation */
    struct str email;   /* "" for an invitation of anybody */
    struct wall created, expires;
    struct uuid created_by; /* zeros for the shell and the person themselves */
};

typedef int link_visit(void *ctx, const struct link_row *row);

/* Draws a link; of its person's others none works any more. Those that have expired are forgotten.
 */
must_check int store_links_add(struct db *db, const struct pepper *pepper,
                               const struct link_row *row, struct link_token *ret_token,
                               struct error *err);

/* Shows the link of a token, unless it has expired. E_NOT_FOUND also for a text that is none. */
must_check int store_links_find(struct db *db, const struct pepper *pepper, enum link_kind kind,
                                struct str token, struct wall now, link_visit *visit, void *ctx,
                                struct error *err);

/* Shows those of a kind that have not expired, the newest first. */
must_check int store_links_list(struct db *db, enum link_kind kind, struct wall now,
                                link_visit *visit, void *ctx, struct error *err);

/* It has been used, or is taken back. E_NOT_FOUND where it is gone already. */
must_check int store_links_remove(struct db *db, const struct uuid *id, struct error *err);

/* None of the person's works any more. */
must_check int store_links_end_all(struct db *db, const struct uuid *person, struct error *err);

/* Forgets those that have expired. */
must_check int store_links_sweep(struct db *db, struct wall now, struct error *err);

#endif
