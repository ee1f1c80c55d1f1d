/* SPDX-License-Identifier: Apache-2.0 */
#include "base/password.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#define OPS 2U
#define MEMORY_BYTES (19U << 20)

_Static_assert(PASSWORD_TEXT_MAX >= crypto_pwhash_STRBYTES, "a hash fits");

struct passwords {
    char nobody[PASSWORD_TEXT_MAX]; /* const after creation */
    unsigned at_once, waiting_max;  /* const after creation */
    pthread_mutex_t mtx;
    pthread_cond_t done;
    unsigned running, waiting; /* guarded by mtx */
};

static int hash(struct str password, char ret_text[static PASSWORD_TEXT_MAX])
{
    memset(ret_text, 0, PASSWORD_TEXT_MAX);
    return crypto_pwhash_str_alg(ret_text, password.p != NULL ? password.p : "", password.n, OPS,
                                 MEMORY_BYTES, crypto_pwhash_ALG_ARGON2ID13) == 0
               ? 0
               : E_NOMEM;
}

struct passwords *passwords_create(unsigned at_once, unsigned waiting)
{
    char random[32];
    struct passwords *p = calloc(1, sizeof(*p));
    CHECK(p != NULL && at_once > 0);
    p->at_once = at_once;
    p->waiting_max = waiting;
    CHECK(pthread_mutex_init(&p->mtx, NULL) == 0);
    CHECK(pthread_cond_init(&p->done, NULL) == 0);
    randombytes_buf(random, sizeof(random));
    CHECK(hash(str_make(random, sizeof(random)), p->nobody) == 0);
    sodium_memzero(random, sizeof(random));
    return p;
}

void passwords_destroy(struct passwords *passwords)
{
    if (passwords == NULL)
        return;
    pthread_cond_destroy(&passwords->done);
    pthread_mutex_destroy(&passwords->mtx);
    free(passwords);
}

/* Waits for a turn. */
static int enter(struct passwords *p)
{
    int r = 0;
    CHECK(pthread_mutex_lock(&p->mtx) == 0);
    if (p->running >= p->at_once && p->waiting >= p->waiting_max) {
        r = E_BUSY;
    } else {
        p->waiting++;
        while (p->running >= p->at_once)
            CHECK(pthread_cond_wait(&p->done, &p->mtx) == 0);
        p->waiting--;
        p->running++;
    }
    CHECK(pthread_mutex_unlock(&p->mtx) == 0);
    return r;
}

static void leave(struct passwords *p)
{
    CHECK(pthread_mutex_lock(&p->mtx) == 0);
    p->running--;
    CHECK(pthread_cond_signal(&p->done) == 0);
    CHECK(pthread_mutex_unlock(&p->mtx) == 0);
}

int password_hash(struct passwords *passwords, struct str password,
                  char ret_text[static PASSWORD_TEXT_MAX])
{
    int r = enter(passwords);
    if (r != 0)
        return r;
    r = hash(password, ret_text);
    leave(passwords);
    return r;
}

int password_verify(struct passwords *passwords, struct str text, struct str password,
                    bool *ret_right)
{
    char copy[PASSWORD_TEXT_MAX] = {0};
    bool somebody = text.n > 0 && str_copy(text, copy, sizeof(copy));
    int r = enter(passwords);
    if (r != 0)
        return r;
    bool right = crypto_pwhash_str_verify(somebody ? copy : passwords->nobody,
                                          password.p != NULL ? password.p : "", password.n) == 0;
    leave(passwords);
    *ret_right = right && somebody;
    return 0;
}
