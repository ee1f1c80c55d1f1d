/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/readings.h"

#include "base/http/target.h"
#include "gateway/config.h"

bool readings_differ(struct str sent)
{
    for (size_t i = 0; i < sent.n; i++) {
        char c = sent.p[i], next = i + 1 < sent.n ? sent.p[i + 1] : '\0';
        if (c == '%' || c == '\\' || c == ';' || (c == '/' && (next == '/' || next == '.')))
            return true;
    }
    return false;
}

/* The byte at sent.p[*at], decoded if it is one that a reading may turn on; *at moves behind it. */
static char take(struct str sent, size_t *at)
{
    uint64_t c;
    size_t i = *at;
    *at = i + 1;
    if (sent.p[i] != '%' || str_hex_to_u64(str_slice(sent, i + 1, i + 3), 255, &c) != 0)
        return sent.p[i];
    if (c != '.' && c != '/' && c != '\\' && c != ';')
        return '%';
    *at = i + 3;
    return (char)c;
}

/* All that can be a slash is one, slashes are merged, and a segment ends at its semicolon. */
static struct str read_loosely(struct str sent, char *out)
{
    size_t n = 0;
    bool parameter = false;
    for (size_t i = 0; i < sent.n;) {
        char c = take(sent, &i);
        if (c == '\\')
            c = '/';
        if (c == '/')
            parameter = false;
        else if (c == ';')
            parameter = true;
        if (!parameter && !(c == '/' && n > 0 && out[n - 1] == '/'))
            out[n++] = c;
    }
    return str_make(out, n);
}

/* The route of another reading; NULL where it has none. */
static const struct route *route_of(const struct readings *r, struct str path)
{
    struct route_query query = *r->query;
    struct route_match match;
    query.path = path;
    if (router_find(r->router, &query, r->scratch, &match) != ROUTER_FOUND)
        return NULL;
    return match.route;
}

const char *readings_check(const struct readings *r)
{
    struct str path;
    char *loose = r->mem + r->sent.n + 1;
    if (target_unescape(r->sent, r->mem, &path) != NULL)
        return NULL; /* refused before */
    const struct route *other = route_of(r, path);
    if (other != NULL && other != r->found)
        return "its dot segments lead from one route to another";
    if (target_normalize(read_loosely(r->sent, loose), r->mem, &path) != NULL)
        return NULL;
    other = route_of(r, path);
    if (other != NULL && other->conf->api != r->found->conf->api)
        return "its slashes or dot segments could be read as the path of another API";
    return NULL;
}
