/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/config.h"

#include <stdio.h>

#define LABELS_OF_ITS_OWN "job", "api", "status_class"
#define LABELS_CONFIGURED_MAX 12 /* Loki takes 15 (max_label_names_per_series) */
#define LABEL_VALUE_MAX 256

#define DAYS(n) ((uint64_t)(n) * (uint64_t)US_PER_DAY)
#define KEPT_MAX DAYS(36500)

static const struct conf_field RETENTION_FIELDS[] = {
    {.name = "requests",
     CONF_AS_DURATION(struct retention, requests_us),
     .fallback = "7d",
     .min = US_PER_HOUR,
     .max = KEPT_MAX,
     .doc = "One row for each request, in a file for each day; the file goes when all of its day "
            "is too old."},
    {.name = "minutes",
     CONF_AS_DURATION(struct retention, minutes_us),
     .fallback = "40d",
     .min = US_PER_HOUR,
     .max = KEPT_MAX,
     .doc = "Sums by the minute."},
    {.name = "hours",
     CONF_AS_DURATION(struct retention, hours_us),
     .fallback = "400d",
     .min = US_PER_DAY,
     .max = KEPT_MAX,
     .doc = "Sums by the hour."},
    {.name = "usage",
     CONF_AS_DURATION(struct retention, usage_us),
     .fallback = "800d",
     .min = DAYS(62),
     .max = KEPT_MAX,
     .doc = "Sums by the day and the windows of quotas, which bills are made from. Never shorter "
            "than two months: the longest quota is read back from it."},
    {.name = NULL},
};

static const char *label_fault(struct str name)
{
    static const char *const OWN[] = {LABELS_OF_ITS_OWN};
    for (size_t i = 0; i < ARRAY_LEN(OWN); i++) {
        if (str_eq(name, str_from(OWN[i])))
            return "is set by Weir itself";
    }
    for (size_t i = 0; i < name.n; i++) {
        char c = str_lower_char(name.p[i]);
        bool digit = c >= '0' && c <= '9';
        if (!((c >= 'a' && c <= 'z') || c == '_' || (digit && i > 0)))
            return "is no label name; use letters, digits and `_`, no digit first";
    }
    return name.n <= 64 ? NULL : "is longer than 64 characters";
}

static void read_labels(struct conf *conf, const struct conf_field *field,
                        const struct yaml_node *node, void *base)
{
    struct loki_config *loki = base;
    (void)field;
    if (node->kind != YAML_MAP) {
        char was[CONF_FOUND_MAX];
        conf_found(node, was);
        conf_fault(conf, node, "expected a map from labels to their values, found %s", was);
        return;
    }
    if (node->count > LABELS_CONFIGURED_MAX) {
        conf_fault(conf, node, "there are %zu labels; at most %d can be added", node->count,
                   LABELS_CONFIGURED_MAX);
        return;
    }
    loki->labels = conf_alloc(conf, node->count, sizeof(*loki->labels));
    if (loki->labels == NULL)
        return;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        struct loki_label *label = &loki->labels[loki->label_count];
        const char *wrong = label_fault(child->key);
        if (wrong != NULL)
            conf_fault_key(conf, child, "label `%.*s` %s",
                           child->key.n < 80 ? (int)child->key.n : 80, child->key.p, wrong);
        if (!conf_text(conf, child, "the value of a label", &label->value))
            continue;
        if (label->value.n == 0 || label->value.n > LABEL_VALUE_MAX)
            conf_fault(conf, child, "a label's value must have 1 to %d characters",
                       LABEL_VALUE_MAX);
        label->name = arena_dup(conf->arena, child->key);
        loki->label_count++;
    }
}

static void trim_url(struct conf *conf, const struct yaml_node *node, void *base)
{
    struct loki_config *loki = base;
    (void)conf;
    (void)node;
    while (str_ends(loki->url, STR("/")))
        loki->url.n--;
}

static const struct conf_field LOKI_FIELDS[] = {
    {.name = "url",
     CONF_AS_STRING(struct loki_config, url),
     .flags = CONF_REQUIRED,
     .valid = conf_url_fault,
     .doc = "Where Loki is, as in `http://127.0.0.1:3100`; `/loki/api/v1/push` is added."},
    {.name = "tenant",
     CONF_AS_STRING(struct loki_config, tenant),
     .unset = "none",
     .min = 1,
     .max = 150,
     .doc = "The tenant of a Loki that has several (`X-Scope-OrgID`)."},
    {.name = "labels",
     .type = CONF_CUSTOM,
     .read = read_labels,
     .what = "map from labels to values",
     .unset = "none",
     .doc = "Labels of every stream besides `job`, `api` and `status_class`. Few, and with few "
            "values: what varies is in the line."},
    {.name = "batch_size",
     CONF_AS_SIZE(struct loki_config, batch_bytes),
     .fallback = "1MiB",
     .min = 1024,
     .max = UINT64_C(16) << 20,
     .doc = "Lines that are sent at once, before compression. No more than the receiver takes."},
    {.name = "batch_wait",
     CONF_AS_DURATION(struct loki_config, batch_wait_us),
     .fallback = "1s",
     .min = 10 * US_PER_MS,
     .max = 5 * US_PER_MINUTE,
     .doc = "How long lines may wait for others."},
    {.name = "timeout",
     CONF_AS_DURATION(struct loki_config, timeout_us),
     .fallback = "10s",
     .min = 10 * US_PER_MS,
     .max = 5 * US_PER_MINUTE,
     .doc = "How long one push may take; what failed is sent again later."},
    {.name = NULL, .done = trim_url},
};

const struct conf_field analytics_config_fields[] = {
    {.name = "retention",
     CONF_AS_MAP(struct analytics_config, retention),
     .fields = RETENTION_FIELDS,
     .doc = "How long things are kept."},
    {.name = "max_series",
     CONF_AS_U32(struct analytics_config, max_series),
     .fallback = "10000",
     .min = 100,
     .max = 1000000,
     .doc = "Label sets of one metric. Past it, new values are counted under `__other__`."},
    {.name = "journal_size",
     CONF_AS_SIZE(struct analytics_config, journal_bytes),
     .fallback = "16MiB",
     .min = UINT64_C(1) << 20,
     .max = UINT64_C(1) << 30,
     .doc = "Space for records that are not stored yet, for each core. A change needs a restart."},
    {.name = "loki",
     CONF_AS_MAP(struct analytics_config, loki),
     .fields = LOKI_FIELDS,
     .unset = "off",
     .doc = "Sends a line for each request to Grafana Loki."},
    {.name = NULL},
};
