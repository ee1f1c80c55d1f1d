/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/control.h"

#include "base/migrate.h"

#include <limits.h>
#include <stdio.h>

extern const struct embedded_file migrations_control[];

int control_open(struct db **ret_db, const char *dir, unsigned flags, struct error *err)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/" CONTROL_FILE, dir);
    if (n < 0 || (size_t)n >= sizeof(path))
        return error_set(err, E_TOO_LARGE, "the path of the folder %s is too long", dir);
    bool write = (flags & CONTROL_WRITE) != 0;
    struct db *db;
    int r = db_open(&db, path, write ? DB_WRITE | DB_SYNC_FULL : DB_READ, err);
    if (r != 0)
        return r;
    r = write ? migrate_run(db, migrations_control, err)
              : migrate_check(db, migrations_control, err);
    if (r != 0) {
        db_close(db);
        return r;
    }
    *ret_db = db;
    return 0;
}
