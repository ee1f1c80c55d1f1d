/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/demo/portal_client.h"

#include "base/buf.h"
#include "base/fiber/fiber.h"
#include "base/http/head.h"

#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_US (10 * US_PER_S)
#define ANSWER_MAX (256U * 1024)

void portal_client_init(struct portal_client *client, const struct place_port *portal)
{
    *client = (struct portal_client){.portal = *portal};
}

void portal_client_finish(struct portal_client *client)
{
    sodium_memzero(client, sizeof(*client));
}

/* --- the exchange: HTTP/1.1 with Connection: close --- */

static void compose(const struct portal_client *client, const char *method, const char *path,
                    const char *body, struct buf *out)
{
    buf_printf(out,
               "%s %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: weir-demo\r\n"
               "Accept: application/json\r\nConnection: close\r\n",
               method, path);
    if (client->cookie[0] != '\0')
        buf_printf(out, "Cookie: %s\r\nX-CSRF-Token: %s\r\n", client->cookie, client->csrf);
    if (body != NULL)
        buf_printf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    buf_add_lit(out, "\r\n");
    if (body != NULL)
        buf_add_cstr(out, body);
}

static int read_all(int fd, struct buf *in)
{
    struct mono deadline = mono_after(clock_mono(), PATIENCE_US);
    for (;;) {
        char *room = buf_reserve(in, 16384);
        if (room == NULL)
            return E_TOO_LARGE;
        ssize_t n = fiber_recv(fd, room, 16384, deadline);
        if (n <= 0)
            return (int)n;
        buf_advance(in, (size_t)n);
    }
}

static int exchange(const struct portal_client *client, struct str request, struct buf *in)
{
    struct sockaddr_storage sa;
    socklen_t size = place_sockaddr(&client->portal, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return E_IO;
    int r = fiber_connect(fd, (struct sockaddr *)&sa, size, mono_after(clock_mono(), PATIENCE_US));
    if (r == 0)
        r = fiber_send(fd, request.p, request.n, PATIENCE_US, NULL);
    if (r == 0)
        r = read_all(fd, in);
    fiber_close(fd);
    return r;
}

/* --- what came --- */

static void keep_cookie(struct portal_client *client, const struct head *head)
{
    for (unsigned i = 0; i < head->count; i++) {
        struct str value = head->fields[i].value;
        if (str_eq_nocase(head->fields[i].name, STR("Set-Cookie")))
            str_copy(str_slice(value, 0, str_find_char(value, ';', 0)), client->cookie,
                     sizeof(client->cookie));
    }
}

static int status_error(unsigned status, const json_t *answer, const char *path, struct error *err)
{
    const char *detail = json_string_value(json_object_get(answer, "detail"));
    if (status < 400)
        return 0;
    return error_set(err, status == 409 ? E_EXISTS : E_DENIED, "%s was answered %u: %s", path,
                     status, detail != NULL ? detail : "");
}

static int take_answer(struct portal_client *client, struct str bytes, const char *path,
                       json_t **ret_answer, struct error *err)
{
    static struct head head; /* some KiB; one thread */
    const char *why = "";
    if (head_parse_response(&head, bytes.p, bytes.n, ANSWER_MAX, false, &why) != HEAD_OK)
        return error_set(err, E_PROTOCOL, "%s got an answer that is none: %s", path, why);
    keep_cookie(client, &head);
    struct str body = str_slice(bytes, head.size, bytes.n);
    json_t *answer = body.n > 0 ? json_loadb(body.p, body.n, 0, NULL) : NULL;
    int r = status_error(head.status, answer, path, err);
    if (r == 0)
        *ret_answer = answer;
    else
        json_decref(answer);
    return r;
}

static int ask_once(struct portal_client *client, const char *method, const char *path,
                    const json_t *wish, json_t **ret_answer, struct error *err)
{
    struct buf out, in;
    char *body = wish != NULL ? json_dumps(wish, JSON_COMPACT) : NULL;
    buf_init(&out, ANSWER_MAX);
    buf_init(&in, ANSWER_MAX);
    compose(client, method, path, body, &out);
    int r = exchange(client, buf_str(&out), &in);
    if (r != 0)
        r = error_set(err, r, "%s got no answer: %s", path, error_text(r));
    else
        r = take_answer(client, buf_str(&in), path, ret_answer, err);
    for (struct buf *b = &out; b != NULL; b = b == &out ? &in : NULL) {
        if (b->p != NULL)
            sodium_memzero(b->p, b->cap); /* passwords and keys passed through */
        buf_free(b);
    }
    if (body != NULL)
        sodium_memzero(body, strlen(body));
    free(body);
    return r;
}

/* The token of the session that has just begun. */
static int learn_token(struct portal_client *client, struct error *err)
{
    json_t *session = NULL;
    int r = ask_once(client, "GET", "/api/v1/session", NULL, &session, err);
    const char *csrf = json_string_value(json_object_get(session, "csrf"));
    if (r == 0 && !str_copy(str_from(csrf), client->csrf, sizeof(client->csrf)))
        r = error_set(err, E_PROTOCOL, "the portal gave no token");
    json_decref(session);
    return r;
}

int portal_client_ask(struct portal_client *client, const char *method, const char *path,
                      const json_t *wish, json_t **ret_answer, struct error *err)
{
    bool was_in = client->cookie[0] != '\0';
    int r = ask_once(client, method, path, wish, ret_answer, err);
    bool is_in = client->cookie[0] != '\0';
    return r == 0 && is_in && !was_in ? learn_token(client, err) : r;
}
