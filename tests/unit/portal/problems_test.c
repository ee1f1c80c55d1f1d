/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include "analytics/record.h"

#include <jansson.h>

static struct rig rig;

static int start(void **state)
{
    (void)state;
    rig_start(&rig);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

#define AS_JSON "Accept: application/json\r\n"

static json_t *load(struct str text)
{
    json_t *json = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    return json;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

static void check_row(const json_t *object, const struct reason_row *row)
{
    char type[128];
    snprintf(type, sizeof(type), "https://portal.example.com/problems/%s", row->code.p);
    assert_string_equal(text_of(object, "type"), type);
    assert_str_equal(row->code, text_of(object, "code"));
    assert_string_equal(text_of(object, "title"), row->title);
    assert_string_equal(text_of(object, "meaning"), row->meaning);
    assert_string_equal(text_of(object, "advice"), row->advice);
    assert_int_equal(json_integer_value(json_object_get(object, "status")), row->status);
}

static void the_list_has_every_answer_once(void **state)
{
    (void)state;
    struct answer a;
    rig_ask(rig.developers, "GET /problems/", AS_JSON, &a);
    assert_int_equal(a.head.status, 200);
    assert_str_equal(answer_field(&a, "Content-Type"), "application/json");
    json_t *json = load(a.body), *problems = json_object_get(json, "problems");
    assert_int_equal(json_array_size(problems), REASON_COUNT - 1);
    for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
        check_row(json_array_get(problems, (size_t)r - 1), reason_row(r));
    json_decref(json);
    answer_free(&a);
}

/* How often `part` stands in s. */
static unsigned occurrences(struct str s, const char *part)
{
    unsigned n = 0;
    for (size_t i; (i = str_find(s, str_from(part))) < s.n; n++)
        s = str_slice(s, i + 1, s.n);
    return n;
}

static void the_page_of_all_links_to_each(void **state)
{
    (void)state;
    struct answer a;
    rig_ask(rig.developers, "GET /problems/", BROWSER, &a);
    assert_int_equal(a.head.status, 200);
    for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++) {
        char link[128];
        snprintf(link, sizeof(link), "href=\"/problems/%s\"", reason_row(r)->code.p);
        assert_int_equal(occurrences(a.body, link), 1);
    }
    /* one heading a status, and no id twice */
    assert_int_equal(occurrences(a.body, "<h2 id=\"s429\">429 Too Many Requests</h2>"), 1);
    assert_int_equal(occurrences(a.body, "<section"), occurrences(a.body, "</section>"));
    assert_int_equal(occurrences(a.body, "<ul"), occurrences(a.body, "</ul>"));
    assert_int_equal(occurrences(a.body, "<li>"), occurrences(a.body, "</li>"));
    for (unsigned status = 400; status < 600; status++) {
        char id[32];
        snprintf(id, sizeof(id), "id=\"s%u\"", status);
        assert_true(occurrences(a.body, id) <= 1);
    }
    answer_free(&a);
}

static void each_answer_has_a_page_and_a_document(void **state)
{
    (void)state;
    for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++) {
        const struct reason_row *row = reason_row(r);
        struct answer a;
        char ask[128], heading[128];
        snprintf(ask, sizeof(ask), "GET /problems/%s", row->code.p);
        rig_ask(rig.developers, ask, BROWSER, &a);
        assert_int_equal(a.head.status, 200);
        assert_str_equal(answer_field(&a, "Content-Type"), "text/html; charset=utf-8");
        assert_str_equal(answer_field(&a, "Vary"), "Accept, Accept-Language, Cookie");
        snprintf(heading, sizeof(heading), "<h1>%s</h1>", row->title);
        assert_int_equal(occurrences(a.body, heading), 1);
        /* what is never sent is not shown as an answer */
        bool shown = str_has(a.body, "Weir-Reason: ");
        assert_int_equal(shown, r != REASON_CLIENT_CLOSED);
        answer_free(&a);

        rig_ask(rig.developers, ask, AS_JSON, &a);
        assert_int_equal(a.head.status, 200);
        json_t *json = load(a.body);
        check_row(json, row);
        json_decref(json);
        answer_free(&a);
    }
}

static void the_form_follows_the_wish_and_is_a_page_without_one(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool page;
    } cases[] = {
        {"", true},
        {"Accept: */*\r\n", true},
        {BROWSER, true},
        {"Accept: application/json\r\n", false},
        {"Accept: application/problem+json\r\n", false},
        {"Accept: application/json, text/html;q=0.9\r\n", false},
        {"Accept: application/json;q=0.8, text/html\r\n", true},
        {"Accept: image/png\r\n", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        rig_ask(rig.developers, "GET /problems/no_route", cases[i].accept, &a);
        assert_str_equal(answer_field(&a, "Content-Type"),
                         cases[i].page ? "text/html; charset=utf-8" : "application/json");
        answer_free(&a);
    }
}

static void a_code_that_is_none_is_not_found(void **state)
{
    (void)state;
    static const char *const asks[] = {
        "GET /problems/nothing",     "GET /problems/RATE_LIMITED",  "GET /problems/rate_limited/",
        "GET /problems/rate_limite", "GET /problems/rate_limited2", "GET /problems/%3Cscript%3E",
    };
    for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
        struct answer a;
        rig_ask(rig.developers, asks[i], BROWSER, &a);
        assert_int_equal(a.head.status, 404);
        assert_false(str_has(a.body, "<script"));
        answer_free(&a);
        rig_ask(rig.developers, asks[i], AS_JSON, &a);
        assert_int_equal(a.head.status, 404);
        assert_str_equal(answer_field(&a, "Content-Type"), "application/problem+json");
        answer_free(&a);
    }
}

static void the_list_without_its_slash_leads_there(void **state)
{
    (void)state;
    struct answer a;
    rig_ask(rig.developers, "GET /problems", "", &a);
    assert_int_equal(a.head.status, 308);
    assert_str_equal(answer_field(&a, "Location"), "/problems/");
    answer_free(&a);
}

static void every_request_id_gets_the_same_answer(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        unsigned status;
    } cases[] = {
        {"0199c0de-0000-7000-8000-000000000001", 200},
        {"ffffffff-ffff-ffff-ffff-ffffffffffff", 200},
        {"0199c0de-0000-7000-8000-00000000000", 404},
        {"0199c0de-0000-7000-8000-00000000000g", 404},
        {"%22%3E%3Cscript%3E", 404},
        {"", 404},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        char ask[128];
        snprintf(ask, sizeof(ask), "GET /requests/%s", cases[i].id);
        rig_ask(rig.developers, ask, BROWSER, &a);
        assert_int_equal(a.head.status, cases[i].status);
        assert_int_equal(str_has(a.body, "weir explain "), cases[i].status == 200);
        answer_free(&a);
        rig_ask(rig.developers, ask, AS_JSON, &a);
        assert_int_equal(a.head.status, cases[i].status);
        json_t *json = load(a.body);
        if (cases[i].status == 200)
            assert_string_equal(text_of(json, "request_id"), cases[i].id);
        json_decref(json);
        answer_free(&a);
    }
}

static void the_first_page_tells_where_calls_go(void **state)
{
    (void)state;
    struct answer a;
    rig_ask(rig.developers, "GET /", BROWSER, &a);
    assert_true(str_has(a.body, "https://api.example.com"));
    assert_true(str_has(a.body, "href=\"/problems/\""));
    answer_free(&a);
    struct portal_conf conf = rig.conf;
    conf.gateway_url = STR("https://x.example/\"><b>");
    portal_configure(rig.portal, &conf);
    rig_ask(rig.developers, "GET /", BROWSER, &a);
    assert_true(str_has(a.body, "https://x.example/&quot;&gt;&lt;b&gt;"));
    assert_false(str_has(a.body, "<b>"));
    answer_free(&a);
    conf.gateway_url = STR_EMPTY;
    portal_configure(rig.portal, &conf);
    rig_ask(rig.developers, "GET /", BROWSER, &a);
    assert_false(str_has(a.body, "curl"));
    answer_free(&a);
    portal_configure(rig.portal, &rig.conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_has_every_answer_once),
        cmocka_unit_test(the_page_of_all_links_to_each),
        cmocka_unit_test(each_answer_has_a_page_and_a_document),
        cmocka_unit_test(the_form_follows_the_wish_and_is_a_page_without_one),
        cmocka_unit_test(a_code_that_is_none_is_not_found),
        cmocka_unit_test(the_list_without_its_slash_leads_there),
        cmocka_unit_test(every_request_id_gets_the_same_answer),
        cmocka_unit_test(the_first_page_tells_where_calls_go),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
