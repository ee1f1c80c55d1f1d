/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "portal/input.h"

static struct arena arena;

static struct input parse(enum schema schema, const char *body, enum input_kind kind, int want)
{
    struct input input = {.schema = schema};
    const char *why = NULL;
    arena_clear(&arena);
    assert_int_equal(input_parse(&arena, str_from(body), kind, &input, &why), want);
    assert_true(want == 0 || why != NULL);
    return input;
}

/* "field code, field code" of the faults. */
static void expect_faults(const struct input *input, const char *want)
{
    char text[512];
    struct buf b;
    buf_init_fixed(&b, text, sizeof(text));
    for (unsigned i = 0; i < input->fault_count; i++)
        buf_printf(&b, "%s%" STR_FMT " %s", i > 0 ? ", " : "", STR_ARG(input->faults[i].field),
                   input->faults[i].code);
    assert_str_equal(buf_str(&b), want);
}

static void a_body_that_is_no_object_is_refused(void **state)
{
    static const char *const bodies[] = {"",      "{",
                                         "[]",    "null",
                                         "1",     "\"x\"",
                                         "{} {}", "{\"a\":1,\"a\":2}",
                                         "\xff",  "{\"a\":\"\\u0000\"}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        parse(SCHEMA_PROFILE, bodies[i], INPUT_JSON, E_INVALID);
    parse(SCHEMA_PROFILE, "name=%zz", INPUT_FORM, E_INVALID);
    parse(SCHEMA_PROFILE, "name=%4", INPUT_FORM, E_INVALID);
}

static void every_fault_is_told_at_once(void **state)
{
    static const struct {
        enum schema schema;
        const char *body, *faults;
    } cases[] = {
        {SCHEMA_SIGN_IN, "{}", "email required, password required"},
        {SCHEMA_SIGN_IN, "{\"email\":null,\"password\":null}", "email required, password required"},
        {SCHEMA_SIGN_IN, "{\"email\":1,\"password\":[]}", "email type, password type"},
        {SCHEMA_SIGN_IN, "{\"email\":\"no\",\"password\":\"x\"}", "email too_short"},
        {SCHEMA_SIGN_IN, "{\"email\":\"nobody\",\"password\":\"x\"}", "email email"},
        {SCHEMA_SIGN_IN, "{\"email\":\"a@b@c\",\"password\":\"x\"}", "email email"},
        {SCHEMA_SIGN_IN, "{\"email\":\"a b@c\",\"password\":\"x\",\"zip\":{}}",
         "email email, zip unknown"},
        {SCHEMA_PROFILE, "{\"name\":\"\"}", "name required"},
        {SCHEMA_PROFILE, "{\"name\":\"  \"}", "name required"},
        {SCHEMA_PROFILE, "{\"name\":\"a\\nb\"}", "name characters"},
        {SCHEMA_PROFILE, "{\"name\":\"a\\u202eb\"}", "name characters"},
        {SCHEMA_PROFILE, "{\"name\":\"a\\u0085b\"}", "name characters"},
        {SCHEMA_PROFILE, "{\"name\":\"a\\u007fb\"}", "name characters"},
        {SCHEMA_PROFILE, "{}", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct input input = parse(cases[i].schema, cases[i].body, INPUT_JSON, 0);
        expect_faults(&input, cases[i].faults);
    }
}

static void texts_are_kept_as_they_are_but_for_the_space_around_them(void **state)
{
    (void)state;
    struct input in =
        parse(SCHEMA_PROFILE, "{\"name\":\" \xc3\x96mer \xe2\x80\x8f \"}", INPUT_JSON, 0);
    expect_faults(&in, "");
    assert_str_equal(input_text(&in, "name"), "\xc3\x96mer \xe2\x80\x8f");
    assert_false(input_has(&in, "locale"));
    in = parse(SCHEMA_SIGN_IN, "{\"email\":\" A@Example.COM \",\"password\":\" p \"}", INPUT_JSON,
               0);
    assert_str_equal(input_text(&in, "email"), "a@example.com");
    assert_str_equal(input_text(&in, "password"), " p ");
}

static void a_form_holds_the_same_as_json(void **state)
{
    (void)state;
    struct input in = parse(
        SCHEMA_SIGN_IN, "email=A%40b.c&password=%20a%2Bb+c&csrf=tok&&email=x@y.z", INPUT_FORM, 0);
    expect_faults(&in, "");
    assert_true(in.form);
    assert_str_equal(in.csrf, "tok");
    assert_str_equal(input_text(&in, "email"), "a@b.c");
    assert_str_equal(input_text(&in, "password"), " a+b c");
    in = parse(SCHEMA_SIGN_IN, "email=&password=%FF&other", INPUT_FORM, 0);
    expect_faults(&in, "email required, password characters, other unknown");
}

static void what_was_secret_is_overwritten(void **state)
{
    (void)state;
    struct input in =
        parse(SCHEMA_SIGN_IN, "{\"email\":\"a@b.c\",\"password\":\"hush\"}", INPUT_JSON, 0);
    struct str password = input_text(&in, "password");
    assert_str_equal(password, "hush");
    input_clear(&in);
    for (size_t i = 0; i < password.n; i++)
        assert_int_equal(password.p[i], 0);
}

static void more_unknown_fields_than_there_is_room_for_are_told_as_far(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 4096);
    buf_add_char(&b, '{');
    for (unsigned i = 0; i < 40; i++)
        buf_printf(&b, "%s\"f%u\":%u", i > 0 ? "," : "", i, i);
    buf_add_char(&b, '}');
    struct input in = parse(SCHEMA_PROFILE, buf_cstr(&b), INPUT_JSON, 0);
    assert_int_equal(in.fault_count, INPUT_FIELDS_MAX);
    buf_free(&b);
}

static void no_schema_has_more_fields_than_an_input_holds(void **state)
{
    (void)state;
    for (enum schema s = SCHEMA_NONE + 1; s < SCHEMA_COUNT; s++) {
        size_t count;
        schema_fields(s, &count);
        bool goes_in = false;
        size_t first = schema_fields(s, &count);
        for (size_t i = first; i < first + count; i++)
            goes_in |= SCHEMA_FIELDS[i].max > 0;
        if (goes_in)
            assert_true(count <= INPUT_FIELDS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_that_is_no_object_is_refused),
        cmocka_unit_test(every_fault_is_told_at_once),
        cmocka_unit_test(texts_are_kept_as_they_are_but_for_the_space_around_them),
        cmocka_unit_test(a_form_holds_the_same_as_json),
        cmocka_unit_test(what_was_secret_is_overwritten),
        cmocka_unit_test(more_unknown_fields_than_there_is_room_for_are_told_as_far),
        cmocka_unit_test(no_schema_has_more_fields_than_an_input_holds),
    };
    arena_init(&arena, 4096, 64U * 1024);
    int failed = cmocka_run_group_tests_name("input", tests, NULL, NULL);
    arena_finish(&arena);
    return failed;
}
