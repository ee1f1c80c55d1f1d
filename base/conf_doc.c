/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference of a table of rows: one section with one Markdown table for each map. Rows that
 * stand in several places (`access`, `match`) are described once and linked to from the others.
 */
#include "base/conf.h"

#include "base/conf_internal.h"

#include <ctype.h>
#include <stdio.h>

#define PATH_MAX_CHARS 120
#define SECTIONS_MAX 64

struct document {
    struct buf *out;
    size_t count;
    struct section {
        const struct conf_field *fields;
        char path[PATH_MAX_CHARS];
    } sections[SECTIONS_MAX];
};

/* Where rows are described: their section, made now when they are met for the first time. */
static const struct section *section_of(struct document *doc, const struct conf_field *fields,
                                        const char *path)
{
    for (size_t i = 0; i < doc->count; i++) {
        if (doc->sections[i].fields == fields)
            return &doc->sections[i];
    }
    CHECK(doc->count < SECTIONS_MAX);
    struct section *section = &doc->sections[doc->count++];
    section->fields = fields;
    snprintf(section->path, sizeof(section->path), "%s", path);
    return section;
}

/* "apis" in the root is "apis.NAME" as a section: its rows are those of each object. */
static void path_of(const char *outer, const struct conf_field *field, char out[PATH_MAX_CHARS])
{
    bool named = field->type == CONF_OBJECTS || field->type == CONF_CUSTOM;
    snprintf(out, PATH_MAX_CHARS, "%s%s%s%s", outer, outer[0] != '\0' ? "." : "", field->name,
             named ? ".NAME" : "");
}

/* A link to the heading of a section, by the anchor that Markdown renderers make of it. */
static void add_link(struct document *doc, const struct section *section)
{
    buf_printf(doc->out, "[`%s`](#", section->path);
    for (const char *p = section->path; *p != '\0'; p++) {
        if (isalnum((unsigned char)*p) || *p == '_' || *p == '-')
            buf_add_char(doc->out, str_lower_char(*p));
    }
    buf_add_char(doc->out, ')');
}

static void add_limits(struct document *doc, const struct conf_field *field)
{
    bool text = field->type == CONF_STRING || field->type == CONF_STRINGS;
    if (field->max == 0 && field->min <= 1)
        return;
    buf_add_lit(doc->out, ", ");
    conf_print_limit(field, field->min, doc->out);
    if (field->max > 0) {
        buf_add_lit(doc->out, " to ");
        conf_print_limit(field, field->max, doc->out);
    } else {
        buf_add_lit(doc->out, " or more");
    }
    if (text)
        buf_add_lit(doc->out, " characters");
}

static void add_type(struct document *doc, const struct conf_field *field, const char *path)
{
    static const char *const TEXTS[] = {
        [CONF_STRING] = "text",
        [CONF_BOOL] = "true or false",
        [CONF_U32] = "whole number",
        [CONF_U64] = "whole number",
        [CONF_SIZE] = "size",
        [CONF_DURATION] = "duration",
        [CONF_ENUM] = "",
        [CONF_CIDRS] = "network, or a list",
        [CONF_STRINGS] = "text, or a list",
        [CONF_MAP] = "map: ",
        [CONF_LIST] = "map, or a list: ",
        [CONF_OBJECTS] = "map of names: ",
        [CONF_GROUP] = "",
        [CONF_CUSTOM] = "",
    };
    char inner[PATH_MAX_CHARS];
    if (field->type == CONF_CUSTOM)
        buf_add_cstr(doc->out, field->fields != NULL ? "map of names: " : field->what);
    else if (field->type == CONF_ENUM)
        conf_describe(field, doc->out);
    else
        buf_add_cstr(doc->out, TEXTS[field->type]);
    if (field->fields != NULL) {
        path_of(path, field, inner);
        if (field->shorthand != NULL)
            buf_printf(doc->out, "its `%s` alone, or ", field->shorthand);
        add_link(doc, section_of(doc, field->fields, inner));
    } else {
        add_limits(doc, field);
    }
}

static void add_rows(struct document *doc, const struct conf_field *fields, const char *path)
{
    for (const struct conf_field *f = fields; f->name != NULL; f++) {
        if (f->type == CONF_GROUP) {
            add_rows(doc, f->fields, path);
            continue;
        }
        buf_printf(doc->out, "| `%s` | ", f->name);
        add_type(doc, f, path);
        buf_add_lit(doc->out, " | ");
        if ((f->flags & CONF_REQUIRED) != 0)
            buf_add_lit(doc->out, "required");
        else if (f->fallback != NULL)
            buf_printf(doc->out, "`%s`", f->fallback);
        else if (f->unset != NULL)
            buf_add_cstr(doc->out, f->unset);
        buf_printf(doc->out, " | %s |\n", f->doc);
    }
}

void conf_document(const struct conf_field *fields, struct buf *out)
{
    struct document doc = {.out = out, .count = 0};
    section_of(&doc, fields, "");
    /* the rows of a section add those that lie inside, so this ends when all are described */
    for (size_t i = 0; i < doc.count; i++) {
        const struct section *section = &doc.sections[i];
        if (i > 0)
            buf_printf(out, "\n## `%s`\n\n", section->path);
        buf_add_lit(out, "| Key | Value | Default | What it does |\n| --- | --- | --- | --- |\n");
        add_rows(&doc, section->fields, section->path);
    }
}
