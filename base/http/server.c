/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/server.h"

#include "base/buf.h"
#include "base/http/conn.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#define ADDRESS_TEXT_MAX 64

_Static_assert(HTTP_LISTEN_MAX <= CIVET_LISTENERS_MAX, "each address has a listener");

/* Answers a connection that nobody can serve, without waiting for anything it may send. */
static void turn_away(struct http_server *server, int fd)
{
    struct str text = server->options.overloaded;
    atomic_fetch_add_explicit(&server->refused, 1, memory_order_relaxed);
    if (text.n > 0) {
        ssize_t n = send(fd, text.p, text.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)n; /* a fresh socket's buffer takes it; if not, there is nothing better to do */
        shutdown(fd, SHUT_WR);
        /* what has come already is read away, so that the close does not reset the answer */
        char away[4096];
        for (int i = 0; i < 8 && recv(fd, away, sizeof(away), MSG_DONTWAIT) > 0; i++)
            continue;
    }
    close(fd);
}

static bool admit(void *user, int fd, const struct sockaddr *peer)
{
    struct http_server *server = user;
    uint16_t port;
    atomic_fetch_add_explicit(&server->accepted, 1, memory_order_relaxed);
    if (atomic_load_explicit(&server->open, memory_order_acquire) >= server->options.workers) {
        turn_away(server, fd);
        return false;
    }
    if (server->clients != NULL && !clients_enter(server->clients, ip_from_sockaddr(peer, &port))) {
        turn_away(server, fd);
        return false;
    }
    atomic_fetch_add_explicit(&server->open, 1, memory_order_relaxed);
    return true;
}

static void serve(void *user, int fd, const struct sockaddr *peer)
{
    http_serve(user, fd, peer);
}

static void keep_addresses(struct http_server *server)
{
    struct sockaddr_storage a;
    for (unsigned i = 0; i < server->options.listen_count; i++) {
        char ip[IP_TEXT_MAX], *text = server->addresses + i * ADDRESS_TEXT_MAX;
        uint16_t port;
        if (!civet_address(server->civet, i, &a))
            break;
        ip_format(ip_from_sockaddr((struct sockaddr *)&a, &port), ip);
        snprintf(text, ADDRESS_TEXT_MAX, a.ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip, port);
    }
}

static void server_free(struct http_server *server)
{
    for (unsigned i = 0; i < server->lane_count; i++) {
        struct http_work *w = server->lanes[i].spare;
        while (w != NULL) {
            struct http_work *next = w->next;
            arena_finish(&w->arena);
            free(w);
            w = next;
        }
        pthread_mutex_destroy(&server->lanes[i].mtx);
    }
    clients_destroy(server->clients);
    free(server->lanes);
    free(server->addresses);
    free(server);
}

static struct http_server *server_alloc(const struct http_options *o)
{
    struct http_server *server = aligned_alloc(CACHE_LINE, sizeof(*server));
    CHECK(server != NULL);
    memset(server, 0, sizeof(*server));
    server->options = *o;
    server->lane_count = o->carriers != NULL ? carriers_count(o->carriers) : 1;
    server->lanes = aligned_alloc(CACHE_LINE, server->lane_count * sizeof(struct http_lane));
    server->addresses = calloc(o->listen_count, ADDRESS_TEXT_MAX);
    CHECK(server->lanes != NULL && server->addresses != NULL);
    memset(server->lanes, 0, server->lane_count * sizeof(struct http_lane));
    for (unsigned i = 0; i < server->lane_count; i++)
        pthread_mutex_init(&server->lanes[i].mtx, NULL);
    if (o->max_per_client > 0)
        server->clients = clients_create(o->max_per_client);
    return server;
}

int http_server_start(struct http_server **ret_server, const struct http_options *options,
                      struct error *err)
{
    struct http_server *server = server_alloc(options);
    struct buf list;
    buf_init(&list, 4096);
    for (size_t i = 0; i < options->listen_count; i++) {
        if (i > 0)
            buf_add_char(&list, ',');
        buf_add_str(&list, options->listen[i]);
    }
    snprintf(server->name, sizeof(server->name), "%.10s-acc", options->name);
    struct civet_options civet = {
        .name = server->name,
        .addresses = buf_cstr(&list),
        .workers = options->workers,
        .place = {.carriers = options->carriers},
        .user = server,
        .admit = admit,
        .serve = serve,
    };
    int r = civet_start(&server->civet, &civet, err);
    buf_free(&list);
    if (r != 0) {
        server_free(server);
        return r;
    }
    keep_addresses(server);
    server->options.listen = NULL; /* the caller's, who may free it */
    *ret_server = server;
    return 0;
}

struct str http_server_address(const struct http_server *server, unsigned index)
{
    if (index >= server->options.listen_count)
        return STR_EMPTY;
    return str_from(server->addresses + index * ADDRESS_TEXT_MAX);
}

void http_server_drain(struct http_server *server)
{
    if (atomic_exchange(&server->draining, true))
        return;
    civet_close_listeners(server->civet);
    for (unsigned i = 0; i < server->lane_count; i++) {
        struct http_lane *lane = &server->lanes[i];
        pthread_mutex_lock(&lane->mtx);
        for (struct http_conn *c = lane->conns; c != NULL; c = c->next) {
            int idle = PHASE_IDLE;
            if (atomic_compare_exchange_strong(&c->phase, &idle, PHASE_CLOSING))
                shutdown(c->fd, SHUT_RD); /* ends its wait */
        }
        pthread_mutex_unlock(&lane->mtx);
    }
}

bool http_server_draining(const struct http_server *server)
{
    return atomic_load_explicit(&server->draining, memory_order_relaxed);
}

unsigned http_server_open(const struct http_server *server)
{
    return atomic_load_explicit(&server->open, memory_order_acquire);
}

void http_server_abort(struct http_server *server)
{
    for (unsigned i = 0; i < server->lane_count; i++) {
        struct http_lane *lane = &server->lanes[i];
        pthread_mutex_lock(&lane->mtx);
        for (struct http_conn *c = lane->conns; c != NULL; c = c->next) {
            /* not both: a shut socket would look as if the client had left */
            if (c->fiber != NULL)
                fiber_cancel(c->fiber);
            else
                shutdown(c->fd, SHUT_RDWR);
        }
        pthread_mutex_unlock(&lane->mtx);
    }
}

void http_server_finish(struct http_server *server, int64_t patience_us)
{
    http_server_drain(server);
    struct mono deadline = mono_after(clock_mono(), patience_us);
    while (http_server_open(server) > 0 && clock_mono().us < deadline.us)
        usleep(2000);
    while (http_server_open(server) > 0) {
        http_server_abort(server);
        usleep(2000);
    }
}

void http_server_stop(struct http_server *server, int64_t patience_us)
{
    if (server == NULL)
        return;
    http_server_finish(server, patience_us);
    civet_stop(server->civet);
    server_free(server);
}

struct http_server_stats http_server_stats(const struct http_server *server)
{
    struct http_server_stats s = {
        .accepted = atomic_load_explicit(&server->accepted, memory_order_relaxed),
        .refused = atomic_load_explicit(&server->refused, memory_order_relaxed),
    };
    for (unsigned i = 0; i < server->lane_count; i++) {
        s.active += atomic_load_explicit(&server->lanes[i].active, memory_order_relaxed);
        s.idle += atomic_load_explicit(&server->lanes[i].idle, memory_order_relaxed);
    }
    return s;
}
