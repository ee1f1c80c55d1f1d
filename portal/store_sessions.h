/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_sessions.h -- browsers that are signed in, in weir.db.
 *
 * Threads: by the thread of the connection; what changes runs in the caller's transaction.
 * Memory:  rows borrow from the connection and are valid during the visit.
 * Errors:  E_NOT_FOUND with a sentence, and those of base/db.h.
 */
#ifndef PORTAL_STORE_SESSIONS_H
#define PORTAL_STORE_SESSIONS_H

#include "base/db.h"
#include "base/secret.h"
#include "base/uuid.h"

struct session_row {
    struct uuid id, person;
    struct str audience; /* "portal" or "console": which listener's cookie it is */
    struct wall created, seen, expires;
    struct str address, agent;
    /* of its person; only where a session was found by its hash */
    struct str email, name, locale, time_zone;
    bool is_operator;
};

typedef int session_visit(void *ctx, const struct session_row *row);

/* Shows the session with this hash, unless it has expired or its person is not active. E_NOT_FOUND.
 */
must_check int store_sessions_find(struct db *db, const struct secret_hash *hash,
                                   struct str audience, struct wall now, session_visit *visit,
                                   void *ctx, struct error *err);

/* Shows a person's sessions that have not expired, the newest first. */
must_check int store_sessions_of_person(struct db *db, const struct uuid *person, struct wall now,
                                        session_visit *visit, void *ctx, struct error *err);

#define SESSIONS_MAX 100 /* of a person; when another begins the oldest one ends */

/* Adds it, and removes the person's that have expired. */
must_check int store_sessions_add(struct db *db, const struct session_row *row,
                                  const struct secret_hash *hash, struct error *err);

must_check int store_sessions_seen(struct db *db, const struct uuid *id, struct wall seen,
                                   struct wall expires, struct error *err);

/* Ends one of that person's. E_NOT_FOUND where they have none of that id. */
must_check int store_sessions_end(struct db *db, const struct uuid *id, const struct uuid *person,
                                  struct error *err);

/* Ends all of a person's but `except` (zeros for none). */
must_check int store_sessions_end_all(struct db *db, const struct uuid *person,
                                      const struct uuid *except, struct error *err);

#endif
