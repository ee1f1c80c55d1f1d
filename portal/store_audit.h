/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_audit.h -- who did what, in weir.db.
 *
 * An entry is written in the transaction of what it tells of: there is none without the other.
 *
 * Threads: by the thread of the connection.
 * Memory:  rows borrow from the connection and are valid during the visit.
 * Errors:  those of base/db.h.
 */
#ifndef PORTAL_STORE_AUDIT_H
#define PORTAL_STORE_AUDIT_H

#include "base/db.h"
#include "base/uuid.h"

struct audit_row {
    struct uuid id; /* UUIDv7: its order is that of time */
    struct wall at;
    struct uuid actor;     /* zeros for the shell and for Weir itself */
    struct str actor_name; /* an address, "shell", "weir" */
    struct str action;     /* "key.issued" */
    struct str object;     /* what it was done to; "" for nothing in particular */
    struct uuid team;      /* whose people may read it; zeros for operators only */
    struct str address;    /* "" for the shell */
    struct str detail;     /* a sentence, or "" */
    bool is_foreign;       /* read for a person: the actor is nobody of the team */
};

typedef int audit_visit(void *ctx, const struct audit_row *row);

must_check int store_audit_add(struct db *db, const struct audit_row *row, struct error *err);

struct audit_page {
    struct uuid person; /* of whose teams and account; zeros for all there is */
    struct uuid before; /* the last id of the page before; zeros to begin */
    struct str action;  /* "" for all */
    uint32_t limit;
};

/* The newest first. */
must_check int store_audit_list(struct db *db, const struct audit_page *page, audit_visit *visit,
                                void *ctx, struct error *err);

#endif
