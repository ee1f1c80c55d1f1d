/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_people.h -- accounts, their teams, and links that work once, in weir.db.
 *
 * Threads: by the thread of the connection; what changes runs in the caller's transaction.
 * Memory:  rows borrow from the connection and are valid during the visit.
 * Errors:  E_NOT_FOUND, E_EXISTS with a sentence, and those of base/db.h.
 */
#ifndef PORTAL_STORE_PEOPLE_H
#define PORTAL_STORE_PEOPLE_H

#include "base/db.h"
#include "base/secret.h"
#include "base/uuid.h"
#include "portal/endpoint.h"

#define PERSON_EMAIL_MAX 254 /* bytes */

enum person_state { PERSON_UNCONFIRMED, PERSON_ACTIVE, PERSON_SUSPENDED };

/* "unconfirmed", "active" or "suspended". */
struct str person_state_name(enum person_state state);

struct person_row {
    struct uuid id;
    struct str email, name;
    struct str password; /* Argon2id's text */
    enum person_state state;
    bool is_operator;
    struct str locale, time_zone;
    struct wall created, signed_in; /* signed_in 0 for never */
};

typedef int person_visit(void *ctx, const struct person_row *row);

/* Shows the account of an address in lower case, or of an id. E_NOT_FOUND. */
must_check int store_people_find(struct db *db, struct str email, person_visit *visit, void *ctx,
                                 struct error *err);
must_check int store_people_get(struct db *db, const struct uuid *id, person_visit *visit,
                                void *ctx, struct error *err);

struct people_page {
    struct str search; /* within address or name; "" for all */
    struct str after;  /* the last address of the page before */
    uint32_t limit;
};

/* A page of all accounts, by address. */
must_check int store_people_list(struct db *db, const struct people_page *page, person_visit *visit,
                                 void *ctx, struct error *err);

struct person_wish {
    struct uuid id, team; /* fresh ones */
    struct str email, name, password;
    enum person_state state;
    bool is_operator;
    struct str locale;
    struct wall now;
};

/* Makes an account with a team of its own. E_EXISTS where the address has one. */
must_check int store_people_create(struct db *db, const struct person_wish *wish,
                                   struct error *err);

must_check int store_people_set_password(struct db *db, const struct uuid *id, struct str password,
                                         struct error *err);
must_check int store_people_set_state(struct db *db, const struct uuid *id, enum person_state state,
                                      struct error *err);
must_check int store_people_set_operator(struct db *db, const struct uuid *id, bool is_operator,
                                         struct error *err);
must_check int store_people_signed_in(struct db *db, const struct uuid *id, struct wall now,
                                      struct error *err);

/* Texts that are NULL stay as they are. */
must_check int store_people_describe(struct db *db, const struct uuid *id, struct str name,
                                     struct str locale, struct str time_zone, struct error *err);

/* How much the person may in the team of that app; MEMBER_NONE also where there is no such app. */
must_check int store_people_member(struct db *db, const struct uuid *person, struct str app,
                                   enum member *ret_member, struct error *err);

/* Shows who of an app's team may change its keys, as far as they can sign in. */
must_check int store_people_of_app(struct db *db, struct str app, person_visit *visit, void *ctx,
                                   struct error *err);

/* The person's own team: the first they own. E_NOT_FOUND. */
must_check int store_people_team(struct db *db, const struct uuid *person, struct uuid *ret_team,
                                 struct error *err);

/* How many accounts and how many operators there are. */
must_check int store_people_count(struct db *db, uint64_t *ret_people, uint64_t *ret_operators,
                                  struct error *err);

/* Whether there is an operator who can sign in. */
must_check int store_people_has_operator(struct db *db, bool *ret_there, struct error *err);

#endif
