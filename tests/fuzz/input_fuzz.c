/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a request out of arbitrary bytes: the first chooses the schema and JSON or a form.
 * What is taken must be within the bounds of its field, clean where it is text, and a required
 * field is there or told to be missing.
 */
#include "base/arena.h"
#include "base/error.h"
#include "portal/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_faulty(const struct input *input, struct str field)
{
    for (unsigned i = 0; i < input->fault_count; i++) {
        if (str_eq(input->faults[i].field, field))
            return true;
    }
    return input->fault_count == INPUT_FIELDS_MAX;
}

static void check_value(const struct schema_field *f, const struct input_value *value)
{
    int64_t n = f->type == TYPE_LINES    ? (int64_t)value->line_count
                : f->type == TYPE_NUMBER ? value->number
                : f->type == TYPE_FLAG   ? f->min
                                         : (int64_t)value->text.n;
    CHECK(n >= f->min && n <= f->max);
    CHECK(str_is_utf8(value->text));
    for (size_t i = 0; i < value->text.n && f->type != TYPE_SECRET && f->type != TYPE_TEXT; i++)
        CHECK((unsigned char)value->text.p[i] >= ' ' && value->text.p[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* the schemas of bodies go first in schemas.def: those before PERSON */
    struct arena arena;
    const char *why = NULL;
    if (size < 1 || size > INPUT_BYTES_MAX)
        return 0;
    struct input input = {.schema = 1 + (enum schema)(data[0] >> 1) % (SCHEMA_NOTHING - 1)};
    enum input_kind kind = data[0] & 1 ? INPUT_FORM : INPUT_JSON;
    arena_init(&arena, 4096, HTTP_ARENA_BYTES);
    struct str body = str_make((const char *)data + 1, size - 1);
    int r = input_parse(&arena, body, kind, &input, &why);
    CHECK(r == 0 || why != NULL);
    size_t count, first = schema_fields(input.schema, &count);
    for (size_t i = 0; i < count && r == 0; i++) {
        const struct schema_field *f = &SCHEMA_FIELDS[first + i];
        if (input.values[i].there)
            check_value(f, &input.values[i]);
        else
            CHECK(f->need != NEED_REQUIRED || is_faulty(&input, f->name));
    }
    input_clear(&input);
    arena_finish(&arena);
    return 0;
}
