/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_text.h -- inside of portal/: what the stores of weir.db share about values.
 *
 * Threads: by the thread of the connection.
 * Memory:  what is bound is borrowed until the statement has run.
 * Errors:  the statement's.
 */
#ifndef PORTAL_STORE_TEXT_H
#define PORTAL_STORE_TEXT_H

#include "base/buf.h"
#include "base/db.h"
#include "base/uuid.h"

#define STORE_SEARCH_MAX 128 /* bytes of what is searched for */

static inline void store_bind_uuid(struct db_stmt *st, int index, const struct uuid *id)
{
    db_bind_blob(st, index, str_make((const char *)id->b, sizeof(id->b)));
}

/* NULL where there is none: an id of zeros. */
void store_bind_uuid_or_null(struct db_stmt *st, int index, const struct uuid *id);

/* Zeros where the column is NULL. */
struct uuid store_uuid(struct db_stmt *st, int column);

static inline bool uuid_is_none(const struct uuid *id)
{
    static const struct uuid none;
    return memcmp(id, &none, sizeof(none)) == 0;
}

/* Text of NULL or "" as "", never as NULL of SQL. */
static inline void store_bind_text(struct db_stmt *st, int index, struct str s)
{
    db_bind_text(st, index, s.p != NULL ? s : STR(""));
}

/* Which of the names the database has; its own checks let no other in. */
size_t store_name_index(const struct str *names, size_t count, struct str name);

/* NULL for a moment that is not there. */
void store_bind_time(struct db_stmt *st, int index, struct wall t);

/* "%what%" for LIKE ... ESCAPE '\', with what LIKE would read escaped; lies in `out`. */
struct str store_like(struct buf *out, struct str what);

#endif
