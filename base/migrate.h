/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrate.h -- brings a database file to the version this program knows.
 *
 * Migrations are embedded files NNNN_what.sql, numbered from 0001 without a gap. All that a file
 * lacks run in one transaction together with their entries in the table `migrations` of the file,
 * which keeps the BLAKE2b-256 of each text: a file is known by what was done to it, and a migration
 * that was changed after its release is found out. Whoever reads meanwhile, and whoever comes after
 * a crash, finds the file as it was or as it will be.
 *
 * Threads: by the thread of the connection.
 * Memory:  none kept.
 * Errors:  E_NEWER where a newer version of the program has been at the file, E_CORRUPT where
 *          the entries are not ours; in both cases the file is untouched.
 */
#ifndef BASE_MIGRATE_H
#define BASE_MIGRATE_H

#include "base/db.h"
#include "base/embedded.h"

/*
 * Applies what is missing. A file that has been in use is copied first, to PATH.before-NNNN, NNNN
 * being the first migration that is new to it.
 */
must_check int migrate_run(struct db *db, const struct embedded_file *migrations,
                           struct error *err);

/*
 * Says whether a reader knows this file: 0, E_NEWER, or E_UNAVAILABLE where a migration is still
 * missing (the running version has to open it first). An empty file, as it is for a moment while
 * another process makes it, is E_NOT_FOUND without a sentence.
 */
must_check int migrate_check(struct db *db, const struct embedded_file *migrations,
                             struct error *err);

#endif
