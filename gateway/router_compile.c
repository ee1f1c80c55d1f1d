/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration to the table of router_table.h: collect, sort, refuse what is equal,
 * index. */
#include "gateway/router_table.h"

#include <stdlib.h>

#define ARENA_CHUNK (64 * 1024)
#define ARENA_BUDGET ((size_t)1 << 30)
#define RULES_MAX (1u << 22)
#define METHODS_ALL ((1u << METHOD_COUNT) - 1)

static int no_memory(struct error *err)
{
    return error_set(err, E_NOMEM, "out of memory for the routes");
}

/* What a list of the route leaves out is the API's; what that leaves out too is anything. */
struct effective {
    const struct str *hosts, *paths;
    size_t host_count, path_count; /* at least 1 */
    uint32_t methods;              /* never 0 */
};

static struct effective effective_of(const struct route_conf *route)
{
    static const struct str any_host = STR_INIT(""), any_path = STR_INIT("/");
    const struct match_conf *own = &route->match, *api = &route->api->routes[0].match;
    const struct match_conf *hosts = own->host_count > 0 ? own : api;
    const struct match_conf *paths = own->path_count > 0 ? own : api;
    struct effective e = {
        .hosts = hosts->host_count > 0 ? hosts->hosts : &any_host,
        .host_count = hosts->host_count > 0 ? hosts->host_count : 1,
        .paths = paths->path_count > 0 ? paths->paths : &any_path,
        .path_count = paths->path_count > 0 ? paths->path_count : 1,
        .methods = own->methods != 0 ? own->methods : api->methods,
    };
    if (e.methods == 0)
        e.methods = METHODS_ALL;
    if ((e.methods & 1u << METHOD_GET) != 0)
        e.methods |= 1u << METHOD_HEAD;
    return e;
}

/* ---- order of specificity ---- */

static int cmp_unsigned(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int cmp_segments(const struct pattern *a, const struct pattern *b)
{
    int c = cmp_unsigned(b->segment_count, a->segment_count);
    for (unsigned i = 0; c == 0 && i < a->segment_count; i++) {
        const struct segment *x = &a->segments[i], *y = &b->segments[i];
        if (x->is_param != y->is_param)
            c = x->is_param ? 1 : -1;
        else if (!x->is_param)
            c = str_cmp(x->text, y->text);
    }
    return c;
}

/* 0 where they match the same paths for certain, by their form. */
static int cmp_patterns(const struct pattern *a, const struct pattern *b)
{
    if (a->kind != b->kind)
        return cmp_unsigned(a->kind, b->kind);
    if (a->kind != PATH_REGEX)
        return cmp_segments(a, b);
    int c = cmp_unsigned(b->text.n, a->text.n);
    return c != 0 ? c : str_cmp(a->text, b->text);
}

static int cmp_hosts(const struct rule *a, const struct rule *b)
{
    int c = cmp_unsigned(a->host_kind, b->host_kind);
    if (c == 0 && a->host_kind == HOST_SUFFIX)
        c = cmp_unsigned(b->host.n, a->host.n);
    return c != 0 ? c : str_cmp(a->host, b->host);
}

static int method_count(const struct rule *rule)
{
    return __builtin_popcount(rule->methods);
}

static int cmp_rules(const void *pa, const void *pb)
{
    const struct rule *a = pa, *b = pb;
    int c = cmp_hosts(a, b);
    if (c == 0)
        c = cmp_patterns(a->pattern, b->pattern);
    if (c == 0)
        c = method_count(a) - method_count(b);
    /* what is equal up to here takes different methods, or is refused: any order will do, if it is
     * one */
    if (c == 0)
        c = cmp_unsigned(a->methods, b->methods);
    return c != 0 ? c : cmp_unsigned(a->route->index, b->route->index);
}

static bool same_match(const struct rule *a, const struct rule *b)
{
    return cmp_hosts(a, b) == 0 && cmp_patterns(a->pattern, b->pattern) == 0;
}

/* ---- collecting ---- */

static int host_kind_of(struct str host, struct str where, enum host_kind *ret_kind,
                        struct error *err)
{
    bool wild = str_starts(host, STR("*."));
    struct str rest = wild ? str_slice(host, 2, host.n) : host;
    if ((wild && rest.n == 0) || str_find_char(rest, '*', 0) < rest.n || str_starts(rest, STR(".")))
        return error_set(err, E_CONFIG,
                         "%" STR_FMT ": the host \"%" STR_FMT
                         "\" is neither a name nor a name after \"*.\"",
                         STR_ARG(where), STR_ARG(host));
    *ret_kind = wild ? HOST_SUFFIX : host.n > 0 ? HOST_EXACT : HOST_ANY;
    return 0;
}

/* "apis.users.routes.search", for errors. */
static struct str route_place(struct router *router, const struct route_conf *route)
{
    if (route == &route->api->routes[0])
        return arena_printf(&router->arena, "apis.%" STR_FMT, STR_ARG(route->api->name));
    return arena_printf(&router->arena, "apis.%" STR_FMT ".routes.%" STR_FMT,
                        STR_ARG(route->api->name), STR_ARG(route->name));
}

static int add_rules(struct router *router, const struct route *route, struct error *err)
{
    struct effective e = effective_of(route->conf);
    struct str where = route_place(router, route->conf);
    struct pattern *patterns = arena_array(&router->arena, e.path_count, sizeof(*patterns));
    if (patterns == NULL)
        return no_memory(err);
    for (size_t p = 0; p < e.path_count; p++) {
        int r = router_pattern_parse(router, e.paths[p], &patterns[p], err);
        if (r != 0) {
            error_prefix(err, "%" STR_FMT, STR_ARG(where));
            return r;
        }
    }
    for (size_t h = 0; h < e.host_count; h++) {
        struct rule rule = {.route = route, .host = e.hosts[h], .methods = e.methods};
        int r = host_kind_of(e.hosts[h], where, &rule.host_kind, err);
        if (r != 0)
            return r;
        for (size_t p = 0; p < e.path_count; p++) {
            rule.pattern = &patterns[p];
            router->rules[router->rule_count++] = rule;
        }
    }
    return 0;
}

static int collect(struct router *router, const struct gateway_config *config, struct error *err)
{
    size_t routes = 0, rules = 0;
    for (size_t a = 0; a < config->api_count; a++) {
        const struct api_conf *api = &config->apis[a];
        routes += api->route_count;
        for (size_t i = 0; i < api->route_count; i++) {
            struct effective e = effective_of(&api->routes[i]);
            rules += e.host_count * e.path_count;
        }
    }
    if (rules > RULES_MAX)
        return error_set(err, E_CONFIG, "the routes have %zu pairs of host and path, more than %u",
                         rules, RULES_MAX);
    router->routes = arena_array(&router->arena, routes, sizeof(*router->routes));
    router->rules = arena_array(&router->arena, rules, sizeof(*router->rules));
    if (router->routes == NULL || router->rules == NULL)
        return no_memory(err);
    for (size_t a = 0; a < config->api_count; a++) {
        for (size_t i = 0; i < config->apis[a].route_count; i++) {
            uint32_t index = (uint32_t)router->route_count++;
            struct route *route = &router->routes[index];
            *route = (struct route){.conf = &config->apis[a].routes[i], .index = index};
            int r = add_rules(router, route, err);
            if (r != 0) {
                error_place(err, route->conf->line, route->conf->column);
                return r;
            }
        }
    }
    return 0;
}

/* ---- refusing what is equal ---- */

static int equal_routes(const struct rule *a, const struct rule *b, struct error *err)
{
    const struct route_conf *x = a->route->conf, *y = b->route->conf;
    int r =
        error_set(err, E_CONFIG,
                  "the routes \"%" STR_FMT "\" of API \"%" STR_FMT "\" and \"%" STR_FMT
                  "\" of API \"%" STR_FMT "\" match the same requests (host %" STR_FMT
                  ", path %" STR_FMT "); give one of them another host, path or methods",
                  STR_ARG(x->name), STR_ARG(x->api->name), STR_ARG(y->name), STR_ARG(y->api->name),
                  STR_ARG(a->host.n > 0 ? a->host : STR("any")), STR_ARG(a->pattern->text));
    error_place(err, y->line, y->column);
    return r;
}

/* Whether some request would not know which of the two to take. */
static bool ambiguous(const struct rule *a, const struct rule *b)
{
    uint32_t both = a->methods & b->methods;
    return a->methods == b->methods || (both != 0 && both != a->methods && both != b->methods);
}

/* Drops a route's own repetitions ("/a" and "/a/") and refuses those of two routes. Rules are
 * sorted. */
static int settle_equals(struct router *router, struct error *err)
{
    struct rule *rules = router->rules;
    uint32_t kept = 0, run = 0; /* `run` begins the kept rules with the same host and pattern */
    for (uint32_t i = 0; i < router->rule_count; i++) {
        if (kept > 0 && !same_match(&rules[run], &rules[i]))
            run = kept;
        bool repeated = false;
        for (uint32_t j = run; j < kept && !repeated; j++) {
            repeated = rules[j].route == rules[i].route;
            if (!repeated && ambiguous(&rules[j], &rules[i]))
                return equal_routes(&rules[j], &rules[i], err);
        }
        if (!repeated)
            rules[kept++] = rules[i];
    }
    router->rule_count = kept;
    return 0;
}

/* ---- the index ---- */

/* The node reached from `from` by `segment`, made if there is none. */
static uint32_t step(struct router *router, uint32_t from, const struct segment *segment)
{
    struct node *node = &router->nodes[from];
    uint32_t *child = &node->param;
    if (!segment->is_param) {
        uint32_t hash = router_hash(segment->text.p, segment->text.n);
        uint32_t slot = router_edge_slot(from, hash) & router->edge_mask;
        struct edge *edge = &router->edges[slot];
        while (edge->to != NODE_NONE &&
               !(edge->from == from && str_eq(edge->text, segment->text))) {
            slot = (slot + 1) & router->edge_mask;
            edge = &router->edges[slot];
        }
        if (edge->to == NODE_NONE)
            *edge =
                (struct edge){.text = segment->text, .hash = hash, .from = from, .to = NODE_NONE};
        node->has_edges = true;
        child = &edge->to;
    }
    if (*child == NODE_NONE) {
        router->nodes[router->node_count].param = NODE_NONE;
        *child = router->node_count++;
    }
    return *child;
}

static void hang(struct router *router, uint32_t root, const struct run *run)
{
    const struct pattern *pattern = router->rules[run->first].pattern;
    uint32_t node = root;
    for (unsigned i = 0; i < pattern->segment_count; i++)
        node = step(router, node, &pattern->segments[i]);
    *(pattern->kind == PATH_EXACT ? &router->nodes[node].exact : &router->nodes[node].prefix) =
        *run;
    if (pattern->segment_count > router->depth)
        router->depth = pattern->segment_count;
}

/* Indexes the rules of one host, which begin at `first`. Returns where the next host's begin. */
static uint32_t add_site(struct router *router, uint32_t first)
{
    const struct rule *head = &router->rules[first];
    struct site *site = &router->sites[router->site_count++];
    site->key =
        head->host_kind == HOST_SUFFIX ? str_slice(head->host, 1, head->host.n) : head->host;
    site->root = router->node_count++;
    router->nodes[site->root].param = NODE_NONE;
    if (head->host_kind == HOST_ANY)
        router->any = site;
    if (head->host_kind == HOST_SUFFIX && site->key.n > router->suffix_max)
        router->suffix_max = site->key.n;
    uint32_t at = first;
    while (at < router->rule_count && cmp_hosts(head, &router->rules[at]) == 0) {
        struct run run = {.first = at, .count = 0};
        do {
            run.count++;
            at++;
        } while (at < router->rule_count &&
                 same_match(&router->rules[run.first], &router->rules[at]));
        if (router->rules[run.first].pattern->kind != PATH_REGEX) {
            hang(router, site->root, &run);
        } else {
            if (site->regex.count == 0)
                site->regex.first = run.first;
            site->regex.count += run.count;
        }
    }
    return at;
}

static void index_hosts(struct router *router)
{
    for (uint32_t i = 0; i < router->site_count; i++) {
        struct str key = router->sites[i].key;
        uint32_t slot = router_hash(key.p, key.n) & router->host_mask;
        while (router->hosts[slot] != NODE_NONE)
            slot = (slot + 1) & router->host_mask;
        router->hosts[slot] = i;
    }
}

static uint32_t table_size(size_t items)
{
    uint32_t size = 8;
    while (size < items * 2)
        size *= 2;
    return size;
}

static int build_index(struct router *router, struct error *err)
{
    size_t segments = 0, sites = 0;
    for (uint32_t i = 0; i < router->rule_count; i++) {
        segments += router->rules[i].pattern->segment_count;
        sites += i == 0 || cmp_hosts(&router->rules[i - 1], &router->rules[i]) != 0;
    }
    if (segments + sites >= NODE_NONE / 4)
        return error_set(err, E_CONFIG, "the paths of the routes have more than %u segments in all",
                         NODE_NONE / 4);
    uint32_t edges = table_size(segments), hosts = table_size(sites);
    router->edge_mask = edges - 1;
    router->host_mask = hosts - 1;
    router->sites = arena_array(&router->arena, sites, sizeof(*router->sites));
    router->nodes = arena_array(&router->arena, segments + sites, sizeof(*router->nodes));
    router->edges = arena_array(&router->arena, edges, sizeof(*router->edges));
    router->hosts = arena_array(&router->arena, hosts, sizeof(*router->hosts));
    if (router->arena.overflow)
        return no_memory(err);
    for (uint32_t i = 0; i < edges; i++)
        router->edges[i].to = NODE_NONE;
    for (uint32_t i = 0; i < hosts; i++)
        router->hosts[i] = NODE_NONE;
    for (uint32_t at = 0; at < router->rule_count;)
        at = add_site(router, at);
    index_hosts(router);
    return 0;
}

struct router *router_alloc(struct error *err)
{
    struct router *router = calloc(1, sizeof(*router));
    if (router == NULL)
        (void)no_memory(err);
    else
        arena_init(&router->arena, ARENA_CHUNK, ARENA_BUDGET);
    return router;
}

int router_create(const struct gateway_config *config, struct router **ret_router,
                  struct error *err)
{
    struct router *router = router_alloc(err);
    if (router == NULL)
        return E_NOMEM;
    int r = collect(router, config, err);
    if (r != 0)
        goto fail;
    qsort(router->rules, router->rule_count, sizeof(*router->rules), cmp_rules);
    r = settle_equals(router, err);
    if (r != 0)
        goto fail;
    r = build_index(router, err);
    if (r != 0)
        goto fail;
    *ret_router = router;
    return 0;
fail:
    router_destroy(router);
    return r;
}

void router_destroy(struct router *router)
{
    if (router == NULL)
        return;
    for (struct pattern *p = router->regexes; p != NULL; p = p->next)
        pcre2_code_free(p->regex);
    arena_finish(&router->arena);
    free(router);
}
