/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h -- memory with one lifetime and a hard budget: a request, a snapshot, a query.
 *
 * Pieces are cut from chunks and never freed one by one; arena_clear() takes all of them back and
 * keeps the first chunk for the next round, so a warm request allocates nothing. A piece beyond the
 * budget is NULL and sets `overflow`: whoever owns the arena answers (413, 431, 500) instead of
 * growing without end.
 *
 * Built with -DARENA_MALLOC each piece is a malloc of its own, so that a sanitizer sees every
 * overrun; the asan preset does so.
 *
 * Threads: an arena belongs to one thread (or fiber).
 * Memory:  chunks from the heap.
 * Errors:  NULL and the sticky `overflow`.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/compiler.h"
#include "base/str.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    char *at;                   /* next free byte of the newest chunk */
    char *end;                  /* its end */
    size_t used;                /* bytes handed out since the last clear */
    size_t budget;              /* the most that may be handed out */
    size_t chunk_size;          /* size of an ordinary chunk */
    bool overflow;              /* a piece was refused since the last clear */
};

/* Prepares an empty arena; allocates nothing until the first piece. */
void arena_init(struct arena *a, size_t chunk_size, size_t budget);

/* Frees everything; the arena must be initialised again before use. Zeroed memory is accepted. */
void arena_finish(struct arena *a);

/* The same for memory that held secrets: overwrites it first. */
void arena_finish_clean(struct arena *a);

/* Takes back all pieces; one chunk is kept. */
void arena_clear(struct arena *a);

/* `size` bytes aligned for any type, not cleared; NULL beyond the budget. */
void *arena_alloc(struct arena *a, size_t size);

/* The same, zeroed. */
void *arena_zalloc(struct arena *a, size_t size);

/* `count` items of `size` bytes, zeroed; NULL beyond the budget or on overflow of the product. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* A copy with a NUL behind it (not counted); {NULL, 0} beyond the budget. */
struct str arena_dup(struct arena *a, struct str s);

/* A formatted string with a NUL behind it; {NULL, 0} beyond the budget. */
attr_printf(2, 3) struct str arena_printf(struct arena *a, const char *fmt, ...);

#endif
