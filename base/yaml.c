/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include "base/error.h"
#include "base/limits.h"

#include <stdlib.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct config_errors *errors;
    struct str text;
    size_t nodes;
    unsigned depth;
};

/* Its marks count from 0. */
static unsigned from_one(size_t n)
{
    return n < UINT32_MAX ? (unsigned)n + 1 : UINT32_MAX;
}

static int fail_at(struct reader *r, yaml_mark_t mark, const char *message)
{
    return config_errors_add(r->errors, from_one(mark.line), from_one(mark.column), "%s", message);
}

/*
 * What libyaml says, in words that tell what to do. `context` and `problem` are beginnings of its
 * texts (NULL for any); a row with `opened` is reported where the construct began.
 */
static const struct syntax_row {
    const char *context, *problem;
    bool opened;
    const char *message;
} SYNTAX[] = {
    {"while scanning an alias", NULL, true,
     "`*` begins an alias in YAML; put quotes around a value that begins with it: \"*.example\""},
    {"while scanning an anchor", NULL, true,
     "`&` begins an anchor in YAML; put quotes around a value that begins with it"},
    {"while scanning a quoted scalar", "found unexpected", true,
     "the quote that opens here is not closed"},
    {"while parsing a quoted scalar", NULL, false,
     "unknown escape in double quotes; write \\\\ for a backslash, or use single quotes"},
    {"while scanning a tag", NULL, true,
     "`!` begins a tag in YAML; put quotes around a value that begins with it"},
    {NULL, "mapping values are not allowed", false,
     "`:` is not expected here; check the indentation, and put quotes around a value that "
     "contains `: `"},
    {NULL, "block sequence entries are not allowed", false,
     "`-` is not expected here; begin the list on a line of its own"},
    {NULL, "could not find expected ':'", true,
     "expected `:` after this key; check it, and the indentation of what follows"},
    {NULL, "did not find expected key", false,
     "expected a key here, indented like the ones before it"},
    {NULL, "did not find expected '-' indicator", false,
     "expected `- ` here, indented like the ones before it"},
    {NULL, "did not find expected ',' or '}'", true,
     "the { that opens here is not closed; expected `,` or `}`, and quotes around a value that "
     "contains { or }"},
    {NULL, "did not find expected ',' or ']'", true,
     "the [ that opens here is not closed; expected `,` or `]`, and quotes around a value that "
     "contains one of [ ] { }"},
    {NULL, "did not find expected node content", false,
     "a value is expected here; put quotes around one that contains [, ], { or }, such as an IPv6 "
     "address"},
    {NULL, "found a tab character", false, "a tab cannot indent; use spaces"},
    {NULL, "did not find expected <document start>", false,
     "nothing can follow here; check the indentation, and put quotes around a value that begins "
     "with [, { or a quote"},
};

static bool begins(const char *text, const char *with)
{
    return with == NULL || (text != NULL && strncmp(text, with, strlen(with)) == 0);
}

/* The byte at a mark, whose index counts characters; 0 past the end. */
static char byte_at(struct str text, size_t index)
{
    for (size_t i = 0; i < text.n; i++) {
        if (((unsigned char)text.p[i] & 0xc0) == 0x80)
            continue;
        if (index == 0)
            return text.p[i];
        index--;
    }
    return '\0';
}

static int fail_token(struct reader *r)
{
    yaml_mark_t mark = r->parser.problem_mark;
    char c = byte_at(r->text, mark.index);
    if (c == '\t')
        return fail_at(r, mark, "a tab cannot indent or separate here; use spaces");
    return config_errors_add(r->errors, from_one(mark.line), from_one(mark.column),
                             "a value cannot begin with `%c`; put it in quotes", c);
}

static int fail_reader(struct reader *r)
{
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < r->parser.problem_offset && i < r->text.n; i++) {
        if (r->text.p[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)r->text.p[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return config_errors_add(r->errors, line, column,
                             "character U+%04X is not allowed; write it as \"\\u%04X\" if needed",
                             (unsigned)r->parser.problem_value, (unsigned)r->parser.problem_value);
}

static int fail_parser(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return config_errors_add(r->errors, 0, 0, "%s", error_text(E_NOMEM));
    if (p->error == YAML_READER_ERROR)
        return fail_reader(r);
    if (begins(p->problem, "found character that cannot start any token"))
        return fail_token(r);
    for (size_t i = 0; i < ARRAY_LEN(SYNTAX); i++) {
        const struct syntax_row *row = &SYNTAX[i];
        if (begins(p->context, row->context) && begins(p->problem, row->problem))
            return fail_at(r, row->opened ? p->context_mark : p->problem_mark, row->message);
    }
    return fail_at(r, p->problem_mark, p->problem != NULL ? p->problem : "malformed YAML");
}

static int next_event(struct reader *r, yaml_event_t *event)
{
    return yaml_parser_parse(&r->parser, event) ? 0 : fail_parser(r);
}

/* Overwrites the text first: it may be a secret. */
static void delete_event(yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        explicit_bzero(event->data.scalar.value, event->data.scalar.length);
    yaml_event_delete(event);
}

/* The same for the windows of the file that it keeps. */
static void delete_parser(yaml_parser_t *p)
{
    explicit_bzero(p->raw_buffer.start, (size_t)(p->raw_buffer.end - p->raw_buffer.start));
    explicit_bzero(p->buffer.start, (size_t)(p->buffer.end - p->buffer.start));
    yaml_parser_delete(p);
}

static int no_room(struct reader *r)
{
    return config_errors_add(r->errors, 0, 0, "the file holds too much; at most %d values are read",
                             LIMIT_YAML_NODES);
}

static struct yaml_node *new_node(struct reader *r, const yaml_event_t *event, enum yaml_kind kind)
{
    if (++r->nodes > LIMIT_YAML_NODES)
        return NULL;
    struct yaml_node *node = arena_zalloc(r->arena, sizeof(*node));
    if (node == NULL)
        return NULL;
    node->kind = kind;
    node->line = from_one(event->start_mark.line);
    node->column = from_one(event->start_mark.column);
    return node;
}

static int compare_keys(const void *a, const void *b)
{
    const struct yaml_node *x = *(struct yaml_node *const *)a, *y = *(struct yaml_node *const *)b;
    int r = str_cmp(x->key, y->key);
    if (r != 0)
        return r;
    if (x->key_line != y->key_line)
        return x->key_line < y->key_line ? -1 : 1;
    return x->key_column < y->key_column ? -1 : x->key_column > y->key_column;
}

static int refuse_duplicates(struct reader *r, const struct yaml_node *map)
{
    struct yaml_node **sorted = arena_array(r->arena, map->count, sizeof(*sorted));
    size_t n = 0;
    if (sorted == NULL)
        return no_room(r);
    for (struct yaml_node *child = map->first; child != NULL; child = child->next)
        sorted[n++] = child;
    if (n > 1)
        qsort(sorted, n, sizeof(struct yaml_node *), compare_keys);
    for (size_t i = 1, first = 0; i < n; i++) {
        if (!str_eq(sorted[first]->key, sorted[i]->key)) {
            first = i;
            continue;
        }
        config_errors_add(r->errors, sorted[i]->key_line, sorted[i]->key_column,
                          "key `%" STR_FMT "` is there twice; it was first given at line %u, "
                          "column %u",
                          STR_ARG(sorted[i]->key), sorted[first]->key_line,
                          sorted[first]->key_column);
    }
    return 0;
}

static int read_value(struct reader *r, const yaml_event_t *event, struct yaml_node **ret_node);

/* Reads a key; `key` gets its text and position. */
static int read_key(struct reader *r, const yaml_event_t *event, struct yaml_node *key)
{
    if (event->type != YAML_SCALAR_EVENT)
        return fail_at(r, event->start_mark, "a key must be a plain word");
    if (event->data.scalar.length == 0)
        return fail_at(r, event->start_mark, "a key is missing before `:`");
    const char *text = (const char *)event->data.scalar.value;
    key->key = arena_dup(r->arena, str_make(text, event->data.scalar.length));
    key->key_line = from_one(event->start_mark.line);
    key->key_column = from_one(event->start_mark.column);
    return key->key.p != NULL ? 0 : no_room(r);
}

/* The next value of a map or list; *ret_node is NULL at its end. */
static int read_child(struct reader *r, const struct yaml_node *parent, struct yaml_node **ret_node)
{
    struct yaml_node key = {.key = STR_EMPTY};
    yaml_event_t event;
    int result = next_event(r, &event);
    *ret_node = NULL;
    if (result != 0)
        return result;
    bool end = event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
    if (parent->kind == YAML_MAP && !end) {
        result = read_key(r, &event, &key);
        delete_event(&event);
        if (result == 0)
            result = next_event(r, &event);
        if (result != 0)
            return result;
    }
    if (!end)
        result = read_value(r, &event, ret_node);
    delete_event(&event);
    if (result == 0 && *ret_node != NULL) {
        (*ret_node)->key = key.key;
        (*ret_node)->key_line = key.key_line;
        (*ret_node)->key_column = key.key_column;
    }
    return result;
}

static int read_children(struct reader *r, struct yaml_node *parent)
{
    struct yaml_node **link = &parent->first, *child;
    if (++r->depth > LIMIT_YAML_DEPTH)
        return config_errors_add(r->errors, parent->line, parent->column,
                                 "maps and lists are nested deeper than %d levels",
                                 LIMIT_YAML_DEPTH);
    for (;;) {
        int result = read_child(r, parent, &child);
        if (result != 0)
            return result;
        if (child == NULL)
            break;
        *link = child;
        link = &child->next;
        parent->count++;
    }
    r->depth--;
    return parent->kind == YAML_MAP ? refuse_duplicates(r, parent) : 0;
}

static int read_scalar(struct reader *r, const yaml_event_t *event, struct yaml_node **ret_node)
{
    struct yaml_node *node = new_node(r, event, YAML_SCALAR);
    if (node == NULL)
        return no_room(r);
    size_t n = event->data.scalar.length;
    const char *text = (const char *)event->data.scalar.value;
    if (memchr(text, '\0', n) != NULL)
        return fail_at(r, event->start_mark, "a text cannot contain the character NUL");
    node->text = arena_dup(r->arena, str_make(text, n));
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (node->text.p == NULL)
        return no_room(r);
    *ret_node = node;
    return 0;
}

/* Whether the value bears an anchor or a tag. */
static bool is_decorated(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
    if (event->type == YAML_MAPPING_START_EVENT)
        return event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL;
    return event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
}

static int read_value(struct reader *r, const yaml_event_t *event, struct yaml_node **ret_node)
{
    /* no name is quoted: it may be a secret that begins with such a character */
    if (event->type == YAML_ALIAS_EVENT)
        return fail_at(r, event->start_mark,
                       "`*` begins an alias, which is not supported; write the value out, or put "
                       "quotes around it");
    if (is_decorated(event))
        return fail_at(r, event->start_mark,
                       "`&` or `!` begins an anchor or tag, which are not supported; put quotes "
                       "around a value that begins so");
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(r, event, ret_node);
    struct yaml_node *node =
        new_node(r, event, event->type == YAML_MAPPING_START_EVENT ? YAML_MAP : YAML_LIST);
    if (node == NULL)
        return no_room(r);
    int result = read_children(r, node);
    if (result == 0)
        *ret_node = node;
    return result;
}

/* From the start of the stream to its end; the root stays NULL where the file holds no value. */
static int read_stream(struct reader *r, struct yaml_node **ret_root)
{
    unsigned documents = 0;
    for (bool end = false; !end;) {
        yaml_event_t event;
        int result = next_event(r, &event);
        if (result != 0)
            return result;
        end = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT && documents++ > 0)
            result =
                fail_at(r, event.start_mark, "a second document begins here; a file holds one");
        else if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_END_EVENT &&
                 event.type != YAML_DOCUMENT_START_EVENT && !end)
            result = read_value(r, &event, ret_root);
        delete_event(&event);
        if (result != 0)
            return result;
    }
    return 0;
}

/* Where the first byte that is not UTF-8, or a NUL, stands in one line; line.n when all is well. */
static size_t find_bad_byte(struct str line)
{
    size_t i = 0;
    while (i < line.n) {
        unsigned char c = (unsigned char)line.p[i];
        size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (c == 0 || i + n > line.n || !str_is_utf8(str_slice(line, i, i + n)))
            return i;
        i += n;
    }
    return i;
}

static int check_bytes(struct str text, struct config_errors *errors)
{
    if (text.n > LIMIT_CONFIG_BYTES)
        return config_errors_add(errors, 0, 0, "the file is larger than %u MiB",
                                 LIMIT_CONFIG_BYTES >> 20);
    for (unsigned number = 1; text.p != NULL; number++) {
        struct str line = str_cut(&text, '\n');
        size_t bad = find_bad_byte(line);
        unsigned column = 1;
        if (bad == line.n)
            continue;
        for (size_t i = 0; i < bad; i++)
            column += ((unsigned char)line.p[i] & 0xc0) != 0x80;
        return config_errors_add(errors, number, column,
                                 line.p[bad] == '\0'
                                     ? "the file contains a NUL; is it a text in UTF-8?"
                                     : "byte 0x%02x is not UTF-8; save the file as UTF-8",
                                 (unsigned)(unsigned char)line.p[bad]);
    }
    return 0;
}

int yaml_parse(struct arena *arena, struct str text, struct yaml_node **ret_root,
               struct config_errors *errors)
{
    struct yaml_node *root = NULL;
    unsigned before = errors->count;
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.n);
    int result = check_bytes(text, errors);
    if (result != 0)
        return result;
    struct reader r = {.arena = arena, .errors = errors, .text = text};
    if (!yaml_parser_initialize(&r.parser))
        return config_errors_add(errors, 0, 0, "%s", error_text(E_NOMEM));
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.n > 0 ? text.p : ""),
                                 text.n);
    result = read_stream(&r, &root);
    delete_parser(&r.parser);
    if (result == 0 && root == NULL) {
        root = arena_zalloc(arena, sizeof(*root));
        if (root == NULL)
            return no_room(&r);
        *root = (struct yaml_node){.kind = YAML_SCALAR, .line = 1, .column = 1, .text = STR("")};
    }
    if (errors->count > before)
        return E_CONFIG;
    *ret_root = root;
    return 0;
}

struct yaml_node *yaml_find(const struct yaml_node *map, struct str key)
{
    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (struct yaml_node *child = map->first; child != NULL; child = child->next) {
        if (str_eq(child->key, key))
            return child;
    }
    return NULL;
}

bool yaml_is_null(const struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR || node->quoted)
        return false;
    return node->text.n == 0 || str_eq(node->text, STR("~")) || str_eq(node->text, STR("null"));
}
