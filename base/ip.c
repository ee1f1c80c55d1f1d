/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ip.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#define V4_PREFIX 96 /* bits before the IPv4 address in its mapped form */
#define IP_BITS 128

static const unsigned char MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static struct ip ip_from_v4(const void *four_bytes)
{
    struct ip ip;
    memcpy(ip.b, MAPPED, sizeof(MAPPED));
    memcpy(ip.b + sizeof(MAPPED), four_bytes, 4);
    return ip;
}

bool ip_is_v4(struct ip ip)
{
    return memcmp(ip.b, MAPPED, sizeof(MAPPED)) == 0;
}

bool ip_eq(struct ip a, struct ip b)
{
    return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

int ip_parse(struct str s, struct ip *ret_ip)
{
    char text[IP_TEXT_MAX];
    unsigned char four[4];
    struct ip ip;
    if (s.n == 0 || memchr(s.p, '\0', s.n) != NULL || !str_copy(s, text, sizeof(text)))
        return E_INVALID;
    if (inet_pton(AF_INET, text, four) == 1) {
        *ret_ip = ip_from_v4(four);
        return 0;
    }
    if (inet_pton(AF_INET6, text, ip.b) != 1)
        return E_INVALID;
    *ret_ip = ip;
    return 0;
}

static size_t put_decimal(char *out, unsigned v)
{
    size_t n = 0;
    if (v >= 100)
        out[n++] = (char)('0' + v / 100);
    if (v >= 10)
        out[n++] = (char)('0' + v / 10 % 10);
    out[n++] = (char)('0' + v % 10);
    return n;
}

static size_t put_hex(char *out, unsigned v)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (unsigned shift = 16; shift > 0; shift -= 4) {
        unsigned digit = v >> (shift - 4) & 0xf;
        if (digit != 0 || n > 0 || shift == 4)
            out[n++] = digits[digit];
    }
    return n;
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 §4.2); its length. */
static unsigned longest_zeros(const unsigned group[static 8], unsigned *ret_at)
{
    unsigned best = 0, run = 0;
    for (unsigned i = 0; i < 8; i++) {
        run = group[i] == 0 ? run + 1 : 0;
        if (run > best) {
            best = run;
            *ret_at = i + 1 - run;
        }
    }
    return best >= 2 ? best : 0;
}

size_t ip_format(struct ip ip, char out[static IP_TEXT_MAX])
{
    size_t n = 0;
    if (ip_is_v4(ip)) {
        for (unsigned i = 12; i < 16; i++) {
            if (i > 12)
                out[n++] = '.';
            n += put_decimal(out + n, ip.b[i]);
        }
        out[n] = '\0';
        return n;
    }
    unsigned group[8], zeros_at = 0;
    for (unsigned i = 0; i < 8; i++)
        group[i] = (unsigned)ip.b[2 * i] << 8 | ip.b[2 * i + 1];
    unsigned zeros = longest_zeros(group, &zeros_at);
    for (unsigned i = 0; i < 8; i++) {
        if (zeros > 0 && i == zeros_at) {
            out[n++] = ':';
            out[n++] = ':';
            i += zeros - 1;
            continue;
        }
        if (n > 0 && out[n - 1] != ':')
            out[n++] = ':';
        n += put_hex(out + n, group[i]);
    }
    out[n] = '\0';
    return n;
}

struct ip ip_from_sockaddr(const struct sockaddr *sa, uint16_t *ret_port)
{
    struct ip ip = {{0}};
    *ret_port = 0;
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof(in));
        *ret_port = ntohs(in.sin_port);
        ip = ip_from_v4(&in.sin_addr);
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof(in6));
        *ret_port = ntohs(in6.sin6_port);
        memcpy(ip.b, &in6.sin6_addr, sizeof(ip.b));
    }
    return ip;
}

int ip_port_parse(struct str s, struct ip *ret_ip, uint16_t *ret_port)
{
    struct ip ip;
    uint64_t port;
    bool bracketed = str_starts(s, STR("["));
    size_t host_end = str_find_char(s, bracketed ? ']' : ':', 0);
    struct str host = str_slice(s, bracketed ? 1 : 0, host_end);
    struct str rest = str_slice(s, host_end + (bracketed ? 1 : 0), s.n);
    if (!bracketed && str_eq_nocase(host, STR("localhost")))
        host = STR("127.0.0.1");
    bool six = str_find_char(host, ':', 0) < host.n;
    if (six != bracketed || ip_parse(host, &ip) != 0 || !str_starts(rest, STR(":")) ||
        str_to_u64(str_slice(rest, 1, rest.n), 0, UINT16_MAX, &port) != 0)
        return E_INVALID;
    *ret_ip = ip;
    *ret_port = (uint16_t)port;
    return 0;
}

bool ip_is_loopback(struct ip ip)
{
    static const unsigned char one[16] = {[15] = 1};
    return ip_is_v4(ip) ? ip.b[12] == 127 : memcmp(ip.b, one, sizeof(one)) == 0;
}

bool ip_is_unspecified(struct ip ip)
{
    static const unsigned char none[16] = {0};
    return memcmp(ip.b + 12, none, 4) == 0 &&
           (ip_is_v4(ip) || memcmp(ip.b, none, sizeof(none)) == 0);
}

struct cidr cidr_make(struct ip ip, uint8_t prefix)
{
    CHECK(prefix <= IP_BITS);
    for (unsigned i = 0; i < sizeof(ip.b); i++) {
        unsigned bits = prefix > 8 * i ? prefix - 8 * i : 0;
        if (bits < 8)
            ip.b[i] = (unsigned char)(ip.b[i] & ~(0xffU >> bits));
    }
    return (struct cidr){.ip = ip, .prefix = prefix};
}

int cidr_parse(struct str s, struct cidr *ret_cidr)
{
    struct ip ip;
    size_t slash = str_find_char(s, '/', 0);
    struct str address = str_slice(s, 0, slash), length = str_slice(s, slash + 1, s.n);
    if (ip_parse(address, &ip) != 0)
        return E_INVALID;
    /* the length counts the bits of the form that was written: a mapped address may be either */
    uint64_t before = str_find_char(address, ':', 0) == address.n ? V4_PREFIX : 0;
    uint64_t bits = IP_BITS - before;
    if (slash < s.n) {
        bool padded = length.n > 1 && length.p[0] == '0';
        if (padded || str_to_u64(length, 0, bits, &bits) != 0)
            return E_INVALID;
    }
    struct cidr cidr = cidr_make(ip, (uint8_t)(before + bits));
    if (!ip_eq(cidr.ip, ip))
        return E_INVALID;
    *ret_cidr = cidr;
    return 0;
}

static bool cidr_is_v4(struct cidr cidr)
{
    return cidr.prefix >= V4_PREFIX && ip_is_v4(cidr.ip);
}

size_t cidr_format(struct cidr cidr, char out[static CIDR_TEXT_MAX])
{
    size_t n = ip_format(cidr.ip, out);
    unsigned prefix = cidr.prefix;
    if (cidr_is_v4(cidr))
        prefix -= V4_PREFIX;
    out[n++] = '/';
    n += put_decimal(out + n, prefix);
    out[n] = '\0';
    return n;
}

bool cidr_contains(struct cidr cidr, struct ip ip)
{
    if (ip_is_v4(ip) && !cidr_is_v4(cidr))
        return false;
    return ip_eq(cidr_make(ip, cidr.prefix).ip, cidr.ip);
}

/* IPv4 first: within a family the order of the bytes, the wider network before the narrower. */
static int compare(const void *a, const void *b)
{
    const struct cidr *x = a, *y = b;
    bool x4 = cidr_is_v4(*x), y4 = cidr_is_v4(*y);
    if (x4 != y4)
        return x4 ? -1 : 1;
    int r = memcmp(x->ip.b, y->ip.b, sizeof(x->ip.b));
    return r != 0 ? r : (int)x->prefix - (int)y->prefix;
}

struct cidr_set cidr_set_build(struct cidr *items, size_t count)
{
    size_t kept = 0;
    if (count > 0)
        qsort(items, count, sizeof(*items), compare);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && cidr_is_v4(items[kept - 1]) == cidr_is_v4(items[i]) &&
            ip_eq(cidr_make(items[i].ip, items[kept - 1].prefix).ip, items[kept - 1].ip))
            continue;
        items[kept++] = items[i];
    }
    return (struct cidr_set){.items = items, .count = kept};
}

const struct cidr *cidr_set_find(const struct cidr_set *set, struct ip ip)
{
    /* nothing in the set overlaps, so only the last network that begins at or before ip can hold it
     */
    struct cidr wanted = {.ip = ip, .prefix = IP_BITS};
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&set->items[middle], &wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || !cidr_contains(set->items[low - 1], ip))
        return NULL;
    return &set->items[low - 1];
}
