/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally.h -- what many records of a batch say about one thing, put into one write: windows of
 * limits and the last use of keys.
 *
 * Threads: the writer's.
 * Memory:  entries on the heap until the tally is written or cleared.
 * Errors:  those of the database; running out of memory aborts.
 */
#ifndef ANALYTICS_TALLY_H
#define ANALYTICS_TALLY_H

#include "analytics/labels.h"
#include "base/db.h"

/* Zeroed memory is an empty tally. */
struct tally {
    struct label_map quotas, keys;
};

void tally_add(struct tally *tally, const struct record *record);

/* Writes everything, within the caller's transaction; the tally is not emptied. */
must_check int tally_write(const struct tally *tally, struct db *totals, struct error *err);

void tally_clear(struct tally *tally);
void tally_finish(struct tally *tally);

#endif
