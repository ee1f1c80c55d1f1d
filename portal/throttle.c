/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/throttle.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#define SETS 1024
#define WAYS 4

struct count {
    uint64_t name; /* hashed with its kind; 0 for none */
    struct mono began;
    unsigned n;
};

struct throttle {
    unsigned char key[crypto_shorthash_KEYBYTES]; /* const after creation */
    pthread_mutex_t mtx;
    struct count counts[SETS][WAYS]; /* guarded by mtx */
};

static const struct {
    unsigned max;
    int64_t window_us;
} RULES[THROTTLE_KINDS] = {
    [THROTTLE_ACCOUNT] = {10, 15 * US_PER_MINUTE}, [THROTTLE_ADDRESS] = {50, 15 * US_PER_MINUTE},
    [THROTTLE_SIGN_UPS] = {30, US_PER_HOUR},       [THROTTLE_MAILS] = {20, US_PER_HOUR},
    [THROTTLE_LETTERS] = {5, US_PER_HOUR},         [THROTTLE_KEYS] = {200, US_PER_HOUR},
};

struct throttle *throttle_create(void)
{
    struct throttle *t = calloc(1, sizeof(*t));
    CHECK(t != NULL);
    randombytes_buf(t->key, sizeof(t->key));
    CHECK(pthread_mutex_init(&t->mtx, NULL) == 0);
    return t;
}

void throttle_destroy(struct throttle *throttle)
{
    if (throttle == NULL)
        return;
    pthread_mutex_destroy(&throttle->mtx);
    free(throttle);
}

static uint64_t name_of(const struct throttle *t, enum throttle_kind kind, struct str name)
{
    unsigned char out[crypto_shorthash_BYTES];
    uint64_t hash;
    crypto_shorthash(out, (const unsigned char *)(name.p != NULL ? name.p : ""), name.n, t->key);
    memcpy(&hash, out, sizeof(hash));
    hash = (hash ^ (uint64_t)kind) * UINT64_C(0x9e3779b97f4a7c15);
    return hash != 0 ? hash : 1;
}

static bool is_over(const struct count *c, enum throttle_kind kind, struct mono now)
{
    return mono_since(now, c->began) >= RULES[kind].window_us;
}

/* The count of the name, or NULL. Under the mutex. */
static struct count *find(struct throttle *t, uint64_t name)
{
    struct count *set = t->counts[name >> 32 & (SETS - 1)];
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].name == name)
            return &set[i];
    }
    return NULL;
}

/* A place for the name: an empty one, or that of the oldest. */
static struct count *place(struct throttle *t, uint64_t name)
{
    struct count *set = t->counts[name >> 32 & (SETS - 1)];
    struct count *oldest = &set[0];
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].name == 0)
            return &set[i];
        if (set[i].began.us < oldest->began.us)
            oldest = &set[i];
    }
    return oldest;
}

bool throttle_is_full(struct throttle *throttle, enum throttle_kind kind, struct str name,
                      struct mono now, unsigned *ret_seconds)
{
    CHECK(pthread_mutex_lock(&throttle->mtx) == 0);
    const struct count *c = find(throttle, name_of(throttle, kind, name));
    bool full = c != NULL && !is_over(c, kind, now) && c->n >= RULES[kind].max;
    if (full) {
        int64_t left = RULES[kind].window_us - mono_since(now, c->began);
        *ret_seconds = (unsigned)((left + US_PER_S - 1) / US_PER_S);
    }
    CHECK(pthread_mutex_unlock(&throttle->mtx) == 0);
    return full;
}

void throttle_count(struct throttle *throttle, enum throttle_kind kind, struct str name,
                    struct mono now)
{
    CHECK(pthread_mutex_lock(&throttle->mtx) == 0);
    uint64_t hashed = name_of(throttle, kind, name);
    struct count *c = find(throttle, hashed);
    if (c == NULL || is_over(c, kind, now)) {
        if (c == NULL)
            c = place(throttle, hashed);
        *c = (struct count){.name = hashed, .began = now};
    }
    c->n++;
    CHECK(pthread_mutex_unlock(&throttle->mtx) == 0);
}

void throttle_forget(struct throttle *throttle, enum throttle_kind kind, struct str name)
{
    CHECK(pthread_mutex_lock(&throttle->mtx) == 0);
    struct count *c = find(throttle, name_of(throttle, kind, name));
    if (c != NULL)
        *c = (struct count){.name = 0};
    CHECK(pthread_mutex_unlock(&throttle->mtx) == 0);
}
