/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink_cursor.h -- how far a sink has come, and what it has counted, kept over restarts.
 *
 * One line of text in a file of fixed size, written in place by one pwrite(2). Why not a database:
 * one row with one writer needs none. Why not a new file and a rename: that needs space, and a sink
 * must be able to go on when the disk is full. The line lies in one sector and ends with its
 * checksum: it is the old one or the new one whole, also after kill -9 and loss of power. It is
 * synced once a second; an older line than was written only means that rows are sent again.
 *
 * Threads: a cursor belongs to one thread.
 * Memory:  a descriptor.
 * Errors:  opening and saving report.
 */
#ifndef ANALYTICS_SINK_CURSOR_H
#define ANALYTICS_SINK_CURSOR_H

#include "base/clock.h"
#include "base/error.h"

enum sink_counter {
    SINK_SENT,
    SINK_ERRORS,
    SINK_DROPPED_RETENTION,
    SINK_DROPPED_REJECTED,
    SINK_DROPPED_TOO_LARGE,
    SINK_COUNTERS
};

struct sink_place {
    uint64_t seq;      /* rows up to this number need no more attention */
    uint64_t known_to; /* the store was last looked at up to this number, */
    uint64_t pending;  /* and had so many rows between the two */
    uint64_t counters[SINK_COUNTERS];
};

struct sink_cursor {
    int fd;
    bool unsynced;
    struct mono synced;
    char path[4096];
};

/*
 * Opens or makes the file; *ret_place is all 0 where there was none. E_CORRUPT where it is not ours
 * or damaged.
 */
must_check int sink_cursor_open(struct sink_cursor *cursor, const char *dir, const char *name,
                                struct sink_place *ret_place, struct error *err);

must_check int sink_cursor_save(struct sink_cursor *cursor, const struct sink_place *place,
                                struct error *err);

/* Syncs and closes. */
void sink_cursor_close(struct sink_cursor *cursor);

#endif
