/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/first_call.h"

#include "base/http/head.h"

/* --- paths and hosts --- */

static bool is_expression(struct str pattern)
{
    return str_starts(pattern, STR("~"));
}

static struct str path_of(struct str pattern)
{
    return str_starts(pattern, STR("=")) ? str_slice(pattern, 1, pattern.n) : pattern;
}

/* "/users/{id}" as "/users/1". */
static struct str fill_in(struct arena *arena, struct str path)
{
    struct str filled = STR_EMPTY, rest = path;
    str_cut(&rest, '/'); /* the nothing before the first slash */
    while (rest.p != NULL) {
        struct str segment = str_cut(&rest, '/');
        if (str_starts(segment, STR("{")))
            segment = STR("1");
        filled = arena_printf(arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(filled), STR_ARG(segment));
    }
    return filled;
}

/* The parts of "https://api.example.com:8443": all up to the host, the host, the rest. */
struct url_parts {
    struct str scheme, host, rest;
};

static struct url_parts take_apart(struct str url)
{
    size_t from = str_find(url, STR("://"));
    from = from < url.n ? from + 3 : 0;
    size_t end = from;
    bool literal = end < url.n && url.p[end] == '[';
    while (end < url.n && url.p[end] != '/' && (literal || url.p[end] != ':')) {
        literal = literal && url.p[end] != ']';
        end++;
    }
    return (struct url_parts){.scheme = str_slice(url, 0, from),
                              .host = str_slice(url, from, end),
                              .rest = str_slice(url, end, url.n)};
}

/* A host that a pattern stands for: of "*.example.com" one of the many. */
static struct str some_host(struct arena *arena, struct str pattern)
{
    return str_starts(pattern, STR("*."))
               ? arena_printf(arena, "api.%" STR_FMT, STR_ARG(str_slice(pattern, 2, pattern.n)))
               : pattern;
}

struct str first_call_shown(const struct portal_gateway *gateway, struct arena *arena,
                            struct str host, struct str pattern)
{
    struct url_parts url = take_apart(gateway->url);
    if (is_expression(pattern))
        return pattern;
    return arena_printf(arena, "%" STR_FMT "%" STR_FMT "%" STR_FMT "%" STR_FMT, STR_ARG(url.scheme),
                        STR_ARG(host.n > 0 ? host : url.host), STR_ARG(url.rest),
                        STR_ARG(path_of(pattern)));
}

/* --- finding one --- */

static bool has_host(const struct match_conf *match, struct str host)
{
    for (size_t i = 0; i < match->host_count; i++) {
        if (str_eq_nocase(match->hosts[i], host))
            return true;
    }
    return match->host_count == 0;
}

/* The path to ask: the first that is no expression. False where all are. */
static bool choose_path(const struct match_conf *match, struct arena *arena, struct str *ret_path)
{
    for (size_t i = 0; i < match->path_count; i++) {
        if (!is_expression(match->paths[i])) {
            *ret_path = fill_in(arena, path_of(match->paths[i]));
            return true;
        }
    }
    *ret_path = STR("/");
    return match->path_count == 0;
}

static struct str choose_method(uint32_t methods)
{
    if (methods == 0 || (methods & UINT32_C(1) << METHOD_GET) != 0)
        return http_method_name(METHOD_GET);
    for (enum http_method m = 0; m < METHOD_COUNT; m++) {
        if (methods & UINT32_C(1) << m)
            return http_method_name(m);
    }
    return http_method_name(METHOD_GET);
}

/* What a named route leaves out is the API's. */
static struct match_conf whole_match(const struct api_conf *api, const struct route_conf *route)
{
    struct match_conf match = route->match;
    const struct match_conf *all = &api->routes[0].match;
    if (match.host_count == 0)
        match.hosts = all->hosts, match.host_count = all->host_count;
    if (match.path_count == 0)
        match.paths = all->paths, match.path_count = all->path_count;
    if (match.methods == 0)
        match.methods = all->methods;
    return match;
}

/* Where the operator says what answers well, that; its host is the API's. */
static bool call_example(const struct portal_gateway *gateway, const struct api_conf *api,
                         struct arena *arena, struct first_call *ret_call)
{
    const struct match_conf *match = &api->routes[0].match;
    *ret_call =
        (struct first_call){.api = arena_dup(arena, api->name),
                            .method = http_method_name(METHOD_GET),
                            .path = arena_dup(arena, api->example),
                            .url = arena_printf(arena, "%" STR_FMT "%" STR_FMT,
                                                STR_ARG(gateway->url), STR_ARG(api->example))};
    if (!has_host(match, take_apart(gateway->url).host))
        ret_call->host = arena_dup(arena, some_host(arena, match->hosts[0]));
    return true;
}

/* A call of the API; of its routes one that takes GET, if there is one. */
static bool call_api(const struct portal_gateway *gateway, const struct api_conf *api,
                     struct arena *arena, struct first_call *ret_call)
{
    struct url_parts url = take_apart(gateway->url);
    bool found = false;
    if (api->example.n > 0)
        return call_example(gateway, api, arena, ret_call);
    for (size_t i = 0; i < api->route_count; i++) {
        struct match_conf match = whole_match(api, &api->routes[i]);
        struct str path, method = choose_method(match.methods);
        bool better = !found || (str_eq(method, STR("GET")) && !str_eq(ret_call->method, method));
        if (!better || !choose_path(&match, arena, &path))
            continue;
        found = true;
        *ret_call = (struct first_call){.api = arena_dup(arena, api->name),
                                        .method = method,
                                        .path = path,
                                        .url = arena_printf(arena, "%" STR_FMT "%" STR_FMT,
                                                            STR_ARG(gateway->url), STR_ARG(path))};
        if (!has_host(&match, url.host))
            ret_call->host = arena_dup(arena, some_host(arena, match.hosts[0]));
    }
    return found;
}

static const struct plan_conf *find_plan(const struct gateway_config *config, struct str name)
{
    for (size_t i = 0; i < config->plan_count; i++) {
        if (str_eq(config->plans[i].name, name))
            return &config->plans[i];
    }
    return NULL;
}

bool first_call_find(const struct portal_gateway *gateway, struct str plan, struct arena *arena,
                     struct first_call *ret_call)
{
    const struct plan_conf *conf = find_plan(gateway->config, plan);
    if (conf == NULL)
        return false;
    for (unsigned round = 0; round < 2; round++) { /* those that want a key before the others */
        for (size_t i = 0; i < conf->api_count; i++) {
            bool wants_key = conf->apis[i]->auth.kind == AUTH_KEY;
            if (wants_key == (round == 0) && call_api(gateway, conf->apis[i], arena, ret_call))
                return !arena->overflow;
        }
    }
    return false;
}

/* --- as a command --- */

/* A word in single quotes, as a shell wants it. */
static void quote(struct buf *out, struct str word)
{
    buf_add_char(out, '\'');
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] == '\'')
            buf_add_lit(out, "'\\''");
        else
            buf_add_char(out, word.p[i]);
    }
    buf_add_char(out, '\'');
}

/* Characters that no shell and no curl reads as more than themselves. */
static bool is_plain(struct str word)
{
    for (size_t i = 0; i < word.n; i++) {
        char c = str_lower_char(word.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              str_find_char(STR("/:._-"), c, 0) < 5))
            return false;
    }
    return word.n > 0;
}

void first_call_curl(struct buf *out, const struct first_call *call, struct str secret)
{
    buf_add_lit(out, "curl");
    if (!str_eq(call->method, STR("GET"))) {
        buf_add_lit(out, " -X ");
        buf_add_str(out, call->method);
    }
    buf_add_lit(out, " -H 'X-API-Key: ");
    buf_add_str(out, secret); /* of letters, digits and _ */
    buf_add_char(out, '\'');
    if (call->host.n > 0) {
        buf_add_lit(out, " -H 'Host: ");
        buf_add_str(out, call->host);
        buf_add_char(out, '\'');
    }
    buf_add_char(out, ' ');
    if (is_plain(call->url))
        buf_add_str(out, call->url);
    else
        buf_add_lit(out, "-g "), quote(out, call->url);
}
