/* SPDX-License-Identifier: Apache-2.0 */
/* Connections by client address: an open-addressed table under one mutex, touched once a
 * connection. */
#include "base/http/conn.h"

#include <stdlib.h>

struct client_slot {
    struct ip ip;
    unsigned count; /* 0: free */
};

struct client_table {
    pthread_mutex_t mtx;
    unsigned max; /* const after init */
    size_t used, cap;
    struct client_slot *slots; /* guarded by mtx, like the two above */
};

struct client_table *clients_create(unsigned max_per_client)
{
    struct client_table *t = calloc(1, sizeof(*t));
    CHECK(t != NULL);
    pthread_mutex_init(&t->mtx, NULL);
    t->max = max_per_client;
    t->cap = 256;
    t->slots = calloc(t->cap, sizeof(*t->slots));
    CHECK(t->slots != NULL);
    return t;
}

void clients_destroy(struct client_table *table)
{
    if (table == NULL)
        return;
    pthread_mutex_destroy(&table->mtx);
    free(table->slots);
    free(table);
}

static size_t home(const struct client_table *t, struct ip ip)
{
    return str_hash(str_make((const char *)ip.b, sizeof(ip.b))) & (t->cap - 1);
}

/* The slot of the address, or the free one where it would go. */
static struct client_slot *find(struct client_table *t, struct ip ip)
{
    size_t i = home(t, ip);
    while (t->slots[i].count > 0 && !ip_eq(t->slots[i].ip, ip))
        i = (i + 1) & (t->cap - 1);
    return &t->slots[i];
}

static void grow(struct client_table *t)
{
    struct client_slot *old = t->slots;
    size_t old_cap = t->cap;
    t->cap *= 2;
    t->slots = calloc(t->cap, sizeof(*t->slots));
    CHECK(t->slots != NULL);
    for (size_t i = 0; i < old_cap; i++) {
        if (old[i].count > 0)
            *find(t, old[i].ip) = old[i];
    }
    free(old);
}

bool clients_enter(struct client_table *table, struct ip ip)
{
    pthread_mutex_lock(&table->mtx);
    struct client_slot *s = find(table, ip);
    bool fits = s->count < table->max;
    if (fits && s->count++ == 0) {
        s->ip = ip;
        if (++table->used > table->cap / 2)
            grow(table);
    }
    pthread_mutex_unlock(&table->mtx);
    return fits;
}

/* Closes the gap that a freed slot would leave in the chains that run over it. */
static void close_gap(struct client_table *t, size_t gap)
{
    size_t mask = t->cap - 1;
    for (size_t i = (gap + 1) & mask; t->slots[i].count > 0; i = (i + 1) & mask) {
        size_t wanted = home(t, t->slots[i].ip);
        if (((i - wanted) & mask) >= ((i - gap) & mask)) {
            t->slots[gap] = t->slots[i];
            t->slots[i].count = 0;
            gap = i;
        }
    }
}

void clients_leave(struct client_table *table, struct ip ip)
{
    pthread_mutex_lock(&table->mtx);
    struct client_slot *s = find(table, ip);
    CHECK(s->count > 0);
    if (--s->count == 0) {
        table->used--;
        close_gap(table, (size_t)(s - table->slots));
    }
    pthread_mutex_unlock(&table->mtx);
}
