/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h -- the journal seen from the writer's side: frames read in order, space given back.
 *
 * The file, of which everything after the header is one ring of bytes:
 *
 *     page 0     magic, version, sizes | id | head | tail        (a cache line each)
 *     then       frame, frame, ... filler
 *
 *     frame      crc 4 | bytes 4 | seq 8 | kind 4 | payload bytes 4 | payload | padding to 8
 *
 * `head` and `tail` count bytes since the ring was made and never go back; the place in the file is
 * the count modulo the size. A frame lies in one piece: where it does not fit before the end, a
 * filler (or nothing, where not even its header fits) takes the rest. The checksum covers what
 * follows it and begins with the frame's position, so that a frame of an earlier round is no frame.
 *
 * The id is drawn anew each time the ring is taken into use, and sequence numbers begin at 1 with
 * it: what the store remembers of an id is never mistaken for another ring's, or another run's.
 *
 * Threads: the functions here are the writer's, beside one producer (journal.h).
 * Memory:  frames borrow from the mapping until ring_release() has passed them.
 * Errors:  E_CORRUPT for a frame that is not whole: after a loss of power, never after kill -9.
 */
#ifndef ANALYTICS_RING_H
#define ANALYTICS_RING_H

#include "analytics/journal.h"
#include "analytics/record_wire.h"

#include <stdatomic.h>

#define RING_VERSION RECORD_WIRE_VERSION
#define RING_UNSETTLED_MAX 8192
#define RING_NONE UINT64_MAX /* as the smallest unsettled number: there is none */

enum frame_kind { FRAME_RECORD = 1, FRAME_AMENDMENT = 2, FRAME_FILLER = 3 };

struct frame_header {
    uint32_t crc;
    uint32_t bytes; /* of the whole frame, a multiple of 8 */
    uint64_t seq;
    uint32_t kind;
    uint32_t payload_bytes;
};

#define FRAME_ALIGN(n) (((n) + 7u) & ~(size_t)7)
#define FRAME_RECORD_MAX FRAME_ALIGN(sizeof(struct frame_header) + RECORD_WIRE_MAX)
#define FRAME_AMENDMENT_MAX                                                                        \
    FRAME_ALIGN(sizeof(struct frame_header) + VARINT_MAX + AMENDMENT_WIRE_MAX)

/* The smallest ring that is of use: a few records of the largest size. */
#define RING_BYTES_MIN ((size_t)512 * 1024)

struct ring_header {
    char magic[8];
    uint32_t version;
    uint32_t header_bytes;
    uint64_t data_bytes;
    cache_aligned _Atomic uint64_t id;   /* atomic; changed by ring_renew() only */
    cache_aligned _Atomic uint64_t head; /* atomic; by the producer, release */
    cache_aligned _Atomic uint64_t tail; /* atomic; by the writer, release */
};

#define RING_HEADER_BYTES 4096

struct ring {
    struct ring_header *header; /* the mapping; const after open */
    unsigned char *data;        /* const after open */
    uint64_t size;              /* const after open: bytes at data */
    char *path;                 /* const after open */
    bool ready;                 /* const while there is a producer: it may commit */
    bool drain;                 /* const after open: left by another run, removed once read */

    /* the producer's own */
    cache_aligned uint64_t next_seq;
    uint64_t reserved; /* bytes set aside by ring_reserve() */
    unsigned unsettled_count;
    uint64_t unsettled[RING_UNSETTLED_MAX]; /* ascending */
    unsigned char scratch[RECORD_WIRE_MAX]; /* for a record that may have to move to the front */

    /* written by the producer, read by others */
    cache_aligned _Atomic uint64_t min_unsettled; /* atomic, release: pairs with ring_unsettled() */
    _Atomic uint64_t published;                   /* atomic, relaxed: newest sequence number */
    _Atomic uint64_t dropped;                     /* atomic, relaxed counter: no room */
    _Atomic uint64_t
        amended; /* atomic, relaxed, before the head: where the newest amendment ends */
};

/* Where a reader stands: the next frame's position, and its number (0 where any may follow). */
struct ring_cursor {
    uint64_t pos, seq;
};

struct frame {
    enum frame_kind kind; /* never FRAME_FILLER */
    uint64_t seq;
    uint64_t target; /* of an amendment: the record it changes */
    struct str payload;
};

/* Maps and checks a ring file; *ret_ring is on the heap. See journal_open() for the errors. */
must_check int ring_open(struct ring **ret_ring, const char *path, struct error *err);

/* Makes `path` a ring of `data_bytes`, whole or not at all. */
must_check int ring_create_file(const char *path, uint64_t data_bytes, struct error *err);

void ring_close(struct ring *ring);

static inline uint64_t ring_id(const struct ring *ring)
{
    return atomic_load_explicit(&ring->header->id, memory_order_relaxed);
}

/* The position up to which frames are published. */
uint64_t ring_head(const struct ring *ring);

/* The smallest number that is not settled yet; RING_NONE where there is none. */
uint64_t ring_unsettled(const struct ring *ring);

/*
 * A position behind which there is no amendment before `head`, which was read from ring_head(): so
 * there is mostly nothing to look for. Of an earlier run's frames nothing is known.
 */
uint64_t ring_amendments_end(const struct ring *ring, uint64_t head);

/* The oldest frame that is still there. */
struct ring_cursor ring_tail(const struct ring *ring);

/*
 * The frame at the cursor, which moves past it. 1; 0 at `end`; E_CORRUPT, the cursor unmoved.
 */
must_check int ring_next(const struct ring *ring, struct ring_cursor *cursor, uint64_t end,
                         struct frame *ret_frame);

/*
 * The same for the next amendment only. Records on the way are stepped over without a look at their
 * checksums.
 */
must_check int ring_next_amendment(const struct ring *ring, struct ring_cursor *cursor,
                                   uint64_t end, struct frame *ret_frame);

/* Everything before `pos` may be written over. */
void ring_release(struct ring *ring, uint64_t pos);

/* An emptied ring gets a new id and is ready for a producer. */
void ring_renew(struct ring *ring);

/* Bytes published and not released. */
uint64_t ring_used(const struct ring *ring);

/* Rings that are read: those of the carriers first, then what earlier runs left. */
unsigned journal_count(const struct journal *journal);
struct ring *journal_at(const struct journal *journal, unsigned index);

/*
 * When everything that was found at opening is read, stored and released: removes the files of
 * earlier runs that are no longer used and makes the carriers' rings ready. Headers and folder are
 * synced, so that after a loss of power no old id comes back.
 */
must_check int journal_renew(struct journal *journal, struct error *err);

#endif
