/* SPDX-License-Identifier: Apache-2.0 */
/* How a server ends: drain, abort, stop, also under load. */
#include "test.h"

#include "base/http_rig.h"

#include <pthread.h>

static void a_drain_ends_what_is_idle_and_finishes_what_is_not(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client busy = begin_request(&rig), idle = client_to(&rig), mute = client_to(&rig);
    expect_echo(&idle, "/a");
    WAIT_FOR(http_server_stats(rig.server).idle == 2);
    assert_false(http_server_draining(rig.server));
    http_server_drain(rig.server);
    http_server_drain(rig.server); /* once more does no harm */
    assert_true(http_server_draining(rig.server));
    expect_end(&idle);
    finish_request(&busy, true); /* its head had come before the drain; its answer tells of it */
    /* a connection whose first request may be on its way is served, and told to go */
    say(&mute, STR("GET /first HTTP/1.1\r\nHost: h\r\n\r\n"));
    expect_answer(&mute, 200, "/first", true);
    expect_end(&mute);
    wait_for_open(&rig, 0);
    /* nobody listens any more */
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(rig.port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(fd);
    client_close(&busy);
    client_close(&idle);
    client_close(&mute);
    rig_stop(&rig);
}

static void a_drain_ends_pipelined_requests_with_the_next_answer(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = begin_request(&rig);
    http_server_drain(rig.server);
    say(&c, STR("aGET /lost HTTP/1.1\r\nHost: h\r\n\r\n"));
    expect_answer(&c, 200, NULL, true);
    expect_end(&c);
    client_close(&c);
    rig_stop(&rig);
    assert_int_equal(rig.handled, 1);
}

static void an_abort_ends_every_wait(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client mute = client_to(&rig), idle = client_to(&rig), half = client_to(&rig);
    expect_echo(&idle, "/a");
    struct client body = begin_request(&rig);
    say(&half, STR("GET / HT"));
    struct client much = client_to(&rig);
    say(&much, STR("GET /much HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_true(hear_more(&much));
    WAIT_FOR(http_server_stats(rig.server).active == 3 && http_server_open(rig.server) == 5);
    struct client *all[] = {&mute, &idle, &half, &body, &much};
    http_server_drain(rig.server);
    /* one that was accepted but not yet taken up by its worker is found the next time */
    WAIT_FOR((http_server_abort(rig.server), http_server_open(rig.server) == 0));
    assert_int_equal(rig.body_error, rig_mode == RIG_THREADS ? E_CLOSED : E_CANCELED);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        client_close(all[i]);
    rig_stop(&rig);
    assert_int_equal(rig.inside, 0);
}

static void a_sleeping_handler_is_woken_by_an_abort(void **state)
{
    (void)state;
    struct rig rig;
    if (rig_mode == RIG_THREADS)
        return; /* a thread sleeps as long as it wants to: server.h promises it for waits alone */
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    say(&c, STR("GET /sleep-long HTTP/1.1\r\nHost: h\r\n\r\n"));
    WAIT_FOR(rig.inside == 1);
    http_server_stop(rig.server, 0);
    assert_int_equal(rig.body_error, E_CANCELED);
    client_close(&c);
    carriers_stop(rig.carriers);
}

/* --- load from many threads --- */

struct load {
    struct rig *rig;
    bool keep;
    unsigned requests;      /* to make, at most */
    _Atomic bool *stopping; /* from here on connections may be cut where no answer has begun */
    uint64_t answers;       /* complete ones */
    uint64_t cut;           /* answers that began and did not end */
    uint64_t lost;          /* connections that ended before anything was stopped */
};

/* 1 for a whole answer, 0 for none, -1 for a piece of one. */
static int ask_once(int fd, bool keep)
{
    static const char *const requests[] = {
        "GET /load HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET /load HTTP/1.1\r\nHost: h\r\n\r\n",
    };
    static _Thread_local struct head head;
    char in[1024];
    size_t n = 0;
    const char *why;
    if (send(fd, requests[keep], strlen(requests[keep]), MSG_NOSIGNAL) < 0)
        return 0;
    for (;;) {
        ssize_t more = recv(fd, in + n, sizeof(in) - n, 0);
        if (more <= 0)
            return n > 0 ? -1 : 0;
        n += (size_t)more;
        if (head_parse_response(&head, in, n, sizeof(in), false, &why) == HEAD_OK &&
            n == head.size + head.content_length)
            return head.close ? 2 : 1;
    }
}

static int dial(const struct rig *rig)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(rig->port)};
    struct timeval patience = {.tv_sec = RIG_PATIENCE_US / US_PER_S};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void *loads(void *arg)
{
    struct load *load = arg;
    int fd = -1;
    while (load->requests > 0) {
        bool stopping = atomic_load(load->stopping);
        if (fd < 0 && (fd = dial(load->rig)) < 0) {
            load->lost += !atomic_load(load->stopping);
            break;
        }
        int r = ask_once(fd, load->keep);
        load->answers += r > 0;
        load->cut += r < 0;
        load->lost += r == 0 && !atomic_load(load->stopping);
        load->requests--;
        if (r != 1 || !load->keep) {
            close(fd);
            fd = -1;
        }
        if (r <= 0 && stopping)
            break;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

#define LOADERS 8

/* Runs the load; stops the server after it, or, where `stop_at` is not 0, once so many requests
 * were handled. */
static void run_load(struct rig *rig, unsigned requests, uint64_t stop_at)
{
    pthread_t threads[LOADERS];
    struct load load[LOADERS];
    _Atomic bool stopping = false;
    uint64_t answers = 0;
    rig_init(rig);
    rig->options.workers = 4 * LOADERS;
    rig_start(rig);
    for (unsigned i = 0; i < LOADERS; i++) {
        load[i] =
            (struct load){.rig = rig, .keep = i % 2, .requests = requests, .stopping = &stopping};
        assert_int_equal(pthread_create(&threads[i], NULL, loads, &load[i]), 0);
    }
    if (stop_at > 0) {
        WAIT_FOR(rig->handled >= stop_at);
        atomic_store(&stopping, true);
        rig_stop(rig);
    }
    for (unsigned i = 0; i < LOADERS; i++)
        pthread_join(threads[i], NULL);
    if (stop_at == 0)
        rig_stop(rig);
    for (unsigned i = 0; i < LOADERS; i++) {
        assert_int_equal(load[i].cut, 0);
        assert_int_equal(load[i].lost, 0);
        answers += load[i].answers;
    }
    /* whatever reached a handler was answered, and whatever was answered was seen */
    assert_int_equal(rig->answered, rig->handled);
    assert_int_equal(answers, rig->handled);
}

static void every_request_of_a_load_is_answered_once(void **state)
{
    (void)state;
    struct rig rig;
    run_load(&rig, 200, 0);
    assert_int_equal(rig.handled, LOADERS * 200);
}

static void a_stop_under_load_cuts_no_answer(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        struct rig rig;
        run_load(&rig, 1000000, 200);
    }
}

static void a_server_starts_and_stops_a_hundred_times(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct rig rig;
        rig_init(&rig);
        rig_start(&rig);
        struct client c[3];
        for (int k = 0; k < i % 4; k++) {
            c[k] = client_to(&rig);
            if (k > 0)
                expect_echo(&c[k], "/a");
        }
        if (i % 3 == 0)
            http_server_drain(rig.server);
        http_server_stop(rig.server, 0);
        carriers_stop(rig.carriers);
        for (int k = 0; k < i % 4; k++)
            client_close(&c[k]);
    }
    http_server_stop(NULL, 0);
}

static void a_port_is_free_again_after_a_drain(void **state)
{
    (void)state;
    struct rig first, second;
    char listen[32];
    rig_init(&first);
    rig_start(&first);
    struct client busy = begin_request(&first);
    http_server_drain(first.server);
    /* the successor takes over while the first one still finishes */
    rig_init(&second);
    snprintf(listen, sizeof(listen), "127.0.0.1:%u", first.port);
    second.listen = str_from(listen);
    rig_start(&second);
    assert_int_equal(second.port, first.port);
    struct client c = client_to(&second);
    expect_echo(&c, "/second");
    finish_request(&busy, true);
    client_close(&busy);
    client_close(&c);
    rig_stop(&first);
    rig_stop(&second);
    assert_int_equal(second.handled, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drain_ends_what_is_idle_and_finishes_what_is_not),
        cmocka_unit_test(a_drain_ends_pipelined_requests_with_the_next_answer),
        cmocka_unit_test(an_abort_ends_every_wait),
        cmocka_unit_test(a_sleeping_handler_is_woken_by_an_abort),
        cmocka_unit_test(every_request_of_a_load_is_answered_once),
        cmocka_unit_test(a_stop_under_load_cuts_no_answer),
        cmocka_unit_test(a_server_starts_and_stops_a_hundred_times),
        cmocka_unit_test(a_port_is_free_again_after_a_drain),
    };
    RUN_IN_EACH_MODE("server's end", tests);
}
