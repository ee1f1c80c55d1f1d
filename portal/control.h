/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.h -- weir.db: what people decided, in the data directory.
 *
 * Each commit is on the disk when it returns: a key that was issued is never lost, one that was
 * revoked never comes back.
 *
 * Threads: see base/db.h; each thread opens a connection of its own.
 * Memory:  the connection.
 * Errors:  see base/db.h and base/migrate.h.
 */
#ifndef PORTAL_CONTROL_H
#define PORTAL_CONTROL_H

#include "base/db.h"

#define CONTROL_FILE "weir.db"

enum control_flags {
    CONTROL_READ = 0,
    CONTROL_WRITE = 1 << 0, /* makes the file where it is missing and brings it to this version */
};

/* Closed by db_close(). E_NOT_FOUND where there is nothing to read yet. */
must_check int control_open(struct db **ret_db, const char *dir, unsigned flags, struct error *err);

#endif
