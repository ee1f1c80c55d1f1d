/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/batch.h"

#include "analytics/store.h"

#include <stdlib.h>

void batch_init(struct batch *batch, struct journal *journal)
{
    *batch = (struct batch){.reader_count = journal_count(journal)};
    batch->items = calloc(BATCH_ITEMS, sizeof(*batch->items));
    batch->readers = calloc(batch->reader_count, sizeof(*batch->readers));
    CHECK(batch->items != NULL && batch->readers != NULL);
    for (unsigned i = 0; i < batch->reader_count; i++) {
        struct ring_reader *reader = &batch->readers[i];
        reader->ring = journal_at(journal, i);
        reader->id = ring_id(reader->ring);
        reader->cursor = reader->next = ring_tail(reader->ring);
        reader->scanned = reader->scanning = reader->cursor.pos;
    }
}

void batch_finish(struct batch *batch)
{
    free(batch->items);
    free(batch->readers);
    *batch = (struct batch){.items = NULL};
}

/*
 * The position before which everything is older than JOURNAL_SETTLE_MAX_US. The heads are noted
 * some sixteen times in that span, so what is said to be old is at most a sixteenth older.
 */
static uint64_t old_position(struct ring_reader *reader, struct mono now, uint64_t head)
{
    const int64_t step = 2 * JOURNAL_SETTLE_MAX_US / SIGHTINGS;
    unsigned n = reader->sighting_count, passed = 0;
    uint64_t pos = 0;
    while (passed < n && mono_since(now, reader->sightings[passed].at) >= JOURNAL_SETTLE_MAX_US)
        pos = reader->sightings[passed++].pos;
    /* the newest of the old ones is kept, as the answer for the next time */
    unsigned drop = passed > 0 ? passed - 1 : 0;
    n -= drop;
    memmove(reader->sightings, reader->sightings + drop, n * sizeof(reader->sightings[0]));
    if (n == 0 || (n < SIGHTINGS && mono_since(now, reader->sightings[n - 1].at) >= step))
        reader->sightings[n++] = (struct sighting){.at = now, .pos = head};
    reader->sighting_count = n;
    return pos;
}

/* The item of the ring with this number; NULL where the batch has none. */
static struct batch_item *find_item(struct batch *batch, const struct ring_reader *reader,
                                    uint64_t seq)
{
    size_t low = reader->first, high = reader->end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (batch->items[middle].ring_seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < reader->end && batch->items[low].ring_seq == seq;
    return found ? &batch->items[low] : NULL;
}

/* Merges the amendments between the cursor and `end` into the batch's records of this ring. */
static void amend(struct batch *batch, struct ring_reader *reader, uint64_t end)
{
    struct ring_cursor at = reader->cursor;
    struct frame frame;
    while (ring_next_amendment(reader->ring, &at, end, &frame) == 1) {
        struct batch_item *item = find_item(batch, reader, frame.target);
        if (item != NULL) {
            if (amendment_decode_into(frame.payload, &item->record) != 0)
                batch->unreadable++;
            item->day = store_day_of(item->record.time);
        } else if (at.pos > reader->scanned && frame.target >= reader->lowest &&
                   frame.target < reader->next.seq) {
            batch->late++;
        }
    }
}

/* Takes one frame into the batch. */
static void take(struct batch *batch, struct ring_reader *reader, const struct frame *frame)
{
    if (reader->lowest == 0)
        reader->lowest = frame->seq;
    if (frame->kind == FRAME_AMENDMENT)
        return; /* merged already, or by amend() */
    struct batch_item *item = &batch->items[batch->count];
    if (record_decode(frame->payload, &item->record) != 0) {
        batch->unreadable++; /* the checksum was right: a bug, or another version's record */
        return;
    }
    item->ring = (unsigned)(reader - batch->readers);
    item->ring_seq = frame->seq;
    item->day = store_day_of(item->record.time);
    batch->count++;
}

struct window {
    uint64_t end;       /* read no further */
    uint64_t unsettled; /* numbers from here on may still be amended ... */
    uint64_t old;       /* ... but before this position nothing is waited for */
};

static void collect_records(struct batch *batch, struct ring_reader *reader, struct window window,
                            size_t max)
{
    struct ring_cursor at = reader->cursor;
    struct frame frame;
    reader->first = batch->count;
    for (;;) {
        struct ring_cursor before = at;
        int r = ring_next(reader->ring, &at, window.end, &frame);
        if (r < 0) {
            /* the rest is lost: it never was whole */
            at = (struct ring_cursor){.pos = window.end};
            batch->torn++;
        }
        if (r <= 0)
            break;
        bool settled = frame.seq < window.unsettled || before.pos < window.old;
        if (!settled || batch->count - reader->first == max) {
            batch->waiting |= !settled;
            batch->more |= settled;
            at = before;
            break;
        }
        take(batch, reader, &frame);
    }
    reader->end = batch->count;
    reader->next = at;
}

void batch_collect(struct batch *batch, struct mono now, bool settle_all)
{
    batch->count = 0;
    batch->more = batch->waiting = false;
    batch->late = batch->torn = batch->unreadable = 0;
    size_t share = BATCH_ITEMS / batch->reader_count;
    for (unsigned i = 0; i < batch->reader_count; i++) {
        struct ring_reader *reader = &batch->readers[i];
        /* the order matters: what is published, what of it is settled, and then what has been
         * published meanwhile, in which the amendments of the settled ones are */
        struct window window = {.end = ring_head(reader->ring)};
        window.unsettled = settle_all ? RING_NONE : ring_unsettled(reader->ring);
        uint64_t head = ring_head(reader->ring);
        window.old = old_position(reader, now, window.end);
        collect_records(batch, reader, window, share > 0 ? share : 1);
        amend(batch, reader, ring_amendments_end(reader->ring, head));
        reader->scanning = head;
    }
}

void batch_done(struct batch *batch)
{
    for (unsigned i = 0; i < batch->reader_count; i++) {
        struct ring_reader *reader = &batch->readers[i];
        reader->cursor = reader->next;
        if (reader->scanning > reader->scanned)
            reader->scanned = reader->scanning;
        if (reader->cursor.seq > 0)
            atomic_store_explicit(&reader->stored, reader->cursor.seq - 1, memory_order_relaxed);
    }
    batch->count = 0;
}

void batch_release(struct batch *batch)
{
    for (unsigned i = 0; i < batch->reader_count; i++)
        ring_release(batch->readers[i].ring, batch->readers[i].cursor.pos);
}

double batch_unread(const struct batch *batch)
{
    double most = 0;
    for (unsigned i = 0; i < batch->reader_count; i++) {
        const struct ring_reader *reader = &batch->readers[i];
        uint64_t unread = ring_head(reader->ring) - reader->cursor.pos;
        double part = (double)unread / (double)reader->ring->size;
        most = part > most ? part : most;
    }
    return most;
}

double batch_unreleased(const struct batch *batch)
{
    double most = 0;
    for (unsigned i = 0; i < batch->reader_count; i++) {
        const struct ring *ring = batch->readers[i].ring;
        double part = (double)ring_used(ring) / (double)ring->size;
        most = part > most ? part : most;
    }
    return most;
}
