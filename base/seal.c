/* SPDX-License-Identifier: Apache-2.0 */
#include "base/seal.h"

#include "base/error.h"

#include <assert.h>
#include <sodium.h>

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES

static_assert(sizeof(struct seal_key) == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
              "the key is the cipher's");

struct seal_key seal_key_make(const struct pepper *pepper, struct str purpose)
{
    struct seal_key key;
    CHECK(crypto_generichash(key.b, sizeof(key.b), (const unsigned char *)purpose.p, purpose.n,
                             pepper->b, sizeof(pepper->b)) == 0);
    return key;
}

void seal(struct buf *out, const struct seal_key *key, struct str text, struct str place)
{
    char *to = buf_reserve(out, NONCE_BYTES + text.n + TAG_BYTES);
    if (to == NULL)
        return;
    unsigned char *nonce = (unsigned char *)to;
    randombytes_buf(nonce, NONCE_BYTES); /* 192 bits: never the same twice */
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        nonce + NONCE_BYTES, NULL, (const unsigned char *)text.p, text.n,
        (const unsigned char *)place.p, place.n, NULL, nonce, key->b);
    buf_advance(out, NONCE_BYTES + text.n + TAG_BYTES);
}

int seal_open(struct buf *out, const struct seal_key *key, struct str sealed, struct str place)
{
    if (sealed.n < NONCE_BYTES + TAG_BYTES)
        return E_CORRUPT;
    const unsigned char *nonce = (const unsigned char *)sealed.p;
    size_t n = sealed.n - NONCE_BYTES - TAG_BYTES;
    /* room for one byte more: an empty text has a place too */
    unsigned char *to = (unsigned char *)buf_reserve(out, n + 1);
    if (to == NULL)
        return E_NOMEM;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            to, NULL, NULL, nonce + NONCE_BYTES, sealed.n - NONCE_BYTES,
            (const unsigned char *)place.p, place.n, nonce, key->b) != 0)
        return E_CORRUPT;
    buf_advance(out, n);
    return 0;
}
