/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include "analytics/batch.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

/* The numbers of the records that lie between tail and head, checked to be records 0, 1, 2, ... */
static unsigned read_all(struct ring *ring, uint64_t first)
{
    struct ring_cursor at = ring_tail(ring);
    struct frame frame;
    unsigned count = 0;
    int r;
    while ((r = ring_next(ring, &at, ring_head(ring), &frame)) == 1) {
        struct record record, want = make_record(first + count, a_day());
        if (frame.kind != FRAME_RECORD)
            continue;
        assert_int_equal(record_decode(frame.payload, &record), 0);
        assert_memory_equal(record.request_id.b, want.request_id.b, 16);
        assert_true(str_eq(record.app, want.app));
        count++;
    }
    assert_int_equal(r, 0);
    return count;
}

static void records_are_read_as_they_were_committed(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES);
    struct ring *ring = journal_ring(j, 0);
    for (uint64_t n = 0; n < 500; n++)
        commit(ring, n, a_day());
    assert_int_equal(read_all(ring, 0), 500);
    journal_close(j);
}

static void a_closed_journal_keeps_what_was_committed(void **state)
{
    (void)state;
    struct journal *j = open_journal(2, RING_BYTES);
    for (uint64_t n = 0; n < 100; n++)
        commit(journal_ring(j, 1), n, a_day());
    journal_close(j);
    j = open_journal(2, RING_BYTES);
    assert_int_equal(read_all(journal_at(j, 0), 0), 0);
    assert_int_equal(read_all(journal_at(j, 1), 0), 100);
    journal_close(j);
}

static void what_was_committed_survives_kill_9(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        struct journal *j = open_journal(1, RING_BYTES);
        for (uint64_t n = 0; n < 321; n++)
            commit(journal_ring(j, 0), n, a_day());
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    struct journal *j = open_journal(1, RING_BYTES);
    assert_int_equal(read_all(journal_at(j, 0), 0), 321);
    journal_close(j);
}

static void the_ring_goes_round_many_times(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES_MIN);
    struct ring *ring = journal_ring(j, 0);
    uint64_t committed = 0;
    /* sizes that never divide the ring's, so that its end is met in every way */
    for (unsigned round = 0; round < 400; round++) {
        unsigned n = 1 + round % 97;
        uint64_t first = committed;
        for (unsigned i = 0; i < n; i++)
            commit(ring, committed++, a_day());
        assert_int_equal(read_all(ring, first), n);
        ring_release(ring, ring_head(ring));
    }
    assert_true(ring_head(ring) > 8 * (uint64_t)RING_BYTES_MIN);
    journal_close(j);
}

static void a_large_record_wraps_in_one_piece(void **state)
{
    (void)state;
    static char text[RECORD_TEXT_MAX];
    struct journal *j = open_journal(1, RING_BYTES_MIN);
    struct ring *ring = journal_ring(j, 0);
    memset(text, 'x', sizeof(text));
    for (uint64_t n = 0; n < 1000; n++) {
        struct record r = make_record(n, a_day());
        struct frame frame;
        struct ring_cursor at = ring_tail(ring);
        r.path = r.query = r.referer = str_make(text, (size_t)(n * 37) % sizeof(text));
        assert_int_not_equal(ring_commit(ring, &r), 0);
        ring_settle(ring, n + 1);
        assert_int_equal(ring_next(ring, &at, ring_head(ring), &frame), 1);
        assert_int_equal(record_decode(frame.payload, &r), 0);
        assert_int_equal(r.referer.n, (n * 37) % sizeof(text));
        ring_release(ring, at.pos);
    }
    journal_close(j);
}

static void a_full_ring_refuses_and_counts(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES_MIN);
    struct ring *ring = journal_ring(j, 0);
    struct record r = make_record(1, a_day());
    unsigned with_room = 0, committed = 0;
    uint64_t seq;
    for (; ring_reserve(ring, RECORD_WIRE_MAX); with_room++) {
        seq = ring_commit_reserved(ring, &r, RECORD_WIRE_MAX);
        assert_int_not_equal(seq, 0);
        ring_settle(ring, seq);
    }
    while ((seq = ring_commit(ring, &r)) != 0) {
        ring_settle(ring, seq);
        committed++;
    }
    assert_true(with_room > 500);
    assert_true(committed > 0); /* the promise is kept with something to spare */
    assert_int_equal(atomic_load(&ring->dropped), 1);
    ring_release(ring, ring_head(ring));
    for (int i = 0; i < 5; i++)
        assert_true(ring_reserve(ring, RECORD_WIRE_MAX));
    assert_int_not_equal(ring_commit(ring, &r), 0);
    journal_close(j);
}

/* Reserves for calls, lets other records fill the rest, and commits those calls, all amended. */
static void fill_around_calls(struct ring *ring, const struct record *call, unsigned calls)
{
    const struct record refused = {.api = STR("a")}, amended = {.status = 499};
    unsigned char out[RECORD_WIRE_MAX];
    size_t bytes = record_encode(call, out);
    uint64_t first, seq;
    for (unsigned i = 0; i < calls; i++)
        assert_true(ring_reserve(ring, bytes));
    while ((seq = ring_commit(ring, &refused)) != 0)
        ring_settle(ring, seq);
    first = ring->next_seq;
    for (unsigned i = 0; i < calls; i++)
        assert_int_equal(ring_commit_reserved(ring, call, bytes), first + i);
    for (unsigned i = 0; i < calls; i++) {
        ring_amend(ring, first + i, &amended);
        ring_settle(ring, first + i);
    }
}

/* Moves the head to `offset` bytes behind the beginning of the ring, or little more. */
static void move_head(struct ring *ring, uint64_t offset)
{
    const struct record small = {.api = STR("a")};
    bool begun = false;
    while (!begun || ring_head(ring) % ring->size < offset) {
        uint64_t before = ring_head(ring) % ring->size;
        ring_settle(ring, ring_commit(ring, &small));
        ring_release(ring, ring_head(ring));
        begun = begun || ring_head(ring) % ring->size < before;
    }
}

static void room_set_aside_stays_whatever_else_is_committed(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES_MIN);
    struct ring *ring = journal_ring(j, 0);
    char text[RECORD_TEXT_MAX];
    memset(text, 'x', sizeof(text));
    /* few large calls and many small ones; the end of the ring falls before, within and behind */
    for (unsigned n = 0; n < 100; n++) {
        struct record r = {.api = STR("a"), .status = 200};
        unsigned calls = n % 2 > 0 ? 400 : 12;
        r.path = r.query = r.user_agent = str_make(text, n % 2 > 0 ? n : sizeof(text) - n);
        move_head(ring, n * 900);
        fill_around_calls(ring, &r, calls);
        assert_int_equal(atomic_load(&ring->dropped), n + 1); /* what found it full */
        ring_release(ring, ring_head(ring));
    }
    assert_int_equal(ring->reserved, 0);
    journal_close(j);
}

static void an_amendment_has_room_even_in_a_full_ring(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES_MIN);
    struct ring *ring = journal_ring(j, 0);
    struct record r = make_record(1, a_day());
    struct frame frame;
    uint64_t last = 0, seq;
    while ((seq = ring_commit(ring, &r)) != 0)
        last = seq;
    r.status = 499;
    for (seq = 1; seq <= last; seq++) {
        ring_amend(ring, seq, &r);
        ring_settle(ring, seq);
    }
    struct ring_cursor at = ring_tail(ring);
    unsigned amendments = 0;
    while (ring_next_amendment(ring, &at, ring_head(ring), &frame) == 1)
        assert_int_equal(frame.target, ++amendments);
    assert_int_equal(amendments, last);
    assert_int_equal(atomic_load(&ring->dropped), 1); /* the record that ended the loop */
    journal_close(j);
}

static void the_smallest_unsettled_number_is_known(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES);
    struct ring *ring = journal_ring(j, 0);
    struct record r = make_record(1, a_day());
    assert_int_equal(ring_unsettled(ring), RING_NONE);
    for (uint64_t n = 1; n <= 5; n++)
        assert_int_equal(ring_commit(ring, &r), n);
    static const struct {
        uint64_t settle, unsettled;
    } steps[] = {{3, 1}, {1, 2}, {99, 2}, {2, 4}, {2, 4}, {5, 4}, {4, RING_NONE}};
    assert_int_equal(ring_unsettled(ring), 1);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        ring_settle(ring, steps[i].settle);
        assert_int_equal(ring_unsettled(ring), steps[i].unsettled);
    }
    journal_close(j);
}

static void more_unsettled_than_can_be_followed_do_no_harm(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, 16 * RING_BYTES);
    struct ring *ring = journal_ring(j, 0);
    struct record r = make_record(1, a_day());
    for (uint64_t n = 1; n <= RING_UNSETTLED_MAX + 10; n++)
        assert_int_equal(ring_commit(ring, &r), n);
    for (uint64_t n = RING_UNSETTLED_MAX + 10; n > 0; n--)
        ring_settle(ring, n);
    assert_int_equal(ring_unsettled(ring), RING_NONE);
    journal_close(j);
}

static void a_new_run_has_new_ids(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES);
    uint64_t first = ring_id(journal_ring(j, 0));
    journal_close(j);
    j = open_journal(1, RING_BYTES);
    assert_int_not_equal(first, ring_id(journal_ring(j, 0)));
    assert_int_equal(ring_commit(journal_ring(j, 0), &(struct record){.api = STR("a")}), 1);
    journal_close(j);
    /* what was not read yet keeps the id under which it is known */
    j = open_journal(1, RING_BYTES);
    first = ring_id(journal_at(j, 0));
    journal_close(j);
    j = open_journal(1, RING_BYTES);
    assert_int_equal(first, ring_id(journal_at(j, 0)));
    journal_close(j);
}

static void flip(const char *path, long offset)
{
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    fseek(f, offset, SEEK_SET);
    int c = fgetc(f);
    fseek(f, offset, SEEK_SET);
    fputc(c ^ 0x55, f);
    fclose(f);
}

static void every_damaged_byte_of_a_frame_is_noticed(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES);
    struct ring_cursor at = {.pos = 0};
    struct frame frame;
    commit(journal_ring(j, 0), 0, a_day());
    struct ring *ring = journal_ring(j, 0);
    assert_int_equal(ring_next(ring, &at, ring_head(ring), &frame), 1);
    size_t whole = sizeof(struct frame_header) + frame.payload.n;
    journal_close(j);
    for (size_t i = 0; i < whole; i++) {
        flip(tempdir_path("journal/ring-00"), (long)(RING_HEADER_BYTES + i));
        j = open_journal(1, RING_BYTES);
        ring = journal_at(j, 0);
        at = (struct ring_cursor){.pos = 0, .seq = 1};
        if (ring_next(ring, &at, ring_head(ring), &frame) != E_CORRUPT)
            fail_msg("byte %zu", i);
        assert_int_equal(at.pos, 0);
        journal_close(j);
        flip(tempdir_path("journal/ring-00"), (long)(RING_HEADER_BYTES + i));
    }
}

static void a_frame_of_an_earlier_round_is_no_frame(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES_MIN);
    struct ring *ring = journal_ring(j, 0);
    struct frame frame;
    /* every record is as long as every other, so frames of both rounds begin at the same places */
    struct record r = make_record(1, a_day());
    while (ring_head(ring) < ring->size + ring->size / 2) {
        ring_settle(ring, ring_commit(ring, &r));
        ring_release(ring, ring_head(ring));
    }
    /* as if the head had reached the disk, and the newest records had not */
    struct ring_cursor at = {.pos = ring_head(ring)};
    assert_int_equal(ring_next(ring, &at, ring_head(ring) + 4096, &frame), E_CORRUPT);
    journal_close(j);
}

static void rings_of_another_number_or_size_are_still_read(void **state)
{
    (void)state;
    struct journal *j = open_journal(3, RING_BYTES);
    for (uint64_t n = 0; n < 30; n++)
        commit(journal_ring(j, (unsigned)n / 10), n, a_day());
    journal_close(j);
    j = open_journal(1, 2 * RING_BYTES);
    assert_int_equal(journal_count(j), 4); /* a new one, and three to drain */
    unsigned found = 0;
    for (unsigned i = 0; i < journal_count(j); i++) {
        struct ring *ring = journal_at(j, i);
        found += ring_used(ring) > 0;
        ring_release(ring, ring_head(ring));
    }
    assert_int_equal(found, 3);
    assert_int_equal(journal_renew(j, NULL), 0);
    assert_int_equal(journal_count(j), 1);
    journal_close(j);
    j = open_journal(1, 2 * RING_BYTES);
    assert_int_equal(journal_count(j), 1);
    journal_close(j);
}

static void write_file(const char *path, const char *bytes, size_t n, size_t size)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fwrite(bytes, 1, n, f);
    assert_int_equal(fflush(f), 0);
    assert_int_equal(ftruncate(fileno(f), (off_t)size), 0);
    fclose(f);
}

static void what_is_no_ring_of_ours_stops_the_start_and_nothing_is_made(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n, size;
        int result;
        const char *says;
    } cases[] = {
        {"", 0, 0, E_CORRUPT, "not a journal ring"},
        {"hello", 5, 5, E_CORRUPT, "not a journal ring"},
        {"hello", 5, RING_HEADER_BYTES + RING_BYTES, E_CORRUPT, "not a journal ring"},
        {"WEIRRING\xff\0\0\0", 12, RING_HEADER_BYTES + RING_BYTES, E_NEWER, "newer version"},
        {"WEIRRING\x01\0\0\0", 12, RING_HEADER_BYTES + RING_BYTES, E_CORRUPT, "damaged"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        struct journal *j;
        assert_int_equal(mkdir(tempdir_path("journal"), 0700), 0);
        write_file(tempdir_path("journal/ring-01"), cases[i].bytes, cases[i].n, cases[i].size);
        int r = journal_open(&j, tempdir_path("journal"), 2, RING_BYTES, &err);
        assert_int_equal(r, cases[i].result);
        assert_non_null(strstr(err.text, "ring-01"));
        assert_non_null(strstr(err.text, cases[i].says));
        assert_int_not_equal(access(tempdir_path("journal/ring-00"), F_OK), 0);
        tempdir_remove_tree(tempdir_path("journal"));
    }
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct journal *j;
    write_file(tempdir_path("file"), "x", 1, 1);
    assert_int_equal(journal_open(&j, tempdir_path("file/journal"), 1, RING_BYTES, &err), E_IO);
    assert_non_null(strstr(err.text, "file/journal"));
}

static void too_large_a_ring_for_the_disk_leaves_nothing_behind(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct journal *j;
    int r = journal_open(&j, tempdir_path("journal"), 2, (size_t)1 << 50, &err);
    assert_int_not_equal(r, 0);
    assert_non_null(strstr(err.text, "no room for a journal ring"));
    assert_int_not_equal(access(tempdir_path("journal/ring-00"), F_OK), 0);
    assert_int_not_equal(access(tempdir_path("journal/ring-00.new"), F_OK), 0);
}

static void a_ring_that_was_never_finished_is_removed(void **state)
{
    static const char *const names[] = {"journal/ring-00.new", "journal/ring-07.new",
                                        "journal/ring-100.new"};
    (void)state;
    journal_close(open_journal(2, RING_BYTES));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        write_file(tempdir_path(names[i]), "", 0, RING_BYTES);
    write_file(tempdir_path("journal/mine.new"), "", 0, 1);
    journal_close(open_journal(2, RING_BYTES));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_not_equal(access(tempdir_path(names[i]), F_OK), 0);
    assert_int_equal(access(tempdir_path("journal/mine.new"), F_OK), 0);
}

/* ---- what is ready to be stored ---- */

static struct mono at_ms(int64_t ms)
{
    return (struct mono){.us = ms * US_PER_MS};
}

static void a_batch_waits_for_what_is_not_settled(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES);
    struct ring *ring = journal_ring(j, 0);
    struct record r = make_record(1, a_day());
    struct batch b;
    batch_init(&b, j);
    uint64_t one = ring_commit(ring, &r), two = ring_commit(ring, &r), three;
    ring_settle(ring, two);
    batch_collect(&b, at_ms(0), false);
    assert_int_equal(b.count, 0);
    assert_true(b.waiting && !b.more);
    ring_settle(ring, one);
    three = ring_commit(ring, &r);
    batch_collect(&b, at_ms(1), false);
    assert_int_equal(b.count, 2);
    batch_done(&b);
    /* at the end nothing is waited for */
    batch_collect(&b, at_ms(2), true);
    assert_int_equal(b.count, 1);
    assert_int_equal(b.items[0].ring_seq, three);
    batch_finish(&b);
    journal_close(j);
}

static void a_batch_waits_only_so_long(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES);
    struct ring *ring = journal_ring(j, 0);
    struct record r = make_record(1, a_day());
    struct batch b;
    batch_init(&b, j);
    uint64_t stuck = ring_commit(ring, &r);
    int64_t ms = 0, stored_at = -1;
    unsigned later = 0;
    /* others come and go meanwhile, one each 100 ms */
    for (; ms < 6000 && stored_at < 0; ms += 100) {
        batch_collect(&b, at_ms(ms), false);
        if (b.count > 0)
            stored_at = ms;
        else
            ring_settle(ring, ring_commit(ring, &r)), later++;
    }
    assert_int_equal(b.items[0].ring_seq, stuck);
    assert_in_range(stored_at, JOURNAL_SETTLE_MAX_US / US_PER_MS,
                    JOURNAL_SETTLE_MAX_US / US_PER_MS + 300);
    assert_true(b.count < later); /* what came just now still waits for its turn */
    batch_done(&b);
    /* too late: dropped and counted, once */
    ring_amend(ring, stuck, &r);
    ring_settle(ring, stuck);
    batch_collect(&b, at_ms(ms), false);
    assert_int_equal(b.late, 1);
    batch_done(&b);
    batch_collect(&b, at_ms(ms + 1), false);
    assert_int_equal(b.late, 0);
    batch_finish(&b);
    journal_close(j);
}

static void an_amendment_is_merged_from_far_ahead(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, 16 * RING_BYTES);
    struct ring *ring = journal_ring(j, 0);
    struct record r = make_record(0, a_day());
    struct batch b;
    batch_init(&b, j);
    uint64_t first = ring_commit(ring, &r);
    for (uint64_t n = 1; n < 3 * BATCH_ITEMS / 2; n++)
        commit(ring, n, a_day());
    r.status = 499;
    r.reason = REASON_CLIENT_CLOSED;
    r.bytes_out = 7;
    ring_amend(ring, first, &r);
    ring_settle(ring, first);
    batch_collect(&b, at_ms(0), false);
    assert_int_equal(b.count, BATCH_ITEMS);
    assert_true(b.more);
    assert_int_equal(b.items[0].record.status, 499);
    assert_int_equal(b.items[0].record.bytes_out, 7);
    assert_int_equal(b.items[1].record.status, 200);
    batch_done(&b);
    /* the amendment itself comes by later, and is neither a record nor late */
    batch_collect(&b, at_ms(1), false);
    assert_int_equal(b.count, BATCH_ITEMS / 2);
    assert_int_equal(b.late, 0);
    assert_false(b.more);
    batch_done(&b);
    batch_finish(&b);
    journal_close(j);
}

static void an_undone_batch_comes_again(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES);
    struct ring *ring = journal_ring(j, 0);
    struct batch b;
    batch_init(&b, j);
    for (uint64_t n = 0; n < 10; n++)
        commit(ring, n, a_day());
    for (int i = 0; i < 3; i++) {
        batch_collect(&b, at_ms(i), false);
        assert_int_equal(b.count, 10);
        assert_int_equal(b.items[0].ring_seq, 1);
    }
    batch_done(&b);
    batch_release(&b);
    assert_int_equal(ring_used(ring), 0);
    batch_collect(&b, at_ms(4), false);
    assert_int_equal(b.count, 0);
    batch_finish(&b);
    journal_close(j);
}

/* ---- producer and reader at the same time ---- */

#define RACE_RECORDS 200000

static void *produce(void *arg)
{
    struct ring *ring = arg;
    struct record r = make_record(1, a_day()), amended = r;
    amended.status = 499;
    for (uint64_t n = 0; n < RACE_RECORDS;) {
        r.bytes_in = n;
        uint64_t seq = ring_commit(ring, &r);
        if (seq == 0)
            continue; /* full: the reader will make room */
        if (n % 5 == 0)
            ring_amend(ring, seq, &amended);
        ring_settle(ring, seq);
        n++;
    }
    return NULL;
}

static void a_reader_beside_the_producer_sees_each_record_settled(void **state)
{
    (void)state;
    struct journal *j = open_journal(1, RING_BYTES);
    struct batch b;
    pthread_t thread;
    uint64_t next = 0;
    batch_init(&b, j);
    assert_int_equal(pthread_create(&thread, NULL, produce, journal_ring(j, 0)), 0);
    while (next < RACE_RECORDS) {
        batch_collect(&b, clock_mono(), false);
        assert_int_equal(b.torn + b.unreadable + b.late, 0);
        for (size_t i = 0; i < b.count; i++, next++) {
            assert_int_equal(b.items[i].record.bytes_in, next);
            assert_int_equal(b.items[i].record.status, next % 5 == 0 ? 499 : 200);
        }
        batch_done(&b);
        batch_release(&b);
    }
    pthread_join(thread, NULL);
    batch_finish(&b);
    journal_close(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_tempdir(records_are_read_as_they_were_committed),
        unit_test_in_tempdir(a_closed_journal_keeps_what_was_committed),
        unit_test_in_tempdir(what_was_committed_survives_kill_9),
        unit_test_in_tempdir(the_ring_goes_round_many_times),
        unit_test_in_tempdir(a_large_record_wraps_in_one_piece),
        unit_test_in_tempdir(a_full_ring_refuses_and_counts),
        unit_test_in_tempdir(room_set_aside_stays_whatever_else_is_committed),
        unit_test_in_tempdir(an_amendment_has_room_even_in_a_full_ring),
        unit_test_in_tempdir(the_smallest_unsettled_number_is_known),
        unit_test_in_tempdir(more_unsettled_than_can_be_followed_do_no_harm),
        unit_test_in_tempdir(a_new_run_has_new_ids),
        unit_test_in_tempdir(every_damaged_byte_of_a_frame_is_noticed),
        unit_test_in_tempdir(a_frame_of_an_earlier_round_is_no_frame),
        unit_test_in_tempdir(rings_of_another_number_or_size_are_still_read),
        unit_test_in_tempdir(what_is_no_ring_of_ours_stops_the_start_and_nothing_is_made),
        unit_test_in_tempdir(a_folder_that_cannot_be_made_is_named),
        unit_test_in_tempdir(too_large_a_ring_for_the_disk_leaves_nothing_behind),
        unit_test_in_tempdir(a_ring_that_was_never_finished_is_removed),
        unit_test_in_tempdir(a_batch_waits_for_what_is_not_settled),
        unit_test_in_tempdir(a_batch_waits_only_so_long),
        unit_test_in_tempdir(an_amendment_is_merged_from_far_ahead),
        unit_test_in_tempdir(an_undone_batch_comes_again),
        unit_test_in_tempdir(a_reader_beside_the_producer_sees_each_record_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
