/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router against a reference that knows no table: it writes every pattern as a POSIX regex and
 * a text of rank, and takes the least rank of those that match.
 */
#include "test.h"

#include "gateway/router_tables.h"

#include <regex.h>
#include <stdio.h>

/* ---- against a reference that knows no table: it ranks every pattern by a text and takes the
 * least ---- */

static uint64_t seed;

static unsigned draw(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % n;
}

static const char *const HOSTS[] = {NULL,       "a.test",     "b.test",  "*.test",
                                    "*.a.test", "*.b.a.test", "c.a.test"};
static const char *const QUERY_HOSTS[] = {"",         "a.test",     "b.test", "c.a.test",
                                          "x.a.test", "z.b.a.test", "test",   "other.org"};
static const char *const WORDS[] = {"a", "b", "users", "{p}", "{q}", ""};
static const char *const QUERY_WORDS[] = {"a", "b", "users", "7", "", "ab"};
static const char *const REGEXES[] = {"~^/a", "~^/a/[a-z]+$", "~users", "~^/[0-9]+/", "~/b$"};

static void draw_path(char out[64], const char *const *words, unsigned count)
{
    size_t n = 0;
    for (unsigned left = 1 + draw(4); left > 0; left--)
        n += (size_t)snprintf(out + n, 64 - n, "/%s", words[draw(count)]);
}

static uint32_t draw_methods(void)
{
    uint32_t methods = 0;
    for (unsigned n = draw(3); n > 0; n--)
        methods |= 1u << (METHOD_GET + draw(4));
    return methods;
}

struct random_rows {
    struct row rows[24];
    char paths[24][LIST_MAX][64];
    char names[24][16];
    unsigned count;
};

static bool two_equal_parameters(const char *path)
{
    const char *p = strstr(path, "{p}"), *q = strstr(path, "{q}");
    return (p != NULL && strstr(p + 1, "{p}") != NULL) ||
           (q != NULL && strstr(q + 1, "{q}") != NULL);
}

static void draw_rows(struct random_rows *r)
{
    *r = (struct random_rows){.count = 1 + draw(24)};
    for (unsigned i = 0; i < r->count; i++) {
        struct row *row = &r->rows[i];
        snprintf(r->names[i], sizeof(r->names[i]), "n%u", i);
        bool named = i > 0 && draw(4) == 0;
        *row = (struct row){.api = r->names[i], .route = named ? r->names[i] : "default"};
        row->methods = draw_methods();
        row->hosts[0] = HOSTS[draw(ARRAY_LEN(HOSTS))];
        for (unsigned k = draw(LIST_MAX + 1); k-- > 0;) {
            char plain[64];
            do
                draw_path(plain, WORDS, ARRAY_LEN(WORDS));
            while (two_equal_parameters(plain));
            if (draw(6) == 0)
                snprintf(r->paths[i][k], 64, "%s", REGEXES[draw(ARRAY_LEN(REGEXES))]);
            else
                snprintf(r->paths[i][k], 64, "%s%.60s", draw(4) == 0 ? "=" : "", plain);
            row->paths[k] = r->paths[i][k];
        }
    }
}

static bool naive_host_fits(const char *pattern, const char *host)
{
    if (pattern == NULL)
        return true;
    if (pattern[0] != '*')
        return strcmp(pattern, host) == 0;
    size_t n = strlen(pattern) - 1, m = strlen(host);
    return m > n && strcmp(host + m - n, pattern + 1) == 0;
}

static bool naive_path_fits(const char *pattern, const char *path)
{
    if (pattern[0] == '~') {
        regex_t regex;
        assert_int_equal(regcomp(&regex, pattern + 1, REG_EXTENDED | REG_NOSUB), 0);
        bool fits = regexec(&regex, path, 0, NULL, 0) == 0;
        regfree(&regex);
        return fits;
    }
    bool exact = pattern[0] == '=';
    /* as a regex of its own: a parameter is [^/]+, a prefix ends at a slash or the end */
    char source[256] = "^";
    for (const char *p = pattern + exact; *p != '\0'; p++) {
        size_t n = strlen(source);
        if (*p == '{') {
            snprintf(source + n, sizeof(source) - n, "[^/]+");
            p = strchr(p, '}');
        } else if (*p == '/' && p[1] == '\0' && !exact) {
            break;
        } else {
            snprintf(source + n, sizeof(source) - n, "%c", *p);
        }
    }
    size_t n = strlen(source);
    snprintf(source + n, sizeof(source) - n, exact ? "$" : "(/|$)");
    char as_regex[300];
    snprintf(as_regex, sizeof(as_regex), "~%s", source);
    return naive_path_fits(as_regex, path);
}

/* The lower the text, the more specific; equal for equal patterns. */
static void naive_rank(const char *host, const char *path, char out[400])
{
    int n;
    if (host == NULL)
        n = snprintf(out, 400, "2|");
    else if (host[0] == '*')
        n = snprintf(out, 400, "1%03zu%s|", 999 - strlen(host), host);
    else
        n = snprintf(out, 400, "0%s|", host);
    char *to = out + n;
    size_t left = 400 - (size_t)n;
    if (path[0] == '~') {
        snprintf(to, left, "1%03zu%s", 999 - strlen(path), path);
        return;
    }
    bool exact = path[0] == '=';
    char kinds[200] = "";
    unsigned segments = 0;
    for (const char *p = path + exact; *p != '\0';) {
        size_t length = strcspn(p + 1, "/");
        if (length == 0 && p[1] == '\0' && !exact)
            break;
        size_t k = strlen(kinds);
        snprintf(kinds + k, sizeof(kinds) - k, p[1] == '{' ? "/P" : "/L%.*s", (int)length, p + 1);
        segments++;
        p += 1 + length;
    }
    snprintf(to, left, "%c%02u%s", exact ? '0' : '2', 99 - segments, kinds);
}

struct naive {
    const struct row *row;
    char rank[400];
    uint32_t methods;
    const char *host, *path;
};

/* Every pair of host and path of every row, inheritance resolved. */
static unsigned naive_rules(const struct random_rows *r, struct naive *rules)
{
    unsigned count = 0;
    const struct row *api = NULL;
    for (unsigned i = 0; i < r->count; i++) {
        const struct row *row = &r->rows[i];
        if (strcmp(row->route, "default") == 0)
            api = row;
        const char *host = row->hosts[0] != NULL ? row->hosts[0] : api->hosts[0];
        const char *const *paths = row->paths[0] != NULL ? row->paths : api->paths;
        uint32_t methods = row->methods != 0 ? row->methods : api->methods;
        if (methods == 0)
            methods = (1u << METHOD_COUNT) - 1;
        if ((methods & GET) != 0)
            methods |= HEAD;
        for (unsigned k = 0; k < LIST_MAX && (k == 0 || paths[k] != NULL); k++) {
            struct naive *rule = &rules[count++];
            *rule = (struct naive){.row = row, .methods = methods, .host = host};
            rule->path = paths[k] != NULL ? paths[k] : "/";
            naive_rank(host, rule->path, rule->rank);
        }
    }
    return count;
}

static bool naive_conflict(const struct naive *rules, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < i; j++) {
            uint32_t a = rules[i].methods, b = rules[j].methods, both = a & b;
            if (rules[i].row != rules[j].row && strcmp(rules[i].rank, rules[j].rank) == 0 &&
                (a == b || (both != 0 && both != a && both != b)))
                return true;
        }
    }
    return false;
}

static const struct naive *naive_find(const struct naive *rules, unsigned count,
                                      const struct route_query *q, uint32_t *ret_allow)
{
    const struct naive *best = NULL;
    *ret_allow = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct naive *rule = &rules[i];
        if (!naive_host_fits(rule->host, q->host.p) || !naive_path_fits(rule->path, q->path.p))
            continue;
        *ret_allow |= rule->methods;
        if ((rule->methods & 1u << q->method) == 0)
            continue;
        int c = best != NULL ? strcmp(rule->rank, best->rank) : -1;
        if (c < 0 ||
            (c == 0 && __builtin_popcount(rule->methods) < __builtin_popcount(best->methods)))
            best = rule;
    }
    return best;
}

static void find_winner(void *ctx, const struct route_candidate *c)
{
    const struct route **winner = ctx;
    if (c->standing == ROUTE_WINS)
        *winner = c->route;
}

static void compare_with_reference(struct tables *t, const struct random_rows *rows,
                                   const struct naive *rules, unsigned count)
{
    for (unsigned i = 0; i < 60; i++) {
        char path[64];
        draw_path(path, QUERY_WORDS, ARRAY_LEN(QUERY_WORDS));
        struct route_query q = {str_from(QUERY_HOSTS[draw(ARRAY_LEN(QUERY_HOSTS))]), str_from(path),
                                (enum http_method)draw(METHOD_COUNT)};
        struct route_match m;
        uint32_t allow;
        const struct naive *want = naive_find(rules, count, &q, &allow);
        enum router_result r = look(t, q, &m);
        enum router_result expected = want != NULL ? ROUTER_FOUND
                                      : allow != 0 ? ROUTER_METHOD
                                                   : ROUTER_NONE;
        const struct route *winner = NULL;
        router_explain(t->router, &q, t->scratch, find_winner, &winner);
        if (r != expected || (r == ROUTER_METHOD && m.allow != allow) ||
            (r == ROUTER_FOUND &&
             (!str_eq(m.route->conf->name, str_from(want->row->route)) ||
              m.route->conf != &t->routes[want->row - rows->rows] || winner != m.route)) ||
            (r != ROUTER_FOUND && winner != NULL))
            fail_msg("seed %llu: %s%s", (unsigned long long)seed, q.host.p, path);
    }
}

static void agrees_with_a_naive_reference_on_random_tables(void **state)
{
    (void)state;
    static struct naive rules[24 * LIST_MAX];
    struct random_rows r;
    unsigned built = 0, refused = 0;
    for (unsigned round = 0; round < 3000; round++) {
        seed = round;
        draw_rows(&r);
        unsigned count = naive_rules(&r, rules);
        struct tables t;
        int result = tables_make(&t, r.rows, r.count, NULL);
        if (result != (naive_conflict(rules, count) ? E_CONFIG : 0))
            fail_msg("round %u: result %d", round, result);
        if (result == 0) {
            built++;
            compare_with_reference(&t, &r, rules, count);
        } else {
            refused++;
        }
        tables_free(&t);
    }
    assert_true(built > 500 && refused > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_naive_reference_on_random_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
