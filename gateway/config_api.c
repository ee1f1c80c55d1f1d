/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The section `apis`: what is matched, who may call, and the named parts of an API. Only the form
 * of a match is looked at here; what it finds is the router's business.
 */
#include "gateway/config_rows.h"
#include "gateway/router.h"

#include <stdio.h>

#define HOST_CHARS_MAX 253

static void check_access(struct conf *conf, const struct yaml_node *node, void *base)
{
    const struct yaml_node *allow = yaml_find(node, STR("allow"));
    (void)base;
    if (allow == NULL || conf_count(allow) > 0)
        return;
    conf->field = "allow";
    conf_fault(conf, allow,
               "an empty list would let everyone in; leave it out for that, or deny 0.0.0.0/0 and "
               "::/0 to let nobody in");
    conf->field = NULL;
}

const struct conf_field access_conf_fields[] = {
    {.name = "allow",
     CONF_AS_CIDRS(struct access_conf, allow),
     .unset = "everyone",
     .doc = "Only these addresses and networks may call."},
    {.name = "deny",
     CONF_AS_CIDRS(struct access_conf, deny),
     .unset = "nobody",
     .doc = "These may not, whatever `allow` says."},
    {.name = NULL, .done = check_access},
};

#define ACCESS_DOC                                                                                 \
    "Which client addresses may call. Every level must let the call through: API, route, plan, "   \
    "app and key."

/* Letters, digits, `-` and `_`, in labels that are not empty and neither begin nor end with `-`. */
static bool is_host_name(struct str host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = str_lower_char(host.p[i]);
        bool edge = i == 0 || i + 1 == host.n || host.p[i - 1] == '.' || host.p[i + 1] == '.';
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (!word && (edge || (c != '-' && c != '.')))
            return false;
    }
    return host.n > 0 && host.n <= HOST_CHARS_MAX;
}

static const char *host_fault(struct str host)
{
    struct ip ip;
    if (str_starts(host, STR("*.")))
        host = str_slice(host, 2, host.n);
    if (str_find_char(host, '*', 0) < host.n)
        return "may have `*` only in front, as in *.example.com";
    if (str_find(host, STR("://")) < host.n)
        return "must be a host alone, without http://";
    if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
        return ip_parse(str_slice(host, 1, host.n - 1), &ip) == 0 ? NULL : "is no IPv6 address";
    if (str_find_char(host, ':', 0) < host.n)
        return "must be without a port";
    return is_host_name(host) ? NULL : "is no host name";
}

static bool is_parameter_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = str_lower_char(name.p[i]);
        bool digit = c >= '0' && c <= '9';
        if (!((c >= 'a' && c <= 'z') || c == '_' || (digit && i > 0)))
            return false;
    }
    return name.n > 0;
}

/* One segment of a path that may have parameters. */
static const char *segment_fault(struct str segment)
{
    if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
        return "must not contain . or .. as a segment: such a path is never asked for";
    if (str_find_char(segment, '{', 0) == segment.n && str_find_char(segment, '}', 0) == segment.n)
        return NULL;
    struct str name = str_slice(segment, 1, segment.n - 1);
    if (segment.n < 2 || segment.p[0] != '{' || segment.p[segment.n - 1] != '}' ||
        !is_parameter_name(name))
        return "may have a parameter only as a whole segment with a plain name, as in /users/{id}";
    return NULL;
}

static const char *segments_fault(struct str path)
{
    struct str names[ROUTE_PARAMS_MAX], rest = path;
    size_t count = 0;
    while (rest.p != NULL) {
        struct str segment = str_cut(&rest, '/');
        const char *wrong = segment_fault(segment);
        if (wrong != NULL)
            return wrong;
        if (!str_starts(segment, STR("{")))
            continue;
        if (count == ROUTE_PARAMS_MAX)
            return "has too many parameters";
        for (size_t i = 0; i < count; i++) {
            if (str_eq(names[i], segment))
                return "has two parameters of one name";
        }
        names[count++] = segment;
    }
    return NULL;
}

static const char *path_fault(struct str path)
{
    bool exact = str_starts(path, STR("="));
    if (str_starts(path, STR("~")))
        return path.n > 1 ? NULL : "needs a regular expression after the ~";
    if (exact)
        path = str_slice(path, 1, path.n);
    if (!str_starts(path, STR("/")))
        return "must begin with / for a prefix, =/ for an exact path, or ~ for a regular "
               "expression";
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '?' || path.p[i] == '#')
            return "must be a path alone: a query or fragment is not matched";
        if (path.p[i] == ' ')
            return "must not contain a space";
    }
    if (str_find(path, STR("//")) < path.n)
        return "must not contain // : such a path is never asked for";
    if (str_find_char(path, '*', 0) < path.n)
        return "must not contain `*`: a prefix matches all below it, {name} one segment, and ~ "
               "begins a regular expression";
    return segments_fault(path);
}

static void read_methods(struct conf *conf, const struct conf_field *field,
                         const struct yaml_node *node, void *base)
{
    struct match_conf *match = base;
    uint32_t methods = 0;
    (void)field;
    for (const struct yaml_node *item = conf_first(node); item != NULL;
         item = conf_next(node, item)) {
        struct suggestion near;
        struct str name;
        if (!conf_text(conf, item, "the name of a method", &name))
            continue;
        enum http_method found = http_method_find(name);
        suggestion_init(&near, name);
        for (unsigned m = METHOD_OTHER + 1; m < METHOD_COUNT; m++)
            suggestion_offer(&near, http_method_name((enum http_method)m));
        if (found == METHOD_OTHER)
            conf_fault(conf, item, "unknown method `%.*s`%s",
                       item->text.n < 40 ? (int)item->text.n : 40, item->text.p,
                       suggestion_text(&near));
        else
            methods |= UINT32_C(1) << found;
    }
    match->methods = methods;
}

/* Host names have no case (RFC 4343). */
static void lower_hosts(struct conf *conf, struct match_conf *match)
{
    for (size_t i = 0; i < match->host_count; i++) {
        struct str host = match->hosts[i];
        char *lower = conf_alloc(conf, host.n + 1, 1);
        if (lower == NULL)
            return;
        for (size_t k = 0; k < host.n; k++)
            lower[k] = str_lower_char(host.p[k]);
        match->hosts[i] = str_make(lower, host.n);
    }
}

/* What only the router can tell, as of regular expressions; of items that have the right form. */
static void check_paths(struct conf *conf, const struct yaml_node *node,
                        const struct match_conf *match)
{
    size_t i = 0;
    if (conf_count(node) != match->path_count)
        return;
    conf->field = "paths";
    for (const struct yaml_node *item = conf_first(node); item != NULL;
         item = conf_next(node, item)) {
        struct error err = ERROR_INIT;
        if (router_path_check(match->paths[i++], &err) != 0)
            conf_fault(conf, item, "%s", err.text);
    }
    conf->field = NULL;
}

static void finish_match(struct conf *conf, const struct yaml_node *node, void *base)
{
    struct match_conf *match = base;
    const struct yaml_node *paths = yaml_find(node, STR("paths"));
    lower_hosts(conf, match);
    if (paths != NULL)
        check_paths(conf, paths, match);
}

static const struct conf_field MATCH_FIELDS[] = {
    {.name = "hosts",
     CONF_AS_STRINGS(struct match_conf, hosts, host_count),
     .unset = "all",
     .min = 1,
     .valid = host_fault,
     .doc = "Hosts the request may be for, without port. `*.example.com` stands for every name "
            "below example.com."},
    {.name = "paths",
     CONF_AS_STRINGS(struct match_conf, paths, path_count),
     .unset = "all",
     .min = 1,
     .valid = path_fault,
     .doc = "`/users` is that path and all below it, `=/users` that path alone, `/users/{id}` has "
            "one segment in place of the parameter, `~^/v[0-9]+/` is a regular expression. The "
            "most specific match wins, whatever the order in the file."},
    {.name = "methods",
     .type = CONF_CUSTOM,
     .read = read_methods,
     .what = "method, or a list",
     .unset = "all",
     .doc = "`GET`, `HEAD`, `POST`, `PUT`, `DELETE`, `OPTIONS`, `PATCH`, `TRACE`, `CONNECT`."},
    {.name = NULL, .done = finish_match},
};

#define TIMEOUT_DOC                                                                                \
    "How long the upstream may take, from the head of the request to the end of the head of the "  \
    "answer."
#define MAX_BODY_DOC "The largest request body that is passed on; 0 for any."
#define STRIP_PATH_DOC                                                                             \
    "Forwards the path without what the route's own pattern took of it: a named route strips its " \
    "pattern, not its API's."
#define TIMEOUT_LIMITS .min = US_PER_MS, .max = US_PER_DAY
#define MAX_BODY_LIMITS .max = UINT64_C(1) << 40

static const struct conf_field ROUTE_FIELDS[] = {
    {.name = "match",
     CONF_AS_MAP(struct route_conf, match),
     .flags = CONF_REQUIRED,
     .fields = MATCH_FIELDS,
     .doc = "What the route is for. What is left out is the API's."},
    {.name = "access",
     CONF_AS_MAP(struct route_conf, access),
     .fields = access_conf_fields,
     .doc = ACCESS_DOC},
    {.name = "timeout",
     CONF_AS_DURATION(struct route_conf, timeout_us),
     .unset = "the API's",
     TIMEOUT_LIMITS,
     .doc = TIMEOUT_DOC},
    {.name = "max_body",
     CONF_AS_SIZE(struct route_conf, max_body),
     .unset = "the API's",
     MAX_BODY_LIMITS,
     .doc = MAX_BODY_DOC},
    {.name = "strip_path",
     CONF_AS_BOOL(struct route_conf, strip_path),
     .unset = "the API's",
     .doc = STRIP_PATH_DOC},
    {.name = NULL},
};

/* The API's own route, which is there even where none is named. */
static const struct conf_field DEFAULT_ROUTE_FIELDS[] = {
    {.name = "match",
     CONF_AS_MAP(struct route_conf, match),
     .fields = MATCH_FIELDS,
     .doc = "Which requests are for the API; those that match all that is given."},
    {.name = "strip_path",
     CONF_AS_BOOL(struct route_conf, strip_path),
     .fallback = "false",
     .doc = STRIP_PATH_DOC},
    {.name = "timeout",
     CONF_AS_DURATION(struct route_conf, timeout_us),
     .fallback = "60s",
     TIMEOUT_LIMITS,
     .doc = TIMEOUT_DOC},
    {.name = "max_body",
     CONF_AS_SIZE(struct route_conf, max_body),
     .fallback = "10MiB",
     MAX_BODY_LIMITS,
     .doc = MAX_BODY_DOC},
    {.name = NULL},
};

static void set_place(struct route_conf *route, const struct yaml_node *node)
{
    route->line = node->key_line;
    route->column = node->key_column;
}

static void *enter_default_route(struct conf *conf, const struct yaml_node *node, void *base)
{
    struct api_conf *api = base;
    const struct yaml_node *named = yaml_find(node, STR("routes"));
    size_t count = named != NULL && named->kind == YAML_MAP ? named->count : 0;
    api->routes = conf_alloc(conf, 1 + count, sizeof(*api->routes));
    if (api->routes == NULL)
        return NULL;
    api->route_count = 1;
    api->routes[0].name = STR("default");
    api->routes[0].api = api;
    set_place(&api->routes[0], node);
    return &api->routes[0];
}

static void read_routes(struct conf *conf, const struct conf_field *field,
                        const struct yaml_node *node, void *base)
{
    struct api_conf *api = base;
    if (node->kind != YAML_MAP) {
        conf_fault(conf, node, "expected a map from the name of each route to its settings");
        return;
    }
    if (api->routes == NULL)
        return;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        struct route_conf *route = &api->routes[api->route_count++];
        *route = api->routes[0];
        route->access = (struct access_conf){.allow = {.count = 0}};
        route->name = arena_dup(conf->arena, child->key);
        set_place(route, child);
        if (conf_check_name(conf, child, field->what) && str_eq(child->key, api->routes[0].name))
            conf_fault_key(conf, child,
                           "`default` is the name of the API's own route; choose another");
        conf_read_object(conf, field, child, route);
    }
}

static const char *const AUTH_NAMES[] = {[AUTH_KEY] = "key", [AUTH_NONE] = "none", NULL};

static const char *query_param_fault(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = str_lower_char(name.p[i]);
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!word && c != '_' && c != '-' && c != '.')
            return "must be a name of letters, digits, `_`, `-` and `.`";
    }
    return NULL;
}

static const struct conf_field AUTH_FIELDS[] = {
    {.name = "type",
     CONF_AS_ENUM(struct auth_conf, kind),
     .names = AUTH_NAMES,
     .fallback = "key",
     .doc = "`key`: an app's key, as `X-API-Key: KEY` or `Authorization: Bearer KEY`. `none`: "
            "everyone may call, and no plan counts it."},
    {.name = "query_param",
     CONF_AS_STRING(struct auth_conf, query_param),
     .unset = "none",
     .min = 1,
     .max = 64,
     .valid = query_param_fault,
     .doc = "Query parameter that may hold the key. Better left out: URLs are logged."},
    {.name = "forward_key",
     CONF_AS_BOOL(struct auth_conf, forward_key),
     .fallback = "false",
     .doc = "Whether the upstream gets to see the key."},
    {.name = NULL},
};

static void read_upstream(struct conf *conf, const struct conf_field *field,
                          const struct yaml_node *node, void *base)
{
    const struct gateway_config *config = conf->group;
    struct api_conf *api = base;
    (void)field;
    api->upstream =
        named_find(conf, node,
                   &(struct named_set){.items = config->upstreams,
                                       .count = config->upstream_count,
                                       .size = sizeof(struct upstream_conf),
                                       .name_offset = offsetof(struct upstream_conf, name),
                                       .what = "upstream"});
}

static void finish_api(struct conf *conf, const struct yaml_node *node, void *base)
{
    const struct gateway_config *config = conf->group;
    struct api_conf *api = base;
    (void)node;
    api->id = (uint32_t)(api - config->apis);
    if (api->title.n == 0)
        api->title = api->name;
}

static const char *example_fault(struct str path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] <= ' ' || path.p[i] > '~')
            return "has characters that must be escaped as %XX";
    }
    return str_starts(path, STR("/")) ? NULL : "must begin with /";
}

const struct conf_field api_conf_fields[] = {
    {.name = "title",
     CONF_AS_STRING(struct api_conf, title),
     .unset = "its name",
     .max = 200,
     .doc = "What people are shown."},
    {.name = "example",
     CONF_AS_STRING(struct api_conf, example),
     .unset = "the first path of `match`",
     .valid = example_fault,
     .doc =
         "A path, maybe with a query, that GET answers well: the portal's first call goes there."},
    {.name = "upstream",
     .type = CONF_CUSTOM,
     .flags = CONF_REQUIRED,
     .read = read_upstream,
     .what = "name of an upstream",
     .doc = "Where the calls go."},
    {.name = "", .type = CONF_GROUP, .fields = DEFAULT_ROUTE_FIELDS, .enter = enter_default_route},
    {.name = "auth",
     CONF_AS_MAP(struct api_conf, auth),
     .fields = AUTH_FIELDS,
     .shorthand = "type",
     .doc = "Who may call."},
    {.name = "access",
     CONF_AS_MAP(struct api_conf, access),
     .fields = access_conf_fields,
     .doc = ACCESS_DOC},
    {.name = "routes",
     .type = CONF_CUSTOM,
     .read = read_routes,
     .fields = ROUTE_FIELDS,
     .what = "route",
     .doc = "Parts of the API with a name and settings of their own. The rest is the route "
            "`default`."},
    {.name = NULL, .done = finish_api},
};
