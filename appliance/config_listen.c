/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/config_listen.h"

#include "base/http/server.h"

struct place {
    const char *section;
    struct str text;
    struct ip ip;
    uint16_t port;
    const struct yaml_node *node; /* NULL for a default */
};

struct places {
    struct conf *conf;
    const struct yaml_node *root;
    struct place *items;
    size_t count;
};

static const struct yaml_node *listen_node(const struct yaml_node *root, const char *section)
{
    return yaml_find(yaml_find(root, str_from(section)), STR("listen"));
}

static void add_places(struct places *places, const char *section, const struct str *listen,
                       size_t count)
{
    const struct yaml_node *node = listen_node(places->root, section);
    const struct yaml_node *item = node != NULL ? conf_first(node) : NULL;
    if (count > HTTP_LISTEN_MAX)
        conf_fault(places->conf, node,
                   "`listen` in `%s` has %zu addresses; at most %d are possible", section, count,
                   HTTP_LISTEN_MAX);
    /* a faulty item was left out and reported: then nothing more can be said of the others */
    if (node != NULL && conf_count(node) > 0 && conf_count(node) != count)
        return;
    for (size_t i = 0; i < count; i++) {
        struct place *place = &places->items[places->count];
        *place = (struct place){.section = section, .text = listen[i], .node = item};
        if (ip_port_parse(listen[i], &place->ip, &place->port) == 0)
            places->count++;
        if (item != NULL)
            item = conf_next(node, item);
    }
}

static void fault(struct conf *conf, const struct place *place, const char *message)
{
    conf_fault(conf, place->node, "`listen` in `%s`: `%" STR_FMT "` %s", place->section,
               STR_ARG(place->text), message);
}

/* Whether the kernel would refuse the second of them. */
static bool clash(const struct place *a, const struct place *b)
{
    if (a->port != b->port || a->port == 0 || ip_is_v4(a->ip) != ip_is_v4(b->ip))
        return false;
    return ip_eq(a->ip, b->ip) || ip_is_unspecified(a->ip) || ip_is_unspecified(b->ip);
}

static void refuse_clashes(const struct places *places)
{
    for (size_t i = 1; i < places->count; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct place *here = &places->items[i], *there = &places->items[k];
            if (!clash(here, there))
                continue;
            if (here->node == NULL) {
                const struct place *swap = here;
                here = there;
                there = swap;
            }
            conf_fault(places->conf, here->node,
                       "`listen` in `%s`: `%" STR_FMT
                       "` is taken by `%s`, which listens on `%" STR_FMT "`%s",
                       here->section, STR_ARG(here->text), there->section, STR_ARG(there->text),
                       there->node == NULL ? " where its `listen` does not say otherwise" : "");
            break;
        }
    }
}

static bool is_open(const struct config *config, const char *section)
{
    if (strcmp(section, "portal") == 0)
        return !config->portal.insecure && !str_starts_nocase(config->portal.url, STR("https://"));
    if (strcmp(section, "admin") == 0)
        return !config->admin.insecure && !str_starts_nocase(config->admin.url, STR("https://"));
    return false;
}

static void refuse_exposure(const struct places *places, const struct config *config)
{
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->items[i];
        if (place->node == NULL || ip_is_loopback(place->ip))
            continue;
        if (is_open(config, place->section))
            fault(places->conf, place,
                  "can be reached from other machines, without TLS; listen on 127.0.0.1, or set "
                  "`url: https://...` where a proxy ends TLS, or write `insecure: true` beside it");
        else if (strcmp(place->section, "metrics") == 0 && config->metrics.allow.count == 0 &&
                 config->metrics.token.n == 0)
            fault(places->conf, place,
                  "can be reached from other machines; set `allow` or `token` beside it");
    }
}

void config_check_listeners(struct conf *conf, const struct yaml_node *root,
                            const struct config *config)
{
    const struct gateway_config *gateway = &config->gateway;
    const struct portal_config *portal = &config->portal;
    const struct admin_config *admin = &config->admin;
    const struct metrics_config *metrics = &config->metrics;
    size_t count =
        gateway->listen_count + portal->listen_count + admin->listen_count + metrics->listen_count;
    struct places places = {
        .conf = conf, .root = root, .items = conf_alloc(conf, count, sizeof(struct place))};
    if (places.items == NULL)
        return;
    add_places(&places, "gateway", gateway->listen, gateway->listen_count);
    add_places(&places, "portal", portal->listen, portal->listen_count);
    add_places(&places, "admin", admin->listen, admin->listen_count);
    add_places(&places, "metrics", metrics->listen, metrics->listen_count);
    refuse_clashes(&places);
    refuse_exposure(&places, config);
}
