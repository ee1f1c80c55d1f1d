/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "analytics/sink.h"
#include "analytics/sink_cursor.h"
#include "analytics/store_count.h"
#include "analytics/store_totals.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_S 60 /* never reached where the code is right */
#define DAY_A 20000
#define DAY_B 20001
#define SEEN_MAX 20000

/* ---- a store with rows as a writer would have left them ---- */

static char dir[64];
static struct store *store;
static _Atomic uint64_t committed_seq;

static uint64_t committed(void *ctx)
{
    (void)ctx;
    return atomic_load_explicit(&committed_seq, memory_order_acquire);
}

static void ok(int r, const struct error *err)
{
    if (r < 0)
        fail_msg("%d %s", r, err->text);
}

/* Rows with numbers first .. last, of one day and one batch. */
static void put_rows(int64_t day, uint64_t first, uint64_t last)
{
    struct error err = ERROR_INIT;
    struct rows_writer w;
    struct db *db;
    struct day_range range = {.day = day, .first_seq = first, .last_seq = last};
    ok(store_day(store, day, &db, &err), &err);
    ok(db_begin(db, &err), &err);
    ok(rows_begin(&w, db, &err), &err);
    for (uint64_t seq = first; seq <= last; seq++) {
        struct row row = {.seq = seq, .record = {.time.us = day * US_PER_DAY, .status = 200}};
        ok(rows_add(&w, &row, &err), &err);
    }
    ok(rows_end(&w, &err), &err);
    ok(db_commit(db, &err), &err);
    ok(store_day_range_add(store_totals(store), range, &err), &err);
    atomic_store_explicit(&committed_seq, last, memory_order_release);
}

static void delete_day(int64_t day)
{
    struct error err = ERROR_INIT;
    ok(store_day_range_remove(store_totals(store), day, &err), &err);
    ok(store_day_remove(store, day, &err), &err);
}

/* ---- a receiver in this process ---- */

struct receiver {
    pthread_mutex_t mtx;
    pthread_cond_t changed;
    unsigned room;            /* rows a batch takes */
    enum sink_verdict answer; /* guarded by mtx */
    unsigned failures_left;   /* guarded by mtx: so many SINK_LATER come first */
    unsigned rejected;        /* guarded by mtx: of each batch that is delivered */
    bool stall;               /* guarded by mtx: deliver() waits until it is canceled */
    bool canceled, stalled;   /* guarded by mtx */
    uint64_t batch[SEEN_MAX]; /* the sink's thread only */
    unsigned batch_count;
    uint64_t tried[SEEN_MAX]; /* guarded by mtx: first number of each batch that was tried */
    unsigned try_count;       /* guarded by mtx */
    uint64_t seen[SEEN_MAX];  /* guarded by mtx: rows delivered, in their order */
    unsigned seen_count;      /* guarded by mtx */
    unsigned destroyed;
};

static struct receiver receiver;

static bool fake_add(void *state, const struct row *row)
{
    struct receiver *r = state;
    if (r->batch_count == r->room)
        return false;
    r->batch[r->batch_count++] = row->seq;
    return true;
}

static enum sink_verdict fake_deliver(void *state, struct sink_report *report)
{
    struct receiver *r = state;
    enum sink_verdict verdict;
    pthread_mutex_lock(&r->mtx);
    assert_true(r->try_count < SEEN_MAX);
    r->tried[r->try_count++] = r->batch[0];
    while (r->stall && !r->canceled) {
        r->stalled = true;
        pthread_cond_broadcast(&r->changed);
        pthread_cond_wait(&r->changed, &r->mtx);
    }
    verdict = r->canceled ? SINK_LATER : r->answer;
    if (r->failures_left > 0) {
        r->failures_left--;
        verdict = SINK_LATER;
    }
    if (verdict == SINK_DELIVERED) {
        assert_true(r->seen_count + r->batch_count <= SEEN_MAX);
        memcpy(r->seen + r->seen_count, r->batch, r->batch_count * sizeof(*r->batch));
        r->seen_count += r->batch_count;
        report->rejected = r->rejected;
        report->sent = r->batch_count - r->rejected;
    } else {
        error_set(&report->err, r->canceled ? E_CANCELED : E_REFUSED, "not now");
    }
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->mtx);
    return verdict;
}

static void fake_clear(void *state)
{
    ((struct receiver *)state)->batch_count = 0;
}

static void fake_cancel(void *state)
{
    struct receiver *r = state;
    pthread_mutex_lock(&r->mtx);
    r->canceled = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->mtx);
}

static void fake_destroy(void *state)
{
    ((struct receiver *)state)->destroyed++;
}

static const struct sink_type fake = {.name = "fake",
                                      .add = fake_add,
                                      .deliver = fake_deliver,
                                      .clear = fake_clear,
                                      .cancel = fake_cancel,
                                      .destroy = fake_destroy};

/* Waits until `seen` or `tries` of the receiver have come to a number. */
static void wait_for(const unsigned *counter, unsigned at_least)
{
    struct timespec until;
    int e = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&receiver.mtx);
    while (*counter < at_least && e == 0)
        e = pthread_cond_timedwait(&receiver.changed, &receiver.mtx, &until);
    unsigned got = *counter;
    pthread_mutex_unlock(&receiver.mtx);
    if (got < at_least)
        fail_msg("%u came instead of %u", got, at_least);
}

static unsigned tries(void)
{
    pthread_mutex_lock(&receiver.mtx);
    unsigned n = receiver.try_count;
    pthread_mutex_unlock(&receiver.mtx);
    return n;
}

static void answer_with(enum sink_verdict verdict)
{
    pthread_mutex_lock(&receiver.mtx);
    receiver.answer = verdict;
    pthread_mutex_unlock(&receiver.mtx);
}

static void seen_must_be(unsigned at, uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq <= last; seq++, at++) {
        assert_true(at < receiver.seen_count);
        assert_int_equal(receiver.seen[at], seq);
    }
}

static struct sink *start(void)
{
    struct sink *sink = NULL;
    struct error err = ERROR_INIT;
    struct sink_options options = {
        .dir = dir, .committed = committed, .backoff_min_us = 100, .backoff_max_us = 1000};
    receiver.batch_count = 0;
    receiver.canceled = false;
    ok(sink_start(&sink, &fake, &receiver, 1000, &options, &err), &err);
    return sink;
}

/* What the file says, as after a stop. */
static struct sink_place place_on_disk(void)
{
    struct error err = ERROR_INIT;
    struct sink_cursor cursor;
    struct sink_place place;
    ok(sink_cursor_open(&cursor, dir, "fake", &place, &err), &err);
    sink_cursor_close(&cursor);
    return place;
}

static int set_up(void **state)
{
    struct error err = ERROR_INIT;
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/weir-sink-XXXXXX");
    assert_non_null(mkdtemp(dir));
    ok(store_open(&store, dir, STORE_WRITE, &err), &err);
    atomic_store(&committed_seq, 0);
    memset(&receiver, 0, sizeof(receiver));
    pthread_mutex_init(&receiver.mtx, NULL);
    pthread_cond_init(&receiver.changed, NULL);
    receiver.room = 100;
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    store_close(store);
    pthread_cond_destroy(&receiver.changed);
    pthread_mutex_destroy(&receiver.mtx);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    FILE *rm = popen(command, "r");
    return rm == NULL || pclose(rm) != 0;
}

/* ---- counting ---- */

static void rows_are_counted_without_the_holes_between_them(void **state)
{
    static const struct {
        uint64_t after, up_to;
    } cases[] = {
        {0, 0},       {0, 9},    {0, 10},   {0, 14},   {9, 14},    {10, 14},     {14, 15},
        {12, 12},     {0, 20},   {0, 1000}, {14, 25},  {22, 23},   {0, 999},     {29, 1005},
        {1004, 1004}, {0, 1004}, {5000, 9}, {24, 999}, {25, 1000}, {1004, 9000},
    };
    struct error err = ERROR_INIT;
    (void)state;
    put_rows(DAY_A, 10, 14);
    put_rows(DAY_A, 20, 24);
    put_rows(DAY_B, 25, 25);
    put_rows(DAY_B, 1000, 1004);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t count = 99, want = 0;
        for (uint64_t s = cases[i].after + 1; s <= cases[i].up_to && s < 2000; s++)
            want += (s >= 10 && s <= 14) || (s >= 20 && s <= 25) || (s >= 1000 && s <= 1004);
        ok(store_rows_count(store, cases[i].after, cases[i].up_to, &count, &err), &err);
        assert_int_equal(count, want);
    }
}

/* ---- delivering ---- */

static void every_row_is_delivered_once_and_in_order(void **state)
{
    (void)state;
    put_rows(DAY_A, 1, 250);
    struct sink *sink = start();
    wait_for(&receiver.seen_count, 250);
    put_rows(DAY_B, 251, 260);
    wait_for(&receiver.seen_count, 260);
    sink_stop(sink);
    assert_int_equal(receiver.destroyed, 1);
    assert_int_equal(receiver.seen_count, 260);
    seen_must_be(0, 1, 260);

    /* a second run goes on from there */
    put_rows(DAY_B, 261, 262);
    sink = start();
    wait_for(&receiver.seen_count, 262);
    sink_stop(sink);
    assert_int_equal(receiver.seen_count, 262);
    seen_must_be(260, 261, 262);
    assert_int_equal(place_on_disk().counters[SINK_SENT], 262);
    sink_stop(NULL);
}

static void what_was_stored_last_is_delivered_before_the_end(void **state)
{
    (void)state;
    put_rows(DAY_A, 1, 3);
    struct sink *sink = start();
    wait_for(&receiver.seen_count, 3);
    put_rows(DAY_A, 4, 5);
    sink_stop(sink);
    assert_int_equal(receiver.seen_count, 5);
}

static void a_batch_is_tried_until_it_is_taken(void **state)
{
    (void)state;
    put_rows(DAY_A, 1, 150);
    receiver.failures_left = 5;
    struct sink *sink = start();
    wait_for(&receiver.seen_count, 150);
    sink_stop(sink);
    assert_int_equal(receiver.try_count, 7);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(receiver.tried[i], 1);
    seen_must_be(0, 1, 150);
    struct sink_place place = place_on_disk();
    assert_int_equal(place.counters[SINK_ERRORS], 5);
    assert_int_equal(place.counters[SINK_SENT], 150);
    assert_int_equal(place.seq, 150);
    assert_int_equal(place.pending, 0);
}

static void a_receiver_that_stays_away_costs_nothing_but_time(void **state)
{
    static const enum sink_verdict verdicts[] = {SINK_LATER, SINK_REFUSED};
    (void)state;
    put_rows(DAY_A, 1, 150);
    for (unsigned i = 0; i < ARRAY_LEN(verdicts); i++) {
        answer_with(verdicts[i]);
        struct sink *sink = start();
        wait_for(&receiver.try_count, tries() + 10);
        sink_stop(sink);
        assert_int_equal(place_on_disk().seq, 0);
        assert_int_equal(place_on_disk().pending, 150);
    }
    answer_with(SINK_DELIVERED);
    struct sink *sink = start();
    wait_for(&receiver.seen_count, 150);
    sink_stop(sink);
    seen_must_be(0, 1, 150);
    /* counters go on over restarts */
    assert_true(place_on_disk().counters[SINK_ERRORS] >= 20);
}

static void a_receiver_that_stalls_does_not_hold_up_the_end(void **state)
{
    (void)state;
    put_rows(DAY_A, 1, 10);
    receiver.stall = true;
    struct sink *sink = start();
    pthread_mutex_lock(&receiver.mtx);
    while (!receiver.stalled)
        pthread_cond_wait(&receiver.changed, &receiver.mtx);
    pthread_mutex_unlock(&receiver.mtx);
    sink_stop(sink);
    assert_true(receiver.canceled);
    assert_int_equal(receiver.seen_count, 0);
    /* that it was ended is no failure of the receiver */
    assert_int_equal(place_on_disk().counters[SINK_ERRORS], 0);
}

static void rows_refused_for_good_are_counted_and_passed_over(void **state)
{
    (void)state;
    put_rows(DAY_A, 1, 200);
    receiver.rejected = 3;
    struct sink *sink = start();
    wait_for(&receiver.seen_count, 200);
    sink_stop(sink);
    struct sink_place place = place_on_disk();
    assert_int_equal(place.counters[SINK_SENT], 194);
    assert_int_equal(place.counters[SINK_DROPPED_REJECTED], 6);
    assert_int_equal(place.seq, 200);
}

/* ---- what retention deletes ---- */

static void rows_deleted_before_they_were_sent_are_counted(void **state)
{
    (void)state;
    receiver.room = 10;
    answer_with(SINK_LATER);
    put_rows(DAY_A, 1, 50);
    put_rows(DAY_B, 51, 60);
    struct sink *sink = start();
    wait_for(&receiver.try_count, 1);
    delete_day(DAY_A);
    answer_with(SINK_DELIVERED);
    wait_for(&receiver.seen_count, 20);
    sink_stop(sink);
    /* the batch that was in hand is sent, the rest of the day is gone */
    seen_must_be(0, 1, 10);
    seen_must_be(10, 51, 60);
    assert_int_equal(receiver.seen_count, 20);
    struct sink_place place = place_on_disk();
    assert_int_equal(place.counters[SINK_DROPPED_RETENTION], 40);
    assert_int_equal(place.counters[SINK_SENT], 20);
}

static void so_are_those_that_came_and_went_while_the_receiver_was_away(void **state)
{
    (void)state;
    receiver.room = 10;
    answer_with(SINK_LATER);
    put_rows(DAY_A, 1, 10);
    struct sink *sink = start();
    wait_for(&receiver.try_count, 1);
    put_rows(DAY_B, 11, 40);
    /* the second of two attempts that begin later has looked at the store after that */
    wait_for(&receiver.try_count, tries() + 3);
    delete_day(DAY_B);
    wait_for(&receiver.try_count, tries() + 3);
    answer_with(SINK_DELIVERED);
    wait_for(&receiver.seen_count, 10);
    sink_stop(sink);
    assert_int_equal(place_on_disk().counters[SINK_DROPPED_RETENTION], 30);
}

static void so_are_those_deleted_while_nothing_ran(void **state)
{
    (void)state;
    answer_with(SINK_LATER);
    put_rows(DAY_A, 1, 50);
    put_rows(DAY_B, 51, 60);
    struct sink *sink = start();
    wait_for(&receiver.try_count, 1);
    sink_stop(sink);
    delete_day(DAY_A);
    answer_with(SINK_DELIVERED);
    sink = start();
    wait_for(&receiver.seen_count, 10);
    sink_stop(sink);
    seen_must_be(0, 51, 60);
    assert_int_equal(place_on_disk().counters[SINK_DROPPED_RETENTION], 50);
}

static void a_hole_between_numbers_is_no_loss(void **state)
{
    (void)state;
    put_rows(DAY_A, 7, 10);
    put_rows(DAY_A, 1000010, 1000012);
    struct sink *sink = start();
    wait_for(&receiver.seen_count, 7);
    put_rows(DAY_B, 2000012, 2000012);
    wait_for(&receiver.seen_count, 8);
    sink_stop(sink);
    struct sink_place place = place_on_disk();
    assert_int_equal(place.counters[SINK_DROPPED_RETENTION], 0);
    assert_int_equal(place.counters[SINK_SENT], 8);
    assert_int_equal(place.seq, 2000012);
}

static void a_sink_without_a_place_begins_with_the_oldest_row_there_is(void **state)
{
    (void)state;
    put_rows(DAY_A, 1, 10);
    put_rows(DAY_B, 11, 20);
    delete_day(DAY_A);
    struct sink *sink = start();
    wait_for(&receiver.seen_count, 10);
    sink_stop(sink);
    seen_must_be(0, 11, 20);
    /* what went before the sink was there is no loss of it */
    assert_int_equal(place_on_disk().counters[SINK_DROPPED_RETENTION], 0);
}

static void a_sink_that_lost_its_place_begins_again(void **state)
{
    char path[128];
    (void)state;
    put_rows(DAY_A, 1, 10);
    struct sink *sink = start();
    wait_for(&receiver.seen_count, 10);
    sink_stop(sink);
    snprintf(path, sizeof(path), "%s/sink-fake.cursor", dir);
    assert_int_equal(truncate(path, 100), 0);
    sink = start();
    wait_for(&receiver.seen_count, 20);
    sink_stop(sink);
    seen_must_be(10, 1, 10);

    /* a place ahead of the store is that of another store */
    atomic_store(&committed_seq, 5);
    sink = start();
    wait_for(&receiver.seen_count, 25);
    sink_stop(sink);
    seen_must_be(20, 1, 5);
}

static void a_sink_that_cannot_have_a_file_says_so(void **state)
{
    struct sink *sink = NULL;
    struct error err = ERROR_INIT;
    struct sink_options options = {.dir = "/nonexistent", .committed = committed};
    (void)state;
    assert_true(sink_start(&sink, &fake, &receiver, 1000, &options, &err) < 0);
    assert_true(str_starts(str_from(err.text), STR("/nonexistent/sink-fake.cursor: ")));
    assert_null(sink);
    assert_int_equal(receiver.destroyed, 1);
}

/* ---- metrics ---- */

static void collect(struct metrics_out *out, void *sink)
{
    sink_collect(out, sink);
}

static void must_have(struct str text, const char *line)
{
    if (str_find(text, str_from(line)) == text.n)
        fail_msg("there is no %s in %" STR_FMT, line, STR_ARG(text));
}

static void backlog_and_counters_are_shown(void **state)
{
    struct metrics_text *text;
    (void)state;
    receiver.room = 10;
    answer_with(SINK_LATER);
    put_rows(DAY_A, 1, 25);
    put_rows(DAY_A, 1000001, 1000003);
    struct sink *sink = start();
    /* after the second attempt the first one is shown */
    wait_for(&receiver.try_count, 2);
    struct metrics *metrics = metrics_create(0);
    metrics_register(metrics, collect, sink);
    assert_int_equal(metrics_get(metrics, METRICS_PROMETHEUS, &text), 0);
    must_have(text->text, "\nweir_sink_backlog_records{sink=\"fake\"} 28\n");
    must_have(text->text, "\nweir_sink_sent_records_total{sink=\"fake\"} 0\n");
    must_have(text->text,
              "\nweir_sink_dropped_records_total{sink=\"fake\",reason=\"retention\"} 0\n");
    metrics_text_unref(text);
    metrics_destroy(metrics);
    sink_stop(sink);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_are_counted_without_the_holes_between_them),
        TEST(every_row_is_delivered_once_and_in_order),
        TEST(what_was_stored_last_is_delivered_before_the_end),
        TEST(a_batch_is_tried_until_it_is_taken),
        TEST(a_receiver_that_stays_away_costs_nothing_but_time),
        TEST(a_receiver_that_stalls_does_not_hold_up_the_end),
        TEST(rows_refused_for_good_are_counted_and_passed_over),
        TEST(rows_deleted_before_they_were_sent_are_counted),
        TEST(so_are_those_that_came_and_went_while_the_receiver_was_away),
        TEST(so_are_those_deleted_while_nothing_ran),
        TEST(a_hole_between_numbers_is_no_loss),
        TEST(a_sink_without_a_place_begins_with_the_oldest_row_there_is),
        TEST(a_sink_that_lost_its_place_begins_again),
        TEST(a_sink_that_cannot_have_a_file_says_so),
        TEST(backlog_and_counters_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
