/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts, sessions, links and the audit log in weir.db; and how their queries find their rows. */
#include "test.h"

#include "portal/control.h"

/* for the texts of their queries, whose plans are looked at */
#include "portal/store_people.c"

#include "portal/store_audit.h"
#include "portal/store_links.h"
#include "portal/store_sessions.h"
#include "portal/store_text.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW ((struct wall){.us = INT64_C(1795435200) * US_PER_S})

struct fixture {
    char dir[64];
    struct db *db;
    struct pepper pepper;
    struct uuid_source ids;
};

static int begin(void **state)
{
    struct error err = ERROR_INIT;
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    snprintf(f->dir, sizeof(f->dir), "/tmp/weir-people-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    if (control_open(&f->db, f->dir, CONTROL_WRITE, &err) != 0)
        fail_msg("%s", err.text);
    *state = f;
    return 0;
}

static int end(void **state)
{
    static const char *const files[] = {"weir.db", "weir.db-wal", "weir.db-shm"};
    struct fixture *f = *state;
    db_close(f->db);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

static struct uuid make_id(struct fixture *f)
{
    return uuid7_make(&f->ids, NOW);
}

static int try_person(struct fixture *f, const char *email, struct uuid *ret_id)
{
    struct error err = ERROR_INIT;
    struct person_wish wish = {.id = make_id(f),
                               .team = make_id(f),
                               .email = str_from(email),
                               .name = STR("N"),
                               .password = STR("$argon2id$x"),
                               .state = PERSON_ACTIVE,
                               .now = NOW};
    *ret_id = wish.id;
    return store_people_create(f->db, &wish, &err);
}

static struct uuid person(struct fixture *f, const char *email)
{
    struct uuid id;
    assert_int_equal(try_person(f, email, &id), 0);
    return id;
}

struct seen {
    unsigned count;
    char text[128]; /* of the last */
    struct uuid id;
    enum person_state state;
};

static int see_person(void *ctx, const struct person_row *row)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->id = row->id;
    seen->state = row->state;
    str_copy(row->email, seen->text, sizeof(seen->text));
    return 0;
}

static int see_session(void *ctx, const struct session_row *row)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->id = row->id;
    str_copy(row->email, seen->text, sizeof(seen->text));
    return 0;
}

static int see_link(void *ctx, const struct link_row *row)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->id = row->id;
    return 0;
}

static int see_audit(void *ctx, const struct audit_row *row)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->id = row->id;
    str_copy(row->action, seen->text, sizeof(seen->text));
    return 0;
}

static void an_address_has_one_account(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    struct seen seen = {.count = 0};
    struct uuid id, first = person(f, "a@example.com");
    assert_int_equal(try_person(f, "a@example.com", &id), E_EXISTS);
    assert_int_equal(store_people_find(f->db, STR("a@example.com"), see_person, &seen, &err), 0);
    assert_memory_equal(&seen.id, &first, sizeof(first));
    assert_int_equal(store_people_find(f->db, STR("b@example.com"), see_person, &seen, &err),
                     E_NOT_FOUND);
    id = make_id(f);
    assert_int_equal(store_people_set_state(f->db, &id, PERSON_ACTIVE, &err), E_NOT_FOUND);
}

static void people_are_listed_page_by_page(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    char after[128] = "";
    unsigned pages = 0, all = 0;
    for (unsigned i = 0; i < 10; i++) {
        char email[32];
        snprintf(email, sizeof(email), "p%u_%%@example.com", i);
        person(f, email);
    }
    for (;;) {
        struct seen seen = {.count = 0};
        struct people_page page = {.after = str_from(after), .limit = 3};
        assert_int_equal(store_people_list(f->db, &page, see_person, &seen, &err), 0);
        if (seen.count == 0)
            break;
        assert_true(strcmp(seen.text, after) > 0);
        str_copy(str_from(seen.text), after, sizeof(after));
        all += seen.count;
        pages++;
    }
    assert_int_equal(all, 10);
    assert_int_equal(pages, 4);
    struct seen found = {.count = 0};
    struct people_page search = {.search = STR("7_%"), .limit = 10}; /* no wildcards */
    assert_int_equal(store_people_list(f->db, &search, see_person, &found, &err), 0);
    assert_int_equal(found.count, 1);
    assert_str_equal(str_from(found.text), "p7_%@example.com");
}

static void only_members_may_something_in_a_team(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    enum member member;
    struct uuid owner = person(f, "a@example.com"), other = person(f, "b@example.com"), team;
    assert_int_equal(store_people_team(f->db, &owner, &team, &err), 0);
    assert_int_equal(
        db_exec(f->db,
                "INSERT INTO apps SELECT 'shop', team, 'Shop', '', 'active', '', 0, NULL"
                " FROM members JOIN people ON id = person WHERE email = 'a@example.com';"
                "INSERT INTO members SELECT m.team, p.id, 'viewer', 0 FROM members m"
                " JOIN people o ON o.id = m.person AND o.email = 'a@example.com'"
                " JOIN people p ON p.email = 'b@example.com'",
                &err),
        0);
    assert_int_equal(store_people_member(f->db, &owner, STR("shop"), &member, &err), 0);
    assert_int_equal(member, MEMBER_OWNER);
    assert_int_equal(store_people_member(f->db, &other, STR("shop"), &member, &err), 0);
    assert_int_equal(member, MEMBER_VIEWER);
    struct uuid stranger = person(f, "c@example.com");
    assert_int_equal(store_people_member(f->db, &stranger, STR("shop"), &member, &err), 0);
    assert_int_equal(member, MEMBER_NONE);
    assert_int_equal(store_people_member(f->db, &owner, STR("none"), &member, &err), 0);
    assert_int_equal(member, MEMBER_NONE);
    assert_int_equal(db_exec(f->db, "UPDATE apps SET state = 'deleted'", &err), 0);
    assert_int_equal(store_people_member(f->db, &owner, STR("shop"), &member, &err), 0);
    assert_int_equal(member, MEMBER_NONE);
}

static struct secret_hash add_session(struct fixture *f, const struct uuid *id, const char *token,
                                      int64_t lasts_us)
{
    struct error err = ERROR_INIT;
    struct secret_hash hash = secret_hash_make(&f->pepper, str_from(token));
    struct session_row row = {.id = make_id(f),
                              .person = *id,
                              .audience = STR("portal"),
                              .created = NOW,
                              .seen = NOW,
                              .expires = {.us = NOW.us + lasts_us}};
    assert_int_equal(store_sessions_add(f->db, &row, &hash, &err), 0);
    return hash;
}

static int find_session(struct fixture *f, const struct secret_hash *hash, const char *audience,
                        int64_t later_us, struct seen *seen)
{
    struct error err = ERROR_INIT;
    struct wall now = {.us = NOW.us + later_us};
    return store_sessions_find(f->db, hash, str_from(audience), now, see_session, seen, &err);
}

static void a_session_is_its_persons_until_it_expires(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    struct seen seen = {.count = 0};
    struct uuid id = person(f, "a@example.com");
    struct secret_hash hash = add_session(f, &id, "t", 1000);
    struct secret_hash other = secret_hash_make(&f->pepper, STR("u"));
    assert_int_equal(find_session(f, &hash, "portal", 999, &seen), 0);
    assert_str_equal(str_from(seen.text), "a@example.com");
    assert_int_equal(find_session(f, &hash, "portal", 1000, &seen), E_NOT_FOUND);
    assert_int_equal(find_session(f, &hash, "console", 0, &seen), E_NOT_FOUND);
    assert_int_equal(find_session(f, &other, "portal", 0, &seen), E_NOT_FOUND);
    struct uuid stranger = person(f, "b@example.com");
    assert_int_equal(store_sessions_end(f->db, &seen.id, &stranger, &err), E_NOT_FOUND);
    assert_int_equal(store_people_set_state(f->db, &id, PERSON_SUSPENDED, &err), 0);
    assert_int_equal(find_session(f, &hash, "portal", 0, &seen), E_NOT_FOUND);
    assert_int_equal(store_people_set_state(f->db, &id, PERSON_ACTIVE, &err), 0);
    assert_int_equal(store_sessions_end(f->db, &seen.id, &id, &err), 0);
    assert_int_equal(find_session(f, &hash, "portal", 0, &seen), E_NOT_FOUND);
}

static void all_sessions_but_one_are_ended(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    struct seen seen = {.count = 0}, left = {.count = 0};
    struct uuid id = person(f, "a@example.com");
    struct secret_hash kept = add_session(f, &id, "1", 1000);
    add_session(f, &id, "2", 1000);
    add_session(f, &id, "3", 1000);
    assert_int_equal(find_session(f, &kept, "portal", 0, &seen), 0);
    assert_int_equal(store_sessions_end_all(f->db, &id, &seen.id, &err), 0);
    assert_int_equal(store_sessions_of_person(f->db, &id, NOW, see_session, &left, &err), 0);
    assert_int_equal(left.count, 1);
    assert_memory_equal(&left.id, &seen.id, sizeof(seen.id));
}

static int add_link(struct fixture *f, const struct uuid *id, enum link_kind kind,
                    struct link_token *token)
{
    struct error err = ERROR_INIT;
    struct link_row row = {.id = make_id(f),
                           .kind = kind,
                           .person = *id,
                           .created = NOW,
                           .expires = {.us = NOW.us + 1000}};
    return store_links_add(f->db, &f->pepper, &row, token, &err);
}

static int find_link(struct fixture *f, enum link_kind kind, const char *token, int64_t later_us,
                     struct seen *seen)
{
    struct error err = ERROR_INIT;
    struct wall now = {.us = NOW.us + later_us};
    return store_links_find(f->db, &f->pepper, kind, str_from(token), now, see_link, seen, &err);
}

static void a_link_works_for_its_kind_and_time_and_once(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    struct seen seen = {.count = 0};
    struct link_token token, next;
    struct uuid id = person(f, "a@example.com");
    assert_int_equal(add_link(f, &id, LINK_RESET, &token), 0);
    assert_int_equal(find_link(f, LINK_RESET, token.p, 999, &seen), 0);
    assert_int_equal(find_link(f, LINK_RESET, token.p, 1000, &seen), E_NOT_FOUND);
    assert_int_equal(find_link(f, LINK_CONFIRM, token.p, 0, &seen), E_NOT_FOUND);
    assert_int_equal(find_link(f, LINK_RESET, "", 0, &seen), E_NOT_FOUND);
    /* a new one takes the place of the one before */
    assert_int_equal(add_link(f, &id, LINK_RESET, &next), 0);
    assert_int_equal(find_link(f, LINK_RESET, token.p, 0, &seen), E_NOT_FOUND);
    assert_int_equal(find_link(f, LINK_RESET, next.p, 0, &seen), 0);
    assert_int_equal(store_links_remove(f->db, &seen.id, &err), 0);
    assert_int_equal(store_links_remove(f->db, &seen.id, &err), E_NOT_FOUND);
    assert_int_equal(find_link(f, LINK_RESET, next.p, 0, &seen), E_NOT_FOUND);
}

static void add_audit(struct fixture *f, const char *action, const struct uuid *team)
{
    struct error err = ERROR_INIT;
    struct audit_row row = {.id = uuid7_make(&f->ids, clock_wall()),
                            .at = NOW,
                            .actor_name = STR("shell"),
                            .action = str_from(action)};
    if (team != NULL)
        row.team = *team;
    assert_int_equal(store_audit_add(f->db, &row, &err), 0);
}

static void who_did_what_is_read_by_the_team_and_by_operators(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    struct uuid id = person(f, "a@example.com"), other = person(f, "b@example.com"), team;
    assert_int_equal(store_people_team(f->db, &id, &team, &err), 0);
    for (unsigned i = 0; i < 5; i++) {
        clock_shift_wall(2 * US_PER_MS);
        add_audit(f, i % 2 == 0 ? "even" : "odd", i < 3 ? &team : NULL);
    }
    const struct {
        struct audit_page page;
        unsigned want;
    } cases[] = {
        {{.limit = 10}, 5},
        {{.limit = 2}, 2},
        {{.limit = 10, .action = STR("even")}, 3},
        {{.limit = 10, .person = id}, 3},
        {{.limit = 10, .person = id, .action = STR("odd")}, 1},
        {{.limit = 10, .person = other}, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct seen seen = {.count = 0};
        assert_int_equal(store_audit_list(f->db, &cases[i].page, see_audit, &seen, &err), 0);
        assert_int_equal(seen.count, cases[i].want);
    }
    struct seen seen = {.count = 0};
    struct audit_page page = {.limit = 2};
    assert_int_equal(store_audit_list(f->db, &page, see_audit, &seen, &err), 0);
    page.before = seen.id;
    seen.count = 0;
    page.limit = 10;
    assert_int_equal(store_audit_list(f->db, &page, see_audit, &seen, &err), 0);
    assert_int_equal(seen.count, 3);
}

static void no_query_on_people_walks_through_all_of_them(void **state)
{
    struct fixture *f = *state;
    static const char *const queries[] = {SQL_FIND,   SQL_GET,  SQL_LIST,      SQL_SET_PASSWORD,
                                          SQL_MEMBER, SQL_TEAM, SQL_SET_STATE, SQL_SEARCH};
    static char sql[ARRAY_LEN(queries)][1024]; /* a statement's text lives with its connection */
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct db_stmt *st;
        snprintf(sql[i], sizeof(sql[i]), "EXPLAIN QUERY PLAN %s", queries[i]);
        assert_int_equal(db_stmt_get(f->db, sql[i], &st, NULL), 0);
        while (db_step(st, NULL) == DB_ROW) {
            struct str step = db_text(st, 3);
            if (str_starts(step, STR("SCAN")) || str_find(step, STR("TEMP B-TREE")) < step.n)
                fail_msg("%s: %" STR_FMT, queries[i], STR_ARG(step));
        }
    }
}

static int start_sodium(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_address_has_one_account),
        TEST(people_are_listed_page_by_page),
        TEST(only_members_may_something_in_a_team),
        TEST(a_session_is_its_persons_until_it_expires),
        TEST(all_sessions_but_one_are_ended),
        TEST(a_link_works_for_its_kind_and_time_and_once),
        TEST(who_did_what_is_read_by_the_team_and_by_operators),
        TEST(no_query_on_people_walks_through_all_of_them),
    };
    return cmocka_run_group_tests_name("people", tests, start_sodium, NULL);
}
