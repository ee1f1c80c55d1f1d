/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "appliance/line.h"
#include "appliance/story.h"
#include "analytics/record_trail.h"

#include <jansson.h>

#define TRAIL                                                                                      \
    "key_auth pass key=4fGh81Zq app=my app;subscription pass plan=free;"                           \
    "limits refused by=burst retry_after_s=1 burst=0/10 month=412/10000;"

static void a_trail_is_read_note_by_note(void **state)
{
    struct str rest = STR(TRAIL);
    struct trail_note note;
    (void)state;
    assert_true(trail_next(&rest, &note));
    assert_str_equal(note.policy, "key_auth");
    assert_str_equal(note.verdict, "pass");
    assert_str_equal(note.numbers, "key=4fGh81Zq app=my app");
    assert_false(trail_refused(&note));
    assert_true(trail_next(&rest, &note));
    assert_true(trail_next(&rest, &note));
    assert_str_equal(note.policy, "limits");
    assert_true(trail_refused(&note));
    assert_false(trail_next(&rest, &note));
}

/* A trail that did not fit ends in the middle of a note; one from elsewhere may be anything. */
static void a_damaged_trail_is_read_as_far_as_it_goes(void **state)
{
    static const struct {
        struct str trail;
        unsigned notes;
    } cases[] = {
        {STR_INIT(""), 0},          {STR_INIT(";;"), 0},
        {STR_INIT(" ; "), 0},       {STR_INIT("limits"), 1},
        {STR_INIT("limits pa"), 1}, {STR_INIT("a pass;limits pass b=1"), 2},
        {STR_INIT("=;=="), 2},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str rest = cases[i].trail;
        struct trail_note note;
        struct trail_pair pair;
        unsigned notes = 0;
        for (; trail_next(&rest, &note); notes++) {
            while (trail_pair_next(&note.numbers, &pair))
                assert_true(pair.name.n + pair.value.n <= cases[i].trail.n);
        }
        assert_int_equal(notes, cases[i].notes);
    }
}

static void values_may_hold_spaces(void **state)
{
    struct str numbers = STR("key=a/b app=my own app plan=x = y");
    struct trail_pair pair;
    (void)state;
    assert_true(trail_pair_next(&numbers, &pair));
    assert_true(trail_pair_next(&numbers, &pair));
    assert_str_equal(pair.name, "app");
    assert_str_equal(pair.value, "my own app");
}

static void numbers_become_words(void **state)
{
    static const struct {
        const char *numbers, *words;
    } cases[] = {
        {"", ""},
        {"by=burst retry_after_s=1 burst=0/10 month=412/10000",
         "by burst, retry after 1 s, burst 0 of 10 left, month 412 of 10000 left"},
        {"key=acme/ci app=acme", "key acme/ci, app acme"},
        {"level=api list=deny network=10.0.0.0/8 address=10.1.2.3",
         "level api, list deny, network 10.0.0.0/8, address 10.1.2.3"},
        {"retry_after_s=soon", "retry after s soon"},
        {"bytes=7 limit=5", "bytes 7, limit 5"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        struct buf b;
        buf_init_fixed(&b, text, sizeof(text));
        trail_words(str_from(cases[i].numbers), &b);
        assert_str_equal(buf_str(&b), cases[i].words);
    }
}

static struct record refused_record(void)
{
    return (struct record){
        .time = {.us = INT64_C(1795456800123456)},
        .request_id = {.b = {0x01, 0x93}},
        .api = STR("hello"),
        .route = STR("default"),
        .method = METHOD_GET,
        .path = STR("/hello/\x1b[2J"),
        .status = 429,
        .reason = REASON_RATE_LIMITED,
        .app = STR("acme"),
        .duration_us = 1234,
        .trail = STR(TRAIL),
    };
}

static void a_story_names_what_decided_with_its_numbers(void **state)
{
    static const char *const expected[] = {
        "request 01930000-0000-0000-0000-000000000000\n",
        "asked       GET /hello/?[2J",
        "answered    429 rate_limited: Too many requests\n",
        "to do       Wait as long as Retry-After says",
        "decided by  limits: by burst, retry after 1 s, burst 0 of 10 left",
        "    1. key_auth      pass     key 4fGh81Zq, app my app\n",
        "    3. limits        refused  by burst",
        "whole            1.234 ms",
        "began  2026-11-23T18:00:00.122222Z",
        "it counts for nobody",
    };
    (void)state;
    struct record record = refused_record();
    struct buf b;
    buf_init(&b, 65536);
    story_text(&record, &b);
    assert_int_equal(buf_finish(&b), 0);
    const char *text = buf_cstr(&b);
    assert_non_null(text);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        if (strstr(text, expected[i]) == NULL)
            fail_msg("\"%s\" is not in\n%s", expected[i], text);
    }
    assert_null(strchr(text, '\x1b'));
    buf_free(&b);
}

static const char *decided_by(const struct record *record, char out[static 32])
{
    struct buf b;
    buf_init(&b, 65536);
    story_json(record, &b);
    assert_int_equal(buf_finish(&b), 0);
    json_t *json = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    str_copy(str_from(json_string_value(json_object_get(json, "decided_by"))), out, 32);
    assert_true(json_is_array(json_object_get(json, "decisions")));
    json_decref(json);
    buf_free(&b);
    return out;
}

static void a_story_as_json_is_one_object_that_says_who_decided(void **state)
{
    char who[32];
    (void)state;
    struct record record = refused_record();
    assert_string_equal(decided_by(&record, who), "limits");
    record.trail = STR_EMPTY;
    record.reason = REASON_NO_ROUTE;
    assert_string_equal(decided_by(&record, who), "router");
    record.reason = REASON_UPSTREAM_TIMEOUT;
    assert_string_equal(decided_by(&record, who), "gateway");
    record.reason = REASON_NONE;
    assert_string_equal(decided_by(&record, who), "upstream");
}

static void a_refusal_by_a_limit_says_when_to_try_again(void **state)
{
    static const struct {
        struct str trail;
        int64_t after_s; /* -1 for never said */
    } cases[] = {
        {STR_INIT(""), -1},
        {STR_INIT("limits pass burst=1/10;"), -1},
        {STR_INIT("limits pass retry_after_s=1;"), -1},
        {STR_INIT("key_auth refused why=key_expired;"), -1},
        {STR_INIT("limits refused by=burst retry_after_s=0 burst=0/10;"), 0},
        {STR_INIT("key_auth pass key=x;limits refused by=month retry_after_s=86400 month=0/9;"),
         86400},
        {STR_INIT("limits refused by=burst retry_after_s=soon;"), -1},
        {STR_INIT("limits refused by=burst retry_after_s=99999999999;"), -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record record = refused_record();
        record.trail = cases[i].trail;
        int64_t want = cases[i].after_s < 0 ? 0 : record.time.us + cases[i].after_s * US_PER_S;
        assert_int_equal(record_try_again(&record).us, want);
    }
}

static void a_line_has_color_only_when_asked(void **state)
{
    (void)state;
    struct record record = refused_record();
    for (int color = 0; color < 2; color++) {
        char text[1024];
        struct buf b;
        buf_init_fixed(&b, text, sizeof(text));
        line_request(&record, (struct line_style){.color = color != 0}, &b);
        struct str line = buf_str(&b);
        assert_int_equal(str_find(line, STR("\x1b[33m429")) < line.n, color);
        assert_int_equal(str_find_char(line, '\x1b', 0) < line.n, color);
        assert_true(str_starts(line, STR("18:00:00.123 ")));
        assert_true(str_ends(line, STR("01930000-0000-0000-0000-000000000000 rate_limited\n")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trail_is_read_note_by_note),
        cmocka_unit_test(a_damaged_trail_is_read_as_far_as_it_goes),
        cmocka_unit_test(values_may_hold_spaces),
        cmocka_unit_test(numbers_become_words),
        cmocka_unit_test(a_story_names_what_decided_with_its_numbers),
        cmocka_unit_test(a_story_as_json_is_one_object_that_says_who_decided),
        cmocka_unit_test(a_refusal_by_a_limit_says_when_to_try_again),
        cmocka_unit_test(a_line_has_color_only_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
