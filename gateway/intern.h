/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intern.h -- small numbers for names that come and go: the same name has the same number for as
 * long as the process lives, so what is kept by number outlasts a reload.
 *
 * Threads: belongs to one thread at a time; the owner guards it.
 * Memory:  its own copies of the names; a name is never forgotten.
 * Errors:  running out of memory aborts: names come from the configuration and the portal, not from
 *          requests.
 */
#ifndef GATEWAY_INTERN_H
#define GATEWAY_INTERN_H

#include "base/str.h"

#define INTERN_NONE UINT32_MAX

struct intern {
    struct str *names; /* by number; NUL-terminated copies */
    uint64_t *hashes;  /* by number */
    uint32_t count, cap;
    uint32_t *slots; /* hash table of numbers, INTERN_NONE for empty */
    uint32_t mask;   /* its size - 1 */
};

void intern_init(struct intern *in);
void intern_finish(struct intern *in);

/* The number of the name; the next free one, from 0 on, where it is new. */
uint32_t intern_get(struct intern *in, struct str name);

/* The number of the name, or INTERN_NONE where it was never seen. */
uint32_t intern_find(const struct intern *in, struct str name);

#endif
