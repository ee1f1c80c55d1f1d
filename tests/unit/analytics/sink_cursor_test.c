/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "analytics/sink_cursor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64], path[128];

static void ok(int r, const struct error *err)
{
    if (r < 0)
        fail_msg("%d %s", r, err->text);
}

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
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/weir-cursor-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/sink-fake.cursor", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path) != 0 || rmdir(dir) != 0;
}

static void a_sink_that_never_ran_is_at_the_beginning(void **state)
{
    struct sink_place place = place_on_disk(), none = {0};
    (void)state;
    assert_memory_equal(&place, &none, sizeof(place));
}

static void a_place_is_kept_to_the_last_number(void **state)
{
    struct error err = ERROR_INIT;
    struct sink_cursor cursor;
    struct sink_place place, again;
    (void)state;
    for (unsigned big = 0; big < 2; big++) {
        ok(sink_cursor_open(&cursor, dir, "fake", &place, &err), &err);
        for (unsigned i = 0; i < SINK_COUNTERS; i++)
            place.counters[i] = big ? UINT64_MAX - i : i;
        place.seq = big ? UINT64_MAX : 1;
        place.known_to = 12345;
        place.pending = 0;
        ok(sink_cursor_save(&cursor, &place, &err), &err);
        sink_cursor_close(&cursor);
        again = place_on_disk();
        assert_memory_equal(&place, &again, sizeof(place));
    }
}

static void a_damaged_place_is_noticed(void **state)
{
    struct error err = ERROR_INIT;
    struct sink_cursor cursor;
    struct sink_place place;
    char byte;
    (void)state;
    ok(sink_cursor_open(&cursor, dir, "fake", &place, &err), &err);
    place.seq = 123;
    ok(sink_cursor_save(&cursor, &place, &err), &err);
    sink_cursor_close(&cursor);
    /* each byte of the line in turn; the padding says nothing */
    for (off_t at = 0; at < 40; at++) {
        int fd = open(path, O_RDWR);
        assert_true(fd >= 0 && pread(fd, &byte, 1, at) == 1);
        char other = byte == '7' ? '8' : '7';
        assert_int_equal(pwrite(fd, &other, 1, at), 1);
        struct error why = ERROR_INIT;
        if (byte != ' ' || at < 30)
            assert_int_equal(sink_cursor_open(&cursor, dir, "fake", &place, &why), E_CORRUPT);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
    }
    assert_int_equal(place_on_disk().seq, 123);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(sink_cursor_open(&cursor, dir, "fake", &place, &err), E_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sink_that_never_ran_is_at_the_beginning, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_place_is_kept_to_the_last_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_place_is_noticed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
