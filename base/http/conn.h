/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.h -- inside of base/http/: the server's parts that its files share.
 *
 * Threads: a lane's lists are guarded by its mutex; on fibers a lane is one carrier's.
 * Memory:  workspaces are kept in the lane, most recently used first.
 * Errors:  none of its own.
 */
#ifndef BASE_HTTP_CONN_H
#define BASE_HTTP_CONN_H

#include "base/http/civetweb_unit.h"
#include "base/http/server.h"

#define HTTP_BODY_ROOM (16 * 1024) /* bytes of a body read at once */

/* NEW: waiting for the first request, which a drain lets come; IDLE: between two requests. */
enum http_phase { PHASE_NEW, PHASE_IDLE, PHASE_ACTIVE, PHASE_CLOSING };

/* What a request needs and an idle connection does not. */
struct http_work {
    struct http_work *next; /* in the lane's spare list */
    struct arena arena;
    struct head head;
    size_t begin, end; /* bytes in `in` that are not used up yet */
    size_t body_at; /* where the head of the current request ends: body bytes are read behind it */
    size_t cap;
    char in[];
};

struct http_lane {
    cache_aligned pthread_mutex_t mtx;
    struct http_conn *conns; /* guarded by mtx */
    struct http_work *spare; /* guarded by mtx on threads; the carrier's own on fibers */
    _Atomic uint64_t active; /* atomic, relaxed counter */
    _Atomic uint64_t idle;   /* atomic, relaxed counter */
};

struct http_server {
    struct http_options options; /* const after start */
    char name[16];               /* const after start: of the accepting thread */
    struct civet *civet;
    char *addresses; /* what is listened on, one NUL-terminated text a place */
    struct http_lane *lanes;
    unsigned lane_count;
    cache_aligned _Atomic unsigned open; /* connections accepted and not yet over */
    _Atomic uint64_t accepted, refused;  /* atomic, relaxed counters */
    _Atomic bool draining;
    struct client_table *clients; /* NULL without max_per_client */
};

/* Serves one connection until it is over (conn.c). */
void http_serve(struct http_server *server, int fd, const struct sockaddr *peer);

/* Makes the answer seen before a connection with unread input is closed (linger.c). */
void http_linger(struct http_conn *conn);

/* Reads what is left of a small body so that the connection can be used again; false where it is
 * not small. */
bool http_drain_body(struct http_conn *conn);

/* How many connections each client address has (clients.c). */
struct client_table *clients_create(unsigned max_per_client);
void clients_destroy(struct client_table *table);
/* Counts one more of that address; false (and nothing counted) when it has its share already. */
bool clients_enter(struct client_table *table, struct ip ip);
void clients_leave(struct client_table *table, struct ip ip);

#endif
