/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/demo/first_call.h"

#include "base/fiber/fiber.h"
#include "base/http/head.h"

#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#define PATIENCE_US (5 * US_PER_S)
#define ANSWER_MAX (16 * 1024)

/* Reads until the head is there. 0, or an E_ code. */
static int read_head(int fd, char *room, struct head *head)
{
    struct mono deadline = mono_after(clock_mono(), PATIENCE_US);
    const char *why;
    size_t n = 0;
    for (;;) {
        ssize_t got = fiber_recv(fd, room + n, ANSWER_MAX - n, deadline);
        if (got <= 0)
            return got == 0 ? E_CLOSED : (int)got;
        n += (size_t)got;
        enum head_status s = head_parse_response(head, room, n, ANSWER_MAX, false, &why);
        if (s != HEAD_INCOMPLETE)
            return s == HEAD_OK ? 0 : E_PROTOCOL;
        if (n == ANSWER_MAX)
            return E_TOO_LARGE;
    }
}

static int exchange(int fd, const char *key, char *room, struct head *head)
{
    char request[512];
    int n = snprintf(request, sizeof(request),
                     "GET " FIRST_CALL_PATH " HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n"
                     "User-Agent: weir-demo\r\nConnection: close\r\n\r\n",
                     key);
    CHECK(n > 0 && (size_t)n < sizeof(request));
    int r = fiber_send(fd, request, (size_t)n, PATIENCE_US, NULL);
    return r == 0 ? read_head(fd, room, head) : r;
}

int first_call(const struct place_port *gateway, const char *key,
               char ret_id[static UUID_TEXT_LEN + 1], struct error *err)
{
    struct place_port to = *gateway;
    struct sockaddr_storage sa;
    struct head head;
    char room[ANSWER_MAX];
    if (ip_is_unspecified(to.ip)) {
        int r = ip_parse(ip_is_v4(to.ip) ? STR("127.0.0.1") : STR("::1"), &to.ip);
        CHECK(r == 0);
    }
    socklen_t size = place_sockaddr(&to, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set(err, E_IO, "no socket for the demo's first call");
    int r = fiber_connect(fd, (struct sockaddr *)&sa, size, mono_after(clock_mono(), PATIENCE_US));
    if (r == 0)
        r = exchange(fd, key, room, &head);
    fiber_close(fd);
    if (r != 0)
        return error_set(err, r, "the demo's first call got no answer: %s", error_text(r));
    struct str id = head_value(&head, FIELD_X_REQUEST_ID);
    if (head.status != 200 || !str_copy(id, ret_id, UUID_TEXT_LEN + 1))
        return error_set(err, E_PROTOCOL, "the demo's first call was answered %u", head.status);
    return 0;
}
