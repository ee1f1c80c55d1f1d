/* SPDX-License-Identifier: Apache-2.0 */
/*
 * civetweb_unit.h -- CivetWeb, reduced to what it does for us: listen, accept, keep workers, hand
 * each accepted connection to one of them.
 *
 * Everything of HTTP is ours (conn.c and its parsers): CivetWeb's own request loop, file server,
 * form and WebSocket handlers are compiled but cannot be reached, since the one call that leads
 * there is replaced by `serve` (base/http/civetweb.patch). Its blocking calls are those of
 * base/fiber/posix.h, so that workers may be fibers.
 *
 * Threads: start, close_listeners and stop by one owner; the callbacks come as said at each.
 * Memory:  the options' strings and `user` must outlive the server.
 * Errors:  start reports in one sentence.
 */
#ifndef BASE_HTTP_CIVETWEB_UNIT_H
#define BASE_HTTP_CIVETWEB_UNIT_H

#include "base/fiber/posix.h"

#define CIVET_LISTENERS_MAX 16

struct civet;

struct civet_options {
    const char *name;      /* of the accepting thread; up to 15 bytes */
    const char *addresses; /* comma-separated "127.0.0.1:8080", "[::1]:8080"; at most
                              CIVET_LISTENERS_MAX */
    unsigned workers;
    struct posix_spawn_place place; /* where the workers run */
    void *user;
    /* on the accepting thread: whether to take the connection; if not, it has been closed by the
     * callee */
    bool (*admit)(void *user, int fd, const struct sockaddr *peer);
    /* on a worker: serve the connection until it is over, without closing it */
    void (*serve)(void *user, int fd, const struct sockaddr *peer);
};

must_check int civet_start(struct civet **ret_civet, const struct civet_options *options,
                           struct error *err);

/* The address that was bound at place `index`; false past the last. */
bool civet_address(const struct civet *civet, unsigned index, struct sockaddr_storage *ret_address);

/* Takes what waits in the backlog, then accepts no more; the ports are free soon after the return.
 */
void civet_close_listeners(struct civet *civet);

/* Ends accepting thread and workers; every connection must be over. NULL is accepted. */
void civet_stop(struct civet *civet);

#endif
