/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h -- one try of one request at one target; what the files of the forwarder share.
 *
 * forward.c finds a target and waits for the head of its answer, exchange.c sends the request, and
 * exchange_answer.c passes the answer back, while more of the body may still go the other way.
 *
 * Threads: the request's fiber.
 * Memory:  views into the connection's workspace (what the client sent), req->out (the head that is
 *          sent, later that of the answer) and req->in (what the upstream sent).
 * Errors:  negative E_ codes, as said at each function.
 */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include "base/http/decoder.h"
#include "gateway/req.h"

#include <sys/uio.h>

struct target;
struct upstream;

struct exchange {
    struct req *req;
    const struct upstream *upstream;
    struct target *target;
    int fd;
    bool reused; /* the connection was used before: it may have died meanwhile */

    /* towards the upstream */
    struct iovec pending[4]; /* what is to be sent next */
    unsigned pending_at, pending_count;
    char chunk_head[24];
    struct str first_piece; /* of the body; good for another try as long as nothing more was read */
    uint64_t body_bytes;    /* taken of the body so far */
    bool took_all;          /* nothing of the request is left to be read; some may be pending */
    bool cut_off;           /* no more is sent, though it is not complete */
    bool body_touched;      /* more than the first piece was read: the body cannot be sent again */
    bool watch_client;      /* readable means gone, unless a next request shows up */
    struct mono deadline;

    /* from the upstream */
    size_t in_n; /* bytes in req->in */
    unsigned interim;
    struct head answer; /* views into req->in */
    struct decoder decoder;
    bool client_failed; /* why the answer breaks off: it was not the upstream */
};

/* How long the upstream may be silent. */
static inline int64_t exchange_patience_us(const struct exchange *x)
{
    return x->req->route->timeout_us;
}

static inline bool exchange_has_pending(const struct exchange *x)
{
    return x->pending_at < x->pending_count;
}

/* Whether the upstream has been sent all of the request. */
static inline bool exchange_is_sent(const struct exchange *x)
{
    return x->took_all && !x->cut_off && !exchange_has_pending(x);
}

/* Whether the next thing to send must come from the client. */
static inline bool exchange_wants_body(const struct exchange *x)
{
    return !x->took_all && !x->cut_off && !exchange_has_pending(x);
}

/*
 * Begins to send `head`, which must stay as it is until it is sent, and with it what has come of
 * the body. 0, or what the client did wrong: E_PROTOCOL, E_TOO_LARGE, E_CLOSED and the like.
 */
must_check int exchange_begin(struct exchange *x, struct str head);

/*
 * One step of sending. 1 where something moved, 0 where one of the sides must be waited for, or
 * where nothing is left to do; an error is the client's, as above. An upstream that takes no more
 * is cut off: perhaps it has said why.
 */
must_check int exchange_send_on(struct exchange *x);

/* Sends no more; the client's connection ends with the answer, unless its body was read. */
void exchange_cut_off(struct exchange *x);

/*
 * Passes the answer on whose head is in x->answer, and settles what becomes of the connection to
 * the upstream. Ends with the record committed. `began`: when the request was first sent.
 */
void exchange_answer(struct exchange *x, struct mono began);

/* The client became readable though nothing is wanted of it: whether it is gone. A next request
 * ends the watch. */
bool exchange_client_left(struct exchange *x);

/* The refusal that the client's own fault deserves; false where it is simply gone. */
bool exchange_refuse_client(struct req *req, int error);

#endif
