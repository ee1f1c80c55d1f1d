/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h -- where records go first: one ring of mapped memory for each carrier.
 *
 * A ring is a file of fixed size in the data directory, allocated in full and mapped. Committing a
 * record is a copy and one release store: no lock, no system call, no wait. What is committed
 * survives kill -9, since the pages are the kernel's. The writer (writer.h) reads the rings in
 * order and gives space back only when the transactions that hold the records are synced.
 *
 * Settling: a record is committed before the write that completes its answer. Should that write
 * fail, the truth is 499 with other numbers; ring_amend() says so, and ring_settle() that no
 * amendment will come. The writer does not touch a record that is not settled (for at most
 * JOURNAL_SETTLE_MAX_US), so the two are merged before anything is counted.
 *
 * Threads: a ring has one producer (its carrier); the writer is the only consumer.
 * Memory:  the mapping; commit copies, nothing is borrowed afterwards.
 * Errors:  opening reports; commit says by 0 that there was no room.
 */
#ifndef ANALYTICS_JOURNAL_H
#define ANALYTICS_JOURNAL_H

#include "analytics/record.h"
#include "base/error.h"

#define JOURNAL_SETTLE_MAX_US (2 * US_PER_S)

struct journal;
struct ring;

/*
 * Opens or creates `rings` ring files of `ring_bytes` each in `dir` (made if missing), 0-th first.
 * Rings of an earlier run beyond that number, or of another size, are kept for the writer to drain.
 */
must_check int journal_open(struct journal **ret_journal, const char *dir, unsigned rings,
                            size_t ring_bytes, struct error *err);
void journal_close(struct journal *journal);

/* The ring of carrier `index`. */
struct ring *journal_ring(struct journal *journal, unsigned index);

/*
 * Sets room aside for one record that takes at most `bytes` encoded (record_wire.h); false where
 * there is not so much. The gateway does so before it lets a metered call through: a call that
 * could not be counted is not served. Whatever is committed meanwhile, the room stays.
 */
bool ring_reserve(struct ring *ring, size_t bytes);

/*
 * Copies the record in and publishes it, not settled yet. Returns its sequence number in the ring,
 * from 1 on; 0 where there was no room (counted as journal_dropped).
 */
uint64_t ring_commit(struct ring *ring, const struct record *record);

/* The same in the room that was set aside for it: with the same `bytes`, once for each. */
uint64_t ring_commit_reserved(struct ring *ring, const struct record *record, size_t bytes);

/* The record `seq` became another: status, reason, bytes_out, duration_us and time are taken from
 * `record`. */
void ring_amend(struct ring *ring, uint64_t seq, const struct record *record);

/* No amendment of `seq` will follow. Must be called once for each commit, after ring_amend() if at
 * all. */
void ring_settle(struct ring *ring, uint64_t seq);

#endif
