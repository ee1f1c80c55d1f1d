/* SPDX-License-Identifier: Apache-2.0 */
/* What rows have read, shown again: for people who ask what is in force. */
#include "base/conf.h"

#include "base/clock.h"

#include <stdio.h>

#define PATH_MAX_CHARS 120
#define VALUE_MAX_BYTES (64U << 10)

struct showing {
    conf_show_visit *visit;
    void *ctx;
    size_t index;
    struct buf value;
};

static const void *at(const void *base, size_t offset)
{
    return (const char *)base + offset;
}

static void add_cidrs(struct buf *out, const struct cidr_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        char text[CIDR_TEXT_MAX];
        size_t n = cidr_format(set->items[i], text);
        if (i > 0)
            buf_add_lit(out, ", ");
        buf_add(out, text, n);
    }
}

static void add_texts(struct buf *out, const struct str *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_lit(out, ", ");
        buf_add_str(out, items[i]);
    }
}

static void add_size(struct buf *out, uint64_t bytes)
{
    char text[24];
    size_t n = size_format(bytes, text);
    buf_add(out, text, n);
}

static void add_duration(struct buf *out, int64_t us)
{
    char text[CLOCK_TEXT_MAX];
    size_t n = duration_format(us, text);
    buf_add(out, text, n);
}

/* Only how many there are: objects have places of their own where they are shown. */
static void add_count(struct buf *out, const struct conf_field *field, const void *base)
{
    buf_add_u64(out, *(const size_t *)at(base, field->count_offset));
}

/* Of one that may have many lines only how long it is. */
static void add_text(struct buf *out, const struct conf_field *field, struct str text)
{
    if ((field->flags & CONF_LINES) == 0)
        buf_add_str(out, text);
    else if (text.n > 0)
        buf_printf(out, "%zu bytes", text.n);
}

static void add_value(struct buf *out, const struct conf_field *field, const void *base)
{
    const void *value = at(base, field->offset);
    switch (field->type) {
    case CONF_STRING:
        add_text(out, field, *(const struct str *)value);
        break;
    case CONF_BOOL:
        buf_add_cstr(out, *(const bool *)value ? "true" : "false");
        break;
    case CONF_U32:
        buf_add_u64(out, *(const uint32_t *)value);
        break;
    case CONF_U64:
        buf_add_u64(out, *(const uint64_t *)value);
        break;
    case CONF_SIZE:
        add_size(out, *(const uint64_t *)value);
        break;
    case CONF_DURATION:
        add_duration(out, *(const int64_t *)value);
        break;
    case CONF_ENUM:
        buf_add_cstr(out, field->names[*(const unsigned *)value]);
        break;
    case CONF_CIDRS:
        add_cidrs(out, value);
        break;
    case CONF_STRINGS:
        add_texts(out, *(const struct str *const *)value,
                  *(const size_t *)at(base, field->count_offset));
        break;
    case CONF_LIST:
    case CONF_OBJECTS:
        add_count(out, field, base);
        break;
    case CONF_MAP:
    case CONF_GROUP:
    case CONF_CUSTOM:
        break;
    }
}

static void show_leaf(struct showing *s, const struct conf_field *field, const char *path,
                      const struct yaml_node *node, const void *base)
{
    struct conf_shown shown = {.path = str_from(path),
                               .field = field,
                               .value = STR(""),
                               .line = node != NULL ? node->key_line : 0,
                               .index = s->index++,
                               .hidden = (field->flags & CONF_HIDDEN) != 0};
    buf_clear(&s->value);
    if (!shown.hidden)
        add_value(&s->value, field, base);
    if (s->value.n > 0 && buf_finish(&s->value) == 0)
        shown.value = buf_str(&s->value);
    s->visit(s->ctx, &shown);
}

static void show_rows(struct showing *s, const struct conf_field *fields, const char *outer,
                      const struct yaml_node *map, const void *base)
{
    for (const struct conf_field *f = fields; f->name != NULL; f++) {
        char path[PATH_MAX_CHARS];
        snprintf(path, sizeof(path), "%s%s%s", outer, outer[0] != '\0' ? "." : "", f->name);
        if (f->type == CONF_GROUP && f->enter == NULL)
            show_rows(s, f->fields, outer, map, at(base, f->offset));
        else if (f->type == CONF_MAP)
            show_rows(s, f->fields, path, yaml_find(map, str_from(f->name)), at(base, f->offset));
        else if (f->type != CONF_GROUP && f->type != CONF_CUSTOM)
            show_leaf(s, f, path, yaml_find(map, str_from(f->name)), base);
    }
}

void conf_show(const struct conf_field *fields, const struct yaml_node *root, const void *base,
               conf_show_visit *visit, void *ctx)
{
    struct showing s = {.visit = visit, .ctx = ctx};
    buf_init(&s.value, VALUE_MAX_BYTES);
    show_rows(&s, fields, "", root, base);
    buf_free(&s.value);
}
