/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/forwarded.h"

#include "base/error.h"

/* Whether a character is escaped, by an odd number of backslashes before it. */
static bool is_escaped(struct str s, size_t at)
{
    size_t first = at;
    while (first > 0 && s.p[first - 1] == '\\')
        first--;
    return (at - first) % 2 != 0;
}

/*
 * Takes the last element off a list. Quoted strings are read from the end as well: what a client
 * wrote, before what its proxy added or within quotes there, cannot change the proxy's own words.
 */
static struct str cut_last(struct str *rest, char separator)
{
    size_t at = rest->n;
    bool quoted = false;
    while (at > 0 && (quoted || rest->p[at - 1] != separator)) {
        at--;
        if (rest->p[at] == '"' && !is_escaped(*rest, at))
            quoted = !quoted;
    }
    struct str element = str_trim(str_slice(*rest, at, rest->n));
    *rest = str_slice(*rest, 0, at > 0 ? at - 1 : 0);
    return element;
}

/*
 * A node of RFC 7239 §6, "192.0.2.7:4711" or "[2001:db8::7]:4711", whose port is no matter. Some
 * proxies write them so into X-Forwarded-For as well.
 */
static int read_node(struct str s, struct ip *ret_ip)
{
    size_t end;
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        s = str_slice(s, 1, s.n - 1);
    if (!str_starts(s, STR("[")))
        return ip_parse(str_slice(s, 0, str_find_char(s, ':', 0)), ret_ip);
    end = str_find_char(s, ']', 0);
    if (end == s.n || (end + 1 < s.n && s.p[end + 1] != ':'))
        return E_INVALID;
    return ip_parse(str_slice(s, 1, end), ret_ip);
}

/* The address of an element of Forwarded, "for=192.0.2.7;proto=https". */
static int read_forwarded(struct str element, struct ip *ret_ip)
{
    const struct str name = STR("for=");
    struct str rest = element, node = STR_EMPTY;
    while (rest.n > 0) {
        struct str pair = cut_last(&rest, ';');
        if (!str_starts_nocase(pair, name))
            continue;
        if (node.n > 0)
            return E_INVALID;
        node = str_slice(pair, name.n, pair.n);
    }
    return read_node(node, ret_ip);
}

static int read_address(struct str element, struct ip *ret_ip)
{
    return ip_parse(element, ret_ip) == 0 ? 0 : read_node(element, ret_ip);
}

struct ip forwarded_client(const struct cidr_set *trusted, enum http_field field,
                           const struct head *head, struct ip peer)
{
    bool forwarded = field == FIELD_FORWARDED;
    struct ip client = peer;
    if (trusted->count == 0 || cidr_set_find(trusted, peer) == NULL)
        return peer;
    for (unsigned i = head->count; i > 0; i--) {
        struct str rest = head->fields[i - 1].value;
        if (head->fields[i - 1].id != field)
            continue;
        while (rest.n > 0) {
            struct str element = cut_last(&rest, ',');
            struct ip ip;
            if ((forwarded ? read_forwarded(element, &ip) : read_address(element, &ip)) != 0)
                return client;
            client = ip;
            if (cidr_set_find(trusted, ip) == NULL)
                return client;
        }
    }
    return client;
}
