/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf.h"

#include "base/conf_internal.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

#define NAME_CHARS_MAX 63
#define NAME_FORM "a-z, 0-9, `.`, `_`, `-`, at most 63, the first a letter or digit"

void conf_init(struct conf *conf, struct arena *arena, struct config_errors *errors,
               const char *folder)
{
    *conf = (struct conf){.arena = arena, .errors = errors, .folder = folder};
}

void conf_no_room(struct conf *conf)
{
    if (!conf->full)
        config_errors_add(conf->errors, 0, 0, "the configuration is too large");
    conf->full = true;
}

void *conf_alloc(struct conf *conf, size_t count, size_t size)
{
    void *p = arena_array(conf->arena, count, size);
    if (p == NULL)
        conf_no_room(conf);
    return p;
}

void conf_scope_text(const struct conf_scope *scope, char *out, size_t size)
{
    struct buf b;
    buf_init_fixed(&b, out, size - 1);
    for (const struct conf_scope *s = scope; s != NULL; s = s->up) {
        if (s != scope)
            buf_add_lit(&b, " of ");
        if (s->what != NULL)
            buf_printf(&b, "%s ", s->what);
        if (s->name.n > 0)
            buf_printf(&b, "`%" STR_FMT "`", STR_ARG(s->name));
        else
            buf_printf(&b, "%zu", s->index);
    }
    out[b.n] = '\0';
}

void conf_fault(struct conf *conf, const struct yaml_node *node, const char *fmt, ...)
{
    char where[256], message[CONFIG_ERROR_TEXT_MAX];
    va_list ap;
    conf_scope_text(conf->scope, where, sizeof(where));
    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    if (conf->field == NULL)
        config_errors_add(conf->errors, node->line, node->column, "%s%s%s", where,
                          where[0] != '\0' ? ": " : "", message);
    else
        config_errors_add(conf->errors, node->line, node->column, "`%s`%s%s: %s", conf->field,
                          where[0] != '\0' ? " in " : "", where, message);
}

void conf_fault_key(struct conf *conf, const struct yaml_node *node, const char *fmt, ...)
{
    bool has_key = node->key.p != NULL;
    va_list ap;
    va_start(ap, fmt);
    config_errors_vadd(conf->errors, has_key ? node->key_line : node->line,
                       has_key ? node->key_column : node->column, fmt, ap);
    va_end(ap);
}

bool conf_text(struct conf *conf, const struct yaml_node *node, const char *expected,
               struct str *ret_text)
{
    if (node->kind != YAML_SCALAR || yaml_is_null(node)) {
        char was[CONF_FOUND_MAX];
        conf_found(node, was);
        conf_fault(conf, node, "expected %s, found %s", expected, was);
        return false;
    }
    return conf_expand(conf, node, ret_text);
}

size_t conf_count(const struct yaml_node *node)
{
    if (node->kind == YAML_LIST)
        return node->count;
    return yaml_is_null(node) ? 0 : 1;
}

const struct yaml_node *conf_first(const struct yaml_node *node)
{
    if (node->kind == YAML_LIST)
        return node->first;
    return yaml_is_null(node) ? NULL : node;
}

const struct yaml_node *conf_next(const struct yaml_node *node, const struct yaml_node *item)
{
    return item != node ? item->next : NULL;
}

void suggestion_init(struct suggestion *s, struct str word)
{
    *s = (struct suggestion){.word = word, .distance = UINT32_MAX};
}

void suggestion_offer(struct suggestion *s, struct str candidate)
{
    size_t longer = s->word.n > candidate.n ? s->word.n : candidate.n;
    unsigned distance = str_distance(s->word, candidate);
    bool begins = s->word.n >= 3 && candidate.n >= 3 &&
                  (str_starts(candidate, s->word) || str_starts(s->word, candidate));
    if (begins && distance > 2)
        distance = 2;
    if ((size_t)distance * 3 <= longer + 1 && distance < s->distance) {
        s->best = candidate;
        s->distance = distance;
    }
}

const char *suggestion_text(struct suggestion *s)
{
    s->text[0] = '\0';
    if (s->best.p != NULL)
        snprintf(s->text, sizeof(s->text), "; did you mean `%" STR_FMT "`?", STR_ARG(s->best));
    return s->text;
}

bool conf_check_name(struct conf *conf, const struct yaml_node *node, const char *what)
{
    struct str name = node->key;
    bool good = name.n > 0 && name.n <= NAME_CHARS_MAX;
    for (size_t i = 0; good && i < name.n; i++) {
        char c = name.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        good = alnum || (i > 0 && (c == '.' || c == '_' || c == '-'));
    }
    if (!good)
        conf_fault_key(conf, node, "`%.*s` cannot be the name of %s %s; names are of " NAME_FORM,
                       name.n < 80 ? (int)name.n : 80, name.p,
                       strchr("aeiou", what[0]) != NULL ? "an" : "a", what);
    return good;
}

/* The row of that name, those of groups included; NULL where there is none. */
static const struct conf_field *find_field(const struct conf_field *fields, struct str name)
{
    for (const struct conf_field *f = fields; f->name != NULL; f++) {
        const struct conf_field *found = f;
        if (f->type == CONF_GROUP)
            found = find_field(f->fields, name);
        else if (!str_eq(str_from(f->name), name))
            found = NULL;
        if (found != NULL)
            return found;
    }
    return NULL;
}

static void offer_fields(const struct conf_field *fields, struct suggestion *near,
                         struct buf *known)
{
    for (const struct conf_field *f = fields; f->name != NULL; f++) {
        if (f->type == CONF_GROUP) {
            offer_fields(f->fields, near, known);
            continue;
        }
        suggestion_offer(near, str_from(f->name));
        buf_printf(known, "%s%s", known->n > 0 ? ", " : "", f->name);
    }
}

static void refuse_unknown(struct conf *conf, const struct conf_field *fields,
                           const struct yaml_node *node)
{
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        char where[256], known[512];
        struct suggestion near;
        struct buf list;
        if (find_field(fields, child->key) != NULL)
            continue;
        conf_scope_text(conf->scope, where, sizeof(where));
        suggestion_init(&near, child->key);
        buf_init_fixed(&list, known, sizeof(known));
        offer_fields(fields, &near, &list);
        const char *advice = suggestion_text(&near);
        conf_fault_key(
            conf, child, "unknown key `%.*s`%s%s%s%.*s", child->key.n < 80 ? (int)child->key.n : 80,
            child->key.p, where[0] != '\0' ? " in " : "", where,
            advice[0] != '\0' ? advice : "; known here: ", advice[0] != '\0' ? 0 : (int)list.n,
            known);
    }
}

/* Reads a map, or a text in its place, under its own scope. */
static void read_map(struct conf *conf, const struct conf_field *field,
                     const struct yaml_node *node, void *base, struct conf_scope *scope)
{
    const struct conf_scope *outer_scope = conf->scope;
    const char *outer_field = conf->field;
    struct yaml_node only, wrapped;
    scope->up = outer_scope;
    conf->scope = scope;
    conf->field = NULL;
    if (node->kind == YAML_SCALAR && !yaml_is_null(node) && field->shorthand != NULL) {
        wrapped = only = *node;
        only.key = str_from(field->shorthand);
        only.next = NULL;
        wrapped.kind = YAML_MAP;
        wrapped.first = &only;
        wrapped.count = 1;
        node = &wrapped;
    }
    if (node->kind == YAML_MAP || yaml_is_null(node)) {
        conf_read(conf, field->fields, node, base);
    } else {
        char was[CONF_FOUND_MAX];
        conf_found_in(field, node, was);
        conf_fault(conf, node, "expected %s, found %s",
                   field->shorthand != NULL ? "a text or a map" : "a map", was);
    }
    conf->scope = outer_scope;
    conf->field = outer_field;
}

void conf_read_object(struct conf *conf, const struct conf_field *field,
                      const struct yaml_node *node, void *base)
{
    struct conf_scope scope = {.what = field->what, .name = node->key};
    read_map(conf, field, node, base, &scope);
}

static void read_list(struct conf *conf, const struct conf_field *field,
                      const struct yaml_node *node, void *base)
{
    char *items = conf_alloc(conf, conf_count(node), field->size);
    size_t n = 0;
    if (items == NULL)
        return;
    for (const struct yaml_node *item = conf_first(node); item != NULL;
         item = conf_next(node, item)) {
        struct conf_scope scope = {.what = field->what, .index = n + 1};
        read_map(conf, field, item, items + n * field->size, &scope);
        n++;
    }
    *(void **)(void *)((char *)base + field->offset) = items;
    *(size_t *)(void *)((char *)base + field->count_offset) = n;
}

static void read_objects(struct conf *conf, const struct conf_field *field,
                         const struct yaml_node *node, void *base)
{
    size_t n = 0;
    if (node->kind != YAML_MAP) {
        char was[CONF_FOUND_MAX];
        conf_found_in(field, node, was);
        conf_fault(conf, node, "expected a map from the name of each %s to its settings, found %s",
                   field->what, was);
        return;
    }
    char *items = conf_alloc(conf, node->count, field->size);
    if (items == NULL)
        return;
    /* in place before the first is read: readers of what lies inside may look at those before */
    *(void **)(void *)((char *)base + field->offset) = items;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        char *item = items + n * field->size;
        conf_check_name(conf, child, field->what);
        struct str name = arena_dup(conf->arena, child->key);
        memcpy(item + field->name_offset, &name, sizeof(name));
        if (name.p == NULL)
            conf_no_room(conf);
        conf_read_object(conf, field, child, item);
        n++;
        *(size_t *)(void *)((char *)base + field->count_offset) = n;
    }
}

static void read_present(struct conf *conf, const struct conf_field *field,
                         const struct yaml_node *node, void *base)
{
    struct conf_scope scope = {.what = NULL, .name = str_from(field->name)};
    if (field->type == CONF_MAP)
        read_map(conf, field, node, (char *)base + field->offset, &scope);
    else if (field->type == CONF_LIST)
        read_list(conf, field, node, base);
    else if (field->type == CONF_OBJECTS)
        read_objects(conf, field, node, base);
    else if (field->type == CONF_CUSTOM)
        field->read(conf, field, node, base);
    else
        conf_read_value(conf, field, node, base);
}

#define FALLBACK_ITEMS_MAX 8

/* What the row says for an absent key, read as if the file had it. */
static void read_fallback(struct conf *conf, const struct conf_field *field, void *base)
{
    struct yaml_node list = {.kind = YAML_LIST}, items[FALLBACK_ITEMS_MAX];
    struct str rest = str_from(field->fallback);
    if (field->type != CONF_CIDRS && field->type != CONF_STRINGS) {
        items[0] = (struct yaml_node){.kind = YAML_SCALAR, .text = rest};
        read_present(conf, field, &items[0], base);
        return;
    }
    while (rest.n > 0) {
        CHECK(list.count < FALLBACK_ITEMS_MAX);
        struct yaml_node *item = &items[list.count];
        *item = (struct yaml_node){.kind = YAML_SCALAR, .text = str_cut(&rest, ' ')};
        if (list.count > 0)
            items[list.count - 1].next = item;
        list.count++;
    }
    list.first = list.count > 0 ? items : NULL;
    read_present(conf, field, &list, base);
}

static void read_absent(struct conf *conf, const struct conf_field *field,
                        const struct yaml_node *node, void *base)
{
    char where[256];
    conf_scope_text(conf->scope, where, sizeof(where));
    if ((field->flags & CONF_REQUIRED) != 0 && node != NULL)
        conf_fault_key(conf, node, "%s%s`%s` is missing", where, where[0] != '\0' ? ": " : "",
                       field->name);
    else if (field->fallback != NULL)
        read_fallback(conf, field, base);
    else if (field->type == CONF_MAP)
        conf_read(conf, field->fields, NULL, (char *)base + field->offset);
}

/* A map, list or set of objects that is there without a value counts as absent. */
static bool may_be_empty(enum conf_type type)
{
    return type == CONF_MAP || type == CONF_LIST || type == CONF_OBJECTS || type == CONF_CUSTOM ||
           type == CONF_CIDRS || type == CONF_STRINGS;
}

static void read_fields(struct conf *conf, const struct conf_field *fields,
                        const struct yaml_node *node, void *base);

static void read_group(struct conf *conf, const struct conf_field *field,
                       const struct yaml_node *node, void *base)
{
    void *outer = conf->group;
    void *at = field->enter != NULL ? field->enter(conf, node, base) : (char *)base + field->offset;
    if (at == NULL)
        return;
    conf->group = at;
    read_fields(conf, field->fields, node, at);
    conf->group = outer;
}

static void read_fields(struct conf *conf, const struct conf_field *fields,
                        const struct yaml_node *node, void *base)
{
    const struct conf_field *f = fields;
    for (; f->name != NULL; f++) {
        if (f->type == CONF_GROUP) {
            read_group(conf, f, node, base);
            continue;
        }
        const struct yaml_node *child = yaml_find(node, str_from(f->name));
        conf->field = f->name;
        if (child == NULL || (may_be_empty(f->type) && yaml_is_null(child)))
            read_absent(conf, f, node, base);
        else
            read_present(conf, f, child, base);
        conf->field = NULL;
    }
    if (f->done != NULL && node != NULL)
        f->done(conf, node, base);
}

void conf_read(struct conf *conf, const struct conf_field *fields, const struct yaml_node *node,
               void *base)
{
    if (node != NULL && node->kind == YAML_MAP)
        refuse_unknown(conf, fields, node);
    read_fields(conf, fields, node, base);
}
