/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h -- API keys as text, and what is kept of them.
 *
 *     weir_live_4fGh81Zq_Yx0s...32 characters...9aQ1b2C3d
 *     |    |    |        |                       |
 *     |    |    |        |                       crc: 6 base62 digits, CRC32 of all before it
 *     |    |    |        secret: 32 random base62 characters, 190 bits
 *     |    |    kid: 8 random base62 characters, public: names the key in lists, logs and records
 *     |    live or test
 *     the mark leak scanners look for
 *
 * The checksum tells a mistyped key from an unknown one without a look-up, and lets a scanner drop
 * what only looks like a key. At rest there is a keyed BLAKE2b-256 under the pepper, a file beside
 * the database: who steals the database alone cannot even test a guess.
 *
 * Threads: pure functions; pepper_load() may race with itself, even between processes.
 * Memory:  results borrow from their argument; temporaries that held a secret are zeroed.
 * Errors:  pepper_load() reports to `struct error`; the rest cannot fail. sodium_init() was called
 * before.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/error.h"
#include "base/str.h"

#define KEY_KID_LEN 8
#define KEY_SECRET_LEN 32
#define KEY_CRC_LEN 6
#define KEY_TEXT_LEN (10 + KEY_KID_LEN + 1 + KEY_SECRET_LEN + KEY_CRC_LEN) /* 57 */

/* What leak scanners are told to look for. */
#define KEY_PATTERN "weir_(live|test)_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}"

enum key_env { KEY_LIVE, KEY_TEST };

/* "live" or "test". */
struct str key_env_name(enum key_env env);

/* 0, or E_INVALID where it is neither. */
must_check int key_env_find(struct str name, enum key_env *ret_env);

/* A whole key; whoever holds one zeroes it with key_text_clear(). */
struct key_text {
    char p[KEY_TEXT_LEN + 1]; /* NUL-terminated */
};

/* Draws a new key. */
void key_generate(enum key_env env, struct key_text *ret_text);
void key_text_clear(struct key_text *text);

static inline struct str key_text_str(const struct key_text *text)
{
    return str_make(text->p, KEY_TEXT_LEN);
}

enum key_form {
    KEY_OURS,        /* our form and its checksum is right */
    KEY_OURS_BROKEN, /* begins like ours, but length, alphabet or checksum is wrong: no look-up
                        needed */
    KEY_FOREIGN,     /* another form: an imported secret, looked up by its hash */
};

struct key_parsed {
    enum key_env env; /* only for KEY_OURS */
    struct str kid;   /* only for KEY_OURS; borrows from the text */
};

/* Looks at a text sent as a key. ret_parsed is written for KEY_OURS only; it may be NULL. */
enum key_form key_parse(struct str text, struct key_parsed *ret_parsed);

/* The hashing key. Never in the database, never in a backup of it. */
struct pepper {
    unsigned char b[32];
};

#define SECRET_HASH_LEN 32

struct secret_hash {
    unsigned char b[SECRET_HASH_LEN];
};

/* Of any secret, whatever its form. */
struct secret_hash secret_hash_make(const struct pepper *pepper, struct str secret);

/* In time that does not depend on where they differ. */
bool secret_hash_eq(const struct secret_hash *a, const struct secret_hash *b);

/*
 * Reads the file `pepper` of folder `dir`, drawing it first where there is none (mode 0600, in one
 * atomic step, never over an existing one: a lost pepper makes every key invalid). Refuses a file
 * of another size (E_CORRUPT) or one that others may read (E_DENIED).
 */
must_check int pepper_load(const char *dir, struct pepper *ret_pepper, struct error *err);

/*
 * The same, but where `file` of that folder exists and the pepper does not, nothing is drawn
 * (E_NOT_FOUND): the hashes in there were made with one that is lost.
 */
must_check int pepper_load_beside(const char *dir, const char *file, struct pepper *ret_pepper,
                                  struct error *err);

#endif
