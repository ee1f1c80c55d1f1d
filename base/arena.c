/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* bytes behind the header */
    _Alignas(max_align_t) char bytes[];
};

#ifdef ARENA_MALLOC
static const bool each_its_own = true;
#else
static const bool each_its_own = false;
#endif

void arena_init(struct arena *a, size_t chunk_size, size_t budget)
{
    *a = (struct arena){.chunk_size = chunk_size, .budget = budget};
}

static void free_chunks(struct arena_chunk *c)
{
    while (c != NULL) {
        struct arena_chunk *next = c->next;
        free(c);
        c = next;
    }
}

void arena_finish(struct arena *a)
{
    free_chunks(a->chunks);
    *a = (struct arena){.budget = 0};
}

void arena_finish_clean(struct arena *a)
{
    for (struct arena_chunk *c = a->chunks; c != NULL; c = c->next)
        explicit_bzero(c->bytes, c->size);
    arena_finish(a);
}

void arena_clear(struct arena *a)
{
    struct arena_chunk *c = a->chunks;
    a->used = 0;
    a->overflow = false;
    if (c == NULL)
        return;
    if (each_its_own) {
        free_chunks(c);
        a->chunks = NULL;
        a->at = a->end = NULL;
        return;
    }
    /* the oldest chunk is an ordinary one more often than the newest: keep that */
    while (c->next != NULL) {
        struct arena_chunk *next = c->next;
        free(c);
        c = next;
    }
    a->chunks = c;
    a->at = c->bytes;
    a->end = c->bytes + c->size;
}

static bool add_chunk(struct arena *a, size_t size)
{
    if (!each_its_own && size < a->chunk_size)
        size = a->chunk_size;
    struct arena_chunk *c = malloc(sizeof(*c) + size);
    if (c == NULL)
        return false;
    c->next = a->chunks;
    c->size = size;
    a->chunks = c;
    a->at = c->bytes;
    a->end = c->bytes + size;
    return true;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    size_t exact = size > 0 ? size : 1;
    if (unlikely(exact > a->budget - a->used)) {
        a->overflow = true;
        return NULL;
    }
    size_t want = each_its_own ? exact : (exact + align - 1) & ~(align - 1);
    if (each_its_own || unlikely((size_t)(a->end - a->at) < want)) {
        if (!add_chunk(a, want)) {
            a->overflow = true;
            return NULL;
        }
    }
    char *p = a->at;
    a->at += want;
    a->used = want < a->budget - a->used ? a->used + want : a->budget;
    return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    void *p = arena_alloc(a, size);
    if (p != NULL)
        memset(p, 0, size);
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        a->overflow = true;
        return NULL;
    }
    return arena_zalloc(a, bytes);
}

struct str arena_dup(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);
    if (p == NULL)
        return STR_EMPTY;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return str_make(p, s.n);
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    CHECK(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    if (p == NULL)
        return STR_EMPTY;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return str_make(p, (size_t)n);
}
