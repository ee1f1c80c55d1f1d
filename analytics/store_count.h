/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_count.h -- how many rows lie between two numbers.
 *
 * Numbers have holes (each start of the program leaves one), so they cannot be subtracted. The
 * spans of the day files can: a span is written by one batch into one file and has no hole.
 *
 * Threads: by the thread of the store.
 * Memory:  none kept.
 * Errors:  see base/db.h.
 */
#ifndef ANALYTICS_STORE_COUNT_H
#define ANALYTICS_STORE_COUNT_H

#include "analytics/store.h"

/* Rows with after < seq <= up_to that store_rows_read() would visit. */
must_check int store_rows_count(struct store *store, uint64_t after, uint64_t up_to,
                                uint64_t *ret_count, struct error *err);

#endif
