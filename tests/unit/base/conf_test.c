/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/clock.h"
#include "base/conf.h"
#include "base/error.h"
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum color { COLOR_RED, COLOR_GREEN };

struct wheel {
    struct str name;
    uint32_t spokes;
};

struct bell {
    struct str tone;
    uint64_t bytes;
};

struct bike {
    struct str title;
    bool bright;
    uint32_t gears;
    uint64_t distance;
    uint64_t load;
    int64_t pause_us;
    enum color color;
    struct cidr_set from;
    struct str *riders;
    size_t rider_count;
    struct bell bell;
    struct wheel *wheels;
    size_t wheel_count;
    struct bell *bells;
    size_t bell_count;
    struct str secret;
    unsigned done;
};

static const char *const COLORS[] = {[COLOR_RED] = "red", [COLOR_GREEN] = "green", NULL};

static const char *rider_fault(struct str text)
{
    return str_starts(text, STR("x")) ? "must not begin with x" : NULL;
}

static const struct conf_field BELL_FIELDS[] = {
    {.name = "tone", CONF_AS_STRING(struct bell, tone), .flags = CONF_REQUIRED, .doc = "Sound."},
    {.name = "bytes", CONF_AS_SIZE(struct bell, bytes), .fallback = "1KiB", .doc = "Memory."},
    {.name = NULL},
};

static const struct conf_field WHEEL_FIELDS[] = {
    {.name = "spokes",
     CONF_AS_U32(struct wheel, spokes),
     .fallback = "32",
     .max = 40,
     .doc = "Spokes."},
    {.name = NULL},
};

static void count_done(struct conf *conf, const struct yaml_node *node, void *base)
{
    struct bike *bike = base;
    (void)conf;
    (void)node;
    bike->done++;
}

static const struct conf_field BIKE_FIELDS[] = {
    {.name = "title", CONF_AS_STRING(struct bike, title), .max = 10, .doc = "Title."},
    {.name = "bright", CONF_AS_BOOL(struct bike, bright), .fallback = "true", .doc = "Bright."},
    {.name = "gears", CONF_AS_U32(struct bike, gears), .fallback = "3", .min = 1, .doc = "Gears."},
    {.name = "distance", CONF_AS_U64(struct bike, distance), .doc = "Distance."},
    {.name = "load", CONF_AS_SIZE(struct bike, load), .fallback = "2MiB", .doc = "Load."},
    {.name = "pause", CONF_AS_DURATION(struct bike, pause_us), .fallback = "1m", .doc = "Pause."},
    {.name = "color",
     CONF_AS_ENUM(struct bike, color),
     .names = COLORS,
     .fallback = "green",
     .doc = "Color."},
    {.name = "from",
     CONF_AS_CIDRS(struct bike, from),
     .fallback = "10.0.0.0/8 ::1",
     .doc = "Places."},
    {.name = "riders",
     CONF_AS_STRINGS(struct bike, riders, rider_count),
     .valid = rider_fault,
     .doc = "Riders."},
    {.name = "bell",
     CONF_AS_MAP(struct bike, bell),
     .fields = BELL_FIELDS,
     .shorthand = "tone",
     .doc = "Bell."},
    {.name = "wheels",
     CONF_AS_OBJECTS(struct bike, wheels, wheel_count, struct wheel),
     .fields = WHEEL_FIELDS,
     .what = "wheel",
     .doc = "Wheels."},
    {.name = "bells",
     CONF_AS_LIST(struct bike, bells, bell_count, struct bell),
     .fields = BELL_FIELDS,
     .what = "bell",
     .shorthand = "tone",
     .doc = "More bells."},
    {.name = "secret",
     CONF_AS_STRING(struct bike, secret),
     .flags = CONF_HIDDEN,
     .max = LIMIT_CONFIG_TEXT_BYTES,
     .valid = rider_fault,
     .doc = "Secret."},
    {.name = NULL, .done = count_done},
};

static struct arena tree, arena;
static struct config_errors errors;
static struct bike bike;

static int finish(void **state)
{
    (void)state;
    arena_finish(&tree);
    arena_finish(&arena);
    return 0;
}

static void read_within(struct str text, size_t budget)
{
    struct yaml_node *root = NULL;
    struct conf conf;
    finish(NULL);
    arena_init(&tree, 4096, 1 << 22);
    arena_init(&arena, 4096, budget);
    config_errors_init(&errors, "f");
    bike = (struct bike){.done = 0};
    if (yaml_parse(&tree, text, &root, &errors) != 0)
        fail_msg("%s", errors.items[0].text);
    conf_init(&conf, &arena, &errors, "/nonexistent");
    conf_read(&conf, BIKE_FIELDS, root, &bike);
}

static void read_text(const char *text)
{
    read_within(str_from(text), 1 << 20);
}

static void read_good(const char *text)
{
    read_text(text);
    if (errors.count > 0)
        fail_msg("%s", errors.items[0].text);
}

static void what_is_absent_has_its_default(void **state)
{
    (void)state;
    static const char *const cases[] = {"{}", "riders:\nbell:\nwheels:\nbells:\nfrom:\n"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        read_good(cases[i]);
        assert_int_equal(bike.title.n, 0);
        assert_true(bike.bright);
        assert_int_equal(bike.gears, 3);
        assert_int_equal(bike.distance, 0);
        assert_int_equal(bike.load, 2 << 20);
        assert_int_equal(bike.pause_us, US_PER_MINUTE);
        assert_int_equal(bike.color, COLOR_GREEN);
        assert_int_equal(bike.from.count, 2);
        assert_int_equal(bike.rider_count, 0);
        /* what a map must have is asked for only where the map is there */
        assert_int_equal(bike.bell.tone.n, 0);
        assert_int_equal(bike.bell.bytes, 1024);
        assert_int_equal(bike.wheel_count, 0);
        assert_int_equal(bike.bell_count, 0);
        assert_int_equal(bike.done, 1);
    }
}

static void every_type_is_read(void **state)
{
    (void)state;
    read_good("title: 0x10\n"
              "bright: false\n"
              "gears: 4294967295\n"
              "distance: 18446744073709551615\n"
              "load: 10\n"
              "pause: 250ms\n"
              "color: \"red\"\n"
              "from: 192.0.2.7\n"
              "riders: [Ann, 7, \"\"]\n"
              "bell: { tone: ding, bytes: 1GiB }\n"
              "wheels: { front: , rear.2: { spokes: 0 } }\n"
              "bells: [dong, { tone: dang }]\n");
    assert_str_equal(bike.title, "0x10");
    assert_false(bike.bright);
    assert_int_equal(bike.gears, UINT32_MAX);
    assert_true(bike.distance == UINT64_MAX);
    assert_int_equal(bike.load, 10);
    assert_int_equal(bike.pause_us, 250 * US_PER_MS);
    assert_int_equal(bike.color, COLOR_RED);
    assert_int_equal(bike.from.count, 1);
    assert_int_equal(bike.rider_count, 3);
    assert_str_equal(bike.riders[0], "Ann");
    assert_str_equal(bike.riders[1], "7");
    assert_str_equal(bike.riders[2], "");
    assert_str_equal(bike.bell.tone, "ding");
    assert_int_equal(bike.bell.bytes, 1 << 30);
    assert_int_equal(bike.wheel_count, 2);
    assert_str_equal(bike.wheels[0].name, "front");
    assert_int_equal(bike.wheels[0].spokes, 32);
    assert_str_equal(bike.wheels[1].name, "rear.2");
    assert_int_equal(bike.wheels[1].spokes, 0);
    assert_int_equal(bike.bell_count, 2);
    assert_str_equal(bike.bells[0].tone, "dong");
    assert_int_equal(bike.bells[0].bytes, 1024);
    assert_str_equal(bike.bells[1].tone, "dang");
}

static void one_may_stand_for_a_list(void **state)
{
    (void)state;
    read_good("riders: Ann\nbells: { tone: dong }\nbell: ding\nfrom: [10.0.0.0/8]\n");
    assert_int_equal(bike.rider_count, 1);
    assert_str_equal(bike.riders[0], "Ann");
    assert_int_equal(bike.bell_count, 1);
    assert_str_equal(bike.bells[0].tone, "dong");
    assert_str_equal(bike.bell.tone, "ding");
    read_good("bells: dong\nriders: []\nfrom: []\n");
    assert_int_equal(bike.bell_count, 1);
    assert_str_equal(bike.bells[0].tone, "dong");
    assert_int_equal(bike.rider_count, 0);
    assert_int_equal(bike.from.count, 0);
}

static void faults_are_told_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"title: [a]\n", "f:1:8: error: `title`: expected a text, found a list"},
        {"title: {}\n", "f:1:8: error: `title`: expected a text, found a map"},
        {"title:\n", "f:1:7: error: `title`: expected a text, found nothing"},
        {"title: longer than ten\n",
         "f:1:8: error: `title`: must have at most 10 characters, and has 15"},
        {"title: \"a\\nb\"\n",
         "f:1:8: error: `title`: must be one line without control characters"},
        {"bright: \"true\"\n",
         "f:1:9: error: `bright`: expected true or false, found `\"true\"`; remove the quotes"},
        {"bright: TRUE\n", "f:1:9: error: `bright`: expected true or false, found `TRUE`"},
        {"gears: 4294967296\n",
         "f:1:8: error: `gears`: `4294967296` is out of range; allowed is 1 to 4294967295"},
        {"gears: 99999999999999999999999\n",
         "f:1:8: error: `gears`: `99999999999999999999999` is out of range; allowed is 1 to "
         "4294967295"},
        {"gears: 1.5\n", "f:1:8: error: `gears`: expected a whole number, found `1.5`"},
        {"load: 99999999999GiB\n",
         "f:1:7: error: `load`: `99999999999GiB` is out of range; allowed is 0 to "
         "18446744073709551615"},
        {"load: 5 MiB\n",
         "f:1:7: error: `load`: expected a size such as 64KiB or 10MiB, found `5 MiB`"},
        {"load: KiB\n",
         "f:1:7: error: `load`: expected a size such as 64KiB or 10MiB, found `KiB`"},
        {"from: { a: b }\n",
         "f:1:7: error: `from`: expected an address or a network such as 10.0.0.0/8, found a map"},
        {"riders: [a, [b]]\n", "f:1:13: error: `riders`: expected a text, found a list"},
        {"riders: { a: b }\n",
         "f:1:9: error: `riders`: expected a text or a list of texts, found a map"},
        {"riders: [a, xb]\n", "f:1:13: error: `riders`: `xb` must not begin with x"},
        {"bell: {}\n", "f:1:1: error: `bell`: `tone` is missing"},
        {"bells: [a, {}]\n", "f:1:12: error: bell 2: `tone` is missing"},
        {"bells: [a, [b]]\n", "f:1:12: error: bell 2: expected a text or a map, found a list"},
        {"wheels: { front: 5 }\n", "f:1:18: error: wheel `front`: expected a map, found `5`"},
        {"wheels: { -a: {} }\n",
         "f:1:11: error: `-a` cannot be the name of a wheel; names are of a-z, 0-9, `.`, `_`, `-`, "
         "at most 63, the first a letter or digit"},
        {"wheels: { a: { spoke: 1 } }\n",
         "f:1:16: error: unknown key `spoke` in wheel `a`; did you mean `spokes`?"},
        {"secret: xhunter2\n",
         "f:1:9: error: `secret`: a value that is not shown must not begin with x"},
        {"zzz: 1\n", "f:1:1: error: unknown key `zzz`; known here: title, bright, gears, distance, "
                     "load, pause, "
                     "color, from, riders, bell, wheels, bells, secret"},
        {"title: abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\n",
         "f:1:8: error: `title`: must have at most 10 characters, and has 78"},
        {"gears: abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz1234567\xc3\xa9 and so on\n",
         "f:1:8: error: `gears`: expected a whole number, found "
         "`abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz1234567...`"},
        {"gears: \"\\e[31m\"\n",
         "f:1:8: error: `gears`: expected a whole number, found `\"?[31m\"`; remove the quotes"},
    };
    unsigned wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        read_text(cases[i].text);
        if (errors.count == 1 && strcmp(errors.items[0].text, cases[i].line) == 0)
            continue;
        print_error("got  %s (%u)\nwant %s\n", errors.count > 0 ? errors.items[0].text : "",
                    errors.count, cases[i].line);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void insertions_are_put_in_everywhere(void **state)
{
    (void)state;
    setenv("WEIR_TEST_A", "7", 1);
    setenv("WEIR_TEST_EMPTY", "", 1);
    setenv("WEIR_TEST_BRIGHT", "false", 1);
    setenv("WEIR_TEST_NET", "10.0.0.0/8", 1);
    read_good("title: \"a${env:WEIR_TEST_A}b${env:WEIR_TEST_EMPTY}${env:WEIR_TEST_A}\"\n"
              "bright: \"${env:WEIR_TEST_BRIGHT}\"\n"
              "gears: ${env:WEIR_TEST_A}\n"
              "pause: ${env:WEIR_TEST_A}d\n"
              "from: [\"${env:WEIR_TEST_NET}\", \"::1\"]\n"
              "riders: [\"$${env:WEIR_TEST_A}\", \"$5\", \"$$\", \"a$$${b\"]\n");
    assert_str_equal(bike.title, "a7b7");
    assert_false(bike.bright);
    assert_int_equal(bike.gears, 7);
    assert_int_equal(bike.pause_us, 7 * US_PER_DAY);
    assert_int_equal(bike.from.count, 2);
    assert_str_equal(bike.riders[0], "${env:WEIR_TEST_A}");
    assert_str_equal(bike.riders[1], "$5");
    assert_str_equal(bike.riders[2], "$$");
    assert_str_equal(bike.riders[3], "a$${b");
}

/* Reads `secret: "${file:PATH}"` of a file with those bytes. */
static void read_secret_file(const char *bytes, size_t n)
{
    char path[] = "/tmp/weir_conf_XXXXXX", text[128];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(close(fd), 0);
    snprintf(text, sizeof(text), "secret: \"${file:%s}\"\n", path);
    read_text(text);
    assert_int_equal(unlink(path), 0);
}

static void a_file_is_put_in_without_its_last_newline(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *secret;
    } cases[] = {
        {"", ""}, {"\n", ""}, {"a b", "a b"}, {"a b\n", "a b"}, {"a b\r\n", "a b"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        read_secret_file(cases[i].bytes, strlen(cases[i].bytes));
        assert_int_equal(errors.count, 0);
        assert_str_equal(bike.secret, cases[i].secret);
    }
    read_secret_file("a\n\n", 3);
    assert_string_equal(errors.items[0].text,
                        "f:1:9: error: `secret`: must be one line without control characters");
    read_secret_file("a\xff", 2);
    assert_string_equal(errors.items[0].text,
                        "f:1:9: error: `secret`: what is inserted is not UTF-8");
    char *large = calloc(1, LIMIT_CONFIG_TEXT_BYTES + 1);
    memset(large, 'a', LIMIT_CONFIG_TEXT_BYTES + 1);
    read_secret_file(large, LIMIT_CONFIG_TEXT_BYTES);
    assert_int_equal(errors.count, 0);
    assert_int_equal(bike.secret.n, LIMIT_CONFIG_TEXT_BYTES);
    read_secret_file(large, LIMIT_CONFIG_TEXT_BYTES + 1);
    assert_int_equal(errors.count, 1);
    assert_non_null(strstr(errors.items[0].text, "File too large"));
    free(large);
}

static void a_relative_file_is_looked_for_beside_the_configuration(void **state)
{
    (void)state;
    read_text("secret: \"${file:token}\"\n");
    assert_string_equal(
        errors.items[0].text,
        "f:1:9: error: `secret`: cannot read `/nonexistent/token`: No such file or directory");
    read_text("secret: \"${file:/tmp}\"\n");
    assert_string_equal(errors.items[0].text,
                        "f:1:9: error: `secret`: cannot read `/tmp`: Is a directory");
    read_text("secret: \"${file:}\"\n");
    assert_string_equal(errors.items[0].text, "f:1:9: error: `secret`: ${file:PATH} needs a path");
}

static void too_little_memory_is_one_fault(void **state)
{
    (void)state;
    unsigned full = 0;
    for (size_t budget = 0; budget < 1200; budget += 40) {
        read_within(STR("title: abc\nriders: [a, b]\nwheels: { a: {}, b: {} }\nbells: [c, d]\n"
                        "from: [10.0.0.0/8]\n"),
                    budget);
        if (errors.count == 0)
            continue;
        assert_int_equal(errors.count, 1);
        assert_string_equal(errors.items[0].text, "f: error: the configuration is too large");
        full++;
    }
    assert_int_equal(errors.count, 0);
    assert_true(full > 5);
}

static void sizes_have_binary_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        uint64_t bytes;
        const char *shortest;
    } cases[] = {
        {"0", 0, 0, "0"},
        {"1", 0, 1, "1"},
        {"1023", 0, 1023, "1023"},
        {"1024", 0, 1024, "1KiB"},
        {"64KiB", 0, 65536, "64KiB"},
        {"1536KiB", 0, 1572864, "1536KiB"},
        {"10MiB", 0, 10 << 20, "10MiB"},
        {"1024MiB", 0, 1 << 30, "1GiB"},
        {"18446744073709551615", 0, UINT64_MAX, "18446744073709551615"},
        {"18446744073709551616", E_RANGE, 0, NULL},
        {"17179869184GiB", E_RANGE, 0, NULL},
        {"", E_INVALID, 0, NULL},
        {"KiB", E_INVALID, 0, NULL},
        {"1kib", E_INVALID, 0, NULL},
        {"1KB", E_INVALID, 0, NULL},
        {"1.5MiB", E_INVALID, 0, NULL},
        {"-1", E_INVALID, 0, NULL},
        {" 1", E_INVALID, 0, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t bytes = 7;
        char out[24];
        assert_int_equal(size_parse(str_from(cases[i].text), &bytes), cases[i].result);
        if (cases[i].result != 0) {
            assert_int_equal(bytes, 7);
            continue;
        }
        assert_true(bytes == cases[i].bytes);
        assert_int_equal(size_format(bytes, out), strlen(cases[i].shortest));
        assert_string_equal(out, cases[i].shortest);
    }
}

static void suggestions_are_near_or_none(void **state)
{
    (void)state;
    static const char *const known[] = {"listen", "upstream", "url", "max_connections_per_client",
                                        "rate"};
    static const struct {
        const char *word, *best;
    } cases[] = {
        {"lisen", "listen"},
        {"Listen", "listen"},
        {"upstreams", "upstream"},
        {"uri", "url"},
        {"rtae", "rate"},
        {"max_connections", "max_connections_per_client"},
        {"quota", NULL},
        {"x", NULL},
        {"", NULL},
        {"completely_other", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct suggestion s;
        char want[128] = "";
        suggestion_init(&s, str_from(cases[i].word));
        for (size_t k = 0; k < ARRAY_LEN(known); k++)
            suggestion_offer(&s, str_from(known[k]));
        if (cases[i].best != NULL)
            snprintf(want, sizeof(want), "; did you mean `%s`?", cases[i].best);
        assert_string_equal(suggestion_text(&s), want);
    }
}

static void listen_addresses_and_urls_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"127.0.0.1:0", "[::1]:8080", "localhost:1", "0.0.0.0:65535"};
    static const char *const bad[] = {"",       ":80",           "80",         "*:80",
                                      "::1:8",  "[::1]",         "example:80", "127.0.0.1:65536",
                                      "[::1]:", "[10.0.0.1]:80", "127.0.0.1",  "127.0.0.1: 80"};
    static const char *const good_urls[] = {"http://a", "https://a.example:8443/x", "HTTP://[::1]"};
    static const char *const bad_urls[] = {"",           "a",          "ftp://a",
                                           "http://",    "https://",   "http://a?b",
                                           "http://a#b", "http://u@a", "http://a b"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(conf_listen_fault(str_from(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(conf_listen_fault(str_from(bad[i])));
    for (size_t i = 0; i < ARRAY_LEN(good_urls); i++)
        assert_null(conf_url_fault(str_from(good_urls[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad_urls); i++)
        assert_non_null(conf_url_fault(str_from(bad_urls[i])));
}

static void rows_print_their_reference(void **state)
{
    (void)state;
    char text[4096];
    struct buf out;
    buf_init_fixed(&out, text, sizeof(text));
    conf_document(BIKE_FIELDS, &out);
    assert_str_equal(
        buf_str(&out),
        "| Key | Value | Default | What it does |\n"
        "| --- | --- | --- | --- |\n"
        "| `title` | text, 0 to 10 characters |  | Title. |\n"
        "| `bright` | true or false | `true` | Bright. |\n"
        "| `gears` | whole number | `3` | Gears. |\n"
        "| `distance` | whole number |  | Distance. |\n"
        "| `load` | size | `2MiB` | Load. |\n"
        "| `pause` | duration | `1m` | Pause. |\n"
        "| `color` | red or green | `green` | Color. |\n"
        "| `from` | network, or a list | `10.0.0.0/8 ::1` | Places. |\n"
        "| `riders` | text, or a list |  | Riders. |\n"
        "| `bell` | map: its `tone` alone, or [`bell`](#bell) |  | Bell. |\n"
        "| `wheels` | map of names: [`wheels.NAME`](#wheelsname) |  | Wheels. |\n"
        "| `bells` | map, or a list: its `tone` alone, or [`bell`](#bell) |  | More bells. |\n"
        "| `secret` | text, 0 to 65536 characters |  | Secret. |\n"
        "\n"
        "## `bell`\n"
        "\n"
        "| Key | Value | Default | What it does |\n"
        "| --- | --- | --- | --- |\n"
        "| `tone` | text | required | Sound. |\n"
        "| `bytes` | size | `1KiB` | Memory. |\n"
        "\n"
        "## `wheels.NAME`\n"
        "\n"
        "| Key | Value | Default | What it does |\n"
        "| --- | --- | --- | --- |\n"
        "| `spokes` | whole number, 0 to 40 | `32` | Spokes. |\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_absent_has_its_default),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(one_may_stand_for_a_list),
        cmocka_unit_test(faults_are_told_in_words),
        cmocka_unit_test(insertions_are_put_in_everywhere),
        cmocka_unit_test(a_file_is_put_in_without_its_last_newline),
        cmocka_unit_test(a_relative_file_is_looked_for_beside_the_configuration),
        cmocka_unit_test(too_little_memory_is_one_fault),
        cmocka_unit_test(sizes_have_binary_units),
        cmocka_unit_test(suggestions_are_near_or_none),
        cmocka_unit_test(listen_addresses_and_urls_are_checked),
        cmocka_unit_test(rows_print_their_reference),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
