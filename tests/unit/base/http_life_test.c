/* SPDX-License-Identifier: Apache-2.0 */
/* What befalls a server: slow and leaving clients, too many of them, ports and descriptors. */
#include "test.h"

#include "base/http_rig.h"

#include <sys/resource.h>

static void a_head_that_does_not_come_is_answered_408(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.head_timeout_us = 50 * US_PER_MS;
    rig_start(&rig);
    struct client c = client_to(&rig);
    say(&c, STR("GET / HTTP/1.1\r\nHost: h\r\n"));
    expect_answer(&c, 408, "the head did not arrive in time []", true);
    expect_end(&c);
    client_close(&c);
    rig_stop(&rig);
}

static void a_client_that_says_nothing_is_left_without_a_word(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.head_timeout_us = 50 * US_PER_MS;
    rig_start(&rig);
    struct client c = client_to(&rig);
    expect_end(&c);
    client_close(&c);
    rig_stop(&rig);
    assert_int_equal(rig.handled, 0);
}

static void an_idle_connection_is_closed_after_its_time(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.keep_alive_us = 50 * US_PER_MS;
    rig_start(&rig);
    struct client c = client_to(&rig);
    expect_echo(&c, "/a");
    expect_end(&c);
    client_close(&c);
    rig_stop(&rig);
    assert_int_equal(rig.handled, 1);
}

static void a_body_that_does_not_come_times_out(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.body_timeout_us = 50 * US_PER_MS;
    rig_start(&rig);
    struct client c = client_to(&rig);
    say(&c, STR("POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell"));
    expect_end(&c);
    client_close(&c);
    rig_stop(&rig);
    assert_int_equal(rig.body_error, E_TIMEOUT);
}

static void an_answer_that_is_not_taken_times_out(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.send_timeout_us = 50 * US_PER_MS;
    rig_start(&rig);
    struct client c = client_to(&rig);
    say(&c, STR("GET /much HTTP/1.1\r\nHost: h\r\n\r\n"));
    WAIT_FOR(rig.send_error != 0);
    wait_for_open(&rig, 0);
    client_close(&c);
    rig_stop(&rig);
    assert_int_equal(rig.send_error, E_TIMEOUT);
}

/* Closes so that the peer sees a reset. */
static void client_reset(struct client *c)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    client_close(c);
}

static void a_client_may_leave_at_any_moment(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int body_error[2]; /* at a close, at a reset; 0 where no body is read */
    } cases[] = {
        {"", {0, 0}},
        {"\r", {0, 0}},
        {"GET / HTTP/1.1\r\nHost:", {0, 0}},
        {"POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", {E_CLOSED, E_RESET}},
        {"POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell", {E_CLOSED, E_RESET}},
        {"POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
         {E_CLOSED, E_RESET}},
    };
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    for (unsigned i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        bool reset = i % 2;
        struct client c = client_to(&rig);
        const char *text = cases[i / 2].text;
        rig.body_error = 0;
        say(&c, str_from(text));
        if (text[0] != '\0')
            WAIT_FOR(http_server_stats(rig.server).active == 1);
        if (reset)
            client_reset(&c);
        else
            client_close(&c);
        wait_for_open(&rig, 0);
        WAIT_FOR(http_server_stats(rig.server).accepted == i + 1);
        assert_int_equal(rig.body_error, cases[i / 2].body_error[reset]);
    }
    rig_stop(&rig);
}

static void a_client_that_leaves_during_the_answer_ends_it(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig);
    say(&c, STR("GET /much HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_true(hear_more(&c));
    client_close(&c);
    wait_for_open(&rig, 0);
    rig_stop(&rig);
    assert_int_equal(rig.send_error, E_RESET);
}

static void a_handler_sees_that_its_client_left(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    for (int reset = 0; reset < 2; reset++) {
        struct client c = client_to(&rig);
        rig.gone = false;
        say(&c, STR("GET /gone HTTP/1.1\r\nHost: h\r\n\r\n"));
        WAIT_FOR(rig.inside == 1);
        assert_false(rig.gone);
        if (reset)
            client_reset(&c);
        else
            client_close(&c);
        WAIT_FOR(rig.gone);
        wait_for_open(&rig, 0);
    }
    rig_stop(&rig);
}

static void who_finds_no_worker_is_told_at_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.options.workers = 2;
    rig_start(&rig);
    struct client a = begin_request(&rig), b = begin_request(&rig);
    for (int i = 0; i < 300; i++) {
        struct client c = client_to(&rig);
        expect_text(&c, RIG_OVERLOADED);
        expect_end(&c);
        client_close(&c);
    }
    assert_int_equal(http_server_stats(rig.server).refused, 300);
    assert_int_equal(http_server_stats(rig.server).accepted, 302);
    finish_request(&a, false);
    client_close(&a);
    wait_for_open(&rig, 1);
    struct client c = client_to(&rig);
    expect_echo(&c, "/room-again");
    client_close(&c);
    finish_request(&b, false);
    client_close(&b);
    rig_stop(&rig);
}

static void a_pool_that_fills_up_wants_its_connections_back(void **state)
{
    (void)state;
    struct rig rig;
    struct client c[16];
    rig_init(&rig);
    rig.options.workers = ARRAY_LEN(c);
    rig_start(&rig);
    for (size_t i = 0; i < ARRAY_LEN(c) - 1; i++) {
        c[i] = client_to(&rig);
        expect_echo(&c[i], "/a");
    }
    c[15] = client_to(&rig);
    say(&c[15], STR("GET /last HTTP/1.1\r\nHost: h\r\n\r\n"));
    expect_answer(&c[15], 200, "/last", true);
    expect_end(&c[15]);
    /* and once there is room again, connections stay */
    wait_for_open(&rig, 15);
    expect_echo(&c[0], "/a");
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        client_close(&c[i]);
    rig_stop(&rig);
}

static void a_crowded_pool_lets_nobody_idle_for_long(void **state)
{
    (void)state;
    struct rig rig;
    struct client c[4];
    rig_init(&rig);
    rig.options.workers = ARRAY_LEN(c);
    rig_start(&rig);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        c[i] = client_to(&rig);
        expect_echo(&c[i], "/a");
        /* its time is set when it begins to wait, which may be after we have its answer */
        if (i < ARRAY_LEN(c) - 1)
            WAIT_FOR(http_server_stats(rig.server).idle == i + 1);
    }
    /* the ones before it had all the time, as long as there was room */
    expect_end(&c[3]);
    expect_echo(&c[0], "/a");
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        client_close(&c[i]);
    rig_stop(&rig);
}

static void one_address_has_its_share_and_no_more(void **state)
{
    (void)state;
    struct rig rig;
    struct client c[3];
    rig_init(&rig);
    rig.options.max_per_client = ARRAY_LEN(c);
    rig_start(&rig);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        c[i] = client_to(&rig);
        expect_echo(&c[i], "/a");
    }
    struct client more = client_to(&rig);
    expect_text(&more, RIG_OVERLOADED);
    expect_end(&more);
    client_close(&more);
    struct client other = client_from("127.0.0.2", rig.port);
    expect_echo(&other, "/other");
    client_close(&other);
    client_close(&c[1]);
    wait_for_open(&rig, 2);
    c[1] = client_to(&rig);
    expect_echo(&c[1], "/again");
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        client_close(&c[i]);
    rig_stop(&rig);
    assert_int_equal(rig.handled, 5);
}

#define SLEEPERS 100

static void handlers_that_sleep_do_not_hold_each_other_up(void **state)
{
    (void)state;
    struct rig rig;
    struct client c[SLEEPERS];
    rig_init(&rig);
    rig.options.workers = 2 * SLEEPERS;
    rig_start(&rig);
    for (int i = 0; i < SLEEPERS; i++)
        c[i] = client_to(&rig);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < SLEEPERS; i++)
            say(&c[i], STR("GET /sleep HTTP/1.1\r\nHost: h\r\n\r\n"));
        for (int i = 0; i < SLEEPERS; i++)
            expect_answer(&c[i], 200, "slept", false);
    }
    for (int i = 0; i < SLEEPERS; i++)
        client_close(&c[i]);
    rig_stop(&rig);
    /* far more at a time than there are carriers */
    assert_true(rig.most_inside > 8);
}

static void thousands_of_connections_may_be_idle(void **state)
{
    (void)state;
    struct rlimit files;
    struct rig rig;
    if (rig_mode != RIG_FIBERS)
        return; /* threads cost too much for that many */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    /* both ends are in this process */
    unsigned many = WITH_TSAN ? 500 : 4000;
    if (2 * many + 100 > files.rlim_cur)
        many = (unsigned)(files.rlim_cur - 100) / 2;
    struct client *c = calloc(many, sizeof(*c));
    rig_init(&rig);
    rig.options.workers = 2 * many;
    rig_start(&rig);
    for (unsigned i = 0; i < many; i++) {
        c[i] = client_to(&rig);
        expect_echo(&c[i], "/a");
        buf_free(&c[i].in);
    }
    assert_int_equal(http_server_open(rig.server), many);
    WAIT_FOR(http_server_stats(rig.server).idle == many);
    for (unsigned i = 0; i < many; i += 7) {
        expect_echo(&c[i], "/b");
        buf_free(&c[i].in);
    }
    http_server_drain(rig.server);
    wait_for_open(&rig, 0);
    for (unsigned i = 0; i < many; i++)
        client_close(&c[i]);
    free(c);
    rig_stop(&rig);
}

static void what_cannot_be_listened_on_is_said(void **state)
{
    (void)state;
    struct rig rig, other;
    struct http_server *server;
    struct error err = ERROR_INIT;
    char taken[64], free_and_taken[2][64];
    rig_init(&rig);
    rig_start(&rig);
    snprintf(taken, sizeof(taken), "127.0.0.1:%u", rig.port);
    rig_init(&other);
    other.listen = str_from(taken);
    assert_int_equal(http_server_start(&server, &other.options, &err), E_BUSY);
    assert_non_null(strstr(err.text, taken));
    assert_non_null(strstr(err.text, "another program uses it"));
    /* all places or none */
    str_copy(STR("127.0.0.1:0"), free_and_taken[0], 64);
    str_copy(str_from(taken), free_and_taken[1], 64);
    struct str places[] = {str_from(free_and_taken[0]), str_from(free_and_taken[1])};
    other.options.listen = places;
    other.options.listen_count = 2;
    err.code = 0;
    assert_int_equal(http_server_start(&server, &other.options, &err), E_BUSY);
    static const char *const wrong[] = {"192.0.2.1:8080", "127.0.0.1:99999", "nonsense", ""};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        places[0] = str_from(wrong[i]);
        other.options.listen_count = 1;
        err.code = 0;
        err.text[0] = '\0';
        if (http_server_start(&server, &other.options, &err) == 0)
            fail_msg("%s was accepted", wrong[i]);
        assert_true(err.code < 0);
        assert_non_null(strstr(err.text, wrong[i]));
        assert_null(strchr(err.text, '\n'));
    }
    rig_stop(&rig);
}

static void a_server_listens_at_several_places(void **state)
{
    (void)state;
    struct rig rig;
    struct str places[] = {STR("127.0.0.1:0"), STR("[::1]:0"), STR("127.0.0.2:0")};
    rig_init(&rig);
    rig.options.listen = places;
    rig.options.listen_count = ARRAY_LEN(places);
    rig_start(&rig);
    assert_true(str_starts(http_server_address(rig.server, 0), STR("127.0.0.1:")));
    assert_true(str_starts(http_server_address(rig.server, 1), STR("[::1]:")));
    assert_true(str_starts(http_server_address(rig.server, 2), STR("127.0.0.2:")));
    assert_int_equal(http_server_address(rig.server, 3).n, 0);
    struct client c = client_to(&rig);
    expect_echo(&c, "/first");
    client_close(&c);
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    a.sin6_port = htons(rig_port(rig.server, 1));
    c.fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(c.fd, (struct sockaddr *)&a, sizeof(a)), 0);
    say(&c, STR("GET /peer HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    assert_true(hear_more(&c));
    assert_true(str_find(buf_str(&c.in), STR("\r\n\r\n::1 ")) < c.in.n);
    client_close(&c);
    rig_stop(&rig);
}

/* A time without free descriptors, in which the log can be read. */
struct famine {
    int fds[1024];
    unsigned n;
    struct rlimit files;
    int stderr_fd, log[2];
};

static void famine_begin(struct famine *f)
{
    struct rlimit few;
    f->stderr_fd = dup(STDERR_FILENO);
    assert_int_equal(pipe(f->log), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &f->files), 0);
    few = f->files;
    few.rlim_cur = ARRAY_LEN(f->fds) / 2;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (f->n = 0; (f->fds[f->n] = dup(STDIN_FILENO)) >= 0; f->n++)
        assert_true(f->n < ARRAY_LEN(f->fds) - 1);
    assert_int_equal(dup2(f->log[1], STDERR_FILENO), STDERR_FILENO);
}

/* Waits until the server has said that it cannot accept. */
static void famine_is_felt(struct famine *f)
{
    char line[4096];
    ssize_t n = read(f->log[0], line, sizeof(line) - 1);
    assert_true(n > 0);
    line[n] = '\0';
    assert_non_null(strstr(line, "cannot accept a connection"));
}

static void famine_give_one(struct famine *f)
{
    close(f->fds[--f->n]);
}

static void famine_end(struct famine *f)
{
    assert_int_equal(dup2(f->stderr_fd, STDERR_FILENO), STDERR_FILENO);
    while (f->n > 0)
        famine_give_one(f);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &f->files), 0);
    close(f->log[0]);
    close(f->log[1]);
    close(f->stderr_fd);
}

/* A client that has its descriptor but is not connected yet. */
static struct client client_ready(void)
{
    struct client c = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    assert_true(c.fd >= 0);
    buf_init(&c.in, 1 << 20);
    return c;
}

static void client_connect(struct client *c, const struct rig *rig)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(rig->port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

static void a_server_without_descriptors_serves_again_when_it_has_some(void **state)
{
    (void)state;
    static struct famine famine;
    struct rig rig;
    rig_init(&rig);
    rig_start(&rig);
    struct client c = client_to(&rig), late = client_ready(), lost = client_ready();
    expect_echo(&c, "/a");
    famine_begin(&famine);
    client_connect(&late, &rig);
    famine_is_felt(&famine);
    expect_echo(&c, "/who-is-in-is-served");
    famine_give_one(&famine);
    expect_echo(&late, "/b");
    /* a drain does not wait for a connection that cannot be accepted */
    client_connect(&lost, &rig);
    famine_is_felt(&famine);
    http_server_drain(rig.server);
    famine_end(&famine);
    expect_end(&c);
    expect_end(&late);
    client_close(&c);
    client_close(&late);
    client_close(&lost);
    rig_stop(&rig);
}

static void what_a_refused_client_said_already_does_not_reset_the_answer(void **state)
{
    (void)state;
    static struct famine famine;
    struct rig rig;
    int fault;
    socklen_t n = sizeof(fault);
    rig_init(&rig);
    rig.options.workers = 1;
    rig_start(&rig);
    struct client busy = begin_request(&rig), c = client_ready();
    /* so that its request is there before the connection is accepted */
    famine_begin(&famine);
    client_connect(&c, &rig);
    say(&c, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    famine_is_felt(&famine);
    famine_end(&famine);
    expect_text(&c, RIG_OVERLOADED);
    expect_end(&c);
    finish_request(&busy, false);
    client_close(&busy);
    rig_stop(&rig); /* now it has closed for sure */
    assert_int_equal(getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &fault, &n), 0);
    assert_int_equal(fault, 0);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_that_does_not_come_is_answered_408),
        cmocka_unit_test(a_client_that_says_nothing_is_left_without_a_word),
        cmocka_unit_test(an_idle_connection_is_closed_after_its_time),
        cmocka_unit_test(a_body_that_does_not_come_times_out),
        cmocka_unit_test(an_answer_that_is_not_taken_times_out),
        cmocka_unit_test(a_client_may_leave_at_any_moment),
        cmocka_unit_test(a_client_that_leaves_during_the_answer_ends_it),
        cmocka_unit_test(a_handler_sees_that_its_client_left),
        cmocka_unit_test(who_finds_no_worker_is_told_at_once),
        cmocka_unit_test(a_pool_that_fills_up_wants_its_connections_back),
        cmocka_unit_test(a_crowded_pool_lets_nobody_idle_for_long),
        cmocka_unit_test(one_address_has_its_share_and_no_more),
        cmocka_unit_test(handlers_that_sleep_do_not_hold_each_other_up),
        cmocka_unit_test(thousands_of_connections_may_be_idle),
        cmocka_unit_test(what_cannot_be_listened_on_is_said),
        cmocka_unit_test(a_server_listens_at_several_places),
        cmocka_unit_test(a_server_without_descriptors_serves_again_when_it_has_some),
        cmocka_unit_test(what_a_refused_client_said_already_does_not_reset_the_answer),
    };
    RUN_IN_EACH_MODE("server's life", tests);
}
