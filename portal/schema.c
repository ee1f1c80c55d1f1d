/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/schema.h"

const struct schema_row SCHEMAS[] = {
    [SCHEMA_NONE] = {.title = STR_INIT(""), .doc = STR_INIT("")},
#define SCHEMA(name, title_, doc_)                                                                 \
    [SCHEMA_##name] = {.title = STR_INIT(title_), .doc = STR_INIT(doc_)},
#define FIELD(schema, name, type, of, min, max, need, doc)
#include "portal/schemas.def"
#undef FIELD
#undef SCHEMA
};

const struct schema_field SCHEMA_FIELDS[] = {
#define SCHEMA(name, title, doc)
#define FIELD(schema_, name_, type_, of_, min_, max_, need_, doc_)                                 \
    {.schema = SCHEMA_##schema_,                                                                   \
     .name = STR_INIT(name_),                                                                      \
     .type = TYPE_##type_,                                                                         \
     .of = SCHEMA_##of_,                                                                           \
     .min = (min_),                                                                                \
     .max = (max_),                                                                                \
     .need = NEED_##need_,                                                                         \
     .doc = STR_INIT(doc_)},
#include "portal/schemas.def"
#undef FIELD
#undef SCHEMA
};

const size_t SCHEMA_FIELD_COUNT = ARRAY_LEN(SCHEMA_FIELDS);

size_t schema_fields(enum schema schema, size_t *ret_count)
{
    size_t first = 0, count = 0;
    while (first < SCHEMA_FIELD_COUNT && SCHEMA_FIELDS[first].schema != schema)
        first++;
    while (first + count < SCHEMA_FIELD_COUNT && SCHEMA_FIELDS[first + count].schema == schema)
        count++;
    *ret_count = count;
    return first;
}
