/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decoder.h -- takes a message's body out of the bytes of its connection.
 *
 * One state machine for requests and responses: by length, chunked (RFC 9112 §7.1), until close.
 * Chunk sizes are bare hexadecimal digits (white space behind them is let pass: old servers pad),
 * lines end in CR LF, extensions are skipped, trailer fields are checked and dropped (RFC 9110
 * §6.5.1 lets an intermediary do so).
 *
 * Threads: a decoder belongs to one message.
 * Memory:  payload is given as views into the input.
 * Errors:  E_PROTOCOL for broken framing; then nothing more must be read of the connection.
 */
#ifndef BASE_HTTP_DECODER_H
#define BASE_HTTP_DECODER_H

#include "base/error.h"
#include "base/http/head.h"

enum decoder_state {
    DECODER_DATA,       /* `left` bytes of payload follow (UINT64_MAX: until close) */
    DECODER_SIZE,       /* hexadecimal digits of a chunk's size */
    DECODER_SIZE_SPACE, /* white space behind them */
    DECODER_EXTENSION,  /* rest of the size's line, from the ';' on */
    DECODER_SIZE_LF,
    DECODER_DATA_CR,
    DECODER_DATA_LF,
    DECODER_TRAILER,      /* at the beginning of a trailer line */
    DECODER_TRAILER_NAME, /* within its name */
    DECODER_TRAILER_LINE, /* behind the colon */
    DECODER_TRAILER_LF,
    DECODER_LAST_LF,
    DECODER_DONE,
};

struct decoder {
    enum decoder_state state;
    bool chunked;
    uint64_t left;
    uint64_t size;     /* of the chunk whose size is being read */
    unsigned digits;   /* of that size */
    uint32_t overhead; /* bytes of padding, extensions and trailers so far, less those of payload */
};

/* By how much what is skipped may outweigh what is not. */
#define DECODER_OVERHEAD_MAX (16 * 1024)

void decoder_init(struct decoder *d, const struct head *head);

static inline bool decoder_done(const struct decoder *d)
{
    return d->state == DECODER_DONE;
}

/*
 * Takes bytes off *in. 0: *ret_data is the next piece of payload, or empty where the input is used
 * up or the body has ended (decoder_done()). E_PROTOCOL: the framing is broken.
 */
must_check int decoder_next(struct decoder *d, struct str *in, struct str *ret_data);

/* The connection's other side closed: 0 where that ends the body, E_CLOSED where it cuts it. */
must_check int decoder_eof(struct decoder *d);

#endif
