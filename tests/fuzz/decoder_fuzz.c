/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body out of arbitrary bytes: the first byte tells its framing, the second how it is cut. The
 * cuts must make no difference.
 */
#include "base/buf.h"
#include "base/http/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    struct buf payload;
    int result;
    size_t used;
    bool done;
    int at_eof;
};

/* Decodes all of it in parts of `step` bytes. */
static void decode(struct outcome *o, const struct head *head, struct str in, size_t step)
{
    struct decoder d;
    decoder_init(&d, head);
    *o = (struct outcome){.result = 0};
    buf_init(&o->payload, in.n + 1);
    while (o->result == 0 && o->used < in.n && !decoder_done(&d)) {
        struct str part = str_slice(in, o->used, o->used + step);
        size_t before = part.n;
        struct str piece;
        o->result = decoder_next(&d, &part, &piece);
        CHECK(part.n < before);
        CHECK(piece.n == 0 || (piece.p >= in.p + o->used && piece.n <= before - part.n));
        buf_add_str(&o->payload, piece);
        o->used += before - part.n;
    }
    CHECK(o->result == 0 || o->result == E_PROTOCOL);
    CHECK(buf_finish(&o->payload) == 0);
    o->done = decoder_done(&d);
    o->at_eof = o->result == 0 ? decoder_eof(&d) : 0;
    CHECK(!o->done || o->at_eof == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum body_kind kinds[] = {BODY_CHUNKED, BODY_CHUNKED, BODY_LENGTH,
                                           BODY_UNTIL_CLOSE, BODY_NONE};
    static struct head head;
    struct outcome whole, parts;
    if (size < 2)
        return 0;
    head.body = kinds[data[0] % (sizeof(kinds) / sizeof(kinds[0]))];
    head.content_length = data[0];
    struct str in = str_make((const char *)data + 2, size - 2);
    decode(&whole, &head, in, in.n + 1);
    decode(&parts, &head, in, 1 + data[1] % 16);
    CHECK(whole.result == parts.result && whole.done == parts.done);
    CHECK(whole.used == parts.used && whole.at_eof == parts.at_eof);
    CHECK(str_eq(buf_str(&whole.payload), buf_str(&parts.payload)));
    if (head.body == BODY_LENGTH)
        CHECK(whole.done == (in.n >= head.content_length));
    buf_free(&whole.payload);
    buf_free(&parts.payload);
    return 0;
}
