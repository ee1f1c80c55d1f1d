/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/http/civetweb_unit.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct flood {
    struct sockaddr_storage address; /* set before the first connection */
    _Atomic uint64_t refused;
    int next; /* the connection that waits; accepting thread only, once it has begun */
};

static int connect_to(const struct sockaddr_storage *a)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    if (connect(fd, (const struct sockaddr *)a, sizeof(struct sockaddr_in)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Refuses each connection, and has the next one wait already: the backlog is never empty. */
static bool refuse_and_come_again(void *user, int fd, const struct sockaddr *peer)
{
    struct flood *flood = user;
    (void)peer;
    int old = flood->next;
    flood->next = connect_to(&flood->address);
    close(fd);
    close(old);
    atomic_fetch_add(&flood->refused, 1);
    return false;
}

static void never_serves(void *user, int fd, const struct sockaddr *peer)
{
    (void)user, (void)fd, (void)peer;
    CHECK(!"served");
}

static void closing_takes_what_waited_and_ends_under_ever_new_connections(void **state)
{
    (void)state;
    struct flood flood = {.next = -1};
    struct civet *civet;
    struct error err = ERROR_INIT;
    struct civet_options o = {.name = "flood",
                              .addresses = "127.0.0.1:0",
                              .workers = 1,
                              .user = &flood,
                              .admit = refuse_and_come_again,
                              .serve = never_serves};
    assert_int_equal(civet_start(&civet, &o, &err), 0);
    assert_true(civet_address(civet, 0, &flood.address));
    assert_false(civet_address(civet, 1, &flood.address));
    int first = connect_to(&flood.address);
    assert_true(first >= 0);
    struct mono end = mono_after(clock_mono(), 60 * US_PER_S);
    /* lint-ok words: it waits for a condition that only another thread can bring about */
    while (flood.refused < 100 && clock_mono().us < end.us)
        usleep(500);
    assert_true(flood.refused >= 100);
    civet_close_listeners(civet);
    assert_int_equal(connect_to(&flood.address), -1);
    civet_stop(civet);
    close(flood.next);
    close(first);
    civet_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closing_takes_what_waited_and_ends_under_ever_new_connections),
    };
    return cmocka_run_group_tests_name("listeners", tests, NULL, NULL);
}
