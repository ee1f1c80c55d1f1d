/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h -- an HTTP/1 server: a handler is called for each request, on a fiber or a thread of its
 * own.
 *
 * The handler is plain blocking code: it reads the body, it writes the answer, it may take its
 * time. A head that is refused also reaches the handler, with `fault` set, so that every answer is
 * composed, counted and recorded in one place. What the server does by itself: keep-alive (shorter
 * as the pool fills), draining or lingering over an unread body so that the client sees the answer,
 * a prompt 503 when every worker is taken, and a drain that finishes what is in flight.
 *
 * Threads: see each function; a struct http_conn belongs to its worker.
 * Memory:  idle connections hold none but their stack; a request borrows a workspace of its lane.
 * Errors:  negative E_ codes; start reports in one sentence.
 */
#ifndef BASE_HTTP_SERVER_H
#define BASE_HTTP_SERVER_H

#include "base/arena.h"
#include "base/fiber/fiber.h"
#include "base/http/decoder.h"
#include "base/http/head.h"
#include "base/http/target.h"
#include "base/ip.h"

#include <stdatomic.h>

struct http_server;
struct http_lane;
struct http_work;

struct http_conn {
    /* the request, for the handler */
    const struct head *head;
    unsigned fault;  /* 0, or the status a refused head is answered with: 400 408 414 431 501 505 */
    const char *why; /* with a fault: what was wrong */
    struct mono began;  /* when its first byte was read */
    uint64_t queue_us;  /* how long it had waited for its turn by then */
    uint64_t bytes_in;  /* of this request so far: head and body */
    uint64_t bytes_out; /* of its answer so far, as accepted by the kernel */
    struct ip peer;     /* of the connection, before any X-Forwarded-For */
    uint16_t peer_port;
    unsigned lane; /* index of the carrier; 0 on threads */
    bool close;    /* set by the handler: the answer said `Connection: close`. With a fault it is
                      set already, and the answer must say so. */
    bool crowded;  /* at its begin there was little room left: see http_wants_back() */

    int fd;            /* to wait for; not to be read or written */
    bool continue_due; /* the client waits for 100 Continue before it sends the body */

    /* inside */
    const struct http_server *server;
    struct http_work *work; /* NULL while idle */
    struct decoder decoder;
    struct fiber *fiber;
    struct http_conn *next, **prev; /* in its lane's list, guarded by lane.mtx */
    _Atomic int phase;
    uint64_t served;
};

#define HTTP_LISTEN_MAX 16 /* addresses of one server */

struct http_options {
    const char *name; /* of the listener, in thread names; up to 10 bytes */
    const struct str *listen;
    size_t listen_count;       /* at most HTTP_LISTEN_MAX */
    struct carriers *carriers; /* where the workers run; NULL for ordinary threads */
    unsigned workers;          /* connections served at once */
    unsigned max_per_client;   /* connections of one address; 0 for no cap */
    struct head_limits limits;
    int64_t head_timeout_us, body_timeout_us, send_timeout_us, keep_alive_us;
    /* the whole answer to a connection that finds no worker free, or no room under max_per_client
     */
    struct str overloaded;
    void (*handle)(struct http_conn *conn, void *arg);
    void *arg;
};

must_check int http_server_start(struct http_server **ret_server,
                                 const struct http_options *options, struct error *err);

/* "127.0.0.1:8080" of the place `index` in `listen`, with the port that was bound. Empty past the
 * last. */
struct str http_server_address(const struct http_server *server, unsigned index);

/*
 * Stops accepting, closes idle connections, and lets the others finish: their answers say
 * `Connection: close`. Returns at once.
 */
void http_server_drain(struct http_server *server);

/* Whether a drain has begun. Any thread. */
bool http_server_draining(const struct http_server *server);

/* How many connections are open. Any thread. */
unsigned http_server_open(const struct http_server *server);

/*
 * Ends what is still in flight: every wait of a fiber ends with E_CANCELED; on a thread the
 * client's socket is shut down, which ends the waits for it as if the client had left.
 */
void http_server_abort(struct http_server *server);

/*
 * Drains, and aborts what is left after `patience_us`. Returns when no connection is open; the
 * server can still be asked about.
 */
void http_server_finish(struct http_server *server, int64_t patience_us);

/* The same, then ends the workers and frees. NULL is accepted. */
void http_server_stop(struct http_server *server, int64_t patience_us);

struct http_server_stats {
    uint64_t accepted, refused; /* connections since start */
    uint64_t active, idle;      /* connections now: in a request, or between two */
};

struct http_server_stats http_server_stats(const struct http_server *server);

/* --- for the handler --- */

/* An arena for the request, empty at its begin. Budget: HTTP_ARENA_BYTES. */
struct arena *http_arena(struct http_conn *conn);
#define HTTP_ARENA_BYTES (64 * 1024)

/*
 * The next piece of the body: 0 with a piece that is valid until the next call; an empty piece at
 * the end. E_PROTOCOL for broken chunks, E_CLOSED or E_RESET when the client left, E_TIMEOUT,
 * E_CANCELED.
 */
must_check int http_body_read(struct http_conn *conn, struct str *ret_piece);

/* The same without waiting: E_BUSY where conn->fd must become readable first. */
must_check int http_body_try(struct http_conn *conn, struct str *ret_piece);

/*
 * Looks at what has arrived of the body without taking it: 0, or E_PROTOCOL where its chunks are
 * broken already.
 */
must_check int http_body_check(const struct http_conn *conn);

/*
 * Sends 100 Continue, where conn->continue_due says that the client waits for it. http_body_read()
 * does so by itself.
 */
must_check int http_send_continue(struct http_conn *conn);

/*
 * Whether the server wants the connection back, so that the answer must say `Connection: close`:
 * the pool is full, or a drain has begun, be it in the middle of this request.
 */
bool http_wants_back(const struct http_conn *conn);

static inline bool http_body_done(const struct http_conn *conn)
{
    return decoder_done(&conn->decoder);
}

/*
 * To be called before an answer is composed that does not need the rest of the body: reads up to 64
 * KiB of it for up to 1 s, so that the connection can be used again; where that does not end the
 * body, sets conn->close, and the answer must say so.
 */
void http_settle_body(struct http_conn *conn);

/*
 * Sends pieces of the answer, in one system call where they fit. Counts them into bytes_out. `iov`
 * is used up. On an error the connection is marked to be closed.
 */
must_check int http_send(struct http_conn *conn, struct iovec *iov, unsigned count);

/* Whether the peer of a connection has closed or reset it, without waiting. */
bool http_peer_gone(struct http_conn *conn);

#endif
