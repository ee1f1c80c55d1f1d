/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section `upstreams`: servers behind the gateway, each a URL split into what a connection and
 * a forwarded target need.
 */
#include "gateway/config_rows.h"

#define HOST_CHARS_MAX 253 /* RFC 1035 §2.3.4, without the trailing dot */
#define HTTP_PORT 80

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (str_lower_char(c) >= 'a' && str_lower_char(c) <= 'z');
}

static bool is_host_name(struct str host)
{
    struct str last = host;
    struct ip ip;
    uint64_t number;
    if (host.n == 0 || host.n > HOST_CHARS_MAX)
        return false;
    for (size_t i = 0; i < host.n; i++) {
        bool joins = host.p[i] == '.' || host.p[i] == '-' || host.p[i] == '_';
        if (!is_alnum(host.p[i]) && !(joins && i > 0))
            return false;
    }
    /* what ends in a number is an address or a mistake (WHATWG URL, "ends in a number") */
    while (str_find_char(last, '.', 0) < last.n)
        str_cut(&last, '.');
    return str_to_u64(last, 0, UINT64_MAX, &number) != 0 || ip_parse(host, &ip) == 0;
}

/* Splits "host:port" or "[v6]:port", the port optional. What is wrong, or NULL. */
static const char *split_authority(struct str authority, struct target_conf *target)
{
    struct str host = authority, port = STR_EMPTY;
    struct ip ip;
    uint64_t number = HTTP_PORT;
    if (str_starts(authority, STR("["))) {
        size_t end = str_find_char(authority, ']', 0);
        host = str_slice(authority, 1, end);
        port = str_slice(authority, end + 1, authority.n);
        if (end == authority.n || ip_parse(host, &ip) != 0 || str_find_char(host, ':', 0) == host.n)
            return "must have an IPv6 address between the brackets";
    } else {
        size_t colon = str_find_char(authority, ':', 0);
        host = str_slice(authority, 0, colon);
        port = str_slice(authority, colon, authority.n);
        if (host.n == 0)
            return "has no host";
        if (!is_host_name(host))
            return "has a host that is neither a name nor an address";
    }
    if (port.n > 0 &&
        (port.p[0] != ':' || str_to_u64(str_slice(port, 1, port.n), 1, UINT16_MAX, &number) != 0))
        return "has a port that is not from 1 to 65535";
    target->host = host;
    target->port = (uint16_t)number;
    return NULL;
}

static const char *split_url(struct str url, struct target_conf *target)
{
    static const char scheme[] = "http://";
    if (str_starts_nocase(url, STR("https://")))
        return "asks for TLS to the upstream, which is not available yet; use http://";
    if (!str_starts_nocase(url, STR(scheme)))
        return "must begin with http://";
    struct str rest = str_slice(url, sizeof(scheme) - 1, url.n);
    for (size_t i = 0; i < rest.n; i++) {
        unsigned char c = (unsigned char)rest.p[i];
        if (c <= 0x20 || c >= 0x7f)
            return "has a character that a URL cannot have";
        if (c == '?' || c == '#')
            return "must end with its path: a query or fragment cannot be put before others";
    }
    size_t slash = str_find_char(rest, '/', 0);
    struct str prefix = str_slice(rest, slash, rest.n);
    while (str_ends(prefix, STR("/")))
        prefix.n--;
    target->url = url;
    target->prefix = prefix;
    return split_authority(str_slice(rest, 0, slash), target);
}

static void read_url(struct conf *conf, const struct conf_field *field,
                     const struct yaml_node *node, void *base)
{
    struct target_conf *target = base;
    struct str url;
    char was[CONF_FOUND_MAX];
    (void)field;
    if (!conf_text(conf, node, "a URL such as http://127.0.0.1:9001", &url))
        return;
    if (str_find_char(url, '@', 0) < url.n) {
        /* not quoted: there may be a password before the @ */
        conf_fault(conf, node, "a URL with a user or password is not supported");
        return;
    }
    const char *wrong = split_url(url, target);
    conf_found(node, was);
    if (wrong != NULL)
        conf_fault(conf, node, "%s %s", was, wrong);
}

static const struct conf_field TARGET_FIELDS[] = {
    {.name = "url",
     .type = CONF_CUSTOM,
     .flags = CONF_REQUIRED,
     .read = read_url,
     .what = "URL",
     .doc = "`http://HOST:PORT`, with a name or an address, and a path if the forwarded one is to "
            "follow it. The port is 80 where none is given."},
    {.name = "weight",
     CONF_AS_U32(struct target_conf, weight),
     .fallback = "1",
     .min = 1,
     .max = 1000,
     .doc = "Its share of the calls, compared with the other targets."},
    {.name = NULL},
};

static void check_targets(struct conf *conf, const struct yaml_node *node, void *base)
{
    const struct upstream_conf *upstream = base;
    const struct yaml_node *targets = yaml_find(node, STR("targets"));
    if (targets != NULL && targets->kind == YAML_LIST && upstream->target_count == 0) {
        conf->field = "targets";
        conf_fault(conf, targets, "an upstream needs at least one target");
        conf->field = NULL;
    }
}

const struct conf_field upstream_conf_fields[] = {
    {.name = "targets",
     CONF_AS_LIST(struct upstream_conf, targets, target_count, struct target_conf),
     .flags = CONF_REQUIRED,
     .fields = TARGET_FIELDS,
     .what = "target",
     .shorthand = "url",
     .doc = "The servers that answer, each a URL or a map."},
    {.name = "connect_timeout",
     CONF_AS_DURATION(struct upstream_conf, connect_timeout_us),
     .fallback = "2s",
     .min = US_PER_MS,
     .max = 5 * US_PER_MINUTE,
     .doc = "How long a connection to one target may take to open."},
    {.name = "idle_timeout",
     CONF_AS_DURATION(struct upstream_conf, idle_timeout_us),
     .fallback = "55s",
     .min = US_PER_MS,
     .max = US_PER_DAY,
     .doc = "How long an unused connection is kept. Shorter than the target's own, so that it is "
            "not the target that closes it."},
    {.name = "max_idle",
     CONF_AS_U32(struct upstream_conf, max_idle),
     .fallback = "512",
     .max = 65536,
     .doc =
         "Unused connections that are kept for one target by each core; for all targets together "
         "no more than `gateway.workers`."},
    {.name = NULL, .done = check_targets},
};
