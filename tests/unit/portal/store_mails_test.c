/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "tempdir.h"

#include "base/embedded.h"
#include "base/migrate.h"
#include "portal/store_mails.h"

extern const struct embedded_file migrations_control[];

static struct db *db;
static struct error err;

static int set_up(void **state)
{
    tempdir_setup(state);
    err = (struct error)ERROR_INIT;
    if (db_open(&db, tempdir_path("weir.db"), DB_WRITE, &err) != 0 ||
        migrate_run(db, migrations_control, &err) != 0)
        fail_msg("%s", err.text);
    return 0;
}

static int tear_down(void **state)
{
    db_close(db);
    return tempdir_teardown(state);
}

static struct uuid id_of(unsigned char n)
{
    return (struct uuid){.b = {[15] = n}};
}

static void add(unsigned char n, int64_t at)
{
    struct mail_row row = {.id = id_of(n),
                           .template = STR("confirm"),
                           .recipient = STR("a@example.com"),
                           .content = STR("sealed"),
                           .created = {.us = at}};
    assert_int_equal(store_mails_add(db, &row, &err), 0);
}

static int see_id(void *ctx, const struct mail_row *row)
{
    *(unsigned char *)ctx = row->id.b[15];
    return 0;
}

/* The one that is due, 0 for none; `next` is when to look again, -1 for never. */
static unsigned char due(int64_t now, int64_t *next)
{
    unsigned char n = 0;
    struct wall t = {.us = -1};
    int r = store_mails_due(db, (struct wall){.us = now}, see_id, &n, &t, &err);
    assert_true(r == 0 || r == E_NOT_FOUND);
    *next = t.us;
    return n;
}

static void the_queue_gives_what_waited_longest(void **state)
{
    (void)state;
    int64_t next;
    assert_int_equal(due(100, &next), 0);
    assert_int_equal(next, -1);
    add(2, 20);
    add(1, 30);
    assert_int_equal(due(10, &next), 0);
    assert_int_equal(next, 20);
    assert_int_equal(due(30, &next), 2);
    struct uuid second = id_of(2), first = id_of(1);
    assert_int_equal(store_mails_postpone(db, &second, (struct wall){.us = 90}, STR("451"), &err),
                     0);
    assert_int_equal(due(30, &next), 1);
    assert_int_equal(
        store_mails_end(db, &first, MAIL_SENT, (struct wall){.us = 31}, STR_EMPTY, false, &err), 0);
    assert_int_equal(due(31, &next), 0);
    assert_int_equal(next, 90);
    assert_int_equal(store_mails_hurry(db, (struct wall){.us = 40}, &err), 0);
    assert_int_equal(due(40, &next), 2);
}

static int see_row(void *ctx, const struct mail_row *row)
{
    struct {
        size_t count, with_content;
        uint32_t attempts;
    } *seen = ctx;
    seen->count++;
    seen->with_content += row->content.n > 0 ? 1 : 0;
    seen->attempts += row->attempts;
    return 0;
}

static void what_was_sent_says_nothing_more_and_cannot_be_sent_again(void **state)
{
    (void)state;
    struct {
        size_t count, with_content;
        uint32_t attempts;
    } seen = {0};
    uint64_t waiting, failed;
    struct uuid first = id_of(1), second = id_of(2), none = id_of(9);
    struct wall now = {.us = 50};
    struct mail_page page = {.limit = 10};
    add(1, 10), add(2, 10), add(3, 10);
    assert_int_equal(store_mails_end(db, &first, MAIL_SENT, now, STR_EMPTY, false, &err), 0);
    assert_int_equal(store_mails_end(db, &second, MAIL_FAILED, now, STR("550"), true, &err), 0);
    assert_int_equal(store_mails_count(db, &waiting, &failed, &err), 0);
    assert_int_equal(waiting, 1);
    assert_int_equal(failed, 1);
    assert_int_equal(store_mails_list(db, &page, see_row, &seen, &err), 0);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.with_content, 2);
    assert_int_equal(seen.attempts, 2);
    assert_int_equal(store_mails_retry(db, &first, now, &err), E_NOT_FOUND);
    assert_int_equal(store_mails_retry(db, &none, now, &err), E_NOT_FOUND);
    assert_int_equal(store_mails_retry(db, &second, now, &err), 0);
    assert_int_equal(store_mails_retry(db, &second, now, &err), E_NOT_FOUND);
    assert_int_equal(store_mails_sweep(db, (struct wall){.us = 51}, &err), 0);
    seen.count = 0;
    assert_int_equal(store_mails_list(db, &page, see_row, &seen, &err), 0);
    assert_int_equal(seen.count, 2); /* those that wait */
}

static void pages_have_no_gap(void **state)
{
    (void)state;
    struct mail_page page = {.limit = 2};
    size_t pages = 0;
    unsigned char last = 0;
    for (unsigned char n = 1; n <= 5; n++)
        add(n, n);
    do {
        unsigned char n = 0;
        assert_int_equal(store_mails_list(db, &page, see_id, &n, &err), 0);
        last = n;
        page.after = id_of(n);
        pages++;
    } while (last > 1);
    assert_int_equal(pages, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_queue_gives_what_waited_longest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_sent_says_nothing_more_and_cannot_be_sent_again,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(pages_have_no_gap, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
