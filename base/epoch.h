/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoch.h -- memory that readers use without a lock, freed when nobody can see it any more.
 *
 * Requests live long (they wait for upstreams) and see tables that change meanwhile. Each reader
 * slot (one a carrier) counts its open requests by the epoch they began in. What a change takes out
 * of a table is retired under the current epoch and freed once every slot's requests of that epoch
 * and earlier have ended. A stream that stays open for hours holds back only memory, never a
 * change.
 *
 * Threads: enter and leave by the slot's own thread; retire, advance by one changing thread at a
 * time (guarded inside by a mutex, never touched by readers). Memory:  retired pointers are freed
 * by the function given with them. Errors:  none.
 */
#ifndef BASE_EPOCH_H
#define BASE_EPOCH_H

#include "base/compiler.h"

struct epoch;

/* For `slots` reader threads. */
struct epoch *epoch_create(unsigned slots);

/* No reader may be inside. Frees everything still retired. NULL is accepted. */
void epoch_destroy(struct epoch *epoch);

/* A request begins on `slot`; what it loads from now on stays valid until it leaves with this
 * token. */
unsigned epoch_enter(struct epoch *epoch, unsigned slot);
void epoch_leave(struct epoch *epoch, unsigned slot, unsigned token);

/* Frees `ptr` by free_fn(ptr) when no request that could have loaded it is left. Call after
 * unlinking it. */
void epoch_retire(struct epoch *epoch, void *ptr, void (*free_fn)(void *ptr));

/* Frees what has become free; called by whoever ticks (the watcher, each second) and by
 * epoch_retire(). */
void epoch_collect(struct epoch *epoch);

#endif
