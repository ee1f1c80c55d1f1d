/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_rows.h -- what the files that read the gateway's configuration share: see config.h.
 *
 * Threads: rows are constant.
 * Memory:  see config.h.
 * Errors:  see base/conf.h.
 */
#ifndef GATEWAY_CONFIG_ROWS_H
#define GATEWAY_CONFIG_ROWS_H

#include "gateway/config.h"

/* Rows of one object of each section. */
extern const struct conf_field upstream_conf_fields[];
extern const struct conf_field api_conf_fields[];
extern const struct conf_field plan_conf_fields[];
extern const struct conf_field app_conf_fields[];

/* Objects that a text may name. */
struct named_set {
    void *items;
    size_t count, size, name_offset;
    const char *what; /* "upstream" */
};

/* The object that the text names; NULL after a report with the nearest name. */
void *named_find(struct conf *conf, const struct yaml_node *node, const struct named_set *set);

#endif
