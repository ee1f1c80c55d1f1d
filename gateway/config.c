/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config.h"

#include "gateway/config_rows.h"

#include <stdio.h>
#include <stdlib.h>

void *named_find(struct conf *conf, const struct yaml_node *node, const struct named_set *set)
{
    char expected[64];
    struct suggestion near;
    struct str name;
    bool article = strchr("aeiou", set->what[0]) != NULL;
    snprintf(expected, sizeof(expected), "the name of %s %s", article ? "an" : "a", set->what);
    if (!conf_text(conf, node, expected, &name))
        return NULL;
    suggestion_init(&near, name);
    for (size_t i = 0; i < set->count; i++) {
        char *item = (char *)set->items + i * set->size;
        struct str candidate;
        memcpy(&candidate, item + set->name_offset, sizeof(candidate));
        if (str_eq(candidate, name))
            return item;
        suggestion_offer(&near, candidate);
    }
    conf_fault(conf, node, "there is no %s `%.*s`%s", set->what,
               node->text.n < 80 ? (int)node->text.n : 80, node->text.p, suggestion_text(&near));
    return NULL;
}

struct str listen_url(struct conf *conf, const struct str *listen, size_t count)
{
    char text[IP_TEXT_MAX];
    struct ip ip;
    uint16_t port;
    if (count == 0 || ip_port_parse(listen[0], &ip, &port) != 0 || port == 0)
        return STR("");
    bool six = !ip_is_v4(ip);
    ip_format(ip, text);
    const char *host = !ip_is_unspecified(ip) ? text : six ? "::1" : "127.0.0.1";
    struct str url = arena_printf(conf->arena, "http://%s%s%s:%u", six ? "[" : "", host,
                                  six ? "]" : "", (unsigned)port);
    return url.p != NULL ? url : STR("");
}

static const char *const CLIENT_HEADERS[] = {
    [CLIENT_X_FORWARDED_FOR] = "X-Forwarded-For", [CLIENT_FORWARDED] = "Forwarded", NULL};

static const struct conf_field SECTION_FIELDS[] = {
    {.name = "listen",
     CONF_AS_STRINGS(struct gateway_config, listen, listen_count),
     .fallback = "127.0.0.1:8080",
     .valid = conf_listen_fault,
     .doc = "Where the APIs are served, `ADDRESS:PORT`; `0.0.0.0:8080` for all interfaces. A "
            "change needs a restart."},
    {.name = "url",
     CONF_AS_STRING(struct gateway_config, url),
     .unset = "from `listen`",
     .valid = conf_url_fault,
     .doc = "What consumers are told."},
    {.name = "trusted_proxies",
     CONF_AS_CIDRS(struct gateway_config, trusted_proxies),
     .unset = "none",
     .doc =
         "Who is believed, on all listeners, when it tells the client's address, in the field of "
         "`client_ip_header`."},
    {.name = "client_ip_header",
     CONF_AS_ENUM(struct gateway_config, client_header),
     .names = CLIENT_HEADERS,
     .fallback = "X-Forwarded-For",
     .doc = "The field that trusted proxies set. Only one is read: a proxy passes the other on as "
            "the client sent it."},
    {.name = "workers",
     CONF_AS_U32(struct gateway_config, workers),
     .fallback = "1024",
     .min = 1,
     .max = 65536,
     .doc = "Connections that are served at once; others wait. A change needs a restart."},
    {.name = "max_connections_per_client",
     CONF_AS_U32(struct gateway_config, max_connections_per_client),
     .fallback = "0",
     .max = 65536,
     .doc = "Connections that one client address may have open; 0 for any number."},
    {.name = "max_head",
     CONF_AS_SIZE(struct gateway_config, max_head),
     .fallback = "32KiB",
     .min = 1024,
     .max = 1024 * 1024,
     .doc = "The largest head of a request; a larger one is answered 431."},
    {.name = "max_target",
     CONF_AS_SIZE(struct gateway_config, max_target),
     .fallback = "8KiB",
     .min = 256,
     .max = 64 * 1024,
     .doc = "The longest path with query; a longer one is answered 414."},
    {.name = "head_timeout",
     CONF_AS_DURATION(struct gateway_config, head_timeout_us),
     .fallback = "10s",
     .min = US_PER_MS,
     .max = US_PER_HOUR,
     .doc = "From the first byte of a head to its end."},
    {.name = "body_timeout",
     CONF_AS_DURATION(struct gateway_config, body_timeout_us),
     .fallback = "30s",
     .min = US_PER_MS,
     .max = US_PER_HOUR,
     .doc = "Between two reads of a body."},
    {.name = "send_timeout",
     CONF_AS_DURATION(struct gateway_config, send_timeout_us),
     .fallback = "30s",
     .min = US_PER_MS,
     .max = US_PER_HOUR,
     .doc = "Between two writes to a client that takes nothing."},
    {.name = "keep_alive",
     CONF_AS_DURATION(struct gateway_config, keep_alive_us),
     .fallback = "75s",
     .min = US_PER_MS,
     .max = US_PER_DAY,
     .doc = "How long an idle connection of a client is kept."},
    {.name = "drain_timeout",
     CONF_AS_DURATION(struct gateway_config, drain_timeout_us),
     .fallback = "30s",
     .max = US_PER_HOUR,
     .doc = "How long requests in flight may go on when the gateway is stopped."},
    {.name = NULL},
};

struct secret_place {
    struct str secret;
    size_t app, key; /* indices, in the order of the file */
};

static int compare_secrets(const void *a, const void *b)
{
    const struct secret_place *x = a, *y = b;
    int r = str_cmp(x->secret, y->secret);
    if (r != 0)
        return r;
    if (x->app != y->app)
        return x->app < y->app ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

static const struct yaml_node *key_node(const struct yaml_node *root, const struct app_conf *app,
                                        const struct file_key_conf *key)
{
    const struct yaml_node *keys =
        yaml_find(yaml_find(yaml_find(root, STR("apps")), app->name), STR("keys"));
    const struct yaml_node *node = yaml_find(keys, key->name);
    return node->kind == YAML_MAP ? yaml_find(node, STR("secret")) : node;
}

/* A secret must tell whose it is. */
static void refuse_shared_secrets(struct conf *conf, const struct yaml_node *root,
                                  const struct gateway_config *config)
{
    size_t count = 0, n = 0;
    for (size_t i = 0; i < config->app_count; i++)
        count += config->apps[i].key_count;
    struct secret_place *places = conf_alloc(conf, count, sizeof(*places));
    if (places == NULL)
        return;
    for (size_t i = 0; i < config->app_count; i++) {
        for (size_t k = 0; k < config->apps[i].key_count; k++)
            places[n++] = (struct secret_place){config->apps[i].keys[k].secret, i, k};
    }
    qsort(places, n, sizeof(*places), compare_secrets);
    for (size_t i = 1; i < n; i++) {
        const struct app_conf *app = &config->apps[places[i].app];
        const struct app_conf *other = &config->apps[places[i - 1].app];
        const struct file_key_conf *key = &app->keys[places[i].key];
        if (key->secret.n > 0 && str_eq(key->secret, places[i - 1].secret))
            conf_fault(conf, key_node(root, app, key),
                       "`secret` in key `%" STR_FMT "` of app `%" STR_FMT "`: key `%" STR_FMT
                       "` of app `%" STR_FMT "` has the same; each needs its own",
                       STR_ARG(key->name), STR_ARG(app->name),
                       STR_ARG(other->keys[places[i - 1].key].name), STR_ARG(other->name));
    }
}

static void finish_config(struct conf *conf, const struct yaml_node *root, void *base)
{
    struct gateway_config *config = base;
    if (config->url.n == 0)
        config->url = listen_url(conf, config->listen, config->listen_count);
    while (str_ends(config->url, STR("/")))
        config->url.n--;
    refuse_shared_secrets(conf, root, config);
}

const struct conf_field gateway_config_fields[] = {
    {.name = "gateway",
     .type = CONF_MAP,
     .fields = SECTION_FIELDS,
     .doc = "The listener that the world calls, and what it takes."},
    {.name = "upstreams",
     CONF_AS_OBJECTS(struct gateway_config, upstreams, upstream_count, struct upstream_conf),
     .fields = upstream_conf_fields,
     .what = "upstream",
     .doc = "The servers behind the gateway."},
    {.name = "apis",
     CONF_AS_OBJECTS(struct gateway_config, apis, api_count, struct api_conf),
     .fields = api_conf_fields,
     .what = "api",
     .doc = "What is offered."},
    {.name = "plans",
     CONF_AS_OBJECTS(struct gateway_config, plans, plan_count, struct plan_conf),
     .fields = plan_conf_fields,
     .what = "plan",
     .doc = "Which APIs may be called, and how often."},
    {.name = "apps",
     CONF_AS_OBJECTS(struct gateway_config, apps, app_count, struct app_conf),
     .fields = app_conf_fields,
     .what = "app",
     .doc = "Consumers that are in the file; others are in the database."},
    {.name = NULL, .done = finish_config},
};
