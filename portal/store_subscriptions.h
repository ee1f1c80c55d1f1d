/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_subscriptions.h -- which plans apps asked for, and what became of it, in weir.db.
 *
 * An app has at most one plan in force and one wish that waits for an operator. What was before
 * stays as it ended: rejected, withdrawn, ended.
 *
 * Threads: by the thread of the connection; what changes runs in the caller's transaction.
 * Memory:  rows borrow from the connection and are valid during the visit.
 * Errors:  E_NOT_FOUND, E_INVALID with a sentence, and those of base/db.h.
 */
#ifndef PORTAL_STORE_SUBSCRIPTIONS_H
#define PORTAL_STORE_SUBSCRIPTIONS_H

#include "base/db.h"
#include "base/uuid.h"

enum subscription_state {
    SUBSCRIPTION_PENDING,
    SUBSCRIPTION_ACTIVE,
    SUBSCRIPTION_REJECTED,
    SUBSCRIPTION_WITHDRAWN,
    SUBSCRIPTION_ENDED
};

/* "pending", "active", ... */
struct str subscription_state_name(enum subscription_state state);

struct subscription_row {
    struct uuid id;
    struct str app, app_title, plan;
    struct uuid team; /* of the app */
    struct str team_name;
    enum subscription_state state;
    struct wall asked, decided;      /* decided 0 while it is pending */
    struct str asked_by, decided_by; /* addresses; "" where nobody in particular */
    struct str note;                 /* the operator's words with a decision, or "" */
};

typedef int subscription_visit(void *ctx, const struct subscription_row *row);

/* --- reading --- */

/* Shows one. */
must_check int store_subscriptions_find(struct db *db, const struct uuid *id,
                                        subscription_visit *visit, void *ctx, struct error *err);

/* Shows what the app asked for last, whatever became of it; nothing where it never asked. */
must_check int store_subscriptions_last(struct db *db, struct str app, subscription_visit *visit,
                                        void *ctx, struct error *err);

struct subscription_page {
    struct uuid after; /* the last one of the page before; zeros to begin */
    uint32_t limit;
};

/* Shows those that wait for an operator, in the order they were asked. */
must_check int store_subscriptions_waiting(struct db *db, const struct subscription_page *page,
                                           subscription_visit *visit, void *ctx, struct error *err);

/* --- changing --- */

struct subscription_wish {
    struct uuid id; /* a fresh one */
    struct str app, plan;
    struct uuid person;
    bool automatic; /* in force at once; else an operator must approve */
    struct wall now;
};

enum subscription_outcome {
    SUBSCRIPTION_UNCHANGED, /* it was so before */
    SUBSCRIPTION_BEGUN,     /* in force */
    SUBSCRIPTION_ASKED,     /* waits */
};

/*
 * Asks for a plan. What waits for another plan is withdrawn. In force at once, the plan takes the
 * place of the one before. Asking for what is in force, or for what waits already, changes neither.
 */
must_check int store_subscriptions_ask(struct db *db, const struct subscription_wish *wish,
                                       enum subscription_outcome *ret_outcome, struct error *err);

/* Takes back the wish that waits; *ret_done says whether there was one. */
must_check int store_subscriptions_withdraw(struct db *db, struct str app, struct wall now,
                                            bool *ret_done, struct error *err);

struct subscription_decision {
    struct uuid id, person; /* person: the operator */
    bool approved;
    struct str note;
    struct wall now;
};

/* Decides a wish that waits; approved, it takes the place of the plan before. E_NOT_FOUND;
 * E_INVALID where it does not wait any more. */
must_check int store_subscriptions_decide(struct db *db,
                                          const struct subscription_decision *decision,
                                          struct error *err);

#endif
