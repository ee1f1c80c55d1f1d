/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/input.h"

#include "base/mail.h"

#include "base/buf.h"
#include "base/error.h"
#include "portal/form.h"

#include <jansson.h>
#include <sodium.h>

/* --- values --- */

/* What turns the direction of the text around it, or is not there to be seen. */
static bool is_hidden(uint32_t c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff ||
           (c >= 0x80 && c <= 0x9f);
}

/* Of three-byte sequences only, where all of the hidden ones are, and of C1 controls. */
static bool has_hidden(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char a = (unsigned char)s.p[i];
        uint32_t c = 0;
        if (a == 0xc2 && i + 1 < s.n)
            c = (unsigned char)s.p[i + 1];
        else if ((a & 0xf0) == 0xe0 && i + 2 < s.n)
            c = (a & 0x0fU) << 12 | ((unsigned char)s.p[i + 1] & 0x3fU) << 6 |
                ((unsigned char)s.p[i + 2] & 0x3fU);
        if (is_hidden(c))
            return true;
    }
    return false;
}

/* Spaces of all kinds, and what shows nothing where it stands alone. */
static bool is_blank(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } BLANKS[] = {{0, 0x20},        {0xa0, 0xa0},      {0xad, 0xad},     {0x34f, 0x34f},
                  {0x61c, 0x61c},   {0x115f, 0x1160},  {0x1680, 0x1680}, {0x17b4, 0x17b5},
                  {0x180b, 0x180f}, {0x2000, 0x200f},  {0x2028, 0x202f}, {0x205f, 0x206f},
                  {0x2800, 0x2800}, {0x3000, 0x3000},  {0x3164, 0x3164}, {0xfe00, 0xfe0f},
                  {0xffa0, 0xffa0}, {0xe0000, 0xe0fff}};
    for (size_t i = 0; i < ARRAY_LEN(BLANKS); i++) {
        if (c >= BLANKS[i].first && c <= BLANKS[i].last)
            return true;
    }
    return false;
}

/* Whether any of it can be seen; `s` is UTF-8. */
static bool has_visible(struct str s)
{
    size_t i = 0;
    while (i < s.n) {
        unsigned char a = (unsigned char)s.p[i++];
        unsigned more = a < 0xc0 ? 0 : a < 0xe0 ? 1 : a < 0xf0 ? 2 : 3;
        uint32_t c = more == 0 ? a : a & (0x3fU >> more);
        for (; more > 0; more--)
            c = c << 6 | ((unsigned char)s.p[i++] & 0x3fU);
        if (!is_blank(c))
            return true;
    }
    return false;
}

static bool is_clean(struct str s, bool lines)
{
    if (!str_is_utf8(s) || has_hidden(s))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool line_end = lines && (c == '\n' || c == '\r' || c == '\t');
        if ((c < ' ' && !line_end) || c == 0x7f)
            return false;
    }
    return true;
}

void input_fault(struct input *input, struct str field, const char *code, const char *detail)
{
    if (input->fault_count < INPUT_FIELDS_MAX)
        input->faults[input->fault_count++] =
            (struct input_fault){.field = field, .code = code, .detail = detail};
}

static bool length_is_good(struct input *input, const struct schema_field *f, size_t n)
{
    if ((int64_t)n < f->min)
        input_fault(input, f->name, n == 0 ? "required" : "too_short",
                    n == 0 ? "Please fill this in." : "This is too short.");
    else if ((int64_t)n > f->max)
        input_fault(input, f->name, "too_long", "This is too long.");
    else
        return true;
    return false;
}

static struct input_value *value_of(struct input *input, const struct schema_field *f)
{
    size_t count, first = schema_fields(input->schema, &count);
    return &input->values[f - &SCHEMA_FIELDS[first]];
}

static void take_email(struct input *input, const struct schema_field *f, struct arena *arena,
                       struct str text)
{
    struct str trimmed = str_trim(text);
    char *lower = arena_alloc(arena, trimmed.n + 1);
    if (lower == NULL || !length_is_good(input, f, trimmed.n))
        return;
    for (size_t i = 0; i < trimmed.n; i++)
        lower[i] = str_lower_char(trimmed.p[i]);
    struct str email = str_make(lower, trimmed.n);
    const char *why = mail_address_fault(email);
    if (why != NULL)
        input_fault(input, f->name, "email", why);
    else
        *value_of(input, f) = (struct input_value){.there = true, .text = email};
}

static void take_text(struct input *input, const struct schema_field *f, struct str text)
{
    if (f->type != TYPE_SECRET)
        text = str_trim(text);
    if (!length_is_good(input, f, text.n))
        return;
    if (f->type == TYPE_SECRET ? !str_is_utf8(text) : !is_clean(text, f->type == TYPE_TEXT))
        input_fault(input, f->name, "characters", "This has characters that cannot be used here.");
    else if (f->type == TYPE_LINE && f->min > 0 && !has_visible(text))
        input_fault(input, f->name, "required", "Please fill this in.");
    else
        *value_of(input, f) = (struct input_value){.there = true, .text = text};
}

static void take_number(struct input *input, const struct schema_field *f, int64_t number)
{
    if (number < f->min || number > f->max)
        input_fault(input, f->name, "range", "This number is out of range.");
    else
        *value_of(input, f) = (struct input_value){.there = true, .number = number};
}

static void take_lines(struct input *input, const struct schema_field *f, const struct str *lines,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_clean(lines[i], false)) {
            input_fault(input, f->name, "characters",
                        "This has characters that cannot be used here.");
            return;
        }
    }
    if (length_is_good(input, f, count))
        *value_of(input, f) =
            (struct input_value){.there = true, .lines = lines, .line_count = count};
}

static void wrong_type(struct input *input, const struct schema_field *f)
{
    static const char *const WANTED[] = {
        [TYPE_LINE] = "This must be text.",
        [TYPE_TEXT] = "This must be text.",
        [TYPE_SECRET] = "This must be text.",
        [TYPE_EMAIL] = "This must be an e-mail address.",
        [TYPE_NUMBER] = "This must be a number.",
        [TYPE_REAL] = "This must be a number.",
        [TYPE_FLAG] = "This must be true or false.",
        [TYPE_LINES] = "This must be a list of texts.",
        [TYPE_TIME] = "This must be a time.",
        [TYPE_TEXTS] = "This must be an object of texts.",
        [TYPE_OBJECT] = "This must be an object.",
        [TYPE_LIST] = "This must be a list.",
    };
    input_fault(input, f->name, "type", WANTED[f->type]);
}

/* --- JSON --- */

static struct str own(struct arena *arena, const json_t *value)
{
    return arena_dup(arena, str_make(json_string_value(value), json_string_length(value)));
}

static void take_json_lines(struct input *input, const struct schema_field *f, struct arena *arena,
                            const json_t *value)
{
    size_t count = json_array_size(value);
    if (!json_is_array(value)) {
        wrong_type(input, f);
        return;
    }
    if (!length_is_good(input, f, count))
        return;
    struct str *lines = arena_array(arena, count, sizeof(*lines));
    for (size_t i = 0; lines != NULL && i < count; i++) {
        if (!json_is_string(json_array_get(value, i))) {
            wrong_type(input, f);
            return;
        }
        lines[i] = own(arena, json_array_get(value, i));
    }
    take_lines(input, f, lines, count);
}

static void take_json(struct input *input, const struct schema_field *f, struct arena *arena,
                      const json_t *value)
{
    bool text = f->type <= TYPE_EMAIL;
    if (json_is_null(value))
        return; /* as if it was not there */
    if (text && json_is_string(value) && f->type == TYPE_EMAIL)
        take_email(input, f, arena, own(arena, value));
    else if (text && json_is_string(value))
        take_text(input, f, own(arena, value));
    else if (f->type == TYPE_NUMBER && json_is_integer(value))
        take_number(input, f, json_integer_value(value));
    else if (f->type == TYPE_FLAG && json_is_boolean(value))
        *value_of(input, f) = (struct input_value){.there = true, .number = json_is_true(value)};
    else if (f->type == TYPE_LINES)
        take_json_lines(input, f, arena, value);
    else
        wrong_type(input, f);
}

static const struct schema_field *find_field(enum schema schema, struct str name)
{
    size_t count, first = schema_fields(schema, &count);
    for (size_t i = first; i < first + count; i++) {
        if (str_eq(SCHEMA_FIELDS[i].name, name))
            return &SCHEMA_FIELDS[i];
    }
    return NULL;
}

static void unknown_field(struct input *input, struct arena *arena, struct str name)
{
    struct str shown = arena_dup(arena, str_is_utf8(name) ? str_slice(name, 0, 64) : STR("?"));
    input_fault(input, shown, "unknown", "There is no such field here.");
}

/* Texts of jansson's that may have been a password are not left in its memory. */
static void wipe(json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (json_is_string(value))
            sodium_memzero((void *)(uintptr_t)json_string_value(value), json_string_length(value));
    }
}

static int parse_json(struct arena *arena, struct str body, struct input *input,
                      const char **ret_why)
{
    const char *key;
    json_t *value;
    json_t *object = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        *ret_why = "The body must be a JSON object, each field once.";
        return E_INVALID;
    }
    json_object_foreach(object, key, value)
    {
        const struct schema_field *f = find_field(input->schema, str_from(key));
        if (f != NULL)
            take_json(input, f, arena, value);
        else
            unknown_field(input, arena, str_from(key));
    }
    wipe(object);
    json_decref(object);
    return 0;
}

/* --- forms --- */

/* Lines, commas and spaces separate the items of a list. */
static void take_form_lines(struct input *input, const struct schema_field *f, struct arena *arena,
                            struct str text)
{
    struct str *lines = arena_array(arena, INPUT_LINES_MAX + 1, sizeof(*lines));
    size_t count = 0, from = 0;
    for (size_t i = 0; lines != NULL && i <= text.n && count <= INPUT_LINES_MAX; i++) {
        if (i < text.n && text.p[i] != '\n' && text.p[i] != '\r' && text.p[i] != ',' &&
            text.p[i] != ' ')
            continue;
        if (i > from)
            lines[count++] = str_slice(text, from, i);
        from = i + 1;
    }
    take_lines(input, f, lines, count);
}

static void take_form_number(struct input *input, const struct schema_field *f, struct str text)
{
    uint64_t number;
    text = str_trim(text);
    if (text.n == 0)
        return; /* a field that was left empty */
    if (str_to_u64(text, 0, INT64_MAX, &number) != 0)
        wrong_type(input, f);
    else
        take_number(input, f, (int64_t)number);
}

static void take_form(struct input *input, const struct schema_field *f, struct arena *arena,
                      struct str text)
{
    switch (f->type) {
    case TYPE_EMAIL:
        take_email(input, f, arena, text);
        break;
    case TYPE_LINE:
    case TYPE_TEXT:
    case TYPE_SECRET:
        take_text(input, f, text);
        break;
    case TYPE_NUMBER:
        take_form_number(input, f, text);
        break;
    case TYPE_FLAG: /* a box that is ticked; one that is not is not sent */
        *value_of(input, f) = (struct input_value){
            .there = true, .number = !str_eq(text, STR("false")) && !str_eq(text, STR("0"))};
        break;
    case TYPE_LINES:
        take_form_lines(input, f, arena, text);
        break;
    case TYPE_REAL:
    case TYPE_TIME:
    case TYPE_TEXTS:
    case TYPE_OBJECT:
    case TYPE_LIST:
        CHECK(false); /* no schema of a body has these */
    }
}

static int parse_form(struct arena *arena, struct str body, struct input *input,
                      const char **ret_why)
{
    struct str name, value;
    int r;
    while ((r = form_next(arena, &body, &name, &value)) > 0) {
        const struct schema_field *f = find_field(input->schema, name);
        if (str_eq(name, STR("csrf")))
            input->csrf = value;
        else if (f == NULL)
            unknown_field(input, arena, name);
        else if (!value_of(input, f)->there)
            take_form(input, f, arena, value);
    }
    if (r < 0)
        *ret_why = "The form is broken: it has escapes that are none.";
    return r;
}

/* --- the body --- */

static bool has_fault(const struct input *input, struct str field)
{
    for (unsigned i = 0; i < input->fault_count; i++) {
        if (str_eq(input->faults[i].field, field))
            return true;
    }
    return false;
}

static void look_for_missing(struct input *input)
{
    size_t count, first = schema_fields(input->schema, &count);
    for (size_t i = 0; i < count; i++) {
        const struct schema_field *f = &SCHEMA_FIELDS[first + i];
        if (f->need == NEED_REQUIRED && !input->values[i].there && !has_fault(input, f->name))
            input_fault(input, f->name, "required", "Please fill this in.");
    }
}

int input_parse(struct arena *arena, struct str body, enum input_kind kind, struct input *input,
                const char **ret_why)
{
    int r = 0;
    input->form = kind == INPUT_FORM;
    if (kind == INPUT_JSON)
        r = parse_json(arena, body, input, ret_why);
    else if (kind == INPUT_FORM)
        r = parse_form(arena, body, input, ret_why);
    if (r == 0 && arena->overflow) {
        *ret_why = "The body is too large.";
        r = E_TOO_LARGE;
    }
    if (r == 0)
        look_for_missing(input);
    return r;
}

enum input_kind input_kind(const struct head *head)
{
    if (head->body == BODY_NONE || (head->body == BODY_LENGTH && head->content_length == 0))
        return INPUT_ABSENT;
    struct str type = head_value(head, FIELD_CONTENT_TYPE);
    type = str_trim(str_slice(type, 0, str_find_char(type, ';', 0)));
    if (str_eq_nocase(type, STR("application/json")))
        return INPUT_JSON;
    if (str_eq_nocase(type, STR("application/x-www-form-urlencoded")))
        return INPUT_FORM;
    return INPUT_UNKNOWN;
}

static int read_body(struct http_conn *conn, struct buf *body)
{
    struct str piece;
    int r;
    while ((r = http_body_read(conn, &piece)) == 0 && piece.n > 0) {
        buf_add_str(body, piece);
        if (buf_finish(body) != 0)
            return E_TOO_LARGE;
    }
    return r;
}

int input_read(struct http_conn *conn, enum schema schema, struct input *ret_input,
               const char **ret_why)
{
    struct buf body;
    struct input input = {.schema = schema};
    enum input_kind kind = input_kind(conn->head);
    *ret_why = "The body could not be read.";
    buf_init(&body, INPUT_BYTES_MAX);
    int r = read_body(conn, &body);
    if (r == E_TOO_LARGE)
        *ret_why = "The body is too large: 24 KiB are enough for everything here.";
    if (r == 0)
        r = input_parse(http_arena(conn), buf_str(&body), kind, &input, ret_why);
    buf_wipe(&body);
    if (r == 0)
        *ret_input = input;
    return r;
}

void input_clear(struct input *input)
{
    size_t count, first = schema_fields(input->schema, &count);
    for (size_t i = 0; i < count; i++) {
        struct str text = input->values[i].text;
        if (SCHEMA_FIELDS[first + i].type == TYPE_SECRET && text.n > 0)
            sodium_memzero((void *)(uintptr_t)text.p, text.n); /* it lies in the request's arena */
    }
}

/* --- for handlers --- */

const struct input_value *input_get(const struct input *input, const char *field)
{
    size_t count, first = schema_fields(input->schema, &count);
    for (size_t i = 0; i < count; i++) {
        if (str_eq(SCHEMA_FIELDS[first + i].name, str_from(field)))
            return &input->values[i];
    }
    CHECK(false);
    return NULL;
}

struct str input_text(const struct input *input, const char *field)
{
    return input_get(input, field)->text;
}

bool input_has(const struct input *input, const char *field)
{
    return input_get(input, field)->there;
}

int64_t input_number(const struct input *input, const char *field, int64_t otherwise)
{
    const struct input_value *value = input_get(input, field);
    return value->there ? value->number : otherwise;
}
