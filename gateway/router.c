/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups in the table of router_table.h. */
#include "gateway/router.h"

#include "gateway/router_table.h"

#include <stdlib.h>

/* What one regex may cost: far beyond any sane pattern on any sane path, far below a second. */
#define REGEX_MATCH_LIMIT 100000
#define REGEX_DEPTH_LIMIT 10000
#define REGEX_HEAP_KIB 2048
#define REGEX_STACK_MIN (32 * 1024)
#define REGEX_STACK_MAX (256 * 1024)

struct router_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* of its own: that of a fiber is small */
};

struct router_scratch *router_scratch_create(void)
{
    struct router_scratch *scratch = calloc(1, sizeof(*scratch));
    CHECK(scratch != NULL);
    scratch->data = pcre2_match_data_create(ROUTER_GROUPS_MAX + 1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    scratch->stack = pcre2_jit_stack_create(REGEX_STACK_MIN, REGEX_STACK_MAX, NULL);
    CHECK(scratch->data != NULL && scratch->context != NULL);
    pcre2_set_match_limit(scratch->context, REGEX_MATCH_LIMIT);
    pcre2_set_depth_limit(scratch->context, REGEX_DEPTH_LIMIT);
    pcre2_set_heap_limit(scratch->context, REGEX_HEAP_KIB);
    if (scratch->stack != NULL) /* NULL where this PCRE2 has no JIT */
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    return scratch;
}

void router_scratch_destroy(struct router_scratch *scratch)
{
    if (scratch == NULL)
        return;
    pcre2_jit_stack_free(scratch->stack);
    pcre2_match_context_free(scratch->context);
    pcre2_match_data_free(scratch->data);
    free(scratch);
}

size_t router_route_count(const struct router *router)
{
    return router->route_count;
}

const struct route *router_route(const struct router *router, size_t index)
{
    CHECK(index < router->route_count);
    return &router->routes[index];
}

/* The path cut at its slashes, as far as any pattern is deep and one further. */
struct pieces {
    struct str path;
    unsigned count; /* of segments; one more than `depth` stands for any number more */
    uint32_t begin[ROUTER_DEPTH_MAX + 1], end[ROUTER_DEPTH_MAX + 1];
    uint32_t hash[ROUTER_DEPTH_MAX + 1];
};

static void pieces_cut(struct pieces *pieces, struct str path, unsigned depth)
{
    size_t at = 0;
    pieces->path = path;
    pieces->count = 0;
    while (at < path.n && pieces->count <= depth) {
        size_t begin = at + 1; /* path[at] is a slash */
        const char *slash = memchr(path.p + begin, '/', path.n - begin);
        at = slash != NULL ? (size_t)(slash - path.p) : path.n;
        pieces->begin[pieces->count] = (uint32_t)begin;
        pieces->end[pieces->count] = (uint32_t)at;
        pieces->hash[pieces->count] = router_hash(path.p + begin, at - begin);
        pieces->count++;
    }
}

static struct str piece(const struct pieces *pieces, unsigned i)
{
    return str_slice(pieces->path, pieces->begin[i], pieces->end[i]);
}

static uint32_t follow(const struct router *router, uint32_t from, const struct pieces *pieces,
                       unsigned i)
{
    struct str text = piece(pieces, i);
    uint32_t hash = pieces->hash[i];
    uint32_t slot = router_edge_slot(from, hash) & router->edge_mask;
    for (;;) {
        const struct edge *edge = &router->edges[slot];
        if (edge->to == NODE_NONE ||
            (edge->hash == hash && edge->from == from && str_eq(edge->text, text)))
            return edge->to;
        slot = (slot + 1) & router->edge_mask;
    }
}

/* The search as it goes over the hosts that fit. */
struct search {
    const struct router *router;
    const struct route_query *query;
    struct router_scratch *scratch;
    struct pieces pieces;
    const struct rule *found;
    uint32_t allow; /* methods of the rules whose path fits */
    bool too_hard;
};

/* The first rule of the run that takes the method, or NULL; the run's path fits. */
static const struct rule *run_allows(struct search *search, const struct run *run)
{
    const struct rule *rule = &search->router->rules[run->first];
    for (uint32_t i = 0; i < run->count; i++, rule++) {
        if ((rule->methods & 1u << search->query->method) != 0)
            return rule;
        search->allow |= rule->methods;
    }
    return NULL;
}

/*
 * Walks down every branch of the trie that fits, text before parameter, so of patterns with equally
 * many segments the more specific one is met first. Returns the exact rule, or NULL and the best
 * prefix.
 */
static const struct rule *trie_find(struct search *search, uint32_t root,
                                    const struct rule **ret_prefix)
{
    const struct pieces *pieces = &search->pieces;
    struct {
        uint32_t node;
        unsigned depth;
    } later[ROUTER_DEPTH_MAX + 1]; /* branches by parameter not yet taken, at most one a depth */
    unsigned later_count = 0, depth = 0, prefix_depth = 0;
    const struct rule *prefix = NULL;
    uint32_t at = root;
    for (;;) {
        const struct node *node = &search->router->nodes[at];
        if (node->exact.count > 0 && depth == pieces->count) {
            const struct rule *exact = run_allows(search, &node->exact);
            if (exact != NULL)
                return exact;
        }
        if (node->prefix.count > 0 && (prefix == NULL || depth > prefix_depth)) {
            const struct rule *rule = run_allows(search, &node->prefix);
            if (rule != NULL) {
                prefix = rule;
                prefix_depth = depth;
            }
        }
        at = NODE_NONE;
        if (depth < pieces->count) {
            bool empty = pieces->begin[depth] == pieces->end[depth];
            if (node->has_edges)
                at =
                    follow(search->router, (uint32_t)(node - search->router->nodes), pieces, depth);
            if (node->param != NODE_NONE && !empty) {
                later[later_count].node = node->param;
                later[later_count++].depth = depth + 1;
            }
        }
        depth++;
        if (at == NODE_NONE) {
            if (later_count == 0)
                break;
            at = later[--later_count].node;
            depth = later[later_count].depth;
        }
    }
    *ret_prefix = prefix;
    return NULL;
}

/* Whether the path fits; a limit that was hit is remembered. */
static bool regex_fits(struct search *search, const struct pattern *pattern)
{
    struct str path = search->query->path;
    int r = pcre2_match(pattern->regex, (PCRE2_SPTR)path.p, path.n, 0, 0, search->scratch->data,
                        search->scratch->context);
    if (r < 0 && r != PCRE2_ERROR_NOMATCH)
        search->too_hard = true;
    return r >= 0;
}

static const struct rule *regex_find(struct search *search, const struct run *run)
{
    const struct rule *rule = &search->router->rules[run->first];
    for (uint32_t i = 0; i < run->count && !search->too_hard; i++, rule++) {
        if (!regex_fits(search, rule->pattern))
            continue;
        if ((rule->methods & 1u << search->query->method) != 0)
            return rule;
        search->allow |= rule->methods;
    }
    return NULL;
}

/* Looks at the rules of one host. Whether the search is over. */
static bool site_find(struct search *search, const struct site *site)
{
    const struct rule *prefix = NULL;
    search->found = trie_find(search, site->root, &prefix);
    if (search->found == NULL && site->regex.count > 0)
        search->found = regex_find(search, &site->regex);
    if (search->found == NULL)
        search->found = prefix;
    return search->found != NULL || search->too_hard;
}

static const struct site *host_find(const struct router *router, struct str key)
{
    uint32_t slot = router_hash(key.p, key.n) & router->host_mask;
    for (; router->hosts[slot] != NODE_NONE; slot = (slot + 1) & router->host_mask) {
        const struct site *site = &router->sites[router->hosts[slot]];
        if (str_eq(site->key, key))
            return site;
    }
    return NULL;
}

/* All hosts that fit, the most specific first. Whether the search is over. */
static bool sites_find(struct search *search)
{
    const struct router *router = search->router;
    struct str host = search->query->host;
    const struct site *site;
    /* a key with a leading dot is a wildcard's, and no host's */
    bool named = host.n > 0 && host.p[0] != '.';
    if (named && (site = host_find(router, host)) != NULL && site_find(search, site))
        return true;
    /* from the first dot behind which is no more than the longest wildcard has */
    size_t at = named && router->suffix_max < host.n ? host.n - router->suffix_max : 1;
    if (named && router->suffix_max > 0) {
        for (at = str_find_char(host, '.', at); at < host.n;
             at = str_find_char(host, '.', at + 1)) {
            site = host_find(router, str_slice(host, at, host.n));
            if (site != NULL && site_find(search, site))
                return true;
        }
    }
    return router->any != NULL && site_find(search, router->any);
}

static void regex_params(const struct search *search, struct route_match *match)
{
    const pcre2_code *regex = search->found->pattern->regex;
    const PCRE2_SIZE *pairs = pcre2_get_ovector_pointer(search->scratch->data);
    uint32_t names, size;
    PCRE2_SPTR row;
    /* what a pattern found further on has before it is not its prefix */
    match->prefix_len = pairs[0] == 0 ? pairs[1] : 0;
    pcre2_pattern_info(regex, PCRE2_INFO_NAMECOUNT, &names);
    pcre2_pattern_info(regex, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(regex, PCRE2_INFO_NAMETABLE, (void *)&row);
    for (uint32_t i = 0; i < names; i++, row += size) {
        uint32_t group = (uint32_t)row[0] << 8 | row[1]; /* then the name, NUL-terminated */
        struct route_param *param = &match->params[match->param_count++];
        *param = (struct route_param){.name = str_from((const char *)(row + 2))};
        if (pairs[2 * group] != PCRE2_UNSET)
            param->value = str_slice(search->query->path, pairs[2 * group], pairs[2 * group + 1]);
    }
}

static void segment_params(const struct search *search, struct route_match *match)
{
    const struct pattern *pattern = search->found->pattern;
    for (unsigned i = 0; i < pattern->segment_count; i++) {
        if (pattern->segments[i].is_param)
            match->params[match->param_count++] = (struct route_param){
                .name = pattern->segments[i].text, .value = piece(&search->pieces, i)};
    }
    if (pattern->segment_count > 0)
        match->prefix_len = search->pieces.end[pattern->segment_count - 1];
}

enum router_result router_find(const struct router *router, const struct route_query *query,
                               struct router_scratch *scratch, struct route_match *ret_match)
{
    struct search search; /* not cleared: `pieces` is most of it, and filled as far as it is read */
    search.router = router;
    search.query = query;
    search.scratch = scratch;
    search.found = NULL;
    search.allow = 0;
    search.too_hard = false;
    if (query->path.n == 0 || query->path.p[0] != '/' || query->path.n >= UINT32_MAX)
        return ROUTER_NONE; /* the forms of OPTIONS * and CONNECT */
    pieces_cut(&search.pieces, query->path, router->depth);
    (void)sites_find(&search);
    if (search.too_hard)
        return ROUTER_TOO_HARD;
    if (search.found == NULL) {
        ret_match->allow = search.allow;
        return search.allow != 0 ? ROUTER_METHOD : ROUTER_NONE;
    }
    ret_match->route = search.found->route;
    ret_match->host_pattern = search.found->host;
    ret_match->path_pattern = search.found->pattern->text;
    ret_match->prefix_len = 0;
    ret_match->param_count = 0;
    ret_match->allow = 0;
    if (search.found->pattern->kind == PATH_REGEX)
        regex_params(&search, ret_match);
    else
        segment_params(&search, ret_match);
    return ROUTER_FOUND;
}

/* ---- the slow way, one rule after the other ---- */

static bool host_fits(const struct rule *rule, struct str host)
{
    switch (rule->host_kind) {
    case HOST_EXACT:
        return str_eq(rule->host, host);
    case HOST_SUFFIX:
        return host.n > 0 && host.p[0] != '.' && host.n >= rule->host.n &&
               str_ends(host, str_slice(rule->host, 1, rule->host.n));
    case HOST_ANY:
        break;
    }
    return true;
}

static bool segments_fit(const struct pattern *pattern, struct str path)
{
    struct str rest = str_slice(path, 1, path.n);
    for (unsigned i = 0; i < pattern->segment_count; i++) {
        if (rest.p == NULL)
            return false;
        struct str text = str_cut(&rest, '/');
        const struct segment *want = &pattern->segments[i];
        if (want->is_param ? text.n == 0 : !str_eq(text, want->text))
            return false;
    }
    return pattern->kind == PATH_PREFIX || rest.p == NULL;
}

static enum route_standing stand(struct search *search, const struct rule *rule)
{
    struct str path = search->query->path;
    if (!host_fits(rule, search->query->host))
        return ROUTE_OTHER_HOST;
    if (path.n == 0 || path.p[0] != '/')
        return ROUTE_OTHER_PATH;
    search->too_hard = false;
    bool fits = rule->pattern->kind == PATH_REGEX ? regex_fits(search, rule->pattern)
                                                  : segments_fit(rule->pattern, path);
    if (search->too_hard)
        return ROUTE_TOO_HARD;
    if (!fits)
        return ROUTE_OTHER_PATH;
    if ((rule->methods & 1u << search->query->method) == 0)
        return ROUTE_OTHER_METHOD;
    if (search->found != NULL)
        return ROUTE_LESS_SPECIFIC;
    search->found = rule;
    return ROUTE_WINS;
}

void router_explain(const struct router *router, const struct route_query *query,
                    struct router_scratch *scratch,
                    void (*visit)(void *ctx, const struct route_candidate *candidate), void *ctx)
{
    struct search search = {.router = router, .query = query, .scratch = scratch};
    for (uint32_t i = 0; i < router->rule_count; i++) {
        const struct rule *rule = &router->rules[i];
        struct route_candidate candidate = {
            .route = rule->route,
            .host_pattern = rule->host,
            .path_pattern = rule->pattern->text,
            .methods = rule->methods,
            .standing = stand(&search, rule),
        };
        visit(ctx, &candidate);
    }
}
