/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "portal/control.h"

/* for the texts of its queries, whose plans are looked at */
#include "portal/store_keys.c"

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
};

static void reopen(struct fixture *f)
{
    struct error err = ERROR_INIT;
    db_close(f->db);
    f->db = NULL;
    if (control_open(&f->db, f->dir, CONTROL_WRITE, &err) != 0)
        fail_msg("%s", err.text);
}

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    snprintf(f->dir, sizeof(f->dir), "/tmp/weir-keys-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(pepper_load(f->dir, &f->pepper, NULL), 0);
    reopen(f);
    *state = f;
    return 0;
}

static int end(void **state)
{
    static const char *const files[] = {"weir.db", "weir.db-wal", "weir.db-shm", "pepper"};
    struct fixture *f = *state;
    char path[128];
    db_close(f->db);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

/* A row copied out of its visit. */
struct seen {
    unsigned count;
    char kids[16][KEY_KID_LEN + 1];
    struct key_row row; /* its views point into `text` */
    char text[6][160];
    struct cidr allow[KEY_ALLOW_MAX];
};

static struct str keep(struct str s, char out[160])
{
    assert_true(str_copy(s, out, 160));
    return str_from(out);
}

static int see(void *ctx, const struct key_row *row)
{
    struct seen *seen = ctx;
    if (seen->count < ARRAY_LEN(seen->kids))
        str_copy(row->kid, seen->kids[seen->count], sizeof(seen->kids[0]));
    seen->count++;
    seen->row = *row;
    seen->row.kid = keep(row->kid, seen->text[0]);
    seen->row.name = keep(row->name, seen->text[1]);
    seen->row.app = keep(row->app, seen->text[2]);
    seen->row.rotated_from = keep(row->rotated_from, seen->text[3]);
    seen->row.created_by = keep(row->created_by, seen->text[4]);
    seen->row.successor = keep(row->successor, seen->text[5]);
    memcpy(seen->allow, row->allow.items, row->allow.count * sizeof(struct cidr));
    seen->row.allow.items = seen->allow;
    return 0;
}

/* The key as it is now; good until the fourth call after this one. */
static const struct key_row *find(struct fixture *f, struct str kid)
{
    static struct seen ring[4];
    static unsigned next;
    struct seen *seen = &ring[next++ % ARRAY_LEN(ring)];
    struct error err = ERROR_INIT;
    seen->count = 0;
    if (store_keys_find(f->db, kid, see, seen, &err) != 0)
        fail_msg("%s", err.text);
    return &seen->row;
}

static struct key_wish wish(const char *app)
{
    return (struct key_wish){.name = STR("ci"), .app = str_from(app), .now = NOW};
}

static struct key_text create(struct fixture *f, const struct key_wish *w)
{
    struct key_text text;
    struct error err = ERROR_INIT;
    if (store_keys_create(f->db, &f->pepper, w, &text, &err) != 0)
        fail_msg("%s", err.text);
    return text;
}

static struct str kid_of(const struct key_text *text)
{
    struct key_parsed parsed;
    assert_int_equal(key_parse(key_text_str(text), &parsed), KEY_OURS);
    return parsed.kid;
}

static void an_issued_key_is_there_after_a_restart(void **state)
{
    struct fixture *f = *state;
    struct cidr nets[2];
    assert_int_equal(cidr_parse(STR("10.0.0.0/8"), &nets[0]), 0);
    assert_int_equal(cidr_parse(STR("2001:db8::/32"), &nets[1]), 0);
    struct key_wish w = wish("acme");
    w.env = KEY_TEST;
    w.expires.us = NOW.us + US_PER_DAY;
    w.allow = cidr_set_build(nets, 2);
    struct key_text text = create(f, &w);
    reopen(f);

    const struct key_row *row = find(f, kid_of(&text));
    struct secret_hash hash = secret_hash_make(&f->pepper, key_text_str(&text));
    assert_true(str_eq(row->kid, kid_of(&text)));
    assert_true(secret_hash_eq(&row->hash, &hash));
    assert_int_equal(row->env, KEY_TEST);
    assert_str_equal(row->name, "ci");
    assert_str_equal(row->app, "acme");
    assert_int_equal(row->created.us, NOW.us);
    assert_int_equal(row->expires.us, NOW.us + US_PER_DAY);
    assert_int_equal(row->state, KEY_ACTIVE);
    assert_int_equal(row->revoked.us, 0);
    assert_int_equal(row->rotated_from.n, 0);
    assert_int_equal(row->allow.count, 2);
    struct ip ip;
    assert_int_equal(ip_parse(STR("10.9.8.7"), &ip), 0);
    assert_non_null(cidr_set_find(&row->allow, ip));
    assert_int_equal(ip_parse(STR("11.9.8.7"), &ip), 0);
    assert_null(cidr_set_find(&row->allow, ip));
}

/* Whether the bytes are anywhere in the file. */
static bool file_holds(const char *dir, const char *name, struct str bytes)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return false;
    static char all[1 << 20];
    ssize_t n = read(fd, all, sizeof(all));
    close(fd);
    assert_true(n >= 0 && (size_t)n < sizeof(all));
    return str_find(str_make(all, (size_t)n), bytes) < (size_t)n;
}

static void the_secret_is_nowhere_on_the_disk(void **state)
{
    struct fixture *f = *state;
    struct key_wish w = wish("acme");
    struct key_text text = create(f, &w);
    struct str secret = str_slice(key_text_str(&text), 19, 19 + KEY_SECRET_LEN);
    static const char *const files[] = {"weir.db", "weir.db-wal"};
    bool kid_seen = false;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        assert_false(file_holds(f->dir, files[i], secret));
        kid_seen |= file_holds(f->dir, files[i], kid_of(&text));
    }
    assert_true(kid_seen);
}

static void faulty_wishes_are_refused(void **state)
{
    struct fixture *f = *state;
    static char long_name[KEY_NAME_MAX + 1];
    static struct cidr many[KEY_ALLOW_MAX + 1];
    memset(long_name, 'x', sizeof(long_name));
    struct key_wish wishes[] = {wish(""), wish("\xff"), wish("acme"), wish("acme"), wish("acme")};
    wishes[2].name = str_make(long_name, sizeof(long_name));
    wishes[3].name = STR("\xc3");
    wishes[4].allow = (struct cidr_set){.items = many, .count = ARRAY_LEN(many)};
    for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
        struct key_text text;
        struct error err = ERROR_INIT;
        assert_int_equal(store_keys_create(f->db, &f->pepper, &wishes[i], &text, &err), E_INVALID);
        assert_int_equal(err.code, E_INVALID);
    }
    struct key_wish most = wish("acme");
    most.name = str_make(long_name, KEY_NAME_MAX);
    create(f, &most);
    most.name = STR_EMPTY;
    struct key_text text = create(f, &most);
    assert_int_equal(find(f, kid_of(&text))->name.n, 0);
}

static void revoked_is_for_good(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    struct key_wish w = wish("acme");
    struct key_text text = create(f, &w);
    struct str kid = kid_of(&text);
    struct wall later = {.us = NOW.us + US_PER_HOUR}, latest = {.us = NOW.us + US_PER_DAY};
    assert_int_equal(store_keys_revoke(f->db, kid, later, &err), 0);
    assert_int_equal(store_keys_revoke(f->db, kid, latest, &err), 0);
    assert_int_equal(find(f, kid)->state, KEY_REVOKED);
    assert_int_equal(find(f, kid)->revoked.us, later.us);
    assert_int_equal(store_keys_enable(f->db, kid, true, KEY_BY_OWNER, &err), E_INVALID);
    assert_int_equal(find(f, kid)->state, KEY_REVOKED);
}

static void a_key_is_switched_off_and_on(void **state)
{
    struct fixture *f = *state;
    struct key_wish w = wish("acme");
    struct key_text text = create(f, &w);
    assert_int_equal(store_keys_enable(f->db, kid_of(&text), false, KEY_BY_OWNER, NULL), 0);
    assert_int_equal(find(f, kid_of(&text))->state, KEY_DISABLED);
    assert_int_equal(store_keys_enable(f->db, kid_of(&text), true, KEY_BY_OWNER, NULL), 0);
    assert_int_equal(find(f, kid_of(&text))->state, KEY_ACTIVE);
}

static void an_unknown_kid_is_said_to_be_unknown(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {.count = 0};
    struct key_text text;
    struct key_rotation rotation = {.kid = STR("00000000"), .now = NOW};
    for (unsigned i = 0; i < 4; i++) {
        struct error err = ERROR_INIT;
        int r = i == 0   ? store_keys_find(f->db, rotation.kid, see, &seen, &err)
                : i == 1 ? store_keys_revoke(f->db, rotation.kid, NOW, &err)
                : i == 2 ? store_keys_enable(f->db, rotation.kid, true, KEY_BY_OWNER, &err)
                         : store_keys_rotate(f->db, &f->pepper, &rotation, &text, &err);
        assert_int_equal(r, E_NOT_FOUND);
        assert_non_null(strstr(err.text, "there is no key 00000000"));
    }
    assert_int_equal(seen.count, 0);
}

static void rotation_lets_both_keys_work_for_a_while(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int64_t lifetime, overlap, at; /* 0: never expires; `at`: when it is rotated */
        int64_t old_expires, new_expires;
    } cases[] = {
        {0, US_PER_DAY, US_PER_HOUR, US_PER_HOUR + US_PER_DAY, 0},
        {0, 0, US_PER_HOUR, US_PER_HOUR, 0},
        {90 * US_PER_DAY, US_PER_DAY, 80 * US_PER_DAY, 81 * US_PER_DAY, 170 * US_PER_DAY},
        /* the overlap gives the old one no day more */
        {90 * US_PER_DAY, 20 * US_PER_DAY, 80 * US_PER_DAY, 90 * US_PER_DAY, 170 * US_PER_DAY},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        struct key_wish w = wish("acme");
        w.env = KEY_TEST;
        if (cases[i].lifetime != 0)
            w.expires.us = NOW.us + cases[i].lifetime;
        struct key_text old = create(f, &w), new;
        struct key_rotation rotation = {.kid = kid_of(&old),
                                        .overlap_us = cases[i].overlap,
                                        .now = {.us = NOW.us + cases[i].at}};
        if (store_keys_rotate(f->db, &f->pepper, &rotation, &new, &err) != 0)
            fail_msg("%s", err.text);
        const struct key_row *before = find(f, kid_of(&old)), *after = find(f, kid_of(&new));
        assert_int_equal(before->state, KEY_ACTIVE);
        assert_int_equal(before->expires.us, NOW.us + cases[i].old_expires);
        assert_int_equal(after->expires.us,
                         cases[i].new_expires != 0 ? NOW.us + cases[i].new_expires : 0);
        assert_true(str_eq(after->kid, kid_of(&new)));
        assert_true(str_eq(after->rotated_from, kid_of(&old)));
        assert_int_equal(after->env, KEY_TEST);
        assert_str_equal(after->name, "ci");
        assert_str_equal(after->app, "acme");
        assert_false(secret_hash_eq(&before->hash, &after->hash));
    }
}

static void what_is_not_in_force_is_not_rotated(void **state)
{
    struct fixture *f = *state;
    struct key_wish w = wish("acme");
    w.expires.us = NOW.us + US_PER_DAY;
    struct key_text revoked = create(f, &w), disabled = create(f, &w), expired = create(f, &w);
    assert_int_equal(store_keys_revoke(f->db, kid_of(&revoked), NOW, NULL), 0);
    assert_int_equal(store_keys_enable(f->db, kid_of(&disabled), false, KEY_BY_OWNER, NULL), 0);
    const struct key_rotation rotations[] = {
        {.kid = kid_of(&revoked), .now = NOW},
        {.kid = kid_of(&disabled), .now = NOW},
        {.kid = kid_of(&expired), .now = {.us = NOW.us + US_PER_DAY}},
        {.kid = kid_of(&expired), .now = NOW, .overlap_us = -1},
        {.kid = kid_of(&expired), .now = NOW, .overlap_us = INT64_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(rotations); i++) {
        struct key_text text;
        struct error err = ERROR_INIT;
        assert_int_equal(store_keys_rotate(f->db, &f->pepper, &rotations[i], &text, &err),
                         E_INVALID);
    }
    struct seen seen = {.count = 0};
    struct key_page all = {.limit = 0};
    assert_int_equal(store_keys_list(f->db, &all, see, &seen, NULL), 0);
    assert_int_equal(seen.count, 3); /* nothing half done is left behind */
}

static void lists_come_in_pages(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 10; i++) {
        struct key_wish w = wish(i % 2 ? "acme" : "other");
        create(f, &w);
    }
    struct seen all = {.count = 0}, paged = {.count = 0}, of_app = {.count = 0};
    struct key_page page = {.limit = 0};
    assert_int_equal(store_keys_list(f->db, &page, see, &all, NULL), 0);
    assert_int_equal(all.count, 10);
    page.limit = 3;
    for (unsigned before = 1; before != paged.count;) {
        before = paged.count;
        page.after = before > 0 ? str_from(paged.kids[before - 1]) : STR_EMPTY;
        assert_int_equal(store_keys_list(f->db, &page, see, &paged, NULL), 0);
        assert_true(paged.count <= before + 3);
    }
    assert_memory_equal(all.kids, paged.kids, sizeof(all.kids));
    for (unsigned i = 1; i < 10; i++)
        assert_true(strcmp(all.kids[i - 1], all.kids[i]) < 0);
    page = (struct key_page){.app = STR("acme")};
    assert_int_equal(store_keys_list(f->db, &page, see, &of_app, NULL), 0);
    assert_int_equal(of_app.count, 5);
    assert_str_equal(of_app.row.app, "acme");
}

static void keys_of_an_app_come_by_age_in_pages(void **state)
{
    struct fixture *f = *state;
    char made[6][KEY_KID_LEN + 1];
    for (unsigned i = 0; i < 6; i++) {
        struct key_wish w = wish("acme"), other = wish("other");
        w.now.us += (int64_t)(i / 2) * US_PER_S; /* two of each age */
        struct key_text text = create(f, &w);
        str_copy(kid_of(&text), made[i], sizeof(made[i]));
        create(f, &other);
    }
    struct seen paged = {.count = 0};
    struct key_page page = {.app = STR("acme"), .limit = 4};
    assert_int_equal(store_keys_of_app(f->db, &page, see, &paged, NULL), 0);
    assert_int_equal(paged.count, 4);
    page.after = str_from(paged.kids[3]);
    assert_int_equal(store_keys_of_app(f->db, &page, see, &paged, NULL), 0);
    assert_int_equal(paged.count, 6);
    for (unsigned i = 0; i < 6; i++) {
        /* of the same age, by kid */
        unsigned a = 5 - i / 2 * 2, b = a - 1;
        bool a_first = strcmp(made[a], made[b]) > 0;
        assert_string_equal(paged.kids[i], made[(i % 2 == 0) == a_first ? a : b]);
    }
    page = (struct key_page){.app = STR("acme"), .after = STR("00000000")};
    assert_int_equal(store_keys_of_app(f->db, &page, see, &paged, NULL), 0);
    assert_int_equal(paged.count, 6); /* after a key that is nowhere there is nothing */
}

static void a_wish_leads_to_its_key(void **state)
{
    struct fixture *f = *state;
    char kid[KEY_KID_LEN + 1];
    struct error err = ERROR_INIT;
    struct key_text text;
    struct key_wish w = wish("acme");
    w.client_wish = STR("one");
    struct key_text first = create(f, &w);
    assert_int_equal(store_keys_of_wish(f->db, STR("acme"), STR("one"), kid, &err), 0);
    assert_true(str_eq(str_from(kid), kid_of(&first)));
    assert_int_equal(store_keys_of_wish(f->db, STR("acme"), STR("two"), kid, &err), E_NOT_FOUND);
    assert_int_equal(store_keys_of_wish(f->db, STR("other"), STR("one"), kid, &err), E_NOT_FOUND);
    /* the table itself lets no second one in */
    assert_true(store_keys_create(f->db, &f->pepper, &w, &text, &err) < 0);
    w.app = STR("other");
    create(f, &w);
}

static void counts_what_is_neither_revoked_nor_expired(void **state)
{
    struct fixture *f = *state;
    uint64_t count;
    struct key_wish w = wish("acme"), ending = wish("acme");
    ending.expires.us = NOW.us + US_PER_S;
    struct key_text revoked = create(f, &w), disabled = create(f, &w);
    create(f, &w);
    create(f, &ending);
    assert_int_equal(store_keys_revoke(f->db, kid_of(&revoked), NOW, NULL), 0);
    assert_int_equal(store_keys_enable(f->db, kid_of(&disabled), false, KEY_BY_OWNER, NULL), 0);
    assert_int_equal(store_keys_count(f->db, STR("acme"), NOW, &count, NULL), 0);
    assert_int_equal(count, 3);
    assert_int_equal(store_keys_count(f->db, STR("acme"), ending.expires, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_int_equal(store_keys_count(f->db, STR("none"), NOW, &count, NULL), 0);
    assert_int_equal(count, 0);
}

static void a_change_leaves_what_it_does_not_name(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    struct cidr net;
    assert_int_equal(cidr_parse(STR("10.0.0.0/8"), &net), 0);
    struct key_wish w = wish("acme");
    w.expires.us = NOW.us + US_PER_DAY;
    struct key_text text = create(f, &w);
    struct str kid = kid_of(&text);
    const struct {
        struct key_change change;
        const char *name;
        int64_t expires;
        size_t allow;
    } steps[] = {
        {{.kid = kid}, "ci", w.expires.us, 0},
        {{.kid = kid, .name = STR("new")}, "new", w.expires.us, 0},
        {{.kid = kid, .set_allow = true, .allow = cidr_set_build(&net, 1)}, "new", w.expires.us, 1},
        {{.kid = kid, .set_expires = true, .expires = NOW}, "new", NOW.us, 1},
        {{.kid = kid, .set_expires = true}, "new", 0, 1},
        {{.kid = kid, .name = STR(""), .set_allow = true}, "", 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        assert_int_equal(store_keys_change(f->db, &steps[i].change, &err), 0);
        const struct key_row *row = find(f, kid);
        assert_str_equal(row->name, steps[i].name);
        assert_int_equal(row->expires.us, steps[i].expires);
        assert_int_equal(row->allow.count, steps[i].allow);
    }
    struct key_change unknown = {.kid = STR("00000000"), .name = STR("x")};
    assert_int_equal(store_keys_change(f->db, &unknown, &err), E_NOT_FOUND);
    assert_int_equal(store_keys_revoke(f->db, kid, NOW, NULL), 0);
    struct error gone = ERROR_INIT;
    assert_int_equal(store_keys_change(f->db, &steps[1].change, &gone), E_INVALID);
    assert_non_null(strstr(gone.text, "for good"));
    assert_str_equal(find(f, kid)->name, "");
}

static void the_old_key_names_its_successor_until_that_is_revoked(void **state)
{
    struct fixture *f = *state;
    struct key_wish w = wish("acme");
    struct key_text old = create(f, &w), new;
    struct key_rotation rotation = {.kid = kid_of(&old), .overlap_us = US_PER_DAY, .now = NOW};
    assert_int_equal(find(f, kid_of(&old))->successor.n, 0);
    assert_int_equal(store_keys_rotate(f->db, &f->pepper, &rotation, &new, NULL), 0);
    assert_true(str_eq(find(f, kid_of(&old))->successor, kid_of(&new)));
    assert_int_equal(find(f, kid_of(&new))->successor.n, 0);
    assert_int_equal(store_keys_revoke(f->db, kid_of(&new), NOW, NULL), 0);
    assert_int_equal(find(f, kid_of(&old))->successor.n, 0);
}

static int stop_at_second(void *ctx, const struct key_row *row)
{
    unsigned *count = ctx;
    (void)row;
    return ++*count == 2 ? E_CANCELED : 0;
}

static void a_visitor_can_end_the_listing(void **state)
{
    struct fixture *f = *state;
    unsigned count = 0;
    struct key_page all = {.limit = 0};
    for (unsigned i = 0; i < 3; i++) {
        struct key_wish w = wish("acme");
        create(f, &w);
    }
    assert_int_equal(store_keys_list(f->db, &all, stop_at_second, &count, NULL), E_CANCELED);
    assert_int_equal(count, 2);
    /* and the connection is free for a change */
    assert_int_equal(db_exec(f->db, "DELETE FROM keys", NULL), 0);
}

static void a_row_that_is_not_ours_is_reported(void **state)
{
    struct fixture *f = *state;
    struct key_wish w = wish("acme");
    create(f, &w);
    struct key_page all = {.limit = 0};
    struct seen seen = {.count = 0};
    struct error err = ERROR_INIT;
    assert_int_equal(db_exec(f->db, "UPDATE keys SET allow = '10.0.0.0/8,nonsense'", NULL), 0);
    assert_int_equal(store_keys_list(f->db, &all, see, &seen, &err), E_CORRUPT);
    assert_non_null(strstr(err.text, "weir.db"));
}

static int put_into_table(void *ctx, const struct key_row *row)
{
    struct access_key_spec spec = key_row_spec(row);
    return access_put_key(ctx, &spec);
}

static void loads_into_the_table_of_the_gateway(void **state)
{
    struct fixture *f = *state;
    struct key_wish w = wish("acme");
    w.expires.us = NOW.us + US_PER_DAY;
    struct key_text good = create(f, &w), revoked = create(f, &w);
    assert_int_equal(store_keys_revoke(f->db, kid_of(&revoked), NOW, NULL), 0);
    struct epoch *epoch = epoch_create(1);
    struct access *access = access_create(epoch, &f->pepper);
    struct key_page all = {.limit = 0};
    assert_int_equal(store_keys_list(f->db, &all, put_into_table, access, NULL), 0);

    unsigned token = epoch_enter(epoch, 0);
    struct secret_hash hash = access_hash(access, key_text_str(&good));
    const struct access_key *key = access_find(access, &hash);
    assert_non_null(key);
    assert_true(str_eq(key->kid, kid_of(&good)));
    assert_int_equal(key->expires.us, NOW.us + US_PER_DAY);
    assert_int_equal(key->state, KEY_ACTIVE);
    hash = access_hash(access, key_text_str(&revoked));
    assert_int_equal(access_find(access, &hash)->state, KEY_REVOKED);
    epoch_leave(epoch, 0, token);
    access_destroy(access);
    epoch_destroy(epoch);
}

static void no_query_walks_the_whole_table(void **state)
{
    struct fixture *f = *state;
    static const char *const queries[] = {
        SQL_FIND,  SQL_LIST,   SQL_LIST_OF_APP, SQL_OF_APP,    SQL_OF_APP_AFTER, SQL_OF_WISH,
        SQL_COUNT, SQL_CHANGE, SQL_REVOKE,      SQL_SET_STATE, SQL_SET_EXPIRES,  SQL_SEARCH};
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        static char sql[ARRAY_LEN(queries)]
                       [1024]; /* a statement's text stays with its connection */
        struct db_stmt *st;
        snprintf(sql[i], sizeof(sql[i]), "EXPLAIN QUERY PLAN %s", queries[i]);
        assert_int_equal(db_stmt_get(f->db, sql[i], &st, NULL), 0);
        unsigned steps = 0;
        while (db_step(st, NULL) == DB_ROW) {
            struct str step = db_text(st, 3);
            steps++;
            bool heading = str_ends(step, STR("SUBQUERY 1")) || str_ends(step, STR("SUBQUERY 2"));
            if (!heading && !str_starts(step, STR("SEARCH")))
                fail_msg("%s: %" STR_FMT, queries[i], STR_ARG(step));
        }
        assert_true(steps > 0);
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
        TEST(an_issued_key_is_there_after_a_restart),
        TEST(the_secret_is_nowhere_on_the_disk),
        TEST(faulty_wishes_are_refused),
        TEST(revoked_is_for_good),
        TEST(a_key_is_switched_off_and_on),
        TEST(an_unknown_kid_is_said_to_be_unknown),
        TEST(rotation_lets_both_keys_work_for_a_while),
        TEST(what_is_not_in_force_is_not_rotated),
        TEST(lists_come_in_pages),
        TEST(keys_of_an_app_come_by_age_in_pages),
        TEST(a_wish_leads_to_its_key),
        TEST(counts_what_is_neither_revoked_nor_expired),
        TEST(a_change_leaves_what_it_does_not_name),
        TEST(the_old_key_names_its_successor_until_that_is_revoked),
        TEST(a_visitor_can_end_the_listing),
        TEST(a_row_that_is_not_ours_is_reported),
        TEST(loads_into_the_table_of_the_gateway),
        TEST(no_query_walks_the_whole_table),
    };
    return cmocka_run_group_tests(tests, start_sodium, NULL);
}
