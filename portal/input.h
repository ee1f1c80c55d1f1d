/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input.h -- inside of portal/: the body of a request, read by its schema.
 *
 * A body is JSON, or a form of a browser; both hold the fields of one schema. What is unknown,
 * missing, of another type, too long, or no clean text is a fault of that field, told all at once.
 *
 * Text is UTF-8 without control characters and without the characters that turn the direction of
 * what stands around them (U+202A to U+202E, U+2066 to U+2069): names in any script are welcome,
 * names that make a page lie are not.
 *
 * Threads: an input belongs to its request.
 * Memory:  values lie in the request's arena.
 * Errors:  E_TOO_LARGE, E_INVALID for what is no JSON or form, and codes of http_body_read().
 */
#ifndef PORTAL_INPUT_H
#define PORTAL_INPUT_H

#include "base/http/server.h"
#include "portal/schema.h"

#define INPUT_BYTES_MAX (24U * 1024)
#define INPUT_FIELDS_MAX 16 /* of one schema */
#define INPUT_LINES_MAX 64  /* of one field */

struct input_value {
    bool there;
    struct str text;         /* of texts */
    int64_t number;          /* of NUMBER and FLAG */
    const struct str *lines; /* of LINES */
    size_t line_count;
};

struct input_fault {
    struct str field;   /* of the client's, where it is unknown */
    const char *code;   /* for programs: required, too_long, ... */
    const char *detail; /* for people */
};

struct input {
    enum schema schema;
    struct input_value values[INPUT_FIELDS_MAX]; /* in the order of the schema's fields */
    struct input_fault faults[INPUT_FIELDS_MAX];
    unsigned fault_count;
    struct str csrf; /* of a form: its field `csrf` */
    bool form;       /* it came as a form */
};

/* How a body is given to be read. */
enum input_kind { INPUT_ABSENT, INPUT_JSON, INPUT_FORM, INPUT_UNKNOWN };

/* By Content-Type and length. */
enum input_kind input_kind(const struct head *head);

/*
 * Reads and checks the body. 0 also where fields are faulty: see fault_count. A request without a
 * body is one without fields.
 */
must_check int input_read(struct http_conn *conn, enum schema schema, struct input *ret_input,
                          const char **ret_why);

/* The same of a text at hand (tests, fuzzing). */
must_check int input_parse(struct arena *arena, struct str body, enum input_kind kind,
                           struct input *input, const char **ret_why);

/* Says that a field cannot be what it is, for a reason only the handler knows. `detail` lives as
 * long as the request. */
void input_fault(struct input *input, struct str field, const char *code, const char *detail);

/* Overwrites what was secret. */
void input_clear(struct input *input);

/* The value of a field of the schema; asking for one it does not have is a bug. */
const struct input_value *input_get(const struct input *input, const char *field);

/* Text of a field, empty where it is not there. */
struct str input_text(const struct input *input, const char *field);

bool input_has(const struct input *input, const char *field);

int64_t input_number(const struct input *input, const char *field, int64_t otherwise);

#endif
