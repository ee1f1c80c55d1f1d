/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h -- what of the journal is ready to be stored: settled records, their amendments merged
 * in.
 *
 * A record waits in its ring until no amendment of it can come, or for JOURNAL_SETTLE_MAX_US. Since
 * an amendment lies in the ring before the end of its record's settling is published, looking up to
 * the newest head after asking what is settled finds every one.
 *
 *        cursor                      next       settled up to        head
 *           |---- this batch ---------|---- later ----|--- waiting ---|
 *                       ^______________amendments are looked for______^
 *
 * Threads: the writer's.
 * Memory:  the items borrow from the rings until batch_done().
 * Errors:  a ring whose end was lost with the machine's power is cut there, counted.
 */
#ifndef ANALYTICS_BATCH_H
#define ANALYTICS_BATCH_H

#include "analytics/ring.h"

#define BATCH_ITEMS 4096

struct batch_item {
    struct record record;
    unsigned ring;     /* index of its reader */
    uint64_t ring_seq; /* its number there */
    int64_t day;       /* of its completion, see store_day_of() */
};

#define SIGHTINGS 32 /* of heads, over JOURNAL_SETTLE_MAX_US */

/* The head of a ring as it was seen at a moment: what lies before it is at least that old. */
struct sighting {
    struct mono at;
    uint64_t pos;
};

struct ring_reader {
    struct ring *ring;
    uint64_t id;               /* ring_id(), as long as this reader reads it */
    struct ring_cursor cursor; /* everything before it is stored */
    struct ring_cursor next;   /* where the cursor goes when this batch is stored */
    uint64_t scanned;  /* amendments before this position were looked at by a stored batch */
    uint64_t scanning; /* the same, when this batch is stored */
    size_t first, end; /* this batch's items of the ring */
    uint64_t lowest;   /* the first number met by this reader; 0 before */
    struct sighting sightings[SIGHTINGS];
    unsigned sighting_count;
    _Atomic uint64_t stored; /* atomic, relaxed: newest number that is stored */
};

struct batch {
    struct batch_item *items;
    size_t count;
    unsigned reader_count;
    struct ring_reader *readers;
    bool more;                       /* something ready was left for the next batch */
    bool waiting;                    /* something is not settled yet */
    uint64_t late, torn, unreadable; /* of this batch */
};

/* Readers for all rings of the journal, at their oldest frames. */
void batch_init(struct batch *batch, struct journal *journal);
void batch_finish(struct batch *batch);

/*
 * Fills the batch from the cursors on. With `settle_all` nothing is waited for: after a restart, or
 * at the end, when no producer is left.
 */
void batch_collect(struct batch *batch, struct mono now, bool settle_all);

/* The batch is stored: the cursors move behind it. Without this the next batch is the same again.
 */
void batch_done(struct batch *batch);

/* Gives the rings back what is before the cursors. */
void batch_release(struct batch *batch);

/* The part of its ring that the fullest one uses, 0..1: waiting to be read, or to be released. */
double batch_unread(const struct batch *batch);
double batch_unreleased(const struct batch *batch);

#endif
