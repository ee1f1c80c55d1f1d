/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf.h -- reading maps of YAML into C structures by typed rows.
 *
 * A setting is one row: its name, type, place in the structure, default, limits and what it does.
 * From the rows come the reading, the checks, the messages and the reference documentation, so that
 * none of them can disagree.
 *
 *     static const struct conf_field LOG_FIELDS[] = {
 *         {.name = "level", CONF_AS_ENUM(struct log_conf, level), .names = LEVELS,
 *          .fallback = "info", .doc = "What is logged."},
 *         {.name = NULL},
 *     };
 *
 * Fields are read in the order of the rows, whatever the order of the file, so a row may refer to
 * what a row above it has read. A fault does not stop the reading.
 *
 * Texts may contain ${env:NAME} and ${file:PATH} (a path is relative to the file's folder; one
 * newline at the end of a file is dropped); $${ stands for the characters ${. Messages quote what
 * the file says, never what was inserted.
 *
 * Threads: a struct conf belongs to one thread; rows are constant.
 * Memory:  strings, arrays and sets lie in the arena of struct conf; strings have a NUL behind
 * them. Errors:  all of a file are collected in its struct config_errors.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/arena.h"
#include "base/ip.h"
#include "base/yaml.h"

enum conf_type {
    CONF_STRING,   /* struct str, one line; min and max are of its length in bytes */
    CONF_BOOL,     /* bool */
    CONF_U32,      /* uint32_t */
    CONF_U64,      /* uint64_t */
    CONF_SIZE,     /* uint64_t, bytes: 64KiB, 10MiB, 4096 */
    CONF_DURATION, /* int64_t, microseconds: 250ms, 10s, 5m, 1h, 7d */
    CONF_ENUM,     /* an enum: the index in `names` */
    CONF_CIDRS,    /* struct cidr_set: one network or a list of them */
    CONF_STRINGS,  /* struct str * and size_t: one text or a list of them */
    CONF_MAP,      /* a map with rows of its own, in the same structure */
    CONF_LIST,     /* items * and size_t: a list of maps, or one map */
    CONF_OBJECTS,  /* items * and size_t: a map of named objects, in the order of the file */
    CONF_GROUP,    /* rows that stand in this same map, but lie in another structure */
    CONF_CUSTOM    /* what `read` makes of it */
};

struct conf;
struct conf_field;

/* Reads `node` for the field into the structure at `base`. */
typedef void conf_read_fn(struct conf *conf, const struct conf_field *field,
                          const struct yaml_node *node, void *base);

#define CONF_REQUIRED 1U /* the map is faulty without it */
#define CONF_HIDDEN 2U   /* a secret: no message shows its value */
#define CONF_LINES 4U    /* may have many lines: of its value only the size is shown */

#define CONF_STRING_MAX 1024 /* bytes of a string whose row has no `max` */

struct conf_field {
    const char *name; /* NULL ends the rows */
    enum conf_type type;
    unsigned flags;           /* CONF_REQUIRED, CONF_HIDDEN, CONF_LINES */
    size_t offset;            /* of the value in its structure */
    size_t count_offset;      /* of the size_t of an array */
    size_t name_offset;       /* CONF_OBJECTS: of the struct str in an item */
    size_t size;              /* CONF_LIST, CONF_OBJECTS: of an item */
    const char *fallback;     /* read where the key is absent, a list split at spaces; NULL:
                                 the structure keeps what it has */
    const char *unset;        /* documentation: what absence means, where fallback is NULL */
    uint64_t min, max;        /* numbers, bytes, microseconds; max 0: no limit but the type's */
    const char *const *names; /* CONF_ENUM: NULL ends them */
    const struct conf_field *fields; /* rows of what lies inside */
    const char *what;                /* what an item is called: "api", "target" */
    const char *shorthand;           /* the field that a text in place of a map sets */
    const char *doc;                 /* a sentence or two, Markdown */

    /* Says what is wrong with a text ("must begin with /"), or NULL. Strings and their lists. */
    const char *(*valid)(struct str text);

    conf_read_fn *read; /* CONF_CUSTOM */

    /* CONF_GROUP: gives the structure its rows fill; NULL: base + offset. May return NULL: no room.
     */
    void *(*enter)(struct conf *conf, const struct yaml_node *node, void *base);

    /*
     * Of the row that ends the others: called when these were read, faults or not; `base` is the
     * structure they filled. Not called for a map that the file does not have.
     */
    void (*done)(struct conf *conf, const struct yaml_node *node, void *base);
};

/* Type and place of a field in one, checked by the compiler: CONF_AS_U32(struct s, member). */
#define CONF_OFFSET(s, member, type)                                                               \
    (offsetof(s, member) + 0 * sizeof((type *)NULL == &((s *)NULL)->member))
#define CONF_ENUM_OFFSET(s, member)                                                                \
    (offsetof(s, member) +                                                                         \
     0 * sizeof(char[sizeof(((s *)NULL)->member) == sizeof(unsigned) ? 1 : -1]))
#define CONF_AS_STRING(s, m) .type = CONF_STRING, .offset = CONF_OFFSET(s, m, struct str)
#define CONF_AS_BOOL(s, m) .type = CONF_BOOL, .offset = CONF_OFFSET(s, m, bool)
#define CONF_AS_U32(s, m) .type = CONF_U32, .offset = CONF_OFFSET(s, m, uint32_t)
#define CONF_AS_U64(s, m) .type = CONF_U64, .offset = CONF_OFFSET(s, m, uint64_t)
#define CONF_AS_SIZE(s, m) .type = CONF_SIZE, .offset = CONF_OFFSET(s, m, uint64_t)
#define CONF_AS_DURATION(s, m) .type = CONF_DURATION, .offset = CONF_OFFSET(s, m, int64_t)
#define CONF_AS_ENUM(s, m) .type = CONF_ENUM, .offset = CONF_ENUM_OFFSET(s, m)
#define CONF_AS_CIDRS(s, m) .type = CONF_CIDRS, .offset = CONF_OFFSET(s, m, struct cidr_set)
#define CONF_AS_STRINGS(s, m, n)                                                                   \
    .type = CONF_STRINGS, .offset = CONF_OFFSET(s, m, struct str *),                               \
    .count_offset = CONF_OFFSET(s, n, size_t)
#define CONF_AS_MAP(s, m) .type = CONF_MAP, .offset = offsetof(s, m)
#define CONF_AS_LIST(s, m, n, item)                                                                \
    .type = CONF_LIST, .offset = CONF_OFFSET(s, m, item *),                                        \
    .count_offset = CONF_OFFSET(s, n, size_t), .size = sizeof(item)
#define CONF_AS_OBJECTS(s, m, n, item)                                                             \
    .type = CONF_OBJECTS, .offset = CONF_OFFSET(s, m, item *),                                     \
    .count_offset = CONF_OFFSET(s, n, size_t), .size = sizeof(item),                               \
    .name_offset = CONF_OFFSET(item, name, struct str)

/* One step of "route `search` of api `users`": the place that a message names. */
struct conf_scope {
    const char *what; /* "api"; NULL for a plain map */
    struct str name;  /* {NULL, 0} for an item of a list */
    size_t index;     /* of such an item, from 1 */
    const struct conf_scope *up;
};

struct conf {
    struct arena *arena;
    struct config_errors *errors;
    const char *folder;             /* what ${file:} paths are relative to; borrowed */
    void *group;                    /* structure of the group that is being read; NULL outside */
    const struct conf_scope *scope; /* the map that is being read; NULL at the root */
    const char *field;              /* the field of it; NULL between fields */
    bool full;                      /* that the arena is used up has been reported */
};

/* All arguments are borrowed. */
void conf_init(struct conf *conf, struct arena *arena, struct config_errors *errors,
               const char *folder);

/*
 * Reads the map `node` (NULL, or no map: everything is absent) by the rows into the structure at
 * `base`, which the caller has zeroed. Faults are in conf->errors.
 */
void conf_read(struct conf *conf, const struct conf_field *fields, const struct yaml_node *node,
               void *base);

/*
 * Reads `node`, an object of the given name, likewise, under the scope "WHAT `NAME`"; for a custom
 * reader of objects. `field` gives `fields`, `what` and `shorthand`.
 */
void conf_read_object(struct conf *conf, const struct conf_field *field,
                      const struct yaml_node *node, void *base);

/* Whether a name may be an object's: [a-z0-9][a-z0-9._-]{0,62}. Reports where not. */
bool conf_check_name(struct conf *conf, const struct yaml_node *node, const char *what);

/*
 * The text of a scalar with ${...} put in, NUL behind it. Reports anything else, with what was
 * `expected`, and returns false.
 */
bool conf_text(struct conf *conf, const struct yaml_node *node, const char *expected,
               struct str *ret_text);

/* How many texts a value of "one or a list" holds: 0 for nothing, 1 for a scalar. */
size_t conf_count(const struct yaml_node *node);

/* The first of them, and the one after `item`; NULL at the end. */
const struct yaml_node *conf_first(const struct yaml_node *node);
const struct yaml_node *conf_next(const struct yaml_node *node, const struct yaml_node *item);

/* `count` zeroed items in the arena; reports that the file holds too much by NULL. */
void *conf_alloc(struct conf *conf, size_t count, size_t size);

/* Reports at the value: "`FIELD` in SCOPE: ...". */
attr_printf(3, 4) void conf_fault(struct conf *conf, const struct yaml_node *node, const char *fmt,
                                  ...);

/* Reports at the key of the value, and without naming the field. */
attr_printf(3, 4) void conf_fault_key(struct conf *conf, const struct yaml_node *node,
                                      const char *fmt, ...);

/* The scope in words, "route `search` of api `users`"; "" at the root. */
void conf_scope_text(const struct conf_scope *scope, char *out, size_t size);

#define CONF_FOUND_MAX 128

/*
 * What the file has there, for messages: "`abc`", "a list", "nothing", "the value of `${env:X}`".
 * Cut to what fits.
 */
void conf_found(const struct yaml_node *node, char out[static CONF_FOUND_MAX]);

/* "Did you mean": offer all that would have been right, then take the phrase. */
struct suggestion {
    struct str word;   /* what was written */
    struct str best;   /* nearest so far; {NULL, 0} while nothing is near */
    unsigned distance; /* of best */
    char text[128];
};
void suggestion_init(struct suggestion *s, struct str word);
void suggestion_offer(struct suggestion *s, struct str candidate);
/* "; did you mean `upstream`?", or "". */
const char *suggestion_text(struct suggestion *s);

/* For `valid`: an address to listen on (see ip_port_parse()), and an http or https URL of scheme,
   host, port and path only. What is wrong with the text, or NULL. */
const char *conf_listen_fault(struct str text);
const char *conf_url_fault(struct str text);

/* A size in bytes: "64KiB", "10MiB", "1GiB", "4096". 0, E_INVALID or E_RANGE. */
must_check int size_parse(struct str s, uint64_t *ret_bytes);

/* The shortest exact form, "10MiB". Returns its length. */
size_t size_format(uint64_t bytes, char out[static 24]);

/* One setting as it was read. */
struct conf_shown {
    struct str path; /* "gateway.max_head" */
    const struct conf_field *field;
    struct str value; /* as the file could have it, lists with commas; of named objects and of lists
                         of maps how many; "" of what is hidden */
    bool hidden;      /* a secret */
    unsigned line;    /* where its key stands in the file; 0 where it does not */
    size_t index;     /* from 0; of the same rows always the same */
};
typedef void conf_show_visit(void *ctx, const struct conf_shown *shown);

/*
 * Shows what the rows have read into the structure at `base`, in their order, but not what lies
 * inside named objects and lists, nor what has a reader of its own. `root` is the map they were
 * read from, for the lines; NULL where it is gone.
 */
void conf_show(const struct conf_field *fields, const struct yaml_node *root, const void *base,
               conf_show_visit *visit, void *ctx);

/* The reference of these rows and all that lies inside them, as Markdown. */
void conf_document(const struct conf_field *fields, struct buf *out);

#endif
