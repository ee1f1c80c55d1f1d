/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fiber/fiber.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONTROL_LINE_MAX (64UL << 20) /* an answer may list all keys */
#define CONTROL_PATIENCE_US (60 * US_PER_S)
#define REQUEST_PATIENCE_US (2 * US_PER_S) /* one that asks nothing keeps others waiting */
#define ACCEPT_PAUSE_MS 100

struct control {
    pthread_t thread;
    int listener, stop_fd;
    control_handler *handler;
    void *ctx;
    pthread_mutex_t mtx;
    int client;    /* guarded by mtx: who is answered; -1 for nobody */
    bool stopping; /* guarded by mtx */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static int address_of(struct sockaddr_un *a, const char *data_dir, struct error *err)
{
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(a->sun_path, sizeof(a->sun_path), "%s/control.sock", data_dir);
    if (n < 0 || (size_t)n >= sizeof(a->sun_path))
        return error_set(
            err, E_TOO_LARGE,
            "the path of data_dir is too long for a Unix socket: %s (at most %zu bytes)", data_dir,
            sizeof(a->sun_path) - sizeof("/control.sock"));
    return 0;
}

/* Reads up to a newline, which is left out. */
static int read_line(int fd, int64_t patience_us, struct buf *line)
{
    struct mono deadline = mono_after(clock_mono(), patience_us);
    for (;;) {
        char *to = buf_reserve(line, 4096);
        if (to == NULL)
            return E_TOO_LARGE;
        ssize_t n = fiber_recv(fd, to, 4096, deadline);
        if (n <= 0)
            return n == 0 ? E_CLOSED : (int)n;
        size_t from = line->n;
        buf_advance(line, (size_t)n);
        size_t at = str_find_char(buf_str(line), '\n', from);
        if (at < line->n) {
            line->n = at;
            return 0;
        }
    }
}

/* It may hold a secret: written in one piece, which is overwritten. */
static int send_json(int fd, const json_t *json)
{
    size_t n = json_dumpb(json, NULL, 0, JSON_COMPACT);
    char *text = malloc(n + 1);
    if (text == NULL)
        return E_NOMEM;
    CHECK(json_dumpb(json, text, n, JSON_COMPACT) == n);
    text[n] = '\n';
    int r = fiber_send(fd, text, n + 1, CONTROL_PATIENCE_US, NULL);
    explicit_bzero(text, n + 1);
    free(text);
    return r;
}

void control_wipe(json_t *answer)
{
    const char *name;
    json_t *value;
    json_object_foreach(answer, name, value)
    {
        /* the answer is ours alone: only its view of the text is const */
        if (json_is_string(value))
            explicit_bzero((void *)(uintptr_t)json_string_value(value), json_string_length(value));
    }
    json_decref(answer);
}

static json_t *error_json(const struct error *err)
{
    return json_pack("{s:s, s:i}", "error", err->text, "code", err->code);
}

static void answer(struct control *c, int fd)
{
    struct buf line;
    struct error err = ERROR_INIT;
    json_t *request = NULL, *result = NULL;
    buf_init(&line, CONTROL_LINE_MAX);
    if (read_line(fd, REQUEST_PATIENCE_US, &line) == 0)
        request = json_loadb(line.p != NULL ? line.p : "", line.n, JSON_REJECT_DUPLICATES, NULL);
    const char *command = json_string_value(json_object_get(request, "command"));
    if (command != NULL)
        result = c->handler(c->ctx, command, request, &err);
    else
        error_set(&err, E_INVALID, "the control socket got no command");
    if (result == NULL)
        result = error_json(&err);
    int r = send_json(fd, result);
    (void)r; /* a client that left does not want to know */
    control_wipe(result);
    json_decref(request);
    buf_free(&line);
}

/* Notes whom control_stop() would have to interrupt. False where it was called before. */
static bool set_client(struct control *c, int fd)
{
    pthread_mutex_lock(&c->mtx);
    c->client = fd;
    bool go_on = !c->stopping;
    pthread_mutex_unlock(&c->mtx);
    return go_on;
}

/*
 * -1 where there is nobody to answer. Who cannot be accepted, mostly for want of a descriptor,
 * stays in the queue and would end each poll() at once: a pause, which the stop ends.
 */
static int take_client(struct control *c, bool *failing)
{
    int fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int saved = errno;
    if (fd >= 0) {
        *failing = false;
    } else if (saved != EAGAIN && saved != EINTR && saved != ECONNABORTED) {
        struct pollfd stop = {.fd = c->stop_fd, .events = POLLIN};
        if (!*failing)
            log_error("the control socket cannot accept a command", kv_i64("errno", saved));
        *failing = true;
        poll(&stop, 1, ACCEPT_PAUSE_MS);
    }
    return fd;
}

static void *control_main(void *arg)
{
    struct control *c = arg;
    bool failing = false; /* that nobody can be accepted has been logged */
    pthread_setname_np(pthread_self(), "control");
    for (;;) {
        struct pollfd p[2] = {{.fd = c->listener, .events = POLLIN},
                              {.fd = c->stop_fd, .events = POLLIN}};
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            break;
        if (p[1].revents != 0)
            break;
        int fd = p[0].revents != 0 ? take_client(c, &failing) : -1;
        if (fd < 0)
            continue;
        if (set_client(c, fd))
            answer(c, fd);
        set_client(c, -1);
        close(fd);
    }
    return NULL;
}

/* The socket file is made for this user alone. */
static int listen_on(struct control *c, const char *data_dir, struct error *err)
{
    struct sockaddr_un a;
    int r = address_of(&a, data_dir, err);
    if (r != 0)
        return r;
    unlink(a.sun_path); /* of an instance that was killed; the lock says that none runs */
    mode_t before = umask(0177);
    r = bind(c->listener, (struct sockaddr *)&a, sizeof(a));
    if (r == 0)
        r = listen(c->listener, 64);
    int e = errno;
    umask(before);
    if (r != 0)
        return error_set_errno(err, error_from_errno(e), e, "cannot listen on %s", a.sun_path);
    str_copy(str_from(a.sun_path), c->path, sizeof(c->path));
    return 0;
}

int control_start(struct control **ret_control, const char *data_dir, control_handler *handler,
                  void *ctx, struct error *err)
{
    struct control *c = calloc(1, sizeof(*c));
    CHECK(c != NULL);
    c->handler = handler;
    c->ctx = ctx;
    c->client = -1;
    pthread_mutex_init(&c->mtx, NULL);
    c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    c->stop_fd = eventfd(0, EFD_CLOEXEC);
    int r = c->listener >= 0 && c->stop_fd >= 0
                ? listen_on(c, data_dir, err)
                : error_set_errno(err, E_IO, errno, "cannot open the control socket");
    if (r == 0 && pthread_create(&c->thread, NULL, control_main, c) != 0)
        r = error_set(err, E_NOMEM, "cannot start the control thread");
    if (r != 0) {
        close(c->listener);
        close(c->stop_fd);
        pthread_mutex_destroy(&c->mtx);
        free(c);
        return r;
    }
    *ret_control = c;
    return 0;
}

void control_stop(struct control *control)
{
    if (control == NULL)
        return;
    uint64_t one = 1;
    ssize_t n = write(control->stop_fd, &one, sizeof(one));
    CHECK(n == sizeof(one));
    pthread_mutex_lock(&control->mtx);
    control->stopping = true;
    if (control->client >= 0)
        shutdown(control->client, SHUT_RDWR); /* ends its wait */
    pthread_mutex_unlock(&control->mtx);
    pthread_join(control->thread, NULL);
    pthread_mutex_destroy(&control->mtx);
    unlink(control->path);
    close(control->listener);
    close(control->stop_fd);
    free(control);
}

static int take_answer(json_t *answer, json_t **ret_answer, struct error *err)
{
    const char *text = json_string_value(json_object_get(answer, "error"));
    if (text == NULL) {
        *ret_answer = answer;
        return 0;
    }
    json_int_t code = json_integer_value(json_object_get(answer, "code"));
    int r = error_set(err, code < 0 ? (int)code : E_IO, "%s", text);
    json_decref(answer);
    return r;
}

int control_ask(const char *data_dir, const json_t *request, json_t **ret_answer, struct error *err)
{
    struct sockaddr_un a;
    int r = address_of(&a, data_dir, err);
    if (r != 0)
        return r;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(err, E_IO, errno, "cannot open a socket");
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        int e = errno;
        close(fd);
        if (e == ENOENT || e == ECONNREFUSED)
            return error_set(err, E_NOT_FOUND, "no instance runs on %s", data_dir);
        return error_set_errno(err, error_from_errno(e), e, "cannot speak to the instance on %s",
                               data_dir);
    }
    struct buf line;
    buf_init(&line, CONTROL_LINE_MAX);
    r = send_json(fd, request);
    if (r == 0)
        r = read_line(fd, CONTROL_PATIENCE_US, &line);
    close(fd);
    json_t *answer = r == 0 ? json_loadb(line.p, line.n, 0, NULL) : NULL;
    if (line.p != NULL)
        explicit_bzero(line.p, line.cap);
    buf_free(&line);
    if (answer == NULL)
        return error_set(err, r != 0 ? r : E_PROTOCOL, "the instance on %s did not answer: %s",
                         data_dir, error_text(r != 0 ? r : E_PROTOCOL));
    return take_answer(answer, ret_answer, err);
}
