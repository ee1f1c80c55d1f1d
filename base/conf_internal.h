/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_internal.h -- what the files of conf share among themselves: see conf.h.
 *
 * Threads: see conf.h.
 * Memory:  see conf.h.
 * Errors:  see conf.h.
 */
#ifndef BASE_CONF_INTERNAL_H
#define BASE_CONF_INTERNAL_H

#include "base/conf.h"

/* Whether ${...} occurs in the scalar, so that its value is not what the file shows. */
bool conf_is_inserted(const struct yaml_node *node);

/* Puts in what ${...} stands for; false after a report. */
bool conf_expand(struct conf *conf, const struct yaml_node *node, struct str *ret_text);

/* Reports, once, that the arena's budget is used up. */
void conf_no_room(struct conf *conf);

/* Reads a value of one of the types up to CONF_STRINGS into its place at `base`. */
void conf_read_value(struct conf *conf, const struct conf_field *field,
                     const struct yaml_node *node, void *base);

/* "a whole number from 1 to 10", "one of key, none": what messages and documentation call it. */
void conf_describe(const struct conf_field *field, struct buf *out);

/* conf_found(), but nothing of a field that is hidden or of a URL that may hold a password. */
void conf_found_in(const struct conf_field *field, const struct yaml_node *node,
                   char out[static CONF_FOUND_MAX]);

/* A limit in the unit of the field's type. */
void conf_print_limit(const struct conf_field *field, uint64_t value, struct buf *out);

#endif
