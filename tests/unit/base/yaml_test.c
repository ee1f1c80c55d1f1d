/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/yaml.h"

static struct arena arena;
static struct config_errors errors;

static int parse(struct str text, struct yaml_node **ret_root)
{
    arena_finish(&arena);
    arena_init(&arena, 4096, LIMIT_CONFIG_ARENA_BYTES);
    config_errors_init(&errors, "weir.yaml");
    return yaml_parse(&arena, text, ret_root, &errors);
}

static struct yaml_node *tree_of(const char *text)
{
    struct yaml_node *root = NULL;
    if (parse(str_from(text), &root) != 0)
        fail_msg("%s", errors.items[0].text);
    assert_int_equal(errors.count, 0);
    return root;
}

static int finish(void **state)
{
    (void)state;
    arena_finish(&arena);
    return 0;
}

static void values_and_keys_know_where_they_stood(void **state)
{
    (void)state;
    const struct yaml_node *root = tree_of("# comment\n"
                                           "name: \"weir\"\n"
                                           "list:\n"
                                           "  - one\n"
                                           "  - { a: 1, \xc3\xa9: 2 }\n");
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 2);
    const struct yaml_node *name = yaml_find(root, STR("name"));
    assert_str_equal(name->text, "weir");
    assert_true(name->quoted);
    assert_int_equal(name->key_line, 2);
    assert_int_equal(name->key_column, 1);
    assert_int_equal(name->column, 7);
    const struct yaml_node *list = yaml_find(root, STR("list"));
    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(list->count, 2);
    assert_str_equal(list->first->text, "one");
    assert_false(list->first->quoted);
    assert_int_equal(list->first->line, 4);
    assert_int_equal(list->first->column, 5);
    /* columns count characters, not bytes */
    const struct yaml_node *accented = yaml_find(list->first->next, STR("\xc3\xa9"));
    assert_int_equal(accented->key_column, 13);
    assert_int_equal(accented->column, 16);
    assert_null(yaml_find(root, STR("nam")));
    assert_null(yaml_find(list, STR("name")));
    assert_null(yaml_find(NULL, STR("name")));
}

static void json_is_yaml(void **state)
{
    (void)state;
    const struct yaml_node *root =
        tree_of("{\"version\": 1, \"apis\": {\"a\": {\"paths\": [\"/a\", \"/\\u0062\"]}}}");
    const struct yaml_node *api = yaml_find(yaml_find(root, STR("apis")), STR("a"));
    assert_str_equal(yaml_find(api, STR("paths"))->first->next->text, "/b");
    assert_false(yaml_find(root, STR("version"))->quoted);
}

static void nothing_is_null_unless_it_is_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool null;
    } cases[] = {
        {"", true},
        {"# only a comment\n", true},
        {"---\n", true},
        {"a:\n", true},
        {"a: ~\n", true},
        {"a: null\n", true},
        {"a: ''\n", false},
        {"a: {}\n", false},
        {"a: Null\n", false},
        {"a: |\n", false},
        {"\xef\xbb\xbf", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct yaml_node *root = tree_of(cases[i].text);
        const struct yaml_node *a = root->kind == YAML_MAP ? root->first : root;
        assert_int_equal(yaml_is_null(a), cases[i].null);
    }
}

static void a_byte_order_mark_and_crlf_change_no_position(void **state)
{
    (void)state;
    const struct yaml_node *root = tree_of("\xef\xbb\xbf"
                                           "a: 1\r\nb: 2\r\n");
    assert_int_equal(root->first->key_column, 1);
    assert_str_equal(root->first->text, "1");
    assert_int_equal(root->first->next->key_line, 2);
}

static void faults_say_where_and_what_to_do(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *line;
    } cases[] = {
        {STR_INIT("a: 1\nb: 2\na: 3\n"),
         "weir.yaml:3:1: error: key `a` is there twice; it was first given at line 1, column 1"},
        {STR_INIT("a: {b: 1, b: 2}"),
         "weir.yaml:1:11: error: key `b` is there twice; it was first given at line 1, column 5"},
        {STR_INIT("a: 1\n---\nb: 2\n"),
         "weir.yaml:2:1: error: a second document begins here; a file holds one"},
        {STR_INIT("a: &x 1\nb: 2\n"),
         "weir.yaml:1:4: error: `&` or `!` begins an anchor or tag, which are not supported; put "
         "quotes around a value that begins so"},
        {STR_INIT("a: &x [1]\n"),
         "weir.yaml:1:4: error: `&` or `!` begins an anchor or tag, which are not supported; put "
         "quotes around a value that begins so"},
        {STR_INIT("a: *x\n"), "weir.yaml:1:4: error: `*` begins an alias, which is not supported; "
                              "write the value out, or put quotes around it"},
        {STR_INIT("a: !!str 1\n"),
         "weir.yaml:1:4: error: `&` or `!` begins an anchor or tag, which are not supported; put "
         "quotes around a value that begins so"},
        {STR_INIT("hosts: [*.example.com]\n"),
         "weir.yaml:1:9: error: `*` begins an alias in YAML; put quotes around a value that begins "
         "with it: \"*.example\""},
        {STR_INIT("a:\n\t- 1\n"),
         "weir.yaml:2:1: error: a tab cannot indent or separate here; use spaces"},
        {STR_INIT("a: @home\n"),
         "weir.yaml:1:4: error: a value cannot begin with `@`; put it in quotes"},
        {STR_INIT("a: b: c\n"),
         "weir.yaml:1:5: error: `:` is not expected here; check the indentation, and put quotes "
         "around a value that contains `: `"},
        {STR_INIT("a: 1\n  b: 2\n"),
         "weir.yaml:2:4: error: `:` is not expected here; check the indentation, and put quotes "
         "around a value that contains `: `"},
        {STR_INIT("a:\n  b: 1\n c: 2\n"),
         "weir.yaml:3:2: error: expected a key here, indented like the ones before it"},
        {STR_INIT("a: 1\nb\nc: 2\n"),
         "weir.yaml:2:1: error: expected `:` after this key; check it, and the indentation of what "
         "follows"},
        {STR_INIT("a: \"open\nb: 2\n"), "weir.yaml:1:4: error: the quote that opens here is not "
                                        "closed"},
        {STR_INIT("a: {b: 1\nc: 2\n"),
         "weir.yaml:1:4: error: the { that opens here is not closed; expected `,` or `}`, and "
         "quotes around a value that contains { or }"},
        {STR_INIT("a: {b: ${env:X}}\n"),
         "weir.yaml:1:4: error: the { that opens here is not closed; expected `,` or `}`, and "
         "quotes around a value that contains { or }"},
        {STR_INIT("a: [1, 2\nb: 3\n"),
         "weir.yaml:1:4: error: the [ that opens here is not closed; expected `,` or `]`, and "
         "quotes around a value that contains one of [ ] { }"},
        {STR_INIT("listen: [::1]:8080\n"),
         "weir.yaml:1:10: error: a value is expected here; put quotes around one that contains [, "
         "], { or }, such as an IPv6 address"},
        {STR_INIT("? [a]\n: 1\n"), "weir.yaml:1:3: error: a key must be a plain word"},
        {STR_INIT("\"\": 1\n"), "weir.yaml:1:1: error: a key is missing before `:`"},
        {STR_INIT("a: \"\\q\"\n"), "weir.yaml:1:5: error: unknown escape in double quotes; write "
                                   "\\\\ for a backslash, or use "
                                   "single quotes"},
        {STR_INIT("a: \"x\\0y\"\n"),
         "weir.yaml:1:4: error: a text cannot contain the character NUL"},
        {STR_INIT("a: 1\nb: x\0y\n"),
         "weir.yaml:2:5: error: the file contains a NUL; is it a text in UTF-8?"},
        {STR_INIT("a: 1\nb: \xc3\xa9\xff\n"),
         "weir.yaml:2:5: error: byte 0xff is not UTF-8; save the file as UTF-8"},
        {STR_INIT("\xff\xfe"
                  "a\0"),
         "weir.yaml:1:1: error: byte 0xff is not UTF-8; save the file as UTF-8"},
        {STR_INIT("a: 1\nb: \xc3\xa9\x1b[0m\n"),
         "weir.yaml:2:5: error: character U+001B is not allowed; write it as \"\\u001B\" if "
         "needed"},
        {STR_INIT("a: \xed\xa0\x80\n"),
         "weir.yaml:1:4: error: byte 0xed is not UTF-8; save the file as UTF-8"},
    };
    unsigned wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct yaml_node *root = NULL;
        int r = parse(cases[i].text, &root);
        const char *got = r == E_CONFIG && errors.count == 1 ? errors.items[0].text : "no fault";
        assert_true(r == 0 || root == NULL);
        if (strcmp(got, cases[i].line) == 0)
            continue;
        print_error("got  %s\nwant %s\n", got, cases[i].line);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void every_duplicate_is_reported_in_the_order_of_the_file(void **state)
{
    (void)state;
    struct yaml_node *root;
    assert_int_equal(parse(STR("m: {x: 1, y: 2, x: 3, x: 4}\nm: 5\n"), &root), E_CONFIG);
    assert_int_equal(errors.count, 3);
    assert_int_equal(errors.items[0].column, 17);
    assert_int_equal(errors.items[1].column, 23);
    assert_int_equal(errors.items[2].line, 2);
}

static void fill(char *out, const char *unit, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * strlen(unit), unit, strlen(unit));
}

static void depth_and_size_have_a_ceiling(void **state)
{
    (void)state;
    static char text[LIMIT_CONFIG_BYTES + 1];
    struct yaml_node *root;

    fill(text, "[", LIMIT_YAML_DEPTH);
    fill(text + LIMIT_YAML_DEPTH, "]", LIMIT_YAML_DEPTH);
    assert_int_equal(parse(str_make(text, 2UL * LIMIT_YAML_DEPTH), &root), 0);

    fill(text, "[", LIMIT_YAML_DEPTH + 1);
    fill(text + LIMIT_YAML_DEPTH + 1, "]", LIMIT_YAML_DEPTH + 1);
    assert_int_equal(parse(str_make(text, 2UL * LIMIT_YAML_DEPTH + 2), &root), E_CONFIG);
    assert_string_equal(errors.items[0].text, "weir.yaml:1:33: error: maps and lists are nested "
                                              "deeper than 32 levels");

    fill(text, "- a\n", LIMIT_YAML_NODES);
    assert_int_equal(parse(str_make(text, 4UL * LIMIT_YAML_NODES), &root), E_CONFIG);
    assert_string_equal(errors.items[0].text,
                        "weir.yaml: error: the file holds too much; at most 500000 values are "
                        "read");

    fill(text, "#", sizeof(text));
    assert_int_equal(parse(str_make(text, sizeof(text)), &root), E_CONFIG);
    assert_string_equal(errors.items[0].text, "weir.yaml: error: the file is larger than 8 MiB");
    assert_int_equal(parse(str_make(text, sizeof(text) - 1), &root), 0);
}

static void a_small_arena_is_an_error_and_no_crash(void **state)
{
    (void)state;
    for (size_t budget = 0; budget < 2000; budget += 50) {
        struct yaml_node *root = NULL;
        struct arena small;
        arena_init(&small, 256, budget);
        config_errors_init(&errors, "weir.yaml");
        int r = yaml_parse(&small, STR("a: {b: [1, 2, 3], c: d}\n"), &root, &errors);
        assert_int_equal(r == 0, errors.count == 0);
        assert_int_equal(r == 0, root != NULL);
        arena_finish(&small);
    }
    assert_int_equal(errors.count, 0);
}

static void only_the_first_faults_of_the_file_are_kept(void **state)
{
    (void)state;
    char text[8192];
    struct buf out;
    config_errors_init(&errors, "f");
    for (unsigned line = 30; line > 0; line--)
        config_errors_add(&errors, line, 1, "no. %u \x1b\n", line);
    assert_int_equal(errors.count, 30);
    assert_int_equal(config_errors_kept(&errors), CONFIG_ERRORS_MAX);
    assert_string_equal(errors.items[0].text, "f:1:1: error: no. 1 ??");
    assert_string_equal(errors.items[19].text, "f:20:1: error: no. 20 ??");
    buf_init_fixed(&out, text, sizeof(text));
    config_errors_print(&errors, &out);
    assert_true(str_ends(buf_str(&out), STR("no. 20 ??\nf: error: and 10 more\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_keys_know_where_they_stood),
        cmocka_unit_test(json_is_yaml),
        cmocka_unit_test(nothing_is_null_unless_it_is_quoted),
        cmocka_unit_test(a_byte_order_mark_and_crlf_change_no_position),
        cmocka_unit_test(faults_say_where_and_what_to_do),
        cmocka_unit_test(every_duplicate_is_reported_in_the_order_of_the_file),
        cmocka_unit_test(depth_and_size_have_a_ceiling),
        cmocka_unit_test(a_small_arena_is_an_error_and_no_crash),
        cmocka_unit_test(only_the_first_faults_of_the_file_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
