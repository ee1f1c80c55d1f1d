/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/conf.h"

#include <stdio.h>

enum color { COLOR_RED, COLOR_GREEN };

struct bell {
    struct str tone, secret;
};

struct wheel {
    struct str name;
};

struct bike {
    struct str title;
    bool bright;
    uint32_t gears;
    uint64_t distance, load;
    int64_t pause_us;
    enum color color;
    struct cidr_set from;
    struct str *riders;
    size_t rider_count;
    struct bell bell;
    struct wheel *wheels;
    size_t wheel_count;
};

static const char *const COLORS[] = {[COLOR_RED] = "red", [COLOR_GREEN] = "green", NULL};

static const struct conf_field BELL_FIELDS[] = {
    {.name = "tone", CONF_AS_STRING(struct bell, tone), .doc = "Sound."},
    {.name = "secret", CONF_AS_STRING(struct bell, secret), .flags = CONF_HIDDEN, .doc = "Code."},
    {.name = NULL},
};

static const struct conf_field WHEEL_FIELDS[] = {
    {.name = NULL},
};

static const struct conf_field MORE_FIELDS[] = {
    {.name = "riders", CONF_AS_STRINGS(struct bike, riders, rider_count), .doc = "Riders."},
    {.name = "bell", CONF_AS_MAP(struct bike, bell), .fields = BELL_FIELDS, .doc = "Bell."},
    {.name = NULL},
};

static void ignore(struct conf *conf, const struct conf_field *field, const struct yaml_node *node,
                   void *base)
{
    (void)conf;
    (void)field;
    (void)node;
    (void)base;
}

static const struct conf_field BIKE_FIELDS[] = {
    {.name = "title", CONF_AS_STRING(struct bike, title), .doc = "Title."},
    {.name = "bright", CONF_AS_BOOL(struct bike, bright), .fallback = "true", .doc = "Bright."},
    {.name = "gears", CONF_AS_U32(struct bike, gears), .fallback = "3", .doc = "Gears."},
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
    {.name = "own", .type = CONF_CUSTOM, .read = ignore, .what = "anything", .doc = "Not shown."},
    {.name = "", .type = CONF_GROUP, .fields = MORE_FIELDS},
    {.name = "wheels",
     CONF_AS_OBJECTS(struct bike, wheels, wheel_count, struct wheel),
     .fields = WHEEL_FIELDS,
     .what = "wheel",
     .doc = "Wheels."},
    {.name = NULL},
};

static struct arena tree, arena;

static int finish(void **state)
{
    (void)state;
    arena_finish(&tree);
    arena_finish(&arena);
    return 0;
}

struct shown {
    struct buf text; /* "PATH=VALUE@LINE", a line each; a secret's value as "?" */
    size_t next;     /* the index that comes next */
};

static void note(void *ctx, const struct conf_shown *shown)
{
    struct shown *s = ctx;
    assert_int_equal(shown->index, s->next++);
    assert_non_null(shown->field->doc);
    buf_printf(&s->text, "%" STR_FMT "=%" STR_FMT "%s@%u\n", STR_ARG(shown->path),
               STR_ARG(shown->value), shown->hidden ? "?" : "", shown->line);
}

/* What is shown of a file, with its lines or, where the tree is gone, without. */
static void check_shown(const char *file, bool with_tree, const char *want)
{
    struct yaml_node *root = NULL;
    struct config_errors errors;
    struct conf conf;
    struct bike bike = {.gears = 0};
    struct shown shown = {.next = 0};
    finish(NULL);
    arena_init(&tree, 4096, 1 << 20);
    arena_init(&arena, 4096, 1 << 20);
    config_errors_init(&errors, "f");
    assert_int_equal(yaml_parse(&tree, str_from(file), &root, &errors), 0);
    conf_init(&conf, &arena, &errors, ".");
    conf_read(&conf, BIKE_FIELDS, root, &bike);
    assert_int_equal(errors.count, 0);
    buf_init(&shown.text, 4096);
    conf_show(BIKE_FIELDS, with_tree ? root : NULL, &bike, note, &shown);
    assert_string_equal(buf_cstr(&shown.text), want);
    buf_free(&shown.text);
}

static void what_is_not_in_the_file_is_shown_by_its_default(void **state)
{
    (void)state;
    check_shown("title: ''\n", true,
                "title=@1\nbright=true@0\ngears=3@0\ndistance=0@0\nload=2MiB@0\npause=1m@0\n"
                "color=green@0\nfrom=10.0.0.0/8, ::1/128@0\nriders=@0\nbell.tone=@0\n"
                "bell.secret=?@0\nwheels=0@0\n");
}

static const char FILE_TEXT[] = "wheels: {front: {}, back: {}}\n"
                                "bell:\n"
                                "  secret: nobody may read this\n"
                                "  tone: ding\n"
                                "riders: [a, b]\n"
                                "own: 5\n"
                                "from: 192.0.2.1\n"
                                "color: red\n"
                                "pause: 1500ms\n"
                                "load: 4096\n"
                                "distance: 7\n"
                                "gears: 21\n"
                                "bright: false\n"
                                "title: x=y\n";

static void every_type_is_shown_with_its_line_but_secrets_without_their_value(void **state)
{
    (void)state;
    check_shown(
        FILE_TEXT, true,
        "title=x=y@14\nbright=false@13\ngears=21@12\ndistance=7@11\nload=4KiB@10\n"
        "pause=1500ms@9\ncolor=red@8\nfrom=192.0.2.1/32@7\nriders=a, b@5\nbell.tone=ding@4\n"
        "bell.secret=?@3\nwheels=2@1\n");
}

static void without_the_tree_the_same_settings_come_without_lines(void **state)
{
    (void)state;
    check_shown(
        FILE_TEXT, false,
        "title=x=y@0\nbright=false@0\ngears=21@0\ndistance=7@0\nload=4KiB@0\n"
        "pause=1500ms@0\ncolor=red@0\nfrom=192.0.2.1/32@0\nriders=a, b@0\nbell.tone=ding@0\n"
        "bell.secret=?@0\nwheels=2@0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_in_the_file_is_shown_by_its_default),
        cmocka_unit_test(every_type_is_shown_with_its_line_but_secrets_without_their_value),
        cmocka_unit_test(without_the_tree_the_same_settings_come_without_lines),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
