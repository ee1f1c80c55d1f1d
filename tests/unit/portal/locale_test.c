/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/buf.h"
#include "portal/words.h"

static const struct embedded_file FILES[] = {
    {"messages.en.json", STR_INIT("{\"hi\":\"Hello {name}\",\"only\":\"English\"}")},
    {"messages.tr.json", STR_INIT("{\"hi\":\"Merhaba {name}\"}")},
    {NULL, {NULL, 0}},
};

static void the_language_most_wanted_of_those_there_are(void **state)
{
    static const struct {
        const char *accept;
        enum locale want;
    } cases[] = {
        {"", LOCALE_EN},
        {"tr", LOCALE_TR},
        {"TR-tr", LOCALE_TR},
        {"de", LOCALE_EN},
        {"de, tr;q=0.5, en;q=0.4", LOCALE_TR},
        {"en;q=0.4,tr;q=0.5", LOCALE_TR},
        {"tr;q=0.123, en;q=0.12", LOCALE_TR},
        {"tr;q=0, en;q=0.1", LOCALE_EN},
        {"tr;q=1.0", LOCALE_TR},
        {"tr;q=2", LOCALE_EN},
        {"tr;q=x", LOCALE_EN},
        {"tr;level=1", LOCALE_EN},
        {"*, tr;q=0.9", LOCALE_EN},
        {"*;q=0.1, tr;q=0.9", LOCALE_TR},
        {",,;, tr", LOCALE_TR},
        {"trk", LOCALE_EN},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum locale got = locale_negotiate(str_from(cases[i].accept));
        if (got != cases[i].want)
            fail_msg("%s gave %" STR_FMT, cases[i].accept, STR_ARG(locale_name(got)));
    }
}

static void what_a_language_lacks_is_said_in_english(void **state)
{
    struct words *all = words_load(FILES);
    (void)state;
    assert_str_equal(words_in(all, LOCALE_TR, STR("hi")), "Merhaba {name}");
    assert_str_equal(words_in(all, LOCALE_TR, STR("only")), "English");
    assert_str_equal(words_in(all, LOCALE_TR, STR("none")), "none");
    words_free(all);
    all = words_load(NULL);
    assert_str_equal(words_in(all, LOCALE_EN, STR("hi")), "hi");
    words_free(all);
    words_free(NULL);
}

static void names_are_replaced_by_what_they_stand_for(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},     {"none", "none"}, {"{a}", "1"}, {"{a}{b}{a}", "1{x}1"}, {"x {c} y", "x  y"},
        {"{a", "{a"}, {"a}", "a}"},     {"{}", ""},
    };
    struct words_param params[] = {{STR("a"), STR("1")}, {STR("b"), STR("{x}")}};
    struct buf out;
    (void)state;
    buf_init(&out, 256);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(&out);
        words_format(&out, str_from(cases[i].text), params, ARRAY_LEN(params));
        assert_str_equal(buf_str(&out), cases[i].want);
    }
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_language_most_wanted_of_those_there_are),
        cmocka_unit_test(what_a_language_lacks_is_said_in_english),
        cmocka_unit_test(names_are_replaced_by_what_they_stand_for),
    };
    return cmocka_run_group_tests_name("locale", tests, NULL, NULL);
}
