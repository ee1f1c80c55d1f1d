/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml.h -- one YAML (or JSON) document as a read-only tree that knows where everything stood.
 *
 * What makes YAML surprising is refused rather than interpreted: anchors, aliases and tags, several
 * documents, keys twice in one map, keys that are not plain words. What remains is maps, lists and
 * scalars, which stay texts: their types are the reader's business (conf.h).
 *
 * Threads: a tree belongs to whoever owns its arena; it never changes.
 * Memory:  all of it in the arena that was given; texts have a NUL behind them.
 * Errors:  each with its position into `struct config_errors`; duplicates are all found, after a
 *          fault of syntax nothing more is read.
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/arena.h"
#include "base/config_errors.h"

enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_LIST };

struct yaml_node {
    enum yaml_kind kind;
    bool quoted;             /* a scalar in quotes or as a block: text whatever it looks like */
    unsigned line, column;   /* where the value begins, from 1, in characters */
    struct str text;         /* a scalar's value */
    struct str key;          /* in a map: under which key; {NULL, 0} in a list and at the root */
    unsigned key_line;       /* where the key begins */
    unsigned key_column;     /* likewise */
    struct yaml_node *first; /* of a map or list, in the order of the file */
    struct yaml_node *next;  /* the next value of the map or list this one is in */
    size_t count;            /* values in this map or list */
};

/*
 * Reads the document into `arena`. A file without a value gives a null scalar. 0; or E_CONFIG and
 * at least one line in `errors`. Limits: LIMIT_YAML_DEPTH, LIMIT_YAML_NODES, LIMIT_CONFIG_BYTES.
 */
must_check int yaml_parse(struct arena *arena, struct str text, struct yaml_node **ret_root,
                          struct config_errors *errors);

/* The value under that key of a map; NULL where there is none or `map` is no map (or NULL). */
struct yaml_node *yaml_find(const struct yaml_node *map, struct str key);

/* Whether the value is nothing: empty, `~` or `null`, and not in quotes. */
bool yaml_is_null(const struct yaml_node *node);

#endif
