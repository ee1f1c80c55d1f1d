/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_mails.h -- the queue of mails in weir.db.
 *
 * A mail is put in by the write that it tells of, and taken out when a mail server took it: at
 * least once, whatever happens in between. What it says is sealed (base/seal.h) for the row it
 * stands in.
 *
 * Threads: by the thread of the connection; what changes runs in the caller's transaction.
 * Memory:  rows borrow from the connection and are valid during the visit.
 * Errors:  E_NOT_FOUND with a sentence, and those of base/db.h.
 */
#ifndef PORTAL_STORE_MAILS_H
#define PORTAL_STORE_MAILS_H

#include "base/clock.h"
#include "base/db.h"
#include "base/uuid.h"

enum mail_state { MAIL_WAITING, MAIL_SENT, MAIL_FAILED };

/* "waiting", "sent", "failed". */
struct str mail_state_name(enum mail_state state);

struct mail_row {
    struct uuid id;
    struct str template;  /* "confirm" */
    struct str recipient; /* an address */
    struct str content;   /* sealed; empty once it is gone */
    enum mail_state state;
    uint32_t attempts;
    struct wall created, next;
    struct wall ended; /* 0 while it waits */
    struct str fault;  /* why the last attempt failed; may be empty */
};

typedef int mail_visit(void *ctx, const struct mail_row *row);

/* Puts one in: of the row id, template, recipient, content, and created, from when on it is due. */
must_check int store_mails_add(struct db *db, const struct mail_row *row, struct error *err);

/*
 * Shows the one that has been due for longest, and tells in *ret_next when it is or will be due.
 * E_NOT_FOUND without a sentence where none waits; nothing is shown of one that is not due.
 */
must_check int store_mails_due(struct db *db, struct wall now, mail_visit *visit, void *ctx,
                               struct wall *ret_next, struct error *err);

/* It was sent, or given up; `keep` keeps what it says. */
must_check int store_mails_end(struct db *db, const struct uuid *id, enum mail_state state,
                               struct wall now, struct str fault, bool keep, struct error *err);

/* It failed, and is tried again. */
must_check int store_mails_postpone(struct db *db, const struct uuid *id, struct wall next,
                                    struct str fault, struct error *err);

/* One that failed waits again, due now. E_NOT_FOUND where it did not fail or says nothing more. */
must_check int store_mails_retry(struct db *db, const struct uuid *id, struct wall now,
                                 struct error *err);

/* All that wait are due now: the configuration was changed. */
must_check int store_mails_hurry(struct db *db, struct wall now, struct error *err);

/* Forgets those that ended before then. */
must_check int store_mails_sweep(struct db *db, struct wall before, struct error *err);

struct mail_page {
    struct uuid after; /* the last of the page before; zeros for the first */
    uint32_t limit;
};

/* A page of all, the youngest first. */
must_check int store_mails_list(struct db *db, const struct mail_page *page, mail_visit *visit,
                                void *ctx, struct error *err);

/* How many wait and how many failed. */
must_check int store_mails_count(struct db *db, uint64_t *ret_waiting, uint64_t *ret_failed,
                                 struct error *err);

#endif
