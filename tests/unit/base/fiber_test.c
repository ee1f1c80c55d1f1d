/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/fiber/fiber.h"
#include "base/fiber/posix.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

static bool real_threads;

static struct carriers *start(unsigned count)
{
    struct carriers *c;
    struct carriers_options o = {.count = count, .real_threads = real_threads};
    struct error err = ERROR_INIT;
    assert_int_equal(carriers_start(&c, &o, &err), 0);
    return c;
}

static struct mono in_ms(int64_t ms)
{
    return mono_after(clock_mono(), ms * US_PER_MS);
}

static void pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

static void *echo(void *arg)
{
    int fd = *(int *)arg;
    char p[64];
    ssize_t n;
    while ((n = fiber_recv(fd, p, sizeof(p), in_ms(20000))) > 0)
        assert_int_equal(fiber_send(fd, p, (size_t)n, 20 * US_PER_S, NULL), 0);
    fiber_close(fd);
    return (void *)n;
}

static void a_fiber_answers_a_thread_and_sees_the_end(void **state)
{
    (void)state;
    struct carriers *c = start(1);
    int fds[2];
    pair(fds);
    struct fiber *f = fiber_start(c, 0, echo, &fds[1]);
    for (int i = 0; i < 100; i++) {
        char p[8];
        assert_int_equal(fiber_send(fds[0], "ping", 4, US_PER_S * 20, NULL), 0);
        assert_int_equal(fiber_recv(fds[0], p, sizeof(p), in_ms(20000)), 4);
    }
    fiber_close(fds[0]);
    assert_ptr_equal(fiber_join(f), NULL);
    carriers_stop(c);
}

struct two_ends {
    int fds[2];
    ssize_t got;
};

static void *reads_short_then_end(void *arg)
{
    struct two_ends *t = arg;
    char p[64];
    /* the first wait registers the descriptor, so that the end arrives as an edge of the past */
    assert_int_equal(fiber_recv(t->fds[1], p, sizeof(p), in_ms(20000)), 1);
    assert_int_equal(fiber_send(t->fds[1], "x", 1, US_PER_S, NULL), 0);
    t->got = fiber_recv(t->fds[1], p, sizeof(p), in_ms(20000));
    assert_int_equal(t->got, 3);
    ssize_t end = fiber_recv(t->fds[1], p, sizeof(p), in_ms(20000));
    fiber_close(t->fds[1]);
    return (void *)end;
}

static void the_end_behind_the_last_bytes_is_seen(void **state)
{
    (void)state;
    struct carriers *c = start(1);
    for (int round = 0; round < 200; round++) {
        struct two_ends t;
        char p[1];
        pair(t.fds);
        struct fiber *f = fiber_start(c, 0, reads_short_then_end, &t);
        assert_int_equal(send(t.fds[0], "a", 1, 0), 1);
        assert_int_equal(fiber_recv(t.fds[0], p, 1, in_ms(20000)), 1);
        assert_int_equal(send(t.fds[0], "end", 3, 0), 3);
        close(t.fds[0]);
        assert_int_equal((intptr_t)fiber_join(f), 0);
    }
    carriers_stop(c);
}

static void *reads_nothing(void *arg)
{
    char p[1];
    ssize_t r = fiber_recv(*(int *)arg, p, 1, in_ms(30));
    fiber_close(*(int *)arg);
    return (void *)r;
}

static void a_wait_ends_at_its_deadline(void **state)
{
    (void)state;
    struct carriers *c = start(1);
    int fds[2];
    pair(fds);
    struct mono before = clock_mono();
    struct fiber *f = fiber_start(c, 0, reads_nothing, &fds[1]);
    assert_int_equal((intptr_t)fiber_join(f), E_TIMEOUT);
    assert_true(mono_since(clock_mono(), before) >= 30 * US_PER_MS);
    fiber_close(fds[0]);
    carriers_stop(c);
}

static void *waits_for_ever(void *arg)
{
    char p[1];
    ssize_t r = fiber_recv(*(int *)arg, p, 1, MONO_NEVER);
    assert_true(fiber_canceled());
    assert_int_equal(fiber_sleep(in_ms(60000)), E_CANCELED);
    fiber_close(*(int *)arg);
    return (void *)r;
}

static void cancellation_ends_every_wait(void **state)
{
    (void)state;
    struct carriers *c = start(2);
    for (unsigned round = 0; round < 100; round++) {
        int fds[2];
        pair(fds);
        struct fiber *f = fiber_start(c, round % 2, waits_for_ever, &fds[1]);
        if (round % 3 == 0)
            sched_yield();
        fiber_cancel(f);
        assert_int_equal((intptr_t)fiber_join(f), E_CANCELED);
        fiber_close(fds[0]);
    }
    carriers_stop(c);
}

static void *waits_for_two(void *arg)
{
    int *fds = arg;
    struct fiber_wait w[2] = {{.fd = fds[0], .want = FIBER_READ},
                              {.fd = fds[1], .want = FIBER_READ}};
    int n = fiber_wait_any(w, 2, in_ms(20000));
    assert_int_equal(n, 1);
    fiber_close(fds[0]);
    fiber_close(fds[1]);
    return (void *)(intptr_t)(w[1].got == FIBER_READ && w[0].got == 0);
}

static void one_of_several_descriptors_wakes(void **state)
{
    (void)state;
    struct carriers *c = start(1);
    for (int i = 0; i < 50; i++) {
        int a[2], b[2];
        pair(a);
        pair(b);
        int mine[2] = {a[1], b[1]};
        struct fiber *f = fiber_start(c, 0, waits_for_two, mine);
        assert_int_equal(send(b[0], "x", 1, 0), 1);
        assert_int_equal((intptr_t)fiber_join(f), 1);
        fiber_close(a[0]);
        fiber_close(b[0]);
    }
    carriers_stop(c);
}

static void *sends_much(void *arg)
{
    size_t size = 4 << 20, sent = 0;
    char *p = calloc(1, size);
    int r = fiber_send(*(int *)arg, p, size, 20 * US_PER_S, &sent);
    free(p);
    assert_int_equal(r, 0);
    fiber_close(*(int *)arg);
    return (void *)sent;
}

static void a_full_socket_makes_the_sender_wait(void **state)
{
    (void)state;
    struct carriers *c = start(1);
    int fds[2];
    pair(fds);
    struct fiber *f = fiber_start(c, 0, sends_much, &fds[1]);
    size_t got = 0;
    static char p[65536];
    while (got < (4 << 20)) {
        ssize_t n = fiber_recv(fds[0], p, sizeof(p), in_ms(20000));
        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_int_equal((intptr_t)fiber_join(f), 4 << 20);
    fiber_close(fds[0]);
    carriers_stop(c);
}

static void *opens_and_closes(void *arg)
{
    (void)arg;
    for (int i = 0; i < 200; i++) {
        int fds[2];
        char p[1];
        pair(fds);
        struct fiber_wait w = {.fd = fds[0], .want = FIBER_READ};
        if (i % 2 == 0)
            assert_int_equal(fiber_wait_any(&w, 1, in_ms(0)), E_TIMEOUT);
        assert_int_equal(fiber_send(fds[1], "x", 1, US_PER_S, NULL), 0);
        assert_int_equal(fiber_recv(fds[0], p, 1, in_ms(20000)), 1);
        fiber_close(fds[0]);
        assert_int_equal(fiber_recv(fds[1], p, 1, in_ms(20000)), 0);
        fiber_close(fds[1]);
    }
    return NULL;
}

static void a_number_used_again_on_another_carrier_starts_clean(void **state)
{
    (void)state;
    struct carriers *c = start(2);
    struct fiber *f[8];
    for (unsigned i = 0; i < ARRAY_LEN(f); i++)
        f[i] = fiber_start(c, i % 2, opens_and_closes, NULL);
    for (unsigned i = 0; i < ARRAY_LEN(f); i++)
        fiber_join(f[i]);
    carriers_stop(c);
}

#define MANY (WITH_TSAN ? 1000 : 4000)

static void *sleeps_and_yields(void *arg)
{
    _Atomic unsigned *done = arg;
    for (int i = 0; i < 5; i++) {
        fiber_yield();
        assert_int_equal(fiber_sleep(in_ms(i)), 0);
    }
    atomic_fetch_add(done, 1);
    return arg;
}

static void thousands_of_fibers_take_turns(void **state)
{
    (void)state;
    unsigned many = real_threads ? 200 : MANY;
    struct carriers *c = start(2);
    struct fiber **f = calloc(many, sizeof(struct fiber *));
    _Atomic unsigned done = 0;
    for (unsigned i = 0; i < many; i++)
        assert_non_null(f[i] = fiber_start(c, i % 2, sleeps_and_yields, &done));
    for (unsigned i = 0; i < many; i++)
        assert_ptr_equal(fiber_join(f[i]), &done);
    assert_int_equal(done, many);
    assert_int_equal(carriers_stats(c).fibers, 0);
    free(f);
    carriers_stop(c);
}

struct greedy {
    struct carriers *carriers;
    struct fiber *other;
    int fds[2];
    bool other_ran;
    unsigned moved_before; /* bytes moved when the other had its first turn */
};

static void *has_a_turn(void *arg)
{
    struct greedy *g = arg;
    g->other_ran = true;
    return NULL;
}

/* Moves single bytes that are all there, so that nothing of it ever waits. */
static void *moves_without_waiting(void *arg)
{
    struct greedy *g = arg;
    char c = 'x';
    g->other = fiber_start(g->carriers, 0, has_a_turn, g);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(fiber_send(g->fds[0], &c, 1, US_PER_S, NULL), 0);
        assert_int_equal(fiber_recv(g->fds[1], &c, 1, MONO_NEVER), 1);
        if (!g->other_ran)
            g->moved_before = i + 1;
    }
    return NULL;
}

static void a_fiber_that_never_has_to_wait_gives_turns_all_the_same(void **state)
{
    (void)state;
    struct greedy g = {.carriers = start(1)};
    pair(g.fds);
    fiber_join(fiber_start(g.carriers, 0, moves_without_waiting, &g));
    fiber_join(g.other);
    /* as threads they share one lock, and whom that goes to is the kernel's choice */
    assert_true(real_threads || g.moved_before < 100);
    close(g.fds[0]);
    close(g.fds[1]);
    carriers_stop(g.carriers);
}

static void carriers_start_and_stop_a_hundred_times(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct carriers *c = start(2);
        _Atomic unsigned done = 0;
        struct fiber *a = fiber_start(c, 0, sleeps_and_yields, &done);
        if (i % 2)
            fiber_yield();
        fiber_join(a);
        carriers_stop(c);
    }
}

static void *joins_another(void *arg)
{
    return fiber_join(arg);
}

static void a_fiber_joins_fibers_of_both_carriers(void **state)
{
    (void)state;
    struct carriers *c = start(2);
    for (unsigned i = 0; i < 100; i++) {
        _Atomic unsigned done = 0;
        struct fiber *first = fiber_start(c, i % 2, sleeps_and_yields, &done);
        struct fiber *second = fiber_start(c, 0, joins_another, first);
        assert_ptr_equal(fiber_join(second), &done);
    }
    carriers_stop(c);
}

/* A queue of one place between flows, the way CivetWeb's is built. */
struct queue {
    pthread_mutex_t mtx;
    pthread_cond_t filled, emptied;
    int place; /* 0 while empty */
    long long sum;
    int left;
};

static void *takes(void *arg)
{
    struct queue *q = arg;
    for (;;) {
        pthread_mutex_lock(&q->mtx);
        while (q->place == 0 && q->left > 0)
            posix_cond_wait(&q->filled, &q->mtx);
        if (q->place == 0) {
            pthread_mutex_unlock(&q->mtx);
            return NULL;
        }
        q->sum += q->place;
        q->place = 0;
        if (--q->left == 0)
            posix_cond_broadcast(&q->filled);
        posix_cond_signal(&q->emptied);
        pthread_mutex_unlock(&q->mtx);
    }
}

static void *gives(void *arg)
{
    struct queue *q = arg;
    for (int i = 1; i <= 1000; i++) {
        pthread_mutex_lock(&q->mtx);
        while (q->place != 0)
            posix_cond_wait(&q->emptied, &q->mtx);
        q->place = i;
        posix_cond_signal(&q->filled);
        pthread_mutex_unlock(&q->mtx);
    }
    return NULL;
}

static void conditions_carry_between_threads_and_fibers_both_ways(void **state)
{
    (void)state;
    struct carriers *c = start(2);
    for (int fibers_give = 0; fibers_give < 2; fibers_give++) {
        struct queue q = {.left = 4000};
        struct posix_spawn_place on_fibers = {.carriers = c}, on_threads = {.carriers = NULL};
        pthread_t givers[4], takers[6];
        pthread_mutex_init(&q.mtx, NULL);
        pthread_cond_init(&q.filled, NULL);
        pthread_cond_init(&q.emptied, NULL);
        for (unsigned i = 0; i < ARRAY_LEN(takers); i++)
            assert_int_equal(
                posix_thread_create(&takers[i], takes, &q, fibers_give ? &on_threads : &on_fibers),
                0);
        for (unsigned i = 0; i < ARRAY_LEN(givers); i++)
            assert_int_equal(
                posix_thread_create(&givers[i], gives, &q, fibers_give ? &on_fibers : &on_threads),
                0);
        for (unsigned i = 0; i < ARRAY_LEN(givers); i++)
            posix_thread_join(givers[i], fibers_give);
        for (unsigned i = 0; i < ARRAY_LEN(takers); i++)
            posix_thread_join(takers[i], !fibers_give);
        assert_int_equal(q.sum, 4LL * 1000 * 1001 / 2);
        posix_cond_destroy(&q.filled);
        posix_cond_destroy(&q.emptied);
        pthread_mutex_destroy(&q.mtx);
    }
    carriers_stop(c);
}

static void *tries_to_connect(void *arg)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int r = fiber_connect(fd, arg, sizeof(struct sockaddr_in), in_ms(20000));
    fiber_close(fd);
    return (void *)(intptr_t)r;
}

static void connecting_succeeds_or_is_refused(void **state)
{
    (void)state;
    struct carriers *c = start(1);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, n), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
    assert_int_equal((intptr_t)fiber_join(fiber_start(c, 0, tries_to_connect, &a)), E_REFUSED);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal((intptr_t)fiber_join(fiber_start(c, 0, tries_to_connect, &a)), 0);
    close(listener);
    carriers_stop(c);
}

static void *uses_its_stack(void *arg)
{
    volatile char deep[60 * 1024];
    for (size_t i = 0; i < sizeof(deep); i += 1024)
        deep[i] = (char)i;
    fiber_yield();
    assert_int_equal(deep[2048], 0);
    return arg;
}

static void *trims(void *arg)
{
    for (int i = 0; i < 10; i++) {
        uses_its_stack(arg);
        fiber_trim_stack();
    }
    return arg;
}

static void a_trimmed_stack_still_works(void **state)
{
    (void)state;
    struct carriers *c = start(1);
    assert_ptr_equal(fiber_join(fiber_start(c, 0, trims, c)), c);
    carriers_stop(c);
}

static void *waits_twice(void *arg)
{
    char p[8];
    int fd = *(int *)arg;
    for (int i = 0; i < 2; i++)
        assert_int_equal(fiber_recv(fd, p, sizeof(p), in_ms(0)), E_TIMEOUT);
    fiber_close(fd);
    return arg;
}

static void a_machine_of_many_cores_gets_as_many_carriers_as_there_can_be(void **state)
{
    (void)state;
    struct carriers *c = start(CARRIERS_MAX + 46);
    int fds[2];
    pair(fds);
    assert_int_equal(carriers_count(c), CARRIERS_MAX);
    assert_ptr_equal(fiber_join(fiber_start(c, CARRIERS_MAX - 1, waits_twice, &fds[1])), &fds[1]);
    fiber_close(fds[0]);
    carriers_stop(c);
}

static void what_the_kernel_will_not_give_is_said_before(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    assert_int_equal(fiber_limits_check(10, 10, &err), 0);
    assert_int_equal(fiber_limits_check(100000000, 10, &err), E_RANGE);
    assert_non_null(strstr(err.text, "vm.max_map_count"));
    err.code = 0;
    assert_int_equal(fiber_limits_check(10, 2000000000, &err), E_RANGE);
    assert_non_null(strstr(err.text, "open files"));
    assert_true(cpus_allowed() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fiber_answers_a_thread_and_sees_the_end),
        cmocka_unit_test(the_end_behind_the_last_bytes_is_seen),
        cmocka_unit_test(a_wait_ends_at_its_deadline),
        cmocka_unit_test(cancellation_ends_every_wait),
        cmocka_unit_test(one_of_several_descriptors_wakes),
        cmocka_unit_test(a_full_socket_makes_the_sender_wait),
        cmocka_unit_test(a_number_used_again_on_another_carrier_starts_clean),
        cmocka_unit_test(thousands_of_fibers_take_turns),
        cmocka_unit_test(a_fiber_that_never_has_to_wait_gives_turns_all_the_same),
        cmocka_unit_test(carriers_start_and_stop_a_hundred_times),
        cmocka_unit_test(a_fiber_joins_fibers_of_both_carriers),
        cmocka_unit_test(conditions_carry_between_threads_and_fibers_both_ways),
        cmocka_unit_test(connecting_succeeds_or_is_refused),
        cmocka_unit_test(a_trimmed_stack_still_works),
        cmocka_unit_test(a_machine_of_many_cores_gets_as_many_carriers_as_there_can_be),
        cmocka_unit_test(what_the_kernel_will_not_give_is_said_before),
    };
    int failed = cmocka_run_group_tests_name("fibers", tests, NULL, NULL);
    real_threads = true;
    return failed + cmocka_run_group_tests_name("fibers as real threads", tests, NULL, NULL);
}
