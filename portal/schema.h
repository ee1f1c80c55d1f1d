/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h -- inside of portal/: the shapes of what the JSON API takes and gives (schemas.def).
 *
 * The same rows check what comes in (input.h), describe what goes out, and become the OpenAPI
 * document.
 *
 * Threads: constants.
 * Memory:  constants.
 * Errors:  none.
 */
#ifndef PORTAL_SCHEMA_H
#define PORTAL_SCHEMA_H

#include "base/str.h"

enum schema {
    SCHEMA_NONE,
#define SCHEMA(name, title, doc) SCHEMA_##name,
#define FIELD(schema, name, type, of, min, max, need, doc)
#include "portal/schemas.def"
#undef FIELD
#undef SCHEMA
    SCHEMA_COUNT
};

enum schema_type {
    TYPE_LINE,   /* text without control characters; min and max are bytes */
    TYPE_TEXT,   /* the same, but it may have lines */
    TYPE_SECRET, /* any text; never told again, never logged */
    TYPE_EMAIL,  /* an address; lower case when it was read */
    TYPE_NUMBER, /* a whole number from min to max */
    TYPE_REAL,   /* what goes out only, like all below but FLAG and LINES */
    TYPE_FLAG,
    TYPE_LINES, /* an array of lines; min and max are their count */
    TYPE_TIME,  /* RFC 3339, UTC */
    TYPE_TEXTS, /* an object of texts, whose names are data */
    TYPE_OBJECT,
    TYPE_LIST, /* an array of objects */
};

enum schema_need {
    NEED_REQUIRED,
    NEED_OPTIONAL,
    NEED_NULLABLE, /* always there, and null where there is none */
};

struct schema_field {
    enum schema schema;
    struct str name;
    enum schema_type type;
    enum schema of; /* of OBJECT and LIST */
    int64_t min, max;
    enum schema_need need;
    struct str doc;
};

/* All fields, those of a schema one after another. */
extern const struct schema_field SCHEMA_FIELDS[];
extern const size_t SCHEMA_FIELD_COUNT;

struct schema_row {
    struct str title, doc;
};

/* By enum schema; the first is empty. */
extern const struct schema_row SCHEMAS[];

/* The fields of one schema: the index of the first, and how many. */
size_t schema_fields(enum schema schema, size_t *ret_count);

#endif
