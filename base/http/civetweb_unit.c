/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one translation unit that holds CivetWeb. Its source is included as Debian packages it, after
 * civetweb.patch renamed three calls and made its stop flag atomic; the blocking calls it makes are
 * renamed here.
 */
#include "base/http/civetweb_unit.h"

#include "base/buf.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKLOG 4096

struct mg_context;

struct civet {
    struct civet_options options; /* const after start, but for place.next */
    struct mg_context *context;
    int wake_fd;          /* an eventfd that ends the accepting thread's poll */
    _Atomic bool closing; /* set once by civet_close_listeners() */
    _Atomic bool closed;  /* set by the accepting thread when it has let go of the ports */
    unsigned late;        /* accepting thread only: how often it looked since `closing` */
    char failure[256];    /* what CivetWeb said last while starting */
    int failed_errno;     /* of a bind or listen that failed */
};

/* The server that the calling thread is starting, or accepts for. */
static _Thread_local struct civet *own;

static void serve_connection(void *civet_connection);

/* --- what CivetWeb calls in place of the C library --- */

static void *worker_thread(void *connection);

static int unit_thread_create(pthread_t *thread, void *(*fn)(void *), void *arg)
{
    struct posix_spawn_place on_thread = {.carriers = NULL};
    bool worker = fn == worker_thread;
    return posix_thread_create(thread, fn, arg, worker ? &own->options.place : &on_thread);
}

/* The accepting thread joins workers; whoever stops the server joins the accepting thread. */
static int unit_thread_join(pthread_t thread)
{
    bool workers = own != NULL;
    return posix_thread_join(thread, workers && own->options.place.carriers != NULL);
}

static int unit_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    int r = bind(fd, address, length);
    if (r != 0)
        own->failed_errno = errno;
    return r;
}

static int unit_listen(int fd, int backlog)
{
    int r = listen(fd, backlog);
    if (r != 0)
        own->failed_errno = errno;
    return r;
}

static int unit_socket(int family, int type, int protocol)
{
    return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

/* Connections come non-blocking from accept4() and stay so: there is nothing left to set. */
static int unit_fcntl(int fd, int command, int value)
{
    (void)fd;
    (void)command;
    (void)value;
    return 0;
}

static int unit_accept(int listener, struct sockaddr *peer, socklen_t *length)
{
    int fd = accept4(listener, peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log_error("cannot accept a connection", kv_str("listener", own->options.name),
                      kv_i64("errno", errno));
            if (atomic_load(&own->closing))
                own->late = BACKLOG; /* what waits cannot be served any more */
            usleep(100000);          /* it stays in the backlog; trying at once would only spin */
        }
        return -1;
    }
    if (!own->options.admit(own->options.user, fd, peer))
        return -1;
    return fd;
}

/* No listener is readable: what waited has been taken, and the ports can be given up. */
static void let_go(const struct pollfd *fds, nfds_t count)
{
    for (nfds_t i = 0; i < count; i++)
        shutdown(fds[i].fd, SHUT_RDWR);
    atomic_store(&own->closed, true);
}

/* The accepting thread's poll: also ended by wake_fd, and quiet once the ports are given up. */
static int poll_listeners(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    struct pollfd all[CIVET_LISTENERS_MAX + 1];
    uint64_t ignored;
    CHECK(count <= CIVET_LISTENERS_MAX);
    if (atomic_load(&own->closed)) {
        usleep(20000);
        return 0;
    }
    memcpy(all, fds, count * sizeof(*fds));
    all[count] = (struct pollfd){.fd = own->wake_fd, .events = POLLIN};
    bool closing = atomic_load(&own->closing);
    int n = poll(all, count + 1, closing ? 0 : timeout_ms);
    if (n > 0 && all[count].revents != 0) {
        n--;
        if (read(own->wake_fd, &ignored, sizeof(ignored)) < 0)
            n = 0;
    }
    memcpy(fds, all, count * sizeof(*fds));
    /* what waited when the closing began has been taken after that many looks, even where ever more
     * comes */
    if (closing && (n <= 0 || own->late++ >= BACKLOG)) {
        let_go(fds, count);
        return 0;
    }
    return n;
}

static int unit_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    return own != NULL && fiber_self() == NULL ? poll_listeners(fds, count, timeout_ms)
                                               : posix_poll(fds, count, timeout_ms);
}

#define NO_SSL
#define NO_CGI
#define NO_FILES
#define NO_CACHING
#define NO_ALTERNATIVE_QUEUE
#define USE_IPV6
#define USE_X_DOM_SOCKET
#ifndef NDEBUG /* as most of CMake's build types define it */
#define NDEBUG
#endif
#define WEIR_SERVE(connection) serve_connection(connection)

#define pthread_create(thread, attr, fn, arg) unit_thread_create(thread, fn, arg)
#define pthread_join(thread, result) unit_thread_join(thread)
#define pthread_setspecific posix_setspecific
#define pthread_getspecific posix_getspecific
#define pthread_cond_wait posix_cond_wait
#define pthread_cond_signal posix_cond_signal
#define pthread_cond_broadcast posix_cond_broadcast
#define pthread_cond_destroy posix_cond_destroy
#define pthread_setname_np(...) 0
#define prctl(...) 0
#define poll unit_poll
#define close posix_close
#define usleep posix_usleep
#define accept unit_accept
#define socket unit_socket
#define bind unit_bind
#define listen unit_listen
#define fcntl(fd, command, value) unit_fcntl(fd, command, value)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "civetweb.c"
#pragma GCC diagnostic pop

#undef calloc
#undef free
#undef snprintf
#undef poll
#undef close
#undef usleep
#undef accept
#undef socket
#undef bind
#undef listen
#undef fcntl
#undef prctl
#undef pthread_create
#undef pthread_join
#undef pthread_setname_np

/* --- what we add --- */

static void serve_connection(void *civet_connection)
{
    struct mg_connection *conn = civet_connection;
    struct civet *civet = mg_get_user_data(conn->phys_ctx);
    civet->options.serve(civet->options.user, conn->client.sock, &conn->client.rsa.sa);
    close_connection(conn);
}

/* CivetWeb speaks of faults only while it starts and while it accepts. */
static int keep_message(const struct mg_connection *conn, const char *message)
{
    (void)conn;
    if (own != NULL && own->context == NULL)
        str_copy(str_from(message), own->failure, sizeof(own->failure));
    else
        log_warn("listener", kv_str("detail", message));
    return 1;
}

static void *name_thread(const struct mg_context *ctx, int type)
{
    struct civet *civet = mg_get_user_data(ctx);
    if (type == 0) {
        own = civet;
        pthread_setname_np(pthread_self(), civet->options.name);
    } else if (civet->options.place.carriers == NULL) {
        char name[16];
        snprintf(name, sizeof(name), "%.12s-w", civet->options.name);
        pthread_setname_np(pthread_self(), name);
    }
    return NULL;
}

static int start_failed(struct civet *civet, const struct civet_options *o, struct error *err)
{
    int failed_errno = civet->failed_errno;
    char why[256];
    str_copy(str_from(civet->failure), why, sizeof(why));
    close(civet->wake_fd);
    free(civet);
    if (failed_errno == EADDRINUSE)
        return error_set(err, E_BUSY,
                         "cannot listen on %s: another program uses it; stop it or choose another "
                         "`listen` address",
                         o->addresses);
    if (failed_errno == EACCES)
        return error_set(err, E_DENIED,
                         "cannot listen on %s: ports below 1024 need the capability "
                         "CAP_NET_BIND_SERVICE; choose a higher port or grant it",
                         o->addresses);
    if (failed_errno != 0)
        return error_set_errno(err, error_from_errno(failed_errno), failed_errno,
                               "cannot listen on %s", o->addresses);
    return error_set(err, E_IO, "cannot start the listener on %s: %s", o->addresses, why);
}

int civet_start(struct civet **ret_civet, const struct civet_options *options, struct error *err)
{
    struct civet *civet = calloc(1, sizeof(*civet));
    char workers[16], backlog[16];
    if (civet == NULL)
        return error_set(err, E_NOMEM, "no memory for a listener");
    civet->options = *options;
    civet->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    snprintf(workers, sizeof(workers), "%u", options->workers);
    snprintf(backlog, sizeof(backlog), "%u", BACKLOG);
    const char *settings[] = {
        "listening_ports",
        options->addresses,
        "num_threads",
        workers,
        "connection_queue",
        "256",
        "listen_backlog",
        backlog,
        "max_request_size",
        "1024",
        "tcp_nodelay",
        "1",
        "enable_keep_alive",
        "yes",
        "decode_url",
        "no",
        NULL,
    };
    struct mg_callbacks callbacks = {.log_message = keep_message, .init_thread = name_thread};
    own = civet;
    civet->context = mg_start(&callbacks, civet, settings);
    own = NULL;
    if (civet->context == NULL)
        return start_failed(civet, options, err);
    *ret_civet = civet;
    return 0;
}

bool civet_address(const struct civet *civet, unsigned index, struct sockaddr_storage *ret_address)
{
    if (index >= civet->context->num_listening_sockets)
        return false;
    socklen_t n = sizeof(*ret_address);
    memset(ret_address, 0, sizeof(*ret_address));
    return getsockname(civet->context->listening_sockets[index].sock,
                       (struct sockaddr *)ret_address, &n) == 0;
}

static void wake(struct civet *civet)
{
    uint64_t one = 1;
    ssize_t n = write(civet->wake_fd, &one, sizeof(one));
    (void)n; /* a full counter wakes as well */
}

void civet_close_listeners(struct civet *civet)
{
    atomic_store(&civet->closing, true);
    wake(civet);
    while (!atomic_load(&civet->closed))
        usleep(1000);
}

void civet_stop(struct civet *civet)
{
    if (civet == NULL)
        return;
    if (!atomic_load(&civet->closing))
        civet_close_listeners(civet);
    mg_stop(civet->context);
    close(civet->wake_fd);
    free(civet);
}
