/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_test.c -- whatever moment the process dies at, each committed record is counted once in
 * every file: killed at random under load, killed between any two commits, with logs lost as a loss
 * of power loses them.
 */
#include "pipeline.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define THREADS 3
#define ROUNDS (WITH_TSAN ? 6 : 30) /* the thread sanitizer is many times slower */
#define ROUND_RECORDS 1500          /* a thread and round, at most */
#define RECORDS_A_POINT 25          /* that a producer may be ahead for each step of the writer */
#define POINTS_MAX 60               /* a kill comes after so many steps of the writer, at most */
#define AMENDED(n) ((n) % 50 == 7)

/* What the child tells, in memory that outlives it. */
struct shared {
    _Atomic uint64_t done[THREADS]; /* records whose commit and settling returned, by thread */
    _Atomic uint64_t points;        /* how often the writer came by one of its points this round */
};

struct producer {
    struct ring *ring;
    struct shared *shared;
    unsigned thread;
    uint64_t first; /* of this round */
};

/* Record k of a thread has this number. */
static uint64_t number_of(unsigned thread, uint64_t k)
{
    return k * THREADS + thread;
}

/* Half a minute before midnight, a millisecond a record, and round again: two days' files. */
static struct wall time_of(uint64_t n)
{
    struct wall midnight = wall_from_civil(2026, 11, 24);
    return (struct wall){.us = midnight.us - 30 * US_PER_S + (int64_t)(n % 60000) * US_PER_MS};
}

static void *produce(void *arg)
{
    struct producer *p = arg;
    for (uint64_t k = p->first; k < p->first + ROUND_RECORDS;) {
        uint64_t n = number_of(p->thread, k), seq;
        uint64_t pace = (atomic_load(&p->shared->points) + 1) * RECORDS_A_POINT;
        struct record r = make_record(n, time_of(n));
        /* the writer keeps up, so that a kill finds it anywhere in its work */
        if (k - p->first > pace || !ring_reserve(p->ring, RECORD_WIRE_MAX) ||
            (seq = ring_commit_reserved(p->ring, &r, RECORD_WIRE_MAX)) == 0) {
            sched_yield();
            continue;
        }
        if (AMENDED(n)) {
            r.status = 499;
            r.reason = REASON_CLIENT_CLOSED;
            ring_amend(p->ring, seq, &r);
        }
        ring_settle(p->ring, seq);
        atomic_store_explicit(&p->shared->done[p->thread], ++k, memory_order_release);
    }
    return NULL;
}

static void count_point(void *ctx, enum writer_point point)
{
    struct shared *shared = ctx;
    (void)point;
    atomic_fetch_add(&shared->points, 1);
}

/* Commits and stores without an end, until the kill comes. */
static void run_child(struct shared *shared)
{
    struct producer producers[THREADS];
    pthread_t threads[THREADS];
    struct writer *writer;
    struct journal *journal = open_journal(THREADS, RING_BYTES);
    struct writer_options options = default_options(journal);
    options.at_point = count_point;
    options.at_point_ctx = shared;
    if (writer_create(&writer, &options, NULL) != 0 || writer_start(writer, NULL) != 0)
        _exit(1);
    for (unsigned t = 0; t < THREADS; t++) {
        producers[t] = (struct producer){.ring = journal_ring(journal, t),
                                         .shared = shared,
                                         .thread = t,
                                         .first = atomic_load(&shared->done[t])};
        pthread_create(&threads[t], NULL, produce, &producers[t]);
    }
    for (;;) {
        /* one batch, sync and release after the other, instead of a few in a second */
        if (writer_flush(writer, FLUSH_US) != 0)
            _exit(1);
    }
}

static uint64_t done_in_all(struct shared *shared)
{
    uint64_t sum = 0;
    for (unsigned t = 0; t < THREADS; t++)
        sum += atomic_load_explicit(&shared->done[t], memory_order_acquire);
    return sum;
}

#define SEEN_MAX (ROUNDS * THREADS * (ROUND_RECORDS + 1))

struct seen {
    unsigned char times[SEEN_MAX];
    bool in_flight[SEEN_MAX]; /* being committed at one of the kills; kept over the rounds */
    uint64_t count[THREADS], metered;
};

static int see_row(void *ctx, const struct row *row)
{
    struct seen *seen = ctx;
    uint64_t n = 0;
    for (unsigned i = 0; i < 8; i++)
        n = n << 8 | row->record.request_id.b[8 + i];
    assert_true(n < SEEN_MAX);
    assert_int_equal(seen->times[n]++, 0);
    seen->count[n % THREADS]++;
    seen->metered += row->record.metered;
    /* an amendment that was made is merged, whenever the process died */
    if (AMENDED(n) && row->record.status != 499)
        assert_true(seen->in_flight[n]);
    return 0;
}

/* All rows, each once; every record whose commit returned is among them, and at most one more. */
static void check_rows(struct shared *shared, struct seen *seen)
{
    struct error err = ERROR_INIT;
    struct store *store;
    memset(seen->times, 0, sizeof(seen->times));
    memset(seen->count, 0, sizeof(seen->count));
    seen->metered = 0;
    for (unsigned t = 0; t < THREADS; t++)
        seen->in_flight[number_of(t, atomic_load(&shared->done[t]))] = true;
    if (store_open(&store, store_path(), STORE_READ, &err) != 0)
        fail_msg("%s", err.text);
    struct rows_range all = {.up_to = INT64_MAX, .max = UINT32_MAX / 2};
    if (store_rows_read(store, all, see_row, seen, &err) < 0)
        fail_msg("%s", err.text);
    store_close(store);
    for (unsigned t = 0; t < THREADS; t++) {
        uint64_t done = atomic_load(&shared->done[t]);
        if (seen->count[t] < done || seen->count[t] > done + 1)
            fail_msg("thread %u: %llu committed, %llu rows", t, (unsigned long long)done,
                     (unsigned long long)seen->count[t]);
        for (uint64_t k = 0; k < seen->count[t]; k++)
            assert_int_equal(seen->times[number_of(t, k)], 1);
        /* the next round goes on behind what is there */
        atomic_store(&shared->done[t], seen->count[t]);
    }
}

static struct shared *new_shared(void)
{
    void *map = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    return map;
}

static void reopen_and_close(void)
{
    struct pipeline p = pipeline_open(THREADS);
    pipeline_close(&p);
}

/* Lets a child work until the writer has come by `points` points, and a little longer. */
static void work_and_die(struct shared *shared, uint64_t points, unsigned spin)
{
    uint64_t all = done_in_all(shared) + THREADS * ROUND_RECORDS;
    atomic_store(&shared->points, 0);
    pid_t pid = fork();
    if (pid == 0)
        run_child(shared);
    assert_true(pid > 0);
    while (atomic_load(&shared->points) < points && done_in_all(shared) < all) {
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
        sched_yield();
    }
    for (unsigned i = 0; i < spin; i++)
        atomic_load(&shared->points);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void killed_at_random_it_counts_each_record_once(void **state)
{
    (void)state;
    static struct seen seen;
    struct shared *shared = new_shared();
    unsigned seed = (unsigned)getpid();
    for (unsigned round = 0; round < ROUNDS; round++) {
        seed = seed * 1664525 + 1013904223;
        work_and_die(shared, (seed >> 8) % POINTS_MAX, seed % 65536);
        reopen_and_close();
        check_rows(shared, &seen);
        assert_counted(done_in_all(shared), seen.metered);
    }
    print_message("%llu records, %u kills\n", (unsigned long long)done_in_all(shared), ROUNDS);
    munmap(shared, sizeof(*shared));
}

/* ---- between any two commits ---- */

struct kill_at {
    enum writer_point point;
    unsigned nth; /* time it comes by */
};

static void kill_here(void *ctx, enum writer_point point)
{
    struct kill_at *at = ctx;
    if (point == at->point && --at->nth == 0)
        kill(getpid(), SIGKILL);
}

#define MIDNIGHT_RECORDS 300

/* Commits records around midnight, then has them stored by the replay or by the thread. */
static void store_until_killed(struct kill_at at, bool by_thread)
{
    struct writer *writer;
    struct journal *journal = open_journal(1, RING_BYTES);
    struct writer_options options = default_options(journal);
    options.at_point = kill_here;
    options.at_point_ctx = &at;
    if (by_thread && (writer_create(&writer, &options, NULL) != 0))
        _exit(1);
    for (uint64_t n = 0; n < MIDNIGHT_RECORDS; n++)
        commit(journal_ring(journal, 0), n, time_of(n * 200));
    if (!by_thread && writer_create(&writer, &options, NULL) != 0)
        _exit(1);
    if (by_thread && (writer_start(writer, NULL) != 0 || writer_flush(writer, FLUSH_US) != 0))
        _exit(1);
    _exit(0);
}

/* Runs it in a child; true where it was killed, false where the point did not come by. */
static bool die_at(struct kill_at at, bool by_thread)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        store_until_killed(at, by_thread);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void fresh_folder(void)
{
    tempdir_teardown(NULL);
    tempdir_setup(NULL);
}

static void killed_between_any_two_commits_it_counts_once(void **state)
{
    (void)state;
    unsigned kills = 0;
    for (int point = 0; point < WRITER_POINT_COUNT; point++) {
        for (unsigned nth = 1; nth <= 3; nth++) {
            for (int by_thread = 0; by_thread <= 1; by_thread++) {
                struct kill_at at = {.point = (enum writer_point)point, .nth = nth};
                fresh_folder();
                bool killed = die_at(at, by_thread);
                kills += killed;
                /* the first time each point comes by, and the second day's file, always */
                if (nth == 1 || (nth == 2 && point == WRITER_ROWS))
                    assert_true(killed);
                reopen_and_close();
                assert_counted(MIDNIGHT_RECORDS, metered_of(MIDNIGHT_RECORDS));
            }
        }
    }
    assert_true(kills >= 2 * WRITER_POINT_COUNT + 2);
}

static void killed_again_in_the_replay_it_still_counts_once(void **state)
{
    (void)state;
    for (int point = 0; point < WRITER_POINT_COUNT; point++) {
        fresh_folder();
        assert_true(die_at((struct kill_at){.point = WRITER_BEGIN, .nth = 1}, false));
        /* the same records are left; each start dies a little later */
        for (int again = 0; again <= point; again++) {
            int status;
            pid_t pid = fork();
            if (pid == 0) {
                struct kill_at at = {.point = (enum writer_point)again, .nth = 1};
                struct writer *writer;
                struct writer_options options = default_options(open_journal(1, RING_BYTES));
                options.at_point = kill_here;
                options.at_point_ctx = &at;
                _exit(writer_create(&writer, &options, NULL) != 0);
            }
            assert_int_equal(waitpid(pid, &status, 0), pid);
        }
        reopen_and_close();
        assert_counted(MIDNIGHT_RECORDS, metered_of(MIDNIGHT_RECORDS));
    }
}

/* ---- a loss of power takes what was not synced ---- */

static void lose_log(const char *name)
{
    static const char *const suffixes[] = {"-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s%s", store_path(), name, suffixes[i]);
        assert_int_equal(unlink(path), 0);
    }
}

static void a_log_lost_before_the_sync_is_written_again(void **state)
{
    (void)state;
    static const char *const logs[] = {"totals.db", "requests-2026-11-23.db",
                                       "requests-2026-11-24.db"};
    for (unsigned lost = 1; lost < 8; lost++) {
        fresh_folder();
        assert_true(die_at((struct kill_at){.point = WRITER_PUBLISHED, .nth = 1}, false));
        for (unsigned i = 0; i < ARRAY_LEN(logs); i++) {
            if (lost & 1u << i)
                lose_log(logs[i]);
        }
        reopen_and_close();
        assert_counted(MIDNIGHT_RECORDS, metered_of(MIDNIGHT_RECORDS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(killed_between_any_two_commits_it_counts_once),
        unit_test_in_tempdir(killed_again_in_the_replay_it_still_counts_once),
        unit_test_in_tempdir(a_log_lost_before_the_sync_is_written_again),
        unit_test_in_tempdir(killed_at_random_it_counts_each_record_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
