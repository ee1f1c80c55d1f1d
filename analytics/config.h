/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h -- the section `analytics` of the configuration: what is kept, and who is told.
 *
 * Threads: constant once read.
 * Memory:  everything lies in the arena of the configuration.
 * Errors:  all of a file are collected, see base/conf.h.
 */
#ifndef ANALYTICS_CONFIG_H
#define ANALYTICS_CONFIG_H

#include "analytics/retain.h"
#include "base/conf.h"

struct loki_label {
    struct str name, value;
};

struct loki_config {
    struct str url; /* without a trailing slash, to which /loki/api/v1/push is added; "": no Loki */
    struct str tenant;         /* X-Scope-OrgID; "" for none */
    struct loki_label *labels; /* besides job, api and status_class, which Weir sets */
    size_t label_count;
    uint64_t batch_bytes;  /* of lines in one push, before compression */
    int64_t batch_wait_us; /* how long a batch that is not full may wait */
    int64_t timeout_us;    /* of one push */
};

struct analytics_config {
    struct retention retention;
    uint32_t max_series;    /* label sets of one metric; what comes after is `__other__` */
    uint64_t journal_bytes; /* of one ring; there is one for each carrier */
    struct loki_config loki;
};

/* The rows of the section. */
extern const struct conf_field analytics_config_fields[];

#endif
