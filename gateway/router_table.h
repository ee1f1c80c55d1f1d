/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_table.h -- the table behind router.h: how router_compile.c leaves it and router.c reads
 * it.
 *
 * All rules (a route's host times path) lie in one array, the most specific first. So a host's
 * rules are one run of it, and within that run the exact ones, the regexes and the prefixes, and
 * within these each pattern, are runs again. Exact and prefix patterns of a host hang in a trie of
 * segments whose nodes name the runs that end there; the trie's edges of all hosts are one hash
 * table.
 *
 * Threads: constant after router_create().
 * Memory:  the router's arena; compiled regexes are PCRE2's.
 * Errors:  see router.h.
 */
#ifndef GATEWAY_ROUTER_TABLE_H
#define GATEWAY_ROUTER_TABLE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/arena.h"
#include "gateway/router.h"

#define ROUTER_DEPTH_MAX 32  /* segments of a pattern */
#define ROUTER_GROUPS_MAX 63 /* capturing groups of a regex */

/* In the order of specificity. */
enum host_kind { HOST_EXACT, HOST_SUFFIX, HOST_ANY };
enum path_kind { PATH_EXACT, PATH_REGEX, PATH_PREFIX };

struct segment {
    struct str text; /* of a parameter, its name */
    bool is_param;
};

struct pattern {
    struct str text; /* as written */
    enum path_kind kind;
    struct segment *segments; /* none for a regex */
    unsigned segment_count;
    pcre2_code *regex;    /* PATH_REGEX only */
    struct pattern *next; /* of all that have a regex, for the end */
};

struct rule {
    const struct route *route;
    struct str host; /* as written; "" for any */
    enum host_kind host_kind;
    const struct pattern *pattern;
    uint32_t methods; /* never 0; HEAD where GET is */
};

struct run {
    uint32_t first, count; /* of router.rules */
};

#define NODE_NONE UINT32_MAX

struct node {
    struct run exact, prefix; /* the rules whose patterns end here */
    uint32_t param;           /* the child for any segment that is not empty, or NODE_NONE */
    bool has_edges;           /* has children for certain texts */
};

struct edge {
    struct str text;
    uint32_t hash;
    uint32_t from, to; /* `to` is NODE_NONE in an empty slot */
};

/* The rules of one host. */
struct site {
    struct str key; /* "api.example.com"; ".example.com" for *.example.com; "" for any */
    struct run regex;
    uint32_t root;
};

struct router {
    struct arena arena;
    struct route *routes;
    size_t route_count;
    struct rule *rules;
    uint32_t rule_count;
    struct site *sites;
    uint32_t site_count;
    uint32_t *hosts;        /* hash table over sites, NODE_NONE for empty */
    uint32_t host_mask;     /* its size - 1 */
    const struct site *any; /* the site without host, or NULL */
    size_t suffix_max;      /* length of the longest wildcard's key, 0 for none */
    struct node *nodes;
    uint32_t node_count;
    struct edge *edges;
    uint32_t edge_mask;      /* size - 1 */
    unsigned depth;          /* most segments of any pattern */
    struct pattern *regexes; /* to be freed */
};

/*
 * Not keyed: only the operator puts anything into these tables, so a client can find a slow slot
 * but not make one.
 */
static inline uint32_t router_hash(const char *p, size_t n)
{
    uint64_t h = n;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    uint64_t tail = 0;
    for (size_t i = 0; i < n; i++)
        tail = tail << 8 | (unsigned char)p[i];
    h = (h ^ tail) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32);
}

/* Where the search for an edge begins. */
static inline uint32_t router_edge_slot(uint32_t from, uint32_t text_hash)
{
    return (from * UINT32_C(0x9e3779b1)) ^ text_hash;
}

/* Without rules; for router_destroy(). NULL where memory is short. */
struct router *router_alloc(struct error *err);

/* Reads one pattern. Its regex, if it has one, is linked to router->regexes. */
must_check int router_pattern_parse(struct router *router, struct str text,
                                    struct pattern *ret_pattern, struct error *err);

#endif
